"""Every check, in the order of the clauses."""

from __future__ import annotations

from minefusion.pipelines.conformance.catalogue import catalogue_complete
from minefusion.pipelines.conformance.clauses import Check
from minefusion.pipelines.conformance.clocks import clocks_agree, not_late
from minefusion.pipelines.conformance.codes import codes_in_tables, codes_registered, types_known
from minefusion.pipelines.conformance.completeness import keys_once, points_complete
from minefusion.pipelines.conformance.kinds_present import kinds_present
from minefusion.pipelines.conformance.periods import periods_kept
from minefusion.pipelines.conformance.places import coordinates_present
from minefusion.pipelines.conformance.reading import told_by_the_reader
from minefusion.pipelines.conformance.values import alarm_bits_agree, units_fit, values_move, values_plausible

CHECKS: tuple[Check, ...] = (
    kinds_present,
    periods_kept,
    told_by_the_reader,
    coordinates_present,
    clocks_agree,
    codes_in_tables,
    types_known,
    points_complete,
    values_plausible,
    values_move,
    codes_registered,
    alarm_bits_agree,
    units_fit,
    not_late,
    keys_once,
    catalogue_complete,
)
