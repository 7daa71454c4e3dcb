"""Which database errors are the fault of the values, so that the one row at fault can be put aside."""

from __future__ import annotations

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

UNFIT = (StatementError, OverflowError, ValueError, TypeError)


def is_unfit(error: Exception) -> bool:
    """Whether the values are at fault, rather than the connection, a lock or a deadlock."""
    if isinstance(error, DBAPIError):
        state = str(getattr(error.orig, "sqlstate", None) or "")
        return isinstance(error, DataError | IntegrityError) or state[:2] in ("22", "23")
    return True
