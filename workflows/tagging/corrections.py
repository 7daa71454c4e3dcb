"""A person's word about a message: kept with its reason, wins over every analyser version."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update
from sqlmodel import col, select

import nlp
from hub import audit, clock, feed
from hub.db import Unit
from hub.errors import Invalid, NotAllowed, NotFound
from hub.i18n import _
from hub.models import Case, CaseEvent, Message, Tagging
from hub.queries import visible
from hub.rights import Actor, May
from workflows.cases.suggesting import suggest
from workflows.opinion import rollups

REQUESTS = ("咨询", "求助", "投诉", "举报", "建议", "表扬")
PLACE_LENGTH = 64
# What a correction may say, and the same column of the case when the message is the case's first.
_CASE_COLUMNS = ("topic", "sentiment", "is_sensitive", "place")


async def correct(
    unit: Unit,
    actor: Actor,
    message_id: int,
    *,
    topic: str | None = None,
    sentiment: str | None = None,
    sensitive: bool | None = None,
    place: str | None = None,
    request: str | None = None,
    reason: str,
) -> Tagging:
    """Set right what the analyser said; None leaves a tag as it is, "" clears topic, place or request.

    Moves the figures, writes the audit log and the history of the case (whose own tags follow when this is its first
    message; where it lies stays). NotAllowed without the right, NotFound when the person may not see the message,
    Invalid per field, for a missing reason, and when nothing would change. Said twice, the second is that last case.
    """
    if not actor.can(May.correct_tags) or actor.user_id is None:
        raise NotAllowed(_("没有修正标签的权限"))
    message = await unit.first(select(Message).where(col(Message.id) == message_id, visible.messages(actor)))
    if message is None:
        raise NotFound(_("没有这条留言"))
    given = {"topic": topic, "sentiment": sentiment, "is_sensitive": sensitive, "place": place, "request": request}
    changed = _changed(message, given, reason)
    before = {name: getattr(message, name) for name in changed}
    tagging = await _replace(unit, actor, message, changed, reason.strip())
    await audit.record(unit, actor, "tags_corrected", f"message:{message_id}", before=before, after=changed)
    await _tell_case(unit, actor, message, before, changed, reason.strip())
    feed.tell(unit, "messages", message_id)
    feed.tell(unit, "opinion")
    return tagging


def _changed(message: Message, given: dict[str, Any], reason: str) -> dict[str, Any]:
    """What is really new; Invalid with every problem otherwise."""
    given = {name: value.strip() if isinstance(value, str) else value for name, value in given.items()}
    problems = _problems(given)
    if not reason.strip():
        problems["reason"] = _("请写明修正的理由")
    if message.tagged_at is None:
        problems["message"] = _("这条留言还没有打标签，请稍后再修正")
    changed = {name: value for name, value in given.items() if value is not None and value != getattr(message, name)}
    if not changed and not problems:
        problems["message"] = _("没有需要修正的内容")
    if problems:
        raise Invalid(problems)
    return changed


def _problems(given: dict[str, Any]) -> dict[str, str]:
    problems = {}
    if given["topic"] not in (None, "", *nlp.TOPICS):
        problems["topic"] = _("没有「%(name)s」这个主题，请从列表中选择", name=given["topic"])
    if given["sentiment"] not in (None, *nlp.SENTIMENTS):
        problems["sentiment"] = _("没有「%(name)s」这种情感，请从列表中选择", name=given["sentiment"])
    if given["request"] not in (None, "", *REQUESTS):
        problems["request"] = _("没有「%(name)s」这种诉求，请从列表中选择", name=given["request"])
    if given["place"] is not None and (len(given["place"]) > PLACE_LENGTH or not given["place"].isprintable()):
        problems["place"] = _("地点最多 %(n)s 个字，且不能含控制字符", n=PLACE_LENGTH)
    return problems


async def _replace(unit: Unit, actor: Actor, message: Message, changed: dict[str, Any], reason: str) -> Tagging:
    """The new current tagging, the columns of the message, the figures."""
    current = await unit.first(
        select(Tagging)
        .where(col(Tagging.message_id) == message.id, col(Tagging.is_current))
        .order_by(col(Tagging.id).desc())
    )
    tagging = Tagging(**_copy(message, current), by_id=actor.user_id, reason=reason, at=clock.now())
    for name, value in changed.items():
        if name != "place":
            setattr(tagging, name, value)
    if "place" in changed:
        tagging.places = [{"name": changed["place"], "level": "", "ambiguous": False}] if changed["place"] else []
    if "topic" in changed:
        tagging.topic_p, tagging.topic_second, tagging.topic_second_p, tagging.topic_words = 1.0, "", 0.0, []
    if "sentiment" in changed:
        tagging.sentiment_p, tagging.sentiment_words = 1.0, []
    old = rollups.delta(message, -1)
    for name, value in changed.items():
        setattr(message, name, value)
    if not message.is_own:
        await rollups.move(unit, [old, rollups.delta(message)])
    await unit.run(update(Tagging).where(col(Tagging.message_id) == message.id).values(is_current=False))
    unit.add(tagging)
    await unit.flush()
    return tagging


def _copy(message: Message, current: Tagging | None) -> dict[str, Any]:
    if current is None:
        return {"message_id": message.id, "version": nlp.VERSION}
    return current.model_dump(exclude={"id", "by_id", "reason", "at", "is_current"})


async def _tell_case(
    unit: Unit, actor: Actor, message: Message, before: dict[str, Any], after: dict[str, Any], reason: str
) -> None:
    if message.case_id is None:
        return
    case = await unit.get(Case, message.case_id)
    if case is None:
        return
    event = CaseEvent(
        case_id=message.case_id, at=clock.now(), what="tags_corrected", from_state=case.state, to_state=case.state,
        by_id=actor.user_id, by_name=actor.name, note=reason,
        data={"message_id": message.id, "before": before, "after": after},
    )  # fmt: skip
    unit.add(event)
    if case.first_message_id == message.id:
        for name in _CASE_COLUMNS:
            if name in after:
                setattr(case, name, after[name])
        await suggest(unit, case)
    feed.tell(unit, "cases", case.id, case.department_id)
