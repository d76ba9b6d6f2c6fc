"""Models over HTTP: the Open Inference Protocol, version 2, under /v2, and the same models in a mine's own words."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Response, UploadFile
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from minefusion import __version__
from minefusion.schemas.errors import InputError, MissingError
from minefusion.serving.api.answers import Json
from minefusion.serving.api.problems import ProblemError
from minefusion.serving.api.service import API, Caller, Service, Serving
from minefusion.serving.inference.shelf import Columns, Served, rows_of
from minefusion.serving.inference.tensors import MOST_ROWS, columns_of, described, tensors_of

V2 = "/v2"
router = APIRouter(tags=["models"])

MOST_BYTES = 8 << 20
PLATFORM = "minefusion"

Number = float | None
Name = Annotated[str, Field(max_length=64)]


class Tensor(BaseModel):
    """An input: one column, shape [rows] or [rows, 1]; null for a number that is not known, base64 for bytes."""

    model_config = ConfigDict(extra="ignore")
    name: Name
    shape: Annotated[list[int], Field(min_length=1, max_length=4)]
    datatype: Annotated[str, Field(max_length=16)]
    data: list[Any]


class WantedOutput(BaseModel):
    model_config = ConfigDict(extra="ignore")
    name: Name


class InferOf(BaseModel):
    """A request of the protocol; `parameters` are taken and mean nothing here."""

    model_config = ConfigDict(extra="ignore")
    id: Annotated[str, Field(max_length=128)] | None = None
    inputs: Annotated[list[Tensor], Field(min_length=1, max_length=64)]
    outputs: Annotated[list[WantedOutput], Field(max_length=64)] = []


class Sample(BaseModel):
    """One sample of methane (`name`, `limit_pct`), of an air velocity (`name`), of the barometer [hPa], or whether coal
    is won (1 or 0)."""

    model_config = ConfigDict(extra="forbid")
    at: AwareDatetime
    channel: Literal["ch4", "air_velocity", "pressure", "producing"]
    name: Name = ""
    value: Number
    limit_pct: Number = None


class MethaneOf(BaseModel):
    model_config = ConfigDict(extra="forbid")
    samples: Annotated[list[Sample], Field(min_length=1, max_length=MOST_ROWS)]


class Shift(BaseModel):
    """One shift of eight hours, in order, without a gap; what is not known is null."""

    model_config = ConfigDict(extra="forbid")
    bumps: Number
    energy_j: Number
    strong: Number
    producing: Number = None
    pulses: Number = None


class ShiftsOf(BaseModel):
    model_config = ConfigDict(extra="forbid")
    shifts: Annotated[list[Shift], Field(min_length=1, max_length=MOST_ROWS)]


# ── Open Inference Protocol, version 2 ──────────────────────────────────────────────────────────────────────────────


@router.get(V2, summary="推理服务 · The server (Open Inference Protocol v2)")
def server(_: Caller) -> Response:
    return Json({"name": "minefusion", "version": __version__, "extensions": []})


@router.get(f"{V2}/health/live", summary="服务在运行 · The server is there")
def live(_: Caller) -> Response:
    return Json({"live": True})


@router.get(f"{V2}/health/ready", summary="模型可用 · Every model is ready")
def all_ready(service: Serving, _: Caller) -> Response:
    ready = {name: _is_ready(service, name) for name in service.shelf.names()}
    return Json({"ready": all(ready.values()), "models": ready}, status_code=200 if all(ready.values()) else 503)


@router.get(f"{V2}/models/{{name}}", summary="模型的输入输出 · A model's inputs and outputs")
def metadata(service: Serving, _: Caller, name: str) -> Response:
    model = _model(service, name)
    return Json(
        {
            "name": model.name,
            "versions": [model.version],
            "platform": PLATFORM,
            "inputs": described(model.inputs),
            "outputs": described(model.outputs),
        }
    )


@router.get(f"{V2}/models/{{name}}/ready", summary="模型可用 · Whether a model is ready")
def ready(service: Serving, _: Caller, name: str) -> Response:
    if not service.shelf.has(name):
        raise _unknown(service, name)
    is_ready = _is_ready(service, name)
    return Json({"name": name, "ready": is_ready}, status_code=200 if is_ready else 503)


@router.post(f"{V2}/models/{{name}}/infer", summary="推理 · Ask a model")
def infer(service: Serving, _: Caller, name: str, body: InferOf) -> Response:
    model = _model(service, name)
    wanted = [each.name for each in body.outputs]
    try:
        columns = columns_of(model, [each.model_dump() for each in body.inputs])
        tensors_of(model, {each: np.empty(0) for each in model.outputs}, wanted)  # before the work, not after
    except InputError as error:
        raise _wrong(error) from None
    answer = tensors_of(model, _called(model, columns), wanted)
    told = {"model_name": model.name, "model_version": model.version, "outputs": answer}
    return Json(told | ({"id": body.id} if body.id is not None else {}))


# ── in a mine's own words ───────────────────────────────────────────────────────────────────────────────────────────


@router.get(f"{API}/models/{{name}}/card", summary="模型卡全文 · What a model is, on which data, how well")
def card(service: Serving, _: Caller, name: str) -> Response:
    model = _model(service, name)
    return Json({
        "name": model.name, "version": model.version, "source": model.source, "card": model.card,
        "inputs": dict(model.inputs), "outputs": dict(model.outputs),
    })  # fmt: skip


@router.post(f"{API}/predict/methane", summary="瓦斯预测 · Methane ahead of samples that you give")
def methane(service: Serving, _: Caller, body: MethaneOf) -> Response:
    """Issued at the newest sample, for every methane point among them: quantiles, the 80 % interval and the chance of
    reaching the limit, by horizon. For forecasts of the mine's own points see /forecasts."""
    samples = body.samples
    columns = {
        "time_s": np.array([each.at.timestamp() for each in samples]),
        "channel": np.array([each.channel for each in samples], dtype=object),
        "name": np.array([each.name for each in samples], dtype=object),
        "value": _numbers([each.value for each in samples]),
        "limit_pct": _numbers([each.limit_pct for each in samples]),
    }
    model = _model(service, "methane_forecast")
    rows = rows_of(_called(model, columns))
    for row in rows:
        row["issued_at"] = datetime.fromtimestamp(row.pop("issued_s"), UTC)
    return Json({"model": model.name, "version": model.version, "rows": rows})


@router.post(f"{API}/predict/seismic", summary="强微震概率 · The chance of a strong bump in the shift after each")
def seismic(service: Serving, _: Caller, body: ShiftsOf) -> Response:
    """Shifts without a geophone system (no `producing`, no `pulses`) are for the reduced model."""
    has_geophones = any(each.pulses is not None for each in body.shifts)
    model = _model(service, "seismic_hazard" if has_geophones else "seismic_hazard_reduced")
    columns = {name: _numbers([getattr(each, name) for each in body.shifts]) for name in model.inputs}
    chance = _called(model, columns)["chance"]
    return Json({"model": model.name, "version": model.version, "chance": rows_of({"chance": chance})})


@router.post(f"{API}/predict/detections", summary="目标检测 · What is on a picture")
def detections(service: Serving, _: Caller, file: UploadFile) -> Response:
    """A JPEG or PNG of 8 MiB at most; boxes are shares of the picture: left, top, right, bottom."""
    content = file.file.read(MOST_BYTES + 1)
    if not content or len(content) > MOST_BYTES:
        raise ProblemError(413, "图片为空或超过 8 MiB", f"expected 1 to {MOST_BYTES} bytes, got {len(content)} or more")
    model = _model(service, "unsafe_behaviour")
    column = np.empty(1, dtype=object)
    column[0] = content
    (found,) = _called(model, {"picture": column})["detections"]
    return Json({"model": model.name, "version": model.version, "detections": json.loads(found)})


# ── what they share ─────────────────────────────────────────────────────────────────────────────────────────────────


def _model(service: Service, name: str) -> Served:
    """The model, loaded.

    Raises:
        MissingError: what runs it is not installed: 503.
    """
    if not service.shelf.has(name):
        raise _unknown(service, name)
    return service.shelf.open(name)


def _unknown(service: Service, name: str) -> ProblemError:
    there = ", ".join(service.shelf.names()) or "none"
    told = f"expected a model, one of {there}, got '{name[:64]}'"
    return ProblemError(404, f"没有此模型；现有：{there}", told, error=told)


def _is_ready(service: Service, name: str) -> bool:
    try:
        service.shelf.open(name)
    except (InputError, MissingError):
        return False
    return True


def _called(model: Served, columns: Columns) -> dict[str, Any]:
    """What the model says; what it refuses is told in its own words."""
    try:
        return model.call(columns)
    except InputError as error:
        raise _wrong(error) from None


def _wrong(error: InputError) -> ProblemError:
    """`error` is how the protocol names it."""
    return ProblemError(400, f"输入不合格：{error}", str(error), error=str(error))


def _numbers(values: list[float | None]) -> Any:
    return np.array([np.nan if each is None else each for each in values], dtype=np.float64)
