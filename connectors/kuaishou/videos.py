"""Videos: brought to the gateway the platform names, published with a cover, looked for, counted, removed.

After mp.kuaishou.com/platformDocs/openAbility/contentManagement/createAVideo.html (2024-09-26), its mirror
apifox.com/apidoc/docs-site/462993 and the platform's own Java kit: POST ``/openapi/photo/start_upload`` (scope
user_video_publish) → upload_token, endpoint; to that endpoint POST ``/api/upload`` (upload_token; a file below 10 MB as
it is) or ``/api/upload/fragment`` (upload_token, fragment_id from 0; at most 10 MB each) → checksum, size, and
``/api/upload/complete`` (upload_token, fragment_count), GET ``/api/upload/resume`` (upload_token) → existed: it is
there as a whole; POST ``/openapi/photo/publish`` (upload_token; multipart: caption, cover as JPG) → video_info
{photo_id, caption, create_time, pending, …}; GET ``/openapi/photo/info`` (photo_id), ``/openapi/photo/list`` (count ≤
200, cursor: the photo_id with the least create_time of the page before) → video_list (scope user_video_info); POST
``/openapi/photo/delete`` (photo_id; scope user_video_delete). Publishing goes on after the answer: ``pending`` says
that the video cannot be watched yet.

Not written anywhere that was found: the largest file and the greatest length (the bounds are the hub's own), how long a
caption may be (as in the app), how long an upload token lives, how a refusal by review is told, the address of a video
(taken from the web, where its id stands).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.absence import proves, reaches
from connectors.base import (
    AccountRef,
    ConnectorError,
    Done,
    Effect,
    ErrorKind,
    Metric,
    Outcome,
    Outgoing,
    OwnItem,
    OwnItems,
    Pending,
    PostForm,
    Uploaded,
    Uploading,
    Video,
    VideoRules,
)
from connectors.failures import unsettled
from connectors.kuaishou.errors import is_no_upload
from connectors.kuaishou.wire import Wire, incomplete, is_gateway
from connectors.text import clean, count, exact
from connectors.uploading import DONE, KEPT, gone, of_later_step, pieces_of
from connectors.videos import count as pieces_in
from connectors.videos import piece, whole

START, PUBLISH = "/openapi/photo/start_upload", "/openapi/photo/publish"
WHOLE, PART, JOIN = "/api/upload", "/api/upload/fragment", "/api/upload/complete"
RESUME = "/api/upload/resume"
INFO, LIST, DELETE = "/openapi/photo/info", "/openapi/photo/list", "/openapi/photo/delete"
TOKEN, GATEWAY = "token", "gateway"
PIECE = 8 * 1024 * 1024
LONGEST = 500
PAGE, PAGES = 50, 3
ASK_AGAIN = timedelta(minutes=2)
FORM = PostForm(
    "video", "视频", LONGEST, "由系统发布；快手处理、审核完才公开。第一张图片作封面，必须有。", pictures=1,
    picture_types=("image/jpeg",), needs_cover=True, video=VideoRules(is_needed=True),
)  # fmt: skip
_ID = re.compile(r"[A-Za-z0-9_-]{4,64}")
_EARLIEST, _LATEST = 1_300_000_000, 4_102_444_800


def address(own: str) -> str:
    """Where people see a video of this id."""
    return f"https://www.kuaishou.com/short-video/{own}"


# there ----------------------------------------------------------------------------------------------------------------


async def upload(wire: Wire, account: AccountRef, video: Video, state: Mapping[str, str]) -> Uploading | Uploaded:
    """The next step: a token, the file or a piece of it, or the joining of the pieces."""
    token, gateway, done = state.get(TOKEN, ""), state.get(GATEWAY, ""), pieces_of(state)
    if not token or not is_gateway(gateway):
        return await _begun(wire, account)
    pieces = pieces_in(video, PIECE)
    if pieces == 1:
        await wire.send(account, gateway, WHOLE, whole(video), upload_token=token)
        return Uploaded({TOKEN: token}, wire.now + KEPT)
    if done >= pieces:
        try:
            await wire.send(account, gateway, JOIN, None, upload_token=token, fragment_count=str(pieces))
        except ConnectorError as error:
            refusal = of_later_step(error)
            if refusal.kind is not ErrorKind.not_found or not await _is_joined(wire, account, gateway, token):
                raise refusal from None
        return Uploaded({TOKEN: token}, wire.now + KEPT)
    part = piece(video, done, PIECE)
    told = await wire.send(account, gateway, PART, part, upload_token=token, fragment_id=str(done))
    if told.get("size", part.length) != part.length:
        raise incomplete("size")
    return Uploading({TOKEN: token, GATEWAY: gateway, DONE: str(done + 1)}, part.offset + part.length)


async def _is_joined(wire: Wire, account: AccountRef, gateway: str, token: str) -> bool:
    """Whether the pieces were joined before, and nobody had heard the answer."""
    return (await wire.ask(account, gateway, RESUME, upload_token=token)).get("existed") is True


async def _begun(wire: Wire, account: AccountRef) -> Uploading:
    told = await wire.post(account, START, write=False)
    token, gateway = told.get("upload_token"), told.get("endpoint")
    if not isinstance(token, str) or not exact(token, 1000):
        raise incomplete("upload_token")
    if not isinstance(gateway, str) or not is_gateway(gateway):
        raise incomplete("endpoint")
    return Uploading({TOKEN: token, GATEWAY: gateway})


async def publish(wire: Wire, account: AccountRef, out: Outgoing) -> Outcome:
    """Publish the video that was brought there; it is pending until it can be watched."""
    token = out.uploaded.get(TOKEN, "")
    if not token:
        raise gone("no token")
    form, cover = {"caption": clean(out.text)}, out.attachments[0]
    try:
        told = await wire.post(account, PUBLISH, form=form, cover=cover, upload_token=token)
    except ConnectorError as error:
        if is_no_upload(error):
            raise gone(error.code) from None
        raise
    video = told.get("video_info")
    own = video.get("photo_id") if isinstance(video, Mapping) else None
    if not _is_id(own):
        raise incomplete("photo_id", Effect.unknown)
    return Pending(str(own), wire.now + ASK_AGAIN)


# afterwards -----------------------------------------------------------------------------------------------------------


async def poll(wire: Wire, account: AccountRef, job: str) -> Outcome:
    """Whether the video can be watched. Not shown yet is not gone: it is looked for as long as the hub waits."""
    try:
        found = await _told(wire, account, job)
    except ConnectorError as error:
        if error.kind is ErrorKind.not_found:
            return Pending(job, wire.now + ASK_AGAIN)
        if error.kind is ErrorKind.content_rejected:
            raise
        raise unsettled(error) from None
    return Done(job, address(job)) if found["pending"] is False else Pending(job, wire.now + ASK_AGAIN)


async def find(wire: Wire, account: AccountRef, since: datetime) -> OwnItems:
    """Own videos since a moment, newest first. The list ends with a page that is there and empty."""
    floor = since.replace(microsecond=0)
    read: list[OwnItem | None] = []
    cursor, is_end = "", False
    for _ in range(PAGES):
        told = await wire.get(account, LIST, count=str(PAGE), **({"cursor": cursor} if cursor else {}))
        rows = told.get("video_list")
        if not isinstance(rows, list):
            raise incomplete("video_list")
        read += (page := [_own(row) for row in rows])
        is_end, following = not rows, _last(page)
        if is_end or reaches(page, floor) or following in ("", cursor):
            break
        cursor = following
    found = [one for one in read if one is not None and one.created_at >= floor]
    return OwnItems(tuple(found), complete=proves(read, floor, is_end))


async def stands(wire: Wire, account: AccountRef, own: str) -> bool:
    """Whether the platform has a video."""
    try:
        await _told(wire, account, own)
    except ConnectorError as error:
        if error.kind is ErrorKind.not_found:
            return False
        raise
    return True


async def metric(wire: Wire, account: AccountRef, asked: str, own: str) -> Metric | None:
    """The figures of a video under the id that was asked; None where the platform does not know it."""
    try:
        found = await _told(wire, account, own)
    except ConnectorError as error:
        if error.kind is ErrorKind.not_found:
            return None
        raise
    return Metric(asked, *(count(found.get(name)) for name in ("view_count", "like_count", "comment_count")))


async def remove(wire: Wire, account: AccountRef, own: str) -> None:
    """Remove a video; already gone is fine."""
    try:
        await wire.post(account, DELETE, photo_id=own)
    except ConnectorError as error:
        if error.kind is not ErrorKind.not_found:
            raise


async def _told(wire: Wire, account: AccountRef, own: str) -> Mapping[str, Any]:
    """What the platform says of a video; only of that one, and whole."""
    video = (await wire.get(account, INFO, photo_id=own)).get("video_info")
    if not isinstance(video, Mapping) or video.get("photo_id") != own or not isinstance(video.get("pending"), bool):
        raise incomplete("video_info")
    return video


def _own(row: Any) -> OwnItem | None:
    """A video of the list; None when it cannot be read."""
    if not isinstance(row, Mapping) or not isinstance(row.get("caption"), str):
        return None
    own, at = row.get("photo_id"), _moment(row.get("create_time"))
    return OwnItem(str(own), clean(row["caption"]), at, address(str(own))) if _is_id(own) and at is not None else None


def _last(page: list[OwnItem | None]) -> str:
    """Where the next page begins: the oldest of this one; "" where it cannot be told."""
    known = [one for one in page if one is not None]
    return min(known, key=lambda one: one.created_at).external_id if len(known) == len(page) and known else ""


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _moment(value: Any) -> datetime | None:
    """Unix seconds or milliseconds: the pages do not agree."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    seconds = value // 1000 if value > 10**11 else value
    return datetime.fromtimestamp(seconds, UTC) if _EARLIEST < seconds < _LATEST else None
