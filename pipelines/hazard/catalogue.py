"""The hazard indices that are computed, and how to compute them all.

To add one: declare its `Index` and its function in the module of its subject, and name both here.
"""

from __future__ import annotations

from collections.abc import Callable

import narwhals as nw

from minefusion.pipelines.hazard import (
    air,
    chemical_crew,
    composite,
    doors_and_fans,
    evacuation,
    explosion_trend,
    fire,
    gas,
    gas_layers,
    gas_trend,
    heat,
    heating,
    machine_health,
    mine_resistance,
    mixtures,
    motors,
    network,
    outburst,
    people,
    rock,
    sealed_fire,
    seismic,
    slope,
    supports,
    tailings,
    toxic,
    toxic_exposure,
    vibration,
    water,
    water_chemistry,
)
from minefusion.pipelines.hazard.history import History
from minefusion.pipelines.hazard.inputs import Inputs
from minefusion.pipelines.hazard.lacking import no_rows, speaking, with_lacking
from minefusion.pipelines.hazard.rows import Index

# Indices over minutes, from two hours of data.
CATALOGUE: tuple[tuple[Index, Callable[[Inputs], nw.LazyFrame]], ...] = (
    (gas.G_01, gas.g01),
    (gas.G_02, gas.g02),
    (mixtures.G_03, mixtures.g03),
    (mixtures.G_04, mixtures.g04),
    (mixtures.G_06, mixtures.g06),
    (gas.G_07, gas.g07),
    (gas_layers.G_12, gas_layers.g12),
    (fire.F_09, fire.f09),
    (fire.F_10, fire.f10),
    (air.V_01, air.v01),
    (air.V_02, air.v02),
    (network.V_04, network.v04),
    (network.V_05, network.v05),
    (network.V_06, network.v06),
    (network.V_07, network.v07),
    (doors_and_fans.V_08, doors_and_fans.v08),
    (toxic.T_01, toxic.t01),
    (toxic.T_03, toxic.t03),
    (toxic.T_04, toxic.t04),
    (heat.H_01, heat.h01),
    (heat.H_02, heat.h02),
    (heat.H_03, heat.h03),
    (people.P_01, people.p01),
    (people.P_02, people.p02),
    (people.P_03, people.p03),
    (people.P_04, people.p04),
    (people.P_05, people.p05),
    (motors.E_03, motors.e03),
    (motors.E_04, motors.e04),
    (motors.E_05, motors.e05),
    (chemical_crew.P_06, chemical_crew.p06),
    (evacuation.P_07, evacuation.p07),
)
# Indices over hours and days, from a month of data.
TRENDS: tuple[tuple[Index, Callable[[History], nw.LazyFrame]], ...] = (
    (explosion_trend.G_05, explosion_trend.g05),
    (gas_trend.G_08, gas_trend.g08),
    (outburst.G_09, outburst.g09),
    (outburst.G_10, outburst.g10),
    (gas_trend.G_11, gas_trend.g11),
    (heating.F_01, heating.f01),
    (heating.F_02, heating.f02),
    (heating.F_03, heating.f03),
    (heating.F_04, heating.f04),
    (heating.F_05, heating.f05),
    (heating.F_06, heating.f06),
    (heating.F_07, heating.f07),
    (heating.F_08, heating.f08),
    (sealed_fire.F_11, sealed_fire.f11),
    (mine_resistance.V_03, mine_resistance.v03),
    (toxic_exposure.T_02, toxic_exposure.t02),
    (seismic.R_01, seismic.r01),
    (seismic.R_02, seismic.r02),
    (seismic.R_03, seismic.r03),
    (seismic.R_04, seismic.r04),
    (seismic.R_05, seismic.r05),
    (rock.R_06, rock.r06),
    (supports.R_07, supports.r07),
    (rock.R_08, rock.r08),
    (rock.R_09, rock.r09),
    (water.W_01, water.w01),
    (water.W_02, water.w02),
    (water.W_03, water.w03),
    (water.W_04, water.w04),
    (water.W_05, water.w05),
    (water_chemistry.W_06, water_chemistry.w06),
    (slope.S_01, slope.s01),
    (slope.S_02, slope.s02),
    (slope.S_03, slope.s03),
    (slope.S_04, slope.s04),
    (slope.S_05, slope.s05),
    (tailings.S_06, tailings.s06),
    (tailings.S_07, tailings.s07),
    (tailings.S_08, tailings.s08),
    (tailings.S_09, tailings.s09),
    (slope.S_10, slope.s10),
    (vibration.E_01, vibration.e01),
    (vibration.E_02, vibration.e02),
    (machine_health.E_06, machine_health.e06),
)
TREND_IDS: tuple[str, ...] = tuple(declared.id for declared, _ in TRENDS)
# What the others come to together, after them.
COMPOSITE_IDS: tuple[str, ...] = tuple(declared.id for declared in composite.DECLARED)
INDICES: tuple[Index, ...] = (*(declared for declared, _ in (*CATALOGUE, *TRENDS)), *composite.DECLARED)


def index(index_id: str) -> Index:
    """The declaration of one index."""
    return next(declared for declared in INDICES if declared.id == index_id)


def compute(inputs: Inputs) -> nw.LazyFrame:
    """The fast indices' rows of gold.hazard_index of the window, but for the columns that the job adds."""
    who = speaking(inputs, CATALOGUE)
    told = [function(inputs) for _, function in who.called] or [no_rows(inputs)]
    rows = inputs.cached(nw.concat(told, how="vertical"))
    return with_lacking(inputs, [declared for declared, _ in CATALOGUE], who.reasons, rows)
