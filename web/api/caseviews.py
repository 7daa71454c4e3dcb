"""What is told of a case: the line of a list, everything with its timeline, and how it stands after a change."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, WithJsonSchema

from hub.i18n import N_
from hub.models import Case, CaseClass, CaseState, DeliveryState, MessageKind, ReplyState
from web.api.messages import MessageEntry
from web.api.schema import Answer, Moment, Page
from workflows.cases.moves import Move, Need
from workflows.cases.states import Extension, Ruling

CaseMove = Annotated[Move, WithJsonSchema({"type": "string", "enum": [move.value for move in Move]})]


class Deadline(Answer):
    """The clock a case is under now."""

    label: str
    at: Moment
    is_late: bool
    is_soon: bool
    is_provisional: bool = Field(description=N_("次年节假日未公布，日期为暂定。"))
    days: int = Field(description=N_("还剩（已超）几个工作日。"))


class CaseItem(Answer):
    """A case as lists show it; personal data are masked."""

    id: int
    number: str
    version: int = Field(description=N_("每次改动加一；写操作须带上读到的版本。"))
    state: CaseState
    state_label: str
    title: str
    excerpt: str
    kind: MessageKind
    account_id: int
    account: str
    platform: str
    author_name: str
    topic: str
    place: str
    sentiment: str
    is_sensitive: bool
    urgency: CaseClass
    urgency_label: str
    department_id: int | None
    department: str
    handler_id: int | None
    handler: str
    message_count: int
    likes: int
    heat: float
    returns: int
    redos: int
    opened_at: Moment
    last_message_at: Moment
    due_at: Moment | None
    replied_at: Moment | None
    closed_at: Moment | None
    deadline: Deadline | None


class CasePage(Page[CaseItem]):
    """Cases in the order of the list asked for."""


class TimelineEntry(Answer):
    """One line of the history."""

    id: int
    at: Moment
    what: str
    label: str
    by_name: str
    from_state: str = Field(validation_alias="from_label", description=N_("之前的状态，按办公用语。"))
    to_state: str = Field(validation_alias="to_label", description=N_("之后的状态，按办公用语。"))
    note: str
    details: list[str]
    for_citizen: bool = Field(description=N_("是否可以告知来信人。"))


class ReplyEntry(Answer):
    """One answer with what became of it."""

    id: int
    message_id: int
    text: str
    state: ReplyState
    version: int
    author_name: str
    created_at: Moment
    submitted_at: Moment | None
    reviewer_name: str
    reviewed_at: Moment | None
    review_note: str
    sent_at: Moment | None
    is_imported: bool
    generated_by: str = Field(description=N_("起草这份文字的模型，无论后来改过什么；空：没有用模型。"))
    channel: str = Field(description=N_("线下答复的渠道；平台答复为空。"))
    delivery_id: int | None
    delivery_state: DeliveryState | None
    error: str
    next_step: str
    remote_id: str = Field(description=N_("平台上的编号，文字。"))
    remote_url: str


class Draft(Answer):
    """The answer being written."""

    id: int
    message_id: int
    state: ReplyState
    version: int
    text: str
    content_hash: str = Field(description=N_("审核时原样交回，证明批准的就是这份文字。"))
    author_name: str
    generated_by: str = Field(description=N_("起草这份文字的模型，无论后来改过什么；空：没有用模型。"))


class Limit(Answer):
    """One time limit with the rule it comes from."""

    label: str
    span: str
    source: str
    due_at: Moment | None
    met_at: Moment | None
    is_late: bool


class Suggestion(Answer):
    """A department the router suggests."""

    department_id: int
    department: str
    why: str
    p: float


class Offered(Answer):
    """A move on offer, what it asks for, and why it cannot be made now (empty: go ahead)."""

    move: CaseMove
    label: str
    needs: list[Need]
    reasons: list[str]


class Related(Answer):
    """Another case this one is merged with."""

    number: str
    title: str
    state: CaseState


class CaseOne(Answer):
    """Everything about a case."""

    case: CaseItem = Field(validation_alias="row")
    messages: list[MessageEntry] = Field(description=N_("会话，最早的在前，最多 200 条。"))
    earlier_messages: int = Field(description=N_("更早的、没有列出的消息数。"))
    timeline: list[TimelineEntry] = Field(validation_alias="events")
    replies: list[ReplyEntry]
    draft: Draft | None
    clocks: list[Limit]
    suggestions: list[Suggestion]
    moves: list[Offered]
    reply_reasons: dict[str, list[str]] = Field(description=N_("答复的每一步现在为什么不行；空表示可以。"))
    may_draft: list[str] = Field(description=N_("为什么不能写答复；空表示可以。"))
    ruling: Ruling
    extension: Extension
    merged_into: Related | None
    merged: list[Related]


class CaseNow(Answer):
    """How the case stands after a change."""

    id: int
    number: str
    state: CaseState
    version: int
    department_id: int | None
    handler_id: int | None
    urgency: CaseClass
    due_at: Moment | None


def now(case: Case) -> CaseNow:
    """After a change: the case may have left the person's sight by it, so nothing is read again."""
    return CaseNow.model_validate(case)
