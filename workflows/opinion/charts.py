"""Series as charts take them: plain lists with names in the reader's language."""

from __future__ import annotations

from typing import Any

from hub.i18n import N_, _
from workflows.opinion.leaders import LeadersPage

SENTIMENT_NAMES = {"negative": N_("负面"), "neutral": N_("中性"), "positive": N_("正面")}
# Topic names are the taxonomy's own words; they are in the catalogue like any other text.
TOPIC_NAMES = {
    "城乡建设": N_("城乡建设"),
    "劳动和社会保障": N_("劳动和社会保障"),
    "教育文体": N_("教育文体"),
    "商贸旅游": N_("商贸旅游"),
    "环境保护": N_("环境保护"),
    "卫生计生": N_("卫生计生"),
    "交通运输": N_("交通运输"),
    "": N_("未分类"),
}
Chart = dict[str, Any]


def messages(page: LeadersPage) -> Chart:
    """{"days": ["2026-11-23", …], "series": [{"key", "name", "values"}]}: all messages by day."""
    return _chart(page, [("messages", _("留言"), page.messages)])


def sentiments(page: LeadersPage) -> Chart:
    """As :func:`messages`, one series per sentiment."""
    return _chart(page, [(key, _(SENTIMENT_NAMES[key]), values) for key, values in page.sentiments.items()])


def topics(page: LeadersPage) -> Chart:
    """As :func:`messages`, one series per topic, the most frequent first."""
    return _chart(page, [(key, _(TOPIC_NAMES.get(key, key)), values) for key, values in page.topics.items()])


def late(page: LeadersPage) -> Chart:
    """{"departments": [{"id", "name"}], "values": […]}: late cases by department, the most first."""
    named = [{"id": one.department_id, "name": one.department or _("未派单")} for one in page.late_at]
    return {"departments": named, "values": [one.cases for one in page.late_at]}


def _chart(page: LeadersPage, series: list[tuple[str, str, tuple[int, ...]]]) -> Chart:
    return {
        "days": [day.isoformat() for day in page.days],
        "series": [{"key": key, "name": name, "values": list(values)} for key, name, values in series],
    }
