"""Cards of the registered models, as the registry has them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from minefusion.models.registry import open_registry
from minefusion.schemas.settings import Settings

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
            return ()  # nothing was registered on this machine yet
        return [
            {
                "name": each.model,
                "version": each.number,
                "alias": ",".join(each.aliases) or None,
                "metrics": dict(each.metrics),
                "trained_on": asdict(each.trained_on),
                "promoted_at": each.promoted_at,
                "why": each.why,
                "run_id": each.run_id,
            }
            for each in open_registry(self._settings).versions()
        ]
