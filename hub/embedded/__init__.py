"""Real servers out of Python packages, started and stopped by the hub itself."""

from hub.embedded.postgres import Postgres
from hub.embedded.valkey import Valkey

__all__ = ["Postgres", "Valkey"]
