"""The application: all endpoints, behind one gate, over one service."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from minefusion import __version__
from minefusion.serving.api import (
    accounts,
    ai_events,
    alarms,
    analysis,
    analyst_page,
    dispositions,
    emergencies,
    evidence,
    handovers,
    inference,
    journal,
    listings,
    mines,
    people,
    picture,
    problems,
    reports,
    series,
    sql,
)
from minefusion.serving.api.news import News
from minefusion.serving.api.service import SCHEME, Service
from minefusion.serving.api.watch import Watch
from minefusion.serving.console import pages
from minefusion.serving.emergency import page as emergency_page
from minefusion.serving.pages import serve as serve_shared

# Answers are data and never pages: nothing in them runs, nothing outside is asked for, nothing is framed.
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
}
_GZIP_FROM = 1000


def make_app(service: Service, *, watch_every_s: float | None) -> FastAPI:
    """The application.

    Args:
        watch_every_s: how often the lake and the clock are looked at; null: whoever holds `app.state.watch` beats it.
    """

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        app.state.news.open()
        if watch_every_s is None:
            yield
            return
        thread = threading.Thread(target=app.state.watch.run, args=(watch_every_s,), name="watch", daemon=True)
        thread.start()
        yield
        app.state.watch.stopped.set()
        thread.join()

    app = FastAPI(
        title="minefusion",
        version=__version__,
        description=(
            "汇集煤矿数据，服务安全。平台只监测、建议与记录，不控制设备。 · A mine's data fused for safety. "
            "It advises and records; it controls nothing."
        ),
        lifespan=life,
        docs_url=None,  # their pages ask outside addresses for scripts: mines have no internet
        redoc_url=None,
    )
    attach(app, service)
    problems.install(app)
    app.add_middleware(GZipMiddleware, minimum_size=_GZIP_FROM, compresslevel=5)

    app.add_middleware(SafeHeaders)
    app.include_router(mines.open_router)
    app.include_router(analyst_page.router)
    emergency_page.serve(app)
    serve_shared(app)
    told = _problems(401, 403, 422, 429)
    routers: tuple[APIRouter, ...] = (
        accounts.router, mines.router, listings.router(), series.router, people.router, alarms.router,
        dispositions.router, emergencies.router, handovers.router, inference.router, ai_events.router,
        journal.router, analysis.router(), sql.router, reports.router, picture.router, evidence.router,
    )  # fmt: skip
    for router in routers:
        app.include_router(router, dependencies=[SCHEME], responses=told)
    pages.serve(app)
    return app


def attach(app: FastAPI, service: Service) -> None:
    """Let the application answer from that service; before it is started."""
    news = News()
    app.state.service, app.state.news, app.state.watch = service, news, Watch(service, news)


class SafeHeaders:
    """Adds what keeps a browser from doing more with an answer than to show it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with)


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {
        each: {"description": "problem+json", "content": {"application/problem+json": {"schema": {"type": "object"}}}}
        for each in statuses
    }
