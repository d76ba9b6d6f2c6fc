"""Units: what senders write resolves, what fits converts, what does not fit is refused."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minefusion.schemas.facts import rows
from minefusion.schemas.units import canonical_unit, pint_unit, unit_factor

UNITS = [row["unit"] for row in rows("units")]


@pytest.mark.parametrize(
    ("sent", "unit"),
    [
        ("％", "%"),
        ("%CH4", "%"),
        ("%VOL", "%"),
        ("°C", "℃"),
        ("℃", "℃"),
        ("摄氏度", "℃"),
        ("degC", "℃"),
        ("PPM", "ppm"),
        ("ｐｐｍ", "ppm"),
        ("米/秒", "m/s"),
        ("M/S", "m/s"),
        ("m³/min", "m3/min"),
        ("m^3/min", "m3/min"),
        ("㎥/min", "m3/min"),
        ("立方米/分", "m3/min"),
        ("Mpa", "MPa"),
        ("KPA", "kPa"),
        ("Pa", "Pa"),
        ("㎜", "mm"),
        ("毫米", "mm"),
        ("吨", "t"),
        ("个", "count"),
        ("人", "person"),
        ("mg/m³", "mg/m3"),
        (" m / s ", "m/s"),
    ],
)
def test_what_senders_write_resolves(sent, unit):
    assert canonical_unit(sent) == unit
    assert unit_factor(sent, unit) == 1.0


@pytest.mark.parametrize(
    ("sent", "unit", "factor"),
    [
        ("%", "ppm", 10_000.0),  # a volume share may come either way
        ("ppm", "%", 0.0001),
        ("kPa", "Pa", 1_000.0),
        ("MPa", "kPa", 1_000.0),
        ("hPa", "Pa", 100.0),
        ("mmH2O", "Pa", 9.80665),
        ("m3/h", "m3/min", 1 / 60),
        ("L/min", "m3/min", 0.001),
        ("cm/s", "m/s", 0.01),
        ("m/min", "m/s", 1 / 60),
        ("kV", "V", 1_000.0),
        ("kg", "t", 0.001),
        ("人", "count", 1.0),
        ("%", "%RH", 1.0),  # a humidity sensor's bare %
    ],
)
def test_what_fits_converts(sent, unit, factor):
    assert unit_factor(sent, unit) == pytest.approx(factor, rel=1e-14)


@pytest.mark.parametrize(
    ("sent", "unit"),
    [
        ("m/s", "%"),
        ("%", "m/s"),
        ("Pa", "℃"),
        ("mg/m3", "ppm"),  # needs the gas's molar mass
        ("%RH", "%"),
        ("dB", "%"),
        ("个", "%"),
        ("ratio", "ppm"),
        ("K", "℃"),  # no factor turns kelvin into degrees
        ("℉", "℃"),
        ("%LEL", "%"),  # needs the gas's lower limit
        ("furlong", "m"),
        ("", "m"),
    ],
)
def test_what_does_not_fit_is_refused(sent, unit):
    assert unit_factor(sent, unit) is None


@given(st.sampled_from(UNITS), st.sampled_from(UNITS), st.floats(1e-3, 1e3))
def test_there_and_back_gives_the_value_again(one, other, value):
    factor = unit_factor(one, other)
    back = unit_factor(other, one)
    if factor is None:
        # Only a bare % of a humidity sensor goes one way.
        assert back is None or (other, one) == ("%", "%RH")
    elif (one, other) != ("%", "%RH"):
        assert value * factor * back == pytest.approx(value, rel=1e-12)


@given(st.text(max_size=12))
def test_no_text_of_a_sender_breaks_it(text):
    assert canonical_unit(text) in {None, *UNITS}
    unit_factor(text, "%")


def test_every_unit_is_known_to_pint_and_spelled_once():
    seen: dict[str, str] = {}
    for row in rows("units"):
        assert pint_unit(row["unit"]) is not None
        for spelling in (row["unit"], *(row["spellings"] or "").split()):
            assert seen.setdefault(spelling.casefold(), row["unit"]) == row["unit"], spelling
            assert canonical_unit(spelling) == row["unit"]


def test_pint_is_loaded_only_when_a_unit_must_be_converted():
    code = (
        "import sys; from minefusion.schemas.sensors import all_sensor_types, sensor_type; all_sensor_types();"
        "assert sensor_type('0003').factor_from('°C') == 1.0; assert 'pint' not in sys.modules;"
        "assert sensor_type('0004').factor_from('%') == 10_000; assert 'pint' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
