"""A video on its way to the pretend platform: begun, piece by piece, put together; one call each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.base import AccountRef, ConnectorError, ErrorKind, Outgoing, Uploaded, Uploading
from connectors.options import DAY, number
from connectors.videos import Multipart, count, piece

Call = Callable[..., Awaitable[Any]]


async def step(
    call: Call, account: AccountRef, out: Outgoing, state: Mapping[str, str], now: datetime
) -> Uploading | Uploaded:
    """The next step after ``state``."""
    video = out.video
    if video is None:
        raise ConnectorError(ErrorKind.bug, "这篇稿件没有视频", code="no video")
    upload_id, most, place = state.get("upload_id", ""), int(state.get("piece", 0)) or 1, int(state.get("next", 0))
    if not upload_id:
        form = {"name": video.name, "size": str(video.size), "sha256": video.sha256, "description": video.description}
        body = await call(account, "POST", "/2/videos/begin.json", form=form)
        return Uploading({"upload_id": _named(body, "upload_id"), "piece": _named(body, "piece_size"), "next": "0"})
    if place < count(video, most):
        sent = Multipart("pic", piece(video, place, most), form={"upload_id": upload_id, "number": str(place)})
        await call(account, "POST", "/2/videos/piece.json", body=sent)
        return Uploading({**state, "next": str(place + 1)}, min(video.size, (place + 1) * most))
    body = await call(account, "POST", "/2/videos/finish.json", form={"upload_id": upload_id})
    kept = number(account, "video_kept", 0, 0, DAY)
    return Uploaded({"video_id": _named(body, "video_id")}, now + timedelta(seconds=kept) if kept else None)


def _named(body: Any, name: str) -> str:
    """What the answer names; nothing there is no answer."""
    if not (value := body.get(name) if isinstance(body, dict) else None):
        raise ConnectorError(ErrorKind.protocol, "平台返回的内容不完整，请稍后再试", code=name)
    return str(value)
