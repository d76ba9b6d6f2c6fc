"""A model over HTTP in `minefusion bench serve`: a call to our service, beside `mlflow models serve` with the same."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from minefusion.models.registry import open_registry, shipped
from minefusion.models.seismic_hazard.package import INPUTS
from minefusion.models.training_run import read_run
from minefusion.schemas.settings import load_settings

MODEL = "seismic_hazard"
# Shifts of a call: the four weeks that the model looks back, and calls that are timed after as many to warm up.
SHIFTS, CALLS = 84, 200
_START_S = 120.0


def model_calls(url: str, token: str, scratch: Path) -> tuple[list[float], list[float]]:
    """Seconds of each call, ours and MLflow's; both answer the same numbers.

    Args:
        url: of our service, without a path.
    """
    columns = _shifts()
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
        ours, chance = _timed(lambda: _ours(client, columns))
    with _mlflow(scratch) as address, httpx.Client(base_url=address, timeout=60) as client:
        theirs, their_chance = _timed(lambda: _theirs(client, columns))
    if not np.allclose(chance, their_chance, equal_nan=True):
        raise AssertionError("expected the same chances of both servers, got others")
    return ours, theirs


def _shifts() -> dict[str, list[float]]:
    random = np.random.default_rng(1)
    bumps = random.integers(0, 6, SHIFTS).astype(float)
    values = (bumps, 3000 * bumps, bumps > 4, np.arange(SHIFTS) % 3 > 0, random.integers(10, 900, SHIFTS))
    return {name: np.asarray(each, dtype=float).tolist() for name, each in zip(INPUTS, values, strict=True)}


def _timed(call: Callable[[], list[float | None]]) -> tuple[list[float], Any]:
    seconds = []
    for _ in range(2 * CALLS):
        started = time.perf_counter()
        chance = call()
        seconds.append(time.perf_counter() - started)
    return seconds[CALLS:], np.array([np.nan if each is None else each for each in chance])


def _ours(client: httpx.Client, columns: dict[str, list[float]]) -> list[float | None]:
    inputs = [{"name": name, "shape": [SHIFTS], "datatype": "FP64", "data": data} for name, data in columns.items()]
    answer = client.post(f"/v2/models/{MODEL}/infer", json={"inputs": inputs}).raise_for_status().json()
    data: list[float | None] = answer["outputs"][0]["data"]
    return data


def _theirs(client: httpx.Client, columns: dict[str, list[float]]) -> list[float | None]:
    given = {"dataframe_split": {"columns": list(columns), "data": list(zip(*columns.values(), strict=True))}}
    answer = client.post("/invocations", json=given).raise_for_status().json()
    return [row["chance"] for row in answer["predictions"]]


@contextmanager
def _mlflow(scratch: Path) -> Iterator[str]:
    """MLflow's own server over the same model, as its registry keeps it."""
    registry = open_registry(load_settings(home=str(scratch)))
    version = registry.log(read_run(shipped()[MODEL]))
    package = registry.folder(version, scratch).parents[1]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    line = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(package), "--env-manager", "local"]
    line += ["--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(
        line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, env=os.environ.copy()
    ) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            _await(address, process)
            yield address
        finally:
            # Its server is a child of its own process: all of this session, and nothing else, ends.
            os.killpg(process.pid, signal.SIGTERM)


def _await(address: str, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + _START_S
    while time.monotonic() < ends and process.poll() is None:
        try:
            if httpx.get(f"{address}/ping", timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise AssertionError(f"expected mlflow models serve to answer within {_START_S:.0f} s, got nothing")
