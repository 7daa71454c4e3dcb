"""Commands on official accounts: connect, check, list. Secrets never stand on the command line."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Column, Table
from sqlmodel import col, select

from hub.db import reading
from hub.errors import HubError, Invalid, NotFound, Refused
from hub.i18n import _, moment, said
from hub.models import Account, Department
from hub.rights import system
from web.accountwords import health_words
from web.cli.data import prepared
from web.cli.frame import FAILED, WRONG_USAGE, data_option, fail
from web.cli.plain import plain
from workflows.accounts import AccountForm, Field
from workflows.accounts.told import told
from workflows.house import House, open_house

T = TypeVar("T")
VARIABLE = "HUB_ACCOUNT_"
ACTOR = "hub account"


@click.group(help=_("官方账号：接入、核对、列表"))
def account() -> None:
    """Group of account commands."""


@account.command(
    help=_(
        "接入一个账号，先向平台核对。平台的设置项写成 --名称 值（例如 --base-url http://…）；密钥不写在命令行上："
        "用环境变量 HUB_ACCOUNT_名称、--secrets-file 文件，或 --secrets-stdin 从标准输入读取（每行 名称=值，或 JSON）；"
        "在终端里缺什么问什么。"
    ),
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.argument("platform")
@click.option("--name", default="", help=_("在本系统里的名称"))
@click.option("--department", default="", help=_("归口部门的名称或代码"))
@click.option(
    "--secrets-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=_("密钥文件：每行 名称=值，或 JSON"),
)
@click.option("--secrets-stdin", is_flag=True, help=_("从标准输入读取密钥"))
@click.option("--json", "as_json", is_flag=True, help=_("以一行 JSON 输出结果"))
@data_option
@click.pass_context
def add(
    context: click.Context, platform: str, name: str, department: str, secrets_file: Path | None, secrets_stdin: bool,
    as_json: bool, data: str | None,
) -> None:  # fmt: skip
    """Connect an account; exit 1 with the platform's words when it says no."""
    with _errors(as_json, name=name, platform=platform):
        _show(_added(context, platform, name, department, secrets_file, secrets_stdin, data), as_json)


def _added(
    context: click.Context, platform: str, name: str, department: str, secrets_file: Path | None, secrets_stdin: bool,
    data: str | None,
) -> dict[str, Any]:  # fmt: skip
    from workflows.accounts import form_of

    form = form_of(platform)
    given = _typed(form, context.args) | _secrets(form, secrets_file, secrets_stdin)
    given["name"] = name or _asked(_("在本系统里的名称"), hidden=False)
    for field in form.fields:
        if field.required and not given.get(field.name):
            given[field.name] = _asked(said(field.label), hidden=field.secret)

    async def work(house: House) -> dict[str, Any]:
        from workflows.accounts import connect

        where = await _department(house, department)
        try:
            made, _health = await connect(house, system(ACTOR), platform, given, department_id=where)
        except Invalid as error:
            raise Refused([f"{field}：{said(text)}" for field, text in error.problems.items()]) from None
        return {**await told(house, made.id or 0), "push_url": _push_url(house, made)}

    return _in_house(data, work)


def _push_url(house: House, made: Account) -> str | None:
    """What the platform's back office asks for; None where nothing is pushed."""
    from workflows.accounts import push_path
    from workflows.accounts.detail import can_push

    settings = house.ctx.settings
    return settings.address + push_path(settings, made.id or 0) if can_push(house, made) else None


@contextmanager
def _errors(as_json: bool, **known: str) -> Iterator[None]:
    """Programs find the error where they look for the answer; people read it as of every command."""
    try:
        yield
    except HubError as error:
        if not as_json:
            raise
        found = {**known, "ok": False, "reasons": [said(text) for text in error.texts]}
        click.echo(json.dumps(found, ensure_ascii=False))
        sys.exit(FAILED)


def _typed(form: AccountForm, arguments: Sequence[str]) -> dict[str, str]:
    """``--field value`` or ``--field=value`` for what is no secret."""
    fields = {field.name.replace("_", "-"): field for field in form.fields}
    given: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        option, equals, value = rest.pop(0).partition("=")
        field = fields.get(option.removeprefix("--").replace("_", "-")) if option.startswith("--") else None
        if field is None:
            names = "、".join(f"--{name}" for name, one in fields.items() if not one.secret)
            fail(_("%(platform)s没有 %(option)s 这一项；可用：%(names)s",
                   platform=said(form.label), option=option, names=names), WRONG_USAGE)  # fmt: skip
        if field.secret:
            fail(_("「%(label)s」是密钥，不要写在命令行上：别人看得到。请用 %(variable)s 或 --secrets-file。",
                   label=said(field.label), variable=_variable(field)), WRONG_USAGE)  # fmt: skip
        if not equals and not rest:
            fail(_("%(option)s 后面缺少值", option=option), WRONG_USAGE)
        given[field.name] = value if equals else rest.pop(0)
    return given


def _variable(field: Field) -> str:
    return VARIABLE + field.name.upper()


def _secrets(form: AccountForm, file: Path | None, from_stdin: bool) -> dict[str, str]:
    """From the environment, then a file, then standard input; the later wins."""
    found = {f.name: os.environ[_variable(f)] for f in form.fields if _variable(f) in os.environ}
    if file is not None:
        found |= _pairs(file.read_text("utf-8"))
    if from_stdin:
        found |= _pairs(sys.stdin.read())
    known = {field.name for field in form.fields}
    if unknown := sorted(set(found) - known):
        fail(_("没有这些密钥项：%(names)s", names="、".join(unknown)), WRONG_USAGE)
    return found


def _pairs(text: str) -> dict[str, str]:
    """Lines NAME=VALUE, or one JSON object. What stands there is never repeated in a message."""
    try:
        if text.lstrip().startswith("{"):
            return {str(name): str(value) for name, value in json.loads(text).items()}
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        return {name.strip(): value.strip() for name, value in (line.split("=", 1) for line in lines)}
    except (ValueError, AttributeError):
        fail(_("密钥的写法不对：每行 名称=值，或一个 JSON 对象"), WRONG_USAGE)


def _asked(label: str, *, hidden: bool) -> str:
    """Ask in a terminal; elsewhere it stays empty, and the check says what is missing."""
    return str(click.prompt(label, hide_input=hidden, err=True)) if sys.stdin.isatty() else ""


async def _department(house: House, wanted: str) -> int | None:
    if not wanted:
        return None
    async with reading(house.ctx) as unit:
        same = (Department.code == wanted) | (Department.name == wanted) | (Department.short_name == wanted)
        found = await unit.first(select(Department).where(same))
    if found is None:
        raise NotFound(_("没有「%(name)s」这个部门。", name=wanted))
    return found.id


@account.command(help=_("向平台核对一个账号：连接、授权、调用额度"))
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help=_("以一行 JSON 输出结果"))
@data_option
def check(name: str, as_json: bool, data: str | None) -> None:
    """Ask the platform; exit 0 when all is well, 1 with the reasons when not."""

    async def work(house: House) -> dict[str, Any]:
        from workflows.accounts import check as ask

        number = await _number(house, name)
        try:
            health = await ask(house, system(ACTOR), number)
        except Refused as error:
            return {**await told(house, number), "ok": False, "reasons": [said(one) for one in error.reasons]}
        found = await told(house, number)
        return {**found, "platform_name": health.account_name, "note": health.note}

    with _errors(as_json, name=name):
        found = _in_house(data, work)
    _show(found, as_json)
    if not found["ok"]:
        sys.exit(FAILED)


async def _number(house: House, name: str) -> int:
    async with reading(house.ctx) as unit:
        found = await unit.first(select(Account).where(Account.name == name))
    if found is None or found.id is None:
        raise NotFound(_("没有名称为「%(name)s」的账号；hub account list 列出全部。", name=name))
    return found.id


@account.command("list", help=_("列出全部账号和各自的状态"))
@click.option("--json", "as_json", is_flag=True, help=_("每个账号一行 JSON"))
@data_option
def list_(as_json: bool, data: str | None) -> None:
    """Every account by name."""

    async def work(house: House) -> list[dict[str, Any]]:
        async with reading(house.ctx) as unit:
            numbers = await unit.all(select(col(Account.id)).order_by(col(Account.name)))
        return [await told(house, number or 0) for number in numbers]

    found = _in_house(data, work)
    if as_json:
        for one in found:
            click.echo(json.dumps(one, ensure_ascii=False))
        return
    _table(found)


def _table(found: Iterable[dict[str, Any]]) -> None:
    # What is wrong and what to do is told in full, however narrow the window.
    table = Table(_("名称"), _("平台"), _("状态"), Column(_("问题"), overflow="fold"))
    for one in found:
        table.add_row(plain(one["name"]), one["platform"], _health(one), plain("；".join(map(said, one["reasons"]))))
    Console(markup=False, highlight=False).print(table)


def _health(one: dict[str, Any]) -> str:
    from workflows.accounts import Health

    return health_words(Health(one["health"]))


def _show(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    _table([found])
    for budget in found["budgets"]:
        click.echo(_budget(budget))
    if found.get("push_url"):
        click.echo(_("推送地址，填到平台后台（含口令，不要外传）：%(url)s", url=found["push_url"]))


def _budget(one: dict[str, Any]) -> str:
    """One window as the account's page says it."""
    from workflows.metering import words_of_calls, words_of_span

    ends = one["resets_at"]
    resets = _("%(time)s 重新计算", time=moment(datetime.fromisoformat(ends))) if ends else _("还没有用过")
    return _(
        "调用额度 %(calls)s（%(span)s）：已用 %(used)s / %(most)s，还剩 %(left)s，%(resets)s",
        calls=said(words_of_calls(one["calls"])), span=said(words_of_span(timedelta(seconds=one["seconds"]))),
        used=one["used"], most=one["most"], left=one["left"], resets=resets,
    )  # fmt: skip


def _in_house(data: str | None, work: Callable[[House], Awaitable[T]]) -> T:
    async def run() -> T:
        house = open_house(prepared(data))
        try:
            return await work(house)
        finally:
            await house.close()

    return asyncio.run(run())
