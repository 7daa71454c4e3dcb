"""Answers to citizens: the draft of a case, its review, and answers given elsewhere."""

from __future__ import annotations

from pydantic import Field

from hub.i18n import N_
from hub.models import CaseClass
from hub.rights import May
from web.api.caseviews import CaseNow, Draft, now
from web.api.operation import Call, mark_of, next_of, operation
from web.api.problems import Finding, finding_of
from web.api.schema import Answer, Body, Confirm, Id, Moment, Note, Page, PageQuery, Version
from workflows import replies
from workflows.cases.facts import numbered
from workflows.checking import confirming
from workflows.replies import box, lists

WRITES = (May.draft_reply, May.dispatch)


class RepliesQuery(PageQuery):
    """Answers under review."""

    own: bool = Field(default=False, description=N_("自己写的；否则是别人写的、等我审的。"))


class ReviewItem(Answer):
    """One answer under review; personal data are masked."""

    reply_id: int
    case_number: str = Field(validation_alias="number")
    title: str
    excerpt: str
    author_name: str
    is_own: bool
    submitted_at: Moment
    account: str
    department: str
    urgency: CaseClass
    is_sensitive: bool
    due_at: Moment | None
    is_late: bool
    generated_by: str = Field(description=N_("起草这份文字的模型，无论后来改过什么；空：没有用模型。"))


class ReviewPage(Page[ReviewItem]):
    """Answers under review, the longest waiting first."""


class DraftSaved(Answer):
    """The draft as it stands, and what would speak against handing it in."""

    draft: Draft
    findings: list[Finding]
    confirm: str = Field(description=N_("读过 findings 仍要送审时，送审请求里的 confirm；没有要确认的则为空。"))


class DraftBody(Body):
    """The answer's text. ``version`` 0: there was no draft."""

    text: str = Field(max_length=20_000)
    version: Version
    message_id: Id | None = Field(default=None, description=N_("答复哪条消息；不写则是来信人最新的一条。"))


class SubmitBody(Body):
    """``confirm``: the findings shown are meant so."""

    version: Version
    confirm: Confirm = ""
    note: Note = ""
    asks: bool = Field(default=False, description=N_("这是向来信人追问：发出后工单挂起，等来信人补充。"))


class ApproveBody(Body):
    """Exactly this text is approved."""

    version: Version
    content_hash: str = Field(max_length=64, description=N_("读到的 content_hash。"))
    note: Note = ""


class SendBackBody(Body):
    """Why it goes back."""

    version: Version
    note: Note


class ElsewhereBody(Body):
    """An answer given by another way."""

    version: Version = Field(description=N_("工单的版本号。"))
    text: str = Field(max_length=20_000)
    channel: str = Field(max_length=50, description=N_("电话、上门、信函等。"))
    note: Note = Field(description=N_("为什么不在平台上答复，必填。"))
    confirm: Confirm = ""


@operation("GET", "/replies", N_("待审核的答复，等得最久的在前"), scope="cases:read", needs=May.review_reply)
async def list_replies(call: Call[RepliesQuery, None]) -> ReviewPage:
    """Answers under review in cases the person may see."""
    query = call.query
    page = await lists.waiting(call.unit, call.actor, own=query.own, after=mark_of(call), limit=query.limit)
    return ReviewPage(items=[ReviewItem.model_validate(row) for row in page.rows], next=next_of(call, page.after))


@operation("POST", "/cases/{number}/draft", N_("保存答复草稿"), scope="cases:write", needs=WRITES)
async def save_draft(call: Call[None, DraftBody]) -> DraftSaved:
    """Save the answer being written."""
    body, unit = call.body, call.unit
    case = await numbered(unit, call.places["number"], call.actor)
    saved = await replies.save_draft(
        unit, case.id or 0, call.actor, text=body.text, version=body.version, message_id=body.message_id
    )
    found = await box.findings(
        call.house, unit, case.id or 0, call.actor, text=saved.text, message_id=saved.message_id
    )  # fmt: skip
    return DraftSaved(
        draft=Draft.model_validate(saved), findings=[finding_of(one) for one in found], confirm=confirming.asked(found)
    )


@operation("POST", "/replies/{reply_id:int}/submit", N_("答复送审"), scope="cases:write", needs=WRITES)
async def submit_reply(call: Call[None, SubmitBody]) -> CaseNow:
    """Hand the draft to review."""
    body = call.body
    case = await replies.submit(
        call.house, call.unit, call.places["reply_id"], call.actor, version=body.version, confirm=body.confirm,
        note=body.note, asks=body.asks,
    )  # fmt: skip
    return now(case)


@operation("POST", "/replies/{reply_id:int}/approve", N_("批准答复"), scope="cases:write", needs=May.review_reply)
async def approve_reply(call: Call[None, ApproveBody]) -> CaseNow:
    """Approve exactly the text read; it goes out."""
    body = call.body
    case = await replies.approve(
        call.house, call.unit, call.places["reply_id"], call.actor, version=body.version,
        content_hash=body.content_hash, note=body.note,
    )  # fmt: skip
    return now(case)


@operation("POST", "/replies/{reply_id:int}/send-back", N_("退回答复"), scope="cases:write", needs=May.review_reply)
async def send_back_reply(call: Call[None, SendBackBody]) -> CaseNow:
    """Return the draft with a comment."""
    body = call.body
    case = await replies.send_back(
        call.unit, call.places["reply_id"], call.actor, version=body.version, note=body.note
    )  # fmt: skip
    return now(case)


@operation("POST", "/cases/{number}/answers-elsewhere", N_("登记线下答复"), scope="cases:write", needs=WRITES)
async def answer_elsewhere(call: Call[None, ElsewhereBody]) -> CaseNow:
    """Record an answer given by another way, where the platform takes none."""
    body = call.body
    case = await numbered(call.unit, call.places["number"], call.actor)
    answered = await replies.answer_elsewhere(
        call.house, call.unit, case.id or 0, call.actor, version=body.version, text=body.text, channel=body.channel,
        note=body.note, confirm=body.confirm,
    )  # fmt: skip
    return now(answered)


OPERATIONS = (
    list_replies, save_draft, submit_reply, approve_reply, send_back_reply, answer_elsewhere,
)  # fmt: skip
