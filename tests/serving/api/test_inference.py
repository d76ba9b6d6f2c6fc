"""Models over HTTP: the same numbers as the model's own call, and what does not fit is said by its name."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from two_mines import Site

from minefusion.models.methane_forecast import package as methane_package
from minefusion.models.methane_forecast.config import ForecastConfig
from minefusion.models.methane_forecast.forecast import Readings
from minefusion.models.methane_forecast.predict import predict as predict_methane
from minefusion.models.methane_forecast.predict import save
from minefusion.models.methane_forecast.train import train
from minefusion.models.registry import Version, shipped
from minefusion.models.seismic_hazard import package as seismic_package
from minefusion.models.seismic_hazard.predict import predict as predict_seismic
from minefusion.models.seismic_hazard.shifts import Shifts
from minefusion.models.training_run import DataUsed
from minefusion.schemas.settings import load_settings
from minefusion.serving.api.model_cards import ModelCards
from minefusion.serving.inference.shelf import SHIPPED, Served, Shelf, rows_of
from minefusion.serving.inference.tensors import columns_of, tensors_of

# Quick to train: what is tested here is the way in and out.
CONFIG = ForecastConfig(experts=("persistence",), fewest_rows=300, refit_steps=300, pool_steps=240, band_steps=240)
COUNT = 700
REDUCED = "seismic_hazard_reduced"
SHIFTS = 60
RANDOM = np.random.default_rng(3)
BUMPS = RANDOM.integers(0, 6, SHIFTS).astype(float)
COLUMNS = {
    "bumps": BUMPS, "energy_j": 3000.0 * BUMPS, "strong": (BUMPS > 4).astype(float),
    "producing": (np.arange(SHIFTS) % 3 > 0).astype(float), "pulses": RANDOM.integers(10, 900, SHIFTS).astype(float),
}  # fmt: skip


def tensor(name: str, values: Any, datatype: str = "FP64", **more: Any) -> dict[str, Any]:
    return {"name": name, "shape": [len(values)], "datatype": datatype, "data": list(values)} | more


def body(**changed: Any) -> dict[str, Any]:
    return {"inputs": [tensor(name, values.tolist()) for name, values in COLUMNS.items()]} | changed


def infer(site: Site, name: str, given: Any, status: int = 200, who: str = "analyst") -> Any:
    answer = site.call(who, "POST", f"/v2/models/{name}/infer", json=given)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_the_server_and_its_models_describe_themselves(shown: Site):
    assert shown.call("viewer", "GET", "/v2").json()["name"] == "minefusion"
    assert shown.call("viewer", "GET", "/v2/health/live").json() == {"live": True}
    ready = shown.call("viewer", "GET", "/v2/health/ready").json()
    assert ready["ready"] is True
    assert set(ready["models"]) == set(shipped())
    told = shown.call("viewer", "GET", "/v2/models/seismic_hazard").json()
    assert told["versions"] == [SHIPPED]
    assert told["inputs"][0] == {"name": "bumps", "datatype": "FP64", "shape": [-1]}
    assert told["outputs"] == [{"name": "chance", "datatype": "FP64", "shape": [-1]}]
    assert shown.call("viewer", "GET", "/v2/models/seismic_hazard/ready").json()["ready"] is True
    for path in ("", "/ready"):
        missing = shown.call("viewer", "GET", f"/v2/models/none{path}")
        assert missing.status_code == 404
        assert missing.json()["error"].startswith("expected a model, one of ")


@pytest.mark.parametrize("name", ["seismic_hazard", "seismic_hazard_reduced"])
def test_the_numbers_are_those_of_predict(shown: Site, name: str):
    told = infer(shown, name, body(id="7"))
    model = seismic_package.read(shipped()[name] / "model")
    expected = predict_seismic(model, Shifts(*COLUMNS.values()))
    assert (told["id"], told["model_name"], told["model_version"]) == ("7", name, SHIPPED)
    (chance,) = told["outputs"]
    assert (chance["name"], chance["datatype"], chance["shape"]) == ("chance", "FP64", [SHIFTS])
    assert [np.nan if each is None else each for each in chance["data"]] == pytest.approx(expected, nan_ok=True, abs=0)
    assert np.isfinite(expected).any()


def test_shifts_in_a_mines_own_words(shown: Site):
    rows = rows_of(COLUMNS)
    full = shown.post("analyst", "/predict/seismic", {"shifts": rows})
    without = [{name: row[name] for name in ("bumps", "energy_j", "strong")} for row in rows]
    reduced = shown.post("analyst", "/predict/seismic", {"shifts": without})
    assert (full["model"], reduced["model"]) == ("seismic_hazard", "seismic_hazard_reduced")
    asked = infer(shown, "seismic_hazard", body())["outputs"][0]["data"]
    assert [each["chance"] for each in full["chance"]] == asked
    assert reduced["chance"][-1]["chance"] is not None


def picture() -> bytes:
    import cv2

    random = np.random.default_rng(1).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    return bytes(cv2.imencode(".png", random)[1])


def test_pictures_travel_as_base64_and_as_files(shown: Site):
    from minefusion.models.unsafe_behaviour.package import load

    content, path = picture(), "/api/v1/predict/detections"
    given = {"inputs": [tensor("picture", [base64.b64encode(content).decode()], "BYTES")]}
    told = infer(shown, "unsafe_behaviour", given)["outputs"][0]
    call = load(shipped()["unsafe_behaviour"] / "model")
    (expected,) = call({"picture": np.array([content], dtype=object)})["detections"]
    assert (told["datatype"], told["data"]) == ("BYTES", [expected])
    answer = shown.call("analyst", "POST", path, files={"file": ("a.png", content, "image/png")})
    assert answer.json()["detections"] == json.loads(expected)
    for wrong in (b"no picture", content[:60]):
        refused = shown.call("analyst", "POST", path, files={"file": ("a", wrong, "image/png")})
        assert (refused.status_code, "JPEG or PNG" in refused.json()["detail"]) == (400, True)
    given["inputs"][0]["data"] = ["!!"]
    assert "base64" in infer(shown, "unsafe_behaviour", given, 400)["error"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"inputs": body()["inputs"][1:]}, "got none named 'bumps'"),
        ({"inputs": [*body()["inputs"], tensor("x", [1.0])]}, "got 'x'"),
        ({"inputs": [*body()["inputs"], body()["inputs"][0]]}, "'bumps' once"),
        ({"inputs": [tensor("bumps", ["a"], "BYTES"), *body()["inputs"][1:]]}, "'bumps' as FP64, got BYTES"),
        ({"inputs": [tensor("bumps", [1.0]), *body()["inputs"][1:]]}, "as many rows in every input, got bumps 1"),
        ({"inputs": [tensor("bumps", BUMPS.tolist(), shape=[SHIFTS, 2]), *body()["inputs"][1:]]}, "shape [rows]"),
        ({"inputs": [tensor("bumps", BUMPS.tolist(), shape=[-1]), *body()["inputs"][1:]]}, "shape [rows]"),
        ({"inputs": [tensor("bumps", BUMPS.tolist(), shape=[3]), *body()["inputs"][1:]]}, "expected 3 values"),
        ({"inputs": [tensor("bumps", ["1"] * SHIFTS), *body()["inputs"][1:]]}, "numbers or null in input 'bumps'"),
        ({"inputs": [tensor("bumps", [10**400] * SHIFTS), *body()["inputs"][1:]]}, "double precision"),
        ({"inputs": [tensor(name, []) for name in COLUMNS]}, "expected 1 to 100000 rows, got 0"),
        ({"outputs": [{"name": "risk"}]}, "expected outputs chance, got 'risk'"),
    ],
)
def test_tensors_that_do_not_fit_are_told_by_name(shown: Site, change: dict[str, Any], said: str):
    told = infer(shown, "seismic_hazard", body(**change), 400)
    assert said in told["error"]
    assert told["detail_zh"].startswith("输入不合格")


def test_what_is_no_request_of_the_protocol_is_refused(shown: Site):
    for wrong in ({}, {"inputs": []}, {"inputs": [{"name": "bumps"}]}, []):
        assert infer(shown, "seismic_hazard", wrong, 422)
    infer(shown, "seismic_hazard", body(), 403, who="viewer")
    infer(shown, "none", body(), 404)


NUMBER = st.one_of(st.none(), st.floats(), st.integers(-10, 10))


@given(st.lists(NUMBER, min_size=1, max_size=20), st.booleans())
def test_columns_go_in_and_come_out_unchanged(values: list[Any], is_nested: bool):
    model = Served("m", "1", "shipped", {"a": "double"}, {"a": "double"}, lambda given: dict(given), "")
    given = tensor("a", [[each] for each in values] if is_nested else values)
    columns = columns_of(model, [given | {"shape": [len(values), 1] if is_nested else [len(values)]}])
    (told,) = tensors_of(model, columns, [])
    assert [np.nan if each is None else float(each) for each in values] == pytest.approx(
        [np.nan if each is None else each for each in told["data"]], nan_ok=True, abs=0
    )


# ── methane, and champions ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def samples() -> dict[str, Any]:
    """Half-hourly waves of methane at one point, as columns of the model."""
    times = 30.0 * np.arange(COUNT)
    values = np.round(0.6 + 0.3 * np.sin(times / 3000) + np.random.default_rng(2).normal(0, 0.02, COUNT), 2)
    return {"time_s": times, "value": values}


def test_methane_ahead_by_protocol_and_in_a_mines_own_words(site: Site, samples: dict[str, Any], tmp_path: Path):
    readings = Readings(samples["time_s"], samples["value"][:, None], ("MM1",), np.array([1.0]))
    forecaster, _ = train(readings, CONFIG)
    save(forecaster, tmp_path / "model")
    call = methane_package.load(tmp_path / "model")
    inputs, outputs = (
        {each: methane_package.TYPES.get(each, "double") for each in names}
        for names in (methane_package.INPUTS, methane_package.OUTPUTS)
    )
    model = Served("methane_forecast", "3", "champion", inputs, outputs, call, "card")
    site.service.shelf = OneModel(model)  # type: ignore[assignment]
    expected = methane_package.columns_of(predict_methane(forecaster, readings))
    count = len(samples["value"])
    told = infer(site, "methane_forecast", {"inputs": [
        tensor("time_s", samples["time_s"].tolist()), tensor("channel", ["ch4"] * count, "BYTES"),
        tensor("name", ["MM1"] * count, "BYTES"), tensor("value", samples["value"].tolist()),
        tensor("limit_pct", [1.0] * count),
    ]})  # fmt: skip
    given = {each["name"]: each for each in told["outputs"]}
    assert list(given) == list(methane_package.OUTPUTS)
    assert given["q50_pct"]["data"] == pytest.approx(expected["q50_pct"].tolist(), abs=0)
    assert (given["is_warning"]["datatype"], given["horizon_min"]["datatype"]) == ("BOOL", "INT64")
    begin = 1_772_323_200
    rows = [
        {"at": iso(begin + at), "channel": "ch4", "name": "MM1", "value": value, "limit_pct": 1.0}
        for at, value in zip(samples["time_s"].tolist(), samples["value"].tolist(), strict=True)
    ]
    said = site.post("analyst", "/predict/methane", {"samples": rows})
    assert said["version"] == "3"
    assert [row["q50_pct"] for row in said["rows"]] == given["q50_pct"]["data"]
    assert said["rows"][0]["issued_at"] == iso(begin + samples["time_s"][-1])
    far = [rows[0], rows[1] | {"at": "2030-01-01T00:00:00+00:00"}]
    assert "within 31 days" in site.post("analyst", "/predict/methane", {"samples": far}, 400)["detail"]
    air = [rows[0] | {"channel": "air_velocity"}]
    assert "channel ch4" in site.post("analyst", "/predict/methane", {"samples": air}, 400)["detail"]


def iso(seconds: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).isoformat()


class OneModel:
    """A shelf with one model on it."""

    def __init__(self, model: Served) -> None:
        self._model = model

    def names(self) -> list[str]:
        return [self._model.name]

    def has(self, name: str) -> bool:
        return name == self._model.name

    def open(self, _: str) -> Served:
        return self._model


class OneChampion:
    """A registry with one champion, laid out as MLflow lays it out."""

    def __init__(self, root: Path) -> None:
        self._files = root / "model" / "data" / "files"
        shutil.copytree(shipped()[REDUCED] / "model", self._files)
        (root / "card.md").write_text("# of the champion")

    def find(self, model: str) -> Version | None:
        used = DataUsed("invented", "0", "9", 10, "")
        return Version(model, 7, "run", ("champion",), {}, used, None, "") if model == REDUCED else None

    def folder(self, version: Version, _: Path) -> Path:
        assert version.number == 7
        return self._files


def test_a_champion_goes_before_the_shipped_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    settings = load_settings(home=str(tmp_path / "home"))
    shelf = Shelf(settings)
    assert shelf.open(REDUCED).source == "shipped"
    champion = OneChampion(tmp_path / "run")
    monkeypatch.setattr("minefusion.serving.inference.shelf.open_registry", lambda _: champion)
    store = Path(settings.mlflow_uri.removeprefix("sqlite:///"))
    store.parent.mkdir()
    store.touch()
    assert shelf.open(REDUCED).source == "shipped", "the registry is not asked at each call"
    monkeypatch.setattr("minefusion.serving.inference.shelf.KEPT_S", -1.0)
    served = shelf.open(REDUCED)
    assert (served.source, served.version, served.card) == ("champion", "7", "# of the champion")
    assert shelf.open("seismic_hazard").source == "shipped"
    expected = predict_seismic(seismic_package.read(shipped()[REDUCED] / "model"), Shifts(*COLUMNS.values()))
    assert np.array_equal(served.call(COLUMNS)["chance"], expected, equal_nan=True)


def test_cards_tell_what_a_model_is(shown: Site):
    card = shown.get("viewer", "/models/seismic_hazard/card")
    assert card["card"].startswith("#")
    assert card["inputs"]["energy_j"] == "double"
    assert shown.call("viewer", "GET", "/api/v1/models/none/card").status_code == 404


def test_without_a_registry_the_shipped_models_have_cards(tmp_path: Path):
    rows = ModelCards(load_settings(home=str(tmp_path)))()
    assert {row["name"] for row in rows} == set(shipped())
    assert all(row["version"] == SHIPPED and row["trained_on"]["sha256"] for row in rows)
