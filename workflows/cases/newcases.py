"""What a new case looks like before it has an id: row, first events, an answer that came along. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlmodel import SQLModel

from hub import clock
from hub.crypto import digest
from hub.i18n import N_, _
from hub.models import Audience, Case, CaseClass, CaseEvent, CaseState, Message, MessageKind, Reply, ReplyState
from hub.policy.packs import Policy
from hub.privacy import shortened
from nlp import mask
from nlp.clean import without_mentions
from workflows.cases import along, clocks
from workflows.cases.moves import Move
from workflows.cases.routing import NO_GUIDE, Candidate, Guide, Routed, beside_of, route
from workflows.cases.suggested import basis
from workflows.opinion.heat import heat
from workflows.tagging.markup import plainly, spoken, without_markup
from workflows.tagging.types import Tagged

TITLE_LENGTH = 40
ROUTER = N_("自动分派")
_CLASS_OF = {"danger": CaseClass.urgent, "crowd": CaseClass.urgent, "outage": CaseClass.livelihood}
_LEADING = re.compile(r"^(?:\s*(?:@[\w·-]{1,30}[:：,，]?|#[^#\n]{1,60}#|【[^】\n]{1,60}】|//))+\s*")
_SENTENCE_END = re.compile(r"[。！？!?；;\n]")
_KEY_LENGTH = 255


@dataclass
class Thread:
    """The messages of one person in one thread that came together, oldest first."""

    key: str
    tagged: list[Tagged]

    @property
    def first(self) -> Message:
        """The oldest of them."""
        return self.tagged[0].message

    @property
    def messages(self) -> list[Message]:
        """All of them."""
        return [one.message for one in self.tagged]


Columns = dict[str, Any]


@dataclass
class Planned:
    """A case to be opened with everything that comes with it, as columns: objects cost more than the rest together.

    The events and the reply still lack the case's id.
    """

    case: Columns
    thread: Thread
    events: list[Columns] = field(default_factory=list)
    reply: Columns | None = None
    dispatch: Columns | None = None


def values_of(row: SQLModel) -> Columns:
    """Every column of a new row but its id, for one statement over many rows."""
    table: Any = row.__table__  # type: ignore[attr-defined]
    return {column.key: getattr(row, column.key) for column in table.columns if column.key != "id"}


@lru_cache(maxsize=1)
def _blank() -> tuple[Columns, Columns, Columns]:
    """A case, an event, a reply with the columns' defaults."""
    case = Case(number="", title="", account_id=0, kind=MessageKind.mention, thread_key="")
    return values_of(case), values_of(CaseEvent(case_id=0, what="")), values_of(Reply(case_id=0, message_id=0))


def thread_key(message: Message) -> str:
    """One person in one thread on one account: what a case is. Unrelated people under one post stay apart."""
    is_chat = message.kind is MessageKind.private
    base = message.thread_id or (message.author_id if is_chat else "") or message.external_id
    whole = base if not message.author_id or message.author_id == base else f"{base}/{message.author_id}"
    return whole if len(whole) <= _KEY_LENGTH else digest(whole)


def class_of(urgency: str) -> CaseClass:
    """The class a cue word asks for."""
    return _CLASS_OF.get(urgency, CaseClass.general)


def title_of(message: Message) -> str:
    """The message's own title, or the first sentence without names called at its beginning; masked, 40 characters."""
    own = plainly(message.title)
    if not own:
        text = _LEADING.sub("", without_markup(message.text).strip() or message.text.strip())
        own = " ".join(_SENTENCE_END.split(text, maxsplit=1)[0].split()) or " ".join(text.split())
        # One of our own names, called without a blank behind it, took the words along.
        own = own or " ".join(without_mentions(without_markup(message.text)).split())
    own = mask(own[: 4 * TITLE_LENGTH])
    if not own:
        return _("（无文字内容）")
    return shortened(own, TITLE_LENGTH)


def is_answered(message: Message) -> bool:
    """Whether the message came with the answer it got long ago."""
    return bool(message.extra.get("answer"))


def plan(
    thread: Thread, candidates: Sequence[Candidate], policy: Policy, now: datetime, guide: Guide = NO_GUIDE
) -> Planned:
    """A new case for a thread, routed, its clocks set. Old arrivals get no clocks until somebody dispatches them;
    a deadline that the system they came from has set is the case's."""
    case = _case(thread, now)
    planned = Planned(case, thread)
    routed = _routed(thread, candidates, policy, guide)
    case["routing"] = routed.as_data()
    if is_answered(thread.first):
        _finish(planned, routed)
        return planned
    case["urgency"] = _class(thread)
    is_old = thread.first.created_at < now - policy.days("old_after_days")
    case["opened_at"] = thread.first.created_at if is_old else now
    case["number"] = _number(case["opened_at"], thread.first)
    planned.events.append(_opened("imported" if is_old else "opened", thread.first, now))
    if is_old:
        return planned
    case["due_at"] = along.due_of(thread.messages, now)
    if may_go_alone(case["urgency"], case["is_sensitive"], routed):
        _send_off(planned, routed, policy, now)
    else:
        case["accept_due_at"] = clocks.accept_due(policy, case["urgency"], now)
    return planned


def may_go_alone(urgency: CaseClass, is_sensitive: bool, routed: Routed) -> bool:
    """Urgent and sensitive matters always go to a person; others where the routing is sure."""
    return routed.is_sure and urgency is not CaseClass.urgent and not is_sensitive


def _case(thread: Thread, now: datetime) -> Columns:
    first, messages = thread.first, thread.messages
    likes, newest = sum(message.likes for message in messages), max(message.created_at for message in messages)
    return _blank()[0] | {
        "title": title_of(first), "account_id": first.account_id, "kind": first.kind, "thread_key": thread.key,
        "first_message_id": first.id, "author_id": first.author_id, "author_name": first.author_name,
        "topic": first.topic, "place": first.place, "sentiment": first.sentiment,
        "is_sensitive": any(message.is_sensitive for message in messages),
        "message_count": len(messages), "likes": likes, "heat": heat(len(messages), likes, newest),
        "opened_at": now, "last_message_at": newest,
    }  # fmt: skip


def _class(thread: Thread) -> CaseClass:
    classes = {class_of(message.urgency) for message in thread.messages}
    return next((kind for kind in (CaseClass.urgent, CaseClass.livelihood) if kind in classes), CaseClass.general)


def _routed(thread: Thread, candidates: Sequence[Candidate], policy: Policy, guide: Guide) -> Routed:
    said, found = thread.first, thread.tagged[0].analysis
    tags = (found.keywords, found.request, found.sentiment.value)
    beside = beside_of(said.account_id, said.place, found.tokens, *tags)
    return route(candidates, found.topic, found.places, spoken(said.title, said.text), policy, guide, beside)


def _number(at: datetime, message: Message) -> str:
    """Unique without a counter: every case begins with a message of its own."""
    return f"{clock.local(at):%Y%m%d}-{message.id or 0:06d}"


def _opened(what: str, message: Message, at: datetime) -> Columns:
    return _event(
        at=at, what=what, to_state=CaseState.new, by_name=message.author_name[:100], data={"message_id": message.id}
    )  # fmt: skip


def _event(**given: Any) -> Columns:
    return _blank()[1] | {"audience": Audience.citizen} | given


def _send_off(planned: Planned, routed: Routed, policy: Policy, now: datetime) -> None:
    """Accepted and dispatched by the hub, under its own name, with the reason in the history."""
    case, first = planned.case, routed.suggestions[0]
    case |= {"state": CaseState.dispatched, "department_id": first.department_id}
    case |= clocks.dispatch_fields(policy, case["urgency"], now, case["due_at"])
    reason = {"department_id": first.department_id, "department": first.department, **case["routing"]}
    planned.events += [
        _by_router(Move.accept, CaseState.new, CaseState.triaged, {}, now),
        _by_router(Move.dispatch, CaseState.triaged, CaseState.dispatched, reason, now),
    ]
    planned.dispatch = dispatch_columns(first.department_id, case["routing"], now, None)


def dispatch_columns(department_id: int, routing: Columns, at: datetime, by_id: int | None) -> Columns:
    """What is kept of a dispatch: where it went, what had been suggested on which grounds. Without the case's id."""
    suggested = next(iter(routing.get("suggestions", ())), None)
    kept: Columns = {
        "at": at, "department_id": department_id, "by_id": by_id, "is_first": True, "suggested_id": None, "basis": "",
        "rule_id": None, "rule_name": "", "p": 0.0, "words": [],
    }  # fmt: skip
    if suggested is None:
        return kept
    return kept | {
        "suggested_id": suggested["department_id"], "basis": basis(suggested), "rule_id": suggested.get("rule_id"),
        "rule_name": suggested.get("rule_name", ""), "p": suggested["p"], "words": [*suggested["words"]],
    }  # fmt: skip


def _by_router(move: Move, was: CaseState, to: CaseState, data: Columns, at: datetime) -> Columns:
    return _event(at=at, what=move.value, from_state=was, to_state=to, by_name=ROUTER, data=data)


def _finish(planned: Planned, routed: Routed) -> None:
    """A message that came with its answer: closed at the time it was answered, without clocks."""
    message = planned.thread.first
    asked_at = message.created_at
    answered_at = max(along.moment_in(message.extra.get("answered_at")) or asked_at, asked_at)
    planned.case |= {
        "opened_at": asked_at, "replied_at": answered_at, "closed_at": answered_at,
        "number": _number(asked_at, message), "state": CaseState.closed, "is_open": False,
        "department_id": routed.department_id,
    }  # fmt: skip
    text = str(message.extra["answer"])
    planned.reply = _blank()[2] | {
        "message_id": message.id, "text": text, "state": ReplyState.sent, "content_hash": digest(text),
        "author_name": str(message.extra.get("answered_by", ""))[:100], "created_at": answered_at,
        "sent_at": answered_at, "is_imported": True,
    }  # fmt: skip
    imported = {"imported": True}
    planned.events += [
        _opened("imported", message, asked_at),
        _by_router(Move.answer_sent, CaseState.new, CaseState.replied, imported, answered_at),
        _by_router(Move.close, CaseState.replied, CaseState.closed, imported, answered_at),
    ]
