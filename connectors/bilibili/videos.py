"""Videos (视频稿件): brought there in pieces, submitted, looked for after review, counted, removed.

After open.bilibili.com › 视频稿件管理 (read in its mirror apifox.com/apidoc/docs-site/1106400, and in what clients of
others quote of it): POST ``/arcopen/fn/archive/video/init`` {name, utype "0": in pieces} → upload_token; POST
``openupos.bilivideo.com/video/v2/part/upload`` (upload_token, part_number from 1; a piece as it is, 8 MB each but the
last); POST ``…/video/complete`` (upload_token); POST ``…/cover/upload`` (field ``file``) → url; POST
``…/add-by-utoken`` (upload_token; title < 80, tid, tag with commas < 200, desc < 250, copyright 1, cover if any) →
resource_id (BV…); GET ``…/view`` (resource_id); GET ``…/viewlist`` (pn, ps, status: all, is_pubing, pubed, not_pubed);
POST ``…/delete`` (resource_id). A file of at most 4 GB and less than 5 hours.

Not written there: how long an upload token lives; the order of the list; what numbers in ``addit_info.state`` mean but
for 0 (开放浏览). Two videos of the same title within a short time are refused.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.absence import proves, reaches
from connectors.base import (
    AccountRef,
    ConnectorError,
    Done,
    Effect,
    ErrorKind,
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
from connectors.bilibili.errors import is_no_upload
from connectors.bilibili.wire import Wire, incomplete
from connectors.failures import unsettled
from connectors.options import text
from connectors.pictures import in_time
from connectors.text import clean, count, exact, one_line
from connectors.uploading import DONE, KEPT, gone, of_later_step, pieces_of
from connectors.videos import PIECE_SECONDS, piece
from connectors.videos import count as pieces_in

INIT, PART = "/arcopen/fn/archive/video/init", "/video/v2/part/upload"
JOIN, COVER = "/arcopen/fn/archive/video/complete", "/arcopen/fn/archive/cover/upload"
ADD, VIEW, LIST = "/arcopen/fn/archive/add-by-utoken", "/arcopen/fn/archive/view", "/arcopen/fn/archive/viewlist"
DELETE = "/arcopen/fn/archive/delete"
TOKEN = "token"  # noqa: S105  the name of a state
PIECE = 8 * 1024 * 1024
TITLE, LONGEST, TAGS = 79, 249, 199
OPEN, REFUSED, ALL = 0, "not_pubed", "all"
PAGE, PAGES = 50, 3
ASK_AGAIN = timedelta(minutes=10)
FORM = PostForm(
    "video", "视频稿件", LONGEST, "由系统投稿，审核通过后公开。正文作简介；放一张图片就作封面，不放由 B 站截取。",
    TITLE, needs_title=True, pictures=1, picture_types=("image/jpeg", "image/png"), picture_bytes=5 * 1024 * 1024,
    cover=(1146, 717), video=VideoRules(most_bytes=4 * 1024**3, most_seconds=5 * 3600 - 1, is_needed=True),
)  # fmt: skip
_ID = re.compile(r"BV[A-Za-z0-9]{8,20}")
_BETWEEN_TAGS = re.compile(r"[,，、;；\s]+")


def is_video(own: str) -> bool:
    """Whether this is the id of a video."""
    return _ID.fullmatch(own) is not None


def tags_of(account: AccountRef) -> str:
    """The account's tags as the platform takes them."""
    return ",".join(one for one in _BETWEEN_TAGS.split(text(account, "tags")) if one)


# there ----------------------------------------------------------------------------------------------------------------


async def upload(wire: Wire, account: AccountRef, video: Video, state: Mapping[str, str]) -> Uploading | Uploaded:
    """The next step: a token, a piece, or the joining of the pieces."""
    token, done = state.get(TOKEN, ""), pieces_of(state)
    if not token:
        return Uploading({TOKEN: await _begun(wire, account)})
    try:
        if done >= pieces_in(video, PIECE):
            await wire.say(account, JOIN, {}, write=False, seconds=PIECE_SECONDS, upload_token=token)
            return Uploaded({TOKEN: token}, wire.now + KEPT)
        part = piece(video, done, PIECE)
        await wire.piece(account, PART, part, upload_token=token, part_number=str(done + 1))
    except ConnectorError as error:
        if is_no_upload(error):
            raise gone(error.code) from None
        raise (of_later_step(error) if done else error) from None
    return Uploading({TOKEN: token, DONE: str(done + 1)}, part.offset + part.length)


async def _begun(wire: Wire, account: AccountRef) -> str:
    data = await wire.say(account, INIT, {"name": "video.mp4", "utype": "0"}, write=False)
    token = data.get("upload_token") if isinstance(data, Mapping) else None
    if not isinstance(token, str) or not exact(token):
        raise incomplete("upload_token")
    return token


async def submit(wire: Wire, account: AccountRef, out: Outgoing) -> Outcome:
    """Submit the video that was brought there; it is pending until it is reviewed."""
    token = out.uploaded.get(TOKEN, "")
    if not token:
        raise gone("no token")
    covers = await in_time(wire.picture(account, COVER, one) for one in out.attachments[:1])
    body = {
        "title": one_line(out.title), "desc": clean(out.text), "tid": int(text(account, "video_category")),
        "tag": tags_of(account), "copyright": 1, "no_reprint": 0,
    }  # fmt: skip
    try:
        data = await wire.say(account, ADD, body | ({"cover": covers[0]} if covers else {}), upload_token=token)
    except ConnectorError as error:
        if is_no_upload(error):
            raise gone(error.code) from None
        raise
    own = data.get("resource_id") if isinstance(data, Mapping) else None
    if not isinstance(own, str) or not is_video(own):
        raise incomplete("resource_id", Effect.unknown)
    return Pending(own, wire.now + ASK_AGAIN)


# afterwards -----------------------------------------------------------------------------------------------------------


async def poll(wire: Wire, account: AccountRef, job: str) -> Outcome:
    """How the review ended: open to all, refused with a reason, or among those that are not published."""
    try:
        found = await _viewed(wire, account, job)
        state, word, why = _standing(found)
        if state == OPEN:
            return Done(job, _address(found, job))
        is_refused = bool(why) or await _is_refused(wire, account, job)
    except ConnectorError as error:
        raise unsettled(error) from None
    if not is_refused:
        return Pending(job, wire.now + ASK_AGAIN)
    human = f"视频没有通过审核：{why or word or 'B 站没有说明原因'}"
    raise ConnectorError(ErrorKind.content_rejected, human, code=f"state {state}")


async def find(wire: Wire, account: AccountRef, since: datetime) -> OwnItems:
    """Own videos since a moment, by their descriptions. Complete when the list is all there is, or is seen to be newest
    first and has come to what is older.
    """
    floor = since.replace(microsecond=0)
    read: list[OwnItem | None] = []
    for page in range(1, PAGES + 1):
        rows, total = await _listed(wire, account, ALL, page)
        read += [_own(row) for row in rows]
        is_all = total is not None and len(read) >= total
        if is_all or len(rows) < PAGE or reaches(read, floor):
            break
    found = [one for one in read if one is not None and one.created_at >= floor]
    is_whole = proves(read, floor, is_all) and (is_all or _is_newest_first(read))
    return OwnItems(tuple(found), complete=is_whole)


async def stands(wire: Wire, account: AccountRef, own: str) -> bool:
    """Whether the platform has a video and did not refuse it afterwards."""
    try:
        found = await _viewed(wire, account, own)
    except ConnectorError as error:
        if error.kind is ErrorKind.not_found:
            return False
        raise
    return not _standing(found)[2]


async def remove(wire: Wire, account: AccountRef, own: str) -> None:
    """Remove a video, for good; already gone is fine."""
    try:
        await wire.say(account, DELETE, {"resource_id": own})
    except ConnectorError as error:
        if error.kind is not ErrorKind.not_found:
            raise


async def _viewed(wire: Wire, account: AccountRef, own: str) -> Mapping[str, Any]:
    data = await wire.get(account, VIEW, resource_id=own)
    if not isinstance(data, Mapping) or data.get("resource_id") != own or not isinstance(data.get("addit_info"), dict):
        raise incomplete("view")
    return data


def _standing(video: Mapping[str, Any]) -> tuple[int | None, str, str]:
    """The number and the word of its state, and why it was refused, "" where it was not."""
    told = video["addit_info"]
    state, word, why = told.get("state"), told.get("state_desc"), told.get("reject_reason")
    return state if isinstance(state, int) and not isinstance(state, bool) else None, _words(word), _words(why)


def _words(said: Any) -> str:
    return one_line(said)[:100] if isinstance(said, str) else ""


async def _is_refused(wire: Wire, account: AccountRef, own: str) -> bool:
    rows, _ = await _listed(wire, account, REFUSED, 1)
    return any(isinstance(row, Mapping) and row.get("resource_id") == own for row in rows)


async def _listed(wire: Wire, account: AccountRef, status: str, page: int) -> tuple[list[Any], int | None]:
    """A page of the list, and how many there are on all pages, None where the platform does not say."""
    data = await wire.get(account, LIST, pn=str(page), ps=str(PAGE), status=status)
    listed = data.get("list") if isinstance(data, Mapping) else None
    if not isinstance(listed, list):
        raise incomplete("list")
    told = data.get("page")
    return listed, count(told.get("total")) if isinstance(told, Mapping) else None


def _own(row: Any) -> OwnItem | None:
    """A video of the list; None when it cannot be read."""
    if not isinstance(row, Mapping) or not isinstance(row.get("desc"), str):
        return None
    own, at = row.get("resource_id"), _moment(row.get("ctime"))
    if not isinstance(own, str) or not is_video(own) or at is None:
        return None
    return OwnItem(own, clean(row["desc"]), at, _address(row, own))


def _is_newest_first(read: Sequence[OwnItem | None]) -> bool:
    at = [one.created_at for one in read if one is not None]
    return len(at) > 1 and all(older <= newer for newer, older in itertools.pairwise(at))


def _address(video: Mapping[str, Any], own: str) -> str:
    told = video.get("video_info")
    url = told.get("share_url") if isinstance(told, Mapping) else None
    return url if isinstance(url, str) and url.startswith("https://") else f"https://www.bilibili.com/video/{own}"


def _moment(value: Any) -> datetime | None:
    is_time = isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**10
    return datetime.fromtimestamp(value, UTC) if is_time else None
