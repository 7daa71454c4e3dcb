"""Monitoring plans and what they hit, for reading; plans are set on their page."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from hub import clock
from hub.i18n import N_
from hub.models import CaseState, MessageKind, PlanMode, WatchPlan
from hub.rights import May
from web.api.operation import Call, mark_of, next_of, operation
from web.api.schema import Answer, Moment, Page, PageQuery
from workflows.watching import hits, service
from workflows.watching.hits import HitRow


def _in_calendar(day: date) -> date:
    """Calendars have ends; what lies beyond them is a slip."""
    if not date(2000, 1, 1) <= day < date(2100, 1, 1):
        raise ValueError(N_("时间须在 2000 年至 2099 年之间。"))
    return day


Day = Annotated[date, AfterValidator(_in_calendar), WithJsonSchema({"type": "string", "format": "date"})]


class PlanItem(Answer):
    """One plan as it is set, and how much it hit of what the asking person may see."""

    id: int
    name: str
    mode: PlanMode = Field(description=N_("simple：四类词；expert：表达式。"))
    classes: dict[str, list[str]] = Field(description=N_("simple 的词，按类：place、subject、person、event、stop。"))
    expression: str
    stop: str = Field(description=N_("expert 的排除规则。"))
    says: str = Field(description=N_("方案的意思，一句话。"))
    is_active: bool
    alert_count: int = Field(description=N_("命中多少条报警；0 表示不报警。"))
    alert_minutes: int
    owner_name: str
    changed_at: Moment
    version: int
    hits_day: int = Field(description=N_("最近 24 小时的命中。"))
    hits_week: int = Field(description=N_("最近 7 天的命中。"))
    last_hit_at: Moment | None
    open_alerts: int = Field(description=N_("还没有人看过的报警。"))


class PlanPage(Page[PlanItem]):
    """All plans at once; ``next`` is always null."""


class HitsQuery(PageQuery):
    """Hits of one day of the office, or of all."""

    day: Day | None = Field(default=None, description=N_("只要这一天写下的；不写就是全部。"))


class HitItem(Answer):
    """One message the plan hit; personal data are masked."""

    message_id: int
    at: Moment = Field(description=N_("留言写下的时间。"))
    words: list[str] = Field(description=N_("命中的词。"))
    title: str
    text: str = Field(description=N_("命中处前后的一段。"))
    kind: MessageKind
    account: str
    author_name: str
    topic: str
    subtopic: str
    sentiment: str
    emotion: str
    is_sensitive: bool
    url: str
    case_number: str = Field(description=N_("所在工单的编号；没有则为空。"))
    case_state: CaseState | None
    department: str


class HitPage(Page[HitItem]):
    """Hits, the newest first."""


@operation("GET", "/plans", N_("全部监测方案"), scope="plans:read", needs=May.read_opinion)
async def list_plans(call: Call[None, None]) -> PlanPage:
    """Every plan, active ones first."""
    return PlanPage(items=await _items(call, list(await service.plans(call.unit, call.actor))))


@operation("GET", "/plans/{plan_id:int}", N_("一个监测方案"), scope="plans:read", needs=May.read_opinion)
async def get_plan(call: Call[None, None]) -> PlanItem:
    """One plan."""
    plan = await service.find(call.unit, call.actor, call.places["plan_id"])
    return (await _items(call, [plan]))[0]


@operation(
    "GET", "/plans/{plan_id:int}/hits", N_("监测方案的命中，新的在前"), scope="plans:read", needs=May.read_opinion
)  # fmt: skip
async def list_hits(call: Call[HitsQuery, None]) -> HitPage:
    """What a plan hit."""
    plan = await service.find(call.unit, call.actor, call.places["plan_id"])
    page = await hits.newest(
        call.unit, call.actor, plan.id or 0, after=mark_of(call), day=call.query.day, limit=call.query.limit
    )
    return HitPage(items=list(map(_hit, page.rows)), next=next_of(call, page.after))


async def _items(call: Call[None, None], plans: list[WatchPlan]) -> list[PlanItem]:
    unit, actor, now = call.unit, call.actor, clock.now()
    day = await hits.counts(unit, actor, now - timedelta(days=1))
    week = await hits.counts(unit, actor, now - timedelta(days=7))
    last = await hits.newest_by_plan(unit, actor)
    alerts = [alert.plan_id for alert in await hits.alerts(unit, actor)]
    return [
        PlanItem(
            id=plan.id or 0, name=plan.name, mode=plan.mode, classes=plan.classes, expression=plan.expression,
            stop=plan.stop, says=service.explained(plan), is_active=plan.is_active, alert_count=plan.alert_count,
            alert_minutes=plan.alert_minutes, owner_name=plan.owner_name, changed_at=plan.changed_at,
            version=plan.version, hits_day=day[plan.id or 0], hits_week=week[plan.id or 0],
            last_hit_at=last.get(plan.id or 0), open_alerts=alerts.count(plan.id or 0),
        )
        for plan in plans
    ]  # fmt: skip


def _hit(row: HitRow) -> HitItem:
    return HitItem(
        message_id=row.message_id, at=row.at, words=row.words,
        title="".join(piece.text for piece in row.title), text="".join(piece.text for piece in row.text),
        kind=row.kind, account=row.account, author_name=row.author_name, topic=row.topic, subtopic=row.subtopic,
        sentiment=row.sentiment, emotion=row.emotion, is_sensitive=row.is_sensitive, url=row.url,
        case_number=row.number, case_state=row.state,
        department=row.department,
    )  # fmt: skip


OPERATIONS = (list_plans, get_plan, list_hits)
