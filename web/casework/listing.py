"""The list at the left of casework pages: which cases, narrowed by the address, with the way to the next ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from hub import clock
from hub.db import Unit
from hub.i18n import _
from hub.models import CaseClass, CaseState
from hub.rights import Actor, May
from web.casework.narrowing import TODAY, WEEK, Field, Narrowing, since, times
from web.casework.words import capped, classes, states
from web.request import me
from workflows.cases import lists
from workflows.cases.lists import Counts, Filters, Page, Which
from workflows.inbox import words

VIEWS = (Which.mine, Which.all)


@dataclass(frozen=True, slots=True)
class Listing:
    """What the pane shows. ``tabs``: the person's views with their counts."""

    which: Which
    page: Page
    narrowing: Narrowing
    tabs: list[dict[str, Any]]
    is_first: bool

    def href(self, key: object) -> str:
        """The page of one case, with this list beside it."""
        return self.narrowing.href(f"/cases/{key}", after=None)


async def listing(request: Request, unit: Unit, *, heading: bool = True) -> Listing:
    """One page of the list the address asks for. ``heading``: with tabs and choices, which cost two statements more."""
    actor = me(request)
    choices = await lists.choices(unit, actor) if heading else lists.Choices([], [])
    narrowing = Narrowing(request, "/cases", _fields(actor, choices), keep=("which",))
    which, after = _which(narrowing, actor), request.query_params.get("after", "")
    page = await lists.page(unit, actor, which, _filters(narrowing), after=after)
    tabs = _tabs(narrowing, which, actor, await lists.counts(unit, actor)) if heading else []
    return Listing(which, page, narrowing, tabs, not after)


def _which(narrowing: Narrowing, actor: Actor) -> Which:
    wanted = narrowing.member("which", Which)
    if wanted in VIEWS:
        return wanted
    # A search, and people who answer no cases themselves, look at everything they may see.
    return Which.mine if has_own(actor) and not narrowing.get("q") else Which.all


def has_own(actor: Actor) -> bool:
    """Whether the person works on cases of a department."""
    return actor.can(May.sign) or actor.can(May.draft_reply)


def _fields(actor: Actor, choices: lists.Choices) -> list[Field]:
    departments = [Field("department", _("承办单位"), choices.departments)] if len(choices.departments) > 1 else []
    return [
        Field("state", _("状态"), states()),
        *departments,
        Field("topic", _("主题"), words.topics()),
        Field("sentiment", _("情感"), words.sentiments()),
        Field("urgency", _("紧急程度"), classes()),
        Field("account", _("账号"), choices.accounts),
        Field("when", _("来信时间"), times()),
        Field("answered", _("答复时间"), [(TODAY, _("今天答复")), (WEEK, _("本周答复"))]),
        Field("late", _("已超时")),
        Field("sensitive", _("敏感")),
    ]


def _filters(narrowing: Narrowing) -> Filters:
    return Filters(
        state=narrowing.member("state", CaseState), department_id=narrowing.number("department"),
        topic=narrowing.get("topic"), sentiment=narrowing.get("sentiment"), account_id=narrowing.number("account"),
        urgency=narrowing.member("urgency", CaseClass), late=bool(narrowing.get("late")),
        sensitive=bool(narrowing.get("sensitive")), text=narrowing.get("q"),
        written_since=since(narrowing.get("when"), clock.now()),
        answered_since=since(narrowing.get("answered"), clock.now()),
    )  # fmt: skip


def _tabs(narrowing: Narrowing, which: Which, actor: Actor, counts: Counts) -> list[dict[str, Any]]:
    state, late = narrowing.get("state"), narrowing.get("late")
    everything = {"text": _("全部"), "href": "/cases?which=all", "current": which is Which.all and not late}
    if not has_own(actor):
        overdue = {"text": _("已超时"), "href": "/cases?which=all&late=1", "current": bool(late)}
        return [everything, overdue]
    mine = which is Which.mine
    return [
        {
            "text": _("待办"), "href": "/cases?which=mine", "count": capped(counts.open),
            "current": mine and not state and not late,
        },
        {
            "text": _("待签收"), "href": "/cases?which=mine&state=dispatched", "count": capped(counts.unsigned),
            "current": mine and state == CaseState.dispatched,
        },
        {
            "text": _("已超时"), "href": "/cases?which=mine&late=1", "count": capped(counts.late),
            "current": mine and bool(late),
        },
        everything,
    ]  # fmt: skip
