"""A bridge's file is checked whole, and holds no secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from gateway import MINE

from minefusion.pipelines.bridges.config import load_bridge
from minefusion.schemas.errors import InputError
from minefusion.schemas.settings import PROJECT

MQTT: dict[str, Any] = {
    "name": "gateway",
    "mines": {MINE: "示范煤矿"},
    "landing": "landing",
    "mqtt": {"host": "broker", "topics": ["mine/+/messages"]},
}


def written(tmp_path: Path, told: Any) -> Path:
    path = tmp_path / "gateway.yaml"
    path.write_text(yaml.safe_dump(told, allow_unicode=True), encoding="utf-8")
    return path


def test_folders_are_beside_the_file_and_secrets_outside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BROKER_PASSWORD", "hidden")
    (tmp_path / "key").write_text("signed\n")
    mqtt = MQTT["mqtt"] | {"username": "gateway", "password_env": "BROKER_PASSWORD"}
    config = load_bridge(written(tmp_path, MQTT | {"mqtt": mqtt, "signature_file": "key"}), "mqtt", tmp_path / "home")
    assert config.folder == tmp_path / "landing" / "gateway"
    assert config.spool == tmp_path / "home" / "bridges"
    assert (config.password, config.rules.secret) == ("hidden", b"signed")
    assert "hidden" not in repr(config)
    assert "signed" not in repr(config)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"name": "A b"}, "name as small letters"),
        ({"mines": {}}, "mines as 12-digit code"),
        ({"mines": {"62": "x"}}, "mines as 12-digit code"),
        ({"landing": None}, "landing as a folder"),
        ({"mqtt": None}, "mqtt as a section"),
        ({"mqtt": {"topics": []}}, "at least one topic"),
        ({"mqtt": {"topics": [{"topic": "t", "form": "values"}]}}, "one of the mines"),
        ({"mqtt": {"topics": ["t"], "password": "plain"}}, "got 'password'"),
        ({"mqtt": {"topics": ["t"], "password_env": "NOT_SET_ANYWHERE"}}, "found none; set it"),
        ({"mqtt": {"topics": ["t"], "tls": {"insecure": True}}}, "got 'insecure'"),
        ({"most_waiting": 0}, "most_waiting as a whole number"),
        ({"colour": "red"}, "got 'colour'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, other: dict[str, Any], expected: str):
    with pytest.raises(InputError, match="expected") as refused:
        load_bridge(written(tmp_path, MQTT | other), "mqtt", tmp_path)
    assert expected in str(refused.value)


def test_nodes_name_their_point(tmp_path: Path):
    node = {"node": "ns=2;s=CH4", "mine": MINE, "point_code": "P1", "unit": "%"}
    told = {name: MQTT[name] for name in ("name", "mines", "landing")}
    config = load_bridge(written(tmp_path, told | {"opcua": {"nodes": [node]}}), "opcua", tmp_path)
    assert (config.nodes[0].point_code, dict(config.nodes[0].about)) == ("P1", {"unit": "%"})
    with pytest.raises(InputError, match="nodes as"):
        load_bridge(written(tmp_path, told | {"opcua": {"nodes": [{"node": "x"}]}}), "opcua", tmp_path)


@pytest.mark.parametrize("protocol", ["mqtt", "kafka", "opcua"])
def test_the_printed_examples_are_right(tmp_path: Path, protocol: str, monkeypatch: pytest.MonkeyPatch):
    for name in ("MINE_GATEWAY_KEY", "MINE_BROKER_PASSWORD", "MINE_KAFKA_PASSWORD", "MINE_PLC_PASSWORD"):
        monkeypatch.setenv(name, "secret")
    config = load_bridge(PROJECT / "docs" / "examples" / f"bridge.{protocol}.yaml", protocol, tmp_path)
    assert config.password == "secret"
    assert config.topics or config.nodes


def test_no_file_and_no_yaml_are_refused(tmp_path: Path):
    with pytest.raises(InputError, match="No such file"):
        load_bridge(tmp_path / "none.yaml", "mqtt", tmp_path)
    (tmp_path / "bad.yaml").write_text("a: [")
    with pytest.raises(InputError, match="expected YAML"):
        load_bridge(tmp_path / "bad.yaml", "mqtt", tmp_path)
