"""Printed reports: what the page says can be read out of the PDF, in Chinese, on numbered A4 pages."""

from __future__ import annotations

import io
import re
import shutil
from datetime import timedelta
from typing import Any

import pytest
from literal_shift import ALARMS, BALANCE, END, INDEX_NAMES, MINE, START
from pypdf import PdfReader

from minefusion.schemas.errors import MissingError
from minefusion.serving.journal.head import Head
from minefusion.serving.reader import Reader
from minefusion.serving.report import pdf as printing
from minefusion.serving.report import shift_report
from minefusion.serving.report.pdf import BROWSERS, as_pdf
from minefusion.serving.report.pdf_text import _mended

has_chromium = pytest.mark.skipif(
    not any(map(shutil.which, BROWSERS)), reason="no Chromium here: install chromium, or run make setup-tests"
)
HEAD = Head(42, "ab" * 32)


def made(lake: Reader, **more: Any) -> str:
    given = {"balance": BALANCE, "index_names": INDEX_NAMES, "made_at": END + timedelta(minutes=12), "journal": HEAD}
    return shift_report(lake, MINE, more.pop("end", END), **given, **more).html


def without_blanks(text: str) -> str:
    return re.sub(r"\s", "", text)


def pages(content: bytes) -> list[str]:
    """Text of each page, without the blanks by which a line is set."""
    reader = PdfReader(io.BytesIO(content))
    for page in reader.pages:
        assert [round(float(each)) for each in page.mediabox[2:]] == pytest.approx([595, 842], abs=1), "A4"
    return [without_blanks(page.extract_text()) for page in reader.pages]


@has_chromium
def test_a_printed_shift_says_what_the_page_says(shift_lake: Reader):
    printed = pages(as_pdf(made(shift_lake)))
    whole = "".join(printed)
    assert "调度班报" in printed[0]
    for alarm in ALARMS:
        assert without_blanks(alarm["sentence_zh"]) in whole
    for words in (
        "示范一矿",
        "1203综采工作面",
        "风险时间线",
        "记录平衡",
        "填报人",
        "带班矿领导",
        "不替代经认证的安全监控系统闭锁",
    ):
        assert words in whole
    assert f"#42·{HEAD.hash}" in whole, "the journal's newest line"
    assert "Shiftreport" not in whole, "one language"
    assert not re.findall("[\u2e80-\u2fd5]", whole), "characters and not the signs of radicals: words are found"
    for number, text in enumerate(printed, start=1):
        assert f"{number}/{len(printed)}" in text


def test_a_daily_report_is_of_the_day(shift_lake: Reader):
    html = made(shift_lake, end=START + timedelta(hours=16), hours=24)
    assert "调度日报" in html
    assert "2026-03-01 00:00–00:00" in html
    assert ALARMS[0]["sentence_zh"] in html


def test_a_range_of_glyphs_that_holds_a_radical_is_told_one_by_one():
    cmap = (
        b"begincmap\n1 beginbfchar\n<0001> <2F34>\nendbfchar\n"
        b"2 beginbfrange\n<0010> <0011> <2EDB>\n<0020> <0022> <0041>\nendbfrange"
    )
    told = _mended(cmap).decode()
    assert "<0001> <5E7F>" in told
    assert "<0010> <98CE>" in told
    assert "<0011> <98DE>" in told
    assert "<0020> <0022> <0041>" in told
    assert "2EDB" not in told


def test_without_a_browser_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(printing.shutil, "which", lambda _: None)
    with pytest.raises(MissingError, match="apt-get install chromium"):
        as_pdf("<p>")
