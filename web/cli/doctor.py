"""``hub doctor``: is everything in order, and if not, what to do."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import shutil
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import click
from dotenv import dotenv_values
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import exists
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, func, select

from hub import audit, clock, migrations
from hub.db import Unit, open_context, reading, sqlite_file
from hub.i18n import _, exact, listed, ngettext
from hub.models import Account, AuditEntry, Heartbeat, Role, Stream
from hub.people import staff
from hub.policy import packs
from hub.settings import Settings
from web.cli.data import prepared
from web.cli.frame import FAILED, data_option
from web.cli.plain import plain
from web.cli.trouble import explained
from web.templating import STATIC
from workflows import vitals
from workflows.accounts import needs_person

LEAST_SPACE_MB = 500
LEAST_KEY = 32
# Accounts in trouble that are named.
MOST_NAMED = 20
OLDEST_BEAT = timedelta(seconds=15)
# Clocks of several machines are never quite the same.
AHEAD = timedelta(seconds=10)
# Read by run.py and by the build, not by the hub.
OTHERS_NAMES = frozenset({"HUB_VENV"})
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. ``advice`` says what to do when it is not ``ok``."""

    name: str
    ok: bool
    said: str
    advice: str = ""


Check = Callable[[Settings], Awaitable[Finding]]


@click.command(help=_("检查设置、数据库、队列、账号、时钟与字体；有问题时退出码为 1，并说明怎么办"))
@click.option("--json", "as_json", is_flag=True, help=_("以 JSON 输出结果"))
@data_option
def doctor(as_json: bool, data: str | None) -> None:
    """Look at everything; one trouble never hides another."""
    found = asyncio.run(_look(prepared(data)))
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False))
    else:
        _show(found)
    sys.exit(0 if all(one.ok for one in found) else FAILED)


def _show(found: Sequence[Finding]) -> None:
    table = Table()
    for head in (_("检查"), _("结果"), _("情况"), _("怎么办")):
        table.add_column(head, overflow="fold")  # advice cut short is none
    for one in found:
        mark = _("正常") if one.ok else _("有问题")
        colour = "green" if one.ok else "red"
        table.add_row(one.name, Text(mark, colour), plain(one.said), "" if one.ok else plain(one.advice))
    Console(markup=False, highlight=False).print(table)


async def _look(settings: Settings) -> list[Finding]:
    return [await check(settings) for check in CHECKS]


async def _settings(settings: Settings) -> Finding:
    """Values were checked when they were read; a name with a slip of the pen is read by nobody."""
    meant = {f"HUB_{name.upper()}" for name in Settings.model_fields} | OTHERS_NAMES
    given = {name for name in os.environ if name.startswith("HUB_")} | _named_in(settings.data / "hub.env")
    unknown = sorted(name for name in given - meant if not name.startswith("HUB_TEST_"))
    said = _("没有这些设置：%(names)s", names=listed(unknown)) if unknown else _("名称与取值都认识")
    return Finding(_("设置"), not unknown, said, _("请核对拼写，全部设置见 docs/reference/settings.md"))


def _named_in(note: Path) -> set[str]:
    return (
        {name.upper() for name in dotenv_values(note) if name.upper().startswith("HUB_")} if note.is_file() else set()
    )


async def _folder(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.data).free // 2**20
    advice = _("请清理磁盘，或用 HUB_DATA 换一个数据目录")
    if not os.access(settings.data, os.W_OK | os.X_OK):
        said = _("%(path)s，不能写入", path=settings.data)
        return Finding(_("数据目录"), False, said, _("请检查目录的所有者与权限"))
    return Finding(
        _("数据目录"), free > LEAST_SPACE_MB, _("%(path)s，剩余 %(n)s MB", path=settings.data, n=free), advice
    )


async def _modes(settings: Settings) -> Finding:
    """Citizens' messages and personal data lie there; the secrets in them are sealed besides."""
    file = sqlite_file(settings.database)
    files = [file.with_name(file.name + end) for end in ("", "-wal", "-shm")] if file else []
    found = [(path, mode) for path, mode in ((settings.data, 700), *((one, 600) for one in files)) if _is_open(path)]
    if not found:
        return Finding(_("文件权限"), True, _("同机的其他人读不到"))
    said = _("同机的其他人可读：%(names)s", names=listed([str(path) for path, _mode in found]))
    command = " && ".join(f"chmod {mode} {shlex.quote(str(path))}" for path, mode in found)
    return Finding(_("文件权限"), False, said, _("请执行 %(command)s", command=command))


def _is_open(path: Path) -> bool:
    """Whether others of this machine may look into it; where there are no such rights nobody can say."""
    return os.name == "posix" and path.exists() and path.stat().st_mode & 0o007 != 0


async def _keys(settings: Settings) -> Finding:
    path, name = settings.data / "secret.key", _("密钥文件")
    if settings.secret_key and len(settings.secret_key) < LEAST_KEY:
        advice = _("请换成随机的 32 个以上字符，旧值放进 HUB_OLD_KEYS，再执行 hub key rotate")
        return Finding(name, False, _("HUB_SECRET_KEY 太短，猜得出来"), advice)
    if path.exists() and path.stat().st_mode & 0o077 != 0:
        return Finding(name, False, _("他人可读"), _("请执行 chmod 600 %(path)s", path=path))
    if lost := await _read(settings, _unopened):
        advice = _("请把原来的密钥放回 secret.key 或写进 HUB_OLD_KEYS；找不回来的，在账号页重新填写凭据")
        return Finding(name, False, _("打不开这些账号的凭据：%(names)s", names=listed(lost[:MOST_NAMED])), advice)
    return Finding(name, True, _("在 HUB_SECRET_KEY 中") if settings.secret_key else _("仅本人可读"))


async def _unopened(unit: Unit) -> Sequence[str]:
    """The accounts whose secrets no known key opens."""
    names = []
    sealed_ones = select(Account.name, Account.sealed).where(Account.sealed != "")
    rows = await unit.rows(sealed_ones.order_by(col(Account.name)))
    for name, sealed in rows:
        try:
            unit.ctx.vault.open(sealed)
        except ValueError:
            names.append(name)
    return names


async def _database(settings: Settings) -> Finding:
    try:
        differences = await asyncio.to_thread(migrations.differences, settings.database)
    except (SQLAlchemyError, OSError, sqlite3.Error) as error:
        said = explained(error) or str(error).splitlines()[0][:120]
        return Finding(_("数据库"), False, said, _("请检查 HUB_DB_URL 与数据库服务"))
    said = _("结构与代码一致") if not differences else _("结构落后于代码")
    return Finding(_("数据库"), not differences, said, _("请执行 hub migrate"))


async def _queue(settings: Settings) -> Finding:
    ok = await vitals.queue_answers(settings)
    said = _("有应答") if ok else _("没有应答")
    return Finding(_("队列"), ok, said, _("请启动 Valkey 或 Redis，并检查 HUB_REDIS_URL；没有它只是慢一些，不会丢内容"))


async def _worker(settings: Settings) -> Finding:
    newest = select(Heartbeat).where(Heartbeat.kind == "worker").order_by(col(Heartbeat.at).desc())
    beat = await _read(settings, lambda unit: unit.first(newest.limit(1)))
    ok = beat is not None and clock.now() - beat.at < OLDEST_BEAT and not vitals.has_ended(beat.data)
    said = _("正在运行") if ok else _("没有运行")
    return Finding(_("后台任务"), ok, said, _("请启动 hub worker；没有它不收信、不打标、不发送"))


async def _accounts(settings: Settings) -> Finding:
    async def ask(unit: Unit) -> Finding:
        used = await unit.one(select(func.count(col(Account.id))).where(col(Account.is_active)))
        troubled = needs_person(clock.now()) | exists().where(
            col(Stream.account_id) == col(Account.id), col(Stream.failures) > 0, col(Account.is_active)
        )
        wanted = select(Account.name).where(troubled).order_by(col(Account.name)).limit(MOST_NAMED)
        named: Sequence[str] = await unit.all(wanted)
        names = listed(named)
        said = _("%(n)s 个启用", n=used) if not names else _("有问题：%(names)s", names=names)
        return Finding(_("账号"), not names, said, _("请在网页「账号」中查看原因并按提示处理"))

    return await _read(settings, ask) or _unread(_("账号"))


async def _administrator(settings: Settings) -> Finding:
    async def ask(unit: Unit) -> Finding:
        found = await staff.with_role(unit, Role.administrator)
        advice = _("请执行 hub user add 用户名 --role administrator --name 姓名 --department 部门")
        return Finding(_("管理员"), bool(found), ngettext("%(n)s 人", "%(n)s 人", len(found)), advice)

    return await _read(settings, ask) or _unread(_("管理员"))


async def _chain(settings: Settings) -> Finding:
    async def ask(unit: Unit) -> Finding:
        verdict = await audit.verify(unit)
        if verdict.broken_at is None:
            return Finding(_("审计日志"), True, _("完整，共 %(rows)s 条", rows=verdict.rows))
        said = _("第 %(id)s 条对不上", id=verdict.broken_at)
        return Finding(_("审计日志"), False, said, _("数据被人改动过，请保留现场并报告"))

    return await _read(settings, ask) or _unread(_("审计日志"))


def _unread(name: str) -> Finding:
    return Finding(name, False, _("读不到"), _("请先处理数据库"))


async def _clock(settings: Settings) -> Finding:
    """A clock set back lets deadlines and chains contradict what is written already."""
    latest = await _read(settings, lambda unit: unit.first(select(func.max(AuditEntry.at))))
    said = f"{clock.local(clock.now()):%Y-%m-%d %H:%M} {settings.timezone}"
    ok = latest is None or latest < clock.now() + AHEAD
    return Finding(
        _("时钟"), ok, said, _("最近的记录写于 %(at)s，时钟被调慢了，请校时", at=exact(latest) if latest else "")
    )


async def _calendar(settings: Settings) -> Finding:
    day = clock.today() + timedelta(days=30)
    known = not packs.in_force(settings.data).calendar.is_provisional(day)
    advice = _("还没有 %(year)s 年的放假安排，期限为暂算；放假通知发布后请更新 hub/policy/days.toml", year=day.year)
    said = _("%(year)s 年的放假安排已知", year=day.year) if known else _("%(year)s 年为暂算", year=day.year)
    return Finding(_("工作日历"), known, said, advice)


async def _front_end(settings: Settings) -> Finding:
    missing = [name for name in ("app.js", "app-style.css", "icons.svg") if not (STATIC / name).exists()]
    fonts = len(list((STATIC / "fonts").glob("*.woff2"))) if (STATIC / "fonts").exists() else 0
    ok = not missing and fonts > 0
    said = _("网页文件齐全，字体 %(n)s 片", n=fonts) if ok else _("缺少：%(names)s", names=listed(missing) or "fonts")
    return Finding(_("网页文件与字体"), ok, said, _("请重新安装：python3 run.py demo"))


async def _read(settings: Settings, ask: Callable[[Unit], Awaitable[T]]) -> T | None:
    """What is found in the database, or None when it cannot be read: its own check says why."""
    try:
        ctx = open_context(settings)
    except SQLAlchemyError:
        return None
    try:
        async with reading(ctx) as unit:
            return await ask(unit)
    except (SQLAlchemyError, OSError):
        return None
    finally:
        await ctx.close()


CHECKS: tuple[Check, ...] = (
    _settings, _folder, _modes, _keys, _database, _queue, _worker, _administrator, _accounts, _chain, _clock, _calendar,
    _front_end,
)  # fmt: skip
