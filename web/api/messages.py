"""Messages: what citizens wrote, with tags, and a person's correction of them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema

from hub.i18n import N_
from hub.models import Because, CaseState, MessageKind
from hub.rights import May
from web.api.operation import Call, mark_of, next_of, operation
from web.api.schema import Answer, Body, Id, Moment, Note, Page, PageQuery
from workflows.inbox import lists
from workflows.inbox.detail import MessageDetail, detail
from workflows.learning.words import CHOSEN
from workflows.tagging.corrections import correct

CASES = (May.read_all_cases, May.read_tree_cases, May.read_department_cases)
SEES = (May.read_messages, *CASES)
EMOTION = N_("情绪：angry、fear、happy、neutral、sad 或 surprise。")


def _a_reason(because: Because) -> Because:
    if because not in CHOSEN:
        raise ValueError(N_("不是修正的原因。"))
    return because


Short = Annotated[
    Because, AfterValidator(_a_reason), WithJsonSchema({"type": "string", "enum": [one.value for one in CHOSEN]})
]


class MessagesQuery(PageQuery):
    """Filters; what is left out does not narrow."""

    account_id: Id | None = Field(default=None, description=N_("账号的编号。"))
    kind: MessageKind | None = Field(default=None, description=N_("提及、评论、私信或来信。"))
    topic: str = Field(default="", max_length=64, description=N_("主题，按主题表的原文。"))
    subtopic: str = Field(default="", max_length=64, description=N_("二级主题，按主题表的原文。"))
    sentiment: str = Field(default="", max_length=16, description=N_("情感：negative、neutral 或 positive。"))
    emotion: str = Field(default="", max_length=16, description=EMOTION)
    sensitive: bool = Field(default=False, description=N_("只要敏感的。"))
    case_state: CaseState | None = Field(default=None, description=N_("所在工单的状态。"))
    q: str = Field(default="", max_length=200, description=N_("词语，须全部出现；也可以是工单号。"))


class MessageItem(Answer):
    """One line of the list; personal data are masked."""

    id: int
    title: str = Field(description=N_("标题，没有就是正文的开头；个人信息已遮盖。"))
    excerpt: str
    kind: MessageKind
    account: str
    platform: str
    author_name: str
    topic: str
    subtopic: str
    sentiment: str
    emotion: str
    is_sensitive: bool
    urgency: str
    place: str
    likes: int
    created_at: Moment
    is_tagged: bool
    is_removed: bool
    case_number: str = Field(validation_alias="number", description=N_("所在工单的编号；没有则为空。"))
    case_state: CaseState | None = Field(validation_alias="state")
    department: str


class MessagePage(Page[MessageItem]):
    """Messages, the newest first."""


class Tags(Answer):
    """What holds of a message now."""

    topic: str
    subtopic: str = Field(description=N_("二级主题；没有把握时为空。"))
    sentiment: str
    emotion: str = Field(description=N_("情绪，与情感一致；空表示不知道。"))
    is_sensitive: bool
    request: str
    urgency: str
    place: str


class TaggingItem(Answer):
    """Who said what, and why."""

    at: Moment
    by_name: str = Field(description=N_("修正的人；机器打的标签为空。"))
    version: str
    reason: str
    topic: str
    subtopic: str
    sentiment: str
    emotion: str
    is_sensitive: bool
    is_current: bool


class Said(Answer):
    """One tag with its odds."""

    value: str
    p: float | None = Field(description=N_("有多大把握，0 到 1；人认定的是 1；null 表示没有人量过。"))
    second: str = Field(description=N_("其次的可能；没有则为空。"))
    second_p: float | None
    words: list[str] = Field(description=N_("依据的词。"))


class PlaceSaid(Answer):
    """A place named in the text."""

    name: str
    level: str = Field(description=N_("province、city、district、street 或 spot；人填写的为空。"))
    code: str = Field(description=N_("六位行政区划代码；不知道则为空。"))
    ambiguous: bool = Field(description=N_("有重名，看不出是哪一个。"))
    within: str = Field(description=N_("所在的上级地区。"))


class NamedSaid(Answer):
    """A department or person named in the text."""

    name: str
    role: str = Field(description=N_("人的职务；部门为空。"))


class TimeSaid(Answer):
    """A time named in the text."""

    text: str
    kind: str = Field(description=N_("date、clock、span、length 或 relative。"))
    value: str = Field(description=N_("按 ISO 8601 写出，看不出的部分省去。"))
    until: str


class Analysed(Answer):
    """Everything that is said of a message; personal data are left out."""

    topic: Said
    subtopic: Said
    sentiment: Said
    emotion: Said
    request: Said
    urgency: Said
    sensitive: Said = Field(description=N_("value 为 sensitive 表示敏感。"))
    places: list[PlaceSaid]
    departments: list[NamedSaid]
    persons: list[NamedSaid]
    times: list[TimeSaid]
    personal: list[str] = Field(description=N_("有哪几种个人信息：phone、id_card、bank_card、plate、email。"))
    keywords: list[str]
    by_person: bool
    is_whole: bool = Field(description=N_("false：在旧版本下分析过，其余的标签由后台补上。"))


class PlanHit(Answer):
    """A monitoring plan the message hit."""

    plan_id: int
    name: str
    words: list[str] = Field(description=N_("命中的词。"))
    is_active: bool


class MessageEntry(Answer):
    """One message of a thread, citizen's or our own; personal data are masked."""

    id: int
    external_id: str = Field(description=N_("平台上的编号，文字。"))
    kind: MessageKind
    is_own: bool
    author_name: str
    title: str
    text: str
    is_masked: bool
    url: str
    media: list[dict[str, Any]]
    likes: int
    created_at: Moment
    reply_until: Moment | None
    removed_at: Moment | None


class MessageOne(Answer):
    """A message with its thread and tags."""

    message: MessageEntry
    account_id: int
    account: str
    platform: str
    thread_id: str
    tags: Tags
    said: Analysed | None = Field(description=N_("标签的把握和依据，以及文中提到的；null 表示还没有分析。"))
    plans: list[PlanHit] = Field(description=N_("命中的监测方案；没有权限看的人得到空表。"))
    taggings: list[TaggingItem] = Field(description=N_("打过的标签，新的在前。"))
    thread: list[MessageEntry]
    case_number: str
    case_state: CaseState | None
    department: str
    may_correct: list[str] = Field(description=N_("为什么现在不能修正标签；空表示可以。"))


class TagsBody(Body):
    """What is to be set right; left out or null: stays. "" clears all but sentiment and sensitive."""

    topic: str | None = Field(default=None, max_length=64)
    sentiment: str | None = Field(default=None, max_length=16)
    sensitive: bool | None = None
    place: str | None = Field(default=None, max_length=64)
    request: str | None = Field(default=None, max_length=16)
    subtopic: str | None = Field(default=None, max_length=64, description=N_("须属于主题。"))
    emotion: str | None = Field(default=None, max_length=16, description=N_("须与情感一致。"))
    urgency: str | None = Field(
        default=None, max_length=16, description=N_("紧急线索：danger、crowd、outage 或 deadline。")
    )
    because: Short | None = Field(default=None, description=N_("原因，从短表里选；不写就是 other。"))
    reason: Note = Field(default="", description=N_("修正的理由；原因不写或写 other 时必填。"))


@operation("GET", "/messages", N_("消息列表，新的在前"), scope="messages:read", needs=May.read_messages)
async def list_messages(call: Call[MessagesQuery, None]) -> MessagePage:
    """Messages by filters."""
    query = call.query
    filters = lists.Filters(
        account_id=query.account_id, kind=query.kind, topic=query.topic, subtopic=query.subtopic,
        sentiment=query.sentiment, emotion=query.emotion, sensitive=query.sensitive, state=query.case_state,
        text=query.q,
    )  # fmt: skip
    page = await lists.newest(call.unit, call.actor, filters, after=mark_of(call), limit=query.limit)
    items = [MessageItem.model_validate(row) for row in page.rows]
    return MessagePage(items=items, next=next_of(call, page.after))


@operation("GET", "/messages/{message_id:int}", N_("一条消息，连同会话和标签"), scope="messages:read", needs=SEES)
async def get_message(call: Call[None, None]) -> MessageOne:
    """One message."""
    return _shown(await detail(call.unit, call.actor, call.places["message_id"]))


@operation(
    "PATCH", "/messages/{message_id:int}/tags", N_("修正标签"), scope="messages:write", needs=May.correct_tags
)  # fmt: skip
async def correct_tags(call: Call[None, TagsBody]) -> Tags:
    """Set tags right; a person's word wins and is kept."""
    body, message_id = call.body, call.places["message_id"]
    await correct(
        call.unit, call.actor, message_id, topic=body.topic, sentiment=body.sentiment, sensitive=body.sensitive,
        place=body.place, request=body.request, subtopic=body.subtopic, emotion=body.emotion, urgency=body.urgency,
        reason=body.reason, because=body.because,
    )  # fmt: skip
    return Tags.model_validate((await detail(call.unit, call.actor, message_id)).message)


def _shown(found: MessageDetail) -> MessageOne:
    message, case = found.message, found.case
    return MessageOne(
        message=MessageEntry.model_validate(found.entry), account_id=message.account_id, account=found.account.name,
        platform=found.account.platform, thread_id=message.thread_id, tags=Tags.model_validate(message),
        said=Analysed.model_validate(found.said) if found.said else None,
        plans=[PlanHit.model_validate(one) for one in found.plans],
        taggings=[TaggingItem.model_validate(one) for one in found.taggings],
        thread=[MessageEntry.model_validate(one) for one in found.thread],
        case_number=case.number if case else "", case_state=case.state if case else None,
        department=found.department, may_correct=found.may_correct,
    )  # fmt: skip


OPERATIONS = (list_messages, get_message, correct_tags)
