"""Users in the database, their passwords as argon2 hashes; each login and each change stands in the journal."""

from __future__ import annotations

import re
import secrets
import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import Connection, func, insert, select, update

from minefusion.serving.accounts.roles import NAMES, RIGHT, ROLES, may
from minefusion.serving.alarms.records import SYSTEM
from minefusion.serving.alarms.work import RefusedError, UnknownError
from minefusion.serving.control_room import ControlRoom
from minefusion.serving.journal.tables import ACCOUNT

FIRST_LOGIN = "admin"
LEAST_PASSWORD, LONGEST_PASSWORD = 10, 256
ALL_MINES = "*"
HASHES_AT_ONCE = 2
_LOGIN = re.compile(r"[a-z][a-z0-9._-]{1,31}")
_MINE = re.compile(r"[A-Za-z0-9._-]{1,32}")


@dataclass(frozen=True)
class User:
    """Somebody who may come in. `mines` is empty for all mines; `must_change`: the password is a one-time one."""

    login: str
    name: str
    role: str
    mines: frozenset[str]
    must_change: bool
    is_disabled: bool
    created_at: datetime
    tokens_from: datetime

    def sees(self, mine_code: str) -> bool:
        return not self.mines or mine_code in self.mines

    @property
    def sees_names(self) -> bool:
        return may(self.role, RIGHT, NAMES)


class Users:
    """The users of one control room."""

    def __init__(self, room: ControlRoom, hasher: PasswordHash | None = None) -> None:
        self.room = room
        self._hasher = hasher or PasswordHash((Argon2Hasher(),))
        # A login that is none takes as long to refuse as a wrong password, so nobody learns which logins there are.
        self._nobody = self._hasher.hash(secrets.token_hex(16))
        # A hash takes 64 MiB and a core: a flood of logins must not take the service with it.
        self._hashing = threading.Semaphore(HASHES_AT_ONCE)

    def first(self) -> str | None:
        """Make the first administrator where there is no user; returns the one-time password, null where there are."""
        with self.room.database.reading() as connection:
            if connection.execute(select(func.count()).select_from(ACCOUNT)).scalar_one():
                return None
        return self.create(FIRST_LOGIN, "管理员", "admin", (), SYSTEM)

    def get(self, login: str) -> User | None:
        with self.room.database.reading() as connection:
            row = connection.execute(select(ACCOUNT).where(ACCOUNT.c.login == login)).first()
        return _user(row._mapping) if row else None

    def all(self) -> list[User]:
        with self.room.database.reading() as connection:
            return [_user(row._mapping) for row in connection.execute(select(ACCOUNT).order_by(ACCOUNT.c.login))]

    def login(self, login: str, password: str, address: str) -> User | None:
        """The user, if login and password fit; either way it is written down."""
        user = self.get(login)
        is_right = self._is_password(login, password)
        if user is None or user.is_disabled or not is_right:
            # What was typed as a login may be a password by mistake: only a known login is written down.
            self.room.note("user.login_failed", login if user else "", "", SYSTEM, {"address": address})
            return None
        self.room.note("user.login", login, "", login, {"address": address})
        return user

    def create(self, login: str, name: str, role: str, mines: tuple[str, ...], by: str) -> str:
        """Add a user; returns the one-time password, which is kept nowhere."""
        if not _LOGIN.fullmatch(login):
            raise RefusedError(
                "登录名须为小写字母开头的 2–32 位字母、数字、. _ -",
                f"expected a login of 2 to 32 of a-z 0-9 . _ - that begins with a letter, got '{login}'",
            )
        if self.get(login) is not None:
            raise RefusedError(f"登录名 {login} 已存在", f"expected a new login, got '{login}', which there is already")
        if not name.strip():
            raise RefusedError("没有姓名", "expected a name, got nothing")
        _check(role, mines)
        password, now = secrets.token_urlsafe(12), self.room.clock()
        row = {
            "login": login, "name": name.strip(), "role": role, "mines": _stored(mines),
            "password_hash": self._hasher.hash(password), "must_change": True, "is_disabled": False,
            "created_at": now, "tokens_from": now,
        }  # fmt: skip

        def add(connection: Connection) -> None:
            connection.execute(insert(ACCOUNT), row)

        told = {"name": name.strip(), "role": role, "mines": _stored(mines)}
        self.room.note("user.created", login, "", by, told, also=add)
        return password

    def change(
        self,
        login: str,
        by: str,
        *,
        name: str | None = None,
        role: str | None = None,
        mines: tuple[str, ...] | None = None,
        is_disabled: bool | None = None,
    ) -> User:
        """Change what is given; the user's tokens are worth nothing from then on."""
        old = self._known(login)
        _check(role or old.role, tuple(old.mines) if mines is None else mines)
        if login == by and (is_disabled or (role is not None and role != old.role)):
            raise RefusedError(
                "不能停用自己或改自己的角色", "expected another user: nobody disables or re-roles himself"
            )
        new = replace(
            old,
            name=name.strip() if name and name.strip() else old.name,
            role=role or old.role,
            mines=old.mines if mines is None else frozenset(mines),
            is_disabled=old.is_disabled if is_disabled is None else is_disabled,
            tokens_from=self._later(old),
        )
        put = {
            "name": new.name, "role": new.role, "mines": _stored(new.mines), "is_disabled": new.is_disabled,
            "tokens_from": new.tokens_from,
        }  # fmt: skip
        before = {"name": old.name, "role": old.role, "mines": _stored(old.mines), "is_disabled": old.is_disabled}
        told = {key: [was, put[key]] for key, was in before.items() if was != put[key]}
        self._put("user.changed", login, by, put, told)
        return new

    def set_password(self, login: str, old: str, new: str) -> None:
        """A person changes the own password; every token ends."""
        user = self._known(login)
        if not self._is_password(login, old):
            raise RefusedError("原密码不对", "expected the present password, got another")
        if not LEAST_PASSWORD <= len(new) <= LONGEST_PASSWORD or new == old or login in new.lower():
            raise RefusedError(
                f"新密码须 {LEAST_PASSWORD} 位以上，与原密码不同，不含登录名",
                f"expected {LEAST_PASSWORD} or more characters, other than before and without the login in them",
            )
        put = {"password_hash": self._hasher.hash(new), "must_change": False, "tokens_from": self._later(user)}
        self._put("user.password_changed", login, login, put, {})

    def reset_password(self, login: str, by: str) -> str:
        """Give a new one-time password; every token ends."""
        user = self._known(login)
        password = secrets.token_urlsafe(12)
        put = {"password_hash": self._hasher.hash(password), "must_change": True, "tokens_from": self._later(user)}
        self._put("user.password_reset", login, by, put, {})
        return password

    def end_tokens(self, login: str) -> None:
        """Log out everywhere."""
        self._put("user.logout", login, login, {"tokens_from": self._later(self._known(login))}, {})

    def _later(self, user: User) -> datetime:
        """Now, and in any case after the instant from which the user's tokens hold, whatever the clock did."""
        return max(self.room.clock(), user.tokens_from + timedelta(microseconds=1))

    def _known(self, login: str) -> User:
        user = self.get(login)
        if user is None:
            raise UnknownError(f"没有用户 {login}", f"expected a known login, got '{login}'")
        return user

    def _is_password(self, login: str, password: str) -> bool:
        with self.room.database.reading() as connection:
            kept = connection.execute(select(ACCOUNT.c.password_hash).where(ACCOUNT.c.login == login)).scalar()
        with self._hashing:
            fits = self._hasher.verify(password[:LONGEST_PASSWORD], kept or self._nobody)
        return fits and kept is not None

    def _put(self, what: str, login: str, by: str, put: dict[str, Any], told: dict[str, Any]) -> None:
        def write(connection: Connection) -> None:
            connection.execute(update(ACCOUNT).where(ACCOUNT.c.login == login).values(**put))

        self.room.note(what, login, "", by, told, also=write)


def _check(role: str, mines: tuple[str, ...]) -> None:
    if role not in ROLES:
        raise RefusedError(f"没有角色 {role}", f"expected a role, one of {', '.join(ROLES)}, got '{role}'")
    wrong = [each for each in mines if not _MINE.fullmatch(each)]
    if wrong:
        raise RefusedError(f"煤矿编码不合格式：{wrong[0]}", f"expected mine codes, got '{wrong[0]}'")


def _stored(mines: frozenset[str] | tuple[str, ...]) -> str:
    return " ".join(sorted(mines)) or ALL_MINES


def _user(row: Any) -> User:
    mines = frozenset() if row["mines"] == ALL_MINES else frozenset(row["mines"].split())
    same = ("login", "name", "role", "must_change", "is_disabled", "created_at", "tokens_from")
    return User(mines=mines, **{name: row[name] for name in same})
