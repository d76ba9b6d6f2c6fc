"""Which detector looks: the registry's champion, one that comes with the project, or a file."""

from __future__ import annotations

from pathlib import Path

from minefusion.models.unsafe_behaviour.detections import Detector
from minefusion.models.unsafe_behaviour.detector import SHIPPED, DetectorConfig, open_detector
from minefusion.schemas.errors import InputError
from minefusion.schemas.settings import Settings

MODEL = "unsafe_behaviour"
CHAMPION = "champion"


def detector_of(settings: Settings, model: str | None = None, config: DetectorConfig | None = None) -> Detector:
    """The detector that the settings or `model` name, on the device of the settings.

    Args:
        model: `champion`, `NAME@VERSION`, a name of SHIPPED, or an .onnx file; the settings' own where left out.

    Raises:
        InputError: there is no such model.
    """
    return open_detector(model_file(settings, model or settings.video.detector), config or detector_config(settings))


def detector_config(settings: Settings) -> DetectorConfig:
    """How the settings want detectors to run."""
    return DetectorConfig(device=settings.video.device, image_px=settings.video.image_px or None)


def model_file(settings: Settings, model: str) -> str | Path:
    """The weight file that a name stands for."""
    if model in SHIPPED or Path(model).suffix == ".onnx":
        return model
    name, _, which = model.rpartition("@")
    if model != CHAMPION and name not in (MODEL, ""):
        raise InputError(
            f"expected a detector, got '{model}'; give champion, {MODEL}@VERSION, {', '.join(SHIPPED)}, or an .onnx "
            "file"
        )
    from minefusion.models.unsafe_behaviour.package import FILE
    from minefusion.pipelines.jobs.forecast.champions import register_shipped

    registry = register_shipped(settings, only=MODEL)
    return registry.folder(registry.version(MODEL, which or model), settings.home / "models") / FILE
