"""Handing in as somebody does who reads what is asked and confirms exactly that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from workflows.checking.confirming import Unconfirmed

T = TypeVar("T")


async def insist(hand_in: Callable[..., Awaitable[T]]) -> T:
    """``hand_in`` takes ``confirm``."""
    try:
        return await hand_in()
    except Unconfirmed as asked:
        return await hand_in(confirm=asked.confirm)
