"""How posts do on the pretend platform."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from connectors.base import AccountRef, ConnectorError, ErrorKind, Metric
from connectors.text import count

COUNTED_AT_ONCE = 100
Get = Callable[[AccountRef, str, dict[str, str]], Awaitable[Any]]


async def read(get: Get, account: AccountRef, ids: Sequence[str]) -> list[Metric]:
    """Those of ``ids`` the platform knows."""
    wanted, found = [one for one in ids if one.isascii() and one.isdigit()], list[Metric]()
    for start in range(0, len(wanted), COUNTED_AT_ONCE):
        some = wanted[start : start + COUNTED_AT_ONCE]
        body = await get(account, "/2/statuses/count.json", {"ids": ",".join(some)})
        if not isinstance(body, list):
            raise ConnectorError(ErrorKind.protocol, "平台返回的列表不完整，请稍后再试", code="count")
        told = {str(one.get("idstr")): one for one in body if isinstance(one, dict)}
        for own in some:
            if own in told:
                likes, comments, reposts = (count(told[own].get(name)) for name in ("attitudes", "comments", "reposts"))
                found.append(Metric(own, likes=likes, comments=comments, reposts=reposts))
    return found
