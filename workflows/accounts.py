"""Official accounts: connecting, checking, switching off, disconnecting. Secrets are sealed, at the end destroyed."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import col, select

from connectors.base import AccountRef, Capability, ConnectorError, Granted, Health
from connectors.forms import AccountForm, Field, Place
from connectors.registry import FORMS
from hub import audit, clock
from hub.db import Unit, reading, unit_of_work
from hub.errors import Invalid, NotAllowed, NotFound, Refused, Stale
from hub.feed import tell
from hub.i18n import _
from hub.models import Account, Delivery, DeliveryState, Stream
from hub.rights import Actor, May
from hub.settings import Settings
from workflows import connecting
from workflows.house import House

# Deliveries in these states may still go out or be asked about: their account must stay.
UNSETTLED = (DeliveryState.waiting, DeliveryState.sending, DeliveryState.unknown, DeliveryState.held)
LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Ability:
    """One thing an account can or cannot do, in words."""

    name: str
    granted: Granted
    reason: str


@dataclass(frozen=True, slots=True)
class Overview:
    """One account with what the office wants to know about it."""

    account: Account
    label: str
    streams: Sequence[Stream]

    @property
    def is_connected(self) -> bool:
        """False after disconnecting: the name stays in histories, the secrets are gone."""
        return not self.account.options.get("disconnected")

    @property
    def failing(self) -> list[Stream]:
        """Streams whose last read went wrong."""
        return [stream for stream in self.streams if stream.error]

    @property
    def pulled_at(self) -> datetime | None:
        """When anything was last read from it."""
        return max((stream.pulled_at for stream in self.streams if stream.pulled_at), default=None)


def forms() -> Sequence[AccountForm]:
    """The platforms an account can be connected on."""
    return list(FORMS.values())


def form_of(platform: str) -> AccountForm:
    """One platform's form; :class:`NotFound` when there is none."""
    if platform not in FORMS:
        raise NotFound(_("没有这个平台。"))
    return FORMS[platform]


async def overviews(house: House, unit: Unit) -> list[Overview]:
    """Every account by name, disconnected ones last."""
    accounts = await unit.all(select(Account).order_by(col(Account.name)))
    streams = await unit.all(select(Stream).order_by(col(Stream.id)))
    found = [_overview(house, account, [s for s in streams if s.account_id == account.id]) for account in accounts]
    return sorted(found, key=lambda one: not one.is_connected)


def _overview(house: House, account: Account, streams: Sequence[Stream]) -> Overview:
    connector = house.platforms.get(account.platform)
    return Overview(account, connector.label if connector else account.platform, streams)


async def overview(house: House, unit: Unit, account_id: int) -> Overview:
    """One account; :class:`NotFound` when there is none."""
    account = await _get(unit, account_id)
    streams = await unit.all(select(Stream).where(Stream.account_id == account_id).order_by(col(Stream.id)))
    return _overview(house, account, streams)


async def _get(unit: Unit, account_id: int) -> Account:
    account = await unit.get(Account, account_id)
    if account is None:
        raise NotFound(_("没有这个账号。"))
    return account


def abilities(house: House, account: Account) -> list[Ability]:
    """What the account can do, with the reason where it cannot."""
    connector = house.platforms.get(account.platform)
    if connector is None:
        return []
    grants = connector.capabilities(house.ref(account))
    return [Ability(_ability_words(ability), grant.granted, grant.reason) for ability, grant in grants.items()]


def _ability_words(ability: Capability) -> str:
    words = {
        Capability.pull_mentions: _("收取@提及"), Capability.pull_comments: _("收取评论"),
        Capability.pull_messages: _("收取私信"), Capability.receive_push: _("接收平台推送"),
        Capability.reply_public: _("公开回复"), Capability.reply_private: _("私信回复"),
        Capability.publish: _("发布"), Capability.delete: _("删除已发内容"), Capability.find_own: _("核对已发内容"),
        Capability.metrics: _("数据统计"),
    }  # fmt: skip
    return words[ability]


def push_path(settings: Settings, account_id: int) -> str:
    """Where the platform delivers pushes for this account: a path nobody can guess, the same for ever."""
    key = hmac.new(settings.key, f"push/{account_id}".encode(), "sha256").hexdigest()[:32]
    return f"/hooks/{account_id}/{key}"


def is_push_path(settings: Settings, path: str, account_id: int) -> bool:
    """Whether a push came to the account's own path."""
    return hmac.compare_digest(push_path(settings, account_id).encode(), path.encode())


async def connect(
    house: House, actor: Actor, platform: str, given: Mapping[str, str], *, department_id: int | None = None
) -> tuple[Account, Health]:
    """Check what was typed with one call to the platform, then keep it. Nothing is kept when the platform says no.

    No transaction is open during the call. Raises :class:`Invalid` per field, :class:`Refused` with the platform's
    words.
    """
    _allow(actor)
    form = form_of(platform)
    account = _described(form, given, department_id)
    ref = _ref(account, _placed(form, given, Place.secret))
    health = await _ask(house, ref)
    async with unit_of_work(house.ctx) as unit:
        await _refuse_twice(unit, account, health)
        account.external_id = account.external_id or health.account_id
        account.sealed = house.ctx.vault.seal(_placed(form, given, Place.secret))
        unit.add(account)
        await unit.flush()
        await _begin_reading(house, unit, account)
        await audit.record(
            unit, actor, "account.connect", f"account/{account.id}", name=account.name, platform=platform
        )
        tell(unit, "accounts", account.id)
    return account, health


def _allow(actor: Actor) -> None:
    if not actor.can(May.manage_accounts):
        raise NotAllowed(_("你没有管理账号的权限。"))


def _described(form: AccountForm, given: Mapping[str, str], department_id: int | None) -> Account:
    problems = {
        f.name: _("请填写「%(label)s」。", label=f.label)
        for f in form.fields
        if f.required and not given.get(f.name, "").strip()
    }
    problems |= {
        name: _("太长了，最多 %(n)s 个字。", n=LONGEST) for name, value in given.items() if len(value) > LONGEST
    }
    name = given.get("name", "").strip()
    if not name or len(name) > 100:
        problems["name"] = _("请给账号起一个名称，最多 100 个字。")
    if problems:
        raise Invalid(problems)
    url = _placed(form, given, Place.base_url)
    external = _placed(form, given, Place.external_id)
    return Account(
        platform=form.platform, name=name, department_id=department_id, options=_placed(form, given, Place.option),
        base_url=next(iter(url.values()), "").rstrip("/"), external_id=next(iter(external.values()), ""),
    )  # fmt: skip


def _placed(form: AccountForm, given: Mapping[str, str], place: Place) -> dict[str, Any]:
    return {f.name: given[f.name].strip() for f in form.fields if f.place is place and given.get(f.name, "").strip()}


def _ref(account: Account, secrets: Mapping[str, str]) -> AccountRef:
    return AccountRef(
        id=account.id or 0, platform=account.platform, name=account.name, external_id=account.external_id,
        base_url=account.base_url, secrets=secrets, options=account.options,
    )  # fmt: skip


async def _ask(house: House, ref: AccountRef) -> Health:
    connector = house.platforms.get(ref.platform)
    if connector is None:
        raise Refused([_("这个平台没有启用。")])
    try:
        health = await connector.check(ref)
    except ConnectorError as error:
        raise Refused(connecting.reasons_of(error, ref.base_url, live=house.ctx.settings.live)) from None
    if not health.ok:
        # Whose account the credentials are is known: the note says what to compare. Otherwise they are worth nothing.
        next_step = [] if health.account_id else [connecting.new_token()]
        raise Refused([health.note or _("平台不认可这些凭据。"), *next_step])
    return health


async def _refuse_twice(unit: Unit, account: Account, health: Health) -> None:
    if await unit.first(select(col(Account.id)).where(Account.name == account.name)) is not None:
        raise Invalid({"name": _("已有名称相同的账号。")})
    external = account.external_id or health.account_id
    same = select(Account).where(Account.platform == account.platform, Account.external_id == external)
    for other in await unit.all(same.where(Account.base_url == account.base_url)):
        if external and not other.options.get("disconnected"):
            raise Refused([_("这个账号已经接入，名称是「%(name)s」。", name=other.name)])


async def _begin_reading(house: House, unit: Unit, account: Account) -> None:
    known = set(await unit.all(select(col(Stream.name)).where(Stream.account_id == account.id)))
    for name in house.connector(account).streams:
        if name not in known:
            unit.add(Stream(account_id=account.id or 0, name=name))
    await unit.flush()


async def renew(house: House, actor: Actor, account_id: int, given: Mapping[str, str]) -> Health:
    """New secrets and settings for a connected account; empty secret fields keep what is there."""
    _allow(actor)
    async with reading(house.ctx) as unit:
        account = await _get(unit, account_id)
    form = form_of(account.platform)
    secrets = house.ctx.vault.open(account.sealed) | _placed(form, given, Place.secret)
    wanted = _described(form, {**given, **secrets}, None)
    health = await _ask(house, _ref(wanted, secrets))
    wanted.external_id = wanted.external_id or health.account_id
    if account.external_id and wanted.external_id != account.external_id:
        raise Refused(
            [_("这些凭据属于另一个账号，不能换到「%(name)s」上。要接入另一个账号，请新建。", name=account.name)]
        )
    options = {k: v for k, v in account.options.items() if k != "disconnected"} | wanted.options
    async with unit_of_work(house.ctx) as unit:
        changed = await unit.compare_and_set(
            await _get(unit, account_id), name=wanted.name, base_url=wanted.base_url, options=options,
            external_id=wanted.external_id, sealed=house.ctx.vault.seal(secrets), is_active=True,
        )  # fmt: skip
        if not changed:
            raise Stale([_("账号刚被他人改过，请刷新。")])
        await _begin_reading(house, unit, await _get(unit, account_id))
        await audit.record(
            unit, actor, "account.renew", f"account/{account_id}", secrets=sorted(_placed(form, given, Place.secret))
        )
        tell(unit, "accounts", account_id)
    return health


async def check(house: House, actor: Actor, account_id: int) -> Health:
    """Ask the platform now who we are; the answer is shown, not kept. :class:`Refused` with the platform's words."""
    _allow(actor)
    async with reading(house.ctx) as unit:
        account = await _get(unit, account_id)
    return await _ask(house, house.ref(account))


async def set_active(unit: Unit, actor: Actor, account_id: int, active: bool) -> Account:
    """Begin or stop reading from an account. What waits to be sent is not touched: that is what pausing is for."""
    _allow(actor)
    account = await _get(unit, account_id)
    if active and account.options.get("disconnected"):
        raise Refused([_("账号已断开，凭据已销毁。要再用，请重新填写凭据。")])
    account.is_active = active
    account.version += 1
    unit.add(account)
    if active:
        await unit.run(update(Stream).where(col(Stream.account_id) == account_id).values(due_at=clock.now()))
    await audit.record(unit, actor, "account.activate" if active else "account.deactivate", f"account/{account_id}")
    tell(unit, "accounts", account_id)
    return account


async def read_now(unit: Unit, actor: Actor, account_id: int) -> None:
    """Have every stream of the account read at once, failed ones too. Safe to repeat."""
    _allow(actor)
    account = await _get(unit, account_id)
    if not account.is_active:
        raise Refused([_("账号已停用，请先启用。")])
    await unit.run(update(Stream).where(col(Stream.account_id) == account_id).values(due_at=clock.now()))
    unit.later("pull_due")


def reasons_to_stay(waiting: bool) -> list[str]:
    """Why an account cannot be disconnected now."""
    return [_("还有内容等待从这个账号发出或等待核实，请先取消或处理完。")] if waiting else []


async def has_unsettled(unit: Unit, account_id: int) -> bool:
    """Whether anything may still leave through the account."""
    waiting = select(col(Delivery.id)).where(Delivery.account_id == account_id, col(Delivery.state).in_(UNSETTLED))
    return await unit.first(waiting.limit(1)) is not None


async def disconnect(unit: Unit, actor: Actor, account_id: int, *, reason: str) -> Account:
    """Destroy the secrets and stop reading; the row stays for histories. Safe to repeat.

    Needs a reason; refuses while anything may still leave through it.
    """
    _allow(actor)
    account = await _get(unit, account_id)
    if not reason.strip():
        raise Invalid({"reason": _("请说明断开的理由。")})
    if reasons := reasons_to_stay(await has_unsettled(unit, account_id)):
        raise Refused(reasons)
    account.sealed = ""
    account.is_active = False
    account.options = {**account.options, "disconnected": clock.now().isoformat()}
    account.version += 1
    unit.add(account)
    await audit.record(
        unit, actor, "account.disconnect", f"account/{account_id}", name=account.name, reason=reason.strip()
    )
    tell(unit, "accounts", account_id)
    return account


def shown_fields(form: AccountForm, account: Account) -> dict[str, str]:
    """What may be shown of an account in its form: everything but secrets."""
    values = {"name": account.name}
    for field in form.fields:
        values[field.name] = _shown(field, account)
    return values


def _shown(field: Field, account: Account) -> str:
    match field.place:
        case Place.base_url:
            return account.base_url
        case Place.external_id:
            return account.external_id
        case Place.option:
            return str(account.options.get(field.name, ""))
        case _:
            return ""
