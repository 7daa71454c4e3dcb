"""How the published posts do, as pages and programs show it: the newest figures, their growth, and why there are none.

Where a platform tells a program nothing, whoever may publish there by hand types what its page says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from connectors.base import Capability, Grant, Granted
from hub import audit, clock
from hub.db import Unit
from hub.errors import Invalid, NotAllowed, NotFound, Refused
from hub.feed import tell
from hub.i18n import _, moment, said
from hub.models import Account, CircuitState, Delivery, DeliveryState, FigureReading, FigureRound, Post
from hub.rights import Actor
from workflows.delivery.byhand import may_do
from workflows.delivery.measuring import NAMES
from workflows.delivery.sight import may_see
from workflows.delivery.states import label
from workflows.house import House
from workflows.metering import BUDGET

S = DeliveryState
LARGEST = 10**12


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: the newest that was told, and by how much it differs from the one before; None: not told."""

    name: str
    value: int | None
    growth: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How one delivery does. ``read_at``: when the newest figures were told, ``before``: when those they are compared
    with; ``readings``: all that told something, oldest first. ``note``: what is to be said of it in words;
    ``is_error``: that reading failed. ``is_told``: the platform tells a program; ``may_type``: the reader types them.
    """

    delivery_id: int
    account_id: int
    account_name: str
    figures: tuple[Figure, ...]
    read_at: datetime | None
    by_name: str
    before: datetime | None
    readings: Sequence[FigureReading]
    note: str
    is_error: bool
    is_told: bool
    may_type: bool

    @property
    def known(self) -> Mapping[str, int | None]:
        """The newest figures by name."""
        return {one.name: one.value for one in self.figures}


async def of_post(house: House, unit: Unit, actor: Actor, post_id: int) -> list[Standing]:
    """Of every account a post stands or stood on, in the order of accounts. Rights as for the post."""
    rows: Any = (
        select(Delivery, Account, FigureRound)
        .join(Account, col(Account.id) == col(Delivery.account_id))
        .join(FigureRound, col(FigureRound.account_id) == col(Account.id), isouter=True)
        .where(Delivery.post_id == post_id, col(Delivery.state).in_([S.sent, S.removed]), may_see(actor))
        .order_by(col(Delivery.account_id), col(Delivery.id))
    )
    found = (await unit.session.exec(rows)).all()
    told = select(FigureReading).where(col(FigureReading.delivery_id).in_([row[0].id for row in found]))
    readings: dict[int, list[FigureReading]] = {}
    for one in await unit.all(told.order_by(col(FigureReading.read_at), col(FigureReading.id))):
        readings.setdefault(one.delivery_id, []).append(one)
    return [
        _standing(delivery, account, turn, _grant(house, account), readings.get(delivery.id or 0, []), actor)
        for delivery, account, turn in found
    ]


def _standing(
    delivery: Delivery,
    account: Account,
    turn: FigureRound | None,
    grant: Grant,
    readings: Sequence[FigureReading],
    actor: Actor,
) -> Standing:
    told = [one for one in readings if tells(one)]
    newest, before = told[-1] if told else None, told[-2] if len(told) > 1 else None
    note, is_error = _note(delivery, account, turn, grant, readings)
    return Standing(
        delivery_id=delivery.id or 0,
        account_id=account.id or 0,
        account_name=account.name,
        figures=tuple(_figure(name, newest, before) for name in NAMES),
        read_at=newest.read_at if newest else None,
        by_name=newest.by_name if newest else "",
        before=before.read_at if before else None,
        readings=told,
        note=note,
        is_error=is_error,
        is_told=grant.granted is Granted.yes,
        may_type=_is_typed(delivery, grant) and delivery.state is S.sent and may_do(delivery, actor),
    )


def tells(one: FigureReading) -> bool:
    """Whether anything was told at all."""
    return any(getattr(one, name) is not None for name in NAMES)


def _figure(name: str, newest: FigureReading | None, before: FigureReading | None) -> Figure:
    value, earlier = getattr(newest, name, None), getattr(before, name, None)
    return Figure(name, value, None if value is None or earlier is None else value - earlier)


def _grant(house: House, account: Account) -> Grant:
    connector = house.platforms.get(account.platform)
    if connector is None:
        return Grant(Granted.no)
    return connector.capabilities(house.ref(account))[Capability.metrics]


def _is_typed(delivery: Delivery, grant: Grant) -> bool:
    """Whether a person tells how it does: a person published it, and no program is told."""
    return bool(delivery.steps) and grant.granted is not Granted.yes


def _note(
    delivery: Delivery, account: Account, turn: FigureRound | None, grant: Grant, readings: Sequence[FigureReading]
) -> tuple[str, bool]:
    """What is to be said beside the figures, and whether it is that reading failed."""
    if delivery.state is S.removed:
        return _("平台上已找不到这一条，不再读取。"), False
    if _is_typed(delivery, grant):
        return _("平台没有接口，请按平台上显示的填写。"), False
    if grant.granted is Granted.no:
        return said(grant.reason), False
    if grant.granted is Granted.needs:
        return _("还不能读取：%(why)s", why=said(grant.reason)), False
    if not delivery.remote_id:
        return _("不知道它在平台上的编号，不能读取。"), False
    return _of_reading(delivery, account, turn, readings)


def _of_reading(
    delivery: Delivery, account: Account, turn: FigureRound | None, readings: Sequence[FigureReading]
) -> tuple[str, bool]:
    now = clock.now()
    is_due = delivery.figures_at is not None and delivery.figures_at <= now
    if is_due and (not account.is_active or account.disconnected_at is not None):
        return _("账号已停用或断开，恢复以后接着读取。"), False
    if is_due and account.circuit is not CircuitState.closed:
        return _("账号已自动停用，恢复以后接着读取：%(why)s", why=said(account.circuit_reason)), True
    if is_due and turn is not None and turn.error:
        words, again = said(turn.error).rstrip("。."), moment(max(turn.due_at, now))
        if turn.error_kind == BUDGET:
            return words, False
        return _("读取失败：%(why)s。%(at)s 以后再试。", why=words, at=again), True
    if readings and not tells(readings[-1]):
        at = moment(readings[-1].read_at)
        return _("%(at)s 读取时，平台没有给出这一条的数据：可能还没有统计，也可能已删除。", at=at), False
    if not readings and delivery.figures_at is not None:
        return _("%(at)s 起第一次读取。", at=moment(max(delivery.figures_at, now))), False
    return "", False


async def type_in(
    house: House, unit: Unit, actor: Actor, post_id: int, delivery_id: int, given: Mapping[str, int | None]
) -> FigureReading:
    """Keep what a person read on the platform; what is left out is not told.

    :class:`Invalid` where nothing is given or no such number can be; refused where the hub reads it itself.
    """
    delivery, account = await _found(unit, actor, post_id, delivery_id)
    if not _is_typed(delivery, _grant(house, account)):
        raise Refused([_("这个账号的数据由系统读取，不用填写")])
    if delivery.state is not S.sent:
        raise Refused([_("状态为「%(state)s」的不能填写数据", state=label(delivery.state))])
    if not may_do(delivery, actor):
        raise NotAllowed(_("这一条由别人负责，您没有填写数据的权限"))
    figures = {name: given.get(name) for name in NAMES}
    if all(value is None for value in figures.values()):
        raise Invalid({"reads": _("请至少填写一项。")})
    if wrong := [name for name, value in figures.items() if value is not None and not 0 <= value <= LARGEST]:
        raise Invalid({name: _("请填写 0 到 1 万亿之间的数字。") for name in wrong})
    kept = FigureReading(delivery_id=delivery_id, by_id=actor.user_id, by_name=actor.name)
    kept.sqlmodel_update(figures)
    unit.add(kept)
    await audit.record(unit, actor, "delivery.figures", f"delivery:{delivery_id}", **figures)
    post = await unit.get(Post, post_id)
    tell(unit, "posts", post_id, post.department_id if post else None)
    return kept


async def _found(unit: Unit, actor: Actor, post_id: int, delivery_id: int) -> tuple[Delivery, Account]:
    mine = (Delivery.id == delivery_id, Delivery.post_id == post_id, may_see(actor))
    delivery = await unit.first(select(Delivery).where(*mine))
    if delivery is None:
        raise NotFound(_("没有这次发送，或您无权查看"))
    account = await unit.get(Account, delivery.account_id)
    assert account is not None
    return delivery, account
