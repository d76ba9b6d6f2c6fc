"""What went wrong, as problem+json (RFC 9457): one line in each language, and never a trace."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from minefusion.schemas.errors import InputError, MinefusionError
from minefusion.schemas.json_text import as_json
from minefusion.serving.alarms.work import RefusedError, UnknownError

logger = logging.getLogger(__name__)

_TITLES = {
    400: "wrong question", 401: "login needed", 403: "not allowed", 404: "not there", 405: "not this way",
    409: "refused by the rules", 413: "too large", 415: "not this kind of file", 422: "wrong input",
    429: "too often", 500: "a fault of ours", 503: "not ready",
}  # fmt: skip


class ProblemError(Exception):
    """A request that is answered with a problem."""

    def __init__(self, status: int, zh: str, en: str, headers: dict[str, str] | None = None, **more: Any) -> None:
        super().__init__(en)
        self.status, self.zh, self.en, self.headers, self.more = status, zh, en, headers or {}, more


def not_there(zh: str, en: str) -> ProblemError:
    """Of what is another mine's no more is said than of what is nowhere."""
    return ProblemError(404, f"没有{zh}", f"expected a known {en}, got another")


def install(app: FastAPI) -> None:
    """Answer every error of the app as a problem."""

    @app.exception_handler(ProblemError)
    def on_problem(request: Request, error: ProblemError) -> Response:
        return _problem(request, error.status, error.zh, error.en, error.headers, **error.more)

    @app.exception_handler(RefusedError)
    def on_refused(request: Request, error: RefusedError) -> Response:
        return _problem(request, 404 if isinstance(error, UnknownError) else 409, error.text.zh, error.text.en)

    @app.exception_handler(MinefusionError)
    def on_told(request: Request, error: MinefusionError) -> Response:
        return _problem(request, 400 if isinstance(error, InputError) else 503, str(error), str(error))

    @app.exception_handler(RequestValidationError)
    def on_invalid(request: Request, error: RequestValidationError) -> Response:
        wrong = [{"where": ".".join(map(str, each["loc"])), "what": each["msg"]} for each in error.errors()]
        first = f"{wrong[0]['where']}: {wrong[0]['what']}" if wrong else ""
        return _problem(request, 422, f"输入不合格：{first}", f"wrong input: {first}", errors=wrong)

    @app.exception_handler(HTTPException)
    def on_http(request: Request, error: HTTPException) -> Response:
        return _problem(request, error.status_code, str(error.detail), str(error.detail), dict(error.headers or {}))

    @app.exception_handler(Exception)
    def on_fault(request: Request, error: Exception) -> Response:
        logger.exception("fault in %s %s", request.method, request.url.path, exc_info=error)
        return _problem(request, 500, "服务内部错误，已记录", "a fault in minefusion; it is in the log")


def _problem(
    request: Request, status: int, zh: str, en: str, headers: dict[str, str] | None = None, **more: Any
) -> Response:
    told = {
        "type": "about:blank", "title": _TITLES.get(status, "not done"), "status": status, "detail": en,
        "detail_zh": zh, "detail_en": en, "instance": request.url.path, **more,
    }  # fmt: skip
    return Response(as_json(told), status, headers, media_type="application/problem+json")
