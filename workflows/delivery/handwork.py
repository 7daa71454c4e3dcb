"""Reading what people do by hand: whose it is, how late it is, and everything that is needed to do it on a phone."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col, select

from connectors.base import PostForm
from hub import clock
from hub.db import Unit
from hub.errors import NotFound
from hub.i18n import _
from hub.models import Account, Delivery, DeliveryKind, DeliveryState, Message, Post, Reply, User
from hub.policy.sending import sending
from hub.rights import Actor
from workflows.delivery.byhand import may_do
from workflows.delivery.sight import may_see
from workflows.delivery.states import label
from workflows.house import House
from workflows.pictures import store
from workflows.pictures.fitting import Fit, fitted, form_of
from workflows.pictures.placed import Placed, placed_of
from workflows.pictures.ready import name_of
from workflows.videos.placed import PlacedVideo, placed_video

S = DeliveryState
MOST = 200
COVER_BYTES = 5 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Task:
    """One piece of work. ``late``: it was due longer ago than the office waits before it reminds."""

    delivery: Delivery
    account_name: str
    site: str
    title: str
    hand: str
    state: str
    late: bool

    @property
    def is_open(self) -> bool:
        """Whether it can be done now."""
        return self.delivery.state is S.by_hand


@dataclass(frozen=True, slots=True)
class Pack:
    """A task with everything needed to do it. ``said``: the message that is answered, None for posts.

    ``may``: the person may end it; ``ends``: it can still be ended, also while a pause or its time stands in the way.
    """

    task: Task
    form: PostForm
    pictures: Sequence[Placed]
    said: Message | None
    may: bool
    ends: bool
    video: PlacedVideo | None = None


def is_waiting() -> ColumnElement[bool]:
    """SQL condition: waits for somebody's hand, or is kept from it by a pause or its time."""
    kept = and_(col(Delivery.state).in_([S.held, S.missed]), col(Delivery.assignee_id).is_not(None))
    return or_(col(Delivery.state) == S.by_hand, kept)


def waiting(actor: Actor) -> Any:
    """What waits for this person's hand now, as a select of ids."""
    return select(Delivery.id).where(col(Delivery.state) == S.by_hand, Delivery.assignee_id == actor.user_id)


async def standing(unit: Unit, actor: Actor) -> tuple[int, int]:
    """How many wait for this person's hand, and how many of them are late; counted to 100."""
    late_before = clock.now() - sending().hand_late
    chosen = (
        select(Delivery.scheduled_at)
        .where(col(Delivery.state) == S.by_hand, Delivery.assignee_id == actor.user_id)
        .limit(100)
    )
    due = await unit.all(chosen)
    return len(due), sum(at < late_before for at in due)


async def tasks(house: House, unit: Unit, actor: Actor, *, mine: bool) -> list[Task]:
    """What waits, the longest due first; ``mine``: for this person only."""
    conditions = [is_waiting(), may_see(actor)]
    if mine:
        conditions.append(col(Delivery.assignee_id) == actor.user_id)
    found = await _read(house, unit, conditions, (col(Delivery.scheduled_at), col(Delivery.id)))
    return [task for task in found if task.delivery.steps]


async def done(house: House, unit: Unit, actor: Actor, *, mine: bool, limit: int = 20) -> list[Task]:
    """What was done or given up, the newest first."""
    ended = col(Delivery.state).in_([S.sent, S.failed, S.removed, S.cancelled])
    conditions = [ended, col(Delivery.assignee_id).is_not(None), may_see(actor)]
    if mine:
        conditions.append(col(Delivery.assignee_id) == actor.user_id)
    found = await _read(house, unit, conditions, (col(Delivery.id).desc(),), limit)
    return [task for task in found if task.delivery.steps]


async def pack(house: House, unit: Unit, actor: Actor, delivery_id: int) -> Pack:
    """Everything about one; NotFound when it is nobody's handwork or the person may not see it."""
    wanted = [col(Delivery.id) == delivery_id, may_see(actor)]
    found = await _read(house, unit, wanted, (col(Delivery.id),))
    if not found or not found[0].delivery.steps:
        raise NotFound(_("没有这项人工发布任务，或您无权查看"))
    (task,) = found
    delivery = task.delivery
    account = await unit.get(Account, delivery.account_id)
    assert account is not None
    form = form_of(house.connector(account).post_forms(house.ref(account)), delivery.form)
    ends = delivery.state in (S.by_hand, S.held, S.missed)
    return Pack(
        task, form, placed_of(delivery.attachments), await _answered(unit, delivery), may_do(delivery, actor), ends,
        placed_video(delivery.video),
    )  # fmt: skip


async def _answered(unit: Unit, delivery: Delivery) -> Message | None:
    if delivery.kind is not DeliveryKind.reply:
        return None
    reply = await unit.get(Reply, delivery.reply_id)
    return await unit.get(Message, reply.message_id) if reply else None


async def _read(
    house: House, unit: Unit, conditions: Sequence[ColumnElement[bool]], order: Sequence[Any], limit: int = MOST
) -> list[Task]:
    rows = await unit.session.exec(
        select(Delivery, Account, Post, User)
        .join(Account, col(Account.id) == col(Delivery.account_id))
        .join(Post, col(Post.id) == col(Delivery.post_id), isouter=True)
        .join(User, col(User.id) == col(Delivery.assignee_id), isouter=True)
        .where(*conditions)
        .order_by(*order)
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    now = clock.now()
    return [_task(house, *row, now) for row in rows]


def _task(
    house: House, delivery: Delivery, account: Account, post: Post | None, hand: User | None, now: datetime
) -> Task:
    connector = house.platforms.get(account.platform)
    site = connector.post_forms(house.ref(account))[0].label if connector else account.platform
    late = delivery.state is S.by_hand and now - delivery.scheduled_at > sending().hand_late
    title = post.title if post else _("回复群众")
    return Task(delivery, account.name, site, title, hand.name if hand else "", label(delivery.state), late)


async def cover(unit: Unit, picture: Placed, size: tuple[int, int], focus: str) -> bytes:
    """The picture cut to one size, a JPEG."""
    data = await store.load(unit, picture.id)
    fit = Fit(("image/jpeg",), COVER_BYTES, size, focus or picture.focus)
    return (await asyncio.to_thread(fitted, data, picture.mime, fit)).data


async def zipped(unit: Unit, whole: Pack, focus: str = "") -> bytes:
    """Title and text as a file, every picture, and the cover in every size, as one archive. ``focus``: where the
    covers are cut; empty: as the picture says."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        delivery = whole.task.delivery
        text = f"{delivery.title}\n\n{delivery.text}" if delivery.title else delivery.text
        # The mark at the beginning lets every editor read Chinese as it is.
        archive.writestr("text.txt", "\ufeff" + text.replace("\n", "\r\n"))
        for place, picture in enumerate(whole.pictures):
            archive.writestr(f"pictures/{name_of(place, picture.mime)}", await store.load(unit, picture.id))
        for _name, width, height in whole.form.covers if whole.pictures else ():
            cut = await cover(unit, whole.pictures[0], (width, height), focus)
            archive.writestr(f"covers/{width}x{height}.jpg", cut)
    return out.getvalue()
