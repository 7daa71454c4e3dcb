"""Pictures of statuses: uploaded first, waited for until the server has worked on them, then named in the status.

Nobody sees a picture that no status shows, so whatever goes wrong here leaves the status surely unsent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors.base import (
    AccountRef,
    Attachment,
    ConnectorError,
    ErrorKind,
    Outgoing,
    PostForm,
    Problem,
    Uploaded,
    Uploading,
    VideoRules,
)
from connectors.mastodon.schemas import text_id
from connectors.options import number
from connectors.pictures import harmless, in_time
from connectors.videos import Multipart, whole

# What a server takes that does not say so itself.
MOST_PICTURES = 4
PICTURE_BYTES = 8 * 1024 * 1024
DESCRIPTION_LENGTH = 1500
TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")
# Servers answer 202 while they work on a picture; asked again after so many seconds.
WAITS = (0.3, 0.5, 1.0, 1.0, 2.0, 2.0, 2.0)
VIDEO_BYTES = 40 * 1024 * 1024
VIDEO_PIXELS = 3840 * 2160
# Servers keep what no status shows for a day.
VIDEO_KEPT = timedelta(hours=20)
VIDEO_AGAIN = timedelta(seconds=5)

Call = Callable[..., Awaitable[Any]]


def form_of(account: AccountRef, length: int) -> PostForm:
    """A status as this server takes it, by what ``check`` has learned."""
    most = int(number(account, "max_pictures", MOST_PICTURES, 1, 100))
    size = int(number(account, "picture_bytes", PICTURE_BYTES, 1, 10**9))
    note = f"最多 {most} 张图片，或一个视频，建议都写说明。"
    rules = VideoRules(most_bytes=int(number(account, "video_bytes", VIDEO_BYTES, 1, 10**10)), most_seconds=4 * 3600)
    return PostForm("", "嘟文", length, note, pictures=most, picture_types=TYPES, picture_bytes=size, video=rules)


def learned(configuration: Any) -> dict[str, Any]:
    """What the server says about pictures and videos, as options of the account."""
    said = configuration if isinstance(configuration, Mapping) else {}
    media, statuses = said.get("media_attachments"), said.get("statuses")
    found = {
        "picture_bytes": media.get("image_size_limit") if isinstance(media, Mapping) else None,
        "description_length": media.get("description_limit") if isinstance(media, Mapping) else None,
        "video_bytes": media.get("video_size_limit") if isinstance(media, Mapping) else None,
        "video_pixels": media.get("video_matrix_limit") if isinstance(media, Mapping) else None,
        "max_pictures": statuses.get("max_media_attachments") if isinstance(statuses, Mapping) else None,
    }
    return {name: value for name, value in found.items() if isinstance(value, int) and value > 0}


async def upload(call: Call, account: AccountRef, pictures: Sequence[Attachment]) -> list[str]:
    """The server's ids of the pictures, in order, each ready to be shown."""
    try:
        return await in_time(_upload(call, account, picture) for picture in pictures)
    except ConnectorError as error:
        raise harmless(error) from None


async def _upload(call: Call, account: AccountRef, picture: Attachment) -> str:
    form = {"description": picture.description} if picture.description else {}
    body = await call(account, "POST", "/api/v2/media", form=form, files=(("file", picture),))
    new_id = text_id(body.get("id")) if isinstance(body, dict) else ""
    if not new_id:
        raise ConnectorError(ErrorKind.protocol, "服务器收了图片，但没有返回编号", code="media")
    for wait in WAITS:
        if body.get("url"):
            return new_id
        # 206 while the server works on it, 200 with the address when it is done.
        await asyncio.sleep(wait)
        body = await call(account, "GET", f"/api/v1/media/{new_id}")
        body = body if isinstance(body, dict) else {}
    if body.get("url"):
        return new_id
    raise ConnectorError(ErrorKind.transient, "服务器还在处理图片，稍后再发", code="media")


async def upload_video(
    call: Call, account: AccountRef, out: Outgoing, state: Mapping[str, str], now: datetime
) -> Uploading | Uploaded:
    """Sent whole in one request, since servers take no pieces; then asked for until the server has worked on it."""
    video = out.video
    if video is None:
        raise ConnectorError(ErrorKind.bug, "这篇稿件没有视频", code="no video")
    if new_id := state.get("media", ""):
        return _video_standing(await call(account, "GET", f"/api/v1/media/{new_id}"), new_id, video.size, now)
    form = {"description": video.description} if video.description else {}
    cover = [("thumbnail", picture) for picture in out.attachments[:1]]
    body = await call(account, "POST", "/api/v2/media", body=Multipart("file", whole(video), form=form, beside=cover))
    if not (new_id := text_id(body.get("id")) if isinstance(body, dict) else ""):
        raise ConnectorError(ErrorKind.protocol, "服务器收了视频，但没有返回编号", code="media")
    return _video_standing(body, new_id, video.size, now)


def _video_standing(body: Any, new_id: str, size: int, now: datetime) -> Uploading | Uploaded:
    """An address means that it is ready; none that the server still works on it."""
    if isinstance(body, dict) and body.get("url"):
        return Uploaded({"media": new_id}, now + VIDEO_KEPT)
    return Uploading({"media": new_id}, size, now + VIDEO_AGAIN)


def against_size(account: AccountRef, out: Outgoing) -> list[Problem]:
    """Servers refuse films with too many pixels a frame."""
    most, video = int(number(account, "video_pixels", VIDEO_PIXELS, 1, 10**10)), out.video
    if video is None or video.width * video.height <= most:
        return []
    return [Problem("media", f"视频画面 {video.width}×{video.height} 超过服务器上限，请导出为更小的尺寸")]
