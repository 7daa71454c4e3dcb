"""Commands on the audit log."""

from __future__ import annotations

import asyncio

import click
from sqlmodel import func, select

from hub import audit as chain
from hub.db import open_context, reading
from hub.i18n import _
from hub.models import AuditEntry
from hub.settings import Settings
from web.cli.data import prepared
from web.cli.frame import data_option, fail
from web.cli.progress import counting


@click.group(help=_("审计日志"))
def audit() -> None:
    """Group of audit commands."""


@audit.command(help=_("校验审计日志的哈希链，指出第一条被改动的记录"))
@data_option
def verify(data: str | None) -> None:
    """Walk the chain; exit 1 and name the row when it is broken."""
    verdict = asyncio.run(_verify(prepared(data)))
    if verdict.broken_at is not None:
        fail(_("第 %(id)s 条审计记录被改动，或它之前有记录被删除", id=verdict.broken_at))
    click.echo(_("审计日志完整，共 %(rows)s 条", rows=verdict.rows))


async def _verify(settings: Settings) -> chain.Verdict:
    ctx = open_context(settings)
    try:
        async with reading(ctx) as unit:
            total = await unit.one(select(func.count()).select_from(AuditEntry))
            with counting(_("正在校验"), total) as progress:
                return await chain.verify(unit, progress=progress)
    finally:
        await ctx.close()
