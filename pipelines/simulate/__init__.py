"""An invented mine that sends every feed, with its truth known."""

from minefusion.pipelines.simulate.mine import Made, simulate_mine
from minefusion.pipelines.simulate.scenario import scenario_names

__all__ = ["Made", "scenario_names", "simulate_mine"]
