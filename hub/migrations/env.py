"""Alembic's entry: runs on the connection the runner hands over."""

from alembic import context
from sqlmodel import SQLModel

from hub.migrations.runner import keep

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    include_object=keep,
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
