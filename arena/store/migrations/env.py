"""Run by Alembic, on the connection that `arena.store.migrating` hands over."""

from alembic import context

from arena.store import foreign_schema, people_schema, trust_schema  # noqa: F401 - their tables belong to the metadata
from arena.store.schema import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
