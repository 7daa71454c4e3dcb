"""The single door through which anything leaves the house: one table, one state machine, one engine."""

from workflows.delivery.outbox import create, text_hash

__all__ = ["create", "text_hash"]
