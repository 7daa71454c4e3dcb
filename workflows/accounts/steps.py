"""What an administrator does to a connected account: switch off, read now, set its budgets, disconnect."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete, update
from sqlmodel import col, func, select

from connectors.base import Capability, Granted
from hub import audit, clock
from hub.db import Unit
from hub.errors import Invalid, Refused
from hub.feed import tell
from hub.i18n import _
from hub.models import Account, Authorisation, Case, CircuitState, Delivery, DeliveryState, Stream
from hub.rights import Actor
from workflows import circuits
from workflows.accounts.detail import get, held
from workflows.accounts.joining import allow
from workflows.cases.facts import IS_OPEN
from workflows.house import House
from workflows.metering import OVERRIDES

# Deliveries in these states may still go out or be asked about: their account must stay.
UNSETTLED = (
    DeliveryState.waiting, DeliveryState.sending, DeliveryState.unknown, DeliveryState.held, DeliveryState.by_hand,
)  # fmt: skip
ANSWERS = (Capability.reply_public, Capability.reply_private)
MOST_CALLS = 100_000_000


async def set_active(unit: Unit, actor: Actor, account_id: int, active: bool) -> Account:
    """Begin or stop reading from an account and publishing on it.

    Answers to what was read go on: pausing is what holds those back.
    """
    allow(actor)
    account = await held(unit, account_id)
    if active and account.disconnected_at is not None:
        raise Refused([_("账号已断开，凭据已销毁。要再用，请重新填写凭据。")])
    if active:
        await unit.run(update(Stream).where(col(Stream.account_id) == account_id).values(due_at=clock.now()))
    account.is_active = active
    account.version += 1
    unit.add(account)
    await audit.record(unit, actor, "account.activate" if active else "account.deactivate", f"account/{account_id}")
    tell(unit, "accounts", account_id)
    return account


async def read_now(unit: Unit, actor: Actor, account_id: int) -> None:
    """Have every stream of the account read at once, failed ones too. Safe to repeat."""
    allow(actor)
    account = await get(unit, account_id)
    if not account.is_active:
        raise Refused([_("账号已停用，请先启用。")])
    if account.circuit is CircuitState.open:
        raise Refused([circuits.words_of(account), _("处理好以后点「已处理，再试」。")])
    await unit.run(update(Stream).where(col(Stream.account_id) == account_id).values(due_at=clock.now()))
    unit.later("pull_due")


async def set_budgets(
    unit: Unit, actor: Actor, account_id: int, given: Mapping[str, tuple[int | None, int | None]]
) -> Account:
    """The office's own numbers per window (:func:`workflows.metering.override_name`): how many calls, and the share
    in percent that is kept for people; None: as the platform says. :class:`Invalid` per window.
    """
    allow(actor)
    account = await held(unit, account_id)
    problems = {
        name: _("次数填 1 到 1 亿之间的整数，比例填 0 到 90；留空即按平台的规定。")
        for name, (most, share) in given.items()
        if (most is not None and not 1 <= most <= MOST_CALLS) or (share is not None and not 0 <= share <= 90)
    }
    if problems:
        raise Invalid(problems)
    own = {name: _own(most, share) for name, (most, share) in given.items()}
    options = {name: value for name, value in account.options.items() if name != OVERRIDES}
    kept = {**(account.options.get(OVERRIDES) or {}), **own}
    numbers = {name: value for name, value in kept.items() if value}
    account.options = {**options, OVERRIDES: numbers} if numbers else options
    account.version += 1
    unit.add(account)
    # What waited for its budget is asked again under the new numbers.
    waited = (col(Stream.account_id) == account_id, col(Stream.error) != "", col(Stream.failures) == 0)
    await unit.run(update(Stream).where(*waited).values(due_at=clock.now(), error="", error_kind=""))
    await audit.record(unit, actor, "account.budgets", f"account/{account_id}", **{OVERRIDES: numbers})
    tell(unit, "accounts", account_id)
    unit.later("pull_due")
    return account


def _own(most: int | None, share: int | None) -> dict[str, float]:
    numbers: dict[str, float] = {} if most is None else {"most": most}
    return numbers if share is None else {**numbers, "reserve": share / 100}


def reasons_to_stay(waiting: bool) -> list[str]:
    """Why an account cannot be disconnected now."""
    return [_("还有内容等待从这个账号发出或等待核实，请先取消或处理完。")] if waiting else []


async def has_unsettled(unit: Unit, account_id: int) -> bool:
    """Whether anything may still leave through the account."""
    waiting = select(col(Delivery.id)).where(Delivery.account_id == account_id, col(Delivery.state).in_(UNSETTLED))
    return await unit.first(waiting.limit(1)) is not None


async def losing(house: House, unit: Unit, account: Account) -> int:
    """How many open cases could no longer be answered where they came from, if the account were disconnected.

    None where nothing is answered there anyway, and where answers are read on our own page: they need no connection.
    """
    connector, ref = house.platforms.get(account.platform), house.ref(account)
    if connector is None or connector.limits(ref).takes_letters:
        return 0
    grants = connector.capabilities(ref)
    if not any(grant.granted is Granted.yes for ability, grant in grants.items() if ability in ANSWERS):
        return 0
    return await unit.one(select(func.count(col(Case.id))).where(Case.account_id == account.id, IS_OPEN))


async def disconnect(unit: Unit, actor: Actor, account_id: int, *, reason: str) -> Account:
    """Destroy the secrets and stop reading; the row stays for histories. Safe to repeat.

    Needs a reason; refuses while anything may still leave through it.
    """
    allow(actor)
    account = await held(unit, account_id)
    if not reason.strip():
        raise Invalid({"reason": _("请说明断开的理由。")})
    if reasons := reasons_to_stay(await has_unsettled(unit, account_id)):
        raise Refused(reasons)
    account.sealed = ""
    account.is_active = False
    account.disconnected_at = clock.now()
    account.expires_at = account.renew_at = account.probe_at = account.is_renewable = None
    account.circuit, account.circuit_kind, account.circuit_reason = CircuitState.closed, "", ""
    account.version += 1
    unit.add(account)
    await unit.run(delete(Authorisation).where(col(Authorisation.account_id) == account_id))
    await audit.record(
        unit, actor, "account.disconnect", f"account/{account_id}", name=account.name, reason=reason.strip()
    )
    tell(unit, "accounts", account_id)
    return account
