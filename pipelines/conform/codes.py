"""Codes as silver has them: of points that carry only a local code, and of provincial points.

Key equipment has short local codes, so the system stands before them: `TFJK/P01`; so do provincial automation files,
`zdh/17`. A provincial point becomes the
national code that it would have (PC-13): mine, system 01, value kind, type, sensor; its sensor code is unique in the
mine.
"""

from __future__ import annotations

from collections.abc import Iterable

import narwhals as nw

from minefusion.schemas.exchange.grammar import equipment_prefixes
from minefusion.schemas.sensors import all_sensor_types

PROVINCIAL_KINDS = ("AQMC", "AQKC", "AQSS", "AQFZ", "AQBJ", "AQLJ", "AQGX")
AUTOMATION_KINDS = ("zdh_dev", "zdh_rtdata")
SAFETY_SYSTEM = "01"
_TYPE_DIGITS = 4


def point_id(kinds: Iterable[str], point: str = "point_code") -> nw.Expr:
    """The point's code in silver, of records of these kinds.

    Reads `point` and `source_kind`; of provincial kinds also `mine_code` and `type_text`, the type as they send it.
    """
    kinds, kind, code = set(kinds), nw.col("source_kind"), nw.col(point)
    local = sorted(each for each in kinds if each.split("_")[0] in equipment_prefixes())
    if local:
        code = nw.when(kind.is_in(local)).then(nw.concat_str(kind.str.slice(0, 4), nw.lit("/"), code)).otherwise(code)
    if kinds & set(AUTOMATION_KINDS):
        code = nw.when(kind.is_in(list(AUTOMATION_KINDS))).then(nw.concat_str(nw.lit("zdh/"), code)).otherwise(code)
    if kinds & set(PROVINCIAL_KINDS):
        typed = national_type(nw.col("type_text"))
        parts = (nw.col("mine_code"), nw.lit(SAFETY_SYSTEM), value_kind(typed), typed, nw.col(point))
        code = nw.when(kind.is_in(list(PROVINCIAL_KINDS))).then(nw.concat_str(*parts)).otherwise(code)
    return code


def national_type(sent: nw.Expr) -> nw.Expr:
    """A provincial type code as four digits; senders leave the leading zeros out."""
    padded = sent
    for length in range(1, _TYPE_DIGITS):
        zeros = nw.lit("0" * (_TYPE_DIGITS - length))
        padded = nw.when(sent.str.len_chars() == length).then(nw.concat_str(zeros, sent)).otherwise(padded)
    return padded


def value_kind(type_: nw.Expr) -> nw.Expr:
    """MN, KG, LJ or DT by the sensor type."""
    of = {"KG": [], "LJ": [], "DT": ["4001", "4002"]}
    for each in all_sensor_types():
        if each.code not in of["DT"] and each.kind != "analog":
            of["KG" if each.kind == "digital" else "LJ"].append(each.code)
    found = nw.lit("MN")
    for kind, codes in of.items():
        found = nw.when(type_.is_in(codes)).then(nw.lit(kind)).otherwise(found)
    return found
