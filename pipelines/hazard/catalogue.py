"""The hazard indices that are computed, and how to compute them all.

To add one: declare its `Index` and its function in the module of its subject, and name both here.
"""

from __future__ import annotations

from collections.abc import Callable

import narwhals as nw

from minefusion.pipelines.hazard import air, doors_and_fans, fire, gas, people, toxic
from minefusion.pipelines.hazard.inputs import Inputs
from minefusion.pipelines.hazard.rows import Index

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
INDICES: tuple[Index, ...] = tuple(declared for declared, _ in CATALOGUE)


def index(index_id: str) -> Index:
    """The declaration of one index."""
    return next(declared for declared in INDICES if declared.id == index_id)


def compute(inputs: Inputs) -> nw.LazyFrame:
    """gold.hazard_index of the window, but for the columns that the job adds."""
    return nw.concat([function(inputs) for _, function in CATALOGUE], how="vertical")
