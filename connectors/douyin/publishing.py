"""Posts on Douyin: picture posts and videos by program where the app may; everything else by a person, by steps.

After developer.open-douyin.com › 内容能力 › 创建图文 (scope video.create.bind): POST
``/api/douyin/v1/video/upload_image/`` (field ``image``) for each picture, then
``/api/douyin/v1/video/create_image_text/`` {image_list, text} → item_id, video_id. The text is at most 1000 characters.
A post is under review first, seen by its author only. Videos: :mod:`connectors.douyin.videos`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from connectors.base import (
    AccountRef,
    ByHand,
    ConnectorError,
    Done,
    Effect,
    ErrorKind,
    Outcome,
    Outgoing,
    Pending,
    PostForm,
)
from connectors.douyin import videos, works
from connectors.douyin.schemas import text_of
from connectors.douyin.wire import Wire, incomplete
from connectors.failures import unsettled
from connectors.manual.client import ManualConnector
from connectors.options import is_on
from connectors.pictures import form_named, in_time

CREATE = "/api/douyin/v1/video/create_image_text/"
LENGTH = 1000
# The app takes as many; the page of the interface names no number.
MOST_PICTURES = 35
PICTURE_BYTES = 10 * 1024 * 1024
ASK_AGAIN = timedelta(minutes=3)
PICTURES = PostForm(
    "pictures", "图文", LENGTH, "由系统发布；抖音审核通过前只有自己看得到。至少一张图片。", pictures=MOST_PICTURES,
    picture_types=("image/jpeg", "image/png"), picture_bytes=PICTURE_BYTES, needs_cover=True,
)  # fmt: skip
NO_PICTURES = "抖音审核认为这条图文不适宜公开，请修改后再提交"
NO_VIDEO = "抖音审核认为这条视频不适宜公开，请修改后再提交"
BY_HAND = "by_hand"
_STEPS = ManualConnector()


def by_hand(account: AccountRef) -> AccountRef:
    """The account as the channel through people's hands sees it."""
    return replace(account, options={"site": "douyin"})


def forms(account: AccountRef) -> tuple[PostForm, ...]:
    """A picture post and a video where the app may publish; always: by a person."""
    (hand,) = _STEPS.post_forms(by_hand(account))
    hand = replace(hand, name=BY_HAND, label="视频等（人工发布）", note="到点后由专人在抖音上发布，再把链接贴回来。")
    return (PICTURES, videos.FORM, hand) if is_on(account, "publish") else (hand,)


async def publish(wire: Wire, account: AccountRef, out: Outgoing) -> Outcome:
    """A picture post or a video, pending until it is reviewed; or the steps for a person."""
    name = form_named(forms(account), out.form).name
    if name == BY_HAND:
        return await steps(account, out)
    is_video = name == videos.FORM.name
    data = await videos.create(wire, account, out) if is_video else await _create(wire, account, out)
    item, video = text_of(data.get("item_id")), text_of(data.get("video_id"))
    if not item:
        raise incomplete("item_id", Effect.unknown)
    extra = {"video_id": video} if video else {}
    # Without the right to look at works nobody can ask how the review ended.
    if not is_on(account, "works"):
        url = _address(video, is_pictures=not is_video)
        return Done(item, url, wire.now, extra)
    return Pending(item, wire.now + ASK_AGAIN, extra)


async def _create(wire: Wire, account: AccountRef, out: Outgoing) -> Mapping[str, Any]:
    pictures = await in_time(videos.cover(wire, account, one) for one in out.attachments)
    return await wire.post(account, CREATE, {"image_list": pictures, "text": out.text})


async def steps(account: AccountRef, out: Outgoing) -> ByHand:
    """What a person does to publish it."""
    told = await _STEPS.publish(by_hand(account), out)
    assert isinstance(told, ByHand)
    return told


async def poll(wire: Wire, account: AccountRef, job: str) -> Outcome:
    """How the review ended."""
    try:
        found = (await works.named(wire, account, [job])).get(job)
    except ConnectorError as error:
        raise unsettled(error) from None
    # Not shown yet is not gone: it is looked for again until the office's patience ends.
    if found is None:
        return Pending(job, wire.now + ASK_AGAIN)
    if found.status == works.REFUSED:
        human = NO_PICTURES if found.is_pictures else NO_VIDEO
        raise ConnectorError(ErrorKind.content_rejected, human, code="video_status 2")
    if found.status in works.STANDING:
        return Done(found.item_id, address(found))
    return Pending(job, wire.now + ASK_AGAIN)


def address(work: works.Work) -> str:
    """Where people see it: as the platform says, else by its number."""
    return work.url or _address(work.video_id, is_pictures=work.is_pictures)


def _address(video: str, *, is_pictures: bool) -> str:
    return f"https://www.douyin.com/{'note' if is_pictures else 'video'}/{video}" if works.is_number(video) else ""
