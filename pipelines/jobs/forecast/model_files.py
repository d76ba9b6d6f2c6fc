"""A model's files in memory, as they travel to where rows are worked on, and the model that each process loads once."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

# Models that this process has loaded, by the hash of their files; few are in use at a time.
_LOADED: dict[str, Any] = {}


@dataclass(frozen=True)
class ModelFiles:
    """All files of one model version.

    A worker of a cluster need not see the folder that the driver sees, so the bytes go with the plan.
    """

    files: tuple[tuple[str, bytes], ...]

    @staticmethod
    def of(folder: Path) -> ModelFiles:
        paths = sorted(path for path in folder.iterdir() if path.is_file())
        return ModelFiles(tuple((path.name, path.read_bytes()) for path in paths))

    @cached_property
    def sha256(self) -> str:
        digest = hashlib.sha256()
        for name, content in self.files:
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()

    def loaded(self, load: Callable[[Path], Any]) -> Any:
        """The model, loaded by `load` from a folder of these files; the same object at every call in this process."""
        if self.sha256 not in _LOADED:
            with tempfile.TemporaryDirectory(prefix="minefusion-model-") as folder:
                for name, content in self.files:
                    (Path(folder) / name).write_bytes(content)
                _LOADED[self.sha256] = load(Path(folder))
        return _LOADED[self.sha256]
