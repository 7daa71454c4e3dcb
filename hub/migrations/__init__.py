"""One migration history for SQLite and PostgreSQL."""

from hub.migrations.runner import differences, upgrade

__all__ = ["differences", "upgrade"]
