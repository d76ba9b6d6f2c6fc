"""Tensors of the Open Inference Protocol, version 2, as columns and back; what does not fit is said by its name.

Each input and output is one column: shape (rows,) or (rows, 1). Numbers that are not known are null; bytes travel as
base64 text, words as text.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minefusion.schemas.errors import InputError
from minefusion.serving.inference.shelf import Columns, Served

# Type of a column → how the protocol calls it, and what else it takes for it.
DATATYPES = {"double": "FP64", "long": "INT64", "boolean": "BOOL", "string": "BYTES", "binary": "BYTES"}
_NUMBERS = (
    "FP16", "FP32", "FP64", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64",
)  # fmt: skip
_TAKEN = {
    "double": (*_NUMBERS, "BOOL"),
    "long": _NUMBERS,
    "boolean": ("BOOL",),
    "string": ("BYTES",),
    "binary": ("BYTES",),
}
# Rows of one call, and of one that brings pictures.
MOST_ROWS, MOST_PICTURES = 100_000, 32


def described(kinds: Mapping[str, str]) -> list[dict[str, Any]]:
    """Tensors as the model's metadata tell them."""
    return [{"name": name, "datatype": DATATYPES[kind], "shape": [-1]} for name, kind in kinds.items()]


def columns_of(model: Served, inputs: Sequence[Mapping[str, Any]]) -> dict[str, NDArray[Any]]:
    """The model's columns from the tensors of a request.

    Raises:
        InputError: a tensor is missing, unknown or there twice, or its type, shape or data do not fit.
    """
    given: dict[str, Mapping[str, Any]] = {}
    for each in inputs:
        name = each["name"]
        if name not in model.inputs:
            raise InputError(f"expected inputs {', '.join(model.inputs)}, got '{name}'")
        if name in given:
            raise InputError(f"expected input '{name}' once, got it twice")
        given[name] = each
    missing = [name for name in model.inputs if name not in given]
    if missing:
        raise InputError(f"expected inputs {', '.join(model.inputs)}, got none named '{missing[0]}'")
    columns = {name: _column(given[name], kind) for name, kind in model.inputs.items()}
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise InputError(f"expected as many rows in every input, got {told}")
    rows = next(iter(lengths.values()))
    most = MOST_PICTURES if "binary" in model.inputs.values() else MOST_ROWS
    if not 1 <= rows <= most:
        raise InputError(f"expected 1 to {most} rows, got {rows}")
    return columns


def tensors_of(model: Served, columns: Columns, wanted: Sequence[str]) -> list[dict[str, Any]]:
    """The answer's tensors; those of `wanted`, all where it is empty.

    Raises:
        InputError: the model gives no output of that name.
    """
    unknown = [name for name in wanted if name not in model.outputs]
    if unknown:
        raise InputError(f"expected outputs {', '.join(model.outputs)}, got '{unknown[0]}'")
    return [
        {
            "name": name,
            "datatype": DATATYPES[model.outputs[name]],
            "shape": [len(columns[name])],
            "data": _told(columns[name]),
        }
        for name in (wanted or model.outputs)
    ]


def _column(tensor: Mapping[str, Any], kind: str) -> NDArray[Any]:
    name, datatype, shape = tensor["name"], tensor["datatype"], tensor["shape"]
    if datatype not in _TAKEN[kind]:
        raise InputError(f"expected input '{name}' as {DATATYPES[kind]}, got {datatype}")
    if not shape or any(size < 0 for size in shape) or any(size != 1 for size in shape[1:]):
        raise InputError(f"expected input '{name}' of shape [rows] or [rows, 1], got {list(shape)}")
    data = _flat(tensor["data"])
    if len(data) != shape[0]:
        raise InputError(f"expected {shape[0]} values in input '{name}' by its shape, got {len(data)}")
    convert = {"double": _number, "long": _whole, "boolean": _truth, "string": _words, "binary": _bytes}[kind]
    values = [convert(value, name) for value in data]
    dtype = {"double": np.float64, "long": np.int64, "boolean": np.bool_}.get(kind)
    if dtype is not None:
        return np.array(values, dtype=dtype)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _flat(data: Any) -> list[Any]:
    """Nested by row or not: the protocol allows both."""
    if any(isinstance(each, list) for each in data):
        return [value for each in data for value in (each if isinstance(each, list) else [each])]
    return list(data)


def _number(value: Any, name: str) -> float:
    if value is None:
        return float("nan")
    if not isinstance(value, int | float):
        raise InputError(f"expected numbers or null in input '{name}', got {str(value)[:40]!r}")
    try:
        return float(value)
    except OverflowError:
        raise InputError(f"expected numbers of double precision in input '{name}', got a larger one") from None


def _whole(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**63:
        raise InputError(f"expected whole numbers in input '{name}', got {str(value)[:40]!r}")
    return value


def _truth(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise InputError(f"expected true or false in input '{name}', got {str(value)[:40]!r}")
    return value


def _words(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise InputError(f"expected text in input '{name}', got {str(value)[:40]!r}")
    return value


def _bytes(value: Any, name: str) -> bytes:
    try:
        return base64.b64decode(_words(value, name), validate=True)
    except (binascii.Error, ValueError):
        raise InputError(f"expected base64 text in input '{name}', got other text") from None


def _told(column: NDArray[Any]) -> list[Any]:
    return [None if isinstance(each, float) and each != each else each for each in np.asarray(column).tolist()]
