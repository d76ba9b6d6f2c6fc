"""The data model of the specification: every table has its place, owner and level, every column its code."""

import re

import pytest

from minefusion.schemas.catalog import TABLES
from minefusion.schemas.errors import InputError
from minefusion.schemas.governance import (
    cards,
    data_domains,
    device_model,
    domains,
    element_code,
    has_element,
    interfaces,
    maskings,
    next_element,
    security_levels,
    steps,
    topics,
)

CONFIDENCES = ("confirmed", "inferred", "convention")


def test_every_table_has_a_data_domain_an_owner_and_a_level():
    lacking = sorted(TABLES.keys() - cards().keys())
    assert not lacking, "add them to schemas/governance/tables.csv"
    assert cards().keys() == TABLES.keys(), "a row of a table that is no more"
    for table in TABLES.values():
        card = cards()[table.name]
        assert table.domain in data_domains(), table.name
        assert table.level in security_levels(), table.name
        assert table.owner, table.name
        assert card.owner_zh, table.name
        assert (card.keep_days is None) == (card.keep_source is None) == (card.keep_confidence is None), table.name
    objects = [card.code for card in cards().values()]
    assert len(set(objects)) == len(objects), "two tables with one number"


def test_every_column_has_a_code_of_its_own():
    names = dict.fromkeys(column.name for table in TABLES.values() for column in table.columns)
    lacking = [name for name in names if not has_element(name)]
    rows = "\n".join(next_element(name, number) for number, name in enumerate(lacking))
    assert not lacking, f"add to schemas/governance/elements.csv:\n{rows}"
    codes = [element_code(table.name, column.name) for table in TABLES.values() for column in table.columns]
    assert all(re.fullmatch(r"\d{2}\.\d{2}\.\d{3}\.\d{3}\.\d{2}", code) for code in codes)
    assert len(set(codes)) == len(codes)


def test_a_code_is_made_of_domain_object_attribute_and_element():
    assert element_code("silver.reading", "mine_code") == "03.01.004.002.01"
    assert element_code("silver.position", "mine_code") == "04.01.003.002.01"
    assert element_code("silver.point", "y").rpartition(".")[0] == element_code("silver.point", "x").rpartition(".")[0]


def test_what_has_no_row_is_told_with_the_row_to_add():
    with pytest.raises(InputError, match=r"expected a row of gold\.weather in schemas/governance/tables\.csv"):
        element_code("gold.weather", "mine_code")
    with pytest.raises(InputError, match=r"expected a row of column cloudiness .* add 'cloudiness,\d{3},01'"):
        element_code("silver.reading", "cloudiness")


def test_business_domains_are_those_of_the_specification():
    assert list(domains()) == [f"{number:02d}" for number in range(1, 14)]
    assert {name.partition(".")[0] for name in data_domains()} <= domains().keys()
    assert {domain.domain for domain in data_domains().values()} - {"06"} <= domains().keys()


def test_columns_that_name_persons_are_marked_and_lie_in_tables_of_level_3():
    for table, column in maskings():
        assert TABLES[table].level == "L3"
        assert column in TABLES[table].names
    for table in TABLES.values():
        names = {"card_code"} | ({"name"} if "card_code" in table.key else set())
        for column in names & set(table.names):
            assert (table.name, column) in maskings(), f"{table.name}.{column} names a person"
    assert not [table for table, _ in maskings() if table.startswith("gold.")], "gold holds no card and no name"


def test_device_model_and_interfaces_name_tables_and_columns_that_there_are():
    for part in device_model():
        for name in (part.held_in or "").split():
            table, _, column = name.rpartition(".")
            assert column in TABLES[table].names, name
    assert [part.part for part in device_model()] == [
        "identity", "place", "attributes", "events", "services", "relations",
    ]  # fmt: skip
    for interface in interfaces():
        for table in (interface.tables or "").split():
            assert TABLES[table].level <= interface.level, f"{interface.path} gives away {table}"


def test_topics_name_only_what_is_proven():
    assert {topic.topic for topic in topics()} == {"1", "2", "3", "4", "5", "6"}
    titled = [topic for topic in topics() if topic.part_zh]
    assert [topic.slug for topic in titled] == ["security/data-security"]


def test_everything_says_how_sure_it_is():
    for each in (*security_levels().values(), *steps(), *interfaces(), *topics(), *device_model()):
        assert each.confidence in CONFIDENCES
        assert each.source
    assert [step.step for step in steps()] == [
        "collection", "production", "transmission", "storage", "exchange", "application", "presentation", "destruction",
    ]  # fmt: skip
