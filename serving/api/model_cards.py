"""Cards of the registered models, as the registry has them; of the shipped ones where nothing is registered yet."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from minefusion.models.registry import Version, open_registry, shipped
from minefusion.models.training_run import TrainingRun, read_run
from minefusion.schemas.settings import Settings
from minefusion.serving.inference.shelf import SHIPPED

# A model is registered once a week; the registry is asked no oftener than this.
_KEPT_S = 30.0
_SQLITE = "sqlite:///"


class ModelCards:
    """The cards, asked for anew where they are older than half a minute."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._kept: tuple[float, Sequence[dict[str, Any]]] | None = None

    def __call__(self) -> Sequence[dict[str, Any]]:
        now = time.monotonic()
        if self._kept is None or now - self._kept[0] > _KEPT_S:
            self._kept = (now, self._read())
        return self._kept[1]

    def _read(self) -> Sequence[dict[str, Any]]:
        uri = self._settings.mlflow_uri
        if uri.startswith(_SQLITE) and not Path(uri.removeprefix(_SQLITE)).is_file():
            # Nothing was registered on this machine yet: what comes with the project answers.
            return [_card(read_run(folder), SHIPPED, "champion", None, "") for folder in shipped().values()]
        return [
            _card(each, each.number, ",".join(each.aliases) or None, each.promoted_at, each.run_id, each.why)
            for each in open_registry(self._settings).versions()
        ]


def _card(
    of: Version | TrainingRun, version: int | str, alias: str | None, promoted_at: datetime | None, run_id: str,
    why: str = "shipped with minefusion",
) -> dict[str, Any]:  # fmt: skip
    used = of.trained_on if isinstance(of, Version) else of.data
    return {
        "name": of.model,
        "version": version,
        "alias": alias,
        "metrics": dict(of.metrics),
        "trained_on": asdict(used),
        "promoted_at": promoted_at,
        "why": why,
        "run_id": run_id,
    }
