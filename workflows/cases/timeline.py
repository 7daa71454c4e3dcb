"""What is shown of a case's past: messages, history, answers, each ready for the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from hub.db import Unit
from hub.i18n import N_, _, aside, moment, said
from hub.models import (
    Audience,
    Case,
    CaseClass,
    CaseEvent,
    CaseState,
    Delivery,
    DeliveryState,
    Message,
    MessageKind,
    OutsidePicture,
    Reply,
    ReplyState,
    Tagging,
)
from hub.privacy import masked
from nlp import mask
from workflows.cases import along
from workflows.cases.moves import HANDS_IN, Move
from workflows.cases.rating import rating_words
from workflows.cases.suggested import explain
from workflows.cases.words import class_label, event_label, stage_label, state_label
from workflows.delivery.states import label as delivery_label
from workflows.delivery.states import next_step
from workflows.intake import outside
from workflows.tagging.markup import plainly, straight

# Of a longer thread the newest are shown; the page says how many stand before.
MOST_MESSAGES = 200
HEADING = 40


@dataclass(frozen=True, slots=True)
class MessageEntry:
    """One message of the thread, citizen's or our own; ``title`` and ``text`` are masked where ``is_masked``.

    ``stated``, ``remarks``, ``quoted``: see :mod:`workflows.cases.along`. ``pictures``: by place among ``media``,
    those on somebody else's server, and how fetching one stands (None: nobody asked for it).
    """

    id: int
    external_id: str
    kind: MessageKind
    is_own: bool
    author_name: str
    title: str
    text: str
    is_masked: bool
    stated: list[str]
    remarks: list[str]
    quoted: str
    url: str
    media: list[dict[str, Any]]
    pictures: Mapping[int, OutsidePicture | None]
    likes: int
    created_at: datetime
    reply_until: datetime | None
    removed_at: datetime | None
    tags: Tagging | None

    @property
    def heading(self) -> str:
        """The message's own title, or how it begins, on one line without markup."""
        return plainly(self.title) or plainly(self.text)[:HEADING]


@dataclass(frozen=True, slots=True)
class EventEntry:
    """One line of the history. ``details``: sentences beside the note; ``for_citizen``: the citizen may be told."""

    id: int
    at: datetime
    what: str
    label: str
    by_name: str
    from_label: str
    to_label: str
    note: str
    details: list[str]
    for_citizen: bool


@dataclass(frozen=True, slots=True)
class ReplyEntry:
    """One answer with what became of its sending. ``channel``: where it was given by hand, not by the hub; ``asks``: it
    is a question to the citizen; ``generated_by``: the model that drafted it."""

    id: int
    message_id: int
    text: str
    state: ReplyState
    version: int
    author_id: int | None
    author_name: str
    created_at: datetime
    submitted_at: datetime | None
    reviewer_name: str
    reviewed_at: datetime | None
    review_note: str
    sent_at: datetime | None
    is_imported: bool
    generated_by: str
    channel: str
    asks: bool
    delivery_id: int | None
    delivery_state: DeliveryState | None
    delivery_label: str
    error: str
    next_step: str
    remote_id: str
    remote_url: str


def shown(message: Message) -> tuple[str, str]:
    """Title and text with personal data hidden, by the offsets of tagging, or looked for where none were stored yet."""
    title = mask(message.title)
    if message.tagged_at is None:
        return title, mask(message.text)
    return title, masked(message.text, message.personal)


async def messages(unit: Unit, case_ids: Sequence[int]) -> list[MessageEntry]:
    """The newest of the thread, oldest first, with the tags that hold."""
    newest = (col(Message.created_at).desc(), col(Message.id).desc())
    found = await unit.all(
        select(Message).where(col(Message.case_id).in_(case_ids)).order_by(*newest).limit(MOST_MESSAGES)
    )
    ids = [message.id for message in found]
    current = await unit.all(select(Tagging).where(col(Tagging.message_id).in_(ids), col(Tagging.is_current)))
    tags = {tagging.message_id: tagging for tagging in current}
    return await entries(unit, list(reversed(found)), tags)


async def entries(unit: Unit, found: Sequence[Message], tags: Mapping[int, Tagging]) -> list[MessageEntry]:
    """Messages as pages show them, with the tags at hand by the message's id."""
    standing = await outside.standing_of(unit, found)
    return [_entry(message, tags.get(message.id or 0), standing[message.id or 0]) for message in found]


def _entry(message: Message, tags: Tagging | None, pictures: Mapping[int, OutsidePicture | None]) -> MessageEntry:
    title, text = shown(message)
    is_masked = (title, text) != (message.title, message.text) or bool(message.extra.get("has_contact"))
    tags = _without_personal(tags) if tags else None
    return MessageEntry(
        id=message.id or 0, external_id=message.external_id, kind=message.kind, is_own=message.is_own,
        author_name=message.author_name,
        title=straight(title), text=straight(text), is_masked=is_masked,
        stated=along.stated(message), remarks=along.remarks(message), quoted=along.quotation(message),
        url=message.url, media=message.media, pictures=pictures, likes=message.likes, created_at=message.created_at,
        reply_until=message.reply_until, removed_at=message.removed_at, tags=tags,
    )  # fmt: skip


_WORDS = (
    "topic_words", "sentiment_words", "sensitive_words", "urgency_words", "keywords", "emotion_words", "request_words",
    "subtopic_words",
)  # fmt: skip


def _without_personal(tags: Tagging) -> Tagging:
    """A copy to be shown: a telephone number may be a telling word to the analyser, but it is not shown as one."""
    words = {name: [word for word in getattr(tags, name) or () if mask(word) == word] for name in _WORDS}
    return Tagging(**tags.model_dump() | words)


async def events(unit: Unit, case_id: int) -> list[EventEntry]:
    """The whole history, oldest first."""
    found = await unit.all(select(CaseEvent).where(CaseEvent.case_id == case_id).order_by(col(CaseEvent.id)))
    return [_line(event) for event in found]


def _line(event: CaseEvent) -> EventEntry:
    return EventEntry(
        id=event.id or 0, at=event.at, what=event.what, label=event_label(event.what), by_name=event.by_name,
        from_label=_state_word(event.from_state), to_label=_state_word(event.to_state),
        note=event.note, details=_details(event.data), for_citizen=event.audience is Audience.citizen,
    )  # fmt: skip


def _state_word(value: str) -> str:
    return state_label(CaseState(value)) if value in CaseState.__members__ else ""


_NAMED = {
    "department": N_("承办单位：%(name)s"), "proposed": N_("建议承办单位：%(name)s"), "person": N_("承办人：%(name)s"),
    "into": N_("并入工单 %(name)s"),
}  # fmt: skip


def _details(data: dict[str, Any]) -> list[str]:
    """The facts of an event in words; what a page has no use for (ids) stays out."""
    found = [_(words, name=data[key]) for key, words in _NAMED.items() if data.get(key)]
    if (urgency := data.get("urgency", "")) in CaseClass.__members__:
        found.append(_("紧急程度：%(name)s", name=class_label(CaseClass(urgency))))
    if stage := data.get("stage"):
        found.append(_("送去的进度：%(name)s", name=stage_label(stage)))
    if receipt := data.get("receipt"):
        found.append(_("对方回执：%(number)s", number=receipt))
    if until := data.get("until"):
        found.append(_("至 %(at)s", at=moment(datetime.fromisoformat(until))))
    if due_at := data.get("due_at"):
        found.append(_("办结时限：%(at)s", at=moment(datetime.fromisoformat(due_at))))
    if channel := data.get("channel"):
        found.append(_("答复渠道：%(name)s", name=said(channel)))
    for key in ("error", "next_step"):
        found += [said(data[key])] if data.get(key) else []
    found += rating_words(data)
    if "advice" in data:
        found.append(_advice(data["advice"], data["advice_rank"]))
    found += [one["department"] + aside(explain(one)) for one in data.get("suggestions", ())]
    return found


def _advice(advice: dict[str, Any], rank: int) -> str:
    """Whether a person went by what the router had suggested, and on which grounds that stood. ``rank``: which of the
    suggestions it was, 0 for none of them."""
    if not advice:
        return _("派单时系统没有建议")
    if rank == 1:
        return _("与系统建议一致：%(why)s", why=explain(advice))
    if rank:
        return _("系统的第二个建议：%(why)s", why=explain(advice))
    return _("系统建议的是%(department)s：%(why)s", department=advice["department"], why=explain(advice))


async def replies(unit: Unit, case: Case, history: Sequence[EventEntry]) -> list[ReplyEntry]:
    """All answers, the newest first."""
    found = await unit.all(select(Reply).where(Reply.case_id == case.id).order_by(col(Reply.id).desc()))
    sent = [reply.delivery_id for reply in found if reply.delivery_id is not None]
    deliveries = await unit.all(select(Delivery).where(col(Delivery.id).in_(sent))) if sent else []
    by_id = {delivery.id: delivery for delivery in deliveries}
    whats = {line.what for line in history}
    channels = await _channels(unit, case) if "answer_elsewhere" in whats else {}
    asking = await questions(unit, case) if "ask_citizen" in whats else set()
    return [
        _answer(reply, by_id.get(reply.delivery_id), channels.get(reply.id or 0, ""), reply.id in asking)
        for reply in found
    ]


async def questions(unit: Unit, case: Case) -> set[int]:
    """Ids of the replies that were handed in as questions the last time."""
    names = [move.value for move in HANDS_IN]
    said = select(CaseEvent).where(CaseEvent.case_id == case.id, col(CaseEvent.what).in_(names))
    last: dict[int, str] = {}
    for event in await unit.all(said.order_by(col(CaseEvent.id))):
        last[event.data.get("reply_id", 0)] = event.what
    return {number for number, what in last.items() if what == Move.ask_citizen.value}


async def _channels(unit: Unit, case: Case) -> dict[int, str]:
    said = select(CaseEvent).where(CaseEvent.case_id == case.id, CaseEvent.what == "answer_elsewhere")
    return {event.data["reply_id"]: event.data["channel"] for event in await unit.all(said)}


def _answer(reply: Reply, delivery: Delivery | None, channel: str, asks: bool) -> ReplyEntry:
    return ReplyEntry(
        id=reply.id or 0, message_id=reply.message_id, text=reply.text, state=reply.state, version=reply.version,
        author_id=reply.author_id, author_name=reply.author_name, created_at=reply.created_at,
        submitted_at=reply.submitted_at, reviewer_name=reply.reviewer_name, reviewed_at=reply.reviewed_at,
        review_note=reply.review_note, sent_at=reply.sent_at, is_imported=reply.is_imported, channel=channel,
        generated_by=reply.generated_by,
        asks=asks,
        delivery_id=reply.delivery_id,
        delivery_state=delivery.state if delivery else None,
        delivery_label=delivery_label(delivery.state) if delivery else "",
        error=(delivery.error or delivery.held_reason) if delivery else "",
        next_step=next_step(delivery.error_kind) if delivery else "",
        remote_id=delivery.remote_id if delivery else "",
        remote_url=delivery.remote_url if delivery else "",
    )  # fmt: skip
