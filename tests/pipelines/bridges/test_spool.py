"""Nothing twice, nothing lost: over kills, over senders that send again, over a link that loses nearly everything."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from gateway import POINT, T0, definition, message

from minefusion.pipelines.bridges import spool as spools
from minefusion.pipelines.bridges.message import Rules
from minefusion.pipelines.bridges.spool import Delivery, Spool
from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.jobs.balance import balance
from minefusion.pipelines.jobs.build import build
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.schemas import bronze, gold
from minefusion.schemas.settings import Settings

NOW = datetime(2026, 3, 1, 4, 30, tzinfo=UTC)


def sent(*payloads: bytes) -> list[Delivery]:
    return [Delivery(payload) for payload in payloads]


def rows_of(engine: LightEngine, table: object) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(engine.to_arrow(engine.read(table))))  # type: ignore[arg-type]


def test_what_was_taken_lies_in_files_and_the_balance_holds(spool: Spool, folder: Path, settings: Settings):
    spool.take(sent(definition(), *(message(n) for n in range(5)), message(3), b"no message", message(9)))
    files = spool.write(folder, NOW)
    assert sorted(path.name.split("_")[1] for path in files) == ["CDDY", "CDSS"]
    told = spool.balance()
    assert told.ok
    assert (told.received, told.written, told.duplicate, told.refused, told.waiting) == (9, 7, 1, 1, 0)
    assert (told.records, told.files, told.gaps) == (7, 2, 4)
    assert spool.refusals()[0][0] == "NO_JSON"

    engine = LightEngine(settings)
    done = ingest(settings, folder.parent, engine=engine)
    assert (done.records["sent"], done.records["stored"], done.records["quarantined"]) == (7, 7, 0)
    assert balance(settings, folder.parent).ok
    assert len(rows_of(engine, bronze.EXCHANGE_RECORD)) == told.records


def test_names_of_one_mine_and_kind_are_a_second_apart(spool: Spool, folder: Path):
    spool.take(sent(message(1)))
    assert len(spool.write(folder, NOW)) == 1
    spool.take(sent(message(2)))
    assert spool.write(folder, NOW + timedelta(milliseconds=500)) == []
    assert spool.balance().waiting == 1
    assert len(spool.write(folder, NOW + timedelta(seconds=1))) == 1
    assert spool.balance().waiting == 0


def test_a_file_holds_no_more_than_it_may(spool: Spool, folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(spools, "FILE_RECORDS", 4)
    spool.take(sent(*(message(n) for n in range(10))))
    records = []
    for second in range(4):
        spool.write(folder, NOW + timedelta(seconds=second))
        records.append(spool.balance().records)
    assert records == [4, 8, 10, 10]


@pytest.mark.parametrize("step", ["_sync", "add_to_manifest", "render"])
def test_killed_while_it_writes_it_writes_the_very_same_file(
    tmp_path: Path, rules: Rules, folder: Path, monkeypatch: pytest.MonkeyPatch, step: str
):
    first = Spool(tmp_path / "gateway.db", rules)
    first.take(sent(*(message(n) for n in range(3))))

    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(spools, step, dies)
        with pytest.raises(KeyboardInterrupt):
            first.write(folder, NOW)
    first.close()
    second = Spool(tmp_path / "gateway.db", rules)
    second.take(sent(message(3)))
    second.write(folder, NOW + timedelta(seconds=5))
    texts = [path.read_text() for path in sorted(folder.rglob("*_CDSS_*.txt"))]
    assert [text.count(POINT) for text in texts] == [3, 1]
    assert second.balance().ok
    assert second.balance().written == 4


def test_a_message_that_was_not_acknowledged_in_time_is_known_when_it_comes_again(tmp_path: Path, rules: Rules):
    for _ in range(3):
        spool = Spool(tmp_path / "gateway.db", rules)
        spool.take(sent(message(1)))
        spool.close()
    spool = Spool(tmp_path / "gateway.db", rules)
    assert (spool.balance().duplicate, spool.balance().waiting) == (2, 1)


def test_with_a_full_spool_the_bridge_takes_no_more(tmp_path: Path, rules: Rules, folder: Path):
    spool = Spool(tmp_path / "gateway.db", rules, most_waiting=3)
    spool.take(sent(*(message(n) for n in range(3))))
    assert spool.is_full
    spool.write(folder, NOW)
    assert not spool.is_full


def test_what_comes_late_fills_its_gap(spool: Spool):
    spool.take(sent(message(1), message(4)))
    assert spool.balance().gaps == 2
    spool.take(sent(message(3), message(2), message(2)))
    assert spool.balance().gaps == 0


class Gateway:
    """Sends a message a second, by a clock of its own, and each again until it hears that it was taken."""

    AGAIN_S = 3

    def __init__(self, payloads: list[bytes]) -> None:
        self.to_send = list(enumerate(payloads))
        self.unheard: dict[int, tuple[bytes, int]] = {}

    def due(self, second: int) -> list[tuple[int, bytes]]:
        while self.to_send and self.to_send[0][0] <= second:
            number, payload = self.to_send.pop(0)
            self.unheard[number] = (payload, second)
        return [
            (number, payload) for number, (payload, at) in self.unheard.items() if (second - at) % self.AGAIN_S == 0
        ]

    def heard(self, number: int) -> None:
        self.unheard.pop(number, None)


def carried(spool: Spool, folder: Path, payloads: list[bytes], is_lost: Callable[[int], bool]) -> int:
    """Seconds until all was taken."""
    gateway, second = Gateway(payloads), 0
    while gateway.to_send or gateway.unheard:
        for number, payload in gateway.due(second):
            if is_lost(second):
                continue
            spool.take(sent(payload), T0 + timedelta(seconds=second))
            if not is_lost(second):  # the answer may be lost, too
                gateway.heard(number)
        if second % 10 == 0:
            spool.write(folder, T0 + timedelta(seconds=second))
        second += 1
    spool.write(folder, T0 + timedelta(seconds=second))
    return second


def test_at_nine_of_ten_messages_lost_for_ten_minutes_no_alarm_is_lost(
    tmp_path: Path, rules: Rules, settings: Settings
):
    """Gas goes over its limit thrice in the ten minutes; the alarms are those of a link that loses nothing."""
    over = {*range(100, 130), *range(300, 303), *range(580, 640)}
    payloads = [definition(), *(message(n, 1.2 if n in over else 0.3) for n in range(1, 700))]
    chance = random.Random(20260301)
    alarms = []
    for name, is_lost in (("lossless", lambda _: False), ("lossy", lambda at: at < 600 and chance.random() < 0.9)):
        lake, landing = tmp_path / f"{name} lake", tmp_path / name
        landing.mkdir()
        spool = Spool(tmp_path / f"{name}.db", rules)
        carried(spool, landing / "gateway", payloads, is_lost)
        told = spool.balance()
        assert (told.ok, told.written, told.waiting, told.gaps) == (True, len(payloads), 0, 0)
        assert (told.duplicate > 100) == (name == "lossy")
        spool.close()
        engine = LightEngine(replace(settings, lake=lake))
        ingest(engine.settings, landing, engine=engine)
        build(engine, selection="conform,hazard_index,alarm")
        rows = rows_of(engine, gold.ALARM).filter(pl.col("kind") == "G-01").sort("raised_at")
        alarms.append(rows.select("raised_at", "cleared_at", "peak_value", "integral").rows())
    assert len(alarms[0]) == 3
    assert alarms[0] == alarms[1]
