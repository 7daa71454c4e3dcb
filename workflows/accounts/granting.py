"""Granting access on the platform's own page: there with a state that works once, back with what was given.

The state is random, kept as its digest, bound to the sign-in of the person who set out, and good for ten minutes. What
was typed before going waits sealed; the way back is one fixed address.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlmodel import col, select

from connectors.addresses import is_loopback, is_own_name
from connectors.base import AccountRef, ConnectorError, Health, Renewed
from connectors.forms import AccountForm, Place
from hub import clock, crypto
from hub.db import reading, unit_of_work
from hub.errors import Invalid, NotFound, Refused
from hub.i18n import _
from hub.models import Account, Authorisation
from hub.rights import Actor
from workflows import connecting
from workflows.accounts import registering
from workflows.accounts.detail import get
from workflows.accounts.filling import described, form_of, placed, ref_of
from workflows.accounts.joining import allow, ask, keep_again, keep_new, refuse_strangers
from workflows.house import House

BACK = "/accounts/authorised"
GOOD_FOR = timedelta(minutes=10)
# What a platform may bring back is read to this length.
LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Going:
    """Ready to go: ``url`` on the platform's ``host``."""

    url: str
    host: str
    label: str


class NotGranted(Refused):
    """Nothing came of it; ``grant_id``: what was typed is still there, and one may set out again with it."""

    def __init__(self, reasons: list[str], grant_id: int = 0, account_id: int | None = None) -> None:
        super().__init__(reasons)
        self.grant_id = grant_id
        self.account_id = account_id


def back_address(house: House) -> str:
    """The one address to come back to; it is what one registers with the platform."""
    return house.ctx.settings.address + BACK


async def set_out(
    house: House, actor: Actor, sign_in_id: int, platform: str, given: Mapping[str, str],
    *, department_id: int | None = None,
) -> Going:  # fmt: skip
    """To connect a new account. :class:`Invalid` per field that must be there before going."""
    allow(actor)
    form = _form(platform)
    described(form, given, department_id, by_page=True)
    await refuse_strangers(house, form, given)
    draft = {"given": dict(given), "department_id": department_id}
    return await _go(house, actor, sign_in_id, platform, draft, None)


async def set_out_again(house: House, actor: Actor, sign_in_id: int, account_id: int) -> Going:
    """To grant access anew for an account there is."""
    allow(actor)
    async with reading(house.ctx) as unit:
        account = await get(unit, account_id)
    _form(account.platform)
    return await _go(house, actor, sign_in_id, account.platform, {"given": {}, "department_id": None}, account_id)


async def retry(house: House, actor: Actor, sign_in_id: int, grant_id: int) -> Going:
    """Set out once more with what was typed the first time."""
    allow(actor)
    async with reading(house.ctx) as unit:
        row = await unit.get(Authorisation, grant_id)
    if row is None or row.sign_in_id != sign_in_id or not row.sealed:
        raise NotFound(_("上次填写的内容已不在了，请重新填写。"))
    return await _go(house, actor, sign_in_id, row.platform, _draft(house, row), row.account_id)


def _form(platform: str) -> AccountForm:
    form = form_of(platform)
    if not form.authorised_by_page:
        raise Refused([_("这个平台不用网页授权，请填写凭据。")])
    return form


async def _go(
    house: House, actor: Actor, sign_in_id: int, platform: str, draft: Mapping[str, Any], account_id: int | None
) -> Going:
    # To its end even for somebody who clicks twice and so gives up the first: the second goes with what that one got.
    return await house.see_through(_gone(house, actor, sign_in_id, platform, dict(draft), account_id))


async def _gone(
    house: House, actor: Actor, sign_in_id: int, platform: str, draft: dict[str, Any], account_id: int | None
) -> Going:
    state = crypto.new_token()
    async with registering.turn(house, sign_in_id, platform, account_id):
        _account, ref = await _traveller(house, platform, draft, account_id)
        if _form(platform).registers:
            draft["app"] = await _app(house, sign_in_id, platform, account_id, ref) or draft.get("app")
            ref = registering.with_app(ref, draft["app"])
        try:
            url = house.platforms[platform].authorise_url(ref, back_address(house), state)
        except ConnectorError as error:
            raise Refused(_reasons(house, ref, error)) from None
        host = _host(house, url)
        async with unit_of_work(house.ctx) as unit:
            unit.add(Authorisation(
                state=crypto.digest(state), sign_in_id=sign_in_id, user_id=actor.user_id or 0, platform=platform,
                account_id=account_id, sealed=house.ctx.vault.seal({"draft": json.dumps(draft)}),
                expires_at=clock.now() + GOOD_FOR,
            ))  # fmt: skip
    return Going(url, host, house.platforms[platform].label)


async def _app(
    house: House, sign_in_id: int, platform: str, account_id: int | None, ref: AccountRef
) -> registering.App | None:
    try:
        return await registering.app_for(house, sign_in_id, platform, account_id, ref, back_address(house))
    except ConnectorError as error:
        raise Refused(registering.reasons_of(error, ref.base_url, live=house.ctx.settings.live)) from None


def _host(house: House, url: str) -> str:
    """Whose page it is; refused where it is none, or a real one in rehearsal."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host:
        raise Refused([_("平台地址的写法不对，请核对后再试。")])
    if not house.ctx.settings.live and not (is_own_name(host) and (host == "localhost" or is_loopback(host))):
        raise Refused([
            _("没有开启正式模式时只能接入本机的沙箱平台。要接入真实平台，请把设置 HUB_LIVE 改为 true 后重新启动。")
        ])  # fmt: skip
    return host


def _draft(house: House, row: Authorisation) -> dict[str, Any]:
    draft: dict[str, Any] = json.loads(house.ctx.vault.open(row.sealed)["draft"])
    return draft


async def _traveller(
    house: House, platform: str, draft: Mapping[str, Any], account_id: int | None
) -> tuple[Account, AccountRef]:
    """The account that is to get access: as typed, or as it is with the secrets it has; with the app got for it."""
    form = form_of(platform)
    if account_id is not None:
        async with reading(house.ctx) as unit:
            account = await get(unit, account_id)
        secrets = house.secrets_of(account) or {}
    else:
        account = described(form, draft["given"], draft["department_id"], by_page=True)
        secrets = placed(form, draft["given"], Place.secret)
    ref = registering.with_app(ref_of(account, secrets), draft.get("app"))
    account.options = dict(ref.options)
    return account, ref


async def come_back(house: House, actor: Actor, sign_in_id: int, query: Mapping[str, str]) -> Account:
    """The person is back: exchange what they bring for secrets, ask the platform who that is, keep it.

    :class:`NotGranted` with the reasons: refused there, another account, too late, used already, not theirs.
    """
    allow(actor)
    row = await _claim(house, sign_in_id, query.get("state", ""))
    brought = {name: value[:LONGEST] for name, value in query.items() if name != "state"}
    draft = _draft(house, row)
    account, ref = await _traveller(house, row.platform, draft, row.account_id)
    try:
        given = await house.platforms[row.platform].exchange(ref, back_address(house), brought)
        found = await _keep(house, actor, account, ref, given, draft.get("app"))
    except ConnectorError as error:
        reasons = [error.human] if error.code == "denied" else _reasons(house, ref, error)
        raise NotGranted(reasons, row.id or 0, row.account_id) from None
    except Refused as error:
        raise NotGranted(error.reasons, row.id or 0, row.account_id) from None
    except Invalid as error:
        raise NotGranted([*error.problems.values()], 0, row.account_id) from None
    async with unit_of_work(house.ctx) as unit:
        await unit.claim(Authorisation, col(Authorisation.id) == row.id, sealed="")
    return found


def _reasons(house: House, ref: AccountRef, error: ConnectorError) -> list[str]:
    return connecting.reasons_of(error, ref.base_url, live=house.ctx.settings.live)


async def _claim(house: House, sign_in_id: int, state: str) -> Authorisation:
    """The journey this state belongs to, marked as done: it works once, for ten minutes, for who set out."""
    now = clock.now()
    async with unit_of_work(house.ctx) as unit:
        mine = col(Authorisation.state) == crypto.digest(state)
        row = await unit.first(select(Authorisation).where(mine))
        if row is None or row.sign_in_id != sign_in_id:
            raise NotGranted([_("这次授权不是从这里发起的，或者您重新登录过。"), _again()])
        if row.expires_at < now:
            raise NotGranted([_("授权用时超过了 10 分钟，已失效。"), _again()], row.id or 0, row.account_id)
        if not await unit.claim(Authorisation, mine, col(Authorisation.used_at).is_(None), used_at=now):
            raise NotGranted([_("这次授权已经用过了：页面可能被刷新或打开了两次。"), _again()], 0, row.account_id)
    return row


def _again() -> str:
    return _("请回到账号页重新授权。")


async def _keep(
    house: House, actor: Actor, account: Account, ref: AccountRef, given: Renewed, app: registering.App | None
) -> Account:
    """A new account, or new access for one there is. The platform is asked once more who that is."""
    secrets = {**ref.secrets, **given.secrets}
    asked = ref_of(account, secrets)
    health, secrets_now = await ask(house, asked)
    known = Health(
        True, health.account_id or given.account_id, health.account_name or given.account_name, health.note,
        health.token_expires_at, health.learned,
    )  # fmt: skip
    if account.external_id and known.account_id and known.account_id != account.external_id:
        name = account.name or account.external_id
        raise Refused([
            _("您在平台上登录的是另一个账号（%(other)s），不是「%(name)s」。", other=known.account_name, name=name),
            _("请先在平台上退出登录，换成要接入的账号，再重新授权。"),
        ])  # fmt: skip
    if account.id is None:
        return await keep_new(house, actor, account, secrets_now, known, given.expires_at)
    fresh = {*given.secrets, *(app["secrets"] if app else ())}
    await keep_again(
        house, actor, account, account, secrets_now, known, typed=sorted(fresh), expires_at=given.expires_at
    )
    return account
