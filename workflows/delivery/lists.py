"""Reading deliveries: what needs a person, one with its attempts, and the figures for the status page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, true
from sqlmodel import col, func, select

from hub import clock
from hub.db import Unit
from hub.errors import NotFound
from hub.i18n import _
from hub.models import Account, Attempt, Delivery, DeliveryKind, DeliveryState, Post, User, VideoJourney
from hub.rights import Actor, May
from workflows.cases.words import stage_label
from workflows.delivery.progress import Progress, progress
from workflows.delivery.sight import may_see
from workflows.delivery.states import NEEDS_PERSON, STOPPABLE, label, next_step

S = DeliveryState


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """One delivery for a list. ``why`` says what happened, ``next_step`` what to do; ``may``: the moves on offer.

    Moves: by_hand (see :mod:`workflows.delivery.handwork`); send_now, reschedule, retry, cancel, settle_by_hand
    (functions of the delivery service). ``progress``: how far its video is on its way to the platform.
    """

    delivery: Delivery
    account_name: str
    platform: str
    account_url: str
    title: str
    state: str
    why: str
    next_step: str
    may: tuple[str, ...]
    progress: Progress | None = None


class Group(StrEnum):
    """Parts of the list. attention: a person decides; moving: still to leave or being read back; sent: left."""

    attention = "attention"
    failed = "failed"
    unknown = "unknown"
    missed = "missed"
    held = "held"
    by_hand = "by_hand"
    removed = "removed"
    moving = "moving"
    sent = "sent"
    all = "all"


@dataclass(frozen=True, slots=True)
class Page:
    """One page. ``older``: the id to ask for the next one with (None: this is the end)."""

    views: list[DeliveryView]
    older: int | None


@dataclass(frozen=True, slots=True)
class DeliveryDetail:
    """One delivery with every attempt, oldest first. ``hands``: names of the people who had a hand in one, by id."""

    view: DeliveryView
    attempts: Sequence[Attempt]
    hands: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Figures:
    """For metrics and the status page. ``oldest_due_at``: the longest waiting row that should have left."""

    by_state: Mapping[str, int]
    parked: int
    oldest_due_at: datetime | None


async def needing_person(unit: Unit, actor: Actor, limit: int = 100, before: int | None = None) -> list[DeliveryView]:
    """Failed, missed, held, and what nobody could tell; newest first, ``before``: the last id of the page before."""
    return (await page(unit, actor, Group.attention, before=before, limit=limit)).views


async def page(
    unit: Unit,
    actor: Actor,
    group: Group,
    *,
    account_id: int | None = None,
    before: int | None = None,
    limit: int = 40,
) -> Page:
    """One group, newest first, with ids below ``before``; ``account_id``: the receipts of one account."""
    conditions = [_of_group(group)]
    if account_id is not None:
        conditions.append(col(Delivery.account_id) == account_id)
    if before is not None:
        conditions.append(col(Delivery.id) < before)
    found = await _views(unit, actor, conditions, limit + 1)
    return Page(found[:limit], found[limit - 1].delivery.id if len(found) > limit else None)


def _of_group(group: Group) -> ColumnElement[bool]:
    if group is Group.all:
        return true()
    if group is Group.attention:
        return needs_person()
    if group is Group.unknown:
        return _is_parked()
    if group is Group.moving:
        on_the_way = col(Delivery.state).in_([S.waiting, S.sending])
        return or_(on_the_way, and_(col(Delivery.state) == S.unknown, ~_is_parked()))
    if group is Group.sent:
        return col(Delivery.state).in_([S.sent, S.removed])
    return col(Delivery.state) == S(group.value)


async def counts(unit: Unit, actor: Actor) -> dict[Group, int]:
    """How many of each kind wait for a person, counted to 1,000 together."""
    chosen = select(Delivery.state).where(may_see(actor), needs_person()).limit(1000).subquery()
    rows = await unit.rows(select(chosen.c.state, func.count()).group_by(chosen.c.state))
    found = {Group(S(row[0]).value): int(row[1]) for row in rows}
    return found | {Group.attention: sum(found.values())}


async def held(unit: Unit, actor: Actor, limit: int = 500) -> list[DeliveryView]:
    """What a pause held back, to be decided one by one: send now, reschedule or cancel."""
    return await _views(unit, actor, [col(Delivery.state) == S.held], limit)


async def of_post(unit: Unit, actor: Actor, post_id: int) -> list[DeliveryView]:
    """Every delivery a post ever had, newest first."""
    return await _views(unit, actor, [col(Delivery.post_id) == post_id], 500)


async def of_case(unit: Unit, actor: Actor, case_id: int) -> list[DeliveryView]:
    """Every answer of a case that left or was to leave, newest first."""
    return await _views(unit, actor, [col(Delivery.case_id) == case_id], 500)


async def detail(unit: Unit, actor: Actor, delivery_id: int) -> DeliveryDetail:
    """One delivery; NotFound when the person may not see it."""
    found = await _views(unit, actor, [col(Delivery.id) == delivery_id], 1)
    if not found:
        raise NotFound(_("没有这次发送，或您无权查看"))
    attempts = await unit.all(select(Attempt).where(Attempt.delivery_id == delivery_id).order_by(col(Attempt.number)))
    people = {attempt.by_id for attempt in attempts if attempt.by_id}
    rows = await unit.rows(select(User.id, User.name).where(col(User.id).in_(people))) if people else []
    return DeliveryDetail(found[0], attempts, {row[0]: row[1] for row in rows})


async def figures(unit: Unit) -> Figures:
    """Counts by state and the age of what should have left; no actor: for the hub itself and its administrators."""
    by_state = select(Delivery.state, func.count()).group_by(col(Delivery.state))
    counts = {row[0].value: row[1] for row in await unit.rows(by_state)}
    parked = await unit.one(select(func.count()).where(Delivery.state == S.unknown, col(Delivery.held_reason) != ""))
    oldest = await unit.one(
        select(func.min(Delivery.attempt_at)).where(
            Delivery.state == S.waiting, col(Delivery.attempt_at) <= clock.now()
        )
    )
    return Figures({state.value: counts.get(state.value, 0) for state in S}, parked, oldest)


async def count_needing_person(unit: Unit, actor: Actor) -> int:
    """For the mark beside the menu entry; counts to 100, nobody needs to know more."""
    chosen = waiting(actor).limit(100).subquery()
    return await unit.one(select(func.count()).select_from(chosen))


def waiting(actor: Actor) -> Any:
    """What waits for a decision of this person, as a select of ids."""
    return select(Delivery.id).where(may_see(actor), needs_person())


def needs_person() -> ColumnElement[bool]:
    """SQL condition: a person decides what comes next."""
    return or_(col(Delivery.state).in_(NEEDS_PERSON), _is_parked(), is_gone_unseen())


def is_gone_unseen() -> ColumnElement[bool]:
    """SQL condition: it was taken down on its platform, and nobody has said what was done about it."""
    return and_(col(Delivery.state) == S.removed, col(Delivery.held_reason) == "")


def _is_parked() -> ColumnElement[bool]:
    return and_(col(Delivery.state) == S.unknown, col(Delivery.held_reason) != "")


def moves_of(delivery: Delivery, actor: Actor) -> tuple[str, ...]:
    """What this person may do with it now."""
    if not actor.can(May.settle_delivery):
        return ()
    if delivery.state is S.unknown:
        return ("settle_by_hand",)
    if delivery.state is S.removed:
        return () if delivery.held_reason else ("seen",)
    if delivery.state is S.failed:
        return ("retry", "reschedule", "cancel")
    if delivery.state is S.by_hand:
        return ("by_hand", "reschedule", "cancel")
    return ("send_now", "reschedule", "cancel") if delivery.state in STOPPABLE else ()


async def _views(unit: Unit, actor: Actor, conditions: Sequence[ColumnElement[bool]], limit: int) -> list[DeliveryView]:
    rows = await unit.session.exec(
        select(Delivery, Account, Post, VideoJourney)
        .join(Account, col(Account.id) == col(Delivery.account_id))
        .join(Post, col(Post.id) == col(Delivery.post_id), isouter=True)
        .join(VideoJourney, col(VideoJourney.delivery_id) == col(Delivery.id), isouter=True)
        .where(may_see(actor), *conditions)
        .order_by(col(Delivery.id).desc())
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    return [_view(*row, actor) for row in rows]


def _view(
    delivery: Delivery, account: Account, post: Post | None, journey: VideoJourney | None, actor: Actor
) -> DeliveryView:
    return DeliveryView(
        delivery=delivery,
        account_name=account.name,
        platform=account.platform,
        account_url=account.base_url if account.base_url.startswith(("https://", "http://")) else "",
        title=_title(delivery, post),
        state=label(delivery.state),
        why=delivery.held_reason or delivery.error,
        next_step=_advice(delivery),
        may=moves_of(delivery, actor),
        progress=progress(delivery, journey),
    )


def _title(delivery: Delivery, post: Post | None) -> str:
    if delivery.kind is DeliveryKind.stage:
        return _("工单进度：%(name)s", name=stage_label(delivery.form))
    return post.title if post else _("回复群众")


def _advice(delivery: Delivery) -> str:
    if delivery.state is S.missed:
        return _("请决定：立即发布、改期或作废。")
    if delivery.state is S.held:
        return _("解除暂停后，请逐条决定：立即发布、改期或作废。")
    if delivery.state is S.unknown and delivery.held_reason:
        return _("请到平台上看一眼，然后点「已发出」或「没有发出」。")
    if delivery.state is S.unknown:
        return _(
            "还不知道平台收没收到。系统正在核对账号已发的内容，找到就记为已发出；核对不了会请人决定，不会盲目重发。"
        )
    if delivery.state is S.by_hand:
        return _("负责人照步骤在平台上发布，再把链接贴回来。")
    if delivery.state is S.removed and not delivery.held_reason:
        return _("请登录平台查明原因。内容有误的，更正后另写一篇；被误删的，向平台申诉。处理后在这里记一笔。")
    if delivery.state in (S.failed, S.waiting):
        return next_step(delivery.error_kind)
    return ""
