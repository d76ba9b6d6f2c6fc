"""What a process and all below it use, seen from outside: CPU seconds and the most memory held at one moment."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from pathlib import Path
from types import TracebackType
from typing import Any

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
SECONDS_BETWEEN_LOOKS = 0.05


class Meter:
    """`with Meter(pid) as used: …` then `used.cpu_s` and `used.peak_mib` of the whole process tree."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.cpu_s = 0.0
        self.peak_mib = 0.0
        self._before: dict[int, float] = {}
        self._after: dict[int, float] = {}
        self._done = threading.Event()
        self._watch = threading.Thread(target=self._look_on, daemon=True)

    def __enter__(self) -> Meter:
        self._before = {pid: cpu for pid, (cpu, _) in tree(self.pid).items()}
        self._watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._watch.join()
        self._look()
        self.cpu_s = sum(cpu - self._before.get(pid, 0.0) for pid, cpu in self._after.items())

    def _look_on(self) -> None:
        while not self._done.wait(SECONDS_BETWEEN_LOOKS):
            self._look()

    def _look(self) -> None:
        now = tree(self.pid)
        # A process that has ended keeps the CPU time that it was last seen with.
        self._after |= {pid: cpu for pid, (cpu, _) in now.items()}
        self.peak_mib = max(self.peak_mib, sum(memory for _, memory in now.values()))


def tree(pid: int) -> dict[int, tuple[float, float]]:
    """CPU seconds and resident MiB of `pid` and every process below it."""
    children: dict[int, list[int]] = defaultdict(list)
    used: dict[int, tuple[float, float]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # gone meanwhile
            continue
        each = int(stat.parent.name)
        children[int(fields[1])].append(each)
        used[each] = ((int(fields[11]) + int(fields[12])) / _TICKS, int(fields[21]) * _PAGE / 2**20)
    found, waiting = {}, [pid]
    while waiting:
        each = waiting.pop()
        if each in used:
            found[each] = used[each]
        waiting += children[each]
    return found


def timed_row(
    case: str, run: tuple[float, float, float], count: int, unit: str, other_s: float | None, ratio_to: str | None
) -> dict[str, Any]:
    """A row of a bench's results.

    Args:
        run: seconds, seconds of CPU, most memory [MiB].
        count: what was done in that time, of which `unit` tells the rate.
        other_s: seconds of the plain tool, `ratio_to`, for the same; null: none stands beside it.
    """
    seconds, cpu_s, peak_mib = run
    return {
        "case": case,
        "seconds": round(seconds, 4),
        "rate": round(count / seconds),
        "unit": unit,
        "cpu_s": round(cpu_s, 3),
        "peak_mib": round(peak_mib),
        "ratio": round(other_s / seconds, 3) if other_s else None,
        "ratio_to": ratio_to,
    }
