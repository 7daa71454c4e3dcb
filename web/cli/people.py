"""Commands on people: the first administrator, a forgotten password."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import click

from hub import people
from hub.db import Unit, open_context, unit_of_work
from hub.i18n import _
from hub.models import Role
from hub.rights import system
from hub.settings import Settings
from web.cli.data import prepared
from web.cli.frame import data_option

Work = Callable[[Unit], Awaitable[None]]


@click.group(help=_("人员"))
def user() -> None:
    """Group of people commands."""


@user.command(help=_("新增人员；部门不存在时在根部门下建立"))
@click.argument("username")
@click.option("--name", required=True, help=_("姓名"))
@click.option("--department", required=True, help=_("部门名称或代码"))
@click.option(
    "--role", "roles", multiple=True, required=True, type=click.Choice([r.value for r in Role]), help=_("角色，可多次")
)
@click.password_option("--password", prompt=_("密码"), help=_("不给出则询问"))
@data_option
def add(username: str, name: str, department: str, roles: tuple[str, ...], password: str, data: str | None) -> None:
    """Add a person who signs in with a password."""

    async def work(unit: Unit) -> None:
        where = await people.find_or_make_department(unit, system("hub user"), department)
        await people.add_user(
            unit, system("hub user"), username=username, name=name, department_id=where, password=password,
            roles=[Role(role) for role in roles],
        )  # fmt: skip

    asyncio.run(_in_unit(prepared(data), work))
    click.echo(_("已新增 %(username)s", username=username))


@user.command(help=_("重设密码并解除锁定，原有登录全部失效"))
@click.argument("username")
@click.password_option("--password", prompt=_("新密码"), help=_("不给出则询问"))
@data_option
def passwd(username: str, password: str, data: str | None) -> None:
    """Set a password; every session of the person ends."""

    async def work(unit: Unit) -> None:
        await people.set_password(unit, system("hub user"), username=username, password=password)

    asyncio.run(_in_unit(prepared(data), work))
    click.echo(_("已为 %(username)s 重设密码", username=username))


async def _in_unit(settings: Settings, work: Work) -> None:
    ctx = open_context(settings)
    try:
        async with unit_of_work(ctx) as unit:
            await work(unit)
    finally:
        await ctx.close()
