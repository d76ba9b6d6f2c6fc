"""Exchange files to measure on: value files of many mines, as large as asked, odd in the ways that real ones are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

# Mine local time of the first snapshot.
FIRST = datetime(2026, 3, 1, 8, 0, 0)
PERIOD = timedelta(seconds=30)
# Every so many files holds a record that is cut short and one that is sent twice; every so many mines writes GB18030.
ODD_FILE, ODD_MINE = 50, 10
_PLACES = ("工作面回风隅角T0", "工作面T1", "工作面回风巷T2", "掘进工作面T1", "掘进工作面回风流T2")


@dataclass(frozen=True)
class Shape:
    """How the records lie in files: `mines` × `snapshots` files of `points` records each."""

    mines: int
    snapshots: int
    points: int

    @property
    def files(self) -> int:
        return self.mines * self.snapshots

    @property
    def records(self) -> int:
        return self.files * self.points


def write_landing(folder: Path, shape: Shape, *, first: datetime = FIRST, seed: int = 1) -> int:
    """Write the value files and, before them, each mine's point definitions; returns the bytes of the value files."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    size = 0
    for mine in range(shape.mines):
        code = mine_code(mine)
        encoding = "gb18030" if mine % ODD_MINE == ODD_MINE - 1 else "utf-8"
        name = f"基准{mine + 1}矿"
        (folder / f"{code}_CDDY_{first:%Y%m%d%H%M%S}.txt").write_bytes(
            definitions_text(code, name, shape, first).encode(encoding)
        )
        for number in range(shape.snapshots):
            at = first + number * PERIOD
            content = _snapshot(code, name, shape, at, rng, is_odd=number % ODD_FILE == ODD_FILE - 1).encode(encoding)
            (folder / f"{code}_CDSS_{at:%Y%m%d%H%M%S}.txt").write_bytes(content)
            size += len(content)
    return size


def mine_code(mine: int) -> str:
    return f"6200000{mine + 1:05d}"


def points_of(code: str, shape: Shape) -> Iterator[tuple[str, str]]:
    """Code and location text of every point."""
    for point in range(shape.points):
        place = f"{1301 + point // len(_PLACES)}{_PLACES[point % len(_PLACES)]}"
        yield f"{code}01MN0043{point // 100 + 1:03d}A{point % 100:02d}", place


def definitions_text(code: str, name: str, shape: Shape, at: datetime) -> str:
    """The definitions of every point, methane with the alarm at 1.00 %."""
    stamp = f"{at:%Y-%m-%d %H:%M:%S}"
    head = f"{code};{name};KJ000;煤矿安全监控系统;示范厂家;2029-12-31;{stamp}"
    rows = [
        f"{point};01;{code}{int(point[20:23]):05d};0043;MN;%;100;0;1.00;0.99;;;1.50;0.99;;;;;{place};;;;;{stamp}"
        for point, place in points_of(code, shape)
    ]
    return "~".join([head, *rows]) + "~||"


def _snapshot(code: str, name: str, shape: Shape, at: datetime, rng: np.random.Generator, *, is_odd: bool) -> str:
    text = snapshot_text(code, name, shape, at, rng.integers(5, 95, shape.points) / 100)
    if not is_odd or shape.points <= 10:
        return text
    head, *rows, end = text.split("~")
    rows[3] = rows[3].rpartition(";")[0]
    rows[5] = rows[6]
    return "~".join([head, *rows, end])


def snapshot_text(code: str, name: str, shape: Shape, at: datetime, values: np.ndarray) -> str:
    """A value file: methane [%] of every point, as of `at` in the mine's local time."""
    stamp = f"{at:%Y-%m-%d %H:%M:%S}"
    rows = [
        f"{point};激光甲烷;{place};{value:.2f};%;0;{stamp}"
        for (point, place), value in zip(points_of(code, shape), values.tolist(), strict=True)
    ]
    return "~".join([f"{code};{name};{stamp}", *rows]) + "~||"
