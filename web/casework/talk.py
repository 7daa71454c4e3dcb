"""A case's past as its page tells it: one thread of messages, answers and notes, and the history beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub.i18n import _, moment
from hub.models import DeliveryState, ReplyState
from web.casework.words import delivery_tone
from workflows.cases.moves import Move
from workflows.cases.timeline import EventEntry, MessageEntry, ReplyEntry
from workflows.letters.following import SAYS_WHY

_ICONS: Mapping[str, tuple[str, str]] = {
    "opened": ("inbox", ""), "imported": ("file-import", ""), "message": ("message", "soon"), "accept": ("check", ""),
    "dispatch": ("send", "action"), "rule": ("gavel", "action"), "sign": ("user-check", "action"),
    "assign": ("user-share", ""), "hand_back": ("arrow-back-up", "soon"), "ask_ruling": ("scale", "soon"),
    "forward": ("arrow-right", "action"), "suspend": ("clock-pause", "soon"), "resume": ("player-play", "action"),
    "ask_extension": ("clock", "soon"), "grant_extension": ("clock", ""), "refuse_extension": ("ban", "soon"),
    "submit": ("send", ""), "ask_citizen": ("message", ""), "question_sent": ("message", "soon"),
    "answer_direct": ("send", ""), "send_back": ("arrow-back-up", "soon"),
    "approve": ("eye-check", ""), "answer_sent": ("circle-check", "done"),
    "answer_failed": ("alert-triangle", "danger"), "answer_returned": ("alert-triangle", "danger"),
    "answer_retried": ("refresh", ""), "answer_elsewhere": ("phone", "done"), "close": ("circle-check", "done"),
    "redo": ("rotate", "soon"), "reopen": ("rotate", "soon"), "citizen_again": ("message", "soon"),
    "merge": ("arrow-merge", ""), "unmerge": ("arrows-split", ""), "refuse": ("ban", ""), "reclass": ("flag", "soon"),
    "note": ("note", ""), "sign_overdue": ("speakerphone", "late"), "due_soon": ("clock", "soon"),
    "overdue": ("speakerphone", "late"), "class_raised": ("flag", "danger"), "send_trouble": ("alert-circle", "soon"),
    "stage_told": ("check", ""), "stage_trouble": ("alert-circle", "soon"),
    "answer_removed": ("alert-triangle", "danger"), "answer_by_hand": ("hand-stop", "soon"), "draft": ("edit", ""),
    "generated": ("wand", "soon"), "tags_corrected": ("tag", ""),
}  # fmt: skip


# Still being written: shown in the draft box, not in the talk.
_IN_THE_BOX = (ReplyState.draft, ReplyState.returned)


@dataclass(frozen=True, slots=True)
class Answer:
    """One of our answers as a bubble."""

    who: str
    where: str
    at: datetime
    text: str
    href: str
    label: str
    tone: str
    is_draft: bool
    foot: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the thread: exactly one of the three is set."""

    at: datetime
    message: MessageEntry | None = None
    reply: Answer | None = None
    note: EventEntry | None = None


def thread(
    messages: Sequence[MessageEntry], replies: Sequence[ReplyEntry], events: Sequence[EventEntry], account: str
) -> list[Item]:
    """Everything said, oldest first. The platform's own copy of an answer is left out: the answer stands for it."""
    copies = {reply.remote_id for reply in replies if reply.remote_id}
    items = [Item(one.created_at, message=one) for one in messages if not (one.is_own and one.external_id in copies)]
    items += [_answered(reply, account) for reply in replies if reply.state not in _IN_THE_BOX]
    items += [Item(event.at, note=event) for event in events if event.what == "note"]
    return sorted(items, key=lambda item: item.at)


def _answered(reply: ReplyEntry, account: str) -> Item:
    label, tone = _reply_words()[reply.state]
    if reply.asks and reply.state is ReplyState.sent:
        label = _("已追问")
    if reply.delivery_state not in (None, DeliveryState.sent) and reply.state in (ReplyState.approved, ReplyState.sent):
        label, tone = reply.delivery_label, delivery_tone(reply.delivery_state)
    at = reply.sent_at or reply.reviewed_at or reply.submitted_at or reply.created_at
    is_draft = reply.state is ReplyState.reviewing
    where = reply.channel or account
    return Item(at, reply=Answer(
        who=reply.author_name or account, where=where, at=at, text=reply.text, href=reply.remote_url, label=label,
        tone=tone, is_draft=is_draft, foot=_foot(reply),
    ))  # fmt: skip


def _reply_words() -> dict[ReplyState, tuple[str, str]]:
    return {
        ReplyState.reviewing: (_("待审核"), "soon"),
        ReplyState.approved: (_("已通过，发送中"), "action"), ReplyState.failed: (_("没有发出"), "danger"),
        ReplyState.sent: (_("已答复"), "done"),
    }  # fmt: skip


def _foot(reply: ReplyEntry) -> list[str]:
    foot = []
    if reply.generated_by:
        foot.append(_("由模型 %(model)s 起草，人工修改和审核", model=reply.generated_by))
    if reply.is_imported:
        foot.append(_("随文件导入的答复"))
    if reply.reviewer_name:
        foot.append(_("%(author)s起草，%(reviewer)s审核", author=reply.author_name, reviewer=reply.reviewer_name))
    if reply.channel:
        foot.append(_("经「%(channel)s」答复", channel=reply.channel))
    if reply.review_note:
        foot.append(_("审核意见：%(note)s", note=reply.review_note))
    if reply.sent_at and not reply.is_imported:
        foot.append(_("送达 %(at)s", at=moment(reply.sent_at)))
    return foot


def history(events: Sequence[EventEntry]) -> list[dict[str, Any]]:
    """The timeline, newest first, each with who may read it."""
    return [_line(event) for event in reversed(events)]


def _reader(event: EventEntry) -> str:
    if not event.for_citizen:
        return _("仅内部")
    is_inner_note = event.note and event.what in Move.__members__ and event.what not in SAYS_WHY
    return _("来信人可知，说明除外") if is_inner_note else _("来信人可知")


def _line(event: EventEntry) -> dict[str, Any]:
    icon, tone = _ICONS.get(event.what, ("point", ""))
    moved = event.from_label and event.to_label and event.from_label != event.to_label
    change = [{"name": _("状态"), "before": event.from_label, "after": event.to_label}] if moved else []
    return {
        "what": event.label, "who": event.by_name, "at": event.at, "icon": icon, "tone": tone,
        "note": "\n".join([part for part in (event.note, *event.details) if part]), "changes": change,
        "reader": _reader(event),
    }  # fmt: skip
