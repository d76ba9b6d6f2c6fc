"""Emergencies and hand-overs."""

from alembic import op
from sqlalchemy import Column, String, Text

from minefusion.serving.journal.tables import Instant

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "emergency",
        Column("emergency_id", String(64), primary_key=True),
        Column("mine_code", String(32), nullable=False),
        Column("declared_at", Instant, nullable=False),
        Column("ended_at", Instant),
        Column("body", Text, nullable=False),
    )
    op.create_index("emergency_declared", "emergency", ["mine_code", "declared_at"])
    op.create_table(
        "handover",
        Column("handover_id", String(64), primary_key=True),
        Column("mine_code", String(32), nullable=False),
        Column("made_at", Instant, nullable=False),
        Column("body", Text, nullable=False),
    )
    op.create_index("handover_made", "handover", ["mine_code", "made_at"])


def downgrade() -> None:
    raise NotImplementedError("a journal is not taken back; restore the database from its copy")
