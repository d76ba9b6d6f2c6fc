"""The first tables, and what keeps the journal append-only."""

from alembic import op
from sqlalchemy import Boolean, Column, Integer, LargeBinary, String, Text

from minefusion.serving.journal.tables import Instant

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "journal",
        Column("seq", Integer, primary_key=True, autoincrement=False),
        Column("at", String(40), nullable=False),
        Column("what", String(64), nullable=False),
        Column("subject", String(256), nullable=False),
        Column("mine_code", String(32), nullable=False),
        Column("by", String(64), nullable=False),
        Column("facts", Text, nullable=False),
        Column("previous", String(64), nullable=False),
        Column("hash", String(64), nullable=False),
    )
    op.create_index("journal_subject", "journal", ["subject"])
    op.create_table(
        "alarm",
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
    )
    op.create_index("alarm_shown", "alarm", ["mine_code", "shown_at"])
    op.create_index("alarm_open", "alarm", ["is_open"])
    op.create_table(
        "hold",
        Column("tag", String(256), primary_key=True),
        Column("mine_code", String(32), nullable=False),
        Column("kind", String(32), nullable=False),
        Column("is_lifted", Boolean, nullable=False),
        Column("body", Text, nullable=False),
    )
    op.create_table(
        "disposition",
        Column("disposition_id", String(64), primary_key=True),
        Column("mine_code", String(32), nullable=False),
        Column("area_id", String(64), nullable=False),
        Column("incident_id", String(256), nullable=False),
        Column("state", String(16), nullable=False),
        Column("opened_at", Instant, nullable=False),
        Column("closed_at", Instant),
        Column("body", Text, nullable=False),
    )
    op.create_index("disposition_opened", "disposition", ["mine_code", "opened_at"])
    op.create_table(
        "desk",
        Column("mine_code", String(32), primary_key=True),
        Column("body", Text, nullable=False),
    )
    op.create_table(
        "attachment",
        Column("sha256", String(64), primary_key=True),
        Column("media_type", String(64), nullable=False),
        Column("size", Integer, nullable=False),
        Column("content", LargeBinary, nullable=False),
    )
    op.create_table(
        "account",
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
    _append_only()


def _append_only() -> None:
    """The database itself refuses to change or remove a line of the journal."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER journal_no_{verb.lower()} BEFORE {verb} ON journal "
                "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the journal is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER journal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal "
        "FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()"
    )


def downgrade() -> None:
    raise NotImplementedError("a journal is not taken back; restore the database from its copy")
