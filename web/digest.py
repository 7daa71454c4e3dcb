"""The leaders' page in words and charts: whole sentences from figures, series as the chart script takes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from hub.i18n import _, day, ngettext, number, percent
from web.casework.narrowing import SEVEN
from workflows.opinion import charts
from workflows.opinion.leaders import Figure, LateAt, LeadersPage

WEEK = 7
# Below this a percentage says more than there is.
FEW = 20
Chart = dict[str, Any]


def lead(page: LeadersPage) -> list[str]:
    """The page in a minute: one sentence for each thing that matters, the most urgent last."""
    said = [today(page.today), week(page.week), *_most_said(page), *_negative(page)]
    if page.sensitive_today:
        n = page.sensitive_today
        said.append(ngettext("今天有 %(n)s 条标为敏感。", "今天有 %(n)s 条标为敏感。", n))
    return [*said, answered(page), late(page)]


def today(figure: Figure) -> str:
    """Today against the same hours of yesterday."""
    if not figure.now and not figure.before:
        return _("今天还没有收到留言，昨天这个时候也没有。")
    more = figure.now - figure.before
    words = {"other": number(abs(more))}
    if more > 0:
        return ngettext(
            "今天收到 %(n)s 条留言，比昨天同一时刻多 %(other)s 条。",
            "今天收到 %(n)s 条留言，比昨天同一时刻多 %(other)s 条。",
            figure.now,
            **words,
        )
    if more < 0:
        return ngettext(
            "今天收到 %(n)s 条留言，比昨天同一时刻少 %(other)s 条。",
            "今天收到 %(n)s 条留言，比昨天同一时刻少 %(other)s 条。",
            figure.now,
            **words,
        )
    return ngettext(
        "今天收到 %(n)s 条留言，与昨天同一时刻一样多。", "今天收到 %(n)s 条留言，与昨天同一时刻一样多。", figure.now
    )


def week(figure: Figure) -> str:
    """This week since Monday against the same hours of the week before."""
    if not figure.before:
        return ngettext("本周到现在 %(n)s 条。", "本周到现在 %(n)s 条。", figure.now)
    change = figure.change or 0.0
    share = {"before": number(figure.before), "share": percent(abs(change))}
    if abs(change) < 0.005 or figure.before < FEW:
        return ngettext(
            "本周到现在 %(n)s 条，上周同期 %(before)s 条。", "本周到现在 %(n)s 条，上周同期 %(before)s 条。",
            figure.now, **share,
        )  # fmt: skip
    if change > 0:
        return ngettext(
            "本周到现在 %(n)s 条，比上周同期的 %(before)s 条增加 %(share)s。",
            "本周到现在 %(n)s 条，比上周同期的 %(before)s 条增加 %(share)s。",
            figure.now,
            **share,
        )
    return ngettext(
        "本周到现在 %(n)s 条，比上周同期的 %(before)s 条减少 %(share)s。",
        "本周到现在 %(n)s 条，比上周同期的 %(before)s 条减少 %(share)s。",
        figure.now,
        **share,
    )


def against(figure: Figure, more: Callable[[str], str], less: Callable[[str], str], same: str) -> str:
    """A figure's direction in words, for under a large figure."""
    change = figure.now - figure.before
    return same if not change else more(number(change)) if change > 0 else less(number(-change))


def against_yesterday(figure: Figure) -> str:
    """Under the figure of today."""
    return against(
        figure,
        lambda n: _("▲ 比昨天同一时刻多 %(n)s", n=n),
        lambda n: _("▼ 比昨天同一时刻少 %(n)s", n=n),
        _("与昨天同一时刻持平"),
    )


def against_last_week(figure: Figure) -> str:
    """Under the figure of the week."""
    return against(
        figure,
        lambda n: _("▲ 比上周同期多 %(n)s", n=n),
        lambda n: _("▼ 比上周同期少 %(n)s", n=n),
        _("与上周同期持平"),
    )


def _last(values: Sequence[int], days: int = WEEK, skip: int = 0) -> int:
    end = len(values) - skip
    return sum(values[max(0, end - days) : end])


def _most_said(page: LeadersPage) -> list[str]:
    total = _last(page.messages)
    topics = {name: _last(values) for name, values in page.topics.items() if name}
    if not total or not topics:
        return []
    top = max(topics, key=lambda name: topics[name])
    words = {"topic": _(charts.TOPIC_NAMES.get(top, top)), "share": percent(topics[top] / total)}
    if not topics[top]:
        return []
    return [_("近 7 天说得最多的是%(topic)s，占 %(share)s。", **words)]


def _negative(page: LeadersPage) -> list[str]:
    values = page.sentiments.get("negative", ())
    total, now, before = _last(page.messages), _last(values), _last(values, skip=WEEK)
    if not total:
        return []
    said = {"share": percent(now / total), "before": number(before)}
    return [
        ngettext(
            "近 7 天负面 %(n)s 条，占 %(share)s；再前 7 天是 %(before)s 条。",
            "近 7 天负面 %(n)s 条，占 %(share)s；再前 7 天是 %(before)s 条。",
            now,
            **said,
        )
    ]


def answered(page: LeadersPage) -> str:
    """How answering goes this week."""
    hours = page.answers.median_hours
    if hours is None:
        return _("本周还没有发出答复。")
    return ngettext(
        "本周答复 %(n)s 件，其中一半在收到后 %(span)s内答复。", "本周答复 %(n)s 件，其中一半在收到后 %(span)s内答复。",
        page.answers.this_week, span=span(hours),
    )  # fmt: skip


def late(page: LeadersPage) -> str:
    """How many cases are late, and where most of them are."""
    if not page.late:
        return _("没有超时的工单。")
    where = page.late_at[0]
    if len(page.late_at) == 1:
        return ngettext(
            "%(n)s 件工单超时未办，都在%(where)s。", "%(n)s 件工单超时未办，都在%(where)s。", page.late,
            where=where.department or _("待派单"),
        )  # fmt: skip
    return ngettext(
        "%(n)s 件工单超时未办，最多的是%(where)s，%(most)s 件。",
        "%(n)s 件工单超时未办，最多的是%(where)s，%(most)s 件。",
        page.late,
        where=where.department or _("待派单"),
        most=number(where.cases),
    )


def span(hours: float) -> str:
    """A length for people: minutes, hours, from two days on days."""
    if hours < 1:
        return ngettext("%(n)s 分钟", "%(n)s 分钟", max(1, round(hours * 60)))
    if hours < 48:
        return ngettext("%(n)s 小时", "%(n)s 小时", round(hours))
    return ngettext("%(n)s 天", "%(n)s 天", round(hours / 24))


def overdue(page: LeadersPage, late: LateAt) -> str:
    """How long the oldest clock has run over: from a day on in working days, as every list says it."""
    length = page.at - late.oldest
    if length >= timedelta(days=1):
        if late.days:
            return ngettext("%(n)s 个工作日", "%(n)s 个工作日", late.days)
        return ngettext("%(n)s 小时", "%(n)s 小时", int(length / timedelta(hours=1)))
    return span(length / timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class Share:
    """One part of a bar of 100 %."""

    text: str
    share: float
    colour: str
    href: str = ""


def behind(reads_messages: bool, when: str, **more: str) -> str:
    """The list behind a count of messages: the messages, or for who does not read those the cases made of them."""
    path, which = ("/messages", {}) if reads_messages else ("/cases", {"which": "all"})
    return f"{path}?{urlencode({**which, 'when': when, **more})}"


def shares(page: LeadersPage, reads_messages: bool) -> list[Share]:
    """Sentiments of the last seven days, each leading to what is behind it; empty when nobody wrote."""
    total = _last(page.messages)
    if not total:
        return []
    found = []
    for key, values in page.sentiments.items():
        n = _last(values)
        name = _(charts.SENTIMENT_NAMES.get(key, key))
        words = {"name": name, "n": number(n), "share": percent(n / total)}
        href = behind(reads_messages, SEVEN, sentiment=key) if n else ""
        found.append(Share(_("%(name)s %(n)s 条，%(share)s", **words), round(100 * n / total, 2), key, href))
    return found


def sentiments(page: LeadersPage) -> Chart:
    """By day, stacked, in the colours of the sentiments."""
    made = _by_day(charts.sentiments(page))
    for series, given in zip(made["series"], charts.sentiments(page)["series"], strict=True):
        series["colour"] = given["key"]
    return made


def topics(page: LeadersPage) -> Chart:
    """By day, stacked."""
    return _by_day(charts.topics(page))


def messages(page: LeadersPage) -> Chart:
    """All messages by day."""
    return _by_day(charts.messages(page)) | {"kind": "bar"}


def late_by_department(page: LeadersPage) -> Chart:
    """Lying bars with a way to the cases of each department."""
    given = charts.late(page)
    return {
        "kind": "bar",
        "horizontal": True,
        "unit": _("件"),
        "labels": [one["name"] for one in given["departments"]],
        "series": [{"name": _("超时工单"), "data": given["values"]}],
        "links": [late_href(one["id"]) for one in given["departments"]],
        "empty": _("没有超时的工单"),
    }


def late_href(department_id: int | None) -> str:
    """The list of late cases of one department (None: of all)."""
    return f"/cases?which=all&late=1&department={department_id}" if department_id else "/cases?which=all&late=1"


def _by_day(given: Chart) -> Chart:
    return {
        "kind": "stacked",
        "unit": _("条"),
        "labels": [day(date.fromisoformat(on)) for on in given["days"]],
        "series": [{"name": one["name"], "data": one["values"]} for one in given["series"]],
        "empty": _("这段时间没有留言"),
    }
