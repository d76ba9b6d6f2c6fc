"""Login, one's own password, and the administrator's work on users."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from minefusion.serving.accounts.roles import ROLES
from minefusion.serving.accounts.tokens import LIFETIMES
from minefusion.serving.accounts.users import User
from minefusion.serving.api.answers import Json
from minefusion.serving.api.problems import ProblemError
from minefusion.serving.api.service import API, Caller, Service, Serving

router = APIRouter(prefix=API, tags=["users"])

Word = Annotated[str, Field(max_length=256)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Login(_Body):
    login: Word
    password: Word


class NewPassword(_Body):
    old: Word
    new: Word


class NewUser(_Body):
    """`mines`: codes that the user sees; empty: all."""

    login: Word
    name: Annotated[str, Field(max_length=64)]
    role: Word
    mines: Annotated[list[str], Field(max_length=200)] = []


class ChangedUser(_Body):
    """What is left out stays."""

    name: Annotated[str, Field(max_length=64)] | None = None
    role: Word | None = None
    mines: Annotated[list[str], Field(max_length=200)] | None = None
    is_disabled: bool | None = None


@router.post("/login", summary="登录 · Log in")
def login(request: Request, service: Serving, body: Login) -> Response:
    """A token to work with for 15 minutes, and one to renew it with for 20 hours."""
    address = request.client.host if request.client else ""
    bucket = f"{address} {body.login}"
    wait_s = service.addresses.wait_s(address) or service.logins.wait_s(bucket)
    if wait_s:
        raise ProblemError(429, "登录尝试过多", f"too many logins; again in {wait_s} s", {"Retry-After": str(wait_s)})
    user = service.users.login(body.login, body.password, address)
    if user is None:
        raise ProblemError(401, "登录名或密码不对", "expected a login and its password, got another")
    service.logins.give_back(bucket)
    service.addresses.give_back(address)
    return _tokens(service, user)


@router.post("/refresh", summary="换新令牌 · Renew the token")
def refresh(service: Serving, user: Caller) -> Response:
    """New tokens for the renewing one."""
    return _tokens(service, user)


@router.post("/logout", summary="退出所有登录 · Log out everywhere", status_code=204)
def logout(service: Serving, user: Caller) -> Response:
    service.users.end_tokens(user.login)
    return Response(status_code=204)


@router.get("/me", summary="本人 · Who I am")
def me(user: Caller) -> Response:
    return Json(_shown(user))


@router.post("/me/password", summary="修改本人密码 · Change one's own password", status_code=204)
def change_password(service: Serving, user: Caller, body: NewPassword) -> Response:
    service.users.set_password(user.login, body.old, body.new)
    return Response(status_code=204)


@router.get("/users", summary="用户 · Users")
def users(service: Serving, _: Caller) -> Response:
    return Json({"rows": [_shown(each) for each in service.users.all()]})


@router.post("/users", summary="新用户 · Add a user", status_code=201)
def add_user(service: Serving, user: Caller, body: NewUser) -> Response:
    """Answers the one-time password, which is kept nowhere."""
    password = service.users.create(body.login, body.name, body.role, tuple(body.mines), user.login)
    return Json({"login": body.login, "one_time_password": password}, status_code=201)


@router.patch("/users/{login}", summary="修改用户 · Change a user")
def change_user(service: Serving, user: Caller, login: str, body: ChangedUser) -> Response:
    mines = None if body.mines is None else tuple(body.mines)
    changed = service.users.change(
        login, user.login, name=body.name, role=body.role, mines=mines, is_disabled=body.is_disabled
    )
    return Json(_shown(changed))


@router.post("/users/{login}/password", summary="重置密码 · Give a new one-time password")
def reset_password(service: Serving, user: Caller, login: str) -> Response:
    return Json({"login": login, "one_time_password": service.users.reset_password(login, user.login)})


def _tokens(service: Service, user: User) -> Response:
    told = {
        "token": service.tokens.issue(user, "work"),
        "renew": service.tokens.issue(user, "renew"),
        "expires_in_s": int(LIFETIMES["work"].total_seconds()),
        "user": _shown(user),
    }
    return Json(told, headers={"Cache-Control": "no-store"})


def _shown(user: User) -> dict[str, Any]:
    role = ROLES[user.role]
    return {
        "login": user.login, "name": user.name, "role": user.role, "role_zh": role.zh, "role_en": role.en,
        "mines": sorted(user.mines), "must_change": user.must_change, "is_disabled": user.is_disabled,
        "sees_names": user.sees_names, "created_at": user.created_at,
    }  # fmt: skip
