"""A YAML file read into declared dataclasses: unknown keys, missing keys and wrong types are told by their line."""

from __future__ import annotations

import math
import types
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

import yaml

from minefusion.schemas.errors import InputError

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_T = TypeVar("_T")
# Line of each dataclass read, by its identity; what was read keeps them all alive while it is checked.
Lines = dict[int, int]


def read_yaml(path: Path, kind: type[_T], what: str) -> tuple[_T, Lines]:
    """The file as `kind`, which `what` names in complaints, and the line of each dataclass in it.

    Raises:
        InputError: file, line, what was expected, what came and what to do.
    """
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=_Loader)
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError(f"{path} line {line}: expected UTF-8, got other bytes; save the file as UTF-8") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{path} line {line}: expected YAML, got: {error.problem}; mend that line") from None
    if root is None:
        refuse(path, 1, f"expected a {what} file, got an empty one; write it or leave the file out")
    lines: Lines = {}
    return _Reader(path, lines).read(root, kind, what), lines


def refuse(path: Path, line: int, problem: str) -> NoReturn:
    raise InputError(f"{path} line {line}: {problem}")


class _Reader:
    """Turns YAML nodes into the declared dataclasses."""

    def __init__(self, path: Path, lines: Lines) -> None:
        self.path = path
        self.lines = lines

    def read(self, node: yaml.Node, kind: type[_T], what: str) -> _T:
        line = node.start_mark.line + 1
        if not isinstance(node, yaml.MappingNode):
            refuse(self.path, line, f"expected {what} as {{key: value, …}}, got {_shown(node)}; write it so")
        declared = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
        hints = get_type_hints(kind)
        given: dict[str, Any] = {}
        for key, value in node.value:
            name, at = key.value, key.start_mark.line + 1
            if name not in declared:
                wanted = ", ".join(declared)
                refuse(self.path, at, f"expected one of {wanted} in {what}, got key '{name}'; mend or remove it")
            if name in given:
                refuse(self.path, at, f"expected '{name}' once in {what}, got it twice; remove one")
            given[name] = self._value(value, hints[name], f"{what}.{name}")
        for name, field in declared.items():
            if name not in given and field.default is MISSING:
                refuse(self.path, line, f"expected '{name}' in {what}, got none; add it")
        made = kind(**given)
        self.lines[id(made)] = line
        return made

    def _value(self, node: yaml.Node, hint: Any, what: str) -> Any:
        if get_origin(hint) in (Union, types.UnionType):
            if isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null"):
                return None
            hint = next(part for part in get_args(hint) if part is not type(None))
        if is_dataclass(hint):
            return self.read(node, hint, what)  # type: ignore[arg-type]
        if get_origin(hint) is tuple:
            return self._sequence(node, get_args(hint), what)
        return self._scalar(node, hint, what)

    def _sequence(self, node: yaml.Node, parts: tuple[Any, ...], what: str) -> tuple[Any, ...]:
        line = node.start_mark.line + 1
        if not isinstance(node, yaml.SequenceNode):
            refuse(self.path, line, f"expected {what} as a list, got {_shown(node)}; write one '- …' line per entry")
        if parts[-1] is not Ellipsis:
            if len(node.value) != len(parts):
                refuse(self.path, line, f"expected {len(parts)} entries in {what}, got {len(node.value)}; mend it")
            return tuple(self._value(item, part, what) for item, part in zip(node.value, parts, strict=True))
        return tuple(self._value(item, parts[0], what) for item in node.value)

    def _scalar(self, node: yaml.Node, hint: Any, what: str) -> Any:
        line = node.start_mark.line + 1
        value = _plain(node)
        if get_origin(hint) is Literal:
            if value not in get_args(hint):
                wanted = ", ".join(get_args(hint))
                refuse(self.path, line, f"expected {what} as one of {wanted}, got {_shown(node)}; mend it")
            return value
        if hint is str and isinstance(value, str):
            return value
        if hint is bool and isinstance(value, bool):
            return value
        if hint is int and isinstance(value, int) and not isinstance(value, bool):
            return value
        if hint is float and isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
        wanted = {str: "text in quotes", bool: "true or false", int: "a whole number", float: "a number"}[hint]
        refuse(self.path, line, f"expected {what} as {wanted}, got {_shown(node)}; mend it")


def _plain(node: yaml.Node) -> Any:
    """A scalar's value by YAML's own rules; None for a list, a mapping, null or a number YAML cannot read."""
    if not isinstance(node, yaml.ScalarNode):
        return None
    if node.tag.endswith(":str"):
        return node.value
    try:
        return yaml.load(node.value, Loader=_Loader)
    except (yaml.YAMLError, ValueError):
        return None


def _shown(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode):
        return f"'{node.value}'"
    return "a list" if isinstance(node, yaml.SequenceNode) else "key: value pairs"
