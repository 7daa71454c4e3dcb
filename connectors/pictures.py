"""Rules about pictures that are the same for every platform, and what an upload that failed means."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from typing import TypeVar

from connectors.base import Attachment, ConnectorError, Effect, ErrorKind, PostForm, Problem

T = TypeVar("T")
# The engine waits 20 seconds for a whole call and takes what it cuts off for perhaps sent: the rest is for the post.
UPLOAD_SECONDS = 12.0
TOO_SLOW = "图片没有在限定时间内传完，内容没有发出，系统会再试"


def form_named(forms: Sequence[PostForm], name: str) -> PostForm:
    """The form of this name, else the usual one."""
    return next((form for form in forms if form.name == name), forms[0])


def against_pictures(pictures: Sequence[Attachment], form: PostForm) -> list[Problem]:
    """Too many, of a kind the platform does not take, too large; a picture that is only announced has no size yet."""
    problems = []
    if len(pictures) > form.pictures:
        problems.append(Problem("media", f"「{form.label}」最多 {form.pictures} 张图片，现在 {len(pictures)} 张"))
    for place, picture in enumerate(pictures, 1):
        if picture.data and picture.mime not in form.picture_types:
            problems.append(Problem("media", f"第 {place} 张图片的格式（{picture.mime}）平台不接收"))
        if len(picture.data) > form.picture_bytes:
            problems.append(Problem("media", f"第 {place} 张图片超过 {form.picture_bytes // 1024} KB"))
    if form.needs_cover and not pictures:
        problems.append(Problem("media", f"「{form.label}」要有封面图片"))
    return problems


async def in_time(uploads: Iterable[Awaitable[T]], human: str = TOO_SLOW) -> list[T]:
    """What the uploads bring, one after the other; too slow, they are a clear "not sent": no post shows them yet."""
    try:
        async with asyncio.timeout(UPLOAD_SECONDS):
            return [await one for one in uploads]
    except TimeoutError:
        raise ConnectorError(ErrorKind.transient, human, code="uploads") from None


def harmless(error: ConnectorError) -> ConnectorError:
    """The failure of an upload: nobody sees a picture that no post shows, so the post can be tried again."""
    return ConnectorError(error.kind, error.human, code=error.code, effect=Effect.not_done, retry_at=error.retry_at)
