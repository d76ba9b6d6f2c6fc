"""The air of a whole mine, balanced: which reading fits least into what all others say."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from minefusion.pipelines.rounding import DECIMALS, NUDGE

Floats = NDArray[np.float64]

# Error (one sigma) of an air quantity: a share of it, and no less than so much [m³/s].
ERROR_SHARE, LEAST_ERROR_M3_S = 0.05, 0.5
# A reading is suspected over so many errors of its residual.
SUSPECTED_FROM = 3.0
# A residual whose variance is under this share of the reading's own is checked by nothing.
_LEAST_REDUNDANCY = 1e-6

SUSPECT = pa.schema(
    {"mine_code": pa.string(), "_window": pa.int64()}
    | dict.fromkeys(("off_pct", "measured", "balanced"), pa.float64())
    | {"suspect": pa.string()}
)


ROAD = pa.schema(dict.fromkeys(("mine_code", "edge_id", "from_node", "to_node"), pa.string()))


def passed_roads(roads: pa.Table) -> pa.Table:
    """The roadways of one mine through which air passes, as rows of ROAD: without blind headings.

    What a heading's road carries back, its duct has taken from the road before it: to the network that is nothing.

    Args:
        roads: mine_code, edge_id, from_node, to_node and is_open (it leads to the surface). In a mine none of whose
            roads is open every end is one.
    """
    left = roads.to_pylist()
    any_open = any(road["is_open"] for road in left)
    while any_open:
        ends = Counter(node for road in left for node in (road["from_node"], road["to_node"]))
        through = [road for road in left if road["is_open"] or min(ends[road["from_node"]], ends[road["to_node"]]) > 1]
        if len(through) == len(left):
            break
        left = through
    return pa.Table.from_pylist([{name: road[name] for name in ROAD.names} for road in left], schema=ROAD)


def free_flows(from_node: NDArray[np.int64], to_node: NDArray[np.int64]) -> Floats:
    """Basis of all flows that lose no air at a junction, shape (roads, flows).

    A node with one road alone is an end, where air comes from or goes to outside.
    """
    nodes = int(max(from_node.max(), to_node.max())) + 1
    roads = len(from_node)
    incidence = np.zeros((nodes, roads))
    incidence[from_node, np.arange(roads)] -= 1.0
    incidence[to_node, np.arange(roads)] += 1.0
    junctions = incidence[np.bincount(np.concatenate([from_node, to_node]), minlength=nodes) > 1]
    if not len(junctions):
        return np.eye(roads)
    _, sizes, directions = np.linalg.svd(junctions)
    rank = int((sizes > 1e-9).sum())
    return directions[rank:].T


def standard_residuals(basis: Floats, measured: Floats) -> tuple[Floats, Floats]:
    """Balanced flows by weighted least squares, and each reading's residual in errors of its own.

    Args:
        basis: of `free_flows`.
        measured: shape (roads,), NaN where a road is not measured.
    Returns:
        Balanced flow [m³/s] of each road, and residual ÷ its standard error; NaN where nothing checks the reading.
    """
    there = np.flatnonzero(np.isfinite(measured))
    error = np.maximum(ERROR_SHARE * np.abs(measured[there]), LEAST_ERROR_M3_S)
    weighted = basis[there] / error[:, None]
    wanted = measured[there] / error
    inverse = np.linalg.pinv(weighted)
    solution = inverse @ wanted
    redundancy = 1.0 - np.einsum("ij,ji->i", weighted, inverse)
    residual = np.full(len(measured), np.nan)
    checked = redundancy > _LEAST_REDUNDANCY
    residual[there[checked]] = (wanted - weighted @ solution)[checked] / np.sqrt(redundancy[checked])
    return basis @ solution, residual


def balance_of_mine(readings: pa.Table) -> pa.Table:
    """The reading that fits least, by window: rows of SUSPECT; `off_pct` is 0 where none is suspected.

    `balanced` is what the others say of the suspect's road: the balance without it.

    Args:
        readings: of one mine, mine_code, edge_id, from_node, to_node, _window and q; a road without a reading has one
            row with neither. Windows in which no reading checks another are left out.
    """
    roads = sorted({(row["edge_id"], row["from_node"], row["to_node"]) for row in readings.to_pylist()})
    place = {edge: number for number, (edge, _, _) in enumerate(roads)}
    names = sorted({node for _, start, end in roads for node in (start, end)})
    node = {name: number for number, name in enumerate(names)}
    basis = free_flows(np.array([node[start] for _, start, _ in roads]), np.array([node[end] for _, _, end in roads]))
    known = readings.filter(pc.and_(pc.is_valid(readings["_window"]), pc.is_valid(readings["q"])))
    rows = []
    for window in sorted(set(known["_window"].to_pylist())):
        flow = np.full(len(roads), np.nan)
        now = known.filter(pc.equal(known["_window"], window))
        flow[[place[edge] for edge in now["edge_id"].to_pylist()]] = now["q"].to_numpy()
        _, residual = standard_residuals(basis, flow)
        if np.isnan(residual).all():
            continue
        worst = int(np.nanargmax(np.abs(residual)))
        row = {"mine_code": readings["mine_code"][0].as_py(), "_window": window, "off_pct": 0.0}
        if abs(residual[worst]) > SUSPECTED_FROM:
            others = np.where(np.arange(len(flow)) == worst, np.nan, flow)
            balanced = float(standard_residuals(basis, others)[0][worst])
            least = max(abs(balanced), LEAST_ERROR_M3_S)
            row |= {
                "off_pct": float(np.round(100 * abs(flow[worst] - balanced) / least + NUDGE, DECIMALS)),
                "measured": float(flow[worst]),
                "balanced": float(np.round(balanced + NUDGE, DECIMALS)),
                "suspect": roads[worst][0],
            }
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=SUSPECT)
