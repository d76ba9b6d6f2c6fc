"""Events that video analysis sent by HTTP."""

from alembic import op
from sqlalchemy import Column, Integer, String, Text

from minefusion.serving.journal.tables import Instant

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "ai_event",
        Column("mine_code", String(32), primary_key=True),
        Column("event_id", String(64), primary_key=True),
        Column("seq", Integer, nullable=False),
        Column("began_at", Instant, nullable=False),
        Column("received_at", Instant, nullable=False),
        Column("by", String(64), nullable=False),
        Column("body", Text, nullable=False),
    )
    op.create_index("ai_event_began", "ai_event", ["began_at"])


def downgrade() -> None:
    raise NotImplementedError("a journal is not taken back; restore the database from its copy")
