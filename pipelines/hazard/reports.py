"""How serious each report of the mine's own systems is; what it is called stands in the exchange format's tables."""

from __future__ import annotations

from dataclasses import dataclass

from minefusion.pipelines.hazard.rows import BLUE, ORANGE, RED, YELLOW
from minefusion.schemas.exchange.grammar import dictionary, kinds

ABNORMALITY = "YCBJ"
# No rule grades the reports: this is our own choice. For acting on now are a cut of power, power that stays on after
# it, a full scale, a person where nobody may be and a call for help.
_LEVEL_OF_TYPE = {
    "001": ORANGE,
    "002": RED,
    "003": RED,
    "004": YELLOW,
    "005": YELLOW,
    "006": YELLOW,
    "007": BLUE,
    "008": RED,
    "009": YELLOW,
    "010": YELLOW,
}
_LEVEL_OF_KIND = {
    "RYCS": ORANGE, "RYCY": ORANGE, "RYXZ": RED, "RYQJ": RED, "RYSC": ORANGE, "RYTZ": YELLOW, "RYYC": YELLOW,
}  # fmt: skip
# Their subject is a card, which gold does not hold.
_ABOUT_PERSONS = ("RYCS", "RYXZ", "RYQJ", "RYSC", "RYTZ")


@dataclass(frozen=True)
class Report:
    """One kind of report: `YCBJ-001` … by the type of the abnormality, else the file kind of a personnel alarm."""

    kind: str
    zh: str
    en: str
    level: int
    is_about_person: bool


def report_of(kind: str, abnormal_type: str) -> Report:
    """The report of a row of silver.reported_abnormality; one of an unknown type is taken for an alarm."""
    if kind != ABNORMALITY:
        told = kinds()[kind]
        return Report(kind, told.zh, told.en.lower(), _LEVEL_OF_KIND.get(kind, ORANGE), kind in _ABOUT_PERSONS)
    known = dictionary("abnormal_type").get(abnormal_type)
    zh, en = (known.zh, known.en) if known else (f"异常 {abnormal_type}", f"abnormality {abnormal_type}")
    return Report(f"{kind}-{abnormal_type}", zh.strip(), en.strip(), _LEVEL_OF_TYPE.get(abnormal_type, ORANGE), False)
