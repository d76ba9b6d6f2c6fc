"""The service over HTTP under any order of findings, people, time and restarts: what always holds."""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from two_mines import MINE, NOW, Site, area, gas, running

from minefusion.serving.alarms.candidates import Known, look
from minefusion.serving.alarms.records import Candidate
from minefusion.serving.journal.verify import verify
from minefusion.serving.reader import Reader

FACE = area(MINE, 1)
SOURCES = st.sampled_from([("G-01", gas(MINE)), ("YCBJ-001", gas(MINE)), ("YCBJ-002", gas(MINE)), ("F-10", "CO1")])
WHO = st.sampled_from(["dispatcher", "checker", "engineer", "viewer"])


class ControlCentre(RuleBasedStateMachine):
    """Gold as the test has it, and a service that is stopped and started in between."""

    lake: ClassVar[Path]
    database: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.kept = Path(shutil.copy(self.database, f"{self.folder.name}/room.db"))
        self.gold: dict[str, Candidate] = {}
        self.site = self.start()
        self.is_told = True

    def start(self, now: datetime = NOW) -> Site:
        self.stack = ExitStack()
        return self.stack.enter_context(running(self.lake, self.kept, now, self.look))

    def look(self, reader: Reader, now: datetime) -> Known:
        """What the lake tells, and the test's own candidates."""
        known = look(reader, now)
        return replace(known, candidates=(*known.candidates, *((each, None) for each in self.gold.values())))

    def teardown(self) -> None:
        assert verify(self.site.service.room.database).ok
        self.stack.close()
        self.folder.cleanup()

    def alarms(self) -> list[dict[str, Any]]:
        return self.site.get("viewer", "/alarms", limit=1000)["rows"]

    def post(self, who: str, path: str, body: Any = None) -> Any:
        answer = self.site.call(who, "POST", f"/api/v1{path}", json=body)
        assert answer.status_code in (200, 403, 409, 422), answer.text
        return answer

    @rule(source=SOURCES, level=st.sampled_from([3, 4]))
    def begins(self, source: tuple[str, str], level: int) -> None:
        kind, entity = source
        now = self.site.clock.now
        key = f"t:{kind}:{entity}:{now.isoformat()}"
        self.gold.setdefault(
            key,
            Candidate(key, key.rpartition(":")[0], kind, MINE, FACE, entity, entity, level, now, quantity="ch4",
                      people_in_area=3, sentence_zh="超限", sentence_en="over"),
        )  # fmt: skip
        self.is_told = False

    @precondition(lambda self: self.gold)
    @rule(data=st.data())
    def ends(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.gold)))
        self.gold[key] = replace(self.gold[key], cleared_at=self.gold[key].cleared_at or self.site.clock.now)
        self.is_told = False

    @rule(minutes=st.sampled_from([0.1, 1, 4, 12]))
    def time_passes(self, minutes: float) -> None:
        self.site.app.state.watch.known = None
        self.site.beat(minutes)
        self.is_told = True

    @rule()
    def is_restarted(self) -> None:
        self.time_passes(0)  # what was told before the end is told, and the clock has been seen
        before, stopped = self.alarms(), self.site.service.room
        assert verify(stopped.database).ok
        self.stack.close()
        self.site = self.start(self.site.clock.now)
        assert self.site.service.room.board == stopped.board
        assert self.site.service.room.head == stopped.head, "a restart alone makes no line"
        assert self.alarms() == before

    @rule(data=st.data(), who=WHO, note=st.sampled_from(["", "已知"]))
    def acknowledged(self, data: st.DataObject, who: str, note: str) -> None:
        alarm = data.draw(st.sampled_from(self.alarms()))
        answer = self.post(who, "/alarms/acknowledge", {"alarm_ids": [alarm["alarm_id"]], "note": note})
        may = who in ("dispatcher", "checker")
        is_due = alarm["acked_at"] is None and bool(note or not alarm["is_regulator"])
        assert answer.status_code == (200 if may and is_due else 409 if may else 403)

    @rule(data=st.data(), who=WHO)
    def shelved(self, data: st.DataObject, who: str) -> None:
        alarm = data.draw(st.sampled_from(self.alarms()))
        until = (self.site.clock.now + timedelta(minutes=15)).isoformat()
        answer = self.post(who, f"/alarms/{alarm['alarm_id']}/shelve", {"until": until, "reason": "标校"})
        assert answer.status_code == 403 or not alarm["is_regulator"] or answer.status_code == 409

    @rule(data=st.data())
    def disposed(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(self.site.get("viewer", "/dispositions")["rows"]))["disposition_id"]
        at, now = f"/dispositions/{number}", self.site.clock.now.isoformat()
        for path, body in (
            ("told", {"who": "孙强", "channel": "phone", "told_at": now}),
            ("cause", {"cause": "unclear"}),
            ("actions", {"text": "断电挂牌"}),
            ("actions/1/done", {}),
            ("withdrawal", {"out": 3, "of": 3}),
            ("restoration", {"restored_at": now, "inspector": "李明"}),
            ("submit", None),
        ):
            self.post("dispatcher", f"{at}/{path}", body)
        assert self.post("dispatcher", f"{at}/check", {"is_agreed": True}).status_code == 409, "never by the handler"
        self.post("checker", f"{at}/check", {"is_agreed": True})

    @invariant()
    def what_gold_says_is_shown(self) -> None:
        shown = self.alarms()
        findings = [each["candidate_id"] for alarm in shown for each in alarm["findings"]]
        assert len(findings) == len(set(findings))
        if self.is_told:
            active = {each["candidate_id"] for alarm in shown if alarm["is_active"] for each in alarm["findings"]}
            assert {key for key, one in self.gold.items() if one.cleared_at is None} <= active
            assert set(self.gold) <= set(findings)

    @invariant()
    def regulator_class_is_in_sight_and_disposed_of(self) -> None:
        states = {each["disposition_id"]: each["state"] for each in self.site.get("viewer", "/dispositions")["rows"]}
        for alarm in self.alarms():
            if alarm["is_regulator"]:
                assert alarm["state"] not in ("shelved", "suppressed_by_design", "out_of_service")
                assert not alarm["is_active"] or states[alarm["disposition_id"]] in ("draft", "handling")

    @invariant()
    def the_tables_tell_what_the_engine_holds(self) -> None:
        board = self.site.service.room.board
        held = {each.alarm_id: board.state_of(each) for each in board.alarms.values() if each.mine_code == MINE}
        assert {each["alarm_id"]: each["state"] for each in self.alarms()} == held


@pytest.fixture(scope="module")
def machine(two_mines_lake: Path, started_once: Path) -> type[ControlCentre]:
    ControlCentre.lake, ControlCentre.database = two_mines_lake, started_once
    return ControlCentre


def test_the_service_under_any_order_of_events(machine: type[ControlCentre]):
    run_state_machine_as_test(machine, settings=settings(max_examples=8, stateful_step_count=14, deadline=None))


def test_an_answer_is_json_with_instants_that_carry_their_offset(shown: Site):
    for row in json.loads(json.dumps(shown.get("viewer", "/alarms")["rows"])):
        assert row["raised_at"].endswith("+00:00")
