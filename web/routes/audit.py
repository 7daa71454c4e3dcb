"""The audit log: what people did, and whether the record is whole."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select
from starlette.requests import Request
from starlette.responses import Response

from hub import audit, clock
from hub.db import Context, reading, unit_of_work
from hub.i18n import _
from hub.models import AuditEntry
from hub.rights import Actor, May
from web import admin
from web.auditwords import deed, deeds
from web.request import house, looking, me
from web.routes.table import PageRoute
from web.templating import part_of, redirect, render

PAGE = 50


@dataclass
class Check:
    """The last check of the chain in this process."""

    by: str = ""
    running: asyncio.Task[None] | None = None
    done_at: datetime | None = None
    rows: int = 0
    broken_at: int | None = None
    failed: bool = False

    @property
    def is_running(self) -> bool:
        """Whether one is under way."""
        return self.running is not None and not self.running.done()


async def index(request: Request) -> Response:
    """Entries, newest first."""
    async with looking(request) as unit:
        wanted = select(AuditEntry).where(*_conditions(request)).order_by(col(AuditEntry.id).desc())
        entries = list(await unit.all(wanted.limit(PAGE + 1)))
    older = entries[PAGE - 1].id if len(entries) > PAGE else None
    asked = request.query_params
    facts = {
        "tabs": admin.tabs(me(request), "/admin/audit"),
        "entries": entries[:PAGE],
        "older": str(request.url.include_query_params(before=older).query) if older else "",
        "what": asked.get("what", ""),
        "who": asked.get("who", ""),
        "object": asked.get("object", ""),
        "deeds": deeds(),
        "deed": deed,
        "check": _check(request),
    }
    return await render(request, "admin/audit.html", facts, part=part_of(request, "check"))


def _conditions(request: Request) -> list[ColumnElement[bool]]:
    asked, found = request.query_params, []
    before = asked.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 18:
        found.append(col(AuditEntry.id) < int(before))
    if what := asked.get("what", ""):
        found.append(col(AuditEntry.what) == what[:64])
    if who := asked.get("who", "").strip():
        found.append(col(AuditEntry.by_name) == who[:100])
    if thing := asked.get("object", "").strip():
        found.append(col(AuditEntry.object) == thing[:100])
    return found


def _check(request: Request) -> Check:
    state: Any = request.app.state
    if not hasattr(state, "audit_check"):
        state.audit_check = Check()
    found: Check = state.audit_check
    return found


async def verify(request: Request) -> Response:
    """Check the whole chain in the background; the page shows how it ends. One at a time."""
    check, actor = _check(request), me(request)
    if not check.is_running:
        check.by = actor.name
        check.running = asyncio.create_task(_verify(house(request).ctx, check, actor))
        tasks: set[asyncio.Task[None]] = request.app.state.tasks
        tasks.add(check.running)
        check.running.add_done_callback(tasks.discard)
    return redirect(request, "/admin/audit", _("正在校验，稍后显示结果。"))


async def _verify(ctx: Context, check: Check, actor: Actor) -> None:
    try:
        async with reading(ctx) as unit:
            verdict = await audit.verify(unit)
    except SQLAlchemyError:
        check.failed = True
        return
    check.rows, check.broken_at, check.done_at, check.failed = verdict.rows, verdict.broken_at, clock.now(), False
    async with unit_of_work(ctx) as unit:
        await audit.record(unit, actor, "audit.verify", rows=verdict.rows, broken_at=verdict.broken_at)


ROUTES = [
    PageRoute("/admin/audit", index, May.read_audit),
    PageRoute("/admin/audit/verify", verify, May.read_audit, ("POST",)),
]
