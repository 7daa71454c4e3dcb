"""Putting something into the outbox: the delivery row and its content identity."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.base import Attachment, Kind, Outgoing, Stage, Video
from hub import clock
from hub.db import Unit
from hub.errors import Refused
from hub.i18n import _
from hub.models import Delivery, DeliveryKind, Department, Message, VideoJourney
from hub.policy.sending import sending

# Who is in charge, among a delivery's extra.
DEPARTMENT, CODE = "department", "department_code"


def text_hash(
    text: str,
    *,
    account_id: int,
    target_id: str = "",
    title: str = "",
    form: str = "",
    attachments: Sequence[Mapping[str, Any]] = (),
    video: Mapping[str, Any] | None = None,
) -> str:
    """Identity of what leaves: this text, title and form, these pictures in this order, this video, from this account,
    under this item. Approval is bound to it. A text alone, and pictures without a video, have the identity they had
    before there was anything else.
    """
    content: list[Any] = [text, account_id, target_id]
    if title or form or attachments or video:
        content += [title, form, picture_marks(attachments)]
    if video:
        content.append(video_mark(video))
    made = json.dumps(content, ensure_ascii=False)
    return hashlib.sha256(made.encode("utf-8", "surrogatepass")).hexdigest()


def picture_marks(pictures: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    """What of each picture is bound: its content, its description, and where its middle is when it is cut."""
    return [[one["sha256"], one.get("description", ""), one.get("focus", "")] for one in pictures]


def video_mark(video: Mapping[str, Any]) -> list[Any]:
    """What of the video is bound: its content and its description."""
    return [video["sha256"], video.get("description", "")]


async def create(
    unit: Unit,
    *,
    kind: DeliveryKind,
    account_id: int,
    text: str,
    approved_hash: str,
    scheduled_at: datetime,
    latest_at: datetime | None = None,
    post_id: int | None = None,
    reply_id: int | None = None,
    case_id: int | None = None,
    target: Message | None = None,
    title: str = "",
    form: str = "",
    attachments: Sequence[Mapping[str, Any]] = (),
    video: Mapping[str, Any] | None = None,
    travels: bool = True,
    in_charge: Department | None = None,
    assignee_id: int | None = None,
    round: int = 1,  # noqa: A002 -- the column's name
) -> Delivery:
    """Stage one delivery that waits for ``scheduled_at`` and ring for it; its id is known on return.

    ``approved_hash`` is :func:`text_hash` of what the reviewer saw; anything else is refused. Posts without
    ``latest_at`` get the office's default lateness; replies may go out at any later time. Not safe to run twice
    for the same reply or the same (post, account, round): the database refuses the second. ``travels``: its video, if
    it has one, is brought to the platform beforehand; False where a person publishes it. ``in_charge``: the department
    whose case it is.
    """
    target_id = target.external_id if target else ""
    content_hash = text_hash(
        text, account_id=account_id, target_id=target_id, title=title, form=form, attachments=attachments, video=video
    )
    if approved_hash != content_hash:
        raise Refused([_("批准的内容与将要发出的内容不一致，请重新送审")])
    if latest_at is None and kind is DeliveryKind.post:
        latest_at = scheduled_at + sending().post_late
    delivery = Delivery(
        kind=kind, account_id=account_id, post_id=post_id, reply_id=reply_id, case_id=case_id, round=round, text=text,
        title=title, form=form, attachments=[dict(one) for one in attachments], assignee_id=assignee_id,
        video=dict(video) if video else None, content_hash=content_hash, approved_hash=approved_hash,
        scheduled_at=scheduled_at, latest_at=latest_at, attempt_at=scheduled_at,
        extra={DEPARTMENT: in_charge.name, CODE: in_charge.code} if in_charge else {},
    )  # fmt: skip
    if target is not None:
        _aim(delivery, target)
    unit.add(delivery)
    await unit.flush()
    if video and travels:
        unit.add(VideoJourney(delivery_id=delivery.id or 0))
        unit.later("upload_videos")
    ring(unit, delivery)
    return delivery


def _aim(delivery: Delivery, target: Message) -> None:
    """What is answered, as the platform knows it."""
    delivery.target_id, delivery.target_kind = target.external_id, target.kind.value
    delivery.target_thread_id, delivery.target_author_id = target.thread_id, target.author_id


def ring(unit: Unit, delivery: Delivery) -> None:
    """Ring at once for what is due; the worker's own timer finds everything later to the second."""
    if delivery.attempt_at is not None and delivery.attempt_at <= clock.now():
        unit.later("send_delivery", str(delivery.id))
    else:
        unit.later("sweep_deliveries")


def send_key(delivery: Delivery) -> str:
    """The identity every attempt of this delivery carries to the platform.

    The same for all attempts, so that a platform that honours keys cannot take it twice even where we err;
    made from the row alone, so that it needs no column and is the same after a crash.
    """
    made = f"{delivery.id}|{delivery.round}|{delivery.created_at.isoformat()}|{delivery.content_hash}"
    return hashlib.sha256(made.encode()).hexdigest()[:32]


def outgoing(
    delivery: Delivery,
    attachments: Sequence[Attachment] = (),
    video: Video | None = None,
    uploaded: Mapping[str, str] | None = None,
) -> Outgoing:
    """The delivery as its connector sees it, the same for every attempt; ``attachments``: its pictures, made ready;
    ``video`` and what names it on the platform, where it has one.
    """
    stage = Stage(delivery.form) if delivery.kind is DeliveryKind.stage else None
    return Outgoing(
        text=delivery.text,
        key=send_key(delivery),
        target_id=delivery.target_id,
        target_kind=Kind(delivery.target_kind) if delivery.target_kind else None,
        thread_id=delivery.target_thread_id,
        target_author_id=delivery.target_author_id,
        title=delivery.title,
        form="" if stage else delivery.form,
        stage=stage,
        at=delivery.created_at,
        department=delivery.extra.get(DEPARTMENT, ""),
        department_code=delivery.extra.get(CODE, ""),
        attachments=tuple(attachments),
        video=video,
        uploaded=uploaded or {},
    )
