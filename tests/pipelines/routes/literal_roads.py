"""A few roadways written by hand, and every simple way through them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from minefusion.pipelines.routes.escape import OPEN, Conditions, People
from minefusion.pipelines.routes.roadways import Goal, Roadways
from minefusion.schemas.site import Area, Edge, Exit, Node, RefugeChamber, Site

MINE = "140000000001"
AREA = f"{MINE}01"


def site(
    edges: Sequence[tuple[str, str, float]],
    *,
    exits: Sequence[str] = (),
    chambers: Sequence[tuple[int, float, int | None]] = (),
    heights: dict[str, float] | None = None,
    self_rescuer_min: float | None = None,
) -> Site:
    """A mine of roadways (first node, second node, length [m]) named E0 …; chambers: (roadway, chainage, places)."""
    names = sorted({name for one, other, _ in edges for name in (one, other)} | set(exits))
    return Site(
        mine_code=MINE,
        name_zh="试验矿",
        name_en="Test mine",
        severe_hazard=True,
        areas=(Area(AREA, "工作面", "Face", "longwall_face"),),
        nodes=tuple(Node(name, 0.0, 0.0, (heights or {}).get(name, 0.0)) for name in names),
        edges=tuple(
            Edge(f"E{number}", one, other, AREA, "COAL_FACE", None, length, 10.0)
            for number, (one, other, length) in enumerate(edges)
        ),
        exits=tuple(Exit(name, f"{name}井底", f"Shaft {name}") for name in exits),
        refuge_chambers=tuple(
            RefugeChamber(f"C{number}", f"{number}号避难硐室", f"Chamber {number}", f"E{edge}", chainage, places)
            for number, (edge, chainage, places) in enumerate(chambers)
        ),
        self_rescuer_min=self_rescuer_min,
    )


def conditions(roads: Roadways, state: dict[int, int] | None = None, smoky: Sequence[int] = (), air: float = 1.0):
    """What the roadways are like: state by number where it is not OPEN, smoky ones, air velocity of all [m/s]."""
    count = len(roads.edge_ids)
    states, smoke = np.full(count, OPEN), np.zeros(count, dtype=bool)
    for edge, value in (state or {}).items():
        states[edge] = value
    smoke[list(smoky)] = True
    return Conditions(states, smoke, np.full(count, air))


def people(*places: tuple[int, float]) -> People:
    """People by (roadway, chainage); a roadway of -1 is not known."""
    return People(
        np.array([edge for edge, _ in places], dtype=np.int64), np.array([chainage for _, chainage in places], float)
    )


def every_way(roads: Roadways, node: int, goals: Sequence[Goal], seen: tuple[int, ...] = ()) -> Iterator[list[int]]:
    """Pieces of every way from a node to the first goal on it, no node twice."""
    if any(goal.node == node for goal in goals):
        yield []
        return
    for other, piece in roads.neighbours[node]:
        if other not in (*seen, node):
            for rest in every_way(roads, other, goals, (*seen, node)):
                yield [piece, *rest]
