"""Rendered scenes of mine roadways, with boxes, tracks and events as truth."""

from minefusion.pipelines.simulate.video.film import Filmed, render_pictures, simulate_video
from minefusion.pipelines.simulate.video.tunnel import LAYOUTS

__all__ = ["LAYOUTS", "Filmed", "render_pictures", "simulate_video"]
