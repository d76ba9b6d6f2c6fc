"""The mapping file: what it says is read, and what does not fit is told by its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from minefusion.pipelines.replay.mapping import Covariate, Limits, MappedPoint, Mapping, Time, load_mapping
from minefusion.pipelines.replay.site import point_codes, site_of
from minefusion.schemas.errors import InputError
from minefusion.schemas.settings import PROJECT
from minefusion.schemas.site import dump_site, load_site

MINE = "140000000001"
TEXT = f"""\
mine_code: "{MINE}"
time: {{column: elapsed_s, unit: s, period_s: 30}}
points:
- {{column: MM116, name: MM116, sensor_type: "0001", unit: "%", place: LW_CORNER_T0,
   limits: {{alarm: 1.0, restore: 0.9}}}}
- {{column: AS038, name: AS038, sensor_type: "0002", unit: m/s, place: LW_RETURN_T2}}
covariates: [{{column: PD, name: shearer_running, kind: state}}]
"""
MM116 = MappedPoint("MM116", "MM116", "0001", "%", "LW_CORNER_T0", Limits(alarm=1.0, restore=0.9))
AS038 = MappedPoint("AS038", "AS038", "0002", "m/s", "LW_RETURN_T2")
MAPPING = Mapping(MINE, Time("elapsed_s", "s", 30.0), (MM116, AS038), (Covariate("PD", "shearer_running"),))


def written(folder: Path, text: str) -> Path:
    path = folder / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_mapping_is_read(tmp_path: Path):
    assert load_mapping(written(tmp_path, TEXT)) == MAPPING


def test_the_shipped_example_is_in_order():
    example = load_mapping(PROJECT / "docs" / "examples" / "longwall_methane.mapping.yaml")
    assert example.columns == ("MM116", "MM31", "AS038", "PD")


@pytest.mark.parametrize(
    ("was", "now", "line", "said"),
    [
        ('unit: "%"', "unit: m/s", 4, "expected MM116 in %, the unit of methane, ambient, got 'm/s'"),
        ("unit: m/s", "unit: ppm", 6, "expected AS038 in m/s, the unit of air velocity, got 'ppm'"),
        ('"0001"', '"7777"', 4, "expected a code of the sensor-type table for MM116, got '7777'"),
        ('"0001"', "0001", 4, "sensor_type as text in quotes, got '0001'"),
        ("LW_RETURN_T2", "NOWHERE", 6, "expected place of AS038 as a location code of the limits table"),
        ("AS038", "MM116", 6, "expected every column once, got 'MM116' again"),
        ("column: PD", "column: elapsed_s", 7, "expected every column once, got 'elapsed_s' again"),
        ("kind: state", "kind: mood", 7, "kind as one of state, got 'mood'"),
        ("unit: s,", "unit: fortnight,", 2, "unit as one of ms, s, min, h, d, got 'fortnight'"),
        ("unit: s,", "unit: s, timezone: Europe/Warsaw,", 2, "expected unit or timezone in time, got both"),
        ("unit: s,", "timezone: Europe/Nowhere,", 2, "expected a timezone such as Europe/Warsaw"),
        ("period_s: 30", "period_s: 0.5", 2, "expected period_s of 1 or more"),
        (f'"{MINE}"', '"12"', 1, "expected mine_code of 10 to 20 letters and digits, got '12'"),
        ("covariates:", "covariate:", 7, "got key 'covariate'"),
        (", place: LW_RETURN_T2", "", 6, "expected 'place' in mapping.points, got none"),
    ],
)
def test_what_does_not_fit_is_told_by_its_line(tmp_path: Path, was: str, now: str, line: int, said: str):
    path = written(tmp_path, TEXT.replace(was, now))
    with pytest.raises(InputError) as refused:
        load_mapping(path)
    assert str(refused.value).startswith(f"{path} line {line}: ")
    assert said in str(refused.value)


def test_methane_without_a_limit_of_its_place_needs_limits(tmp_path: Path):
    path = written(tmp_path, TEXT.replace("LW_CORNER_T0,\n   limits: {alarm: 1.0, restore: 0.9}", f'"{MINE}0007"'))
    with pytest.raises(InputError, match=f"line 4: expected limits for MM116, since {MINE}0007 has no methane limit"):
        load_mapping(path)


def test_a_missing_mapping_is_wrong_use(tmp_path: Path):
    with pytest.raises(InputError, match="expected a mapping file, found none"):
        load_mapping(tmp_path / "none.yaml")


def test_every_point_gets_its_place_and_class(tmp_path: Path):
    site = site_of(MAPPING)
    path = tmp_path / f"{MINE}.site.yaml"
    path.write_text(dump_site(site), encoding="utf-8")
    assert load_site(path) == site
    assert point_codes(MAPPING) == {
        "MM116": f"{MINE}01MN0001001A01",
        "AS038": f"{MINE}01MN0002001A02",
        "PD": f"{MINE}01KG1004001D01",
    }
    at = {point.point_code[-8:]: (point.edge_id, point.gas_class) for point in site.points}
    assert at == {
        "01001A01": ("E1", "LW_CORNER_T0"),
        "02001A02": ("E2", "LW_RETURN_T2"),
        "04001D01": ("E1", "LW_CORNER_T0"),
    }
    # One working is one area, so that gas, air and machine meet there.
    assert [(area.area_id, area.kind) for area in site.areas] == [(f"{MINE}0001", "longwall_face")]


def test_an_area_of_the_mines_own_keeps_its_id():
    own = MappedPoint("b", "B", "0004", "ppm", f"{MINE}0001")
    site = site_of(Mapping(MINE, MAPPING.time, (MM116, own)))
    assert {edge.edge_id: edge.area_id for edge in site.edges} == {"E1": f"{MINE}0002", "E2": f"{MINE}0001"}
    assert {area.area_id: area.kind for area in site.areas}[f"{MINE}0002"] == "longwall_face"
