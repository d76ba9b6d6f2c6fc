"""Where a thing is: on which roadway, how far along, in which area.

Coordinates decide first, then the words of the location text. What neither can place is 'unplaced' and listed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import narwhals as nw
import numpy as np

from minefusion.schemas.site import Edge, Site

UNPLACED = "unplaced"
# A survey point farther than this from every roadway is a wrong coordinate, not a place.
FARTHEST_M = 30.0
# Roadways that meet at a node are equally near to a point beside it; then the text decides between those this close.
TIE_M = 4.0

# A seismic source lies in the rock beside the roadways: it belongs to the area of the nearest one within this.
FARTHEST_SOURCE_M = 300.0
# What stands between the parts of a place key.
_BETWEEN = "|"

# Words of a location text, each with the kinds of area that it speaks for, most telling first.
_AREA_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("总回风", ("total_return",)),
    ("采区回风", ("district_return",)),
    ("掘进", ("heading",)),
    ("回风隅角", ("longwall_face", "return_airway")),
    ("上隅角", ("longwall_face", "return_airway")),
    ("综采", ("longwall_face",)),
    ("采煤", ("longwall_face",)),
    ("回风巷", ("return_airway", "longwall_face")),
    ("回风顺槽", ("return_airway", "longwall_face")),
    ("进风巷", ("intake_airway", "longwall_face")),
    ("运输顺槽", ("intake_airway", "belt_road", "longwall_face")),
    ("工作面", ("longwall_face", "heading")),
    ("皮带", ("belt_road",)),
    ("带式", ("belt_road",)),
    ("硐室", ("chamber",)),
    ("变电所", ("chamber",)),
    ("水泵房", ("chamber",)),
    ("井底", ("pit_bottom",)),
)


@dataclass(frozen=True)
class Place:
    """A resolved place. `edge_id` and `chainage_m` are null where only the area is known."""

    area_id: str
    edge_id: str | None
    chainage_m: float | None
    method: str


NOWHERE = Place(UNPLACED, None, None, "unresolved")


class Gazetteer:
    """Finds places in one mine's site file."""

    def __init__(self, site: Site | None, areas: Sequence[tuple[str, str]] = ()) -> None:
        """`areas`: (area_id, name_zh) that the positioning system names, for a mine without a site file."""
        self.site = site
        self.areas: dict[str, str] = dict(areas)
        self._kinds: dict[str, str] = {}
        self._fixed: dict[str, tuple[str, float]] = {}
        self._fixed_class: dict[str, str | None] = {}
        self._by_edge: dict[str, Edge] = {}
        if site is None:
            return
        self.areas |= {area.area_id: area.name_zh for area in site.areas}
        self._kinds = {area.area_id: area.kind for area in site.areas}
        nodes = {node.node_id: (node.x, node.y, node.z) for node in site.nodes}
        self.edges = list(site.edges)
        self._start = np.array([nodes[e.from_node] for e in self.edges], dtype=float).reshape(-1, 3)
        self._end = np.array([nodes[e.to_node] for e in self.edges], dtype=float).reshape(-1, 3)
        self._fixed = {p.point_code: (p.edge_id, p.chainage_m) for p in site.points}
        self._fixed_class = {p.point_code: p.gas_class for p in site.points}
        self._fixed |= {s.station_code: (s.edge_id, s.chainage_m) for s in site.stations}
        self._fixed |= {c.camera_code: (c.edge_id, c.chainage_m) for c in site.cameras}
        self._by_edge = {e.edge_id: e for e in self.edges}

    def place(self, code: str, x: float | None, y: float | None, z: float | None, text: str | None) -> Place:
        """Place of one thing: the site file's own word, else its coordinates, else its location text."""
        if code in self._fixed:
            edge_id, chainage_m = self._fixed[code]
            return Place(self._by_edge[edge_id].area_id, edge_id, chainage_m, "site")
        found = self._by_coordinates(x, y, z, text or "")
        return found or self._by_text(text or "") or NOWHERE

    def place_of_key(self, key: str) -> Place:
        """Place of what a `place_key` tells: a known area code, else coordinates, else words."""
        *axes, rest = key.split(_BETWEEN, 3)
        text, _, area_code = rest.rpartition(_BETWEEN)
        if area_code in self.areas:
            return Place(area_code, self._edge_by_text(area_code, text), None, "code")
        x, y, z = (float(axis) if axis else None for axis in axes)
        found = self._by_coordinates(x, y, z, text, FARTHEST_SOURCE_M)
        return found or self._by_text(text) or NOWHERE

    def edge(self, edge_id: str | None) -> Edge | None:
        return self._by_edge.get(edge_id) if edge_id else None

    def fixed_gas_class(self, code: str) -> str | None:
        """Methane location code that the site file states for this very point."""
        return self._fixed_class.get(code)

    def camera_name(self, code: str) -> str | None:
        """What the site file calls a camera."""
        cameras = self.site.cameras if self.site else ()
        return next((camera.name_zh for camera in cameras if camera.camera_code == code), None)

    def _by_coordinates(
        self, x: float | None, y: float | None, z: float | None, text: str, farthest_m: float = FARTHEST_M
    ) -> Place | None:
        # 0, 0 is what senders write who have no survey.
        if self.site is None or not self.edges or x is None or y is None or (x == 0 and y == 0):
            return None
        here = np.array([x, y, 0.0 if z is None else z])
        weight = np.array([1.0, 1.0, 0.0 if z is None else 1.0])
        along = (self._end - self._start) * weight
        length2 = np.maximum((along**2).sum(axis=1), 1e-9)
        share = np.clip((((here - self._start) * weight) * along).sum(axis=1) / length2, 0, 1)
        distance = np.sqrt(((here * weight - self._start * weight - share[:, None] * along) ** 2).sum(axis=1))
        nearest = float(distance.min())
        if nearest > farthest_m:
            return None
        near = np.flatnonzero(distance <= nearest + TIE_M)
        best = (
            max(near, key=lambda i: (self._likeness(self.edges[i].area_id, text), -distance[i]))
            if text
            else near[np.argmin(distance[near])]
        )
        edge = self.edges[int(best)]
        return Place(edge.area_id, edge.edge_id, round(float(share[best]) * edge.length_m, 2), "coordinates")

    def _by_text(self, text: str) -> Place | None:
        if not text.strip():
            return None
        scored = sorted(((self._likeness(area_id, text), area_id) for area_id in self.areas), reverse=True)
        if not scored or scored[0][0] < 3 or (len(scored) > 1 and scored[1][0] == scored[0][0]):
            return None
        area_id = scored[0][1]
        edge_id = self._edge_by_text(area_id, text)
        return Place(area_id, edge_id, None, "text")

    def _edge_by_text(self, area_id: str, text: str) -> str | None:
        if self.site is None:
            return None
        inside = [edge for edge in self.edges if edge.area_id == area_id]
        told = [edge for edge in inside if edge.gas_class and edge.gas_class == gas_class_of(text, None)]
        chosen = told or inside
        return chosen[0].edge_id if len(chosen) == 1 else None

    def _likeness(self, area_id: str, text: str) -> float:
        """How well the area's name fits the text: its whole name, its number, its kind of place."""
        name = self.areas[area_id]
        if name and name in text:
            return 10.0 + len(name)
        score = 0.0
        numbers = set(re.findall(r"\d{2,}", name))
        if numbers:
            if not numbers & set(re.findall(r"\d{2,}", text)):
                return 0.0
            score += 4.0
        kind = self._kinds.get(area_id)
        for rank, (word, kinds) in enumerate(_AREA_WORDS):
            if word in text:
                if kind in kinds or (kind is None and word in name):
                    score += 3.0 - 0.5 * (kinds.index(kind) if kind in kinds else 0) - 0.01 * rank
                break
        return score


def place_key(x: str | None, y: str | None, z: str | None, text: str, area_code: str | None = None) -> nw.Expr:
    """Everything that a record tells of its place, as one text for `Gazetteer.place_of_key`; the names are columns."""
    parts = [nw.col(name).fill_null("") if name else nw.lit("") for name in (x, y, z, text, area_code)]
    return nw.concat_str(*parts, separator=_BETWEEN).alias("place_key")


def gas_class_of(text: str, edge_class: str | None) -> str | None:
    """Methane location code: the roadway's own where it has one, else by the words of the location text (PC-61)."""
    if edge_class:
        return edge_class
    if "上隅角" in text or "回风隅角" in text:
        return "LW_CORNER_T0"
    heading = "掘" in text
    if "T1" in text:
        if heading:
            return "HD_FACE_T1"
        if "采" in text or "工作面" in text:
            return "LW_FACE_T1"
    if "T2" in text:
        if heading:
            return "HD_RETURN_T2"
        if "采" in text or ("工作面" in text and "回风" in text):
            return "LW_RETURN_T2"
    for words, code in (
        (("总回风",), "TOTAL_RETURN"),
        (("采区回风",), "DISTRICT_RETURN"),
        (("煤仓",), "BUNKER_TOP"),
        (("带式走廊", "皮带走廊"), "BELT_GALLERY"),
        (("硐室",), "ELEC_CHAMBER_INTAKE"),
        (("电机车",), "LOCOMOTIVE"),
    ):
        if any(word in text for word in words):
            return code
    return None
