"""Words in both languages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """The same words in both languages."""

    zh: str
    en: str

    def __add__(self, other: Text) -> Text:
        return Text(self.zh + other.zh, self.en + other.en)


def same(words: object) -> Text:
    """What needs no translation: a number, a code, a name as it came."""
    return Text(str(words), str(words))
