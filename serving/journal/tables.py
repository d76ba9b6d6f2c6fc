"""The tables of what people change. Records of the alarm engine lie whole in `body`, beside what they are sought by."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Index, Integer, LargeBinary, MetaData, String, Table, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

METADATA = MetaData()


class Instant(TypeDecorator[datetime]):
    """An instant in UTC, with its offset on any database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC).replace(tzinfo=None) if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


JOURNAL = Table(
    "journal",
    METADATA,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String(40), nullable=False),
    Column("what", String(64), nullable=False),
    Column("subject", String(256), nullable=False),
    Column("mine_code", String(32), nullable=False),
    Column("by", String(64), nullable=False),
    Column("facts", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("journal_subject", "subject"),
)
ALARM = Table(
    "alarm",
    METADATA,
    Column("alarm_id", String(256), primary_key=True),
    Column("mine_code", String(32), nullable=False),
    Column("area_id", String(64), nullable=False),
    Column("point_id", String(64)),
    Column("tag", String(256), nullable=False),
    Column("class_name", String(32), nullable=False),
    Column("is_advisory", Boolean, nullable=False),
    Column("level", Integer, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("state", String(32), nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("raised_at", Instant, nullable=False),
    Column("cleared_at", Instant),
    Column("shown_at", Instant, nullable=False),
    Column("acked_at", Instant),
    Column("moved_at", Instant, nullable=False),
    Column("incident_id", String(256), nullable=False),
    Column("disposition_id", String(64)),
    Column("body", Text, nullable=False),
    Index("alarm_shown", "mine_code", "shown_at"),
    Index("alarm_open", "is_open"),
)
HOLD = Table(
    "hold",
    METADATA,
    Column("tag", String(256), primary_key=True),
    Column("mine_code", String(32), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("is_lifted", Boolean, nullable=False),
    Column("body", Text, nullable=False),
)
DISPOSITION = Table(
    "disposition",
    METADATA,
    Column("disposition_id", String(64), primary_key=True),
    Column("mine_code", String(32), nullable=False),
    Column("area_id", String(64), nullable=False),
    Column("incident_id", String(256), nullable=False),
    Column("state", String(16), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("body", Text, nullable=False),
    Index("disposition_opened", "mine_code", "opened_at"),
)
DESK = Table(
    "desk",
    METADATA,
    Column("mine_code", String(32), primary_key=True),
    Column("body", Text, nullable=False),
)
EMERGENCY = Table(
    "emergency",
    METADATA,
    Column("emergency_id", String(64), primary_key=True),
    Column("mine_code", String(32), nullable=False),
    Column("declared_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("body", Text, nullable=False),
    Index("emergency_declared", "mine_code", "declared_at"),
)
HANDOVER = Table(
    "handover",
    METADATA,
    Column("handover_id", String(64), primary_key=True),
    Column("mine_code", String(32), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("body", Text, nullable=False),
    Index("handover_made", "mine_code", "made_at"),
)
# `seq`: number of the event, as last told, among those of its mine.
AI_EVENT = Table(
    "ai_event",
    METADATA,
    Column("mine_code", String(32), primary_key=True),
    Column("event_id", String(64), primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("by", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Index("ai_event_began", "began_at"),
)
ATTACHMENT = Table(
    "attachment",
    METADATA,
    Column("sha256", String(64), primary_key=True),
    Column("media_type", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
# `mines`: codes apart by a blank, '*' for all. Tokens issued before `tokens_from` are worth nothing.
ACCOUNT = Table(
    "account",
    METADATA,
    Column("login", String(64), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("mines", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("must_change", Boolean, nullable=False),
    Column("is_disabled", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("tokens_from", Instant, nullable=False),
)
