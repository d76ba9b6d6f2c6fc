"""`yolo predict` on a clip, timed: what ours is measured against. Links ultralytics, so this file is AGPL-3.0.

Run as `python -m minefusion.models.unsafe_behaviour.agpl.plain MODEL CLIP IMAGE_PX SETTINGS_DIR`; prints JSON.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from minefusion.models.unsafe_behaviour.agpl.train import load_ultralytics


def plain_predict(model: Path, clip: Path, image_px: int, home: Path) -> dict[str, float]:
    """Pictures and seconds of ultralytics' own loop over the clip, warm: without the loading of the model."""
    yolo = load_ultralytics(home)(str(model), task="detect")
    given = {"imgsz": image_px, "device": "cpu", "save": False, "verbose": False, "stream": True}
    for _ in yolo.predict(str(clip), **given):
        break
    began, pictures = time.perf_counter(), 0
    for _ in yolo.predict(str(clip), **given):
        pictures += 1
    return {"pictures": pictures, "seconds": time.perf_counter() - began}


if __name__ == "__main__":
    print(json.dumps(plain_predict(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))))
