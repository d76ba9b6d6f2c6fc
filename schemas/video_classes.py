"""What a detector may tell apart in a picture of a mine, and by which names other data sets call it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from minefusion.schemas.errors import InputError
from minefusion.schemas.facts import rows


@dataclass(frozen=True)
class VideoClass:
    """One class. `is_violation`: seeing it is a breach of the rules on protective gear."""

    label: str
    zh: str
    en: str
    is_violation: bool
    aliases: tuple[str, ...]


@cache
def video_classes() -> dict[str, VideoClass]:
    """Every class by its label, in the order of the table."""
    return {
        row["label"]: VideoClass(
            row["label"], row["zh"] or "", row["en"] or "", row["is_violation"] == "yes", tuple(row["aliases"].split())
        )
        for row in rows("video_classes")
        if row["label"] and row["aliases"]
    }


def our_label(name: str) -> str | None:
    """The class that another data set's name stands for; None where it is none of ours."""
    return _by_alias().get(_plain(name))


def mapped(names: Sequence[str], mapping: Mapping[str, str | None] | None) -> tuple[str | None, ...]:
    """Our class of each name of a data set, by the mapping where one is given, else by the usual aliases.

    Raises:
        InputError: the mapping lacks a name, or names a class that there is not.
    """
    if mapping is None:
        return tuple(our_label(name) for name in names)
    lacking = [name for name in names if name not in mapping]
    if lacking:
        raise InputError(
            f"expected every class of the data set in the mapping, got none for '{lacking[0]}'; "
            "add it, with null where it is none of ours"
        )
    unknown = [label for label in mapping.values() if label is not None and label not in video_classes()]
    if unknown:
        raise InputError(
            f"expected one of {', '.join(video_classes())} or null in the mapping, got '{unknown[0]}'; mend it"
        )
    return tuple(mapping[name] for name in names)


def load_mapping(path: Path) -> dict[str, str | None]:
    """A mapping file: `their class name: our class name or null`, one a line.

    Raises:
        InputError: it is no such file.
    """
    try:
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"expected YAML in {path}, got: {' '.join(str(error).split())[:200]}; mend it") from None
    if not isinstance(read, dict) or not all(value is None or isinstance(value, str) for value in read.values()):
        raise InputError(f"expected lines 'their class: our class or null' in {path}, got other YAML; write it so")
    return {str(name): label for name, label in read.items()}


@cache
def _by_alias() -> dict[str, str]:
    return {_plain(alias): each.label for each in video_classes().values() for alias in (each.label, *each.aliases)}


def _plain(name: str) -> str:
    """Without case, blanks and signs: `NO-Safety Vest` and `no_safety_vest` are one name."""
    return re.sub(r"[\s_\-]+", "", name.lower())
