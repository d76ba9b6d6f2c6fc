"""Alembic's entry: migrates over the connection that `open_database` hands it, inside its transaction."""

from alembic import context

from minefusion.serving.journal.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
