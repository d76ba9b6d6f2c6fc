"""The feed families, video and provincial files give the same silver on Spark as on the light engine."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from small_mine import MINE, at

from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.exchange.write import write_file
from minefusion.pipelines.jobs.compare import differences
from minefusion.pipelines.jobs.conform import conform
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.schemas import silver
from minefusion.schemas.settings import load_settings


def send(landing: Path) -> None:
    """One file of each form that silver treats in a way of its own."""
    point = {"point_code": f"{MINE}MN000000001", "data_time": at(1)}
    machine = {"point_code": "A1", "device_code": "FAN1", "point_type_code": "0017", "point_type_name": "A相电流"}
    files = {
        "PSLCDSS": [point | {"flow": 320.5, "total": 800}],
        "ZKYL": [{"point_code": point["point_code"], "sensor_type_code": "1202", "location": "切眼"}],
        "ZKSS": [point | {"sensor_type_code": "1202", "value": 7.85, "status": 4}],
        "ZKYC": [point | {"abnormal_type": "1", "begin_time": at(0), "max_value": 14.2}],
        "JBSJ": [{"device_code": "FAN1", "device_name": "主扇", "belonging_system": "TFJK"}],
        "TFJK_JC": [machine | {"unit": "A"}],
        "TFJK_SS": [machine | {"point_value": 41, "point_status": "good", "data_time": at(1)}],
        "TFJK_YC": [{"point_code": "A1", "device_code": "FAN1", "alarm_start_time": at(0), "data_time": at(1)}],
        "WZSJ": [{"event_id": "E", "event_time": at(1), "energy": 2e4, "x": 5, "y": 6, "z": 7}],
        "RGJL": [{"record_id": "1", "record_kind": "gas_sample", "quantity": "co", "value": 0.002, "unit": "%",
                  "measured_time": at(0)}],
        "SSSJ": [{"terminal_code": "T", "longitude": 103.1, "latitude": 36.2, "data_time": at(1), "person_state": "1"}],
    }  # fmt: skip
    for kind, rows in files.items():
        write_file(landing, kind, MINE, "示范煤矿", at(2), rows)
    local = "2026-03-01 12:01:00"
    event = {"cameraCode": "62000000411320000001", "analysisType": "03", "analysisCase": "0007", "dataTime": local}
    (landing / f"{MINE}_videoAnomaly_20260301120200.json").write_text(json.dumps([event]))
    (landing / f"{MINE}_camera_20260301120200.json").write_text(
        json.dumps([{"cameraCode": "62000000411320000001", "positionDesc": "井口", "dataTime": local}])
    )
    provincial = landing / "prov"
    provincial.mkdir()
    about = {"province": "1", "city": "2", "county": "3", "mine_code": "62000000001", "substation_code": "001",
             "sensor_code": "001A01", "sensor_type": "1", "data_time": at(1)}  # fmt: skip
    write_file(provincial, "AQMC", "62000000001", "", at(1), [about | {"unit": "%", "range_high": 4}])
    values = [about | {"value": 0.4, "sensor_state": "标校", "substation_state": 1}]
    write_file(provincial, "AQSS", "62000000001", "", at(1), values)
    write_file(provincial, "AQFZ", "62000000001", "", at(5), [about | {"max_value": 0.4, "data_time": at(5)}])


@pytest.mark.usefixtures("spark")
def test_same_rows_on_both_engines(landing: Path, tmp_path: Path):
    from minefusion.pipelines.engines.spark import SparkEngine

    send(landing)
    later = datetime.fromtimestamp(max(file.stat().st_mtime for file in landing.rglob("*")) + 60, UTC)

    def conformed(engine: Engine) -> Path:
        ingest(engine.settings, landing, engine=engine, now=lambda: later)
        conform(engine)
        return engine.settings.lake

    light = conformed(LightEngine(load_settings(lake=tmp_path / "light", provincial=("prov",))))
    reader = LightEngine(load_settings(lake=light))
    for table in (
        silver.READING, silver.WATER_READING, silver.SUPPORT_PRESSURE, silver.EQUIPMENT_STATE, silver.SEISMIC_EVENT,
        silver.FIELD_RECORD, silver.VEHICLE_POSITION, silver.VIDEO_EVENT, silver.CAMERA, silver.EQUIPMENT,
        silver.REPORTED_ABNORMALITY, silver.READING_5MIN,
    ):  # fmt: skip
        assert reader.to_arrow(reader.read(table)).num_rows, table.name
    spark = conformed(SparkEngine(load_settings(lake=tmp_path / "spark", provincial=("prov",))))
    assert differences(light, spark) == {}
