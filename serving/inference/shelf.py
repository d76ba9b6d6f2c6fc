"""Which model answers: the registry's champion, else the one that comes with the project; loaded when first asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from minefusion.models.registry import PACKAGES, Registry, Version, open_registry, shipped
from minefusion.models.training_run import CARD
from minefusion.schemas.errors import InputError
from minefusion.schemas.settings import Settings

Columns = Mapping[str, NDArray[Any]]
Source = Literal["champion", "shipped"]

# A champion changes once a week; the registry is asked no oftener than this.
KEPT_S = 30.0
SHIPPED = "shipped"
_SQLITE = "sqlite:///"


@dataclass(frozen=True)
class Served:
    """A model that is ready to answer.

    Attributes:
        version: its number in the registry, or `shipped`.
        inputs, outputs: column → type: double, long, boolean, string or binary.
        call: columns in, columns out; the call that jobs and the registry's package make.
        card: what it is, on which data and how well, for people; empty where none lies beside it.
    """

    name: str
    version: str
    source: Source
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    call: Callable[[Columns], dict[str, NDArray[Any]]]
    card: str


class Shelf:
    """The models of these settings; from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._champions: tuple[float, dict[str, tuple[str, Path]]] | None = None
        self._open: dict[tuple[str, str], Served] = {}

    def names(self) -> list[str]:
        """Models that are there, whether loaded or not."""
        with self._lock:
            return sorted({*self._versions(), *shipped()})

    def has(self, name: str) -> bool:
        return name in self.names()

    def open(self, name: str) -> Served:
        """The model of that name, loaded.

        Raises:
            InputError: there is none, or its files are none.
            MissingError: what runs it is not installed.
        """
        with self._lock:
            champion = self._versions().get(name)
            folder = shipped().get(name)
            if champion is None and folder is None:
                there = ", ".join(sorted({*self._versions(), *shipped()})) or "none"
                raise InputError(f"expected a model, one of {there}, got '{name}'")
            version, files = champion or (SHIPPED, _shipped_files(folder))
            key = name, version
            if key not in self._open:
                # One version of a model at a time: an older one is let go.
                self._open = {each: it for each, it in self._open.items() if each[0] != name}
                self._open[key] = _loaded(name, version, files, "champion" if champion else "shipped")
            return self._open[key]

    def _versions(self) -> dict[str, tuple[str, Path]]:
        """Champion of each model of the registry: its number and its files."""
        now = time.monotonic()
        if self._champions is None or now - self._champions[0] > KEPT_S:
            self._champions = now, self._read()
        return self._champions[1]

    def _read(self) -> dict[str, tuple[str, Path]]:
        uri = self._settings.mlflow_uri
        if uri.startswith(_SQLITE) and not Path(uri.removeprefix(_SQLITE)).is_file():
            return {}  # nothing was registered on this machine yet, and MLflow takes seconds to load
        registry = open_registry(self._settings)
        found = ((name, registry.find(name)) for name in PACKAGES)
        return {name: self._place(registry, version) for name, version in found if version is not None}

    def _place(self, registry: Registry, version: Version) -> tuple[str, Path]:
        return str(version.number), registry.folder(version, self._settings.home / "models")


def _shipped_files(folder: Path | None) -> Path:
    assert folder is not None
    return folder / "model"


def _loaded(name: str, version: str, files: Path, source: Source) -> Served:
    package = import_module(PACKAGES[name])
    kinds: Mapping[str, str] = getattr(package, "TYPES", {})
    card = next((each for each in (files.parent / CARD, files.parents[2] / CARD) if each.is_file()), None)
    return Served(
        name, version, source,
        {each: kinds.get(each, "double") for each in package.INPUTS},
        {each: kinds.get(each, "double") for each in package.OUTPUTS},
        package.load(files),
        card.read_text("utf-8") if card else "",
    )  # fmt: skip


def rows_in(columns: Columns) -> int:
    """How many rows the columns have."""
    return max((len(each) for each in columns.values()), default=0)


def rows_of(columns: Columns) -> list[dict[str, Any]]:
    """Columns as rows of plain values; NaN is null."""
    plain = {name: [_plain(value) for value in np.asarray(values).tolist()] for name, values in columns.items()}
    return [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and value != value else value
