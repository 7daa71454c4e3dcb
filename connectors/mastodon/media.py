"""Pictures of statuses: uploaded first, waited for until the server has worked on them, then named in the status.

Nobody sees a picture that no status shows, so whatever goes wrong here leaves the status surely unsent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from connectors.base import AccountRef, Attachment, ConnectorError, ErrorKind, PostForm
from connectors.mastodon.schemas import text_id
from connectors.options import number
from connectors.pictures import harmless, in_time

# What a server takes that does not say so itself.
MOST_PICTURES = 4
PICTURE_BYTES = 8 * 1024 * 1024
DESCRIPTION_LENGTH = 1500
TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")
# Servers answer 202 while they work on a picture; asked again after so many seconds.
WAITS = (0.3, 0.5, 1.0, 1.0, 2.0, 2.0, 2.0)

Call = Callable[..., Awaitable[Any]]


def form_of(account: AccountRef, length: int) -> PostForm:
    """A status as this server takes it, by what ``check`` has learned."""
    most = int(number(account, "max_pictures", MOST_PICTURES, 1, 100))
    size = int(number(account, "picture_bytes", PICTURE_BYTES, 1, 10**9))
    note = f"最多 {most} 张图片，建议都写说明。"
    return PostForm("", "嘟文", length, note, pictures=most, picture_types=TYPES, picture_bytes=size)


def learned(configuration: Any) -> dict[str, Any]:
    """What the server says about pictures, as options of the account."""
    said = configuration if isinstance(configuration, Mapping) else {}
    media, statuses = said.get("media_attachments"), said.get("statuses")
    found = {
        "picture_bytes": media.get("image_size_limit") if isinstance(media, Mapping) else None,
        "description_length": media.get("description_limit") if isinstance(media, Mapping) else None,
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
