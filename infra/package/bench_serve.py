"""`minefusion bench serve`: the service over a generated lake, as its clients meet it.

The lake is made first and timed apart. Readings lie once as they arrive, by time, and once sorted by point as
maintenance may leave them. The service runs as a process of its own; the clients share the machine with it.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import numpy as np
import polars as pl
from deltalake import DeltaTable, write_deltalake

from minefusion.bench_models import MODEL, model_calls
from minefusion.pipelines.jobs.bench.ingest import Progress, Result, hardware
from minefusion.pipelines.jobs.bench.meter import Meter, tree
from minefusion.schemas import gold, silver
from minefusion.schemas.catalog import table_path
from minefusion.schemas.table import Table

DAYS, POINTS, PERIOD_S = 90, 3000, 60
AREAS, PEOPLE = 14, 300
# Seconds of load where no other are asked for, asks a second, listeners.
LOAD_S, RATE_PER_S, LISTENERS = 20.0, 50, 200
REPEATS = 5
MINE = "620000000001"
END = datetime(2026, 6, 1, tzinfo=UTC)
PASSWORD = "only for this bench 1"
LAYOUTS = ("by_time", "by_point")
# What a desk asks again and again.
READS = {
    "alarms": "/alarms?is_open=true",
    "area_minutes": f"/area-minutes?from={(END - timedelta(minutes=5)).isoformat().replace('+', '%2B')}&limit=200",
    "indices": f"/indices?from={(END - timedelta(minutes=5)).isoformat().replace('+', '%2B')}&limit=500",
    "areas": "/areas",
    "points": "/points?limit=500",
    "positions": f"/positions?mine={MINE}",
    "headcount": f"/headcount?from={(END - timedelta(minutes=10)).isoformat().replace('+', '%2B')}",
    "dispositions": "/dispositions?state=handling",
    "status": "/status",
}


@dataclass(frozen=True)
class Clients:
    """A service that runs, and a login to it."""

    pid: int
    url: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def bench_serve(
    *, scale: float = 1.0, load_s: float = LOAD_S, keep_in: Path | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Seconds of curves, reads under load, and of news to many listeners; `scale` 1 is 3,000 points over 90 days.

    Args:
        load_s: how long reads are asked, and how long listeners listen. `peak_mib` is that of the service as a whole.
    """
    say = progress or (lambda _share, _what: None)
    results: list[Result] = []
    with TemporaryDirectory(dir=keep_in) as folder:
        points = max(10, round(POINTS * scale))
        made: dict[str, Any] = {}
        for number, layout in enumerate(LAYOUTS):
            lake = Path(folder) / layout
            started = time.perf_counter()
            say(0.2 * number, f"making the lake, readings {layout}")
            rows = make_lake(lake, points, layout)
            made |= {"rows": rows, f"generate_s_{layout}": round(time.perf_counter() - started, 1)}
            made[f"bytes_{layout}"] = sum(each.stat().st_size for each in lake.rglob("*.parquet"))
        for number, layout in enumerate(LAYOUTS):
            lake = Path(folder) / layout
            say(0.4 + 0.2 * number, f"curves, readings {layout}")
            with serving(lake, Path(folder) / f"home-{layout}") as clients, Meter(clients.pid) as used:
                measured = _curves(clients, lake, points, layout)
                if layout == LAYOUTS[-1]:
                    say(0.8, f"{RATE_PER_S} reads a second, then {LISTENERS} listeners")
                    measured += asyncio.run(_reads(clients, load_s))
                    heard, about_news = asyncio.run(_news(clients, lake, load_s))
                    measured += heard
                    made |= about_news
                    say(0.95, "a model's answers, beside mlflow models serve")
                    measured += _models(clients, Path(folder) / "models")
            results += [each | {"peak_mib": round(used.peak_mib)} for each in measured]
    say(1.0, "done")
    about = {"points": points, "days": DAYS, "period_s": PERIOD_S, "scale": scale, **made}
    return {"name": "serve", "hardware": hardware(), "data": about, "results": results}


# ── the lake ────────────────────────────────────────────────────────────────────────────────────────────────────────


def make_lake(lake: Path, points: int, layout: str) -> int:
    """Write the tables; returns how many readings there are."""
    rng = np.random.default_rng(1)
    minutes = 24 * 60 * 60 // PERIOD_S
    codes = np.array([f"{MINE}MN{number:05d}" for number in range(points)])
    areas = np.array([f"{MINE}{number % AREAS:02d}" for number in range(points)])
    for number in range(DAYS):
        day = END - timedelta(days=DAYS - number)
        instants = pl.Series([day + timedelta(seconds=PERIOD_S * each) for each in range(minutes)]).dt.cast_time_unit(
            "us"
        )
        value = np.clip(0.4 + np.cumsum(rng.normal(0, 0.01, (minutes, points)), axis=0), 0, 4).round(2)
        frame = pl.DataFrame(
            {
                "point_id": np.tile(codes, minutes),
                "observed_at": np.repeat(instants.to_numpy(), points),
                "value": value.ravel(),
                "area_id": np.tile(areas, minutes),
            }
        ).with_columns(
            pl.col("observed_at").dt.replace_time_zone("UTC"), quantity=pl.lit("ch4"), unit=pl.lit("%"),
            quality=pl.lit("GOOD"), quality_reasons=pl.lit(""), sensor_type=pl.lit("0001"),
        )  # fmt: skip
        _append(lake, silver.READING, frame.sort("point_id", "observed_at") if layout == "by_point" else frame)
    _append(
        lake,
        silver.POINT,
        pl.DataFrame({"point_id": codes, "area_id": areas}).with_columns(
            quantity=pl.lit("ch4"), unit=pl.lit("%"), period_s=pl.lit(float(PERIOD_S)), alarm=pl.lit(1.0),
            feed=pl.lit("silver.reading"), value_kind=pl.lit("MN"),
        ),
    )  # fmt: skip
    names = [f"{MINE}{number:02d}" for number in range(AREAS)]
    _append(lake, silver.AREA, pl.DataFrame({"area_id": names, "name_zh": names, "name_en": names}))
    by_minute = pl.DataFrame({"area_id": names}).join(
        pl.DataFrame({"at": [END - timedelta(minutes=each) for each in range(1, 24 * 60)]}), how="cross"
    )
    at = pl.col("at").dt.cast_time_unit("us")
    _append(lake, gold.AREA_MINUTE, by_minute.select("area_id", minute=at, level=pl.lit(0), people_count=pl.lit(9)))
    _append(
        lake, silver.HEADCOUNT, by_minute.select("area_id", observed_at=at, people_count=pl.lit(9)).filter(
            pl.col("observed_at").dt.minute() % 5 == 0
        ),
    )  # fmt: skip
    _append(
        lake,
        gold.HAZARD_INDEX,
        by_minute.join(pl.DataFrame({"index_id": [f"G-{each:02d}" for each in range(20)]}), how="cross").select(
            "area_id", "index_id", entity=pl.col("area_id"), window_start=at, window_end=at, level=pl.lit(0),
            value=pl.lit(0.4), sentence_zh=pl.lit("正常"), sentence_en=pl.lit("normal"),
        ),
    )  # fmt: skip
    people = pl.DataFrame({"card_code": [f"{MINE}C{number:05d}" for number in range(PEOPLE)]})
    _append(lake, silver.PERSON, people.with_columns(name=pl.lit("张强"), is_defined=pl.lit(True)))
    positions = people.join(by_minute.filter(pl.col("area_id") == names[0]).head(60).select("at"), how="cross")
    _append(
        lake, silver.POSITION,
        positions.select("card_code", observed_at=at, in_out_flag=pl.lit(1), area_id=pl.lit(names[0])),
    )  # fmt: skip
    hours = pl.DataFrame({"raised_at": [END - timedelta(minutes=20 * each + 1) for each in range(60)]})
    _append(
        lake, gold.ALARM,
        hours.with_row_index("number").select(
            alarm_id=pl.format("F-10:{}:{}:{}", pl.lit(MINE), "number", "number"), kind=pl.lit("F-10"),
            area_id=pl.lit(names[0]), entity=pl.col("number").cast(pl.String), level=pl.lit(3),
            raised_at=pl.col("raised_at").dt.cast_time_unit("us"), sentence_zh=pl.lit("超限"),
            sentence_en=pl.lit("over"),
        ),
    )  # fmt: skip
    return DAYS * minutes * points


def _append(lake: Path, table: Table, frame: pl.DataFrame) -> None:
    """Add rows to a table of the lake; what is not given is null."""
    schema = table.arrow_schema()
    more: dict[str, pl.Expr] = {}
    if "mine_code" in table.names:
        more["mine_code"] = pl.lit(MINE)
    if table.time and "day" in table.names:
        more["day"] = pl.col(table.time).dt.strftime("%Y-%m-%d")
    frame = frame.with_columns(**more)
    frame = frame.with_columns(**{name: pl.lit(None) for name in table.names if name not in frame.columns})
    rows = frame.select(table.names).to_arrow().cast(schema)
    path = table_path(lake, table)
    path.mkdir(parents=True, exist_ok=True)
    write_deltalake(str(path), rows, mode="append", partition_by=list(table.partition) or None)


# ── the service ─────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def serving(lake: Path, home: Path) -> Iterator[Clients]:
    """The service as a process, on a clock that begins at the lake's end."""
    line = [sys.executable, "-m", "minefusion", "serve", "--lake", str(lake), "--port", "0", "--as-of", END.isoformat()]
    environment = os.environ | {"MINEFUSION_HOME": str(home)}
    with subprocess.Popen(
        [*line, "--output", "json", "--quiet"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        try:
            told = json.loads(process.stdout.readline())
            api = f"{told['url']}/api/v1"
            once = {"login": told["login"], "password": told["one_time_password"]}
            with httpx.Client(base_url=api, timeout=60) as client:
                first = client.post("/login", json=once).json()["token"]
                change = {"old": once["password"], "new": PASSWORD}
                client.post("/me/password", json=change, headers={"Authorization": f"Bearer {first}"})
                token = client.post("/login", json=once | {"password": PASSWORD}).json()["token"]
            yield Clients(process.pid, api, token)
        finally:
            process.terminate()


# ── what is measured ────────────────────────────────────────────────────────────────────────────────────────────────


def _curves(clients: Clients, lake: Path, points: int, layout: str) -> list[Result]:
    """Curves of many points, the first time and then, beside a plain scan by Polars of the same rows."""
    step = max(1, points // 10)
    results = []
    with httpx.Client(base_url=clients.url, headers=clients.headers, timeout=300) as client:
        for case, count, span in (("90d_10_points", 10, timedelta(days=DAYS)), ("24h_6_curves", 6, timedelta(days=1))):
            names = [f"{MINE}MN{number * step % points:05d}" for number in range(count)]
            params = {
                "mine": MINE, "points": ",".join(names), "from": (END - span).isoformat(), "to": END.isoformat(),
            }  # fmt: skip
            seconds, rows = [], 0
            for _ in range(REPEATS + 1):
                started = time.perf_counter()
                answer = client.get("/series", params=params).raise_for_status().json()
                seconds.append(time.perf_counter() - started)
                rows = sum(each["count"] for each in answer["series"])
            plain = sorted(_plain(lake, names, END - span) for _ in range(3))[1]
            results += [
                _row(f"series/{case}/{layout}/first", seconds[0], rows, "values/s"),
                _row(
                    f"series/{case}/{layout}", float(np.median(seconds[1:])), rows, "values/s",
                    plain, f"plain_polars/{case}/{layout}",
                ),
                _row(f"plain_polars/{case}/{layout}", plain, rows, "values/s"),
            ]  # fmt: skip
    return results


def _plain(lake: Path, names: list[str], begin: datetime) -> float:
    """Seconds in which Polars reads the same rows into memory, neither thinned nor sent."""
    started = time.perf_counter()
    (
        pl.scan_delta(str(table_path(lake, silver.READING)))
        .filter(pl.col("day") >= begin.date().isoformat(), pl.col("observed_at") >= begin)
        .filter(pl.col("point_id").is_in(names))
        .select("point_id", "observed_at", "value", "quality")
        .sort("point_id", "observed_at")
        .collect()
    )  # fmt: skip
    return time.perf_counter() - started


async def _reads(clients: Clients, load_s: float) -> list[Result]:
    """A steady stream of what desks ask, in turn; each ask is timed from when it was due."""
    took: dict[str, list[float]] = {name: [] for name in READS}

    async def ask(client: httpx.AsyncClient, name: str, due: float) -> None:
        (await client.get(READS[name])).raise_for_status()
        took[name].append(time.perf_counter() - due)

    limits = httpx.Limits(max_connections=100)
    async with httpx.AsyncClient(base_url=clients.url, headers=clients.headers, timeout=60, limits=limits) as client:
        for name in READS:
            await ask(client, name, time.perf_counter())
        for each in took.values():
            each.clear()
        started = time.perf_counter()
        asks = []
        for number in range(round(load_s * RATE_PER_S)):
            due = started + number / RATE_PER_S
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            asks.append(asyncio.create_task(ask(client, list(READS)[number % len(READS)], due)))
        await asyncio.gather(*asks)
        lasted = time.perf_counter() - started
    everything = [each for times in took.values() for each in times]
    rows = [_row("reads/p95", float(np.percentile(everything, 95)), len(everything), "requests/s", lasted_s=lasted)]
    rows += [_row(f"reads/{name}/p95", float(np.percentile(times, 95)), len(times), "requests/s", lasted_s=lasted)
             for name, times in took.items()]  # fmt: skip
    return rows


async def _news(clients: Clients, lake: Path, load_s: float) -> tuple[list[Result], dict[str, Any]]:
    """From a commit to the lake until each listener hears of it; and the service's memory before and after."""
    heard: list[tuple[int, float]] = []
    ready = asyncio.Event()
    waiting = LISTENERS

    async def listen() -> None:
        nonlocal waiting
        async for name, data in _events(clients):
            if name == "hello":
                waiting -= 1
                if waiting == 0:
                    ready.set()
            elif name == "tables" and silver.HEADCOUNT.name in data:
                heard.append((data[silver.HEADCOUNT.name], time.perf_counter()))

    listeners = [asyncio.create_task(listen()) for _ in range(LISTENERS)]
    await asyncio.wait_for(ready.wait(), 60)
    before = _memory_mib(clients.pid)
    written: dict[int, float] = {}
    row = pl.DataFrame({"area_id": [MINE], "observed_at": [END], "people_count": [9]})
    row = row.with_columns(pl.col("observed_at").dt.cast_time_unit("us"))
    ends = time.perf_counter() + load_s
    while time.perf_counter() < ends:
        await asyncio.to_thread(_append, lake, silver.HEADCOUNT, row)
        written[DeltaTable(str(table_path(lake, silver.HEADCOUNT))).version()] = time.perf_counter()
        await asyncio.sleep(1.0)
    await asyncio.sleep(2.0)
    after = _memory_mib(clients.pid)
    for each in listeners:
        each.cancel()
    await asyncio.gather(*listeners, return_exceptions=True)
    took = [at - written[version] for version, at in heard if version in written]
    about = {"listening_s": load_s, "memory_before_mib": round(before), "memory_after_mib": round(after)}
    case = f"stream/{LISTENERS}_clients/new_version_to_client_p95"
    return [_row(case, float(np.percentile(took, 95)), len(took), "messages/s", lasted_s=load_s)], about


def _models(clients: Clients, scratch: Path) -> list[Result]:
    """One call to a shipped model, beside MLflow's own server with the same; none where MLflow is not installed."""
    if find_spec("mlflow") is None:
        return []
    ours, theirs = model_calls(clients.url.removesuffix("/api/v1"), clients.token, scratch)
    results = []
    for name, share in (("p50", 50), ("p95", 95)):
        mine, other = (float(np.percentile(each, share)) for each in (ours, theirs))
        results += [
            _row(f"models/{MODEL}/infer_{name}", mine, 1, "calls/s", other, f"mlflow_models_serve/{name}"),
            _row(f"mlflow_models_serve/{name}", other, 1, "calls/s"),
        ]
    return results


async def _events(clients: Clients) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    name = ""
    async with (
        httpx.AsyncClient(timeout=None) as client,
        client.stream("GET", f"{clients.url}/stream", headers=clients.headers) as answer,
    ):
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield name, json.loads(line.removeprefix("data: "))


def _memory_mib(pid: int) -> float:
    return sum(memory for _, memory in tree(pid).values())


def _row(
    case: str, seconds: float, count: int, unit: str, other_s: float | None = None, ratio_to: str | None = None,
    lasted_s: float | None = None,
) -> Result:  # fmt: skip
    over = lasted_s or seconds
    return {
        "case": case,
        "seconds": round(seconds, 4),
        "rate": round(count / over) if over else count,
        "unit": unit,
        "peak_mib": None,
        "ratio": round(other_s / seconds, 3) if other_s else None,
        "ratio_to": ratio_to,
    }
