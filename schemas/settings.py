"""Settings: built once from `minefusion.toml`, the environment and the command line, checked here, then passed down.

Precedence, last wins: defaults, file, environment, command line. A key has one name in three spellings:
`[spark] master` in the file, `MINEFUSION_SPARK_MASTER` in the environment, `spark_master=` in `load_settings`.
No other file of ours reads the environment for a setting.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from minefusion.schemas.errors import InputError

FILE_NAME = "minefusion.toml"
ENVIRONMENT_PREFIX = "MINEFUSION_"
# One driver JVM gains little beyond this many task threads; a cluster is named by its own master.
MOST_LOCAL_THREADS = 8

Lang = Literal["zh", "en"]
# What a webhook takes: plain JSON of ours, or the text message of a work chat's robot.
WebhookForm = Literal["json", "wecom", "dingtalk", "feishu"]
EngineChoice = Literal["auto", "light", "spark"]


def _project() -> Path:
    """The folder this code was installed from, else (installed as a wheel) the current one."""
    root = Path(__file__).resolve().parents[1]
    return root if (root / "pyproject.toml").is_file() else Path.cwd()


PROJECT = _project()
HOME = PROJECT / ".minefusion"


def _local_master() -> str:
    return f"local[{min(os.cpu_count() or 1, MOST_LOCAL_THREADS)}]"


def _mlflow_in(home: Path) -> str:
    return f"sqlite:///{home / 'mlflow.db'}"


def _database_in(home: Path) -> str:
    return f"sqlite:///{home / 'control-room.db'}"


def _matching(pattern: str, expected: str) -> dict[str, str]:
    """Field metadata: the value, or each value of a mapping, must match `pattern` whole."""
    return {"pattern": pattern, "expected": expected}


def _between(low: int, high: int) -> dict[str, int]:
    """Field metadata: the whole number lies in [low, high]."""
    return {"low": low, "high": high}


@dataclass(frozen=True)
class SparkSettings:
    """How a Spark session is made. A master that is not `local…` means a cluster."""

    master: str = field(
        default_factory=_local_master,
        metadata=_matching(r"(local|spark|k8s|yarn).*", "local[N] or a cluster's address"),
    )
    driver_memory: str = field(default="2g", metadata=_matching(r"[1-9]\d*[mg]", "a size such as 2g or 1500m"))
    jars: Path = PROJECT / ".jars"

    @property
    def is_local(self) -> bool:
        """Whether driver and workers are threads of one process."""
        return self.master.startswith("local")


@dataclass(frozen=True)
class AirflowSettings:
    """Where Airflow lives and which engine its DAGs give to the jobs."""

    home: Path = PROJECT / ".airflow"
    dags: Path = PROJECT / "dags"
    port: int = field(default=8080, metadata=_between(1, 65_535))
    landing: Path = HOME / "landing"
    mines: tuple[str, ...] = ()
    ingest_engine: EngineChoice = "light"
    hazard_engine: EngineChoice = "spark"


@dataclass(frozen=True)
class NoticeSettings:
    """Who is told of a failure. Nobody, unless `webhook` or `mail_to` says whom.

    An address of a webhook and a password are secrets: give them by the environment.

    Attributes:
        webhook_form: what the address takes.
        smtp_security: `starttls` begins plainly and goes on encrypted, `tls` is encrypted from the start.
        repeat_min: the same failure is told again after so long [min].
    """

    webhook: str = field(default="", repr=False, metadata=_matching(r"https?://\S+", "an address, http:// or https://"))
    webhook_form: WebhookForm = "json"
    mail_to: tuple[str, ...] = ()
    mail_from: str = field(default="minefusion@localhost", metadata=_matching(r"[^@\s]+@[^@\s]+", "a mail address"))
    smtp_host: str = "localhost"
    smtp_port: int = field(default=25, metadata=_between(1, 65_535))
    smtp_security: Literal["none", "starttls", "tls"] = "none"
    smtp_user: str = ""
    smtp_password: str = field(default="", repr=False)
    repeat_min: int = field(default=60, metadata=_between(0, 7 * 24 * 60))

    @property
    def is_on(self) -> bool:
        return bool(self.webhook or self.mail_to)


@dataclass(frozen=True)
class VideoSettings:
    """How video is looked at.

    Attributes:
        detector: `champion`, a detector that comes with the project, or an .onnx file.
        pose: network that says by joints whether a body lies: `yolov8n_pose` or an .onnx file; '' for by its outline.
        image_px: longer side of a picture as the network sees it; 0: as in training.
        pictures_per_s: pictures of a clip that are looked at each second.
        evidence_heads: whether heads can be recognised in the pictures kept of events.
        training_data: data.yaml of the mine's own labelled pictures, on which the detector is trained each week; '' for
            no training. training_weights: the checkpoint to begin with.
    """

    detector: str = "champion"
    pose: str = ""
    device: Literal["cpu", "cuda", "tensorrt"] = "cpu"
    image_px: int = field(default=0, metadata=_between(0, 4096))
    pictures_per_s: int = field(default=5, metadata=_between(1, 60))
    evidence_heads: Literal["blurred", "shown"] = "blurred"
    training_data: str = ""
    training_weights: str = "yolo26n.pt"


@dataclass(frozen=True)
class Settings:
    """All of minefusion's settings.

    Attributes:
        lake: folder of the Delta tables, and of what goes with them on a machine: locks, site files.
        tables: `s3://bucket/prefix` of an S3-compatible store that holds the tables instead; '' for in the lake. Its
            address and keys are the environment's own AWS_… variables, and never a setting.
        engine: `auto` is light on one machine and Spark on a cluster.
        provincial: landing sub-folders whose files are read as provincial ones.
        mine_aliases: provincial county code + mine code → the 12-digit mine code.
        message_secret: key by which fusion messages (PC-85) in files are signed; empty: no signature is asked for.
        batch_bytes: an ingest batch closes at this many bytes of files …
        batch_files: … or at this many files.
        watermark_min: minutes that late data may still move a finished window [min].
        home: folder of the project's own state: default lake, MLflow store.
        mlflow_uri: MLflow's tracking store.
        disk_min_gb: `doctor` wants this much free where the lake is [GB].
        serve_port: port of the API and console.
        database: `sqlite:///file` or `postgresql://…` of what people change: the journal, alarms, users.
        person_key: secret with which gold hashes cards; '' lets one be made and kept in `home`. Machines that share a
            lake share the key.
    """

    lake: Path
    tables: str = field(
        default="",
        metadata=_matching(
            r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9_.=-]+)*", "s3://bucket/prefix, without a final /"
        ),
    )
    engine: EngineChoice = "auto"
    lang: Lang = "zh"
    provincial: tuple[str, ...] = ()
    mine_aliases: Mapping[str, str] = field(default_factory=dict, metadata=_matching(r"\d{12}", "a 12-digit mine code"))
    message_secret: str = field(default="", repr=False)
    batch_bytes: int = field(default=128 << 20, metadata=_between(1, 4 << 30))
    batch_files: int = field(default=4096, metadata=_between(1, 1_000_000))
    watermark_min: int = field(default=10, metadata=_between(0, 24 * 60))
    home: Path = HOME
    mlflow_uri: str = _mlflow_in(HOME)
    disk_min_gb: int = field(default=2, metadata=_between(0, 1_000_000))
    serve_port: int = field(default=8600, metadata=_between(1, 65_535))
    database: str = field(
        default=_database_in(HOME),
        repr=False,
        metadata=_matching(
            r"(sqlite:///|postgresql(\+\w+)?://).+", "sqlite:///file or postgresql://user:password@host/name"
        ),
    )
    person_key: str = field(
        default="", metadata=_matching(r"[!-~]{16,128}", "16 to 128 printable characters without spaces")
    )
    spark: SparkSettings = field(default_factory=SparkSettings)
    airflow: AirflowSettings = field(default_factory=AirflowSettings)
    video: VideoSettings = field(default_factory=VideoSettings)
    notice: NoticeSettings = field(default_factory=NoticeSettings)

    @property
    def tables_root(self) -> str:
        """Under which `schemas.catalog.table_uri` finds the tables."""
        return self.tables or str(self.lake)


def load_settings(**overrides: Any) -> Settings:
    """The settings in force here and now.

    Args:
        overrides: what the command line gave; None means not given.

    Raises:
        InputError: a key that is none, or a value that does not fit, named with its place.
    """
    keys = _keys(Settings)
    given: dict[str, Any] = {}
    path = _settings_file()
    if path is not None:
        for key, value in _flat(path).items():
            given[key] = _value(keys, key, value, place=str(path), folder=path.parent)
    for variable in sorted(os.environ):
        if variable.startswith(ENVIRONMENT_PREFIX):
            key = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
            text = os.environ[variable]
            given[key] = _value(keys, key, text, place=f"the environment ({variable})", folder=Path.cwd())
    for key, value in overrides.items():
        if value is not None:
            given[key] = _value(keys, key, value, place="the command line", folder=Path.cwd())
    if overrides.get("lake") is not None and overrides.get("tables") is None:
        given.pop("tables", None)  # a lake that is named here is another one, and its tables are not those elsewhere
    home = given.get("home", HOME)
    in_home = {"lake": home / "lake", "airflow_landing": home / "landing"}
    given = in_home | {"mlflow_uri": _mlflow_in(home), "database": _database_in(home)} | given
    return _build(Settings, given, prefix="")


@dataclass(frozen=True)
class _Key:
    type: Any
    spec: Field[Any]


def _keys(owner: type, prefix: str = "") -> dict[str, _Key]:
    """Every settable key, nested ones by `section_key`."""
    hints = get_type_hints(owner)
    keys: dict[str, _Key] = {}
    for spec in fields(owner):
        if is_dataclass(hints[spec.name]):
            keys |= _keys(hints[spec.name], f"{prefix}{spec.name}_")
        else:
            keys[prefix + spec.name] = _Key(hints[spec.name], spec)
    return keys


def _build(owner: Any, given: Mapping[str, Any], prefix: str) -> Any:
    hints = get_type_hints(owner)
    values = {}
    for spec in fields(owner):
        if is_dataclass(hints[spec.name]):
            values[spec.name] = _build(hints[spec.name], given, f"{prefix}{spec.name}_")
        elif prefix + spec.name in given:
            values[spec.name] = given[prefix + spec.name]
    return owner(**values)


def _settings_file() -> Path | None:
    for folder in (Path.cwd(), PROJECT):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    return None


def _flat(path: Path) -> dict[str, Any]:
    """The file's keys, those of a section as `section_key`."""
    import tomllib  # only where there is a file: most commands start without one

    try:
        read = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"expected TOML in {path}, got: {error}; mend that line") from None
    sections = {name for name, hint in get_type_hints(Settings).items() if is_dataclass(hint)}
    flat: dict[str, Any] = {}
    for key, value in read.items():
        if isinstance(value, dict) and key in sections:
            flat |= {f"{key}_{name}": inner for name, inner in value.items()}
        else:
            flat[key] = value
    return flat


def _value(keys: Mapping[str, _Key], key: str, given: Any, *, place: str, folder: Path) -> Any:
    """`given` as the key's type, checked. Text, as the environment gives it, is read as the type's own spelling."""
    if key not in keys:
        raise InputError(f"expected a known setting in {place}, got '{key}'; there are: {', '.join(sorted(keys))}")
    kind, rules = keys[key].type, keys[key].spec.metadata

    def refuse(expected: str) -> InputError:
        got = repr(given) if keys[key].spec.repr else "something else (a secret, not shown)"
        return InputError(f"expected {key} in {place} as {expected}, got {got}")

    if kind is Path:
        if not isinstance(given, str | Path) or not str(given):
            raise refuse("a path")
        return Path(os.path.abspath(folder / Path(given).expanduser()))
    if kind is int:
        number = int(given) if isinstance(given, str) and re.fullmatch(r"\d+", given) else given
        if type(number) is not int or not rules["low"] <= number <= rules["high"]:
            raise refuse(f"a whole number from {rules['low']} to {rules['high']}")
        return number
    if get_origin(kind) is Literal:
        if given not in get_args(kind):
            raise refuse(" or ".join(get_args(kind)))
        return given
    if get_origin(kind) is tuple:
        items = [part.strip() for part in given.split(",") if part.strip()] if isinstance(given, str) else given
        if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
            raise refuse("a list of texts")
        return tuple(items)
    if get_origin(kind) is Mapping:
        pairs = dict(part.split("=", 1) for part in given.split(",")) if _is_pairs(given) else given
        if not isinstance(pairs, Mapping) or not all(_fits(rules, value) for value in pairs.values()):
            raise refuse(f"name = {rules['expected']}")
        return dict(pairs)
    if not isinstance(given, str) or not given or not _fits(rules, given):
        raise refuse(rules.get("expected", "a text"))
    return given


def _is_pairs(given: object) -> bool:
    return isinstance(given, str) and all("=" in part for part in given.split(","))


def _fits(rules: Mapping[str, Any], given: object) -> bool:
    return isinstance(given, str) and re.fullmatch(rules.get("pattern", ".*"), given) is not None
