"""The JSON API as a room: its routes are made in :mod:`web.api` from declared operations."""

from __future__ import annotations

from web.api.collection import ROUTES

__all__ = ["ROUTES"]
