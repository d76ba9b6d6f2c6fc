"""A bridge's configuration: one YAML file, checked whole; secrets come from the environment or from files."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from minefusion.pipelines.bridges.message import Rules
from minefusion.schemas.errors import InputError

PROTOCOLS = ("mqtt", "kafka", "opcua")
FORMS = ("messages", "values")
_COMMON = {"name", "mines", "landing", "spool", "most_waiting", "most_message_bytes", "signature_env", "signature_file"}
_SECRETS = {"password_env", "password_file"}
_OF_PROTOCOL = {
    "mqtt": {"host", "port", "client_id", "username", "tls", "topics"} | _SECRETS,
    "kafka": {"servers", "group", "username", "mechanism", "tls", "topics"} | _SECRETS,
    "opcua": {"endpoint", "username", "security", "period_ms", "history", "nodes"} | _SECRETS,
}
_TLS = {"ca", "cert", "key"}


@dataclass(frozen=True)
class Topic:
    """Where messages come from; `values` are a number each, of the point that the topic's end or the key names."""

    topic: str
    form: str = "messages"
    mine: str = ""


@dataclass(frozen=True)
class Node:
    """A variable of an OPC UA server, and the point that it is."""

    node: str
    mine: str
    point_code: str
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BridgeConfig:
    """All that a bridge needs to know.

    Attributes:
        name: also the name of its folder in the landing folder and of its spool.
        options: of the protocol, as in the file.
        password: null where the server asks for none.
    """

    name: str
    protocol: str
    landing: Path
    spool: Path
    rules: Rules
    most_waiting: int
    options: Mapping[str, Any]
    topics: tuple[Topic, ...] = ()
    nodes: tuple[Node, ...] = ()
    password: str | None = field(default=None, repr=False)

    @property
    def folder(self) -> Path:
        """Where its files go."""
        return self.landing / self.name


def load_bridge(path: Path, protocol: str, home: Path) -> BridgeConfig:
    """Read and check a bridge's file.

    Args:
        home: folder of the spool where the file names none.

    Raises:
        InputError: what was expected, what came and where.
    """
    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"expected a bridge's configuration in {path}, got: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"expected YAML in {path}, got: {' '.join(str(error).split())}") from None
    file = _File(path, told if isinstance(told, dict) else {})
    options = file.get(protocol, dict)
    file.refuse_unknown(file.told, _COMMON | {protocol}, "")
    file.refuse_unknown(options, _OF_PROTOCOL[protocol], f"{protocol}: ")
    file.refuse_unknown(options.get("tls") or {}, _TLS, f"{protocol}: tls: ")
    name = file.get("name", str)
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,40}", name):
        raise file.wrong("name as small letters, digits, - and _", name)
    mines = {str(code): str(named) for code, named in file.get("mines", dict).items()}
    if not mines or not all(re.fullmatch(r"\d{12}", code) for code in mines):
        raise file.wrong("mines as 12-digit code: name", mines)
    most_bytes, most_waiting = file.number("most_message_bytes", 1 << 20), file.number("most_waiting", 100_000)
    signed_by = file.secret(file.told, "signature")
    rules = Rules(mines, most_bytes, secret=signed_by.encode() if signed_by else None)
    return BridgeConfig(
        name=name,
        protocol=protocol,
        landing=file.folder("landing", None),
        spool=file.folder("spool", home / "bridges"),
        rules=rules,
        most_waiting=most_waiting,
        options=options,
        topics=tuple(file.topics(options.get("topics"), mines)) if protocol != "opcua" else (),
        nodes=tuple(file.nodes(options.get("nodes"), mines)) if protocol == "opcua" else (),
        password=file.secret(options, "password"),
    )


@dataclass(frozen=True)
class _File:
    """The file as read; what it says is taken out of it checked."""

    path: Path
    told: Mapping[str, Any]

    def wrong(self, expected: str, got: Any) -> InputError:
        return InputError(f"expected {expected} in {self.path}, got {str(got)[:80]!r}")

    def refuse_unknown(self, told: Mapping[str, Any], known: set[str], where: str) -> None:
        unknown = sorted(map(str, set(told) - known))
        if unknown:
            raise self.wrong(f"{where}one of {', '.join(sorted(known))}", unknown[0])

    def get(self, name: str, kind: type) -> Any:
        value = self.told.get(name)
        if not isinstance(value, kind):
            raise self.wrong(f"{name} as {'a section' if kind is dict else 'a text'}", value)
        return value

    def number(self, name: str, default: int) -> int:
        value = self.told.get(name, default)
        if type(value) is not int or value < 1:
            raise self.wrong(f"{name} as a whole number over 0", value)
        return value

    def folder(self, name: str, default: Path | None) -> Path:
        value = self.told.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or not value:
            raise self.wrong(f"{name} as a folder", value)
        return (self.path.parent / Path(value).expanduser()).resolve()

    def secret(self, told: Mapping[str, Any], name: str) -> str | None:
        """The secret that `<name>_env` or `<name>_file` points to; it never stands in the file itself."""
        variable, file = told.get(f"{name}_env"), told.get(f"{name}_file")
        if variable is not None:
            if not os.environ.get(str(variable)):
                raise InputError(f"expected the secret {name} in the environment as {variable}, found none; set it")
            return os.environ[str(variable)]
        if file is not None:
            try:
                return (self.path.parent / str(file)).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise InputError(f"expected the secret {name} in {file}, got: {error.strerror}") from None
        return None

    def topics(self, told: Any, mines: Mapping[str, str]) -> list[Topic]:
        found = []
        for each in told if isinstance(told, list) else []:
            each = {"topic": each} if isinstance(each, str) else each
            topic = Topic(**each) if isinstance(each, dict) and set(each) <= {"topic", "form", "mine"} else Topic("")
            is_placed = topic.form == "messages" or topic.mine in mines
            if not topic.topic or topic.form not in FORMS or not is_placed:
                raise self.wrong("topics as topic, form (messages or values) and, of values, one of the mines", each)
            found.append(topic)
        if not found:
            raise self.wrong("at least one topic", told)
        return found

    def nodes(self, told: Any, mines: Mapping[str, str]) -> list[Node]:
        known = {"node", "mine", "point_code", "sensor_type_name", "location", "unit"}
        found = []
        for each in told if isinstance(told, list) else []:
            needed = {"node", "mine", "point_code"}
            if not isinstance(each, dict) or not needed <= set(each) <= known or str(each["mine"]) not in mines:
                raise self.wrong(f"nodes as {', '.join(sorted(known))}, with one of the mines", each)
            about = {name: str(each[name]) for name in sorted(known - needed) if name in each}
            found.append(Node(str(each["node"]), str(each["mine"]), str(each["point_code"]), about))
        if not found:
            raise self.wrong("at least one node", told)
        return found
