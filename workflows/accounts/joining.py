"""Connecting an account and giving it new credentials: one cheap call, then everything is kept or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from connectors.base import AccountRef, ConnectorError, ErrorKind, Health
from connectors.forms import AccountForm, Place
from hub import audit, clock
from hub.db import Unit, reading, unit_of_work
from hub.errors import Invalid, NotAllowed, Refused, Stale
from hub.feed import tell
from hub.i18n import _
from hub.models import Account, CircuitState, Stream, User
from hub.rights import Actor, May
from workflows import circuits, connecting
from workflows.accounts.detail import can_go_to_page, get, held, unopened
from workflows.accounts.filling import described, form_of, placed, ref_of
from workflows.house import House
from workflows.tokens import Line, renewed_values


def allow(actor: Actor) -> None:
    """Refuse whoever may not manage accounts."""
    if not actor.can(May.manage_accounts):
        raise NotAllowed(_("你没有管理账号的权限。"))


async def connect(
    house: House, actor: Actor, platform: str, given: Mapping[str, str], *, department_id: int | None = None
) -> tuple[Account, Health]:
    """Check what was typed with one call to the platform, then keep it. Nothing is kept when the platform says no.

    No transaction is open during the call. Raises :class:`Invalid` per field, :class:`Refused` with the platform's
    words.
    """
    allow(actor)
    form = form_of(platform)
    account = described(form, given, department_id)
    await refuse_strangers(house, form, given)
    health, secrets = await ask(house, ref_of(account, placed(form, given, Place.secret)))
    return await keep_new(house, actor, account, secrets, health), health


async def keep_new(
    house: House, actor: Actor, account: Account, secrets: Mapping[str, str], health: Health,
    expires_at: datetime | None = None,
) -> Account:  # fmt: skip
    """Keep an account the platform has just acknowledged, its streams, and until when its access lives."""
    account.external_id = account.external_id or health.account_id
    account.options = {**account.options, **health.learned}
    account.sealed = house.ctx.vault.seal(secrets)
    _set_life(account, health.token_expires_at or expires_at)
    async with unit_of_work(house.ctx) as unit:
        account.name = account.name or await _free_name(unit, health.account_name or account.external_id)
        await _refuse_twice(unit, account)
        unit.add(account)
        await unit.flush()
        await begin_reading(house, unit, account)
        await audit.record(
            unit, actor, "account.connect", f"account/{account.id}", name=account.name, platform=account.platform
        )
        tell(unit, "accounts", account.id)
        unit.later("tend_accounts")
    return account


def _set_life(account: Account, expires_at: datetime | None) -> None:
    for name, value in renewed_values(expires_at, None, clock.now()).items():
        setattr(account, name, value)


async def refuse_strangers(house: House, form: AccountForm, given: Mapping[str, str]) -> None:
    """Told here: work for a name nobody has would be given to somebody else, and nobody would notice."""
    problems = {}
    async with reading(house.ctx) as unit:
        for field in form.fields:
            name = given.get(field.name, "").strip() if field.person else ""
            known = select(col(User.id)).where(User.username == name, col(User.is_active))
            if name and await unit.first(known) is None:
                problems[field.name] = _("没有登录名为「%(name)s」的人，或已停用。", name=name)
    if problems:
        raise Invalid(problems)


class NotAcknowledged(Refused):
    """The platform could not be asked or said no; ``error``: why, as connectors put it."""

    def __init__(self, reasons: list[str], error: ConnectorError) -> None:
        super().__init__(reasons)
        self.error = error


async def ask(house: House, ref: AccountRef, renewing: str = "") -> tuple[Health, Mapping[str, str]]:
    """Who we are there, and the secrets as they are after the call; :class:`NotAcknowledged` with the platform's words.

    ``renewing``: what to do about credentials that are worth nothing any more, where that is not to type others.
    """
    connector = house.platforms.get(ref.platform)
    if connector is None:
        raise Refused([_("这个平台没有启用。")])
    line = Line(house, ref)
    try:
        health = await line.call(connector.check)
    except ConnectorError as error:
        reasons = connecting.reasons_of(error, ref.base_url, live=house.ctx.settings.live)
        if renewing and error.kind in (ErrorKind.auth_human, ErrorKind.auth_expired):
            reasons = [error.human, renewing]
        raise NotAcknowledged(reasons, error) from None
    if not health.ok:
        # Whose account the credentials are is known: the note says what to compare. Otherwise they are worth nothing.
        next_step = [] if health.account_id else [renewing or connecting.new_token()]
        reasons = [health.note or _("平台不认可这些凭据。"), *next_step]
        raise NotAcknowledged(reasons, circuits.not_accepted(health))
    return health, line.ref.secrets


async def _free_name(unit: Unit, wanted: str) -> str:
    """The platform's own name for an account that was given none, with a number where it is taken."""
    base = wanted.strip()[:90] or _("新账号")
    taken = set(await unit.all(select(Account.name).where(col(Account.name).startswith(base, autoescape=True))))
    return next(name for name in [base, *(f"{base} {n}" for n in range(2, len(taken) + 3))] if name not in taken)


async def _refuse_twice(unit: Unit, account: Account) -> None:
    if await unit.first(select(col(Account.id)).where(Account.name == account.name)) is not None:
        raise Invalid({"name": _("已有名称相同的账号。")})
    same = select(Account).where(
        Account.platform == account.platform, Account.external_id == account.external_id,
        Account.base_url == account.base_url, col(Account.disconnected_at).is_(None),
    )  # fmt: skip
    if account.external_id and (other := await unit.first(same)) is not None:
        raise Refused([_("这个账号已经接入，名称是「%(name)s」。", name=other.name)])


async def begin_reading(house: House, unit: Unit, account: Account) -> None:
    """Give the account the streams its platform reads."""
    known = set(await unit.all(select(col(Stream.name)).where(Stream.account_id == account.id)))
    for name in house.connector(account).streams:
        if name not in known:
            unit.add(Stream(account_id=account.id or 0, name=name))
    await unit.flush()


async def renew(house: House, actor: Actor, account_id: int, given: Mapping[str, str]) -> Health:
    """New secrets and settings for a connected account; empty secret fields keep what is there."""
    allow(actor)
    async with reading(house.ctx) as unit:
        account = await get(unit, account_id)
    form = form_of(account.platform)
    kept = house.secrets_of(account) or {}
    typed = placed(form, given, Place.secret)
    wanted = described(form, {**given, **kept, **typed}, None)
    wanted.options = {**_lasting(form, account), **wanted.options}
    await refuse_strangers(house, form, given)
    health, secrets = await ask(house, ref_of(wanted, kept | typed))
    await keep_again(house, actor, account, wanted, secrets, health, typed=sorted(typed))
    return health


def _lasting(form: Any, account: Account) -> dict[str, Any]:
    """Options that are no fields of the form: what was learnt, the office's own budgets. An emptied field is gone."""
    fields = {field.name for field in form.fields if field.place is Place.option}
    return {name: value for name, value in account.options.items() if name not in fields}


async def keep_again(
    house: House, actor: Actor, account: Account, wanted: Account, secrets: Mapping[str, str], health: Health,
    *, typed: list[str], expires_at: datetime | None = None,
) -> None:  # fmt: skip
    """Keep new credentials of an account already connected: the same account there, its circuit closed."""
    external = wanted.external_id or health.account_id
    if account.external_id and external != account.external_id:
        raise Refused(
            [_("这些凭据属于另一个账号，不能换到「%(name)s」上。要接入另一个账号，请新建。", name=account.name)]
        )
    number, now = account.id or 0, clock.now()
    values = renewed_values(health.token_expires_at or expires_at, None, now)
    async with unit_of_work(house.ctx) as unit:
        await circuits.shut(unit, number, trips=0)
        changed = await unit.compare_and_set(
            await _as_read(unit, account), name=wanted.name or account.name, base_url=wanted.base_url,
            options={**wanted.options, **health.learned}, external_id=external,
            sealed=house.ctx.vault.seal(secrets), is_active=True, disconnected_at=None, **values,
        )  # fmt: skip
        if not changed:
            raise Stale([_("账号刚被他人改过，请刷新。")])
        await begin_reading(house, unit, await get(unit, number))
        await audit.record(unit, actor, "account.renew", f"account/{number}", secrets=typed)
        tell(unit, "accounts", number)
        unit.later("tend_accounts")


async def _as_read(unit: Unit, account: Account) -> Account:
    """The row of this transaction, to be changed only if it is still as it was read before the call."""
    row = await get(unit, account.id or 0)
    if row.version != account.version:
        raise Stale([_("账号刚被他人改过，请刷新。")])
    return row


async def check(house: House, actor: Actor, account_id: int) -> Health:
    """Ask the platform now who we are; what it says of itself is kept, and an open circuit is closed when all is well.

    :class:`Refused` with the platform's words; what only a person can mend stops the account, as when reading finds it.
    """
    allow(actor)
    async with reading(house.ctx) as unit:
        account = await get(unit, account_id)
    if account.disconnected_at is not None:
        raise Refused([_("账号已断开，凭据已销毁。要再用，请重新填写凭据。")])
    if reasons := unopened(house, account):
        raise Refused(reasons)
    try:
        health, _secrets = await ask(house, house.ref(account), _renewing(account.platform))
    except NotAcknowledged as refused:
        if account.is_active and account.sealed and refused.error.kind in circuits.AT_ONCE:
            async with unit_of_work(house.ctx) as unit:
                await circuits.note(unit, account_id, refused.error)
        raise
    async with unit_of_work(house.ctx) as unit:
        row = await held(unit, account_id)
        if row.circuit is CircuitState.open and row.circuit_kind not in circuits.BY_HAND_ONLY:
            await circuits.shut(unit, account_id)
        values: dict[str, Any] = {"options": {**row.options, **health.learned}}
        if health.token_expires_at is not None:
            life = renewed_values(health.token_expires_at, row.is_renewable, clock.now())
            values |= {name: life[name] for name in ("expires_at", "renew_at")}
        await unit.compare_and_set(row, **values)
        tell(unit, "accounts", account_id)
    return health


def _renewing(platform: str) -> str:
    """What is to be done about the credentials of an account there is."""
    if can_go_to_page(form_of(platform)):
        return _("请在账号页点「重新授权」，用这个账号登录平台并同意。")
    return _("请到平台后台取得新的凭据，填在账号页的「凭据和设置」里保存。")
