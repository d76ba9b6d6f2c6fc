"""`minefusion bench routes`: ways out for a whole mine at once, beside networkx' Dijkstra person by person.

The plain one knows only which roadways are forbidden: no smoke, no self-rescuer, no chambers.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import networkx as nx
import numpy as np

from minefusion.pipelines.jobs.bench.ingest import Progress, Result, hardware
from minefusion.pipelines.jobs.bench.meter import Meter, timed_row
from minefusion.pipelines.routes.escape import AVOIDED, FORBIDDEN, OPEN, Conditions, People, escape_ways
from minefusion.pipelines.routes.roadways import Roadways, roadways_of
from minefusion.schemas.site import Area, Edge, Exit, Node, RefugeChamber, Site

PEOPLE, ROADWAYS = 300, 2_000
REPEATS = 5
# The plain way is the same for everybody and slow: so many people are timed once, and the seconds scaled to all.
PLAIN_PEOPLE = 100
SELF_RESCUER_MIN, SHORT_MIN = 45.0, 8.0
# Roadways that smoke starts in, one in so many.
ORDINARY, GREAT = 500, 50
MINE = "620000000001"


def bench_routes(*, scale: float = 1.0, progress: Progress | None = None) -> dict[str, Any]:
    """Seconds for one moment of a mine, at `scale` and at ten times it; the graph is built beforehand in both ways.

    The great fire has smoke in ten times as many places and self-rescuers that last eight minutes: most of the people
    have to be searched for one by one, and many are cut off.
    """
    say = progress or (lambda _share, _what: None)
    results: list[Result] = []
    for number, times in enumerate((1, 10)):
        people, roadways = round(PEOPLE * scale * times), round(ROADWAYS * scale * times)
        roads = roadways_of(grid_mine(roadways, seed=1))
        suffix = "" if times == 1 else f"/{times}x"
        for case, smoky, minutes in (("all", ORDINARY, SELF_RESCUER_MIN), ("great_fire", GREAT, SHORT_MIN)):
            say(number * 0.5, f"{case}: {people} people, {roadways} roadways")
            conditions, crowd = moment(roads, people, smoky, seed=2)
            work = partial(escape_ways, roads, conditions, crowd, minutes)
            work()  # what is made once a mine is made now
            ours = _measured(work, REPEATS)
            graph = plain_graph(roads, conditions)
            some = People(crowd.edge[:PLAIN_PEOPLE], crowd.chainage_m[:PLAIN_PEOPLE])
            seconds, cpu_s, peak_mib = _measured(partial(plain_ways, graph, roads, some), 1)
            plain = (seconds * people / len(some), cpu_s * people / len(some), peak_mib)
            results += [
                _row(f"routes/{case}{suffix}", ours, people, plain[0], f"plain_networkx/{case}{suffix}"),
                _row(f"plain_networkx/{case}{suffix}", plain, people, None, None),
            ]
    say(1.0, "done")
    about = {"people": round(PEOPLE * scale), "roadways": round(ROADWAYS * scale), "scale": scale, "seed": 1}
    about["plain_timed_people"] = PLAIN_PEOPLE
    return {"name": "routes", "hardware": hardware(), "data": about, "results": results}


def grid_mine(roadways: int, seed: int) -> Site:
    """A mine of so many roadways: a grid with some of its roadways left out, four exits, a chamber per 200 roadways."""
    rng = np.random.default_rng(seed)
    side = max(2, int(np.ceil(np.sqrt(roadways / 1.8))))
    nodes = tuple(
        Node(f"N{row}-{column}", 100.0 * column, 100.0 * row, float(rng.uniform(-5, 5)))
        for row in range(side)
        for column in range(side)
    )
    along = [(f"N{r}-{c}", f"N{r}-{c + 1}") for r in range(side) for c in range(side - 1)]
    across = [(f"N{r}-{c}", f"N{r + 1}-{c}") for r in range(side - 1) for c in range(side)]
    pairs = np.array(along + across)
    pairs = pairs[np.sort(rng.choice(len(pairs), min(roadways, len(pairs)), replace=False))]
    area = f"{MINE}01"
    edges = tuple(
        Edge(f"E{number}", str(one), str(other), area, "OTHER_ROAD", None, float(rng.uniform(80, 160)), 10.0)
        for number, (one, other) in enumerate(pairs)
    )
    corners = sorted(
        {edges[0].from_node, edges[-1].to_node, edges[len(edges) // 3].to_node, edges[len(edges) // 2].to_node}
    )
    chambers = rng.choice(len(edges), max(1, roadways // 200), replace=False).tolist()
    return Site(
        mine_code=MINE,
        name_zh="基准矿",
        name_en="Benchmark mine",
        severe_hazard=True,
        areas=(Area(area, "井下", "Underground", "main_intake"),),
        nodes=nodes,
        edges=edges,
        exits=tuple(Exit(node, f"{node}出口", f"Exit {node}") for node in corners),
        refuge_chambers=tuple(
            RefugeChamber(f"C{edge}", f"{edge}号避难硐室", f"Chamber {edge}", f"E{edge}", 40.0, 100)
            for edge in chambers
        ),
    )


def moment(roads: Roadways, people: int, smoky_every: int, seed: int) -> tuple[Conditions, People]:
    """One roadway in a hundred is forbidden, one in fifty avoided, one in `smoky_every` has smoke."""
    rng = np.random.default_rng(seed)
    count = len(roads.edge_ids)
    state = rng.choice([OPEN, AVOIDED, FORBIDDEN], count, p=[0.97, 0.02, 0.01])
    smoky = np.zeros(count, dtype=bool)
    smoky[rng.choice(count, max(1, count // smoky_every), replace=False)] = True
    # A quarter of the roadways carries the air of a fire far enough to matter, the rest is still.
    velocity = np.where(rng.random(count) < 0.25, rng.uniform(0.5, 4.0, count), 0.05) * rng.choice([-1, 1], count)
    edge = rng.integers(0, count, people)
    return Conditions(state, smoky, velocity), People(edge, rng.uniform(0, 80, people))


def plain_graph(roads: Roadways, conditions: Conditions) -> nx.Graph:
    """The roadways that are not forbidden, with the time to walk each."""
    graph = nx.Graph()
    graph.add_nodes_from(range(roads.node_count))
    for piece, edge in enumerate(roads.edge.tolist()):
        if conditions.state[edge] != FORBIDDEN:
            time_s = float(roads.clear_time[piece])
            graph.add_edge(int(roads.first[piece]), int(roads.second[piece]), weight=time_s)
    return graph


def plain_ways(graph: nx.Graph, roads: Roadways, people: People) -> list[list[int]]:
    """For each person the quickest way to an exit, from the nearer end of their roadway."""
    exits = [goal.node for goal in roads.exits()]
    ways = []
    for edge, chainage_m in zip(people.edge.tolist(), people.chainage_m.tolist(), strict=True):
        piece = roads.piece_at(edge, chainage_m)
        is_nearer = chainage_m - roads.from_m[piece] < roads.to_m[piece] - chainage_m
        start = int((roads.first if is_nearer else roads.second)[piece])
        times, paths = nx.single_source_dijkstra(graph, start)
        reached = [node for node in exits if node in times]
        ways.append(paths[min(reached, key=times.__getitem__)] if reached else [])
    return ways


def _measured(work: Callable[[], Any], repeats: int) -> tuple[float, float, float]:
    """Median seconds and CPU seconds of one go, and the most memory that the process held."""
    seconds = []
    with Meter(os.getpid()) as used:
        for _ in range(repeats):
            started = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - started)
    return sorted(seconds)[len(seconds) // 2], used.cpu_s / repeats, used.peak_mib


def _row(
    case: str, run: tuple[float, float, float], people: int, other_s: float | None, ratio_to: str | None
) -> Result:
    return timed_row(case, run, people, "people/s", other_s, ratio_to)
