"""An invented mine that sends every feed, with its truth known."""

from minefusion.pipelines.simulate.mine import Made, simulate_mine
from minefusion.pipelines.simulate.scenario import load_scenario, scenario_names

__all__ = ["Made", "load_scenario", "scenario_names", "simulate_mine"]
