"""One small forecaster for all tests of this folder: training is what takes time."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import settings

# A shared machine may be slow at any one example.
settings.register_profile("slow machine", deadline=None)
settings.load_profile("slow machine")

sys.path.insert(0, str(Path(__file__).parent))
