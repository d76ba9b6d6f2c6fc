"""Units as senders write them and as our tables hold them. Adding a unit or a spelling is adding a row to units.csv."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from minefusion.schemas.facts import rows

if TYPE_CHECKING:
    import pint

# What pint has no unit for. Each is a dimension of its own, so that it fits nothing but itself: pint alone calls
# shares, counts and decibels all dimensionless and would turn one into the other.
_OWN_DIMENSIONS = (
    "percent_share = [share]",
    "ppm_share = 1e-4 * percent_share",
    "percent_humidity = [humidity]",
    "sound_level = [sound_level]",
    "turbidity_unit = [turbidity]",
    "item = [count]",
    "whole = [ratio]",
    "kilovar = [reactive_power]",
)
# A bare % of a humidity sensor is relative humidity.
_BARE = {("%", "%RH"): 1.0}


def canonical_unit(text: str | None) -> str | None:
    """Our name of a unit that somebody wrote, such as "m³/min" or "立方米/分"; null where it is none we know."""
    return _spellings().get(_folded(text or ""))


@cache
def unit_factor(sent_unit: str, unit: str) -> float | None:
    """Sent value × factor = value in `unit`, checked by pint.

    A volume share may come in % or in ppm (1 % = 10 000 ppm). Null where the units do not fit (% of gas against m/s, a
    share against mg/m³) and where a factor alone does not do (K or ℉ against ℃).
    """
    sent, wanted = canonical_unit(sent_unit), canonical_unit(unit)
    if sent is None or wanted is None:
        return None
    if sent == wanted:
        return 1.0
    if (sent, wanted) in _BARE:
        return _BARE[sent, wanted]
    registry = _registry()
    left, right = _in_pint()[sent], _in_pint()[wanted]
    if not registry.Quantity(1.0, left).is_compatible_with(right) or "degC" in (left, right):
        return None
    return float(f"{registry.Quantity(1.0, left).to(right).magnitude:.15g}")


def pint_unit(unit: str) -> pint.Unit:
    """The unit as pint knows it. Raises KeyError where units.csv has no such unit."""
    return _registry().Unit(_in_pint()[_spellings()[_folded(unit)]])


@cache
def _in_pint() -> dict[str, str]:
    return {row["unit"] or "": row["pint"] or "" for row in rows("units")}


@cache
def _spellings() -> dict[str, str]:
    known: dict[str, str] = {}
    for row in rows("units"):
        unit = row["unit"] or ""
        known |= {_folded(word): unit for word in (unit, *(row["spellings"] or "").split())}
    return known


def _folded(text: str) -> str:
    """Full-width and composed signs (％, ℃, ³) as plain ones, no spaces, small letters: some write Mpa, some MPA."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


@cache
def _registry() -> pint.UnitRegistry:
    import pint

    registry: pint.UnitRegistry = pint.UnitRegistry()
    for definition in _OWN_DIMENSIONS:
        registry.define(definition)
    return registry
