"""How own posts do on Weibo, and on the pretend platform in its shape."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from connectors.base import ConnectorError, ErrorKind, Metric
from connectors.weibo.schemas import number_text

COUNTED_AT_ONCE = 100
PATH = "/2/statuses/count.json"
Ask = Callable[[str], Awaitable[Any]]


async def read(ask: Ask, ids: Sequence[str]) -> list[Metric]:
    """Likes, comments and reposts of those of ``ids`` the platform knows; reads are not told. ``ask``: calls ``PATH``
    with so many ids, commas between them."""
    wanted, found = [one for one in ids if number_text(one)], list[Metric]()
    for start in range(0, len(wanted), COUNTED_AT_ONCE):
        some = wanted[start : start + COUNTED_AT_ONCE]
        body = await ask(",".join(some))
        if not isinstance(body, list):
            raise ConnectorError(ErrorKind.protocol, "平台返回的列表不完整，请稍后再试", code="count")
        told = {_id(one): one for one in body if isinstance(one, Mapping)}
        found += [_metric(one, told[one]) for one in some if one in told]
    return found


def _id(one: Mapping[str, Any]) -> str:
    return number_text(one.get("idstr")) or number_text(one.get("id"))


def _metric(own_id: str, one: Mapping[str, Any]) -> Metric:
    likes, comments, reposts = (_count(one.get(name)) for name in ("attitudes", "comments", "reposts"))
    return Metric(own_id, None, likes, comments, reposts)


def _count(value: Any) -> int | None:
    """A number, or one written as text."""
    text = "0" if is_zero(value) else number_text(value)
    return int(text) if text else None


def is_zero(value: Any) -> bool:
    """0, also as text."""
    return value in (0, "0") and not isinstance(value, bool)
