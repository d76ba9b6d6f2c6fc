"""Printed reports: of a shift and of a day, as page or PDF."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime

from minefusion.serving.accounts.users import User
from minefusion.serving.analyst.mine_clock import clock_of, site_of
from minefusion.serving.api.analysis import EARLIEST, MINE_CODE
from minefusion.serving.api.problems import ProblemError
from minefusion.serving.api.service import API, Caller, Service, Serving, mines_asked
from minefusion.serving.report import shift_report
from minefusion.serving.report.facts import DAY_HOURS
from minefusion.serving.report.pdf import as_pdf

router = APIRouter(prefix=f"{API}/reports", tags=["reports"])

# A browser prints one page at a time.
_printing = threading.Lock()
Mine = Annotated[str, Query(description="煤矿编码 · Mine.", max_length=32, pattern=MINE_CODE)]
Form = Annotated[Literal["html", "pdf"], Query(alias="format", description="网页或 PDF · Page or PDF.")]
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
# The page carries a policy of its own, by which its one script and its styles may run and nothing else.
_CSP = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; frame-ancestors 'none'"
_CONTENT: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {}, "application/pdf": {}}}}


@router.get("/shift", summary="调度班报 · Shift report", responses=_CONTENT)
def shift(
    service: Serving,
    user: Caller,
    mine: Mine,
    end: Annotated[AwareDatetime, Query(alias="to", description="班次结束 · End of the shift.")],
    form: Form = "html",
) -> Response:
    """Of the shift that ends then; without such a shift of the eight hours before. The journal's newest line stands in
    its foot."""
    return _report(service, user, mine, end, None, form)


@router.get("/day", summary="调度日报 · Daily report", responses=_CONTENT)
def day(
    service: Serving,
    user: Caller,
    mine: Mine,
    of: Annotated[
        str, Query(alias="day", description="矿区日期 · Day on the mine's clock, 2026-03-01.", max_length=10)
    ],
    form: Form = "html",
) -> Response:
    mines_asked(user, mine)
    zone = clock_of(site_of(service.reader.lake, mine)).zone
    try:
        end = datetime.combine(date.fromisoformat(of) + timedelta(days=1), time(), zone)
    except (ValueError, OverflowError):
        raise ProblemError(422, "日期须如 2026-03-01", "expected a day such as 2026-03-01") from None
    return _report(service, user, mine, end, DAY_HOURS, form)


def _report(service: Service, user: User, mine: str, end: datetime, hours: float | None, form: str) -> Response:
    mines_asked(user, mine)
    if not EARLIEST < end < LATEST:
        raise ProblemError(422, "时刻超出范围", f"expected an instant from {EARLIEST.year} to {LATEST.year}")
    report = shift_report(
        service.reader,
        mine,
        end,
        balance=service.balance(),
        index_names=service.index_names,
        made_at=service.room.clock(),
        journal=service.room.head,
        hours=hours,
    )
    if form == "html":
        return Response(report.html, media_type="text/html; charset=utf-8", headers={"Content-Security-Policy": _CSP})
    with _printing:
        content = as_pdf(report.html)
    name = f"{'day' if hours else 'shift'}_{mine}_{end.astimezone(UTC):%Y%m%dT%H%MZ}.pdf"
    return Response(
        content, media_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}"'}
    )
