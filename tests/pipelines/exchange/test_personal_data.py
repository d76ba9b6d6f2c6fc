"""Identity numbers, phones and addresses are gone before anything is stored, quarantine included."""

from __future__ import annotations

import random

import pytest
from exchange_files import AT, MINE, landed, look, seen
from test_fuzz import damaged, valid

from minefusion.pipelines.exchange.read import read_files
from minefusion.schemas.exchange.grammar import Layout, kinds

IDENTITY, PHONE, ADDRESS = "520221199001011234", "13912345678", "六盘水市钟山区人民中路99号"
SECRET = {"id_number": IDENTITY, "phone": PHONE, "mobile": PHONE, "contact_phone": PHONE, "address": ADDRESS}
LAYOUTS = [layout for kind in kinds().values() for layout in kind.layouts if layout.having("personal")]


def with_secrets(layout: Layout, count: int) -> tuple[str, bytes, bool]:
    """A valid file whose personal fields hold the secrets."""
    name, content, is_provincial = valid(layout, count)
    for field in layout.having("personal"):
        for n in range(count):
            content = content.replace(f"{field.zh}{n}".encode(), SECRET[field.column].encode())
    assert any(secret.encode() in content for secret in SECRET.values())
    return name, content, is_provincial


def test_every_personal_field_is_declared():
    columns = {field.column for kind in kinds().values() for la in kind.layouts for field in la.having("personal")}
    assert columns == set(SECRET)
    for kind in kinds().values():
        for layout in kind.layouts:
            for field in layout.fields:
                assert ("personal" in field.roles) == (field.column in SECRET)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: f"{layout.kind}-{layout.dialect}")
def test_personal_fields_are_blank_and_the_rest_is_kept(layout: Layout):
    name, content, is_provincial = with_secrets(layout, 3)
    found = seen(read_files([landed(name, content, 60, is_provincial)]))[0]
    assert (found.verdict, len(found.stored)) == ("accepted", 3)
    assert not any(secret in str(found) for secret in SECRET.values())
    for row in found.records:
        fields = dict(zip(layout.columns, row["raw"].split(";"), strict=True))
        assert not any(fields[field.column] for field in layout.having("personal"))
        assert any(fields.values())


def test_personal_data_does_not_survive_in_damaged_files():
    chance = random.Random(7)
    made = []
    for _ in range(400):
        name, content, is_provincial = with_secrets(chance.choice(LAYOUTS), chance.choice([6, 12]))
        made.append(landed(name, damaged(content, chance), chance.choice([60.0, 900.0]), is_provincial))
    results = seen(read_files(made))
    assert sum(bool(result.quarantined) for result in results) >= 20
    for file, result in zip(made, results, strict=True):
        for secret in (IDENTITY, PHONE, ADDRESS):
            assert secret not in str(result), (file.name, secret)


@pytest.mark.parametrize(
    "record",
    [
        f"1;甲;{IDENTITY};工;队;是;男;大专;已婚;{PHONE};{ADDRESS};证;2027-01-01;",  # one separator too many
        f"1;甲;{IDENTITY};工;队;也许;男;大专;已婚;{PHONE};{ADDRESS};证;2027-01-01",  # a flag out of its list
        f"1;甲;{IDENTITY};工;队;是;男;大专;{ADDRESS}",  # as many fields as an overtime alarm has
        f";甲;{IDENTITY};{ADDRESS}",
    ],
)
def test_quarantined_records_of_a_kind_with_personal_data(record: str):
    good = [f"{n};甲;;工;队;是;男;大专;已婚;;;证;2027-01-01" for n in range(5)]
    found = look("RYCS", "~".join([f"DW;系统;厂家;{AT};7", *good, record, "||"]))
    assert (found.verdict, len(found.quarantined)) == ("partial", 1)
    assert not any(secret in str(found) for secret in SECRET.values())
    assert found.records[-1]["reason_zh"]


def test_the_reason_for_an_ordinary_alarm_still_shows_what_came():
    """An overtime alarm holds no personal data, so its text and its wrong field stay readable."""
    good = [f"6200000000010{n:04d};甲;{AT};{AT};;6200000000010004;{AT};6200000000010004000010;{AT}" for n in range(5)]
    bad = good[0].replace(f"甲;{AT}", "甲;2025-02-30 08:00:00")
    found = look("RYCS", "~".join([f"{MINE};示范煤矿;{AT}", *good, bad, "||"]))
    assert found.quarantined == [("FIELD_TYPE", bad)]
    assert "got '2025-02-30 08:00:00'" in found.records[-1]["reason_en"]


def test_an_identity_number_goes_wherever_it_stands():
    record = f"6200000000010{0:04d};{IDENTITY};{PHONE};x"
    good = [f"{n:017d};甲;工;长;队;1985-03-01;大专;0;1" for n in range(62000000000100000, 62000000000100005)]
    header = f"{MINE};矿;500;K;系;厂;2027-12-31;{AT}"
    found = look("RYXX", "~".join([header, *good, record, "||"]))
    assert found.quarantined == [("FIELD_COUNT", "62000000000100000;;;x")]


def test_a_header_that_may_be_a_record_is_not_kept():
    lost = f"1;甲;{IDENTITY};工;队;是;男;大专;已婚;{PHONE};{ADDRESS};证;2027-01-01"
    found = look("RYCS", f"{lost}~{lost}~||")
    assert (found.reason, found.file["header"]) == ("HEADER_UNREADABLE", None)
