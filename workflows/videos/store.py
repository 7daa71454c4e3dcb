"""Videos in the data folder, each under the SHA-256 of its bytes: seen by who sees the post, forgotten when unused."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, exists, or_, update
from sqlmodel import col, select

from hub import clock
from hub.db import Unit, reading, unit_of_work
from hub.errors import Invalid, NotAllowed, NotFound
from hub.i18n import _
from hub.models import Delivery, DeliveryState, Post, PostState, Video, VideoUse
from hub.queries import visible
from hub.rights import Actor, May
from hub.settings import Settings
from workflows.house import House
from workflows.videos.cleaning import Looked
from workflows.videos.placed import PlacedVideo

FOLDER = "videos"
MIME = "video/mp4"
MEGABYTE = 1024 * 1024
# Below this nothing more is taken in: the database stands on the same disk.
LEAST_FREE = 1024 * MEGABYTE
# So long a video that no post ever had is kept: longer than anybody writes without saving.
KEPT_UNUSED = timedelta(days=2)
# Of one person, not yet in any post.
MOST_UNUSED = 10
# A file younger than this may be that of a row about to be written.
YOUNG_SECONDS = 3600


def path_of(settings: Settings, sha256: str) -> Path:
    """Where the bytes lie."""
    return settings.data / FOLDER / sha256[:2] / f"{sha256}.mp4"


def room(settings: Settings, wanted: int) -> None:
    """Refuse what would fill the disk: a file is there twice while it is rewritten."""
    folder = settings.data
    free = shutil.disk_usage(folder).free
    if free - 2 * wanted < LEAST_FREE:
        raise Invalid({"video": no_space(free)})


def no_space(free: int) -> str:
    """What a person is told whose video does not fit."""
    return _(
        "服务器磁盘空间不够（还剩 %(free)s MB），视频没有保存；请联系管理员清理磁盘后再上传", free=free // MEGABYTE
    )


async def put(unit: Unit, actor: Actor, name: str, sha256: str, size: int, looked: Looked) -> Video:
    """Keep the row of a video whose bytes are in place. Safe to run twice: the same content of the same person is the
    same row."""
    if not actor.can(May.write_post) or actor.user_id is None:
        raise NotAllowed(_("您没有撰写稿件的权限"))
    there = await unit.first(select(Video).where(Video.by_id == actor.user_id, Video.sha256 == sha256))
    if there is not None:
        there.created_at, there.dropped_at = clock.now(), None
        return there
    video = Video(
        sha256=sha256, name=name, mime=MIME, size=size, seconds=looked.seconds, width=looked.width,
        height=looked.height, codec=looked.codec, poster=looked.poster, by_id=actor.user_id,
    )  # fmt: skip
    unit.add(video)
    await unit.flush()
    return video


async def unused(unit: Unit, actor: Actor) -> int:
    """How many videos of this person no post has."""
    mine = select(col(Video.id)).where(Video.by_id == actor.user_id, col(Video.id).not_in(_used()))
    return len(await unit.all(mine.limit(MOST_UNUSED)))


async def find(unit: Unit, actor: Actor, video_id: int) -> Video:
    """One video; NotFound when the person may not see it."""
    found = await unit.first(select(Video).where(Video.id == video_id, visible.videos(actor)))
    if found is None:
        raise NotFound(_("没有这个视频，或您无权查看"))
    return found


def file_of(settings: Settings, video: Video) -> Path:
    """Its file; NotFound once the bytes are no longer kept."""
    path = path_of(settings, video.sha256)
    if video.dropped_at is not None or not path.is_file():
        raise NotFound(_("视频文件已按期清理，只留有记录"))
    return path


async def resolve(unit: Unit, actor: Actor, video: PlacedVideo | None) -> PlacedVideo | None:
    """The same video with everything its row says. :class:`Invalid` for one that is not there for the person."""
    if video is None:
        return None
    row = await unit.first(select(Video).where(Video.id == video.id, visible.videos(actor)))
    if row is None:
        raise Invalid({"video": _("视频已经不在了，请去掉后重新上传")})
    if row.dropped_at is not None:
        raise Invalid({"video": _("这个视频的文件已按期清理，请去掉后重新上传")})
    return placed(row, video.description)


def placed(row: Video, description: str = "") -> PlacedVideo:
    """A row as a post has it."""
    made = PlacedVideo(row.id or 0, "", row.name, row.sha256, row.mime, row.size, row.seconds, row.width, row.height)
    return made.described(description)


async def note_use(unit: Unit, post_id: int, video: PlacedVideo | None) -> None:
    """The post has it: from now on it is kept as long as the post needs it. Safe to run twice."""
    if video is not None and await unit.get(VideoUse, (video.id, post_id)) is None:
        unit.add(VideoUse(video_id=video.id, post_id=post_id))


def _used() -> Any:
    return select(col(VideoUse.video_id))


# Its bytes ------------------------------------------------------------------------------------------------------------


def digest(path: Path) -> str:
    """The SHA-256 of a file; OSError when it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stamp(path: Path) -> str:
    """The file's own marks: while they are the same, so are the bytes, unless somebody takes pains."""
    told = path.stat()
    return f"{told.st_size}:{told.st_mtime_ns}:{told.st_ino}"


def take_in(settings: Settings, made: Path) -> tuple[str, int]:
    """Move a finished file to its place: its SHA-256 and size. What was there before was the same."""
    with made.open("rb") as file:
        os.fsync(file.fileno())
    sha256, size = digest(made), made.stat().st_size
    place = path_of(settings, sha256)
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made.replace(place)
    return sha256, size


# Forgetting -----------------------------------------------------------------------------------------------------------


async def sweep(house: House) -> int:
    """Forget videos that no post ever had, and the bytes of those whose posts have long been out; how many.

    Safe to run at any time, also when it was broken off: a file goes when no row needs it.
    """
    now = clock.now()
    old = col(Video.created_at) < now - KEPT_UNUSED, col(Video.id).not_in(_used())
    out = col(Video.dropped_at).is_(None), col(Video.id).in_(_used()), ~_needed(now - _kept(house))
    async with unit_of_work(house.ctx) as unit:
        gone = (await unit.run(delete(Video).where(*old))).rowcount
        gone += (await unit.run(update(Video).where(*out).values(dropped_at=now))).rowcount
    async with reading(house.ctx) as unit:
        kept = set(await unit.all(select(col(Video.sha256)).where(col(Video.dropped_at).is_(None))))
    await asyncio.to_thread(_remove, house.ctx.settings.data / FOLDER, kept.__contains__)
    return gone


def _kept(house: House) -> timedelta:
    return timedelta(days=house.ctx.settings.keep_videos_days)


def _needed(since: Any) -> Any:
    """A post that has it is still to go out, was changed since, or had something sent since."""
    ended = col(Post.state).in_([PostState.done, PostState.withdrawn])
    sent = exists().where(
        col(Delivery.post_id) == col(Post.id),
        or_(
            col(Delivery.sent_at) >= since,
            col(Delivery.settled_at) >= since,
            col(Delivery.state).not_in([DeliveryState.sent, DeliveryState.removed, DeliveryState.cancelled]),
        ),
    )
    return exists().where(
        col(VideoUse.video_id) == col(Video.id),
        col(Post.id) == col(VideoUse.post_id),
        or_(~ended, col(Post.changed_at) >= since, sent),
    )


def _remove(folder: Path, is_kept: Callable[[str], bool]) -> None:
    newest = time.time() - YOUNG_SECONDS
    for path in folder.glob("??/*.mp4"):
        if not is_kept(path.stem) and path.stat().st_mtime < newest:
            path.unlink(missing_ok=True)
