"""Reports: the leaders' figures and series, from rollups."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from hub import clock
from hub.i18n import N_
from hub.rights import May
from web.api.operation import Call, operation
from web.api.schema import Answer, Moment, Query, When
from workflows.opinion import leaders


def _offered(days: int) -> int:
    if days not in leaders.DAYS:
        raise ValueError(N_("只能是 14 或 30。"))
    return days


Days = Annotated[int, AfterValidator(_offered), WithJsonSchema({"type": "integer", "enum": list(leaders.DAYS)})]


class LeadersQuery(Query):
    """Of which moment, over how many days."""

    days: Days = Field(default=leaders.DAYS[0], description=N_("趋势有几天。"))
    at: When | None = Field(default=None, description=N_("截至什么时候；不写就是现在。"))


class Figure(Answer):
    """A count now and over the same hours one day or week before."""

    now: int
    before: int
    change: float | None = Field(description=N_("增减的比例；之前没有时为 null。"))


class HotPoint(Answer):
    """A sentence of the matter, word for word from message ``message_id``, personal data masked."""

    message_id: int
    text: str
    kind: str = Field(description=N_("main：主要的说法；other：不同的声音。"))


class HotMatter(Answer):
    """A matter many speak about; ``today`` and ``yesterday`` count the last 24 hours and the 24 before."""

    id: int
    name: str
    messages: int
    copies: int
    people: int
    likes: int
    reposts: int
    today: int
    yesterday: int
    first_at: Moment
    last_at: Moment


class Hot(Answer):
    """A hot matter and what is said about it."""

    matter: HotMatter = Field(validation_alias="row")
    points: list[HotPoint]


class Late(Answer):
    """How many open cases are late at one department, and the oldest deadline."""

    department_id: int | None
    department: str
    cases: int
    oldest: Moment


class Answered(Answer):
    """Answers sent since Monday."""

    this_week: int
    median_hours: float | None


class LeadersReport(Answer):
    """Figures and series; each series has one value per office day of ``days``, the last is today."""

    at: Moment
    today: Figure
    week: Figure
    sensitive_today: int
    days: list[date]
    messages: list[int]
    sentiments: dict[str, list[int]]
    topics: dict[str, list[int]]
    hottest: list[Hot]
    late: int
    late_at: list[Late]
    answers: Answered


@operation("GET", "/reports/leaders", N_("领导看的数字和趋势"), scope="reports:read", needs=May.read_opinion)
async def leaders_report(call: Call[LeadersQuery, None]) -> LeadersReport:
    """The leaders' page as data."""
    at = call.query.at or clock.now()
    return LeadersReport.model_validate(await leaders.page(call.unit, call.actor, at, days=call.query.days))


OPERATIONS = (leaders_report,)
