"""One small forecaster for all tests of this folder: training is what takes time."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
