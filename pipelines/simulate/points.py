"""Where the mine's sensors, switches and substations are, and how the monitoring system knows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from minefusion.pipelines.simulate.layout import Face, Heading, Layout
from minefusion.schemas.site import DoorPair

SAFETY_SYSTEM, EQUIPMENT_SYSTEM = "01", "21"
SURVEY_NOISE_M = 0.5
SHARE_WITHOUT_COORDINATES = 0.15
# A mine's monitoring system sets alarm, power-cut and restore by where the sensor hangs.
GAS_SETTINGS: dict[str | None, tuple[float | None, float | None, float | None]] = {
    "LW_CORNER_T0": (1.0, 1.5, 1.0),
    "LW_FACE_T1": (1.0, 1.5, 1.0),
    "LW_RETURN_T2": (1.0, 1.0, 1.0),
    "LW_INTAKE_T3": (0.5, 0.5, 0.5),
    "HD_FACE_T1": (1.0, 1.5, 1.0),
    "HD_RETURN_T2": (1.0, 1.0, 1.0),
    "DISTRICT_RETURN": (1.0, 1.0, 1.0),
    "TOTAL_RETURN": (0.75, None, None),
    "ELEC_CHAMBER_INTAKE": (0.5, 0.5, 0.5),
    None: (1.0, 1.5, 1.0),
}
VELOCITY_SETTINGS: dict[str, tuple[float | None, float | None]] = {
    "MAIN_AIRWAY": (None, 8.0),
    "BELT_ROAD": (0.25, 6.0),
    "COAL_FACE": (0.25, 4.0),
    "OTHER_ROAD": (0.15, None),
    "SHAFT_MAN": (None, 8.0),
    "SHAFT_MATERIAL": (None, 12.0),
    "SHAFT_NO_HOIST": (None, 15.0),
}


@dataclass(frozen=True)
class Kind:
    """A sensor type as this mine uses it. `step` is the last digit of its values, 0 for a switch."""

    code: str
    name_zh: str
    quantity: str
    value_kind: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    step: float = 0.0
    response_s: float = 0.0  # T90
    noise: float = 0.0
    noise_share: float = 0.0
    on_zh: str = ""
    off_zh: str = ""

    @property
    def decimals(self) -> int:
        return {0.001: 3, 0.01: 2, 0.1: 1}.get(self.step, 0)


CATALYTIC = Kind("0001", "环境瓦斯", "ch4", "MN", "%", 0, 4, 0.01, 18, 0.01)
LASER = Kind("0043", "激光甲烷", "ch4", "MN", "%", 0, 100, 0.01, 20, 0.007)
VELOCITY = Kind("0002", "风速", "air_velocity", "MN", "m/s", 0, 15, 0.01, 5, 0.02, 0.02)
TEMPERATURE = Kind("0003", "环境温度", "temperature", "MN", "℃", -10, 100, 0.1, 60, 0.06)
CO = Kind("0004", "一氧化碳", "co", "MN", "ppm", 0, 500, 1.0, 40, 0.3)
OXYGEN = Kind("0012", "氧气", "o2", "MN", "%", 0, 25, 0.01, 30, 0.02)
# Only where a scenario asks for them.
GOAF_CO = replace(CO, high=2000, response_s=90)
CARBON_DIOXIDE = Kind("0013", "二氧化碳", "co2", "MN", "%", 0, 20, 0.01, 40, 0.008)
HYDROGEN = Kind("0039", "氢气", "h2", "MN", "%", 0, 4, 0.001, 60, 0.0006)
ETHYLENE = Kind("0046", "乙烯", "c2h4", "MN", "ppm", 0, 100, 0.1, 60, 0.03)
ETHANE = Kind("0047", "乙烷", "c2h6", "MN", "ppm", 0, 200, 0.1, 60, 0.03)
NITROGEN = Kind("0045", "氮气", "n2", "MN", "%", 0, 100, 0.01, 60, 0.015)
NO2 = Kind("0041", "二氧化氮", "no2", "MN", "ppm", 0, 20, 0.1, 45, 0.03)
SO2 = Kind("0042", "二氧化硫", "so2", "MN", "ppm", 0, 20, 0.1, 45, 0.04)
H2S = Kind("0009", "硫化氢", "h2s", "MN", "ppm", 0, 100, 0.1, 45, 0.05)
AMMONIA = Kind("0044", "氨气", "nh3", "MN", "ppm", 0, 100, 1.0, 60, 0.3)
HUMIDITY = Kind("0018", "湿度", "humidity", "MN", "%RH", 0, 100, 0.1, 60, 0.4)
BAROMETER = Kind("0048", "压强", "pressure", "MN", "kPa", 60, 120, 0.001, 5, 0.002)
BELT_SPEED = Kind("9307", "皮带速度", "belt_speed", "MN", "m/s", 0, 12, 0.001, 0, 0.004)
DRUM_SPEED = Kind("9312", "滚筒速度", "drum_speed", "MN", "m/s", 0, 12, 0.001, 0, 0.004)
CURRENT = Kind("0017", "电流", "current", "MN", "A", 0, 1000, 0.1, 0, 0.8)
BEARING_WARMTH = Kind("0026", "轴承温度", "bearing_temperature", "MN", "℃", -40, 200, 0.1, 60, 0.2)
VIBRATION = Kind("9301", "振动速度", "vibration_velocity", "MN", "mm/s", 0, 200, 0.01, 0, 0.08)
KURTOSIS = Kind("9313", "振动峭度", "vibration_kurtosis", "MN", "", 0, 1000, 0.01, 0, 0.12)
FAN_PRESSURE = Kind("0006", "负压", "negative_pressure", "MN", "kPa", 0, 10, 0.001, 10, 0.004)
FAN = Kind("1001", "局部通风机", "aux_fan", "KG", on_zh="开", off_zh="停")
DOOR = Kind("1002", "风门", "air_door", "KG", on_zh="打开", off_zh="关闭")
DUCT = Kind("1003", "风筒状态", "duct_state", "KG", on_zh="有风", off_zh="无风")
EQUIPMENT = Kind("1004", "设备开停", "equipment_on", "KG", on_zh="开", off_zh="停")
CUTOFF = Kind("1009", "断电器", "power_cutoff", "KG", on_zh="复电", off_zh="断电")
MAIN_FAN = Kind("1010", "主要通风机", "main_fan", "KG", on_zh="开", off_zh="停")
SMOKE = Kind("1008", "烟雾", "smoke", "KG", on_zh="有烟", off_zh="无烟")
ALARM = Kind("1012", "声光报警器", "alarm_device", "KG", on_zh="报警", off_zh="正常")
FEED = Kind("1011", "馈电器", "feed_detector", "KG", on_zh="有电", off_zh="无电")
SUPPLY = Kind("4002", "电源状态", "power_state", "DT")


@dataclass(frozen=True)
class Point:
    """One measuring point.

    Attributes:
        factor: what hangs at the roof or in a corner sees this many times the mean of the roadway.
        follows: the digital truth that a switch shows: (what, number), such as ("fan", 2).
        cuts: the group whose power this gas sensor cuts.
        machine: the quantity and number of the machine that it watches, such as ("belt_speed", 0).
        system: code of the system that it belongs to.
    """

    code: str
    kind: Kind
    edge: int
    chainage_m: float
    area_id: str
    location: str
    substation: str
    has_coordinates: bool = True
    coordinates: tuple[float, float, float] | None = None
    factor: float = 1.0
    gas_class: str | None = None
    alarm_high: float | None = None
    alarm_low: float | None = None
    cut: float | None = None
    restore: float | None = None
    follows: tuple[str, int] | None = None
    cuts: int | None = None
    machine: tuple[str, int] | None = None
    system: str = SAFETY_SYSTEM


@dataclass(frozen=True)
class Substation:
    code: str
    location: str
    edge: int
    chainage_m: float
    coordinates: tuple[float, float, float]


@dataclass(frozen=True)
class Instruments:
    """All points and substations of a mine, and its door pairs for the site file."""

    points: tuple[Point, ...]
    substations: tuple[Substation, ...]
    door_pairs: tuple[DoorPair, ...]
    power_groups: tuple[str, ...]  # area of each group whose power is cut together
    relations: dict[str, str]


def without_points(instruments: Instruments) -> Instruments:
    """The same mine with no safety-monitoring feed."""
    return replace(instruments, points=(), substations=(), relations={})


@dataclass
class _Installer:
    layout: Layout
    rng: np.random.Generator
    points: list[Point] = field(default_factory=list)
    substations: list[Substation] = field(default_factory=list)
    by_area: dict[str, int] = field(default_factory=dict)
    channels: Counter[tuple[int, str]] = field(default_factory=Counter)
    groups: list[str] = field(default_factory=list)

    def substation(self, edge: int) -> int:
        """Number of the substation that serves the edge's area, installed where there is none yet."""
        area_id = self.layout.edges[edge].area_id
        if area_id not in self.by_area:
            number = len(self.substations) + 1
            along = 0.5 * self.layout.edges[edge].length_m
            code = f"{self.layout.site.mine_code}{number:05d}"
            name = next(area.name_zh for area in self.layout.site.areas if area.area_id == area_id)
            spot = surveyed(self.layout, self.rng, edge, along)
            self.substations.append(Substation(code, f"{name}分站", edge, round(along, 2), spot))
            self.by_area[area_id] = number
        return self.by_area[area_id]

    def install(self, kind: Kind, edge: int, along: float, words: str, **more: object) -> Point:
        """A point at a share `along` of the edge, named by its area and `words`."""
        layout, here = self.layout, self.layout.edges[edge]
        number = self.substation(edge)
        letter = {"MN": "A", "KG": "D", "DT": "S"}[kind.value_kind] if kind is not CUTOFF else "C"
        self.channels[number, letter] += 1
        inner = f"{number:03d}{letter}{self.channels[number, letter]:02d}"
        name = next(area.name_zh for area in layout.site.areas if area.area_id == here.area_id)
        margin = min(8.0, here.length_m / 3)
        chainage = float(np.clip(along * here.length_m + self.rng.normal(0, 1), margin, here.length_m - margin))
        system = EQUIPMENT_SYSTEM if "machine" in more else SAFETY_SYSTEM
        point = Point(
            code=f"{layout.site.mine_code}{system}{kind.value_kind}{kind.code}{inner}",
            system=system,
            kind=kind,
            edge=edge,
            chainage_m=round(chainage, 2),
            area_id=here.area_id,
            location=f"{name}{words}",
            substation=self.substations[number - 1].code,
            coordinates=surveyed(layout, self.rng, edge, chainage),
            **more,  # type: ignore[arg-type]
        )
        self.points.append(point)
        return point

    def gas(
        self, kind: Kind, edge: int, along: float, words: str, *, factor: float = 1.05, cuts: int | None = None
    ) -> None:
        gas_class = self.layout.edges[edge].gas_class
        alarm, cut, restore = GAS_SETTINGS[gas_class]
        self.install(kind, edge, along, words, factor=factor, gas_class=gas_class, alarm_high=alarm, cut=cut,
                     restore=restore, cuts=cuts if cut is not None else None)  # fmt: skip

    def air(self, edge: int, along: float, words: str = "风速") -> None:
        low, high = VELOCITY_SETTINGS[self.layout.edges[edge].air_class]
        self.install(VELOCITY, edge, along, words, alarm_low=low, alarm_high=high)

    def co(self, edge: int, along: float, words: str = "一氧化碳") -> None:
        self.install(CO, edge, along, words, alarm_high=24.0)

    def warmth(self, edge: int, along: float, words: str = "温度", limit: float = 30.0) -> None:
        self.install(TEMPERATURE, edge, along, words, alarm_high=limit)

    def oxygen(self, edge: int, along: float, words: str = "氧气") -> None:
        self.install(OXYGEN, edge, along, words, alarm_low=20.0)

    def switch(self, kind: Kind, edge: int, along: float, words: str, follows: tuple[str, int]) -> Point:
        return self.install(kind, edge, along, words, follows=follows)

    def power_group(self, edge: int, along: float) -> int:
        """A cut-off device, its feed detector and an alarm lamp; gas sensors of the same group drive them."""
        group = len(self.groups)
        self.groups.append(self.layout.edges[edge].area_id)
        self.switch(CUTOFF, edge, along, "动力电源断电器", ("power", group))
        self.switch(FEED, edge, along, "动力电源馈电", ("feed", group))
        self.switch(ALARM, edge, along, "声光报警器", ("alarm", group))
        return group


def surveyed(layout: Layout, rng: np.random.Generator, edge: int, chainage_m: float) -> tuple[float, float, float]:
    x, y, z = layout.at(edge, chainage_m)
    dx, dy, dz = rng.normal(0, SURVEY_NOISE_M / 3**0.5, 3)
    return round(x + dx, 2), round(y + dy, 2), round(z + dz, 2)


def install_instruments(
    layout: Layout,
    rng: np.random.Generator,
    unsurveyed: float = SHARE_WITHOUT_COORDINATES,
    *,
    sensors: Sequence[str] = (),
    more: np.random.Generator | None = None,
) -> Instruments:
    """Every sensor that the rules ask for at faces, headings, returns, chambers, doors and fans, and some more.

    Args:
        unsurveyed: share of the points that have no coordinates.
        sensors: further ones, of SENSORS; they draw from `more`, so that they change nothing at the others.
    """
    at = _Installer(layout, rng)
    pairs = []
    for number, face in enumerate(layout.faces):
        _at_face(at, number, face)
    for number, heading in enumerate(layout.headings):
        _at_heading(at, number, heading)
    for number, face in enumerate(layout.faces):
        first = at.switch(DOOR, face.doors, 0.4, f"{face.number}联络巷1号风门", ("door_a", number))
        second = at.switch(DOOR, face.doors, 0.6, f"{face.number}联络巷2号风门", ("door_b", number))
        pairs.append(DoorPair(f"D{number + 1}", layout.edges[face.doors].area_id, (first.code, second.code)))
    _on_trunk(at)
    at.rng = more or rng
    for name in sensors:
        SENSORS[name](at)
    at.rng = rng
    for number in range(len(at.substations)):
        station = at.substations[number]
        at.switch(SUPPLY, station.edge, 0.5, "分站电源", ("supply", number))
    points = _without_some_coordinates(layout, at.points, unsurveyed, rng)
    relations = dict(_relations(points, pairs))
    return Instruments(points, tuple(at.substations), tuple(pairs), tuple(at.groups), relations)


def _at_face(at: _Installer, number: int, face: Face) -> None:
    first, last = face.intake[0], face.gate[-1]
    group = at.power_group(face.face, 0.1)
    at.gas(LASER, face.corner, 0.5, "回风隅角T0甲烷", factor=1.25, cuts=group)
    at.gas(CATALYTIC, face.face, 0.93, "T1甲烷", cuts=group)
    at.gas(LASER, face.face, 0.5, "中部T1甲烷", factor=1.0, cuts=group)
    at.gas(CATALYTIC, last, 0.95, "T2甲烷", cuts=group)
    at.gas(LASER, last, 0.5, "中部甲烷", cuts=group)
    at.gas(LASER, face.gate[0], 0.06, "超前段甲烷", cuts=group)
    at.gas(CATALYTIC, first, 0.9 if len(face.intake) == 1 else 0.5, "T3甲烷", cuts=group)
    at.gas(LASER, face.intake[-1], 0.8, "转载机处甲烷", cuts=group)
    at.co(face.corner, 0.5, "回风隅角T0一氧化碳")
    at.co(face.face, 0.6, "T1一氧化碳")
    at.co(last, 0.93)
    at.co(first, 0.3)
    at.warmth(face.corner, 0.5, "回风隅角T0温度")
    at.warmth(face.face, 0.5, "T1温度")
    at.warmth(last, 0.9)
    at.warmth(first, 0.2)
    at.oxygen(face.corner, 0.5, "回风隅角T0氧气")
    at.oxygen(last, 0.88)
    at.oxygen(first, 0.35)
    at.air(first, 0.4)
    at.air(last, 0.85)
    at.air(face.face, 0.3, "T1风速")
    for along, words in ((0.3, "采煤机T1"), (0.15, "刮板输送机T1"), (0.05, "乳化液泵T1")):
        at.switch(EQUIPMENT, face.face, along, f"{words}开停", ("face_machine", number))
    for along, words in ((0.95, "转载机"), (0.9, "破碎机"), (0.1, "带式输送机")):
        at.switch(EQUIPMENT, face.intake[-1], along, f"{words}开停", ("face_machine", number))


def _at_heading(at: _Installer, number: int, heading: Heading) -> None:
    group = at.power_group(heading.road, 0.1)
    at.gas(CATALYTIC, heading.face, 0.25, "T1甲烷", cuts=group)
    at.gas(LASER, heading.face, 0.5, "迎头T1甲烷", cuts=group)
    at.gas(CATALYTIC, heading.road, 0.93, "T2甲烷", cuts=group)
    at.gas(LASER, heading.road, 0.5, "中部T2甲烷", cuts=group)
    at.gas(LASER, heading.road, 0.25, "迎头后T2甲烷", cuts=group)
    at.co(heading.road, 0.9, "T2一氧化碳")
    at.co(heading.face, 0.4, "T1一氧化碳")
    at.warmth(heading.face, 0.4, "T1温度")
    at.warmth(heading.road, 0.88, "T2温度")
    at.oxygen(heading.face, 0.35, "T1氧气")
    at.air(heading.road, 0.85, "T2风速")
    at.switch(DUCT, heading.face, 0.6, "T1风筒", ("duct", number))
    at.switch(FAN, heading.supply, 0.92, f"{heading.number}掘进主局部通风机", ("fan", number))
    at.switch(FAN, heading.supply, 0.88, f"{heading.number}掘进备局部通风机", ("spare_fan", number))
    at.switch(EQUIPMENT, heading.face, 0.5, "掘进机T1开停", ("heading_machine", number))
    at.switch(EQUIPMENT, heading.road, 0.5, "带式输送机T2开停", ("heading_machine", number))


def _on_trunk(at: _Installer) -> None:
    layout = at.layout
    for edge in layout.index("district_intake"):
        at.gas(LASER, edge, 0.5, "甲烷")
        at.co(edge, 0.45)
        at.warmth(edge, 0.55)
        at.oxygen(edge, 0.6)
        at.air(edge, 0.4)
    for edge in layout.index("district_return"):
        at.gas(CATALYTIC, edge, 0.5, "甲烷")
        at.gas(LASER, edge, 0.65, "测风站甲烷")
        at.co(edge, 0.45)
        at.warmth(edge, 0.55)
        at.air(edge, 0.4)
    for edge in layout.index("heading_return"):
        at.gas(LASER, edge, 0.35, "掘进回风联络巷甲烷")
        at.air(edge, 0.4, "掘进回风联络巷风速")
    for edge in layout.index("main_return"):
        at.gas(LASER, edge, 0.5, "甲烷")
        at.co(edge, 0.45)
        at.air(edge, 0.4)
        at.warmth(edge, 0.6)
    for edge in layout.index("main_intake"):
        at.gas(LASER, edge, 0.5, "甲烷")
        at.co(edge, 0.45)
        at.air(edge, 0.4)
        at.warmth(edge, 0.6)
    for number, edge in enumerate(layout.index("belt")):
        at.gas(LASER, edge, 0.5, "甲烷")
        for along in (0.15, 0.5, 0.85):
            at.co(edge, along, f"{number + 1}部滚筒下风侧一氧化碳")
        at.air(edge, 0.4)
        at.warmth(edge, 0.6)
        at.switch(SMOKE, edge, 0.2, f"{number + 1}部滚筒烟雾", ("smoke", number))
        at.switch(EQUIPMENT, edge, 0.1, f"{number + 1}部带式输送机开停", ("belt", number))
    for edge in layout.index("chamber"):
        at.gas(LASER, edge, 0.3, "甲烷")
        at.co(edge, 0.5)
        at.warmth(edge, 0.5, limit=34.0)
        at.air(edge, 0.4)
    at.air(layout.index("man_shaft")[0], 0.95)
    at.warmth(layout.index("man_shaft")[0], 0.9)
    at.gas(LASER, layout.main_fan, 0.5, "风硐甲烷")
    at.co(layout.main_fan, 0.4, "风硐一氧化碳")
    at.air(layout.main_fan, 0.5, "风硐风速")
    at.switch(MAIN_FAN, layout.main_fan, 0.9, "1号主要通风机", ("main_fan", 0))
    at.switch(MAIN_FAN, layout.main_fan, 0.92, "2号主要通风机", ("spare_main_fan", 0))


def _fire_gases(at: _Installer) -> None:
    """Carbon dioxide, nitrogen, hydrogen, ethylene and ethane in the returns, and sample tubes behind the faces."""
    for face in at.layout.faces:
        first, last = face.intake[0], face.gate[-1]
        at.install(CARBON_DIOXIDE, first, 0.3, "二氧化碳")
        at.install(NITROGEN, first, 0.3, "氮气")
        for kind in (CARBON_DIOXIDE, NITROGEN, HYDROGEN, ETHYLENE, ETHANE):
            at.install(kind, last, 0.9, kind.name_zh)
        if face.goaf is not None:
            for kind in (LASER, GOAF_CO, OXYGEN, CARBON_DIOXIDE, NITROGEN, HYDROGEN, ETHYLENE, ETHANE, TEMPERATURE):
                at.install(kind, face.goaf, 0.5, f"束管{kind.name_zh}")


def _toxic_gases(at: _Installer) -> None:
    for heading in at.layout.headings:
        for kind in (NO2, SO2, H2S, AMMONIA, CARBON_DIOXIDE):
            at.install(kind, heading.road, 0.3, f"T2{kind.name_zh}")
    for face in at.layout.faces:
        for kind in (H2S, CARBON_DIOXIDE):
            at.install(kind, face.gate[-1], 0.6, kind.name_zh)


def _climate(at: _Installer) -> None:
    """Humidity beside the thermometers of faces, headings and chambers."""
    for face in at.layout.faces:
        at.install(HUMIDITY, face.face, 0.5, "T1湿度")
    for heading in at.layout.headings:
        at.install(HUMIDITY, heading.face, 0.4, "T1湿度")
    for edge in at.layout.index("chamber"):
        at.install(HUMIDITY, edge, 0.5, "湿度")


def _barometers(at: _Installer) -> None:
    at.install(BAROMETER, at.layout.index("pit_bottom")[0], 0.5, "大气压力")
    at.install(FAN_PRESSURE, at.layout.main_fan, 0.6, "风硐负压")


def _at_local_fans(at: _Installer) -> None:
    """Methane and air in front of the local fans, for air that goes round in a circle."""
    for heading in at.layout.headings:
        at.gas(LASER, heading.link, 0.3, f"{heading.number}局部通风机前甲烷")
        at.air(heading.link, 0.5, f"{heading.number}局部通风机前风速")


def _on_conveyors(at: _Installer) -> None:
    for number, edge in enumerate(at.layout.index("belt")):
        name = f"主运输{number + 1}部带式输送机"
        for kind, quantity, words in (
            (BELT_SPEED, "belt_speed", "皮带速度"), (DRUM_SPEED, "drum_speed", "驱动滚筒速度"),
            (CURRENT, "current", "电流"),
            (BEARING_WARMTH, "drum_temperature", "驱动滚筒轴承温度"), (VIBRATION, "vibration", "驱动滚筒轴承振动速度"),
            (KURTOSIS, "kurtosis", "驱动滚筒轴承振动峭度"),
        ):  # fmt: skip
            at.install(kind, edge, 0.12, f"{name}{words}", machine=(quantity, number))


# Sets of sensors that a scenario may ask for beside the usual ones.
SENSORS: dict[str, Callable[[_Installer], None]] = {
    "fire_gases": _fire_gases,
    "toxic_gases": _toxic_gases,
    "climate": _climate,
    "barometers": _barometers,
    "local_fans": _at_local_fans,
    "conveyors": _on_conveyors,
}
# Those that look for more than the usual gases.
NEED_ALL_GASES = ("fire_gases", "toxic_gases", "climate")


def _without_some_coordinates(
    layout: Layout, points: list[Point], share: float, rng: np.random.Generator
) -> tuple[Point, ...]:
    """Take the coordinates off some points whose words alone tell the roadway."""
    edges_in = Counter(edge.area_id for edge in layout.edges)
    telling = [
        number
        for number, point in enumerate(points)
        if edges_in[point.area_id] == 1 or any(mark in point.location for mark in ("T0", "T1", "T2"))
        if edges_in[point.area_id] <= 2
    ]
    wanted = min(len(telling), round(share * len(points)))
    chosen = set(rng.choice(telling, wanted, replace=False).tolist())
    return tuple(
        replace(point, has_coordinates=False, coordinates=None) if number in chosen else point
        for number, point in enumerate(points)
    )


def _relations(points: tuple[Point, ...], pairs: list[DoorPair]) -> Iterator[tuple[str, str]]:
    """Relation field per point: gas sensors to what they cut, doors to their twin."""
    by_code = {point.code: point for point in points}
    device = {point.follows[1]: point for point in points if point.follows and point.follows[0] == "power"}
    for point in points:
        if point.cuts is not None:
            yield point.code, f"D-{device[point.cuts].code}-{device[point.cuts].location}"
    for pair in pairs:
        for mine, other in (pair.points, pair.points[::-1]):
            yield mine, f"G-{other}-{by_code[other].location}"
