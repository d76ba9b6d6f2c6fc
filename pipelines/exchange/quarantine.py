"""Records that cannot be read: why, in words, and their text without personal identifiers."""

from __future__ import annotations

import re

import polars as pl

from minefusion.pipelines.exchange.envelope import BAD_BYTE
from minefusion.schemas.exchange.grammar import FIELD_SEPARATOR, FIELD_TYPES, Field, Kind

# An identity or mobile number that stands in a field of its own, wherever that may be.
_PERSONAL_NUMBER = r"(^|;)(?:[1-9][0-9]{5}(?:19|20)[0-9]{9}[0-9Xx]|1[3-9][0-9]{9})(;|$)"


def expected_in_words(index: int, field: Field) -> dict[str, str]:
    """Which field it is and what it should hold."""
    told = FIELD_TYPES[field.type]
    options = "/".join(field.allowed)
    return {
        "zh": f"第{index + 1}字段{field.zh}（{field.column}）应为{told.zh}{options}",
        "en": f"field {index + 1}, {field.column}: expected {told.en} {options}".rstrip(),
    }


_EXPECTED = re.compile(r"^field (\d+), (.+?): expected ")


def wrong_field(reason_en: str) -> str | None:
    """Column of the field that a reason of `expected_in_words` is about; null where it is about the whole record."""
    told = _EXPECTED.match(reason_en)
    return told[2] if told else None


def quarantined_text(kind: Kind, raw: pl.Series, is_harmless: pl.Series | None = None) -> pl.Series:
    """Texts fit for quarantine: empty where a field may hold an identity number, phone or address.

    In a kind with such fields a text stays when it is too short to reach the first of them, or when it is known to be
    of a layout without any. A number that looks like an identity or mobile number goes wherever it stands.
    """
    clean = raw.str.replace_all(BAD_BYTE, "\ufffd", literal=True)
    for _ in range(2):  # of two such fields side by side the first match takes the separator between them
        clean = clean.str.replace_all(_PERSONAL_NUMBER, "${1}${2}")
    first = min(
        (at for la in kind.layouts for at, field in enumerate(la.fields) if "personal" in field.roles), default=None
    )
    if first is None:
        return clean
    is_short = raw.str.count_matches(FIELD_SEPARATOR, literal=True) < first
    keep = is_short if is_harmless is None else is_short | is_harmless
    return pl.select(pl.when(keep).then(clean).otherwise(pl.lit(""))).to_series()
