"""Accounts and departments as other operations name them; nothing secret is ever told."""

from __future__ import annotations

from pydantic import Field

from hub.i18n import N_, _
from web.api.messages import CASES
from web.api.operation import Call, operation
from web.api.schema import Answer, Moment, Page
from web.routes.table import Gate
from workflows.accounts import Overview, overview, overviews
from workflows.cases import lists
from workflows.publishing.choices import Choice
from workflows.publishing.choices import accounts as publishable


class Publishing(Answer):
    """What can be published there."""

    limit: int = Field(description=N_("最长多少，按平台的算法。"))
    counting: str = Field(description=N_("平台怎样数字数：weibo、mastodon 或 plain。"))
    why_not: str = Field(description=N_("为什么现在不能发布；空表示可以。"))


class AccountItem(Answer):
    """One official account, without secrets, addresses and settings."""

    id: int
    name: str
    platform: str
    platform_label: str
    external_id: str = Field(description=N_("平台上的编号，文字。"))
    department_id: int | None
    is_active: bool
    is_connected: bool
    pulled_at: Moment | None = Field(description=N_("上次读到它的时间。"))
    publishing: Publishing | None = Field(description=N_("null 表示这个平台不能发布。"))


class AccountPage(Page[AccountItem]):
    """All accounts at once; ``next`` is always null."""


class DepartmentItem(Answer):
    """One department."""

    id: int
    name: str


class DepartmentPage(Page[DepartmentItem]):
    """All departments at once; ``next`` is always null."""


@operation("GET", "/accounts", N_("全部账号"), scope="accounts:read", needs=Gate.signed_in)
async def list_accounts(call: Call[None, None]) -> AccountPage:
    """Every account by name, disconnected ones last."""
    choices = {choice.id: choice for choice in await publishable(call.house, call.unit)}
    found = await overviews(call.house, call.unit)
    return AccountPage(items=[_shown(one, choices.get(one.account.id or 0)) for one in found])


@operation("GET", "/accounts/{account_id:int}", N_("一个账号"), scope="accounts:read", needs=Gate.signed_in)
async def get_account(call: Call[None, None]) -> AccountItem:
    """One account."""
    found = await overview(call.house, call.unit, call.places["account_id"])
    choices = {choice.id: choice for choice in await publishable(call.house, call.unit)}
    return _shown(found, choices.get(found.account.id or 0))


@operation("GET", "/departments", N_("可派单、可筛选的部门"), scope="accounts:read", needs=CASES)
async def list_departments(call: Call[None, None]) -> DepartmentPage:
    """Departments whose cases the person may see, parents before children."""
    found = (await lists.choices(call.unit, call.actor)).departments
    return DepartmentPage(items=[DepartmentItem(id=key, name=name) for key, name in found])


def _shown(one: Overview, choice: Choice | None) -> AccountItem:
    account = one.account
    return AccountItem(
        id=account.id or 0, name=account.name, platform=account.platform, platform_label=_(one.label),
        external_id=account.external_id, department_id=account.department_id, is_active=account.is_active,
        is_connected=one.is_connected, pulled_at=one.pulled_at,
        publishing=Publishing.model_validate(choice) if choice else None,
    )  # fmt: skip


OPERATIONS = (list_accounts, get_account, list_departments)
