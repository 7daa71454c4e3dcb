"""Connections kept open between two readings, so that a platform asked every minute is not greeted anew each time.

For reading only: a write on a connection that the platform has just closed would end as ``unknown`` without need. A
kept connection goes to an address that was judged when it was opened. Cookies are neither kept nor sent: what one
account is given must never go along with another's call.
"""

from __future__ import annotations

from collections.abc import Callable
from http.cookiejar import DefaultCookiePolicy

import httpx

MOST = 64
KEPT = 32
KEPT_SECONDS = 75.0


class Pool:
    """The open connections of one process. Opened when first needed, closed by :meth:`aclose`."""

    def __init__(self) -> None:
        self._clients: dict[bool, httpx.AsyncClient] = {}

    def client(self, encrypted: bool, make: Callable[[int], httpx.AsyncClient]) -> httpx.AsyncClient:
        """The shared client for http:// or https://; ``make`` gets the number of connections it may open."""
        if encrypted not in self._clients:
            client = make(MOST)
            client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            self._clients[encrypted] = client
        return self._clients[encrypted]

    async def aclose(self) -> None:
        """Close what is open; the pool may be used again afterwards."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.aclose()
