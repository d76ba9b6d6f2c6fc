"""Which models there are, how each came to be, and which one is the champion: all that knows MLflow.

A version is a folder of plain files (ONNX, JSON), never a pickle. It is logged with its parameters, scores, plots, the
fingerprint of its data and the version of the code, as an MLflow model that `mlflow.pyfunc.load_model` opens: MLflow
then calls `_load_pyfunc` below, and that the model's own `package.load`, which makes the same call as every job.

The store is SQLite and a folder beside it, or a tracking server: what `settings.mlflow_uri` says.
"""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version as installed_version
from importlib.resources import files as files_of
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from minefusion.models.training_run import FILE, DataUsed, TrainingRun
from minefusion.schemas.errors import InputError, MissingError
from minefusion.schemas.settings import Settings

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.entities.model_registry import ModelVersion
    from mlflow.tracking import MlflowClient

CHAMPION, CHALLENGER = "champion", "challenger"
# Model → the module that says how its columns look and loads its folder.
PACKAGES = {
    "methane_forecast": "minefusion.models.methane_forecast.package",
    "seismic_hazard": "minefusion.models.seismic_hazard.package",
    "seismic_hazard_reduced": "minefusion.models.seismic_hazard.package",
    "unsafe_behaviour": "minefusion.models.unsafe_behaviour.package",
    "unsafe_behaviour_tunnel": "minefusion.models.unsafe_behaviour.package",
}
# What runs a logged model, beside ours.
_NEEDS = ("numpy", "scipy", "onnxruntime")
_HISTORY = "minefusion.champion_history"
_TAG = "minefusion."
_FILES = "model/data/files"
_SQLITE = "sqlite:///"


@dataclass(frozen=True)
class Version:
    """One registered version.

    Attributes:
        number: 1, 2, …
        aliases: `champion`, `challenger`.
        trained_on: the data's fingerprint.
        promoted_at: when it became champion last; None: never.
        why: why it was promoted or not.
    """

    model: str
    number: int
    run_id: str
    aliases: tuple[str, ...]
    metrics: Mapping[str, float]
    trained_on: DataUsed
    promoted_at: datetime | None
    why: str

    @property
    def label(self) -> str:
        """`methane_forecast 3`: what a row of gold names."""
        return f"{self.model} {self.number}"


class Registry:
    """The models of one store."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._client = _client(uri)

    # ── what there is ───────────────────────────────────────────────────────────────────────────────────────────
    def versions(self, model: str | None = None) -> list[Version]:
        """All versions of one model, or of all, newest first."""
        names = [model] if model else [each.name for each in self._client.search_registered_models()]
        found = [each for name in names for each in self._client.search_model_versions(f"name = '{name}'")]
        return [
            self._version(each.name, each.version) for each in sorted(found, key=lambda v: (v.name, -int(v.version)))
        ]

    def version(self, model: str, which: str | int = CHAMPION) -> Version:
        """A version by number or alias.

        Raises:
            InputError: there is none.
        """
        found = self.find(model, which)
        if found is None:
            raise InputError(
                f"expected a version of {model} named '{which}', found none in {self.uri}; see: minefusion models"
            )
        return found

    def find(self, model: str, which: str | int = CHAMPION) -> Version | None:
        """The same; None where there is none."""
        from mlflow.exceptions import MlflowException

        try:
            if isinstance(which, int) or which.isdigit():
                return self._version(model, str(which))
            return self._version(model, self._client.get_model_version_by_alias(model, which).version)
        except MlflowException as error:
            if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                raise
            return None

    def reigns(self, model: str) -> list[tuple[datetime, int]]:
        """Since when which version was the champion, oldest first."""
        return [(datetime.fromisoformat(each["from"]), int(each["version"])) for each in self._history(model)]

    def folder(self, version: Version, cache: Path) -> Path:
        """The version's files on this machine; fetched into `cache` where the store is elsewhere."""
        from mlflow.artifacts import download_artifacts

        root = self._client.get_run(version.run_id).info.artifact_uri
        if root.startswith(("file:", "/")):
            path = Path(root.removeprefix("file://")) / _FILES
        else:
            kept = cache / f"{version.model}-{version.run_id}"
            path = kept / _FILES
            if not (kept / "complete").is_file():
                kept.mkdir(parents=True, exist_ok=True)
                download_artifacts(
                    run_id=version.run_id, artifact_path=_FILES, dst_path=str(kept), tracking_uri=self.uri
                )
                (kept / "complete").touch()
        if not path.is_dir():
            raise MissingError(f"expected the files of {version.label} at {path}, found none; restore them or train")
        return path

    # ── what changes ────────────────────────────────────────────────────────────────────────────────────────────
    def log(self, trained: TrainingRun) -> Version:
        """Log the training and register its model as the next version, the new challenger."""
        from mlflow.exceptions import MlflowException

        client = self._client
        run = client.create_run(self._experiment(trained.model), run_name=trained.model)
        run_id = run.info.run_id
        try:
            for name, value in sorted(_flat(trained.parameters).items()):
                client.log_param(run_id, name, value)
            for name, number in sorted(trained.metrics.items()):
                client.log_metric(run_id, _metric(name), float(number))
            client.set_tag(run_id, f"{_TAG}data", json.dumps(asdict(trained.data), sort_keys=True))
            client.set_tag(run_id, f"{_TAG}code", trained.code)
            client.set_tag(run_id, f"{_TAG}metrics", json.dumps(dict(trained.metrics), sort_keys=True))
            for name, number in sorted(trained.losses.items()):
                client.log_metric(run_id, _metric(f"loss/{name}"), float(number))
                client.log_metric(run_id, _metric(f"loss_{trained.simplest}/{name}"), trained.doing_without[name])
            if trained.card:
                client.log_text(run_id, trained.card, "card.md")
            for plot in trained.plots:
                client.log_artifact(run_id, str(plot), "plots")
            with tempfile.TemporaryDirectory() as scratch:
                packed = Path(scratch) / "model"
                _pack(trained, packed)
                client.log_artifacts(run_id, str(packed), "model")
            client.set_terminated(run_id)
        except BaseException:
            client.set_terminated(run_id, "FAILED")
            raise
        try:
            client.create_registered_model(trained.model)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        made = client.create_model_version(trained.model, f"{run.info.artifact_uri}/model", run_id)
        client.set_registered_model_alias(trained.model, CHALLENGER, made.version)
        return self._version(trained.model, made.version)

    def promote(self, version: Version, why: str, at: datetime | None = None) -> Version:
        """Make it the champion."""
        number = str(version.number)
        self._client.set_model_version_tag(version.model, number, f"{_TAG}why", why)
        self._client.set_registered_model_alias(version.model, CHAMPION, number)
        self._note_champion(version.model, version.number, at or datetime.now(UTC))
        found = self.find(version.model, CHALLENGER)
        if found is not None and found.number == version.number:
            self._client.delete_registered_model_alias(version.model, CHALLENGER)
        return self._version(version.model, number)

    def refuse(self, version: Version, why: str) -> Version:
        """Leave it the challenger, and say why."""
        self._client.set_model_version_tag(version.model, str(version.number), f"{_TAG}why", why)
        return self._version(version.model, str(version.number))

    def champion(self, model: str, now: datetime | None = None) -> Version | None:
        """The champion of this moment. Where the alias was moved by hand, the move is put on record as of now."""
        found = self.find(model)
        if found is not None:
            history = self._history(model)
            if not history or int(history[-1]["version"]) != found.number:
                self._note_champion(model, found.number, now or datetime.now(UTC))
                found = self.find(model)
        return found

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────
    def _history(self, model: str) -> list[dict[str, Any]]:
        from mlflow.exceptions import MlflowException

        try:
            return json.loads(self._client.get_registered_model(model).tags.get(_HISTORY, "[]"))
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return []

    def _note_champion(self, model: str, number: int, at: datetime) -> None:
        history = [*self._history(model), {"version": number, "from": at.isoformat()}]
        self._client.set_registered_model_tag(model, _HISTORY, json.dumps(history))

    def _version(self, model: str, number: str) -> Version:
        made: ModelVersion = self._client.get_model_version(model, number)
        assert made.run_id is not None, "every version comes from a run"
        tags = self._client.get_run(made.run_id).data.tags
        promoted = [each["from"] for each in self._history(model) if int(each["version"]) == int(number)]
        return Version(
            model=model,
            number=int(number),
            run_id=made.run_id,
            aliases=tuple(sorted(made.aliases)),
            metrics=json.loads(tags[f"{_TAG}metrics"]),
            trained_on=DataUsed(**json.loads(tags[f"{_TAG}data"])),
            promoted_at=datetime.fromisoformat(promoted[-1]) if promoted else None,
            why=made.tags.get(f"{_TAG}why", ""),
        )

    def _experiment(self, model: str) -> str:
        found = self._client.get_experiment_by_name(model)
        if found is not None:
            return found.experiment_id
        where = None
        if self.uri.startswith(_SQLITE):
            where = (Path(self.uri.removeprefix(_SQLITE)).parent / "mlflow" / model).absolute().as_uri()
        return self._client.create_experiment(model, artifact_location=where)


def shipped() -> Mapping[str, Path]:
    """Folder of each model that comes with the package; weights under another licence may have been taken out."""
    found = {}
    for model, module in PACKAGES.items():
        package = Path(str(files_of(module.removesuffix(".package"))))
        for folder in (package / "shipped" / model, package / "agpl" / "shipped" / model):
            if (folder / FILE).is_file():
                found[model] = folder
    return found


def open_registry(settings: Settings) -> Registry:
    """The registry of these settings.

    Raises:
        MissingError: MLflow is not installed, or its store does not answer.
    """
    try:
        import mlflow
    except ImportError:
        raise MissingError("expected MLflow for models, found none; run make setup") from None
    from mlflow.exceptions import MlflowException

    try:
        if settings.mlflow_uri.startswith(_SQLITE):
            Path(settings.mlflow_uri.removeprefix(_SQLITE)).parent.mkdir(parents=True, exist_ok=True)
        registry = Registry(settings.mlflow_uri)
        registry._client.search_registered_models(max_results=1)
    except (MlflowException, OSError) as error:
        told = " ".join(str(error).split())[:200]
        raise MissingError(
            f"expected MLflow {mlflow.__version__}'s store at {settings.mlflow_uri}, got: {told}; mend mlflow_uri"
        ) from None
    return registry


def _client(uri: str) -> MlflowClient:
    import logging

    from mlflow.tracking import MlflowClient

    # What MLflow tells of its own tables is no news to a person.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    return MlflowClient(uri, registry_uri=uri)


def _pack(trained: TrainingRun, target: Path) -> None:
    """The model in MLflow's own layout, with its signature; opened again by `_load_pyfunc`."""
    import mlflow.pyfunc
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    package = import_module(PACKAGES[trained.model])
    files = target.parent / "files"
    files.mkdir()
    for path in sorted(trained.files.iterdir()):
        (files / path.name).write_bytes(path.read_bytes())
    (files / "package.json").write_text(json.dumps({"model": trained.model}), encoding="utf-8")
    kinds = getattr(package, "TYPES", {})

    def schema(names: Sequence[str]) -> Schema:
        return Schema([ColSpec(kinds.get(name, "double"), name) for name in names])

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*input example was not provided")  # the signature is given whole
        mlflow.pyfunc.save_model(
            str(target),
            loader_module=__name__,
            data_path=str(files),
            signature=ModelSignature(schema(package.INPUTS), schema(package.OUTPUTS)),
            pip_requirements=[f"{name}=={installed_version(name)}" for name in _NEEDS] + ["minefusion"],
        )


class _Package:
    """What MLflow calls: a frame of columns in, a frame of columns out."""

    def __init__(self, call: Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]) -> None:
        self._call = call

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        import pandas as pd

        return pd.DataFrame(self._call({name: frame[name].to_numpy() for name in frame.columns}))


def _load_pyfunc(path: str) -> _Package:
    folder = Path(path)
    told = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    return _Package(import_module(PACKAGES[told["model"]]).load(folder))


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def _metric(name: str) -> str:
    """MLflow's spelling: no other signs than letters, digits, _ - . / and blank."""
    return "".join(sign if sign.isascii() and (sign.isalnum() or sign in "_-./ ") else "_" for sign in name)
