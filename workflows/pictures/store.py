"""Pictures in the database: put in once per person and content, seen by who sees the post, forgotten when unused."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import delete
from sqlmodel import col, select

from hub import clock
from hub.db import Unit, reading, unit_of_work
from hub.errors import Invalid, NotAllowed, NotFound
from hub.i18n import _
from hub.models import Picture, PictureBytes, PictureUse
from hub.queries import visible
from hub.rights import Actor, May
from workflows.house import House
from workflows.pictures.cleaning import Cleaned, clean
from workflows.pictures.placed import LONGEST_DESCRIPTION, Placed

MOST_PICTURES = 18
# So long a picture that no post ever had is kept: longer than anybody writes without saving.
KEPT_UNUSED = timedelta(days=2)
# Of one person, not yet in any post: more is a program gone wild.
MOST_UNUSED = 200


async def cleaned(data: bytes) -> Cleaned:
    """:func:`clean` beside the event loop."""
    return await asyncio.to_thread(clean, data)


async def put(unit: Unit, actor: Actor, name: str, made: Cleaned) -> Picture:
    """Keep a cleaned picture. Safe to run twice: the same content of the same person is the same row."""
    if not actor.can(May.write_post) or actor.user_id is None:
        raise NotAllowed(_("您没有撰写稿件的权限"))
    there = await unit.first(select(Picture).where(Picture.by_id == actor.user_id, Picture.sha256 == made.sha256))
    if there is not None:
        there.created_at = clock.now()
        return there
    await _refuse_many(unit, actor)
    picture = Picture(
        sha256=made.sha256,
        name=name.replace("\\", "/").rpartition("/")[2][:200],
        mime=made.mime,
        size=len(made.data),
        width=made.width,
        height=made.height,
        thumb=made.thumb,
        by_id=actor.user_id,
    )
    unit.add(picture)
    await unit.flush()
    unit.add(PictureBytes(picture_id=picture.id or 0, data=made.data))
    return picture


async def _refuse_many(unit: Unit, actor: Actor) -> None:
    mine = select(col(Picture.id)).where(Picture.by_id == actor.user_id, col(Picture.id).not_in(_used()))
    if len(await unit.all(mine.limit(MOST_UNUSED))) >= MOST_UNUSED:
        raise Invalid({"picture": _("您有太多图片还没有用到稿件里，请先保存稿件")})


def _used() -> Any:
    return select(col(PictureUse.picture_id))


async def find(unit: Unit, actor: Actor, picture_id: int) -> Picture:
    """One picture; NotFound when the person may not see it."""
    found = await unit.first(select(Picture).where(Picture.id == picture_id, visible.pictures(actor)))
    if found is None:
        raise NotFound(_("没有这张图片，或您无权查看"))
    return found


async def load(unit: Unit, picture_id: int) -> bytes:
    """What is in it; NotFound when it is gone."""
    found = await unit.get(PictureBytes, picture_id)
    if found is None:
        raise NotFound(_("没有这张图片，或您无权查看"))
    return found.data


async def resolve(unit: Unit, actor: Actor, pictures: Sequence[Placed]) -> tuple[Placed, ...]:
    """The same pictures with everything the rows say about them. :class:`Invalid` for one that is not there for the
    person, one that stands twice, and too many.
    """
    wanted = [one.id for one in pictures]
    if len(wanted) > MOST_PICTURES:
        raise Invalid({"pictures": _("一篇稿件最多 %(n)s 张图片", n=MOST_PICTURES)})
    if len(set(wanted)) != len(wanted):
        raise Invalid({"pictures": _("同一张图片用了两次，请去掉一张")})
    rows = await unit.all(select(Picture).where(col(Picture.id).in_(wanted), visible.pictures(actor)))
    there = {row.id: row for row in rows}
    if len(there) < len(wanted):
        raise Invalid({"pictures": _("有图片已经不在了，请去掉后重新上传")})
    return tuple(_resolved(one, there[one.id]) for one in pictures)


def _resolved(one: Placed, row: Picture) -> Placed:
    described = " ".join(one.description.replace("\x00", "").split())[:LONGEST_DESCRIPTION]
    return replace(
        one, description=described, sha256=row.sha256, mime=row.mime, size=row.size, width=row.width,
        height=row.height,
    )  # fmt: skip


async def note_use(unit: Unit, post_id: int, pictures: Sequence[Placed]) -> None:
    """The post has these: from now on they are kept as long as it is. Safe to run twice."""
    there = set(await unit.all(select(PictureUse.picture_id).where(PictureUse.post_id == post_id)))
    for number in {one.id for one in pictures} - there:
        unit.add(PictureUse(picture_id=number, post_id=post_id))


async def sweep(house: House) -> int:
    """Forget pictures that no post ever had; how many. Safe to run at any time."""
    old = col(Picture.created_at) < clock.now() - KEPT_UNUSED, col(Picture.id).not_in(_used())
    async with reading(house.ctx) as unit:
        if not await unit.all(select(col(Picture.id)).where(*old).limit(1)):
            return 0
    async with unit_of_work(house.ctx) as unit:
        return (await unit.run(delete(Picture).where(*old))).rowcount


def intact(data: bytes, sha256: str) -> bool:
    """Whether these are the bytes that were approved."""
    return hashlib.sha256(data).hexdigest() == sha256
