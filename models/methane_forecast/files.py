"""A forecaster as files: JSON for what it is, arrays and ONNX beside it. Reading them runs nothing that they hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minefusion.schemas.errors import InputError

_TREE, _ARRAYS = "forecaster.json", "arrays.npz"
_KIND = "kind"
Arrays = dict[str, NDArray[Any]]


def write(thing: Any, folder: Path) -> None:
    """Write nested dataclasses, mappings, tuples, arrays, numbers, texts and boosted trees into a folder."""
    arrays: Arrays = {}
    networks: dict[str, bytes] = {}
    tree = _plain(thing, "", arrays, networks)
    folder.mkdir(parents=True, exist_ok=True)
    for name, network in networks.items():
        (folder / name).write_bytes(network)
    named: Mapping[str, Any] = arrays
    np.savez_compressed(folder / _ARRAYS, **named)
    (folder / _TREE).write_text(json.dumps(tree), encoding="utf-8")


def read(folder: Path, kinds: Mapping[str, type]) -> Any:
    """Read what `write` wrote.

    Args:
        kinds: the dataclasses that may be in it, by name.

    Raises:
        InputError: there is nothing there, or what is there is not known.
    """
    if not (folder / _TREE).is_file():
        raise InputError(f"expected {_TREE} in {folder}, found none; train a model or give the folder of one")
    tree = json.loads((folder / _TREE).read_text(encoding="utf-8"))
    with np.load(folder / _ARRAYS, allow_pickle=False) as stored:
        return _made(tree, stored, kinds, folder)


def exists(folder: Path) -> bool:
    """Whether a forecaster was written there."""
    return (folder / _TREE).is_file()


def _plain(thing: Any, place: str, arrays: Arrays, networks: dict[str, bytes]) -> Any:
    def inner(part: Any, name: object) -> Any:
        return _plain(part, f"{place}/{name}", arrays, networks)

    if isinstance(thing, bytes):
        name = f"{place.strip('/').replace('/', '-')}.onnx"
        networks[name] = thing
        return {_KIND: "network", "file": name}
    if isinstance(thing, np.ndarray):
        arrays[place] = thing
        return {_KIND: "array", "at": place}
    if is_dataclass(thing) and not isinstance(thing, type):
        return {
            _KIND: type(thing).__name__,
            "fields": {f.name: inner(getattr(thing, f.name), f.name) for f in fields(thing)},
        }
    if isinstance(thing, tuple | list):
        return {_KIND: "tuple", "of": [inner(each, number) for number, each in enumerate(thing)]}
    if isinstance(thing, Mapping):
        return {_KIND: "mapping", "of": {key: inner(value, key) for key, value in thing.items()}}
    if hasattr(thing, "model_to_string"):
        return {_KIND: "boosted", "text": thing.model_to_string()}
    return thing.item() if isinstance(thing, np.generic) else thing


def _made(tree: Any, stored: Any, kinds: Mapping[str, type], folder: Path) -> Any:
    if not isinstance(tree, dict):
        return tree
    of: Mapping[str, Callable[[], Any]] = {
        "array": lambda: stored[tree["at"]],
        "tuple": lambda: tuple(_made(each, stored, kinds, folder) for each in tree["of"]),
        "network": lambda: (folder / tree["file"]).read_bytes(),
        "mapping": lambda: {key: _made(value, stored, kinds, folder) for key, value in tree["of"].items()},
        "boosted": lambda: _boosted(tree["text"]),
    }
    kind = tree[_KIND]
    if kind in of:
        return of[kind]()
    if kind not in kinds:
        raise InputError(f"expected parts of a forecaster in {folder}, got '{kind}'; train it anew with this version")
    return kinds[kind](**{name: _made(value, stored, kinds, folder) for name, value in tree["fields"].items()})


def _boosted(text: str) -> Any:
    import lightgbm

    return lightgbm.Booster(model_str=text)
