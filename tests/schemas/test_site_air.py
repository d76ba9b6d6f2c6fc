"""The site file's sections of air, gas, fire and heat: read back as written, and every fault told by its line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from minefusion.schemas.errors import InputError
from minefusion.schemas.site import Area, Edge, Node, Site, dump_site, load_site
from minefusion.schemas.site_air import (
    ALWAYS_US,
    NAMED_BY,
    SECTIONS,
    AirLoop,
    AirRoad,
    DieselBackground,
    FanCurvePoint,
    GoafVoid,
    HeatWork,
    InertInjection,
    LocalFan,
    LoopRoad,
    MainFan,
    OutburstPlace,
    RoofEmission,
    SealedFire,
)

MINE = "620000000001"
FACE = MINE + "0004"
SITE = Site(
    mine_code=MINE,
    name_zh="示范煤矿",
    name_en="Demo mine",
    severe_hazard=True,
    areas=(Area(FACE, "1301综采工作面", "Longwall face 1301", "longwall_face"),),
    nodes=(Node("N1", 0.0, 0.0, 0.0), Node("N2", 400.0, 0.0, 0.0)),
    edges=(Edge("E1", "N1", "N2", FACE, "COAL_FACE", None, 400.0, 12.0),),
    roof_emissions=(RoofEmission("E1", 0.004, 4.2),),
    outburst_places=(OutburstPlace(FACE, depth_m=600.0, firmness=0.5),),
    goaf_voids=(GoafVoid(FACE, 1.2e5, 30.0),),
    inert_injections=(InertInjection(FACE, "n2", "2026-03-01T08:00+08:00"),),
    diesel_backgrounds=(DieselBackground(FACE, 3.0),),
    sealed_fires=(SealedFire(FACE, normal_air_c=24.0),),
    main_fans=(MainFan("M1", FACE, "E1", return_edge="E1"),),
    fan_curve=(FanCurvePoint("M1", 60.0, 2400.0),),
    air_roads=(AirRoad("E1", "intake"),),
    local_fans=(LocalFan("L1", FACE, "E1", "E1", "E1", 6.0),),
    air_loops=(AirLoop("K1", "M1"),),
    loop_roads=(LoopRoad("K1", "E1", 0.5),),
    heat_works=(HeatWork(FACE, "III", 75),),
)


def read(tmp_path: Path, site: Site) -> Site:
    path = tmp_path / f"{MINE}.site.yaml"
    path.write_text(dump_site(site), encoding="utf-8")
    return load_site(path)


def test_what_is_written_is_read_back(tmp_path: Path):
    assert all(getattr(SITE, section) for section in SECTIONS)
    assert read(tmp_path, SITE) == SITE


@pytest.mark.parametrize(
    ("section", "thing", "problem"),
    [
        ("roof_emissions", RoofEmission("E9", 0.004, 4.2), "expected edge_id to name a declared edge, got 'E9'"),
        ("local_fans", LocalFan("L1", FACE, "E1", "E9", "E1", 6.0), "expected intake_edge to name a declared edge"),
        ("goaf_voids", GoafVoid("elsewhere", 1.0, 1.0), "expected area_id to name a declared area, got 'elsewhere'"),
        ("goaf_voids", GoafVoid(FACE, 0.0, 1.0), "expected void_m3 above 0 in goaf_voids, got 0.0"),
        ("outburst_places", OutburstPlace(FACE, firmness=0.0), "expected firmness above 0 in outburst_places, got 0.0"),
        ("fan_curve", FanCurvePoint("M9", 60.0, 1.0), "expected fan_id to name a main fan, got 'M9'"),
        ("loop_roads", LoopRoad("K9", "E1", 0.5), "expected loop_id to name a declared loop, got 'K9'"),
        ("inert_injections", InertInjection(FACE, "n2", "yesterday"), "expected from_at as an instant with its offset"),
        (
            "inert_injections",
            InertInjection(FACE, "n2", "2026-03-01T08:00+08:00", "2026-03-02T08:00"),
            "expected to_at as an instant with its offset",
        ),
    ],
)
def test_each_fault_is_told(tmp_path: Path, section: str, thing: object, problem: str):
    with pytest.raises(InputError, match=r"site\.yaml line \d+: ") as told:
        read(tmp_path, replace(SITE, **{section: (thing,)}))
    assert problem in str(told.value)


@pytest.mark.parametrize("section", NAMED_BY)
def test_nothing_is_named_twice(tmp_path: Path, section: str):
    twice = getattr(SITE, section) * 2
    with pytest.raises(InputError, match=f"expected every {NAMED_BY[section]} once"):
        read(tmp_path, replace(SITE, **{section: twice}))


def test_the_span_of_an_injection():
    """8:00 at the mine is midnight UTC."""
    begin = 1_772_323_200_000_000  # 2026-03-01T00:00Z
    assert InertInjection(FACE, "n2", "2026-03-01T08:00+08:00").span_us() == (begin, ALWAYS_US)
    day = InertInjection(FACE, "n2", "2026-03-01T08:00+08:00", "2026-03-02T00:00+00:00").span_us()
    assert day == (begin, begin + 86_400_000_000)
