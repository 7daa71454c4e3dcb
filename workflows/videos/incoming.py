"""A video on its way in from a browser: in pieces, so that a broken connection costs one piece, then looked into."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import re
import secrets
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import delete
from sqlmodel import col, func, select

from hub import clock, log
from hub.db import Unit, reading, unit_of_work
from hub.errors import Invalid, NotAllowed, NotFound, Refused
from hub.i18n import _, ngettext
from hub.models import IncomingState, IncomingVideo, Video
from hub.rights import Actor, May
from hub.settings import Settings
from workflows.house import House
from workflows.videos import store
from workflows.videos.cleaning import WALL_SECONDS, clean, no
from workflows.videos.store import FOLDER, MEGABYTE

COMING = "coming"
PIECE = 4 * MEGABYTE
# Of one person at a time.
MOST_COMING = 3
KEPT = timedelta(days=1)
LEASE = timedelta(seconds=WALL_SECONDS + 30)
_TOKEN = re.compile(r"[a-f0-9]{32}")
_log = log.get(__name__)
S = IncomingState


@dataclass(frozen=True, slots=True)
class Incoming:
    """How far a file is: ``offset`` bytes of ``size`` are here; ``piece``: the most that may come at once."""

    token: str
    state: IncomingState
    name: str
    size: int
    offset: int
    piece: int
    why: str = ""
    video_id: int | None = None


async def begin(house: House, unit: Unit, actor: Actor, name: str, size: int) -> Incoming:
    """A place for a file of this size. :class:`Invalid` in words for one that is too large or finds no room."""
    if not actor.can(May.write_post) or actor.user_id is None:
        raise NotAllowed(_("您没有撰写稿件的权限"))
    settings = house.ctx.settings
    if size <= 0:
        raise no(_("文件是空的"))
    if size > settings.most_video_mb * MEGABYTE:
        raise no(_("视频超过 %(n)s MB，请压缩或剪短后再上传", n=settings.most_video_mb))
    await _refuse_many(unit, actor)
    folder = settings.data / FOLDER / COMING
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    store.room(settings, size + await _coming(unit))
    named = name.replace("\\", "/").rpartition("/")[2]
    row = IncomingVideo(token=secrets.token_hex(16), by_id=actor.user_id, name=named[-200:], size=size)
    unit.add(row)
    _file(settings, row.token).touch(mode=0o600)
    return _shown(settings, row)


async def _refuse_many(unit: Unit, actor: Actor) -> None:
    """What one person leaves lying about is bounded; the own oldest that never came to its end gives way."""
    open_ones = select(IncomingVideo).where(
        IncomingVideo.by_id == actor.user_id, col(IncomingVideo.state).in_([S.coming, S.checking])
    )
    rows = await unit.all(open_ones.order_by(col(IncomingVideo.created_at)))
    for row in rows[: max(0, len(rows) - MOST_COMING + 1)]:
        if row.state is S.checking and row.lease_until is not None and row.lease_until > clock.now():
            raise Refused([_("您上传的视频还在检查，请等它完成后再传下一个")])
        await unit.session.delete(row)
        _drop(unit.ctx.settings, row.token)
    if await store.unused(unit, actor) >= store.MOST_UNUSED:
        raise no(
            ngettext(
                "您有 %(n)s 个视频还没有用到稿件里，请先保存稿件",
                "您有 %(n)s 个视频还没有用到稿件里，请先保存稿件",
                store.MOST_UNUSED,
            )
        )


async def find(house: House, unit: Unit, actor: Actor, token: str) -> Incoming:
    """The person's own; NotFound when it is gone, was never there, or is somebody else's."""
    return _shown(house.ctx.settings, await _row(unit, actor, token))


async def _row(unit: Unit, actor: Actor, token: str) -> IncomingVideo:
    row = await unit.get(IncomingVideo, token) if _TOKEN.fullmatch(token) else None
    if row is None or row.by_id != actor.user_id:
        raise NotFound(_("这次上传已经不在了，请重新上传"))
    return row


async def take(house: House, actor: Actor, token: str, offset: int, body: AsyncIterator[bytes]) -> Incoming:
    """Write one piece where it belongs. What came before a break stays: the next piece begins at ``offset``.

    :class:`Refused` for a piece that leaves a gap; :class:`Invalid` in words when the disk is full.
    """
    settings = house.ctx.settings
    async with reading(house.ctx) as unit:
        row = await _row(unit, actor, token)
    there = _length(settings, token)
    if row.state is not S.coming or offset > there:
        raise Refused([_("上传的顺序不对，请刷新页面后重新上传")])
    path, at = _file(settings, token), offset
    async for chunk in body:
        if at + len(chunk) > row.size:
            raise Refused([_("传来的内容比说好的多，请重新上传")])
        await _write(settings, path, at, chunk)
        at += len(chunk)
    return _shown(settings, row)


async def _write(settings: Settings, path: Path, at: int, chunk: bytes) -> None:
    try:
        await asyncio.to_thread(_put, path, at, chunk)
    except FileNotFoundError:
        raise NotFound(_("这次上传已经不在了，请重新上传")) from None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        free = shutil.disk_usage(settings.data).free
        raise Invalid({"video": store.no_space(free)}) from None


def _put(path: Path, at: int, chunk: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(chunk)


async def finish(house: House, actor: Actor, token: str) -> Incoming:
    """All of it is here: look into it, once, whoever asks how often. ``checking`` while another request does.

    :class:`Refused` while something is missing. A refusal stays with the row, in words.
    """
    async with reading(house.ctx) as unit:
        row = await _row(unit, actor, token)
    if row.state in (S.done, S.refused):
        return _shown(house.ctx.settings, row)
    if _length(house.ctx.settings, token) != row.size:
        raise Refused([_("还没有传完，请继续上传")])
    if await _claim(house, token):
        await house.see_through(_look(house, actor, row))
    async with reading(house.ctx) as unit:
        return _shown(house.ctx.settings, await _row(unit, actor, token))


async def _claim(house: House, token: str) -> bool:
    """Whoever has it looks into the file; one whose process died gives it up by time."""
    now = clock.now()
    free = col(IncomingVideo.state).in_([S.coming, S.checking]), col(IncomingVideo.token) == token
    old = col(IncomingVideo.lease_until).is_(None) | (col(IncomingVideo.lease_until) < now)
    async with unit_of_work(house.ctx) as unit:
        return await unit.claim(IncomingVideo, *free, old, state=S.checking, lease_until=now + LEASE)


async def _look(house: House, actor: Actor, row: IncomingVideo) -> None:
    settings = house.ctx.settings
    source = _file(settings, row.token)
    made = source.with_suffix(".mp4")
    try:
        looked = await clean(source, made)
        sha256, size = await asyncio.to_thread(store.take_in, settings, made)
        async with unit_of_work(house.ctx) as unit:
            video = await store.put(unit, actor, row.name, sha256, size, looked)
            await _end(unit, row.token, state=S.done, video_id=video.id)
    except Invalid as error:
        await _ended(house, row.token, state=S.refused, why=error.problems["video"])
    except OSError as error:
        _log.exception("video_not_kept", token=row.token)
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        why = store.no_space(shutil.disk_usage(settings.data).free) if full else _("服务器没有能保存视频，请联系管理员")
        await _ended(house, row.token, state=S.refused, why=why)
    except BaseException:
        await _ended(house, row.token, state=S.coming)
        raise
    _drop(settings, row.token)


async def _ended(house: House, token: str, **values: object) -> None:
    async with unit_of_work(house.ctx) as unit:
        await _end(unit, token, **values)


async def _end(unit: Unit, token: str, **values: object) -> None:
    await unit.claim(IncomingVideo, col(IncomingVideo.token) == token, **values, lease_until=None)


async def cancel(house: House, unit: Unit, actor: Actor, token: str) -> None:
    """Forget a file on its way in. Safe to repeat."""
    with contextlib.suppress(NotFound):
        row = await _row(unit, actor, token)
        if row.state is not S.checking:
            await unit.session.delete(row)
            _drop(house.ctx.settings, token)


async def sweep(house: House) -> int:
    """Forget what came no further within a day, and files without a row; how many. Safe to run at any time."""
    old = col(IncomingVideo.created_at) < clock.now() - KEPT
    async with unit_of_work(house.ctx) as unit:
        gone = (await unit.run(delete(IncomingVideo).where(old))).rowcount
    async with reading(house.ctx) as unit:
        known = set(await unit.all(select(col(IncomingVideo.token))))
    for path in (house.ctx.settings.data / FOLDER / COMING).glob("*"):
        if path.stem not in known and path.stat().st_mtime < time.time() - store.YOUNG_SECONDS:
            path.unlink(missing_ok=True)
    return gone


async def _coming(unit: Unit) -> int:
    """How many bytes are announced and not yet looked into."""
    total = await unit.one(
        select(func.sum(IncomingVideo.size)).where(col(IncomingVideo.state).in_([S.coming, S.checking]))
    )
    return int(total or 0)


def _shown(settings: Settings, row: IncomingVideo) -> Incoming:
    piece = min(PIECE, settings.max_body_mb * MEGABYTE)
    offset = row.size if row.state in (S.done, S.refused) else min(row.size, _length(settings, row.token))
    return Incoming(row.token, row.state, row.name, row.size, offset, piece, row.why, row.video_id)


def scratch(settings: Settings) -> Path:
    """A name nobody else has, for something that lies there a moment; what is left behind is swept."""
    folder = settings.data / FOLDER / COMING
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / f"{secrets.token_hex(16)}.jpg"


def _file(settings: Settings, token: str) -> Path:
    return settings.data / FOLDER / COMING / token


def _length(settings: Settings, token: str) -> int:
    try:
        return _file(settings, token).stat().st_size
    except FileNotFoundError:
        return 0


def _drop(settings: Settings, token: str) -> None:
    path = _file(settings, token)
    for one in (path, path.with_suffix(".mp4"), path.with_suffix(".jpg")):
        one.unlink(missing_ok=True)


async def video_of(unit: Unit, one: Incoming) -> Video:
    """The video that came of it."""
    video = await unit.get(Video, one.video_id) if one.video_id else None
    if video is None:
        raise NotFound(_("没有这个视频，或您无权查看"))
    return video
