"""The feeds of a mine that has all: accepted by the reader, complete, the same bytes again, with their truth."""

import hashlib
from datetime import UTC, datetime

import polars as pl
import pytest

from minefusion.pipelines.exchange.manifest import read_manifest
from minefusion.pipelines.exchange.read import Landed, read_files
from minefusion.pipelines.simulate import simulate_mine
from minefusion.pipelines.simulate.feeds import SURFACE
from minefusion.pipelines.simulate.points import SENSORS
from minefusion.pipelines.simulate.scenario import FEEDS, load_scenario
from minefusion.schemas.errors import InputError
from minefusion.schemas.exchange.grammar import kinds, record_columns
from minefusion.schemas.exchange.measures import measures
from minefusion.schemas.site import load_site

HOURS, PER_DAY = 3.0, 86_400
# Families of files that the mine with all feeds sends.
FAMILIES = {
    "safety_monitoring", "positioning", "hydrology", "ground_pressure", "tailings", "slope", "equipment", "vehicles",
    "field_records",
}  # fmt: skip
ALL = f"""
name: all
about_zh: 全部子系统
about_en: Everything
feeds: [{", ".join(FEEDS)}]
sensors: [{", ".join(SENSORS)}]
instruments: {{dropouts: 2, stuck: 1, spikes: 1, offset_jumps: 1}}
events:
- {{at: 0.3, minutes: 60, place: belt, effects: {{belt_fire: {{growth_kw_s2: 0.00293, most_kw: 500}}}}}}
- {{at: 0.5, minutes: 30, place: face, effects: {{goaf_mix: {{ch4_pct: 9, o2_pct: 17, ramp_min: 5}}}}, severity: 3,
   cause: leakage, precursor: {{share: 1.0, hours: 1}}}}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("all")
    (folder / "all.yaml").write_text(ALL, encoding="utf-8")
    simulate(folder)
    return folder


def simulate(folder, seed=5, scenario=None):
    return simulate_mine(
        scenario or folder / "all.yaml", seed=seed, out=folder / "landing", truth=folder / "truth", hours=HOURS,
        roadways=33, people=20,
    )  # fmt: skip


@pytest.fixture(scope="module")
def read(made):
    now = datetime(2026, 4, 1, tzinfo=UTC)
    paths = sorted(path for path in (made / "landing").iterdir() if path.name[0] != "." and path.suffix != ".yaml")
    answer = read_files([Landed(path.name, path.read_bytes(), now, idle_s=0.0) for path in paths])
    return pl.from_arrow(answer.files), pl.from_arrow(answer.records)


def values(records, kind):
    """Records of a kind by column."""
    names = record_columns()[kind, ""]
    rows = records.filter(pl.col("kind") == kind)
    parts = rows.select(pl.coalesce("fixed", "raw").str.split(";").list.to_struct(fields=list(names)))
    return rows.select("observed_at").hstack(parts.unnest(parts.columns[0]))


def digest(folder):
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            whole.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return whole.hexdigest()


def test_every_family_is_sent_and_every_file_accepted(made, read):
    files, records = read
    assert set(files["verdict"]) == {"accepted"}
    odd = files.filter((pl.col("warnings") != "[]") & ~pl.col("kind").is_in(["CZZD", "SSSJ"]))
    assert len(odd) == 0, "vehicle files carry no mine in their header, the others are as the standard has them"
    assert {kinds()[kind].family for kind in files["kind"].unique()} == FAMILIES
    manifest = read_manifest(made / "landing")
    sent = {(name, size): count for name, size, count in files.select("name", "size", "records_sent").iter_rows()}
    assert manifest == sent
    assert records["marks"].unique().to_list() == [""]


def test_the_same_arguments_give_the_same_bytes(made, tmp_path):
    (tmp_path / "all.yaml").write_text(ALL, encoding="utf-8")
    simulate(tmp_path)
    assert digest(tmp_path) == digest(made)


def test_every_value_kind_has_its_definition(read):
    sent = set(read[0]["kind"].unique())
    told = 0
    for each in measures():
        if each.kind in sent and each.defined_by:
            assert each.defined_by in sent, each.kind
            code = next(
                name for name in record_columns()[each.kind, ""] if name in ("point_code", "device_code", "equip_no")
            )
            wanted = set(values(read[1], each.kind)[code])
            assert wanted <= set(values(read[1], each.defined_by)[code]), each.kind
            told += 1
    assert told >= 25


@pytest.mark.parametrize(
    ("kind", "column", "code", "quantity", "noise"),
    [
        ("KSWSS", "value", "device_code", "reservoir_level", 0.005),
        ("ZJSS", "value", "point_code", "support_resistance", 0.1),
        ("gnssrealtime", "x_disp", "equip_no", "surface_disp_x", 1.5),
        ("TFJK_SS", "point_value", "point_code", "air_quantity", 12.0),
        ("CGKCDSS", "water_level", "point_code", "water_level", 0.004),
    ],
)  # fmt: skip
def test_what_is_sent_is_what_the_truth_says_was_sent(made, read, kind, column, code, quantity, noise):
    truth = pl.read_parquet(made / "truth" / "devices.parquet").filter(pl.col("quantity") == quantity)
    sent = values(read[1], kind).select(
        pl.col(code).alias("entity"), "observed_at", pl.col(column).cast(pl.Float64, strict=False).alias("sent")
    )
    truth = truth.join(sent.select("entity").unique(), on="entity", how="semi")  # other feeds measure it, too
    both = truth.join(sent, on=["entity", "observed_at"])
    assert len(both) > 0.95 * len(truth.filter(pl.col("value").is_not_null()))
    assert (both["sent"] - both["value"]).abs().max() < 1e-9
    assert (both["value"] - both["true_value"]).abs().median() < 1.2 * noise


def test_the_site_file_states_what_the_feeds_cannot(made):
    site = load_site(next((made / "landing").glob("*.site.yaml")))
    assert {area.name_zh for area in site.areas if area.kind == "surface"} == {zh for zh, _ in SURFACE.values()}
    for section in ("support_faces", "water_wells", "pumps", "source_waters", "tailings_dams", "machines", "main_fans",
                    "fan_curve", "local_fans", "heat_works", "exits", "outburst_places"):  # fmt: skip
        assert getattr(site, section), section
    fan = site.main_fans[0]
    assert {point.fan_id for point in site.fan_curve} == {fan.fan_id}


def test_the_truth_names_events_precursors_and_what_only_looks_like_them(made):
    events = pl.read_csv(made / "truth" / "events.csv", infer_schema=False)
    asked = events.filter(pl.col("is_look_alike") == "0")
    assert asked["type"].to_list() == ["fire", "gas_exceed"]
    assert asked["precursor_begin"].is_null().to_list() == [True, False]
    assert asked["cause"].to_list() == [None, "leakage"]
    others = events.filter(pl.col("is_look_alike") == "1")
    assert {"door_open", "sensor_fault"} <= set(others["type"])
    assert len(others) >= 3 * len(asked)
    faults = pl.read_csv(made / "truth" / "faults.csv", infer_schema=False)
    assert {"dropout", "stuck", "spike", "offset_jump", "duplicate"} <= set(faults["code"])
    devices = set(pl.read_parquet(made / "truth" / "devices.parquet")["entity"])
    assert devices & set(faults["entity"]), "devices of the other feeds go wrong, too"


def test_a_fire_is_seen_by_the_smoke_detector_beside_it(made, read):
    fire = pl.read_csv(made / "truth" / "events.csv", try_parse_dates=True).row(0, named=True)
    points = values(read[1], "CDDY").unique("point_code")
    detectors = points.filter(pl.col("sensor_type_code") == "1008")
    shown = values(read[1], "CDSS").join(detectors.select("point_code"), on="point_code").filter(pl.col("value") == "1")
    assert len(shown)
    assert shown["observed_at"].min() > fire["begin"]


@pytest.mark.parametrize(
    "text", ["feeds: [moon]", "feeds: {hydrology: [600, 700]}", "feeds: {safety: 60}", "feeds: {slope: 0}"]
)
def test_a_feed_that_cannot_be_is_refused(tmp_path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(f"name: a\n{text}\n", encoding="utf-8")
    with pytest.raises(InputError, match="expected feeds"):
        load_scenario(path)


def test_one_feed_alone_is_quick_and_sends_nothing_else(tmp_path):
    made = simulate_mine("roof_weighting", seed=1, out=tmp_path / "landing", truth=tmp_path / "truth", hours=12)
    assert set(made.files) == {"DBLC", "HDWY", "LCSS", "MGSS", "MGYL", "WYSS", "ZJSS", "ZJZL", "ZKSS", "ZKYL"}
