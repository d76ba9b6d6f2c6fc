"""The hazard indices that are computed, and how to compute them all.

To add one: declare its `Index` and its function in the module of its subject, and name both here.
"""

from __future__ import annotations

from collections.abc import Callable

import narwhals as nw

from minefusion.pipelines.hazard import air, doors_and_fans, fire, gas, people, toxic
from minefusion.pipelines.hazard.composed import Composed
from minefusion.pipelines.hazard.history import History
from minefusion.pipelines.hazard.inputs import Inputs
from minefusion.pipelines.hazard.rows import Index

# Indices over minutes, from two hours of data.
CATALOGUE: tuple[tuple[Index, Callable[[Inputs], nw.LazyFrame]], ...] = (
    (gas.G_01, gas.g01),
    (gas.G_02, gas.g02),
    (gas.G_07, gas.g07),
    (fire.F_09, fire.f09),
    (fire.F_10, fire.f10),
    (air.V_01, air.v01),
    (air.V_02, air.v02),
    (doors_and_fans.V_08, doors_and_fans.v08),
    (toxic.T_01, toxic.t01),
    (toxic.T_04, toxic.t04),
    (people.P_01, people.p01),
    (people.P_02, people.p02),
    (people.P_03, people.p03),
    (people.P_04, people.p04),
    (people.P_05, people.p05),
)
# Indices over hours and days, from a month of data.
TRENDS: tuple[tuple[Index, Callable[[History], nw.LazyFrame]], ...] = ()
TREND_IDS: tuple[str, ...] = tuple(declared.id for declared, _ in TRENDS)
# What is composed of the other indices, after them.
COMPOSITES: tuple[tuple[Index, Callable[[Composed], nw.LazyFrame]], ...] = ()
COMPOSITE_IDS: tuple[str, ...] = tuple(declared.id for declared, _ in COMPOSITES)
INDICES: tuple[Index, ...] = tuple(declared for declared, _ in (*CATALOGUE, *TRENDS, *COMPOSITES))


def index(index_id: str) -> Index:
    """The declaration of one index."""
    return next(declared for declared in INDICES if declared.id == index_id)


def compute(inputs: Inputs) -> nw.LazyFrame:
    """The fast indices' rows of gold.hazard_index of the window, but for the columns that the job adds."""
    return nw.concat([function(inputs) for _, function in CATALOGUE], how="vertical")
