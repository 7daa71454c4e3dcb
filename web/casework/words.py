"""How casework pages say things: clocks, tones of states, links that are safe to follow. One set for all rooms."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from hub import clock
from hub.i18n import _, moment, ngettext
from hub.models import CaseClass, CaseState, DeliveryState, MessageKind
from web.casework.media import files_of, web_link
from workflows.cases.lists import MOST_COUNTED
from workflows.cases.rows import CaseRow
from workflows.cases.words import class_label, state_label
from workflows.inbox import words

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
_TONES: Mapping[CaseState, str] = {
    CaseState.new: "soon", CaseState.triaged: "soon", CaseState.dispatched: "action", CaseState.handling: "action",
    CaseState.review: "action", CaseState.replied: "done", CaseState.closed: "done",
}  # fmt: skip
_DELIVERY_TONES: Mapping[DeliveryState, str] = {
    DeliveryState.sent: "done", DeliveryState.waiting: "action", DeliveryState.sending: "action",
    DeliveryState.failed: "danger", DeliveryState.unknown: "soon", DeliveryState.held: "soon",
    DeliveryState.missed: "danger", DeliveryState.removed: "danger", DeliveryState.by_hand: "soon",
}  # fmt: skip


def state_tone(state: CaseState) -> str:
    """The colour of a state, beside its word."""
    return _TONES.get(state, "")


def delivery_tone(state: DeliveryState | None) -> str:
    """The colour of a delivery's state, beside its word."""
    return _DELIVERY_TONES.get(state, "") if state else ""


def clock_of(row: CaseRow) -> dict[str, str] | None:
    """What the clock macro shows of a case: left, due, tone, rule; None when no clock runs."""
    if row.state is CaseState.waiting:
        return {"left": _("暂停计时"), "due": "", "tone": "paused", "rule": ""}
    found = row.deadline
    if found is None:
        return None
    tone = "late" if found.is_late else "soon" if found.is_soon else ""
    rule = found.label + (_("（次年节假日未公布，日期为暂定）") if found.is_provisional else "")
    left = left_words(found.at, found.days)
    if row.state is CaseState.dispatched and found.at != row.due_at:
        left = _("签收%(left)s", left=left)
    return {"left": left, "due": moment(found.at), "tone": tone, "rule": rule}


def left_words(due_at: datetime, days: int = 0) -> str:
    """还剩 2 个工作日, 已超 3 小时. ``days``: working days between; a day and more is told in them."""
    away = due_at - clock.now()
    length = abs(away)
    if length >= DAY and days:
        return _over_days(days) if away < timedelta() else _left_days(days)
    if length >= HOUR:
        hours = int(length / HOUR)
        return _over_hours(hours) if away < timedelta() else _left_hours(hours)
    minutes = max(1, int(length.total_seconds() // 60))
    if away < timedelta():
        return ngettext("已超 %(n)s 分钟", "已超 %(n)s 分钟", minutes)
    return ngettext("还剩 %(n)s 分钟", "还剩 %(n)s 分钟", minutes)


def _over_days(n: int) -> str:
    return ngettext("已超 %(n)s 个工作日", "已超 %(n)s 个工作日", n)


def _left_days(n: int) -> str:
    return ngettext("还剩 %(n)s 个工作日", "还剩 %(n)s 个工作日", n)


def _over_hours(n: int) -> str:
    return ngettext("已超 %(n)s 小时", "已超 %(n)s 小时", n)


def _left_hours(n: int) -> str:
    return ngettext("还剩 %(n)s 小时", "还剩 %(n)s 小时", n)


def span_words(span: str) -> str:
    """A span as rules write it, in words: 15min → 15 分钟, 5wd → 5 个工作日."""
    digits = span.rstrip("abcdefghijklmnopqrstuvwxyz")
    count, unit = int(digits or 0), span[len(digits) :]
    if unit == "min":
        return ngettext("%(n)s 分钟", "%(n)s 分钟", count)
    if unit == "h":
        return ngettext("%(n)s 小时", "%(n)s 小时", count)
    if unit == "wd":
        return ngettext("%(n)s 个工作日", "%(n)s 个工作日", count)
    return ngettext("%(n)s 天", "%(n)s 天", count)


def time_words(value: str) -> str:
    """What the analyser reads in a time, in words: P3D → 3 天, T15:30 → 15:30; empty where it knows no more than the
    words it stands in."""
    if length := _LENGTH.fullmatch(value):
        return _LENGTHS[value.startswith("PT"), length[2]](int(length[1]))
    if value.startswith(("P", "-")):  # half a day, the fifth of March of no year
        return ""
    return value.removeprefix("T")


_LENGTH = re.compile(r"PT?(\d+)([YMWDH])")
_LENGTHS: Mapping[tuple[bool, str], Callable[[int], str]] = {
    (False, "Y"): lambda n: ngettext("%(n)s 年", "%(n)s 年", n),
    (False, "M"): lambda n: ngettext("%(n)s 个月", "%(n)s 个月", n),
    (False, "W"): lambda n: ngettext("%(n)s 周", "%(n)s 周", n),
    (False, "D"): lambda n: ngettext("%(n)s 天", "%(n)s 天", n),
    (True, "H"): lambda n: ngettext("%(n)s 小时", "%(n)s 小时", n),
    (True, "M"): lambda n: ngettext("%(n)s 分钟", "%(n)s 分钟", n),
}


def classes() -> list[tuple[str, str]]:
    """(value, word) of every class of urgency."""
    return [(one.value, class_label(one)) for one in CaseClass]


def capped(count: int | None) -> str | None:
    """A count as tabs show it: nobody needs to know more than 999+."""
    if count is None:
        return None
    return f"{MOST_COUNTED - 1}+" if count >= MOST_COUNTED else str(count)


def class_of(value: str) -> CaseClass | None:
    """The class a form or address names; None for anything else."""
    return CaseClass(value) if value in CaseClass.__members__ else None


def states() -> list[tuple[str, str]]:
    """(value, word) of every state of a case."""
    return [(one.value, state_label(one)) for one in CaseState]


def answer_title(kind: MessageKind) -> str:
    """公开答复, 私信答复, 答复来信: what an answer to such a message is called."""
    if kind is MessageKind.letter:
        return _("答复来信")
    return _("私信答复") if kind.is_private else _("公开答复")


def answered_as(kind: MessageKind, account: str) -> str:
    """In whose name such a message is answered."""
    if kind is MessageKind.letter:
        return _("以「%(account)s」的名义答复来信", account=account)
    if kind.is_private:
        return _("以「%(account)s」的名义私信答复", account=account)
    return _("以「%(account)s」的名义公开答复", account=account)


def tools() -> dict[str, Any]:
    """What templates of casework call by name."""
    return {
        "clock_of": clock_of, "state_tone": state_tone, "delivery_tone": delivery_tone, "state_label": state_label,
        "class_label": class_label, "topic_label": words.topic_label, "sentiment_label": words.sentiment_label,
        "kind_label": words.kind_label, "request_label": words.request_label, "cue_label": words.cue_label,
        "emotion_label": words.emotion_label, "subtopic_label": words.subtopic_label,
        "personal_labels": lambda kinds: list(map(words.personal_label, kinds)), "sure_label": words.sure_label,
        "span_words": span_words, "web_link": web_link, "files_of": files_of, "left_words": left_words,
        "time_words": time_words, "answer_title": answer_title, "answered_as": answered_as,
    }  # fmt: skip
