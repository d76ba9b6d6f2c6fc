"""Where people are relative to each other and to their own past, snapshot by snapshot, counted by area.

A plain grouped function does it, one mine at a time: distances along roadways, clusters and standing still are more
than expressions can say. Cards are only counted here; no card leaves this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from minefusion.pipelines.hazard.minutes import MINUTE_US
from minefusion.pipelines.hazard.snapshots import with_validity
from minefusion.schemas.levels import listed_step

if TYPE_CHECKING:
    from minefusion.pipelines.hazard.inputs import Inputs

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

UNDERGROUND = 1
# Gathering: at least so many people, each within EPS of another, for so long, each moving no farther than two EPS.
EPS_M, LEAST_PEOPLE = 15.0, int(listed_step("P-04", "yellow"))
GATHERS_AFTER_US = 5 * MINUTE_US
# Nobody else within this distance for longer than this time is alone.
COMPANY_M, ALONE_AFTER_US = 50.0, int(listed_step("P-05", "yellow", "alone")) * MINUTE_US
# Standing still: the fixes of the last ten minutes lie within 1.5 m of their median, but for one that may lie ten
# metres off: a precise fix errs by 0.3 m, and now and then, out of sight of its station, by some metres.
STILL_AFTER_US, STILL_M, OUTLIER_M = int(listed_step("P-05", "orange", "still")) * MINUTE_US, 1.5, 10.0
_STILL_MINUTES = 11
# A card unseen for longer than this is lost; after an hour nobody looks here any more.
LOST_AFTER_US, FORGOTTEN_AFTER_US = int(listed_step("P-05", "orange", "lost")) * MINUTE_US, 60 * MINUTE_US
# People come and go there in cages and vehicles that no station sees.
_NOT_COVERED = ("shaft", "surface")

COUNTS = ("settled", "gathered", "alone", "still", "lost", "concerned")
SCHEMA = pa.schema(
    [("mine_code", pa.string()), ("area_id", pa.string()), ("snapshot_us", pa.int64())]
    + [(name, pa.int32()) for name in COUNTS]
)


def crowd(inputs: Inputs) -> nw.LazyFrame:
    """Counts of people by mine, area and snapshot; no row where nobody is or was.

    Columns:
        settled: in the area by two snapshots that follow each other.
        gathered: people in the area's largest gathering (P-04), 0 where there is none.
        alone: without company for more than 15 min where two must work (P-05).
        still: not moved for more than 10 min (P-05).
        lost: last seen here, underground, more than 5 min ago (P-05).
        concerned: people who are alone, still or lost.
    """
    whole = with_validity(inputs.headcount.filter(nw.col("area_id") == nw.col("mine_code")))
    # One snapshot a minute is enough; senders of more are thinned to the last one of each minute.
    whole = whole.with_columns((nw.col("observed_us") - nw.col("observed_us") % MINUTE_US).alias("_minute"))
    newest = whole.group_by("mine_code", "_minute").agg(nw.col("observed_us").max())
    whole = whole.join(newest, on=["mine_code", "_minute", "observed_us"], how="inner").select(
        "mine_code", "observed_us", "held_until_us"
    )
    edges = inputs.edges.select("mine_code", "edge_id", "from_node", "to_node", "length_m")
    areas = inputs.areas.select("mine_code", "area_id", "kind", "is_muster", "needs_two_people")
    fixes = inputs.positions.select(
        "mine_code",
        "observed_us",
        "card_code",
        "in_out_flag",
        "area_id",
        "edge_id",
        "chainage_m",
        (~nw.col("station_distance_m").is_null()).alias("is_precise"),
    )
    # A snapshot that lists nobody is a row without a card.
    rows = whole.join(fixes, on=["mine_code", "observed_us"], how="left")
    rows = rows.join(edges, on=["mine_code", "edge_id"], how="left").join(
        areas, on=["mine_code", "area_id"], how="left"
    )
    return inputs.grouped(rows, ["mine_code"], count_people, SCHEMA)


def count_people(rows: pa.Table) -> pa.Table:
    """The counts of one mine.

    Args:
        rows: observed_us and held_until_us of every snapshot; card_code, in_out_flag, area_id, edge_id, chainage_m,
            is_precise of the cards that it lists, each with its edge's from_node, to_node and length_m and its area's
            kind, is_muster and needs_two_people.
    """
    times, snapshot = np.unique(rows["observed_us"].to_numpy(), return_inverse=True)
    held = np.zeros(len(times), dtype=np.int64)
    held[snapshot] = rows["held_until_us"].to_numpy()
    listed = ~np.asarray(rows["card_code"].is_null())
    mine_code = rows["mine_code"][0].as_py()
    rows, snapshot = rows.filter(pa.array(listed)), snapshot[listed]
    if not len(rows):
        return SCHEMA.empty_table()
    fixes = _Fixes(rows, snapshot, times, held)
    found = {
        "settled": fixes.settled(),
        "gathered": fixes.gathered(),
        "alone": fixes.alone(),
        "still": fixes.still(),
        "lost": fixes.lost(),
    }
    return fixes.counted(mine_code, found)


class _Fixes:
    """A mine's fixes as matrices of cards × snapshots; -1 and NaN where a card is not listed."""

    def __init__(self, rows: pa.Table, snapshot: Ints, times: Ints, held: Ints) -> None:
        self.times = times
        # Whether each snapshot follows the one before without an outage between them.
        self.follows = np.concatenate(([False], times[1:] <= held[:-1]))
        self.cards, card = _codes(rows, "card_code")
        self.area_names, area = _codes(rows, "area_id")
        self.edge_names, edge = _codes(rows, "edge_id")
        self.shape = (len(self.cards), len(times))
        below = np.asarray(rows["in_out_flag"].fill_null(0)) == UNDERGROUND
        self.listed = np.zeros(self.shape, dtype=bool)
        self.listed[card, snapshot] = True
        self.area = self._matrix(card, snapshot, below, area, -1)
        self.edge = self._matrix(card, snapshot, below, edge, -1)
        self.chainage = self._matrix(card, snapshot, below, rows["chainage_m"].to_numpy(), np.nan)
        self.precise = self._matrix(card, snapshot, below, np.asarray(rows["is_precise"]), False)
        self.below = self.area >= 0
        kinds = _by_code(rows, "kind", area, len(self.area_names))
        self.is_muster = _true_by_code(rows, "is_muster", area, len(self.area_names))
        self.needs_two = _true_by_code(rows, "needs_two_people", area, len(self.area_names))
        self.is_covered = np.array([kind not in _NOT_COVERED for kind in kinds], dtype=bool)
        nodes = (
            pa.chunked_array([*rows["from_node"].chunks, *rows["to_node"].chunks]).dictionary_encode().combine_chunks()
        )
        ends = np.asarray(nodes.indices.fill_null(-1)).reshape(2, -1)
        count = len(self.edge_names)
        self.ends = np.full((2, count), -1, dtype=np.int64)
        self.ends[:, edge[edge >= 0]] = ends[:, edge >= 0]
        self.length = np.full(count, np.nan)
        self.length[edge[edge >= 0]] = rows["length_m"].to_numpy()[edge >= 0]

    def _matrix(self, card: Ints, snapshot: Ints, below: Bools, values: NDArray, empty: float) -> NDArray:
        matrix = np.full(self.shape, empty, dtype=np.asarray(values).dtype)
        matrix[card[below], snapshot[below]] = values[below]
        return matrix

    def _carried(self) -> tuple[Ints, Ints, Floats]:
        """Area, edge and chainage with each card that one snapshot misses kept where it was."""
        missed = np.zeros(self.shape, dtype=bool)
        missed[:, 1:] = ~self.listed[:, 1:] & self.below[:, :-1] & self.follows[1:]
        carried = []
        for matrix in (self.area, self.edge, self.chainage):
            before = np.concatenate((matrix[:, :1], matrix[:, :-1]), axis=1)
            carried.append(np.where(missed, before, matrix))
        return carried[0], carried[1], carried[2]

    def settled(self) -> Bools:
        same = np.zeros(self.shape, dtype=bool)
        same[:, 1:] = self.below[:, 1:] & (self.area[:, 1:] == self.area[:, :-1]) & self.follows[1:]
        return same

    def gathered(self) -> Ints:
        """Size of the gathering that each card is in, 0 where in none.

        Clusters are DBSCAN's, with EPS_M along the roadways and LEAST_PEOPLE. A card has gathered when it has been in
        some cluster unbroken for GATHERS_AFTER and is still near where it was then; a cluster of at least LEAST_PEOPLE
        of these is a gathering. People who walk or ride together are none, nor are those at a muster point.
        """
        area, edge, chainage = self._carried()
        placed = (area >= 0) & (edge >= 0) & ~np.isnan(chainage)
        placed &= ~np.where(area >= 0, self.is_muster[area], False)
        card, snapshot = np.nonzero(placed)
        cluster = np.full(self.shape, -1, dtype=np.int64)
        cluster[card, snapshot] = self._clusters(snapshot, edge[placed], chainage[placed])
        since = self._since(cluster >= 0)
        before = self._at(self.times - GATHERS_AFTER_US)
        lasted = (since >= 0) & (self.times[None, :] - self.times[np.maximum(since, 0)] >= GATHERS_AFTER_US)
        stayed = (edge == edge[:, before]) & (np.abs(chainage - chainage[:, before]) <= 2 * EPS_M)
        member = lasted & stayed
        sizes = (
            np.bincount(cluster[member], minlength=cluster.max(initial=-1) + 1)
            if member.any()
            else np.zeros(1, dtype=np.int64)
        )
        size = np.zeros(self.shape, dtype=np.int64)
        size[member] = sizes[cluster[member]]
        return np.where(size >= LEAST_PEOPLE, size, 0)

    def _clusters(self, snapshot: Ints, edge: Ints, chainage: Floats) -> Ints:
        """DBSCAN's cluster of each fix, -1 for one in none; numbers are unique over all snapshots."""
        count = len(snapshot)
        one, other = self._pairs(snapshot, edge, chainage, EPS_M)
        near = 1 + np.bincount(one, minlength=count) + np.bincount(other, minlength=count)
        core = near >= LEAST_PEOPLE
        both = core[one] & core[other]
        graph = coo_matrix((np.ones(both.sum()), (one[both], other[both])), shape=(count, count))
        number = (
            connected_components(graph, directed=False)[1].astype(np.int64) if count else np.zeros(0, dtype=np.int64)
        )
        cluster = np.where(core, number, -1)
        for centre, edge_of in ((one, other), (other, one)):
            joins = core[centre] & ~core[edge_of]
            cluster[edge_of[joins]] = np.maximum(cluster[edge_of[joins]], number[centre[joins]])
        return cluster

    def _pairs(self, snapshot: Ints, edge: Ints, chainage: Floats, radius_m: float) -> tuple[Ints, Ints]:
        """Pairs of fixes of one snapshot within a radius along the roadways: on one roadway, or round one junction.

        A way over two junctions is not looked at: roadways shorter than the radius between them are rare.
        """
        order = np.lexsort((chainage, edge, snapshot))
        place = (snapshot[order] * len(self.edge_names) + edge[order]) * 1e7 + chainage[order]
        last = np.searchsorted(place, place + radius_m, side="right")
        along = _every_pair(last)
        pairs = [(order[along[0]], order[along[1]])]
        # Fixes near an end of their roadway, by the node there and the way to it.
        from_end = np.concatenate((chainage, self.length[edge] - chainage))
        node, fix = np.concatenate((self.ends[0, edge], self.ends[1, edge])), np.tile(np.arange(len(edge)), 2)
        near = (from_end <= radius_m) & (node >= 0)
        from_end, node, fix = from_end[near], node[near], fix[near]
        at = snapshot[fix] * (self.ends.max(initial=0) + 1) + node
        order = np.argsort(at, kind="stable")
        last = np.searchsorted(at[order], at[order], side="right")
        one, other = (order[side] for side in _every_pair(last))
        around = (edge[fix[one]] != edge[fix[other]]) & (from_end[one] + from_end[other] <= radius_m)
        pairs.append((fix[one[around]], fix[other[around]]))
        one, other = (np.concatenate(side) for side in zip(*pairs, strict=True))
        # Two roadways may meet at both their ends; a pair counts once.
        low, high = np.minimum(one, other), np.maximum(one, other)
        unique = np.unique(low * len(edge) + high) if len(low) else np.zeros(0, dtype=np.int64)
        return unique // max(len(edge), 1), unique % max(len(edge), 1)

    def alone(self) -> Bools:
        """Nobody else within COMPANY_M for longer than ALONE_AFTER where two must work.

        Where a system gives no place on the roadway, everybody in the area is company.
        """
        area, edge, chainage = self._carried()
        here = (area >= 0) & np.where(area >= 0, self.needs_two[area], False)
        if not here.any():
            return here
        placed = (area >= 0) & (edge >= 0) & ~np.isnan(chainage)
        wanted = np.unique(self.ends[:, np.unique(edge[here & placed])])
        near_by: Bools = np.any(np.isin(self.ends, wanted[wanted >= 0]), axis=0)
        near_by[np.unique(edge[here & placed])] = True
        subset = np.zeros(self.shape, dtype=bool)
        subset[placed] = near_by[edge[placed]]
        card, snapshot = np.nonzero(subset)
        one, other = self._pairs(snapshot, edge[subset], chainage[subset], COMPANY_M)
        company = np.zeros(self.shape, dtype=bool)
        accompanied = np.unique(np.concatenate((one, other)))
        company[card[accompanied], snapshot[accompanied]] = True
        for code in np.flatnonzero(self.needs_two):
            inside = area == code
            count = inside.sum(axis=0)
            company |= inside & ((count > 1) & (~placed & inside).any(axis=0))
        since = self._since(here & ~company)
        return (since >= 0) & (self.times[None, :] - self.times[np.maximum(since, 0)] > ALONE_AFTER_US)

    def still(self) -> Bools:
        """No movement for longer than STILL_AFTER, on one roadway; the system must give distances from stations."""
        usable = self.below & self.precise & (self.edge >= 0) & ~np.isnan(self.chainage)
        usable &= ~np.where(self.area >= 0, self.is_muster[self.area], False)
        width = _STILL_MINUTES + 1
        padded = np.pad(np.where(usable, self.chainage, np.nan), ((0, 0), (width - 1, 0)), constant_values=np.nan)
        edges = np.pad(np.where(usable, self.edge, -1), ((0, 0), (width - 1, 0)), constant_values=-1)
        clock = np.pad(self.times, (width - 1, 0), constant_values=np.iinfo(np.int64).min // 2)
        recent = np.lib.stride_tricks.sliding_window_view(clock, width)
        recent_enough = recent >= self.times[:, None] - _STILL_MINUTES * MINUTE_US
        found = np.zeros(self.shape, dtype=bool)
        for card in np.flatnonzero(usable.any(axis=1)):
            at = np.lib.stride_tricks.sliding_window_view(padded[card], width)
            on = np.lib.stride_tricks.sliding_window_view(edges[card], width)
            known = recent_enough & (on >= 0)
            count = known.sum(axis=1)
            first = np.where(known, recent, np.iinfo(np.int64).max).min(axis=1)
            long_enough = known[:, -1] & (count >= 3) & (self.times - first >= STILL_AFTER_US)
            one_road = (on == on[:, -1:]).sum(axis=1, where=known) == count
            rows = np.flatnonzero(long_enough & one_road)
            if len(rows):
                off = np.abs(at[rows] - np.nanmedian(np.where(known[rows], at[rows], np.nan), axis=1)[:, None])
                off = np.where(known[rows], off, 0.0)
                found[card, rows] = ((off > STILL_M).sum(axis=1) <= (count[rows] > 3)) & (off.max(axis=1) <= OUTLIER_M)
        return found

    def lost(self) -> Bools:
        """Underground when last listed, unseen since by snapshots that came, for longer than LOST_AFTER."""
        index = np.arange(len(self.times))
        last = np.maximum.accumulate(np.where(self.listed, index, -1), axis=1)
        seen = last >= 0
        last = np.maximum(last, 0)
        rows = np.arange(len(self.cards))[:, None]
        following = np.minimum(last + 1, len(self.times) - 1)
        vanished = seen & ~self.listed & self.below[rows, last] & self.follows[following]
        absent = self.times[None, :] - self.times[last]
        covered = np.where(self.area[rows, last] >= 0, self.is_covered[self.area[rows, last]], False)
        return vanished & covered & (index - last >= 2) & (absent > LOST_AFTER_US) & (absent <= FORGOTTEN_AFTER_US)

    def _since(self, holds: Bools) -> Ints:
        """Snapshot since which a state has held unbroken, -1 where it does not hold; an outage breaks it."""
        index = np.arange(len(self.times))
        starts = holds & ~(
            np.concatenate((np.zeros((len(holds), 1), dtype=bool), holds[:, :-1]), axis=1) & self.follows
        )
        return np.where(holds, np.maximum.accumulate(np.where(starts, index, -1), axis=1), -1)

    def _at(self, instants: Ints) -> Ints:
        """Number of the newest snapshot at or before each instant; the first one where there is none."""
        return np.maximum(np.searchsorted(self.times, instants, side="right") - 1, 0)

    def counted(self, mine_code: str, found: dict[str, NDArray]) -> pa.Table:
        """Counts by area and snapshot. A lost card counts where it was last seen."""
        last = np.maximum.accumulate(np.where(self.listed, np.arange(len(self.times)), 0), axis=1)
        where_last = self.area[np.arange(len(self.cards))[:, None], last]
        area, _, _ = self._carried()
        concerned = found["alone"] | found["still"]
        shape = (len(self.area_names), len(self.times))
        counts = {name: np.zeros(shape, dtype=np.int64) for name in COUNTS}
        for name, place, holds in (
            ("settled", area, found["settled"]),
            ("alone", area, found["alone"]),
            ("still", area, found["still"]),
            ("concerned", area, concerned),
            ("lost", where_last, found["lost"]),
            ("concerned", where_last, found["lost"]),
        ):
            card, snapshot = np.nonzero(holds & (place >= 0))
            np.add.at(counts[name], (place[card, snapshot], snapshot), 1)
        card, snapshot = np.nonzero((found["gathered"] > 0) & (area >= 0))
        np.maximum.at(counts["gathered"], (area[card, snapshot], snapshot), found["gathered"][card, snapshot])
        place, snapshot = np.nonzero(np.any(np.stack(list(counts.values())) > 0, axis=0))
        columns = {
            "mine_code": pa.array([mine_code] * len(place), pa.string()),
            "area_id": pa.array(np.array(self.area_names, dtype=object)[place], pa.string()),
            "snapshot_us": pa.array(self.times[snapshot], pa.int64()),
        }
        return pa.table(
            columns | {name: pa.array(counts[name][place, snapshot], pa.int32()) for name in COUNTS}, schema=SCHEMA
        )


def _codes(rows: pa.Table, column: str) -> tuple[list[str], Ints]:
    """The different texts of a column, and each row's number among them; -1 for null."""
    encoded = rows[column].combine_chunks().dictionary_encode()
    return encoded.dictionary.to_pylist(), np.asarray(encoded.indices.fill_null(-1)).astype(np.int64)


def _by_code(rows: pa.Table, column: str, code: Ints, count: int) -> list[str | None]:
    found: list[str | None] = [None] * count
    first = np.unique(code, return_index=True)
    for number, row in zip(*first, strict=True):
        if number >= 0:
            found[number] = rows[column][int(row)].as_py()
    return found


def _true_by_code(rows: pa.Table, column: str, code: Ints, count: int) -> Bools:
    return np.array([bool(value) for value in _by_code(rows, column, code, count)], dtype=bool)


def _every_pair(last: Ints) -> tuple[Ints, Ints]:
    """Pairs (i, j) with i < j < last[i]."""
    first = np.arange(len(last))
    many = np.maximum(last - first - 1, 0)
    one = np.repeat(first, many)
    within = np.arange(len(one)) - np.repeat(np.cumsum(many) - many, many)
    return one, one + 1 + within
