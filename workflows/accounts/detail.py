"""One account: what it can do, what is left of its budgets, how long its access lives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from connectors.base import Capability, Granted
from connectors.forms import AccountForm, Field, Place
from hub import clock
from hub.db import Unit
from hub.errors import NotFound
from hub.i18n import _
from hub.models import Account, CircuitState, Department, Stream
from workflows.accounts.health import Health, health_of
from workflows.accounts.lists import Overview, label_of
from workflows.house import House
from workflows.metering import Left, standing
from workflows.tokens import Life, life_of


@dataclass(frozen=True, slots=True)
class Ability:
    """One thing an account can or cannot do, in words. ``is_stopped``: it could, but nothing is done on it now."""

    name: str
    granted: Granted
    reason: str
    is_stopped: bool = False


Grants = Sequence[Ability]


async def get(unit: Unit, account_id: int) -> Account:
    """The account; :class:`NotFound` when there is none."""
    account = await unit.get(Account, account_id)
    if account is None:
        raise NotFound(_("没有这个账号。"))
    return account


async def held(unit: Unit, account_id: int) -> Account:
    """The account as it is now, nobody else's to change before the commit; :class:`NotFound` when there is none."""
    wanted = select(Account).where(col(Account.id) == account_id).with_for_update()
    account = await unit.first(wanted.execution_options(populate_existing=True))
    if account is None:
        raise NotFound(_("没有这个账号。"))
    return account


async def overview(house: House, unit: Unit, account_id: int) -> Overview:
    """One account; :class:`NotFound` when there is none."""
    account = await get(unit, account_id)
    streams = await unit.all(select(Stream).where(Stream.account_id == account_id).order_by(col(Stream.id)))
    health = await unit.one(select(health_of(clock.now())).select_from(Account).where(col(Account.id) == account_id))
    department = await unit.get(Department, account.department_id) if account.department_id else None
    name = department.short_name if department else ""
    return Overview(account, label_of(house, account), streams, Health(health), name)


def abilities(house: House, account: Account) -> list[Ability]:
    """What the account can do, with the reason where it cannot, or cannot now."""
    connector = house.platforms.get(account.platform)
    if connector is None:
        return []
    grants = connector.capabilities(house.ref(account))
    stopped = _stopped(account)
    return [
        Ability(_ability_words(ability), grant.granted, stopped, is_stopped=True)
        if stopped and grant.granted is Granted.yes
        else Ability(_ability_words(ability), grant.granted, grant.reason)
        for ability, grant in grants.items()
    ]


def _stopped(account: Account) -> str:
    """Why nothing is read or sent at present; empty while the account runs, or is away by somebody's will."""
    if not account.is_active or account.disconnected_at is not None:
        return ""
    if life_of(account, clock.now()) is Life.dead:
        return _("授权已失效，换上新的授权后恢复")
    return _("账号已自动停用，恢复后照常") if account.circuit is CircuitState.open else ""


def _ability_words(ability: Capability) -> str:
    words = {
        Capability.pull_mentions: _("收取@提及"), Capability.pull_comments: _("收取评论"),
        Capability.pull_messages: _("收取私信、来信"), Capability.receive_push: _("接收平台推送"),
        Capability.reply_public: _("公开回复"), Capability.reply_private: _("答复私信、来信"),
        Capability.publish: _("发布"), Capability.delete: _("删除已发内容"), Capability.find_own: _("核对已发内容"),
        Capability.metrics: _("数据统计"),
    }  # fmt: skip
    return words[ability]


async def budgets(house: House, unit: Unit, account: Account) -> list[Left]:
    """What is left in each window of the account's platform; empty where it sets no limit."""
    connector = house.platforms.get(account.platform)
    if connector is None or account.disconnected_at is not None:
        return []
    ref = house.ref(account)
    return await standing(unit, ref, connector.budgets(ref))


def can_push(house: House, account: Account) -> bool:
    """Whether its platform pushes what arrives, so that its back office asks for our address."""
    return _push(house, account) not in (None, Granted.no)


def is_pushed_to(house: House, account: Account) -> bool:
    """Whether pushes are to be expected now: nothing has to be granted first."""
    return _push(house, account) is Granted.yes


def _push(house: House, account: Account) -> Granted | None:
    connector = house.platforms.get(account.platform)
    grant = connector.capabilities(house.ref(account)).get(Capability.receive_push) if connector else None
    return grant.granted if grant else None


def kept_secrets(house: House, account: Account) -> frozenset[str]:
    """The names of the secrets that are there; never the secrets."""
    return frozenset(house.secrets_of(account) or ())


def unopened(house: House, account: Account) -> list[str]:
    """What is wrong and what to do where no key that is known opens the secrets; empty where one does."""
    if house.secrets_of(account) is not None:
        return []
    return [
        _("这个账号的凭据打不开：加密用的密钥换过或丢了。"),
        _("请把原来的密钥放回数据目录的 secret.key，或写进设置 HUB_OLD_KEYS，再重新启动；"
          "找不回来的，请在账号页重新填写全部凭据。"),
    ]  # fmt: skip


def letter_path(house: House, account: Account) -> str:
    """Where citizens write to it; empty where it is no letter page."""
    connector = house.platforms.get(account.platform)
    takes = connector is not None and connector.limits(house.ref(account)).takes_letters
    return f"/letters/{account.options.get('slug', '')}" if takes else ""


def can_go_to_page(form: AccountForm | None) -> bool:
    """Whether access to this platform is granted on the platform's own page."""
    return form is not None and form.authorised_by_page


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
