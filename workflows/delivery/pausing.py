"""What a pause would hold back, and what the pauses in force hold: for the page that says so before and after."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import col, func, select

from connectors.base import Capability, Granted
from hub import clock
from hub.db import Unit
from hub.models import Account, Delivery, DeliveryState, Pause, User
from workflows.delivery.turning import words_of
from workflows.house import House

S = DeliveryState
SENDING = (Capability.publish, Capability.reply_public, Capability.reply_private)


@dataclass(frozen=True, slots=True)
class Reach:
    """One account and what a pause of it would do now. ``sending``: calls on the wire, which end by themselves."""

    account_id: int
    name: str
    waiting: int
    sending: int
    is_paused: bool


@dataclass(frozen=True, slots=True)
class PauseView:
    """One pause in force. ``to_come``: goes on by itself once it is lifted; ``overdue``: a person decides each."""

    pause: Pause
    account_name: str
    by_name: str
    to_come: int
    overdue: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """What is paused at the moment."""

    everything: bool
    accounts: frozenset[int]

    def covers(self, account_id: int) -> bool:
        """Whether nothing may leave on this account."""
        return self.everything or account_id in self.accounts


async def stopped(unit: Unit) -> Stopped:
    """For pages that offer to send at once: where that would be refused."""
    rows = await unit.rows(select(Pause.account_id).where(col(Pause.lifted_at).is_(None)))
    found = [row[0] for row in rows]
    return Stopped(None in found, frozenset(one for one in found if one is not None))


async def reach(house: House, unit: Unit) -> list[Reach]:
    """Every account by name that something can leave on, with what waits for it."""
    rows = await unit.all(select(Account).where(col(Account.disconnected_at).is_(None)).order_by(col(Account.name)))
    accounts = [(account.id or 0, account.name) for account in rows if _can_send(house, account)]
    on_the_way = col(Delivery.state).in_([S.waiting, S.by_hand, S.sending])
    counted = await unit.rows(
        select(Delivery.account_id, Delivery.state, func.count())
        .where(on_the_way)
        .group_by(col(Delivery.account_id), col(Delivery.state))
    )
    counts = {(row[0], S(row[1])): int(row[2]) for row in counted}
    paused = (await stopped(unit)).accounts
    waiting = {key: counts.get((key, S.waiting), 0) + counts.get((key, S.by_hand), 0) for key, _name in accounts}
    return [Reach(key, name, waiting[key], counts.get((key, S.sending), 0), key in paused) for key, name in accounts]


def _can_send(house: House, account: Account) -> bool:
    """Whether its platform takes anything: no file does, and nobody waits for what cannot leave."""
    connector = house.platforms.get(account.platform)
    grants = connector.capabilities(house.ref(account)) if connector else {}
    return any(grants[one].granted is not Granted.no for one in SENDING if one in grants)


async def in_force(unit: Unit) -> list[PauseView]:
    """The pauses in force, the wider first, with who pressed and what they hold."""
    found = await unit.session.exec(
        select(Pause, Account.name, User.name)
        .join(Account, col(Account.id) == col(Pause.account_id), isouter=True)
        .join(User, col(User.id) == col(Pause.by_id), isouter=True)
        .where(col(Pause.lifted_at).is_(None))
        .order_by(col(Pause.scope).desc(), col(Pause.id))
    )
    return [await _view(unit, pause, account or "", by or "") for pause, account, by in found]


async def _view(unit: Unit, pause: Pause, account: str, by: str) -> PauseView:
    conditions = [col(Delivery.state) == S.held, col(Delivery.held_reason) == words_of(pause)]
    if pause.account_id is not None:
        conditions.append(col(Delivery.account_id) == pause.account_id)
    count = select(func.count()).select_from(Delivery).where(*conditions)
    to_come = await unit.one(count.where(col(Delivery.scheduled_at) > clock.now()))
    return PauseView(pause, account, by, to_come, await unit.one(count) - to_come)
