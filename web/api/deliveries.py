"""Deliveries: what leaves the house, its attempts, and what a person decides where the hub cannot tell."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.i18n import N_
from hub.models import AttemptResult, DeliveryKind, DeliveryState
from hub.rights import May
from web.api.messages import CASES
from web.api.operation import Call, mark_of, next_of, operation
from web.api.schema import Answer, Body, Id, Moment, Note, Page, PageQuery, When
from workflows.delivery import lists, service

READS = (May.read_posts, May.write_post, *CASES)


class DeliveriesQuery(PageQuery):
    """Which part of the list."""

    group: lists.Group = Field(default=lists.Group.all, description=N_("attention 需要人决定的，moving 还在路上的等。"))
    account_id: Id | None = None


class DeliveryItem(Answer):
    """One text to one account."""

    id: int
    kind: DeliveryKind
    state: DeliveryState
    state_label: str
    account_id: int
    account: str
    platform: str
    title: str
    post_id: int | None
    reply_id: int | None
    case_id: int | None
    scheduled_at: Moment
    latest_at: Moment | None
    attempt_at: Moment | None = Field(description=N_("下一次动作的时间；null 表示不会自动再做什么。"))
    attempts: int
    sent_at: Moment | None
    settled_at: Moment | None
    remote_id: str = Field(description=N_("平台上的编号，文字。"))
    remote_url: str
    error_kind: str
    why: str = Field(description=N_("发生了什么。"))
    next_step: str = Field(description=N_("现在该做什么。"))
    may: list[str] = Field(description=N_("这个人现在可以做的操作。"))


class DeliveryPage(Page[DeliveryItem]):
    """Deliveries, the newest first."""


class AttemptItem(Answer):
    """One try."""

    number: int
    started_at: Moment
    ended_at: Moment | None
    result: AttemptResult
    error_kind: str
    error: str
    by_id: int | None = Field(description=N_("动手处理的人。"))


class DeliveryOne(Answer):
    """A delivery with every attempt, oldest first."""

    delivery: DeliveryItem
    text: str
    content_hash: str
    attempts: list[AttemptItem]


class SettleBody(Body):
    """A person looked at the platform."""

    was_sent: bool = Field(description=N_("平台上有（true）还是没有（false）。"))
    remote_id: str = Field(default="", max_length=2000, description=N_("平台上的编号或网址，知道就写。"))
    reason: Note


class ReasonBody(Body):
    """Why."""

    reason: Note


class NewTimeBody(Body):
    """The new time."""

    scheduled_at: When


@operation("GET", "/deliveries", N_("发送记录，新的在前"), scope="deliveries:read", needs=READS)
async def list_deliveries(call: Call[DeliveriesQuery, None]) -> DeliveryPage:
    """Deliveries of posts and cases the person may see."""
    query = call.query
    page = await lists.page(
        call.unit, call.actor, query.group, account_id=query.account_id, before=int(mark_of(call) or 0) or None,
        limit=query.limit,
    )  # fmt: skip
    return DeliveryPage(items=[_item(view) for view in page.views], next=next_of(call, page.older))


@operation(
    "GET", "/deliveries/{delivery_id:int}", N_("一次发送，连同每次尝试"), scope="deliveries:read", needs=READS
)  # fmt: skip
async def get_delivery(call: Call[None, None]) -> DeliveryOne:
    """One delivery."""
    return await _shown(call)


@operation(
    "POST", "/deliveries/{delivery_id:int}/settle", N_("人工核实：发出了没有"), scope="deliveries:write",
    needs=May.settle_delivery,
)  # fmt: skip
async def settle_delivery(call: Call[None, SettleBody]) -> DeliveryOne:
    """Say what stands on the platform, for unknown outcomes only."""
    body = call.body
    await service.settle_by_hand(call.unit, call.actor, _id(call), body.was_sent, body.remote_id, body.reason)
    return await _shown(call)


@operation(
    "POST", "/deliveries/{delivery_id:int}/retry", N_("重试失败的发送"), scope="deliveries:write",
    needs=May.settle_delivery,
)  # fmt: skip
async def retry_delivery(call: Call[None, None]) -> DeliveryOne:
    """Try a failed one again."""
    await service.retry(call.unit, call.actor, _id(call))
    return await _shown(call)


@operation(
    "POST", "/deliveries/{delivery_id:int}/cancel", N_("作废一次发送"), scope="deliveries:write",
    needs=May.settle_delivery,
)  # fmt: skip
async def cancel_delivery(call: Call[None, ReasonBody]) -> DeliveryOne:
    """Give one up; refused when it may be on the platform."""
    await service.cancel(call.unit, call.actor, _id(call), call.body.reason)
    return await _shown(call)


@operation(
    "POST", "/deliveries/{delivery_id:int}/send-now", N_("立即发送"), scope="deliveries:write",
    needs=May.settle_delivery,
)  # fmt: skip
async def send_delivery_now(call: Call[None, None]) -> DeliveryOne:
    """It goes out now: after a pause, when it was missed, or before its time."""
    await service.send_now(call.unit, call.actor, _id(call))
    return await _shown(call)


@operation(
    "POST", "/deliveries/{delivery_id:int}/reschedule", N_("给一次发送改期"), scope="deliveries:write",
    needs=May.settle_delivery,
)  # fmt: skip
async def reschedule_delivery(call: Call[None, NewTimeBody]) -> DeliveryOne:
    """Another time for this one, without touching the rest of the post."""
    await service.reschedule(call.unit, call.actor, _id(call), call.body.scheduled_at)
    return await _shown(call)


def _id(call: Call[Any, Any]) -> int:
    number: int = call.places["delivery_id"]
    return number


def _item(view: lists.DeliveryView) -> DeliveryItem:
    said = {"state_label": view.state, "account": view.account_name, "platform": view.platform, "title": view.title}
    said |= {"why": view.why, "next_step": view.next_step}
    return DeliveryItem.model_validate({**view.delivery.model_dump(), **said, "may": list(view.may)})


async def _shown(call: Call[Any, Any]) -> DeliveryOne:
    found = await lists.detail(call.unit, call.actor, _id(call))
    row = found.view.delivery
    return DeliveryOne(
        delivery=_item(found.view), text=row.text, content_hash=row.content_hash,
        attempts=[AttemptItem.model_validate(one) for one in found.attempts],
    )  # fmt: skip


OPERATIONS = (
    list_deliveries, get_delivery, settle_delivery, retry_delivery, cancel_delivery, send_delivery_now,
    reschedule_delivery,
)  # fmt: skip
