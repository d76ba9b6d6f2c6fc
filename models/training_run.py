"""What a training leaves behind: a folder that says how the model came to be, to be logged at once or elsewhere later.

run.json    parameters, scores, losses that decide on promotion, the data's fingerprint, the code's version
card.md     for people: data, split, seed, command, licence
model/      the model's own files
plots/      pictures and pages
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import numpy as np

from minefusion.schemas.errors import InputError

FILE, CARD, MODEL, PLOTS = "run.json", "card.md", "model", "plots"


@dataclass(frozen=True)
class DataUsed:
    """What a model was trained on, so that the same training can be done again.

    Attributes:
        source: `lake`, or the name of a file or of a public series.
        start, end: time range, ISO 8601, or first and last row.
        rows: rows used.
        sha256: of the values themselves.
        tables: Delta version of each table that was read.
    """

    source: str
    start: str
    end: str
    rows: int
    sha256: str
    tables: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainingRun:
    """A finished training.

    Attributes:
        model: its name in the registry.
        folder: where it lies.
        losses: on the newest rows, held out; lower is better; what promotion is decided by.
        doing_without: the same of the simplest answer, which `simplest` names.
    """

    model: str
    folder: Path
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float]
    losses: Mapping[str, float]
    doing_without: Mapping[str, float]
    simplest: str
    data: DataUsed
    code: str

    @property
    def files(self) -> Path:
        return self.folder / MODEL

    @property
    def plots(self) -> Sequence[Path]:
        folder = self.folder / PLOTS
        return sorted(folder.iterdir()) if folder.is_dir() else ()

    @property
    def card(self) -> str:
        path = self.folder / CARD
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def write(self) -> None:
        """Write run.json beside what is there."""
        told = {name: value for name, value in asdict(self).items() if name != "folder"}
        self.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True)
        (self.folder / FILE).write_text(text + "\n", encoding="utf-8")


def read_run(folder: Path) -> TrainingRun:
    """A training's folder.

    Raises:
        InputError: it is none.
    """
    path = folder / FILE
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        run = TrainingRun(**told | {"folder": folder, "data": DataUsed(**told["data"])})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"expected a training's {FILE} in {folder}, got: {error}; give the folder it wrote") from None
    if not run.files.is_dir():
        raise InputError(f"expected the model's files in {run.files}, found none; give the whole folder")
    return run


def code_version(package: str) -> str:
    """Version of minefusion, and a fingerprint of one model's own source: the same code trains the same model.

    Args:
        package: folder in `models`: `seismic_hazard`.
    """
    digest = hashlib.sha256()
    for path in sorted((Path(__file__).resolve().parent / package).rglob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return f"{installed_version('minefusion')}+{digest.hexdigest()[:12]}"


def fingerprint(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of named arrays: the same values under the same names give the same."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        values = np.ascontiguousarray(arrays[name])
        is_number = values.dtype.kind in "iufb"
        kept = values.astype(np.float64).tobytes() if is_number else "\0".join(map(str, values.ravel())).encode()
        digest.update(f"{name}\0{values.shape}\0".encode() + kept)
    return digest.hexdigest()
