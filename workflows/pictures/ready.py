"""The pictures of a delivery made ready for its platform: exactly what was approved, as the platform takes it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.base import Attachment, PostForm
from hub.db import reading
from hub.errors import NotFound
from workflows.house import House
from workflows.pictures import store
from workflows.pictures.fitting import Fitted, fit_for, fitted
from workflows.pictures.placed import Placed, placed_of

_ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp"}


class Altered(Exception):
    """A picture is gone, or is not the one that was approved."""


async def ready(house: House, kept: Sequence[Mapping[str, Any]], form: PostForm) -> tuple[Attachment, ...]:
    """Every picture as it goes out in this form, in order; :class:`Altered` when one is not what was approved."""
    return tuple([await one(house, picture, form, place) for place, picture in enumerate(placed_of(kept))])


async def one(house: House, picture: Placed, form: PostForm, place: int) -> Attachment:
    """The ``place``-th picture as it goes out."""
    made = await _fitted(house, picture, form, place)
    return Attachment(name_of(place, made.mime), made.mime, made.data, picture.description, made.width, made.height)


async def _fitted(house: House, picture: Placed, form: PostForm, place: int) -> Fitted:
    try:
        async with reading(house.ctx) as unit:
            data = await store.load(unit, picture.id)
    except NotFound:
        raise Altered from None
    if not store.intact(data, picture.sha256):
        raise Altered
    return await asyncio.to_thread(fitted, data, picture.mime, fit_for(form, place, picture))


def planned(pictures: Sequence[Placed]) -> tuple[Attachment, ...]:
    """The pictures without their bytes, for a platform's rules before anything is sent."""
    return tuple(
        Attachment(name_of(place, one.mime), one.mime, b"", one.description, one.width, one.height)
        for place, one in enumerate(pictures)
    )


def name_of(place: int, mime: str) -> str:
    """The ``place``-th picture's file name."""
    return f"{place + 1}.{_ENDINGS.get(mime, 'bin')}"
