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
from hub.models import Because, Case, CaseEvent, Correction, Message, Tagging
from hub.queries import visible
from hub.rights import Actor, May
from nlp.cues import URGENCIES
from nlp.subtopics import levels
from workflows.cases.suggesting import suggest
from workflows.opinion import rollups
from workflows.tagging import settled

REQUESTS = ("咨询", "求助", "投诉", "举报", "建议", "表扬")  # in the order people choose from
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
    subtopic: str | None = None,
    emotion: str | None = None,
    urgency: str | None = None,
    reason: str = "",
    because: Because | None = None,
) -> Tagging:
    """Set right what the analyser said; None leaves a tag as it is, "" clears all but sentiment and sensitive.

    An emotion and a second level that no longer fit the new tone or topic go with them (:mod:`.settled`).

    Moves the figures, writes the audit log and the history of the case (whose own tags follow when this is its first
    message; where it lies stays). Every tag set right is an example to learn from (:class:`Correction`), with the kind
    of reason chosen (``because``), a sentence, or both. NotAllowed without the right, NotFound when the person may not
    see the message, Invalid per field, for a missing reason, and when nothing would change. Said twice, the second is
    that last case.
    """
    message = await find(unit, actor, message_id)
    given = {
        "topic": topic, "sentiment": sentiment, "is_sensitive": sensitive, "place": place, "request": request,
        "subtopic": subtopic, "emotion": emotion, "urgency": urgency,
    }  # fmt: skip
    changed = _changed(message, given, reason if because in (None, Because.other) else because or "")
    before = {name: getattr(message, name) for name in changed}
    current = await current_tagging(unit, message_id)
    tagging = await replace(unit, actor, message, changed, reason.strip())
    kind = because or Because.other
    unit.add(*(example(actor, tagging, current, (name, before[name], changed[name]), kind) for name in changed))
    await audit.record(unit, actor, "tags_corrected", f"message:{message_id}", before=before, after=changed)
    await tell_case(unit, actor, message, before, changed, reason.strip())
    tell(unit, message_id)
    return tagging


async def confirm(unit: Unit, actor: Actor, message_id: int) -> Tagging:
    """Say that topic, tone and (where one was found) request are right: examples too, a person's tags from now on.

    NotAllowed, NotFound and Invalid as :func:`correct`; Invalid too when a person has spoken already."""
    message = await find(unit, actor, message_id)
    current = await current_tagging(unit, message_id)
    if message.tagged_at is None or current is None:
        raise Invalid({"message": _("这条留言还没有打标签，请稍后再修正")})
    if current.by_id is not None:
        raise Invalid({"message": _("这条留言的标签已经由人认定")})
    tagging = await replace(unit, actor, message, {}, "")
    for name in ("topic", "sentiment", *(("request",) if message.request else ())):
        value = getattr(message, name)
        unit.add(example(actor, tagging, current, (name, value, value), Because.right))
    await audit.record(unit, actor, "tags_confirmed", f"message:{message_id}")
    tell(unit, message_id)
    return tagging


async def find(unit: Unit, actor: Actor, message_id: int) -> Message:
    """The message for a person who may set its tags right; NotAllowed or NotFound otherwise."""
    if not actor.can(May.correct_tags) or actor.user_id is None:
        raise NotAllowed(_("没有修正标签的权限"))
    message = await unit.first(select(Message).where(col(Message.id) == message_id, visible.messages(actor)))
    if message is None:
        raise NotFound(_("没有这条留言"))
    return message


def tell(unit: Unit, message_id: int) -> None:
    """Open pages follow."""
    feed.tell(unit, "messages", message_id)
    feed.tell(unit, "opinion")
    feed.tell(unit, "learning")


def example(
    actor: Actor, tagging: Tagging, current: Tagging | None, said: tuple[str, Any, Any], because: Because
) -> Correction:
    """One tag as an example. ``said``: its name, what it was, what it is; ``current``: the tagging it is about."""
    field, before, after = said
    return Correction(
        message_id=tagging.message_id, tagging_id=tagging.id, by_id=actor.user_id, at=tagging.at, field=field,
        before=written_value(before), after=written_value(after), because=because, reason=tagging.reason,
        p=float(getattr(current, _ODDS.get(field, f"{field}_p"), 0.0) or 0.0) if current else 0.0,
        version=current.version if current else "",
    )  # fmt: skip


_ODDS = {"is_sensitive": "sensitive_p"}


def written_value(value: Any) -> str:
    """A tag as text: yes and no are "1" and "0"."""
    return str(int(value)) if isinstance(value, bool) else str(value)


def _changed(message: Message, given: dict[str, Any], reason: str) -> dict[str, Any]:
    """What is really new; Invalid with every problem otherwise."""
    given = _meant(message, {n: value.strip() if isinstance(value, str) else value for n, value in given.items()})
    problems = _problems(given) | _at_odds(message, given)
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


def _meant(message: Message, given: dict[str, Any]) -> dict[str, Any]:
    """A form sends every tag: a finer one that was left as it is is not meant, it goes with the coarser one."""
    left = {finer for finer in ("subtopic", "emotion") if given[finer] == getattr(message, finer)}
    return {name: None if name in left else value for name, value in given.items()}


def _problems(given: dict[str, Any]) -> dict[str, str]:
    problems = {}
    if given["topic"] not in (None, "", *nlp.TOPICS):
        problems["topic"] = _("没有「%(name)s」这个主题，请从列表中选择", name=given["topic"])
    if given["sentiment"] not in (None, *nlp.SENTIMENTS):
        problems["sentiment"] = _("没有「%(name)s」这种情感，请从列表中选择", name=given["sentiment"])
    if given["request"] not in (None, "", *REQUESTS):
        problems["request"] = _("没有「%(name)s」这种诉求，请从列表中选择", name=given["request"])
    if given["urgency"] not in (None, "", *URGENCIES):
        problems["urgency"] = _("没有「%(name)s」这种紧急线索，请从列表中选择", name=given["urgency"])
    if given["emotion"] not in (None, "", *nlp.EMOTIONS):
        problems["emotion"] = _("没有「%(name)s」这种情绪，请从列表中选择", name=given["emotion"])
    if given["place"] is not None and (len(given["place"]) > PLACE_LENGTH or not given["place"].isprintable()):
        problems["place"] = _("地点最多 %(n)s 个字，且不能含控制字符", n=PLACE_LENGTH)
    return problems


def _at_odds(message: Message, given: dict[str, Any]) -> dict[str, str]:
    """Finer tags that do not go with the coarser ones, as they are or as they would be."""
    problems = {}
    topic, tone = (
        given[name] if given[name] is not None else getattr(message, name) for name in ("topic", "sentiment")
    )
    if given["subtopic"] not in (None, "", *levels().get(topic, ())):
        problems["subtopic"] = _("「%(name)s」不在所选主题之下", name=given["subtopic"])
    emotion = given["emotion"]
    if emotion in nlp.EMOTIONS and tone in nlp.SENTIMENTS and not settled.agree(emotion, tone):
        problems["emotion"] = _("这种情绪和所选情感不符")
    return problems


async def current_tagging(unit: Unit, message_id: int) -> Tagging | None:
    """What is in force about a message."""
    said = select(Tagging).where(col(Tagging.message_id) == message_id, col(Tagging.is_current))
    return await unit.first(said.order_by(col(Tagging.id).desc()))


async def replace(unit: Unit, actor: Actor, message: Message, changed: dict[str, Any], reason: str) -> Tagging:
    """The new current tagging, the columns of the message, the figures."""
    current = await current_tagging(unit, message.id or 0)
    tagging = Tagging(**_copy(message, current), by_id=actor.user_id, reason=reason, at=clock.now())
    followed = settled.implied(message, await by_machine(unit, message.id or 0), changed)
    settled.settle(tagging, changed, followed)
    await set_columns(unit, message, {**changed, **followed})
    await unit.run(update(Tagging).where(col(Tagging.message_id) == message.id).values(is_current=False))
    unit.add(tagging)
    await unit.flush()
    return tagging


async def by_machine(unit: Unit, message_id: int) -> Tagging | None:
    """The newest tagging by an analyser."""
    said = select(Tagging).where(col(Tagging.message_id) == message_id, col(Tagging.by_id).is_(None))
    return await unit.first(said.order_by(col(Tagging.id).desc()).limit(1))


async def set_columns(unit: Unit, message: Message, changed: dict[str, Any]) -> None:
    """The tags that lists and figures read."""
    old = rollups.delta(message, -1)
    for name, value in changed.items():
        setattr(message, name, value)
    if changed and not message.is_own:
        await rollups.move(unit, [old, rollups.delta(message)])


def _copy(message: Message, current: Tagging | None) -> dict[str, Any]:
    if current is None:
        return {"message_id": message.id, "version": nlp.VERSION}
    return current.model_dump(exclude={"id", "by_id", "reason", "at", "is_current"})


async def tell_case(
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
