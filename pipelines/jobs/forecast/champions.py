"""Which model version answers, for jobs: the registry's champions, and the shipped models where it has none yet."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from minefusion.models.registry import Registry, open_registry, shipped
from minefusion.models.training_run import read_run
from minefusion.pipelines.jobs.forecast.model_files import ModelFiles
from minefusion.pipelines.jobs.lock import exclusive
from minefusion.schemas.errors import InputError
from minefusion.schemas.settings import Settings

logger = logging.getLogger(__name__)

REGISTRY_LOCK = "registry"
SHIPPED_WHY = "shipped with minefusion"


class Champions:
    """The champions of one model, as the registry knew them when this run of a job began."""

    def __init__(self, registry: Registry, model: str, cache_folder: Path, now: datetime) -> None:
        self._registry, self._model, self._cache = registry, model, cache_folder
        # A move of the alias by hand is put on record before anybody is asked.
        self._today = registry.champion(model, now)
        self._reigns = registry.reigns(model)
        self.files = cache(self._files)

    def at(self, instant: datetime) -> str:
        """Number of the version that was the champion then; of the time before there was one, today's.

        Raises:
            InputError: there is none.
        """
        then = [number for since, number in self._reigns if since <= instant]
        if then:
            return str(then[-1])
        if self._today is None:
            raise InputError(
                f"expected a champion of {self._model}, found none; train one: minefusion train {self._model}"
            )
        return str(self._today.number)

    def _files(self, number: str) -> ModelFiles:
        return ModelFiles.of(self._registry.folder(self._registry.version(self._model, number), self._cache))


def champions_of(settings: Settings, model: str, now: datetime | None = None) -> Champions:
    """The champions of a model; where there is none yet, the shipped one is made it.

    Raises:
        MissingError: MLflow or its store is not there.
    """
    registry = register_shipped(settings, only=model)
    return Champions(registry, model, settings.home / "models", now or datetime.now(UTC))


def folder_of(settings: Settings, asked: str, model: str) -> Path:
    """Files of a version of the model, asked for as NAME@ALIAS or NAME@NUMBER.

    Raises:
        InputError: another model, or no such version.
    """
    name, _, which = asked.partition("@")
    if name != model or not which:
        raise InputError(f"expected --model as {model}@champion or {model}@2, got '{asked}'; see: minefusion models")
    registry = register_shipped(settings, only=model)
    return registry.folder(registry.version(name, which), settings.home / "models")


def register_shipped(settings: Settings, only: str | None = None) -> Registry:
    """Make the shipped models champions of the registry, where it has none of their name. Needs no network."""
    registry = open_registry(settings)
    for model, folder in shipped().items():
        if only not in (None, model) or registry.find(model) is not None:
            continue
        with exclusive(settings.home, REGISTRY_LOCK):
            if registry.find(model) is None:
                version = registry.promote(registry.log(read_run(folder)), SHIPPED_WHY)
                logger.info("%s is the champion: %s", version.label, SHIPPED_WHY)
    return registry
