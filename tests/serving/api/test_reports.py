"""Reports over the API: the page with the journal's newest line, of the user's mines only."""

from __future__ import annotations

from typing import Any

import pytest
from two_mines import MINE, NOW, OTHER, Site

from minefusion.serving.api import reports


def get(site: Site, path: str, role: str = "dispatcher", **params: Any) -> Any:
    return site.call(role, "GET", f"/api/v1/reports/{path}", params=params)


def test_the_shift_report_ends_with_the_journals_head(site: Site):
    answer = get(site, "shift", mine=MINE, to=NOW.isoformat())
    assert answer.status_code == 200
    head = site.service.room.head
    assert f'data-journal="{head.seq}:{head.hash}"' in answer.text
    assert "调度班报" in answer.text
    assert OTHER not in answer.text


def test_the_daily_report_is_of_the_mines_day(site: Site):
    answer = get(site, "day", mine=MINE, day="2026-03-01")
    assert "2026-03-01 00:00–00:00" in answer.text
    assert "调度日报" in answer.text


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("day", {"mine": MINE, "day": "yesterday"}, 422),
        ("day", {"mine": MINE, "day": "9999-12-31"}, 422),
        ("day", {"mine": OTHER, "day": "2026-03-01"}, 403),
        ("day", {"mine": MINE, "day": "2020-03-01"}, 400),
        ("shift", {"mine": "../../etc", "to": NOW.isoformat()}, 422),
        ("shift", {"mine": MINE, "to": "0001-01-01T00:00:00Z"}, 422),
    ],
)
def test_what_there_is_no_report_of(shown: Site, path: str, params: dict[str, str], status: int):
    assert get(shown, path, **params).status_code == status


def test_a_pdf_is_printed_from_the_page(shown: Site, monkeypatch: pytest.MonkeyPatch):
    printed: list[str] = []
    monkeypatch.setattr(reports, "as_pdf", lambda html: printed.append(html) or b"%PDF")
    answer = get(shown, "shift", mine=MINE, to=NOW.isoformat(), format="pdf")
    assert answer.content == b"%PDF"
    assert answer.headers["content-type"] == "application/pdf"
    assert "调度班报" in printed[0]
