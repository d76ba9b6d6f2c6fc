"""Records of the feeds beside safety monitoring and positioning: definitions and values of every kind.

Each function gives one kind as a frame, as in `safety_files`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from minefusion.pipelines.simulate.channels import Device, Shown
from minefusion.pipelines.simulate.safety_files import definition_times
from minefusion.pipelines.simulate.seismic import M_C, Shock
from minefusion.pipelines.simulate.texts import Clock

DEFINED_AT = (0, 15)
INSTALLED = "2024-05-20"
MAKER = "示范厂家"

Row = dict[str, str | None]


@dataclass(frozen=True)
class Values:
    """How a kind's value records name their device and their time, and what else they say of it."""

    code: str = "point_code"
    time: str = "data_time"
    constant: Mapping[str, str] = field(default_factory=dict)
    told: tuple[str, ...] = ()  # columns taken from the device: location, or one of its `about`


VALUES: dict[str, Values] = {
    "JSLCDSS": Values(constant={"status": "0"}),
    "DBSCDSS": Values(constant={"status": "0"}),
    "CGKCDSS": Values(constant={"status": "0"}),
    "YSLCDSS": Values(constant={"status": "0"}),
    "PSLCDSS": Values(constant={"status": "0"}),
    "SBCDSS": Values(told=("pump_name",)),
    "SFSCDSS": Values(told=("location",)),
    "ZJSS": Values(constant={"sensor_type_code": "1101", "status": "0"}, told=("location", "point_no")),
    "ZKSS": Values(constant={"sensor_type_code": "1201", "status": "0"}, told=("location",)),
    "MGSS": Values(constant={"sensor_type_code": "1301", "status": "0"}, told=("location",)),
    "LCSS": Values(constant={"sensor_type_code": "1401", "status": "0"}, told=("location",)),
    "WYSS": Values(constant={"sensor_type_code": "9405", "status": "0"}, told=("location",)),
    "KSWSS": Values(code="device_code"),
    "GTXSS": Values(code="device_code", constant={"constant_57_2": "57.2", "constant_0": "0"}),
    "JYLSS": Values(code="device_code"),
    "QRXSS": Values(code="device_code", constant={"status": "1"}),
    "BWYSS": Values(code="device_code"),
    "gnssrealtime": Values(code="equip_no", time="monitor_time"),
    "TFJK_SS": Values(constant={"point_status": "0"}, told=("point_type_code", "point_type_name", "device_code")),
    "PSJK_SS": Values(constant={"point_status": "0"}, told=("point_type_code", "point_type_name", "device_code")),
}
SYSTEMS = {"TFJK": ("30", "主要通风机监控系统"), "PSJK": ("31", "主排水监控系统")}
PRESSURE_SYSTEM = {"system_name": "矿压监测系统", "system_model": "KJ21X"}


def header_of(kind: str, clock: Clock) -> dict[str, str]:
    """Further header fields of a kind."""
    if kind == "JBSJ":
        return {"system_code": "JBSJ", "system_name": "设备基本信息"}
    if kind[:4] in SYSTEMS:
        code, name = SYSTEMS[kind[:4]]
        return {"system_code": code, "system_name": name}
    if kind in ("ZJZL", "MGYL", "DBLC", "HDWY"):
        return PRESSURE_SYSTEM | {"system_date": clock.one(0)[:10]}
    return {}


def values(kind: str, shown: Sequence[Shown], clock: Clock, file_s: int, seconds: float) -> pl.DataFrame:
    """Value records of a kind: every sample that its devices sent, in files each `file_s`."""
    about = VALUES[kind]
    by_device: dict[str, list[Shown]] = {}
    for each in shown:
        by_device.setdefault(each.channel.device.code, []).append(each)
    parts = []
    for number, of_device in enumerate(by_device.values()):
        device, at_s = of_device[0].channel.device, of_device[0].at_s
        columns = {each.channel.column: each.texts() for each in of_device}
        if about.told[-1:] == ("device_code",):
            columns["point_unit"] = pl.repeat(of_device[0].channel.unit, len(at_s), eager=True)
        frame = pl.DataFrame({"at_s": at_s, "order": np.full(len(at_s), number), **columns}).with_columns(
            pl.lit(device.code).alias(about.code),
            *(pl.lit(text).alias(name) for name, text in about.constant.items()),
            *(pl.lit(_told(device, name)).alias(name) for name in about.told),
        )
        parts.append(frame.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in columns)))
    rows = pl.concat(parts)
    rows = rows.with_columns((-(-pl.col("at_s") // file_s) * file_s).alias("sent_s"))
    rows = rows.filter(pl.col("sent_s") <= int(seconds)).sort("sent_s", "at_s", "order")
    at = rows["at_s"].to_numpy()
    rows = rows.with_columns(clock(at).alias(about.time))
    if kind in ("JSLCDSS", "SBCDSS"):
        period = shown[0].channel.period_s
        rows = rows.with_columns(clock(at - period).alias("begin_time"), clock(at).alias("end_time"))
    return rows.drop("at_s", "order")


def _told(device: Device, name: str) -> str | None:
    return device.location if name == "location" else device.about.get(name)


def definitions(kind: str, devices: Iterable[Device], clock: Clock, seconds: float) -> pl.DataFrame:
    """Definition records of a kind, once at first and once a day."""
    rows = [_DEFINED[kind](device, clock) for device in devices]
    times = definition_times(clock, seconds, DEFINED_AT)
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return pl.concat([frame.with_columns(pl.lit(second).alias("sent_s")) for second in times])


def _grid(device: Device) -> Row:
    return {axis: f"{value:.2f}" for axis, value in zip("xyz", device.spot, strict=True)}


def _degrees(device: Device) -> Row:
    longitude, latitude, altitude = device.spot
    return {"longitude": f"{longitude:.6f}", "latitude": f"{latitude:.6f}", "altitude": f"{altitude:.2f}"}


def _rain_gauge(device: Device, _: Clock) -> Row:
    return {"point_code": device.code, "device_type": "3", "location": device.location, "install_date": INSTALLED,
            "manufacturer": MAKER, "inspection_date": INSTALLED, **_grid(device)}  # fmt: skip


def _river(device: Device, _: Clock) -> Row:
    return {"point_code": device.code, "device_type": "1", "location": device.location, "install_date": INSTALLED,
            "manufacturer": MAKER, "inspection_date": INSTALLED, "sensor_type_code": "0502", "unit": "m",
            **_grid(device)}  # fmt: skip


def _hole(device: Device, clock: Clock) -> Row:
    return {"point_code": device.code, "sensor_type_code": "0502", "location": device.location,
            "stratum": device.about["stratum"], "hole_depth": device.about["hole_depth"], "hole_diameter": "133",
            **_grid(device), "define_date": clock.one(0)[:10]}  # fmt: skip


def _inflow(device: Device, clock: Clock) -> Row:
    return {"point_code": device.code, "location": device.location, "coverage": device.about["coverage"],
            "sensor_type_code": "0503", "unit": "m3/h", **_grid(device), "define_date": clock.one(0)[:10]}  # fmt: skip


def _pump(device: Device, clock: Clock) -> Row:
    told = {name: device.about[name] for name in ("pump_room", "pump_name", "pump_nominal_flow")}
    return {"point_code": device.code, "location": device.location, "coverage": "全矿井", **_grid(device), **told,
            "pump_efficiency": "75", "define_date": clock.one(0)[:10]}  # fmt: skip


def _drainage_hole(device: Device, clock: Clock) -> Row:
    return {"point_code": device.code, "location": device.location, "unit": "m3/h",
            "target_stratum": device.about["target_stratum"], "hole_depth": "85.0", "hole_diameter": "94",
            **_grid(device), "define_time": clock.one(0)}  # fmt: skip


def _support(device: Device, clock: Clock) -> Row:
    told = {name: device.about[name] for name in ("area_name", "substation_no", "point_no")}
    # Cylinder area [cm²], setting load [kN] and pressure [MPa], yield load [kN] and pressure [MPa], alarm high and low.
    parameters = ("1256.6", "6030", "24.0", "10550", "42.0", "40.0", "15.0")
    numbered = {f"support_param_{n}": value for n, value in enumerate(parameters, start=1)}
    return {"point_code": device.code, **told, "sensor_type_code": "1101", "location": device.location,
            **_grid(device), **numbered, "define_date": clock.one(0)[:10]}  # fmt: skip


def _stress(device: Device, _: Clock) -> Row:
    return {"point_code": device.code, "area_name": device.about["area_name"], "sensor_type_code": "1201",
            "location": device.location, "install_depth": device.about["install_depth"], "install_date": INSTALLED,
            **_grid(device), "initial_stress": "6.0"}  # fmt: skip


def _bolt(device: Device, _: Clock) -> Row:
    return {"point_code": device.code, "area_name": device.about["area_name"], "sensor_type_code": "1301",
            "location": device.location, "install_date": INSTALLED, **_grid(device),
            "initial_load": device.about["initial_load"]}  # fmt: skip


def _separation(device: Device, _: Clock) -> Row:
    told = {name: device.about[name] for name in ("area_name", "roadway", "shallow_param", "deep_param")}
    return {"point_code": device.code, "sensor_type_code": "1401", "location": device.location,
            "install_date": INSTALLED, **_grid(device), **told}  # fmt: skip


def _convergence(device: Device, _: Clock) -> Row:
    told = {name: device.about[name] for name in ("area_name", "roadway")}
    return {"point_code": device.code, "sensor_type_code": "9405", "location": device.location,
            "install_date": INSTALLED, **_grid(device), **told}  # fmt: skip


def _at_the_pond(device: Device, _: Clock) -> Row:
    told = {name: device.about[name] for name in ("install_height", "hole_depth", "infiltration_depth")
            if name in device.about}  # fmt: skip
    return {"device_code": device.code, "device_name": device.location, "install_date": INSTALLED,
            "location": device.location, "manufacturer": MAKER, "power_comm_mode": "太阳能/4G", **told,
            **_degrees(device), "device_state": "1"}  # fmt: skip


def _receiver(device: Device, clock: Clock) -> Row:
    return {"equip_no": device.code, "equip_name": device.about["equip_name"], "equip_location": device.location,
            "open_pit_no": device.about["open_pit_no"], "slope_no": device.about["slope_no"],
            "installation_date": INSTALLED, **_degrees(device), "manufacture": MAKER, "in_use": "1", "breakdown": "0",
            "create_time": clock.one(0), "update_time": clock.one(0)}  # fmt: skip


def _machine_point(device: Device, clock: Clock) -> Row:
    told = {name: device.about[name] for name in ("point_type_code", "point_type_name", "device_code", "alarm_upper")}
    return {"point_code": device.code, **told, "point_location": device.location, "unit": device.about["unit"],
            "data_define_time": clock.one(0)}  # fmt: skip


_DEFINED = {
    "JSLCDDY": _rain_gauge, "DBSCDDY": _river, "CGKCDDY": _hole, "YSLCDDY": _inflow, "PSLCDDY": _pump,
    "SFSCDDY": _drainage_hole, "ZJZL": _support, "ZKYL": _stress, "MGYL": _bolt, "DBLC": _separation,
    "HDWY": _convergence, "KSWDY": _at_the_pond, "GTXDY": _at_the_pond, "JYLDY": _at_the_pond, "QRXDY": _at_the_pond,
    "BWYDY": _at_the_pond, "gnssbaseinfo": _receiver, "TFJK_JC": _machine_point, "PSJK_JC": _machine_point,
}  # fmt: skip
# Which kind defines the devices of which.
DEFINED_BY = {
    "JSLCDSS": "JSLCDDY", "DBSCDSS": "DBSCDDY", "CGKCDSS": "CGKCDDY", "YSLCDSS": "YSLCDDY", "PSLCDSS": "PSLCDDY",
    "SFSCDSS": "SFSCDDY", "ZJSS": "ZJZL", "ZKSS": "ZKYL", "MGSS": "MGYL", "LCSS": "DBLC", "WYSS": "HDWY",
    "KSWSS": "KSWDY", "GTXSS": "GTXDY", "JYLSS": "JYLDY", "QRXSS": "QRXDY", "BWYSS": "BWYDY",
    "gnssrealtime": "gnssbaseinfo", "TFJK_SS": "TFJK_JC", "PSJK_SS": "PSJK_JC",
}  # fmt: skip


def machines(shown: Sequence[Shown], clock: Clock, seconds: float) -> pl.DataFrame:
    """JBSJ: the machines that the points belong to."""
    about = {
        "FJ": ("轴流式主要通风机", "FBCDZ-8-No28", "主要通风机", "630"),
        "SB": ("矿用耐磨多级离心泵", "MD280-65X8", "主排水", "710"),
    }
    rows: dict[str, Row] = {}
    for each in shown:
        device = each.channel.device
        code = device.about["device_code"]
        if code[:2] in about:
            name, model, system, power = about[code[:2]]
            rows[code] = {
                "device_code": code, "device_name": f"{int(code[2:])}号{name}", "spec_model": model,
                "device_category": system, "production_date": INSTALLED, "belonging_system": system,
                "install_date": INSTALLED, "install_location": device.location, "manufacturer": MAKER,
                "factory_code": f"F{code}", "rated_voltage": "6000", "rated_current": "100", "rated_power": power,
            }  # fmt: skip
    times = definition_times(clock, seconds, DEFINED_AT)
    frame = pl.DataFrame(list(rows.values()))
    return pl.concat([frame.with_columns(pl.lit(second).alias("sent_s")) for second in times])


def shocks(
    seen: Sequence[Shock], faces: Sequence[tuple[str, str]], clock: Clock, file_s: int, seconds: float,
    errors: np.ndarray, blast_told: np.ndarray,
) -> pl.DataFrame:  # fmt: skip
    """WZSJ: located events, in files each `file_s` that hold one.

    Args:
        faces: (name of the place of an event, of a blast) by number of the face or heading.
        errors: events × xyz, by how much each location is wrong [m].
    """
    rows: list[dict[str, str | int | None]] = []
    for number, (shock, error, told) in enumerate(zip(seen, errors, blast_told, strict=True), start=1):
        x, y, z = (value + wrong for value, wrong in zip(shock.spot, error, strict=True))
        rows.append(
            {
                "sent_s": int(-(-shock.at_s // file_s) * file_s),
                "event_id": f"WZ{clock.one(0)[:10].replace('-', '')}{number:06d}",
                "system_code": "14",
                "event_time": f"{clock.one(shock.at_s)}.{int(shock.at_s * 1000) % 1000:03d}",
                "x": f"{x:.1f}", "y": f"{y:.1f}", "z": f"{z:.1f}",
                "energy": f"{shock.energy_j:.4g}",
                "magnitude": f"{shock.magnitude:.1f}",
                "station_count": str(min(16, 5 + int(3 * (shock.magnitude - M_C)))),
                "location_error": f"{float(np.hypot(error[0], error[1])):.1f}",
                "area_name": faces[shock.face][int(shock.is_blast)],
                "peak_amplitude": f"{1e-5 * 10 ** (0.6 * shock.magnitude):.3g}",
                "data_time": clock.one(shock.at_s),
                "moment": f"{shock.moment_nm:.4g}",
                "is_blast": str(int(shock.is_blast and told)),
            }
        )  # fmt: skip
    schema = {name: pl.Int64 if name == "sent_s" else pl.String for name in _WZSJ}
    frame = pl.DataFrame(rows, schema=schema)
    return frame.filter(pl.col("sent_s") <= int(seconds)).sort("sent_s", maintain_order=True)


_WZSJ = (
    "sent_s", "event_id", "system_code", "event_time", "x", "y", "z", "energy", "magnitude", "station_count",
    "location_error", "area_name", "peak_amplitude", "data_time", "moment", "is_blast",
)  # fmt: skip
