"""What the roadways are like at one moment, and why: from the facts of a minute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from minefusion.pipelines.routes.escape import Conditions
from minefusion.pipelines.routes.facts import BLOCKED, FIRE, FLOW, SMOKE
from minefusion.pipelines.routes.roadways import Roadways
from minefusion.schemas.escape_limits import air_limits


@dataclass(frozen=True)
class Cause:
    """Why a roadway is avoided or forbidden: what it is about, the quantity and the value."""

    fact: str
    quantity: str
    value: float | None

    @property
    def zh(self) -> str:
        return self._words(0)

    @property
    def en(self) -> str:
        return self._words(1)

    def _words(self, language: int) -> str:
        if self.fact == SMOKE:
            return ("烟雾", "smoke")[language]
        if self.fact == FIRE:
            return ("火灾指标报警", "fire alarm by carbon monoxide or temperature")[language]
        if self.fact == BLOCKED:
            return ("堵塞或封闭", "blocked or closed")[language]
        if self.fact == WILL_SMOKE.fact:
            return ("烟流将至", "smoke will reach it")[language]
        limit = air_limits()[self.quantity]
        name = (limit.name_zh, limit.name_en)[language]
        return f"{name} {self.value:g} {limit.unit}"


WILL_SMOKE = Cause("will_smoke", "smoke", None)


def conditions_of(roads: Roadways, facts: Iterable[Mapping[str, Any]]) -> tuple[Conditions, dict[str, Cause]]:
    """State, smoke and air of each roadway, and why the bad ones are bad: the worst cause of each.

    Args:
        facts: rows of one minute about roadways. One on no roadway speaks for every roadway of its area.
    """
    count = len(roads.edge_ids)
    state, smoky = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=bool)
    velocity = np.full(count, np.nan)
    causes: dict[str, Cause] = {}
    for fact in sorted(facts, key=_worst_first):
        edge = roads.edge_number.get(fact["edge_id"] or "")
        if fact["fact"] == FLOW:
            if edge is not None:
                velocity[edge] = fact["value"]
            continue
        for each in roads.edges_of.get(fact["area_id"] or "", []) if edge is None else [edge]:
            name = roads.edge_ids[each]
            smoky[each] |= fact["fact"] in (SMOKE, FIRE)
            causes.setdefault(name, Cause(fact["fact"], fact["quantity"] or "", fact["value"]))
            state[each] = max(state[each], fact["state"])
    return Conditions(state, smoky, velocity), causes


def _worst_first(fact: Mapping[str, Any]) -> tuple[int, str, str, float]:
    """Facts come in any order: of two that say the same of a roadway the one farther beyond its limit is told."""
    limit, value = air_limits().get(fact["quantity"] or ""), fact["value"] or 0.0
    return -fact["state"], fact["fact"], fact["quantity"] or "", value if limit and limit.comparison == "<" else -value
