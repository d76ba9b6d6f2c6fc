"""What files of independent programs look like, and what each gets: verdict, codes, records."""

from __future__ import annotations

import json
from typing import ClassVar

import pytest
from exchange_files import AT, HEADER, MINE, look, named, text

from minefusion.schemas.exchange.grammar import kinds

CODE = "62000000000101MN0043001A01"
CDSS = f"{CODE};激光甲烷;1301工作面;0.32;%;0;{AT}"
OTHERS = [f"62000000000101MN0043001A{n:02d};激光甲烷;1301工作面;0.4{n};%;0;{AT}" for n in range(2, 11)]
CARD, AREA, STATION = "62000000000100017", "6200000000010004", "6200000000010004000010"


def cdss(*changed: str) -> str:
    """Nine good CDSS records and these, so that one bad record makes the file partial."""
    return text(*OTHERS, *changed)


def with_field(record: str, index: int, value: str) -> str:
    fields = record.split(";")
    fields[index] = value
    return ";".join(fields)


class TestEnvelope:
    @pytest.mark.parametrize(
        "content",
        [
            text(CDSS).replace("~", "~\n"),
            text(CDSS).replace("~", "~\r\n"),
            text(CDSS).replace(";0.32", "\n;0.32"),
        ],
    )
    def test_line_breaks_are_dropped(self, content: str):
        seen = look("CDSS", content)
        assert (seen.verdict, list(seen.codes), seen.stored) == ("accepted", ["LINE_BREAKS"], [CDSS])

    @pytest.mark.parametrize("end", ["\r\n", "\n", "  ", " \r\n\r\n"])
    def test_blanks_behind_the_end_mark_are_nothing(self, end: str):
        seen = look("CDSS", text(CDSS) + end)
        assert (seen.verdict, seen.codes, seen.stored) == ("accepted", {}, [CDSS])

    def test_a_bom_is_nothing(self):
        seen = look("CDSS", b"\xef\xbb\xbf" + text(CDSS).encode())
        assert (seen.verdict, seen.codes, seen.stored) == ("accepted", {}, [CDSS])

    def test_gb18030_is_decoded_before_splitting(self):
        record = with_field(CDSS, 2, "亊東亊|")  # 亊 ends in the byte of ~, 東 in that of |
        seen = look("CDSS", text(record.replace("|", "")).encode("gb18030"))
        assert (seen.verdict, seen.codes) == ("accepted", {"ENCODING_GB18030": 1})
        assert seen.stored == [with_field(CDSS, 2, "亊東亊")]
        assert seen.file["encoding"] == "GB18030"

    def test_utf8_with_few_bad_bytes_stays_utf8(self):
        content = cdss(CDSS).encode().replace(b"0.32", b"0.\xff2")
        seen = look("CDSS", content)
        assert (seen.verdict, seen.reason, seen.file["encoding"]) == ("partial", "FIELD_TYPE", "UTF-8")
        assert seen.stored == OTHERS
        assert seen.quarantined == [("FIELD_TYPE", CDSS.replace("0.32", "0.\ufffd2"))]

    def test_a_replacement_character_is_kept(self):
        record = with_field(CDSS, 2, "1301\ufffd面")
        seen = look("CDSS", text(record))
        assert (seen.verdict, seen.codes, seen.stored) == ("accepted", {"REPLACEMENT_CHARS": 1}, [record])

    def test_a_file_that_is_one_json_string_is_undone(self):
        seen = look("CDSS", json.dumps(text(CDSS), ensure_ascii=False))
        assert (seen.verdict, seen.codes, seen.stored) == ("accepted", {"QUOTED_FILE": 1}, [CDSS])

    def test_escapes_of_the_json_string_are_undone(self):
        seen = look("CDSS", json.dumps(text(CDSS)))
        assert (seen.codes, seen.stored) == ({"QUOTED_FILE": 1}, [CDSS])

    def test_quotes_around_what_is_no_json_string_are_taken_off(self):
        record = with_field(CDSS, 2, "巷\\道")
        seen = look("CDSS", f'"{text(record)}"')
        assert (seen.verdict, seen.codes, seen.stored) == ("accepted", {"QUOTED_FILE": 1}, [record])

    def test_half_a_character_in_the_json_string_becomes_a_replacement_character(self):
        content = text(CDSS, with_field(OTHERS[0], 2, "巷道HALF")).replace("HALF", r"\ud83d")
        seen = look("CDSS", f'"{content}"')
        assert (seen.verdict, seen.codes) == ("accepted", {"QUOTED_FILE": 1, "REPLACEMENT_CHARS": 1})
        assert seen.stored == [CDSS, with_field(OTHERS[0], 2, "巷道\ufffd")]

    @pytest.mark.parametrize(
        "form", [lambda t: json.dumps(t.replace("~", "~\r\n")), lambda t: f'"{t}"'.replace("~", "~\n")]
    )
    def test_quoted_and_with_line_breaks(self, form):
        seen = look("CDSS", form(text(CDSS)))
        assert (seen.verdict, list(seen.codes), seen.stored) == ("accepted", ["LINE_BREAKS", "QUOTED_FILE"], [CDSS])

    @pytest.mark.parametrize("content", ['"' + text(CDSS), text(CDSS) + '"', '"'])
    def test_a_lone_quote_hides_the_end_mark(self, content: str):
        assert look("CDSS", content).verdict == "waiting"
        late = look("CDSS", content, idle_s=600)
        assert (late.verdict, late.reason) == ("rejected", "END_MARK_MISSING")

    def test_end_mark_after_the_header_and_at_the_end(self):
        seen = look("CDSS", f"{HEADER}~||{CDSS}~{OTHERS[0]}~||")
        assert (seen.verdict, seen.codes, seen.stored) == ("accepted", {"EARLY_END_MARK": 1}, [CDSS, OTHERS[0]])

    @pytest.mark.parametrize("content", [f"{HEADER}~||", f"{HEADER}||", f"{HEADER}~||\r\n"])
    def test_end_mark_after_the_header_and_nothing_behind(self, content: str):
        seen = look("CDSS", content)
        assert (seen.verdict, seen.codes, seen.file["records_sent"]) == ("accepted", {}, 0)

    def test_end_mark_only_earlier(self):
        content = f"{HEADER}~||{CDSS}~{OTHERS[0]}~"
        assert (look("CDSS", content, idle_s=599).verdict) == "waiting"
        seen = look("CDSS", content, idle_s=600)
        assert (seen.verdict, seen.stored) == ("accepted", [CDSS, OTHERS[0]])
        assert seen.codes == {"EARLY_END_MARK": 1, "END_MARK_MISSING": 1}

    def test_an_unclosed_last_segment_goes_to_quarantine(self):
        content = f"{HEADER}~||" + "~".join([*OTHERS, CDSS])
        seen = look("CDSS", content, idle_s=600)
        assert (seen.verdict, seen.stored, seen.quarantined) == ("partial", OTHERS, [("FIELD_COUNT", CDSS)])

    @pytest.mark.parametrize("content", ["", HEADER, f"{HEADER}~{CDSS}~", f"{HEADER}~{CDSS}~|", "\ufeff", "   "])
    def test_no_end_mark_waits_and_is_refused(self, content: str):
        waiting = look("CDSS", content, idle_s=599.9)
        assert (waiting.verdict, waiting.file["records_waiting"]) == ("waiting", waiting.file["records_sent"])
        seen = look("CDSS", content, idle_s=600)
        assert (seen.verdict, seen.reason, seen.records) == ("rejected", "END_MARK_MISSING", [])
        assert seen.file["records_rejected"] == seen.file["records_sent"]

    @pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
    @pytest.mark.parametrize("cut", range(1, 12))
    def test_truncated_also_inside_a_character(self, encoding: str, cut: int):
        content = text(CDSS, with_field(CDSS, 2, "1301工作面上隅角回风流")).encode(encoding)
        content = content[: content.rindex("上隅角".encode(encoding)) + cut]
        assert look("CDSS", content).verdict == "waiting"
        assert look("CDSS", content, idle_s=700).reason == "END_MARK_MISSING"

    def test_last_record_without_its_separator(self):
        seen = look("CDSS", f"{HEADER}~{CDSS}||")
        assert (seen.verdict, seen.codes, seen.stored) == ("accepted", {}, [CDSS])

    @pytest.mark.parametrize(
        ("content", "empty"),
        [
            (f"{HEADER}~{CDSS}~~||", 1),
            (f"{HEADER}~~{CDSS}~  ~{OTHERS[0]}~||", 2),
            (f"~{HEADER}~{CDSS}~||", 1),
            (f"{HEADER}~{CDSS}~ ~||", 1),
        ],
    )
    def test_empty_segments_are_no_records(self, content: str, empty: int):
        seen = look("CDSS", content)
        assert (seen.verdict, seen.codes) == ("accepted", {"EMPTY_SEGMENT": empty})
        assert seen.file["records_sent"] == len(seen.stored)

    @pytest.mark.parametrize(
        "content",
        [
            bytes(range(256)) * 4,
            b"\x00\x01\x02" + text(CDSS).encode(),
            text(CDSS).encode("utf-16"),
            b"\xff\xfe\x80\xf5" * 99,
            text(CDSS).encode().replace(b"%", b"\x07"),
        ],
    )
    def test_bytes_that_are_no_text(self, content: bytes):
        seen = look("CDSS", content)
        assert (seen.verdict, seen.reason) == ("rejected", "NOT_TEXT")
        assert (seen.file["records_sent"], seen.records, seen.file["encoding"]) == (0, [], None)

    @pytest.mark.parametrize("line_break", ["\n", "\r\n"])
    def test_header_on_a_line_of_its_own(self, line_break: str):
        seen = look("CDSS", f"{HEADER}{line_break}{CDSS}~{line_break}{OTHERS[0]}~{line_break}||")
        assert (seen.verdict, seen.reason) == ("rejected", "HEADER_UNREADABLE")
        assert seen.file["header"] is None

    def test_full_width_separator_in_some_records(self):
        seen = look("CDSS", cdss(CDSS.replace(";", "；")))
        assert (seen.verdict, seen.reason) == ("partial", "FULLWIDTH_SEPARATOR")
        assert seen.quarantined == [("FULLWIDTH_SEPARATOR", CDSS.replace(";", "；"))]

    def test_full_width_separator_in_all_records(self):
        seen = look("CDSS", text(CDSS.replace(";", "；")))
        assert (seen.verdict, seen.reason) == ("rejected", "TOO_MANY_BAD_RECORDS")
        assert seen.codes == {"FULLWIDTH_SEPARATOR": 1}

    def test_full_width_semicolon_inside_a_text(self):
        record = with_field(CDSS, 2, "1301；工作面")
        seen = look("CDSS", text(record, *OTHERS))
        assert (seen.verdict, seen.codes, seen.stored[0]) == ("accepted", {"FULLWIDTH_SEPARATOR": 1}, record)
        assert seen.marks[:2] == ["FULLWIDTH_SEPARATOR", ""]


class TestNames:
    @pytest.mark.parametrize(
        ("name", "kind", "codes"),
        [
            (f"{MINE}_CDSS_20250601080000.txt", "CDSS", []),
            (f"{MINE}_CDSS_20250601080000.TXT", "CDSS", ["NAME_VARIANT"]),
            (f"{MINE}_cdss_20250601080000.txt", "CDSS", ["NAME_VARIANT"]),
            (f"{MINE}CDSS20250601080000.txt", "CDSS", ["NAME_VARIANT"]),
            (f"{MINE}_CDSS_2025-06-01 08:00:00.txt", "CDSS", ["NAME_VARIANT"]),
            (f"{MINE}_CDSS_2025-06-01_08_00_00.txt", "CDSS", ["NAME_VARIANT"]),
            (f"{MINE}_CDSS_2025-06-01 08:00:00_1234.txt", "CDSS", ["NAME_VARIANT"]),
            (f"{MINE}_CDSS_20250601080000123.txt", "CDSS", ["NAME_VARIANT"]),
            (f"{MINE}_CDSS_20250601080000123456.txt", "CDSS", ["NAME_VARIANT"]),
            (f"{MINE}_CDSS_20250601080000_77.txt", "CDSS", ["NAME_VARIANT"]),
            (f"{MINE}_CDSS_20250601080000.json", "CDSS", ["NAME_VARIANT"]),
        ],
    )
    def test_ways_to_write_a_name(self, name: str, kind: str, codes: list[str]):
        seen = named(name, text(CDSS))
        assert (seen.verdict, seen.file["kind"], list(seen.codes)) == ("accepted", kind, codes)
        assert seen.file["stamp"].isoformat() == "2025-06-01T00:00:00+00:00"

    @pytest.mark.parametrize("mine", ["6200000001", "62000000001", "6200000000A123456789", "62000000000123456789"])
    def test_mine_codes_of_other_registers(self, mine: str):
        record = CDSS.replace(MINE, mine)
        seen = named(f"{mine}_CDSS_20250601080000.txt", text(record, header=f"{mine};示范煤矿;{AT}"))
        assert (seen.verdict, seen.codes, seen.file["mine_code"]) == ("accepted", {"MINE_CODE_LENGTH": 1}, mine)

    def test_two_part_types_are_main_forms(self):
        header = f"{MINE};示范煤矿;30;主要通风机监控系统;{AT}"
        record = f"P01;0017;电流;D1;12.5;A;good;{AT}"
        seen = look("TFJK_SS", text(record, header=header))
        assert (seen.verdict, seen.file["kind"], seen.dialects) == ("accepted", "TFJK_SS", [])
        assert seen.codes == {"STATUS_WORD": 1}

    @pytest.mark.parametrize("kind", ["RYYJCS", "WZCDDY", "WZCDSS", "GDJK_SS", "ABCD", "AQSS"])
    def test_a_type_that_the_table_lacks_is_set_aside(self, kind: str):
        seen = look(kind, text(CDSS, OTHERS[0]))
        assert (seen.verdict, seen.reason, seen.records) == ("unknown", "UNKNOWN_KIND", [])
        assert (seen.file["records_aside"], seen.file["name_kind"], seen.file["kind"]) == (2, kind, None)

    @pytest.mark.parametrize(
        "name",
        ["readme.txt", "CDSS.txt", "620000000001_CDSS.txt", "x", "1_CDSS_20250601080000.txt", "52022100001_AQSS",
                 "520221_PersonRealSync_20250601", "zdh_dev_1", "620000000001_CDSS_20250601080000.csv"]
    )  # fmt: skip
    def test_any_other_name_is_set_aside(self, name: str):
        seen = named(name, text(CDSS))
        assert (seen.verdict, seen.reason, seen.file["records_aside"]) == ("unknown", "UNKNOWN_NAME", 1)


class TestHeaders:
    @pytest.mark.parametrize(
        "kind", [kind for kind in kinds().values() if kind.envelope in ("tilde", "caret")], ids=lambda kind: kind.kind
    )
    def test_every_header_form_is_read(self, kind):
        values = {"mine_code": MINE, "data_time": AT, "declared_count": "0"}
        for name in {"", *kind.dialect_headers}:
            form = kind.header_form(name)
            header = ";".join(values.get(field.column, "" if field.type == "empty" else "1") for field in form)
            separator, mark = ("^", "]]]") if kind.envelope == "caret" else ("~", "||")
            seen = look(kind.kind, f"{header}{separator}{mark}")
            assert (seen.verdict, seen.file["header_time"].isoformat()) == ("accepted", "2025-06-01T00:00:00+00:00")
            expected = {} if form[0].column == "mine_code" else {"HEADER_WITHOUT_MINE": 1}
            assert seen.codes == expected
            assert json.loads(seen.file["header"]) == header.split(";")

    @pytest.mark.parametrize(
        "header",
        [
            f"{MINE};示范煤矿;2025-06-01 8:00:00",
            f"{MINE};示范煤矿;2025/06/01 08:00:00",
            f"{MINE};示范煤矿;2025-02-30 08:00:00",
            f"{MINE};{AT};{AT}",
            f"{MINE};示范煤矿",
            f"{MINE}；示范煤矿；{AT}",
            OTHERS[3],  # the header is lost
        ],
    )
    def test_header_without_exactly_one_date_time(self, header: str):
        seen = look("CDSS", text(CDSS, header=header))
        assert (seen.verdict, seen.reason, seen.file["header_time"]) == ("rejected", "HEADER_UNREADABLE", None)

    def test_mine_of_the_header_differs(self):
        seen = look("CDSS", text(CDSS, header=f"620000000002;示范煤矿;{AT}"))
        assert (seen.verdict, seen.reason, seen.file["records_rejected"]) == ("rejected", "MINE_MISMATCH", 1)

    def test_header_without_a_mine(self):
        seen = look("CDSS", text(CDSS, header=f"示范煤矿;甘肃;{AT}"))
        assert (seen.verdict, seen.codes, seen.file["mine_code"]) == ("accepted", {"HEADER_WITHOUT_MINE": 1}, MINE)
        assert seen.records[0]["mine_code"] == MINE

    def test_header_with_a_number_of_fields_that_no_layout_has(self):
        record = f"{CARD};测试甲;采煤机司机;班长;综采一队;1985-03-01;大专;0;1"
        seen = look("RYXX", text(record))
        assert (seen.verdict, seen.codes) == ("accepted", {"HEADER_VARIANT": 1})
        assert json.loads(seen.file["header"]) == HEADER.split(";")

    def test_declared_count_that_differs(self):
        seen = look("WFSJ", text(f"{CODE};0.3;0.4;{AT};0.2;{AT};", header=f"{AT};7;"))
        assert (seen.verdict, seen.codes) == ("accepted", {"COUNT_MISMATCH": 1, "HEADER_WITHOUT_MINE": 1})

    @pytest.mark.parametrize(
        ("time", "verdict"), [("2025-06-01 08:06:00", "accepted"), ("2025-06-01 08:06:01", "rejected")]
    )
    def test_header_time_ahead_of_the_receiver(self, time: str, verdict: str):
        seen = look("CDSS", text(CDSS, header=f"{MINE};示范煤矿;{time}"))
        assert (seen.verdict, seen.reason) == (verdict, "FUTURE_TIME" if verdict == "rejected" else "")


class TestSentinels:
    def test_null_in_any_field(self):
        seen = look("CDSS", text(f"{CODE};null;1301工作面;null;%;null;{AT}"))
        assert (seen.verdict, seen.codes) == ("accepted", {"SENTINEL": 3})
        assert seen.stored == [f"{CODE};;1301工作面;;%;;{AT}"]

    @pytest.mark.parametrize("field", [";", "  ;", "\u3000;"])
    def test_an_empty_or_blank_field_is_nothing(self, field: str):
        seen = look("CDSS", text(f"{CODE};激光甲烷;{field}0.3;%;0;{AT}"))
        assert (seen.verdict, seen.codes, seen.stored) == ("accepted", {}, [f"{CODE};激光甲烷;;0.3;%;0;{AT}"])

    def test_not_set_trade_and_birth_date(self):
        header = f"{MINE};示范煤矿;500;KJ000;系统;厂家;2027-12-31;{AT}"
        seen = look("RYXX", text(f"{CARD};测试甲;未设置;未设置;综采一队;1990-01-01;大专;0;1", header=header))
        assert (seen.codes, seen.stored) == ({"SENTINEL": 3}, [f"{CARD};测试甲;;;综采一队;;大专;0;1"])

    def test_x_as_end_time_means_open(self):
        record = f"{CODE};001;1.2;1.0;1.5;{AT};X;1.3;;{AT};1.1;1.0;;;;;"
        seen = look("YCBJ", text(record, header=f"{AT};1;"))
        assert (seen.verdict, seen.dialects, seen.codes["SENTINEL"]) == ("accepted", ["i"], 1)
        assert seen.stored == [record.replace(";X;", ";;")]

    def test_has_not_left_the_mine(self):
        trace = f"{STATION}001&{AT}"
        record = f"{'6' * 25};甲;1;{AT};xxxx-xx-xx xx:xx:xx;{'6' * 22};{AT};{'6' * 25};{AT};{trace}"
        seen = look("RYSS", text(record, header=f"{AT};1;甲;"))
        assert (seen.verdict, seen.dialects, seen.codes["SENTINEL"]) == ("accepted", ["b2"], 1)

    def test_threshold_that_is_not_set(self):
        seen = look("GTXDY", text("GT01;1号;2025-01-01;坝顶;厂家;;;;107.2;26.5;1250.6;-0.01;120;100;1"))
        assert (seen.codes, seen.stored) == (
            {"SENTINEL": 1},
            ["GT01;1号;2025-01-01;坝顶;厂家;;;;107.2;26.5;1250.6;;120;100;1"],
        )

    @pytest.mark.parametrize(
        ("value", "status", "fixed", "codes"),
        [
            ("-9999", "0", ";A;0", {"SENTINEL": 1}),
            ("-9999.0", "fault", ";A;128", {"SENTINEL": 1, "STATUS_WORD": 1}),
            ("12.5", "fault", ";A;128", {"SENTINEL": 1, "STATUS_WORD": 1}),
            ("12.5", "good", "12.5;A;0", {"STATUS_WORD": 1}),
        ],
    )
    def test_fault_of_key_equipment(self, value: str, status: str, fixed: str, codes: dict[str, int]):
        header = f"{MINE};示范煤矿;30;主要通风机监控系统;{AT}"
        seen = look("TFJK_SS", text(f"P01;0017;电流;D1;{value};A;{status};{AT}", header=header))
        assert (seen.verdict, seen.codes, seen.stored) == ("accepted", codes, [f"P01;0017;电流;D1;{fixed};{AT}"])

    @pytest.mark.parametrize("value", [".34", "+12.25", "1.0", "-3", "5.", "1e-3"])
    def test_ways_to_write_a_number(self, value: str):
        seen = look("CDSS", text(with_field(CDSS, 3, value)))
        assert (seen.verdict, seen.codes) == ("accepted", {})
        assert float(seen.stored[0].split(";")[3]) == float(value)

    @pytest.mark.parametrize(("value", "fixed"), [("1.0", "1"), ("0", "0"), ("2.0", "2"), ("", "")])
    def test_ways_to_write_a_switch(self, value: str, fixed: str):
        seen = look("KGBH", text(f"62000000000101KG1003002D04;风筒状态;风筒;{value};0;{AT}"))
        assert (seen.verdict, seen.codes, seen.stored[0].split(";")[3]) == ("accepted", {}, fixed)

    @pytest.mark.parametrize("value", ["1,234.5", "高", "0x10", "nan", "inf", "1 2", "--1"])
    def test_text_in_a_number(self, value: str):
        seen = look("CDSS", cdss(with_field(CDSS, 3, value)))
        assert (seen.verdict, seen.reason, seen.codes) == ("partial", "FIELD_TYPE", {"FIELD_TYPE": 1})
        assert seen.quarantined == [("FIELD_TYPE", with_field(CDSS, 3, value))]
        assert value in seen.records[-1]["reason_zh"]
        assert "value" in seen.records[-1]["reason_en"]

    @pytest.mark.parametrize(
        ("kind", "record", "header"),
        [
            ("KGBH", f"62000000000101KG1003002D04;风筒;风筒;3;0;{AT}", HEADER),
            ("FZSS", f"62000000000100001;7;1;{AT}", HEADER),
            ("YCBJ", f"{CODE};甲烷;面;%;011;{AT};;1;{AT};1;{AT};1;;;;;{AT}", HEADER),
            ("CDSS", with_field(CDSS, 0, ""), HEADER),
            ("CDSS", with_field(CDSS, 0, "  "), HEADER),
            ("CDSS", with_field(CDSS, 0, "null"), HEADER),
            ("RYSS", f"{CARD};甲;;{AT};;{AREA};{AT};{STATION};{AT};三八制;1;正常;0;0;", HEADER),
            ("RYSS", f"{CARD};甲;3;{AT};;{AREA};{AT};{STATION};{AT};三八制;1;正常;0;0;", HEADER),
            ("RYSS", f"{CARD};甲;1;{AT};;{AREA};{AT};{STATION};{AT};三八制;1;正常;2;0;", HEADER),
        ],
    )
    def test_empty_key_or_flag_out_of_its_list(self, kind: str, record: str, header: str):
        seen = look(kind, text(record, header=header))
        assert (seen.verdict, seen.reason, seen.codes) == ("rejected", "TOO_MANY_BAD_RECORDS", {"FIELD_TYPE": 1})

    def test_empty_time_value_state_and_place_are_legal(self):
        seen = look("CDSS", text(f"{CODE};;;;;;"))
        assert (seen.verdict, seen.codes, seen.stored) == ("accepted", {}, [f"{CODE};;;;;;"])
        assert seen.records[0]["observed_at"] == seen.file["header_time"]
        assert look("FZSS", text("62000000000100001;;;")).codes == {}

    def test_at_the_pit_mouth_every_time_and_code_may_be_empty(self):
        seen = look("RYSS", text(f"{CARD};甲;0;;;;;;;;;;;;"))
        assert (seen.verdict, seen.codes) == ("accepted", {})

    @pytest.mark.parametrize(
        ("kind", "record", "header", "fixed"),
        [
            ("FZDY", f"62000000000100001;回风巷;北;1,2;-3;{AT}", HEADER, f"62000000000100001;回风巷;;;-3;{AT}"),
            (
                "RYXX", f"{CARD};甲;工;长;队;1985-02-30;大专;0;1", f"{MINE};矿;500;K;系;厂;2027-12-31;{AT}",
                f"{CARD};甲;工;长;队;;大专;0;1",
            ),
            (
                "ABSJ", "P;M;F1;C1;2024-01-01;2024-13-01;1;U;A;张;;H", f"{MINE};矿;ABSJ;安标信息;{AT}",
                "P;M;F1;C1;2024-01-01;;1;U;A;张;;H",
            ),
        ],
    )  # fmt: skip
    def test_bad_optional_values_become_null(self, kind: str, record: str, header: str, fixed: str):
        seen = look(kind, text(record, header=header))
        assert (seen.verdict, list(seen.codes), seen.stored) == ("accepted", ["BAD_OPTIONAL_VALUE"], [fixed])

    def test_listed_date(self):
        record = "BW01;1号;[2025,1,1];坝顶;厂家;;;;107.2;26.5;1250.6;140;120;100;1;2025-06-01"
        seen = look("BWYDY", text(record))
        assert (seen.verdict, seen.codes) == ("accepted", {"DATE_VARIANT": 1, "DIALECT": 1})
        assert seen.stored == [record.replace("[2025,1,1]", "2025-01-01")]

    @pytest.mark.parametrize(
        ("status", "bits", "codes"),
        [
            ("0", "0", {}), ("5", "5", {}), ("005", "5", {}), ("255", "255", {}), ("", "", {}),
            ("00000101", "5", {}), ("10000000", "128", {}), ("00000000", "0", {}),
            ("good", "0", {"STATUS_WORD": 1}),
            ("正常", "", {"STATUS_UNKNOWN": 1}), ("256", "", {"STATUS_UNKNOWN": 1}), ("-1", "", {"STATUS_UNKNOWN": 1}),
            ("0101", "", {"STATUS_UNKNOWN": 1}), ("00000002", "", {"STATUS_UNKNOWN": 1}),
            ("1.0", "", {"STATUS_UNKNOWN": 1}),
        ],
    )  # fmt: skip
    def test_status(self, status: str, bits: str, codes: dict[str, int]):
        seen = look("CDSS", text(with_field(CDSS, 5, status)))
        assert (seen.verdict, seen.codes, seen.stored[0].split(";")[5]) == ("accepted", codes, bits)

    @pytest.mark.parametrize(
        ("kind", "record"),
        [
            ("CDDY", f"{CODE};01;62000000000100001;0043;MN;%;100;0;1;0.99;;;1.5;0.99;;;开;停;面;1;2;3;;{AT}"),
            ("CDDY", f"{CODE};01;62000000000100001;0043;MN;%;100;0;1;0.99;;;1.5;0.99;;;1;0;面;1;2;3;;{AT}"),
            ("ZKYL", "62000000000112MN120100000001;巷;1201;距切眼;12.0;2025-05-01;1;2;3;X;5.0"),
            ("ZKYL", "62000000000112MN120100000001;巷;1201;距切眼;12.0;2025-05-01;1;2;3;X;5.0&6.1&.3"),
            ("SFSCDDY", f"SFS1;孔1;m;延安组;12.5;110;118;113;1;2;3;1.6;42;{AT}"),
            ("SFSCDDY", "SFS1;孔1;m;延安组;12.5;110;118;113;1;2;3;1.6;42;2025-06-01"),
            ("YSLCDDY", f"YSL1;点;采区;0503;m³/h;1;2;3;{AT}"),
        ],
    )
    def test_two_ways_that_are_both_right(self, kind: str, record: str):
        header = {"CDDY": f"{MINE};矿;K;系;厂;2027-12-31;{AT}"}.get(kind, HEADER)
        seen = look(kind, text(record, header=header))
        assert (seen.verdict, seen.codes) == ("accepted", {})

    @pytest.mark.parametrize(
        ("kind", "record", "code"),
        [
            ("CDSS", with_field(CDSS, 0, "62000000000101mn0043001a01"), "CODE_FORMAT"),
            ("CDSS", with_field(CDSS, 0, "P-17"), "CODE_FORMAT"),
            ("KGBH", f"P17;风筒;风筒;1;0;{AT}", "CODE_FORMAT"),
            (
                "RYSS",
                f"{CARD};甲;1;{AT};;6200000000010005;{AT};{STATION};{AT};三八制;1;正常;0;0;",
                "AREA_STATION_MISMATCH",
            ),
            ("RYJZ", f"{'6' * 25};20;1;2;3;巷;{AT}", "CODE_FORMAT"),
            ("ZKSS", f"ZK1;1203;面;7.8;0;{AT}", "CODE_UNKNOWN"),
            ("YSLCDSS", f"{MINE}YSLx7Kq02;0;86.4;{AT}", "CODE_FORMAT"),
        ],
    )
    def test_marks_keep_the_record(self, kind: str, record: str, code: str):
        seen = look(kind, text(record))
        assert (seen.verdict, seen.codes[code], seen.marks, seen.stored) == ("accepted", 1, [code], [record])

    @pytest.mark.parametrize(
        ("index", "value"), [(0, "6200000000010001"), (5, "62000000000100"), (7, "62000000000100040000")]
    )
    def test_positioning_code_of_another_length(self, index: int, value: str):
        record = with_field(f"{CARD};甲;1;{AT};;{AREA};{AT};{STATION};{AT};三八制;1;正常;0;0;", index, value)
        seen = look("RYSS", text(record))
        assert (seen.verdict, seen.codes) == ("rejected", {"FIELD_TYPE": 1})
        mine = "62000000000123456789"  # another register: only marked
        record = record.replace(CARD, "6" * 25)
        seen = look("RYSS", text(record, header=f"{mine};矿;{AT}"), mine=mine)
        assert (seen.verdict, seen.codes["CODE_FORMAT"] >= 1) == ("accepted", True)

    @pytest.mark.parametrize(
        ("relation", "is_read"),
        [
            (f"D-{CODE}-动力电源", True), (f"D-{CODE}", True), (f"D-{CODE}-1301-电源", True),
            (f"G-{CODE}-风门:G-{CODE}-风门2", True), (f"D-{CODE}-a◇K-{CODE}-b", True), ("", True),
            ("断电1301工作面", False), (f"Q-{CODE}-a", False), (f"D-{CODE}-a◇", False),
        ],
    )  # fmt: skip
    def test_relation(self, relation: str, is_read: bool):
        record = f"{CODE};01;62000000000100001;0043;MN;%;100;0;1;0.99;;;1.5;0.99;;;;;面;1;2;3;{relation};{AT}"
        seen = look("CDDY", text(record, header=f"{MINE};矿;K;系;厂;2027-12-31;{AT}"))
        assert (seen.verdict, list(seen.codes)) == ("accepted", [] if is_read else ["RELATION_FORMAT"])
        assert seen.stored == [record]

    def test_type_inside_the_point_code_differs(self):
        record = f"{CODE};01;62000000000100001;0001;MN;%;100;0;1;0.99;;;1.5;0.99;;;;;面;1;2;3;;{AT}"
        seen = look("CDDY", text(record, header=f"{MINE};矿;K;系;厂;2027-12-31;{AT}"))
        assert (seen.verdict, seen.codes, seen.marks) == ("accepted", {"CODE_TYPE_MISMATCH": 1}, ["CODE_TYPE_MISMATCH"])

    def test_a_text_longer_than_the_table_says(self):
        record = f"重点区域;{AREA};25;{'面' * 101}"
        seen = look("RYQY", text(record))
        assert (seen.verdict, seen.codes, seen.stored) == ("accepted", {"FIELD_TOO_LONG": 1}, [record])


class TestClocks:
    @pytest.mark.parametrize(
        ("time", "codes"),
        [
            ("2025-06-01 08:00:05", {}), ("2025-06-01 07:59:50", {}), ("2025-06-01 08:05:00", {}),
            ("2025-06-01 08:05:01", {"RECORD_TIME_AHEAD": 1}), ("2020-01-01 00:00:00", {}),
        ],
    )  # fmt: skip
    def test_record_time_beside_the_header_time(self, time: str, codes: dict[str, int]):
        seen = look("CDSS", text(with_field(CDSS, 6, time)))
        assert (seen.verdict, seen.codes) == ("accepted", codes)
        assert seen.stored[0].endswith(time)

    def test_record_without_a_time_takes_the_header_time(self):
        seen = look("SSWJ", text("T1;甘A1;;107.1;26.5;1250;采坑;1", header=f"{AT};1"))
        assert seen.records[0]["observed_at"] == seen.file["header_time"]

    def test_date_where_a_date_time_belongs(self):
        record = "62000000000114MN140200000001;1402;距开口20m;6.40;0;2025-06-01;1;2;3"
        seen = look("WYSS", text(record))
        assert (seen.verdict, seen.codes) == ("accepted", {"DATE_VARIANT": 1})
        assert seen.records[0]["observed_at"].isoformat() == "2025-05-31T16:00:00+00:00"

    def test_stamp_that_differs_from_the_header_time(self):
        seen = named(f"{MINE}_CDSS_20250601075950.txt", text(CDSS))
        assert (seen.verdict, seen.codes, seen.file["header_time"].isoformat()) == (
            "accepted",
            {},
            "2025-06-01T00:00:00+00:00",
        )

    @pytest.mark.parametrize(
        "time",
        [
            "2026/11/20 08:00:00",
            "2025-02-30 08:00:00",
            "2025-06-01 8:00:00",
            "2025-06-01T08:00:00",
            "2025-06-01 24:00:00",
            "2025-6-1",
            "0000-00-00 00:00:00",
            "0001-01-01 00:00:00",
        ],
    )
    def test_malformed_times(self, time: str):
        seen = look("CDSS", cdss(with_field(CDSS, 6, time)))
        assert (seen.verdict, seen.codes) == ("partial", {"FIELD_TYPE": 1})


class TestLayouts:
    I_ALARM = f"{CODE};001;1.2;1.0;1.5;2025-06-01 07:00:00;{AT};1.3;{AT};2025-06-01 07:00:00;1.1;1.0;;断电;{AT};张三;"
    I_SHORT = f"{CODE};004;0;2025-06-01 07:00:00;{AT};0;{AT};2025-06-01 07:00:00;0;0;;断电;{AT};张三;"

    @pytest.mark.parametrize(
        ("kind", "header", "record", "dialect"),
        [
            ("SSSJ", f"{AT};1", f"T1;甘A1;C1;107.1;26.5;1250;{AT};采坑;1;1;", ""),
            ("SSSJ", f"{AT};1", f"{CODE};0.32;0", "i"),
            ("RYCS", HEADER, f"{CARD};甲;{AT};{AT};;{AREA};{AT};{STATION};{AT}", ""),
            ("KGBH", HEADER, f"62000000000101KG1003002D04;风筒;风筒;1;0;{AT}", ""),
            ("KGBH", f"{AT};1;", f"62000000000101KG1003002D04;1;{AT};", "i"),
            ("RYJZ", HEADER, f"{STATION};1号;1;2;3;注", ""),
            ("RYSS", HEADER, f"{CARD};甲;1;{AT};;{AREA};{AT};{STATION};{AT};三八制;1;正常;0;0;", ""),
            ("RYQY", HEADER, f"重点区域;{AREA};25;面", ""),
            ("RYQY", HEADER, "S1;重点区域;A1;25;面", "prov"),
            ("RYCY", HEADER, f"区域超员;25;27;{AREA};面;{AT};;{CARD}", ""),
            ("RYCY", HEADER, f"区域超员;27;A1;面;{AT};{CARD}&{CARD}", "old"),
            ("YCBJ", f"{AT};1;", I_ALARM, "i"),
            ("YCBJ", f"{AT};1;", I_SHORT, "i-short"),
            ("YCBJ", HEADER, f"{CODE};甲烷;面;%;001;{AT};;1;{AT};1;{AT};1;;;;;{AT}", ""),
            ("DBLC", f"{MINE};矿;系;K;2025-06-01;{AT}", "DB1;区;1401;巷;位;2025-05-01;1;2;3;10;30", ""),
            ("DBLC", f"{MINE};矿;系;K;2025-06-01;{AT}", "DB1;区;1401;巷;位;2025-05-01;;;;;;", "b2"),
            ("KSWDY", HEADER, "K1;1号;[2025,1,1];2025-01-01;3.5;厂;;;;107.2;26.5;1250;140;120;100;1;2025-06-01", "b2"),
            ("CDDY", f"K;系;厂;{AT};1;1;0;0;0;0;;", f"P1;S1;风筒;;有风;无风;0;1;0;0;D-{CODE}", "i-kg"),
            ("CDDY", f"K;系;厂;{AT};1;1;0;0;0;0;;", f"{CODE};S1;面;;%;;;1.0;;;;1.5;1.0;;;D-{CODE}", "i-mn"),
            ("NRYSS", HEADER, f"{'6' * 25};甲;1;{AT};;重点区域;{AT};{'6' * 25};{AT}" + ";0" * 13, ""),
        ],
    )  # fmt: skip
    def test_layout_by_the_number_of_fields(self, kind: str, header: str, record: str, dialect: str):
        seen = look(kind, text(record, header=header))
        assert (seen.verdict, seen.dialects, "DIALECT" in seen.codes) == (
            "accepted",
            [dialect] if dialect else [],
            bool(dialect),
        )
        assert [row["dialect"] for row in seen.records] == [dialect]

    @pytest.mark.parametrize(("length", "dialect"), [(22, "b1"), (25, "b2")])
    def test_ryss_by_the_length_of_the_code_in_field_7(self, length: int, dialect: str):
        record = f"{'6' * 25};甲;1;{AT};{AT};{'6' * 22};{AT};{'6' * length};{AT};"
        seen = look("RYSS", text(record, header=f"{AT};1;甲;"))
        assert (seen.verdict, seen.dialects) == ("accepted", [dialect])

    def test_two_record_forms_in_one_file(self):
        switch = f"62000000000101KG1003002D04;S1;风筒;;有风;无风;0;1;0;0;D-{CODE}"
        analog = f"{CODE};S1;面;;%;;;1.0;;;;1.5;1.0;;;D-{CODE}"
        seen = look("CDDY", text(switch, analog, header=f"K;系;厂;{AT};1;1;0;0;0;0;;"))
        assert (seen.verdict, seen.dialects, seen.stored) == ("accepted", ["i-kg", "i-mn"], [switch, analog])

    def test_cdss_content_in_a_ycbj_file(self):
        seen = look("YCBJ", text(CDSS, *OTHERS))
        assert (seen.verdict, seen.codes, seen.stored) == ("accepted", {"KIND_MISMATCH": 1}, [CDSS, *OTHERS])
        assert (seen.file["kind"], seen.file["name_kind"]) == ("CDSS", "YCBJ")
        assert {(row["kind"], row["marks"]) for row in seen.records} == {("CDSS", "KIND_MISMATCH")}

    def test_content_that_not_every_record_fits_is_no_other_kind(self):
        seen = look("YCBJ", text(CDSS, *OTHERS, with_field(CDSS, 3, "x")))
        assert (seen.verdict, seen.reason, seen.file["kind"]) == ("rejected", "TOO_MANY_BAD_RECORDS", "YCBJ")

    def test_content_that_several_kinds_could_hold_is_not_guessed(self):
        """Water level, flow and total are all numbers: a wrong guess would file a flow as a level."""
        seen = look("YSLCDSS", text(f"{MINE}PSL000001;3;0;8;{AT}"))
        assert (seen.verdict, seen.file["kind"]) == ("rejected", "YSLCDSS")

    def test_content_of_another_folder_is_no_other_kind(self):
        assert look("CGKCDSS", text(CDSS)).reason == "TOO_MANY_BAD_RECORDS"

    @pytest.mark.parametrize(
        ("record", "dialect"),
        [
            (I_ALARM.replace(f"{AT};1.3;", f"{AT}1.3;"), "i"),
            (I_SHORT.replace(f"{AT};0;{AT}", f"{AT}0;{AT}"), "i-short"),
        ],
    )
    def test_closed_end_time_glued_to_the_next_number(self, record: str, dialect: str):
        seen = look("YCBJ", text(record, header=f"{AT};1;"))
        assert (seen.verdict, seen.dialects, seen.codes["GLUED_FIELDS"]) == ("accepted", [dialect], 1)
        assert seen.stored == [self.I_ALARM if dialect == "i" else self.I_SHORT]
        assert seen.records[0]["raw"] == record

    def test_two_times_glued(self):
        record = f"PSL1;中央水仓;1;超过阈值;2025-06-01 07:50:00;3;过小;张三;{AT}2025-06-01 08:00:01"
        seen = look("PSLCDYC", text(record))
        assert (seen.verdict, seen.codes) == ("accepted", {"DIALECT": 1, "GLUED_FIELDS": 1})
        assert seen.stored == [record.replace(f"{AT}2025", f"{AT};2025")]

    @pytest.mark.parametrize("count", [2, 4, 5])
    def test_short_substation_records(self, count: int):
        full = f"62000000000100001;回风巷;1;2;3;{AT}".split(";")
        seen = look("FZDY", text(";".join(full[:count])))
        assert (seen.verdict, seen.codes) == ("accepted", {"SHORT_RECORD": 1})
        assert seen.stored == [";".join([*full[:count], *[""] * (6 - count)])]

    def test_three_fields_are_no_short_record(self):
        assert look("FZDY", text("62000000000100001;回风巷;1")).codes == {"FIELD_COUNT": 1}

    @pytest.mark.parametrize("sums", [["1.5"], ["1", "2"], ["1", "2", "3"], ["1", "2", "3", "4", "5"]])
    def test_as_many_shift_sums_as_arrive(self, sums: list[str]):
        seen = look("LJSJ", text(";".join(["62000000000101LJ3001001A01", "2", *sums]), header=f"{AT};1"))
        assert (seen.verdict, seen.codes) == ("accepted", {"HEADER_WITHOUT_MINE": 1})
        assert seen.stored[0].split(";")[2 : 2 + len(sums)] == sums
        assert look("LJSJ", text(";".join([CODE, "2", *sums, "x"]), header=f"{AT};1")).codes["FIELD_TYPE"] == 1

    @pytest.mark.parametrize("record", [CDSS + ";", CDSS.rpartition(";")[0], "x", CODE])
    def test_wrong_number_of_fields(self, record: str):
        seen = look("CDSS", cdss(record))
        assert (seen.verdict, seen.reason, seen.quarantined) == ("partial", "FIELD_COUNT", [("FIELD_COUNT", record)])

    def test_trailing_empty_fields_are_kept(self):
        record = f"{CARD};甲;1;{AT};;{AREA};{AT};{STATION};{AT};三八制;;;;;"
        assert look("RYSS", text(record)).stored == [record]

    @pytest.mark.parametrize(("separator", "mark"), [("^", "]]]"), ("~", "||")])
    @pytest.mark.parametrize("kind", ["NCDSS", "CDSS"])
    def test_separators_by_the_last_characters(self, kind: str, separator: str, mark: str):
        record = with_field(CDSS, 1, "0043") if kind == "NCDSS" else CDSS
        seen = look(kind, separator.join([HEADER, record, record.replace("A01", "A02"), mark]))
        assert (seen.verdict, seen.codes, len(seen.stored)) == ("accepted", {}, 2)

    def test_the_last_of_the_same_key_wins(self):
        again = with_field(CDSS, 3, "0.99")
        seen = look("CDSS", text(CDSS, OTHERS[0], again))
        assert (seen.verdict, seen.codes, seen.stored) == ("accepted", {"DUPLICATE_KEY": 1}, [CDSS, OTHERS[0], again])
        assert seen.marks == ["DUPLICATE_KEY", "", ""]

    def test_a_record_in_quarantine_supersedes_nothing(self):
        seen = look("CDSS", text(CDSS, *OTHERS, with_field(CDSS, 3, "x")))
        assert (seen.verdict, seen.codes) == ("partial", {"FIELD_TYPE": 1})


class TestShareOfBadRecords:
    @pytest.mark.parametrize(
        ("good", "bad", "verdict"),
        [(4, 1, "partial"), (4, 3, "rejected"), (8, 2, "partial"), (3, 1, "rejected"), (5, 0, "accepted")],
    )
    def test_more_than_a_fifth_refuses_the_file(self, good: int, bad: int, verdict: str):
        seen = look("CDSS", text(*OTHERS[:good], *["broken"] * bad))
        assert seen.verdict == verdict
        assert seen.file["records_sent"] == good + bad
        stored = good if verdict != "rejected" else 0
        quarantined = bad if verdict == "partial" else 0
        assert (seen.file["records_stored"], seen.file["records_quarantined"]) == (stored, quarantined)
        assert (len(seen.stored), len(seen.quarantined)) == (stored, quarantined)
        assert seen.file["records_rejected"] == (good + bad if verdict == "rejected" else 0)
        if verdict == "rejected":
            assert seen.reason == "TOO_MANY_BAD_RECORDS"


class TestProvincialLines:
    LINE = f"520000;520200;520221;52022100001;001;001A01;0101;1301回风巷;0;0;0.32;{AT};;"
    NAME = "52022100001_20250601080000_AQSS"

    def line(self, n: int) -> str:
        return self.LINE.replace("001A01", f"001A{n:02d}")

    def test_a_file_is_complete_when_it_has_stood_still_for_30_s(self):
        content = "\n".join(self.line(n) for n in range(3))
        assert named(self.NAME, content, idle_s=29, provincial=True).verdict == "waiting"
        seen = named(self.NAME, content, idle_s=30, provincial=True)
        assert (seen.verdict, seen.codes, seen.dialects) == ("accepted", {}, [])
        assert (seen.file["kind"], seen.file["mine_code"]) == ("AQSS", "520221000001")
        assert seen.records[0]["observed_at"].isoformat() == "2025-06-01T00:00:00+00:00"

    @pytest.mark.parametrize("line_break", ["\n", "\r\n"])
    def test_line_breaks_blank_lines_and_a_lone_end_mark(self, line_break: str):
        content = line_break.join([self.line(1), "", self.line(2), "  ", "||"])
        seen = named(self.NAME, content, idle_s=60, provincial=True)
        assert (seen.verdict, seen.codes, seen.stored) == ("accepted", {}, [self.line(1), self.line(2)])

    def test_quotes_protect_the_separator(self):
        line = self.LINE.replace("1301回风巷", '"1301;回风巷"')
        seen = named(self.NAME, line, idle_s=60, provincial=True)
        assert (seen.verdict, seen.codes) == ("accepted", {})
        assert seen.stored == [self.LINE.replace("1301回风巷", "1301 回风巷")]
        assert seen.records[0]["raw"] == line

    @pytest.mark.parametrize(
        ("bad", "code"),
        [
            ("x;y", "FIELD_COUNT"),
            (LINE.replace(";0;0;0.32", ";断线;0;0.32"), "FIELD_TYPE"),
            (LINE + ";", "FIELD_COUNT"),
        ],
    )
    @pytest.mark.parametrize("at", [0, 9])
    def test_a_bad_line_goes_alone_also_the_first(self, bad: str, code: str, at: int):
        lines = [self.line(n) for n in range(1, 10)]
        lines.insert(at, bad)
        seen = named(self.NAME, "\n".join(lines), idle_s=60, provincial=True)
        assert (seen.verdict, seen.reason, seen.codes) == ("partial", code, {code: 1})
        assert (len(seen.stored), seen.file["records_sent"]) == (9, 10)

    def test_lines_of_several_mines(self):
        other = self.LINE.replace("52022100001", "52022100002")
        seen = named(self.NAME, f"{self.LINE}\n{other}", idle_s=60, provincial=True)
        assert [row["mine_code"] for row in seen.records] == ["520221000001", "520221000002"]

    @pytest.mark.parametrize(
        ("name", "line", "codes"),
        [
            ("PersonRealSync", "1;2;3;52022100001;P1;甲;队;长;工;C1;J1;巷;{};井口;{};;;班;", {}),
            ("zdh_rtdata", "1;2;矿;52022100001;S1;1.5;0;{};", {}),
        ],
    )  # fmt: skip
    def test_times_in_the_form_of_the_layout_and_in_the_hyphen_form(self, name: str, line: str, codes: dict[str, int]):
        own = "2025/06/01 08:00:00" if name.startswith("P") else "2025-06-01/08:00:00"
        count = line.count("{}")
        seen = named(name, line.format(*[own] * count), idle_s=60, provincial=True)
        assert (seen.verdict, seen.codes, seen.stored) == ("accepted", codes, [line.format(*[AT] * count)])
        seen = named(name, line.format(*[AT] * count), idle_s=60, provincial=True)
        assert (seen.verdict, seen.codes) == ("accepted", {"DATE_VARIANT": count})

    def test_slash_times_belong_to_the_person_files_only(self):
        seen = named(self.NAME, self.LINE.replace(AT, "2025/06/01 08:00:00"), idle_s=60, provincial=True)
        assert seen.codes == {"FIELD_TYPE": 1}

    def test_a_name_that_is_also_national_is_told_by_the_number_of_fields(self):
        prov = (
            f"52022100001;x;x;矿;100;{AT};1;C1;甲;520221199001011234;工;队;面;{AT};;A1;面;5;{AT};S1;站;3;{AT};S1&{AT}"
        )
        seen = named("52022100001RYSS", prov, idle_s=60, provincial=True)
        assert (seen.verdict, seen.dialects, seen.file["kind"]) == ("accepted", ["prov"], "RYSS")

    def test_gb18030_lines(self):
        seen = named(self.NAME, self.LINE.encode("gb18030"), idle_s=60, provincial=True)
        assert (seen.verdict, seen.codes, seen.stored) == ("accepted", {"ENCODING_GB18030": 1}, [self.LINE])

    def test_national_files_in_a_provincial_feed_are_read_as_such(self):
        assert named(f"{MINE}_CDSS_20250601080000.txt", text(CDSS), provincial=True).verdict == "accepted"


class TestSlopeDocuments:
    NAME = f"{MINE}_gnssrealtime_2025-06-01 08:00:00_1234.json"
    ENTRY: ClassVar = {"equip_no": "G1", "monitor_time": AT, "x_disp": "1.5", "y_disp": 2.5, "unknown": "kept"}

    def document(self, *entries, **more) -> str:
        return json.dumps({"send_time": AT, "data": list(entries), **more}, ensure_ascii=False)

    def test_members_by_name(self):
        seen = named(self.NAME, self.document(self.ENTRY, open_pit_no="P1"))
        assert (seen.verdict, seen.codes, seen.file["kind"]) == ("accepted", {}, "gnssrealtime")
        assert seen.stored == [f"G1;{AT};;;;1.5;2.5;;;;;;;"]
        assert json.loads(seen.records[0]["raw"]) == self.ENTRY
        assert (seen.file["header_time"].isoformat(), seen.file["mine_code"]) == ("2025-06-01T00:00:00+00:00", MINE)

    def test_the_order_is_free_and_null_absent_and_empty_are_the_same(self):
        entry = {"y_disp": None, "x_disp": "", "monitor_time": AT, "equip_no": "G1"}
        assert named(self.NAME, self.document(entry)).stored == [f"G1;{AT};;;;;;;;;;;;"]

    def test_members_inside_members(self):
        entry = {
            "equip_no": "G1",
            "alarm_time": AT,
            "alarm_level": 2,
            "alarm_value": {"duration": 3},
            "warning_parameters": {"horizontal_velocity": "5"},
        }
        seen = named(f"{MINE}_gnssalarm_20250601080000_1234.json", self.document(entry))
        assert seen.stored == [f"G1;{AT};2;;5;;;;;;3"]

    def test_half_a_character_becomes_a_replacement_character(self):
        document = self.document(self.ENTRY, open_pit_no="HALF").replace("G1", "GHALF").replace("HALF", r"\ud83d")
        seen = named(self.NAME, document)
        assert (seen.verdict, seen.stored) == ("accepted", [f"G\ufffd;{AT};;;;1.5;2.5;;;;;;;"])
        assert json.loads(seen.file["header"]) == [AT, "\ufffd"]

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"data": 1}', '{"send_time": "x"', "[" * 100_000])
    def test_a_document_that_does_not_parse(self, content: str):
        assert named(self.NAME, content, idle_s=599).verdict == "waiting"
        seen = named(self.NAME, content, idle_s=600)
        assert (seen.verdict, seen.reason) == ("rejected", "JSON_UNREADABLE")

    @pytest.mark.parametrize("entry", [{"monitor_time": AT}, {**ENTRY, "x_disp": "far"}, 5, "text", None, [1]])
    def test_entries_without_their_key_or_with_a_wrong_type(self, entry):
        good = [{**self.ENTRY, "equip_no": f"G{n}"} for n in range(4)]
        seen = named(self.NAME, self.document(*good, entry))
        assert (seen.verdict, seen.codes, len(seen.stored)) == ("partial", {"FIELD_TYPE": 1}, 4)
        assert named(self.NAME, self.document(*good[:3], entry)).reason == "TOO_MANY_BAD_RECORDS"

    def test_a_document_from_the_future(self):
        assert named(self.NAME, self.document(self.ENTRY).replace(AT, "2025-06-01 09:00:00")).reason == "FUTURE_TIME"
