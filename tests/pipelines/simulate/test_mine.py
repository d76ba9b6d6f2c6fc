"""The files of a simulated mine: same bytes again, every record counted, every file acceptable, statistics that fit."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from minefusion.pipelines.conform.place import Gazetteer
from minefusion.pipelines.exchange.manifest import read_manifest
from minefusion.pipelines.exchange.read import Landed, read_files
from minefusion.pipelines.simulate import simulate_mine
from minefusion.schemas.errors import InputError
from minefusion.schemas.exchange.grammar import record_columns
from minefusion.schemas.site import load_site

# A quarter to midnight: the definitions of the new day and a change of shift are in it.
START = datetime(2026, 3, 1, 15, 30, tzinfo=UTC)
SAFETY = {"CDDY", "FZDY", "CDSS", "FZSS", "KGBH", "TJSJ", "YCBJ"}
PERSONNEL = {"RYXX", "RYQY", "RYJZ", "RYSS", "JZSS"}


POOR = """
name: poor
instruments: {calibrations: 8, stuck: 3, dropouts: 6, substation_outages: 2, duplicates: 0.01, late_batches: 6}
"""


def simulate(folder: Path, scenario=None, seed=3, **more):
    if scenario is None:
        scenario = folder / "poor.yaml"
        folder.mkdir(exist_ok=True)
        scenario.write_text(POOR, encoding="utf-8")
    settings = {"hours": 1.0, "start": START, "roadways": 24, "people": 40} | more
    return simulate_mine(scenario, seed=seed, out=folder / "landing", truth=folder / "truth", **settings)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mine")
    return folder, simulate(folder)


@pytest.fixture(scope="module")
def read(made):
    """What the reader makes of all files: (files, records)."""
    now = datetime(2026, 4, 1, tzinfo=UTC)
    paths = sorted((made[0] / "landing").glob("*.txt"))
    read = read_files([Landed(path.name, path.read_bytes(), now, idle_s=0.0) for path in paths])
    return pl.from_arrow(read.files), pl.from_arrow(read.records)


def columns(records: pl.DataFrame, kind: str) -> pl.DataFrame:
    names = record_columns()[kind, ""]
    rows = records.filter(pl.col("kind") == kind)
    parts = rows.select(pl.coalesce("fixed", "raw").str.split(";").list.to_struct(fields=list(names)))
    return rows.select("file_index", "observed_at").hstack(parts.unnest(parts.columns[0]))


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_same_arguments_give_the_same_bytes_and_another_seed_another_mine(made, tmp_path):
    simulate(tmp_path / "again")
    assert digests(tmp_path / "again") == digests(made[0])
    simulate(tmp_path / "other", seed=4)
    assert digests(tmp_path / "other") != digests(made[0])


def test_a_second_run_leaves_every_file_of_the_landing_folder_alone(made):
    before = {path: path.stat().st_mtime_ns for path in (made[0] / "landing").glob("6*")}
    again = simulate(made[0])
    assert again.records == made[1].records
    assert {path: path.stat().st_mtime_ns for path in (made[0] / "landing").glob("6*")} == before


def test_another_simulation_never_mixes_with_the_first(made, tmp_path):
    with pytest.raises(InputError, match=r"expected --out .* empty, got another simulation in it"):
        simulate(made[0], seed=4)
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "notes.txt").write_text("x")
    with pytest.raises(InputError, match=r"got 'notes.txt' in it"):
        simulate(tmp_path)


def test_every_kind_is_written_and_every_record_counted(made, read):
    files, _ = read
    folder, told = made
    assert set(told.records) >= SAFETY | PERSONNEL
    manifest = read_manifest(folder / "landing")
    counted = dict(zip(zip(files["name"], files["size"], strict=True), files["records_sent"], strict=True))
    assert manifest == counted
    by_kind = files.group_by("kind").agg(pl.len(), pl.col("records_sent").sum())
    assert {kind: (told.files[kind], told.records[kind]) for kind in told.files} == {
        kind: (count, sent) for kind, count, sent in by_kind.iter_rows()
    }


def test_every_file_is_accepted_without_a_word(read):
    files, records = read
    assert set(files["verdict"]) == {"accepted"}
    assert set(files["warnings"]) == {"[]"}
    assert set(records["marks"]) == {""}


def test_an_alarm_is_told_when_it_opens_every_minute_and_when_it_closes(read):
    told = columns(read[1], "YCBJ").filter(pl.col("abnormal_type") == "007")
    assert len(told)
    for _, rows in told.group_by("point_code", "begin_time"):
        ended = rows.sort("data_time")["end_time"].to_list()
        assert all(text == "" for text in ended[:-1])
        if ended[-1]:
            assert len(rows) >= 7  # a calibration takes seven and a half minutes


def test_reported_extremes_hold_every_sample_of_their_window(read):
    points = columns(read[1], "CDDY").filter(pl.col("value_kind") == "MN").unique("point_code")
    samples = (
        columns(read[1], "CDSS")
        .join(points.select("point_code"), on="point_code", how="semi")
        .filter(pl.col("value") != "", (pl.col("status").cast(pl.Int32) & 4) == 0)
        .with_columns(pl.col("data_time").str.to_datetime(), pl.col("value").cast(pl.Float64))
        .with_columns(pl.col("data_time").dt.truncate("5m").alias("begin"))
    )
    told = columns(read[1], "TJSJ").with_columns(pl.col("begin_time").str.to_datetime().alias("begin"))
    both = samples.join(told, on=["point_code", "begin"], how="inner")
    assert len(both) > 0.9 * len(samples)
    assert both.select((pl.col("value") <= pl.col("max_value").cast(pl.Float64)).all()).item()
    assert both.select((pl.col("value") >= pl.col("min_value").cast(pl.Float64)).all()).item()
    assert told.group_by("point_code", "begin").len()["len"].max() == 1


def test_late_and_repeated_records_are_there(read):
    values = columns(read[1], "CDSS")
    same = values.group_by("point_code", "data_time").agg(pl.len(), pl.col("value").n_unique().alias("values"))
    repeated = same.filter(pl.col("len") > 1)
    assert 0.005 < len(repeated) / len(same) < 0.02
    assert repeated["values"].max() == 1, "what is sent twice is the same"
    sent = read[0].with_row_index("file_index").select(pl.col("file_index").cast(pl.Int32), "header_time")
    delay = values.cast({"file_index": pl.Int32}).join(sent, on="file_index").select(
        (pl.col("header_time") - pl.col("observed_at")).dt.total_seconds()
    ).to_series()  # fmt: skip
    assert delay.max() > 60
    assert -2 <= delay.min() < 0, "clocks are off by at most two seconds"


def test_switch_changes_agree_with_the_snapshots(read):
    changes = columns(read[1], "KGBH")
    snapshots = columns(read[1], "CDSS").rename({"value": "shown"})
    both = changes.join(snapshots, left_on=["point_code", "change_time"], right_on=["point_code", "data_time"])
    assert len(both)
    assert both.select((pl.col("value") == pl.col("shown")).all()).item()


def test_a_snapshot_lists_each_card_once_with_a_station_of_its_area(read):
    fixes = columns(read[1], "RYSS")
    assert fixes.group_by("file_index", "card_code").len()["len"].max() == 1
    assert fixes.select((pl.col("station_code").str.slice(0, 16) == pl.col("area_code")).all()).item()
    known = set(columns(read[1], "RYXX")["card_code"])
    assert set(fixes["card_code"]) <= known
    left = fixes.filter(pl.col("in_out_flag") == "2")
    assert len(left)
    assert (left["leave_mine_time"] != "").all()


def test_points_and_fixes_resolve_to_their_true_roadway(made, read):
    folder = made[0]
    (site_file,) = (folder / "landing").glob("*.site.yaml")
    gazetteer = Gazetteer(load_site(site_file))
    true = {row["code"]: row for row in pl.read_csv(folder / "truth" / "places.csv", infer_schema=False).to_dicts()}
    right = {}
    for kind, code, words in (("CDDY", "point_code", ["location"]), ("RYJZ", "station_code", ["station_name"])):
        rows = columns(read[1], kind).unique(code)
        for row in rows.iter_rows(named=True):
            at = (float(row[axis]) if row[axis] else None for axis in "xyz")
            place = gazetteer.place(row[code], *at, " ".join(row[word] for word in words))
            here = true[row[code]]
            right[row[code]] = (place.edge_id, place.area_id) == (here["edge_id"], here["area_id"])
    assert sum(right.values()) >= 0.99 * len(right)
    fixes = pl.read_parquet(folder / "truth" / "fixes.parquet")
    sent = columns(read[1], "RYSS").sort("observed_at", "card_code")
    fixes = fixes.sort("observed_at", "card_code")
    assert len(sent) == len(fixes)
    assert (sent["area_code"] == fixes["area_id"]).all()
    edge_of = {code: row["edge_id"] for code, row in true.items() if row["what"] == "station"}
    assert (sent["station_code"].replace_strict(edge_of) == fixes["edge_id"]).all()


def test_the_truth_says_what_was_asked_for_and_what_went_wrong(made):
    folder = made[0] / "truth"
    about = json.loads((folder / "scenario.json").read_text(encoding="utf-8"))
    assert about["scenario"] == "poor"
    assert (about["seed"], about["hours"], about["drives"]) == (3, 1.0, [])
    faults = pl.read_csv(folder / "faults.csv", infer_schema=False)
    assert {"dropout", "calibration", "stuck"} <= set(faults["code"])
    assert (faults["end"].fill_null("9") > faults["begin"]).all()
    state = pl.read_parquet(folder / "state.parquet")
    assert state.group_by("point_id").len()["len"].unique().to_list() == [121]
    assert state["observed_at"].min() == START


def test_a_mine_without_people_still_sends_its_snapshots(tmp_path):
    told = simulate(tmp_path, "normal", hours=0.1, people=0)
    assert told.files["RYSS"] == 7
    assert told.records["RYSS"] == 0
    assert "RYXX" not in told.files


def test_event_of_a_place_that_the_mine_lacks_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"a mine with a heading for scenario fan_stop; give it more --roadways"):
        simulate(tmp_path, "fan_stop", roadways=20)
