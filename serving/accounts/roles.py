"""Roles, and what each may do: a table with a row per endpoint and a column per role, and nothing besides."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from minefusion.schemas.facts import rows
from minefusion.serving.text import Text

ROLES: Mapping[str, Text] = MappingProxyType(
    {
        "viewer": Text("观察员", "viewer"),
        "dispatcher": Text("调度员", "dispatcher"),
        "analyst": Text("分析员", "analyst"),
        "engineer": Text("工程师", "engineer"),
        "admin": Text("管理员", "admin"),
    }
)
# Rights that are no endpoint stand in the table under this method.
RIGHT = "RIGHT"
NAMES = "names"


@cache
def access() -> Mapping[tuple[str, str], frozenset[str]]:
    """Method and path (or RIGHT and its name) → the roles that may."""
    return MappingProxyType(
        {
            (row["method"] or "", row["path"] or ""): frozenset(role for role in ROLES if row[role] == "yes")
            for row in rows("access", "minefusion.serving.accounts")
        }
    )


def may(role: str, method: str, path: str) -> bool:
    """Whether the role may call the endpoint; what stands in no row nobody may."""
    return role in access().get((method, path), ())


def who_may(method: str, path: str) -> Text:
    """The roles that may, in words."""
    roles = [text for role, text in ROLES.items() if may(role, method, path)]
    return Text("、".join(each.zh for each in roles) or "无", ", ".join(each.en for each in roles) or "nobody")
