"""The conformance page: both languages, every clause, and nothing from a file that a browser would run."""

from datetime import UTC, datetime

from minefusion.serving.conformance import conformance_page

MADE = datetime(2026, 3, 1, tzinfo=UTC)


def clause(name: str, violations: int = 0, checked: int = 5, entity: str = "P1") -> dict:
    example = {
        "file": "620000000001_CDSS_20260301080000.txt", "record": 7, "mine_code": "620000000001", "kind": "CDSS",
        "entity": entity, "problem_zh": "数值不对", "problem_en": "the value is wrong", "mend_zh": "请检查",
        "mend_en": "Check it",
    }  # fmt: skip
    return {
        "clause": name, "title_zh": "标题", "title_en": "Title", "ok": not violations, "checked": checked,
        "violations": violations, "examples": [example] * min(violations, 2), "subject": "s", "dimension": "accuracy",
        "check_zh": "应当如此", "check_en": "It should be so", "action": "mark", "source": "PC-87",
        "confidence": "convention",
    }  # fmt: skip


def page(*clauses: dict) -> str:
    result = {
        "ok": all(each["ok"] for each in clauses), "clauses": list(clauses), "files": 3, "records": 9,
        "mines": ["620000000001"],
    }  # fmt: skip
    return conformance_page(result, folder="landing", made_at=MADE)


def test_what_is_broken_is_told_with_file_record_and_what_to_do():
    html = page(clause("CF-01"), clause("DQ-06", violations=30), clause("DQ-08", checked=0))
    assert '<section class="pane" id="DQ-06">' in html
    assert 'id="CF-01"' not in html
    for words in ("1 条不符合", "1 clauses are not kept", "数值不对", "the value is wrong", "Check it", "无可查"):
        assert words in html
    assert "，示前 2 处" in html
    assert "620000000001_CDSS_20260301080000.txt" in html


def test_a_clean_feed_says_so_in_both_languages():
    html = page(clause("CF-01"), clause("DQ-06"))
    assert "全部符合" in html
    assert "Everything is kept" in html


def test_what_comes_from_files_is_inert_and_nothing_is_loaded():
    html = page(clause("DQ-10", violations=1, entity="<script>alert(1)</script>"))
    assert "<script>alert" not in html
    assert html.count("<script>") == 1
    assert "http://" not in html
    assert "https://" not in html
