"""Progress on stderr: a bar on a terminal, plain lines elsewhere, nothing with --quiet."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

from minefusion.cli.call import call, warn

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

# A log that Airflow or cron keeps should not fill with one line a batch.
SECONDS_BETWEEN_LINES = 5.0


class Progress:
    """How far a step is: `with Progress("ingest", total=size_mb, unit="MB") as progress: progress(0.4, "…")`.

    Called with the share done (0 to 1) and what is being done; it adds the rate, where it knows a total, and the time
    left. A job takes it as a plain callable and knows nothing of terminals.
    """

    def __init__(self, title: str, total: float | None = None, unit: str = "") -> None:
        self.title = title
        self.total = total
        self.unit = unit
        self._started = time.monotonic()
        self._said_at = self._started
        self._bar: Bar | None = None

    def __enter__(self) -> Progress:
        if not call.quiet and sys.stderr.isatty():
            self._bar = _bar()
            self._bar.start()
            self._bar.add_task(self.title, total=1.0, facts="")
        return self

    def __call__(self, share: float, text: str = "") -> None:
        if call.quiet:
            return
        share = min(max(share, 0.0), 1.0)
        now = time.monotonic()
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=share, facts=self._facts(share, text, now))
        elif now - self._said_at >= SECONDS_BETWEEN_LINES:
            self._said_at = now
            warn(f"{self.title} {share:4.0%}  {self._facts(share, text, now)}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        if kind is None and not call.quiet:
            warn(f"{self.title} done in {time.monotonic() - self._started:.1f} s")

    def _facts(self, share: float, text: str, now: float) -> str:
        seconds = now - self._started
        facts = [text] if text else []
        if self.total and seconds > 0:
            facts.append(f"{self.total * share / seconds:,.1f} {self.unit}/s")
        if 0 < share < 1:
            facts.append(f"{seconds / share - seconds:.0f} s left")
        return ", ".join(facts)


def _bar() -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[facts]}"))
    return Bar(*columns, console=Console(stderr=True), transient=True)
