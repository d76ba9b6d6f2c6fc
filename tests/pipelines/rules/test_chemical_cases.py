"""The case table of the chemical pack: at, below and above, in order, in time, with and without data."""

from __future__ import annotations

import pytest
from literal_plant import at, findings, measured, plant, raised, said

from minefusion.pipelines.engines.light import LightEngine


def test_case_1_acid_neutraliser(light: LightEngine):
    rows = findings(light, plant("neutraliser"), measured("solution_ph", 1.0, 0.99, 1.0), (0, 3))
    assert raised(rows) == {"AN-007": [1]}


def test_case_2_hot_oxidation_tower(light: LightEngine):
    rows = findings(light, plant("oxidation_tower"), measured("temperature_c", 59.9, 60.0, 59.9), (0, 3))
    assert raised(rows) == {"HP-006": [1]}
    row = next(row for row in rows if row["index_id"] == "HP-006" and row["level"])
    assert (row["level"], row["value"], row["unit"], row["limit_confidence"]) == (4, 60.0, "℃", "confirmed")
    assert row["sentence_zh"] == (
        f"{row['area_id']}区：氧化塔温度达到限值，60.00 ℃（限值 ≥ 60 ℃）；红色；全系统停车或一键停车；"
        "依据 化工异常工况安全处置准则（试行） 附录4-2(2)。"
    )
    assert (
        "the oxidation tower reaches its limit, 60.00 ℃ (limit ≥ 60 ℃); red; trip the whole plant" in row["sentence_en"]
    )


def test_case_3_a_second_analysis_that_is_in_order_clears_the_first(light: LightEngine):
    rows = findings(light, plant("raffinate"), said("peroxide_g_l", (0, 0.31), (5, 0.29)), (0, 8))
    assert raised(rows) == {"HP-012": [0, 1, 2, 3, 4]}


def test_a_second_analysis_that_confirms_stops_the_plant(light: LightEngine):
    rows = findings(light, plant("raffinate"), said("peroxide_g_l", (0, 0.31), (5, 0.32)), (0, 7))
    assert raised(rows) == {"HP-012": [0, 1, 2, 3, 4, 5, 6], "HP-013": [5, 6]}


def test_case_4_no_second_analysis_in_half_an_hour_escalates(light: LightEngine):
    rows = findings(light, plant("raffinate"), said("peroxide_g_l", (0, 0.31)), (0, 33))
    levels = [row["level"] for row in rows if row["index_id"] == "HP-012"]
    assert levels == [2] * 30 + [3] * 3
    assert "，逾期未处理；橙色" in rows[-1]["sentence_zh"] or any("逾期未处理" in row["sentence_zh"] for row in rows)


def test_case_5_oxygen_in_the_tail_gas(light: LightEngine):
    rows = findings(light, plant("hydrogenation_tail_gas"), measured("oxygen_pct", 2.0, 2.1), (0, 2))
    assert raised(rows) == {"HP-017": [1]}


def test_case_6_acidity_between_window_and_stop(light: LightEngine):
    rows = findings(light, plant("oxidation_tower_outlet"), measured("acidity_mg_l", 1.5, 0.9, 2.0, 6.0, 6.1), (0, 5))
    assert raised(rows) == {"HP-029": [0, 1, 4], "HP-030": [1]}


def test_case_7_residence_to_the_second(light: LightEngine):
    # Filled and stopped at 0:00; it may stay 19 min 59 s.
    facts = said("prilling_stopped", (0, 1)) + said("filled", (0, 1), (20 - 1 / 60, 0))
    assert raised(findings(light, plant("liquid_seal_tank"), facts, (0, 22))) == {}
    facts = said("prilling_stopped", (0, 1)) + said("filled", (0, 1), (20 + 1 / 60, 0))
    assert raised(findings(light, plant("liquid_seal_tank"), facts, (0, 22))) == {"AN-015": [20]}


def test_case_8_people_in_one_unit(light: LightEngine):
    facts = said("disposal_under_way", (0, 1)) + said("persons", (0, 2), (1, 3), (4, 7), (6, 2))
    facts += said("dcs_watcher_present", (0, 1)) + said("protection_fits_risk", (0, 1))
    # Three have to be there for a minute; seven are too many at once.
    assert raised(findings(light, plant("operating_unit"), facts, (0, 7))) == {
        "GEN-022": [2, 3, 4, 5],
        "GEN-023": [4, 5],
    }


def test_the_larger_of_cards_and_camera_counts(light: LightEngine):
    facts = said("disposal_under_way", (0, 1)) + said("persons", (0, 2))
    facts += said("dcs_watcher_present", (0, 1)) + said("protection_fits_risk", (0, 1))
    heads = [{"observed_at": at(minute), "people_count": 7} for minute in range(2)]
    assert "GEN-023" in raised(findings(light, plant("operating_unit"), facts, (0, 2), heads))


def test_case_9_scouts_before_the_place_is_assessed(light: LightEngine):
    facts = said("situation_unclear", (0, 1)) + said("persons", (0, 2)) + said("scouts", (0, 2))
    assert raised(findings(light, plant("operating_unit"), facts, (0, 1))) == {"GEN-018": [0]}
    facts += said("assessed", (1, 1)) + said("scouts", (2, 3))
    assert raised(findings(light, plant("operating_unit"), facts, (0, 3))) == {"GEN-018": [0], "GEN-019": [2]}


def test_case_10_hot_tower_then_gas_and_smoke(light: LightEngine):
    facts = measured("temperature_c", 186.0, 186.0, 186.0, 184.0)
    facts += said("irritant_gas_and_smoke_or_overflow", (1, 1))
    assert raised(findings(light, plant("nitro_npk_tower"), facts, (0, 4))) == {
        "AN-026": [0, 1, 2], "AN-027": [1, 2, 3], "AN-029": [1, 2],
    }  # fmt: skip


def test_case_11_a_silent_sensor_proves_nothing(light: LightEngine):
    facts = said("purging_after_stop", (0, 1))
    rows = [row for row in findings(light, plant("hydrogenation_system"), facts, (0, 3)) if row["index_id"] == "HP-026"]
    assert [(row["level"], row["value"], row["null_reason"]) for row in rows] == [(3, None, "NOT_PROVEN")] * 3
    assert "无数据，视为未确认" in rows[0]["sentence_zh"]
    # A value that is ten minutes old is none.
    facts += measured("hydrogen_pct", 0.3)
    rows = [
        row for row in findings(light, plant("hydrogenation_system"), facts, (0, 12)) if row["index_id"] == "HP-026"
    ]
    assert [row["level"] for row in rows] == [0] * 10 + [3] * 2


@pytest.mark.parametrize(("hydrogen", "level"), [(0.5, 3), (0.49, 0)])
def test_a_purge_is_proven_below_its_value(light: LightEngine, hydrogen: float, level: int):
    facts = said("purging_after_stop", (0, 1)) + measured("hydrogen_pct", hydrogen)
    rows = findings(light, plant("hydrogenation_system"), facts, (0, 1))
    assert [row["level"] for row in rows if row["index_id"] == "HP-026"] == [level]


def test_case_12_reset_while_a_trip_still_holds(light: LightEngine):
    facts = measured("temperature_c", 61.0, 61.0, 59.0, 59.0) + said("interlock_reset", (1, 1), (1.5, 0), (3, 1))
    assert raised(findings(light, plant("oxidation_tower"), facts, (0, 4))) == {"HP-006": [0, 1], "GEN-002": [1]}


# ── the kinds of rules that the table does not hold ─────────────────────────────────────────────────────────────────


def test_a_rate_that_the_plant_sets(light: LightEngine):
    rising = measured("temperature_c", *(40 + 0.6 * minute for minute in range(12)), start=-6)
    site = plant("peroxide_storage_tank", values={"HP-040": 0.5})
    found = raised(findings(light, site, rising, (0, 6)))
    assert list(found) == ["HP-040"]
    slow = measured("temperature_c", *(40 + 0.4 * minute for minute in range(12)), start=-6)
    assert raised(findings(light, site, slow, (0, 6))) == {}


def test_what_the_plant_has_not_set_is_never_normal(light: LightEngine):
    rows = findings(light, plant("peroxide_storage_tank"), measured("temperature_c", 40.0), (0, 1))
    row = next(row for row in rows if row["index_id"] == "HP-040")
    assert (row["level"], row["value"], row["null_reason"]) == (None, None, "NOT_CONFIGURED")
    assert "未配置本厂数值" in row["sentence_zh"]


def test_too_hot_without_a_falling_trend(light: LightEngine):
    site = plant("shift_or_synthesis_converter", values={"NH-019": 500.0})
    steady = measured("bed_hot_spot_c", *[505.0] * 15, start=-10)
    assert raised(findings(light, site, steady, (0, 4))) == {"NH-019": [0, 1, 2, 3]}
    falling = measured("bed_hot_spot_c", *(540.0 - 1.5 * minute for minute in range(15)), start=-10)
    assert raised(findings(light, site, falling, (0, 4))) == {}


def test_a_fall_that_goes_on(light: LightEngine):
    site = plant("ammonia_preheater", values={"AN-004": 2.0})
    assert "AN-004" in raised(
        findings(light, site, measured("temperature_c", *(90 - 3 * m for m in range(14)), start=-8), (0, 5))
    )
    broken = [90 - 3 * m + (8 if m % 2 else 0) for m in range(14)]
    assert raised(findings(light, site, measured("temperature_c", *broken, start=-8), (0, 5))) == {}


def test_a_flow_that_fluctuates(light: LightEngine):
    site = plant("neutraliser", values={"AN-005": 15.0})
    swings = measured("feed_flow_m3_h", *(10 + (2 if m % 2 else 0) for m in range(16)), start=-12)
    assert "AN-005" in raised(findings(light, site, swings, (0, 4)))
    calm = measured("feed_flow_m3_h", *(10 + (0.5 if m % 2 else 0) for m in range(16)), start=-12)
    assert raised(findings(light, site, calm, (0, 4))) == {}


def test_a_ratio_that_swings_often(light: LightEngine):
    site = plant("gasifier", values={"NH-012": 3.0, "NH-014": 1.0})
    swings = measured("oxygen_coal_ratio", *(0.8 + (0.1 if m % 2 else 0) for m in range(10)), start=-8)
    assert "NH-012" in raised(findings(light, site, swings, (0, 2)))
    calm = measured("oxygen_coal_ratio", *(0.8 + (0.01 if m % 2 else 0) for m in range(10)), start=-8)
    assert raised(findings(light, site, calm, (0, 2))) == {}


def test_ignition_needs_a_purge_after_the_flame_went_out(light: LightEngine):
    facts = (
        said("purge_sample_passed", (0, 1), (0.5, 0))
        + said("flame_out", (1, 1), (1.5, 0))
        + said("ignition", (2, 1), (2.5, 0))
    )
    assert raised(findings(light, plant("gasifier"), facts, (0, 4))) == {"NH-018": [2]}
    facts += said("purge_sample_passed", (3, 1)) + said("ignition", (4, 1), (4.5, 0))
    assert raised(findings(light, plant("gasifier"), facts, (3, 5))) == {}


def test_an_initiation_that_is_not_seen_in_time(light: LightEngine):
    site = plant("grignard", values={"FC-008": 600.0})
    added = said("initiator_added", (0, 1))
    assert raised(findings(light, site, added, (0, 12))) == {"FC-008": [10, 11]}
    assert raised(findings(light, site, added + said("initiation_observed", (9, 1)), (0, 12))) == {}


def test_what_is_forbidden_in_a_state_is_allowed_in_another(light: LightEngine):
    facts = said("oxygen_line_depressurising", (0, 1)) + said("gasifier_depressurised", (2, 1))
    assert raised(findings(light, plant("gasifier"), facts, (0, 4))) == {"NH-017": [0, 1]}


def test_evidence_of_fewer_than_two_kinds(light: LightEngine):
    proving = said("proving_depressurised", (0, 1))
    one = proving + said("pressure_indications_compared", (0, 1))
    assert raised(findings(light, plant("operating_unit"), one, (0, 1))) == {"GEN-028": [0]}
    two = proving + said("pressure_indications_compared", (0, 2))
    assert raised(findings(light, plant("operating_unit"), two, (0, 1))) == {}
    assert raised(findings(light, plant("operating_unit"), proving, (0, 1))) == {"GEN-028": [0]}


@pytest.mark.parametrize(("sure", "level"), [(0.79, 0), (0.8, 3)])
def test_a_camera_has_to_be_sure_and_a_person_has_the_last_word(light: LightEngine, sure: float, level: int):
    seen = said("steam_blue_smoke", (0, sure), source="plant_camera")
    rows = findings(light, plant("neutraliser"), seen, (0, 1))
    assert [row["level"] for row in rows if row["index_id"] == "AN-008"] == [level]
    rows = findings(light, plant("neutraliser"), seen + said("steam_blue_smoke", (1, 0)), (1, 2))
    assert [row["level"] for row in rows if row["index_id"] == "AN-008"] == [0]
