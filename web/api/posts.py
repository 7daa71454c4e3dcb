"""Posts: written, reviewed, put on the calendar, taken off it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import Field

from hub.errors import Invalid
from hub.i18n import N_, _
from hub.models import DeliveryState, PostState
from hub.rights import May
from web.api.operation import Call, mark_of, next_of, operation
from web.api.schema import Answer, Body, Confirm, Id, Moment, Note, Page, PageQuery, Version, When
from web.api.videos import VideoOne
from workflows.delivery import figures
from workflows.publishing import choices, detail, lists, service
from workflows.publishing.calendar import Item
from workflows.publishing.content import USUAL, Draft, Option, draft_of, pictures_for, tidy
from workflows.publishing.forms import settled
from workflows.videos.placed import PlacedVideo

READS = (May.read_posts, May.write_post)
MOVES = (May.write_post, May.review_post)
MOST_TARGETS = 200


class PostsQuery(PageQuery):
    """Filters; what is left out does not narrow."""

    view: lists.View = Field(default=lists.View.all, description=N_("mine 自己写的，review 等我审核的，all 全部。"))
    state: PostState | None = None
    account_id: Id | None = None
    q: str = Field(default="", max_length=200, description=N_("词语，须全部出现在标题或正文里。"))


class MarkItem(Answer):
    """One account and how far its delivery is."""

    account_id: int
    account: str = Field(validation_alias="name")
    platform: str
    delivery_state: DeliveryState | None = Field(validation_alias="state")


class PostItem(Answer):
    """A post as lists show it."""

    id: int
    title: str
    state: PostState
    version: int
    scheduled_at: Moment | None = Field(validation_alias="start")
    latest_at: Moment | None
    author_name: str
    accounts: list[MarkItem] = Field(validation_alias="marks")
    words: str = Field(description=N_("进展，按办公用语。"))


class PostPage(Page[PostItem]):
    """Posts, the newest first."""


class PictureOne(Answer):
    """One picture of a post, in its place."""

    id: int
    sha256: str
    mime: str
    width: int
    height: int
    description: str


class PostVideo(VideoOne):
    """The video of a post."""

    description: str


class FiguresOne(Answer):
    """How it does there; null: the platform does not tell it, which is not 0."""

    read_at: Moment = Field(description=N_("读到这些数据的时间。"))
    reads: int | None
    likes: int | None
    comments: int | None
    reposts: int | None
    by_name: str = Field(description=N_("由人填写的，填写人；系统读取的为空。"))


class TargetOne(Answer):
    """One account: what it says there and what became of it."""

    account_id: int
    account: str
    platform: str
    own_text: str = Field(description=N_("这个账号单独的文字；空表示用正文。"))
    text: str = Field(description=N_("这个账号实际发出的文字。"))
    form: str = Field(description=N_("发布形式；空表示平台常用的。"))
    title: str = Field(description=N_("发布的标题；没有标题的形式为空。"))
    pictures: int = Field(description=N_("用前几张图片。"))
    without_video: bool = Field(description=N_("这个账号不带视频。"))
    uploaded: int | None = Field(description=N_("视频已传到平台的百分比；没有视频或由人工发布的为 null。"))
    delivery_id: int | None
    delivery_state: DeliveryState | None
    figures: FiguresOne | None = Field(description=N_("最新的阅读、点赞、评论、转发；还没有读到的为 null。"))
    figures_note: str = Field(description=N_("数据缺少或读取失败的原因；没有为空。"))


class PostEventItem(Answer):
    """One line of the history."""

    id: int
    at: Moment
    what: str
    by_name: str
    note: str
    content_hash: str


class PostOne(Answer):
    """A post with its accounts, its history, and per move why not (empty: go ahead)."""

    id: int
    title: str
    body: str
    state: PostState
    version: int
    content_hash: str = Field(description=N_("审核时原样交回，证明批准的就是这份内容。"))
    department_id: int
    author_name: str
    scheduled_at: Moment | None
    latest_at: Moment | None
    created_at: Moment
    changed_at: Moment
    submitted_at: Moment | None
    reviewer_name: str
    reviewed_at: Moment | None
    review_note: str
    pictures: list[PictureOne]
    video: PostVideo | None
    targets: list[TargetOne]
    events: list[PostEventItem]
    reasons: dict[str, list[str]] = Field(description=N_("每一步现在为什么不行；空表示可以。"))


class VideoBody(Body):
    """The video of the post: one that was uploaded before."""

    id: Id
    description: str = Field(default="", max_length=1500, description=N_("给看不见画面的人的说明。"))


class TargetBody(Body):
    """One account; without a text of its own it gets the body."""

    account_id: Id
    text: str = Field(default="", max_length=50_000)
    form: str = Field(default="", max_length=32, description=N_("发布形式的名称；空表示平台常用的。"))
    title: str = Field(default="", max_length=200, description=N_("有标题的形式用它；空表示用稿件标题。"))
    pictures: int | None = Field(default=None, ge=0, le=18, description=N_("只用前几张图片；不给表示全部。"))
    without_video: bool = Field(default=False, description=N_("这个账号不带视频。"))


class PostBody(Body):
    """A new post."""

    title: str = Field(default="", max_length=1000)
    body: str = Field(default="", max_length=50_000)
    targets: list[TargetBody] = Field(default=[], max_length=MOST_TARGETS)
    scheduled_at: When | None = None
    latest_at: When | None = Field(default=None, description=N_("过了这个时间就不再自动发出。"))
    video: VideoBody | None = Field(default=None, description=N_("先经 /videos/coming 上传得到编号；null 表示去掉。"))


class PostChange(Body):
    """What is to change; what is left out stays, null clears a time."""

    version: Version
    title: str = Field(default="", max_length=1000)
    body: str = Field(default="", max_length=50_000)
    targets: list[TargetBody] = Field(default=[], max_length=MOST_TARGETS)
    scheduled_at: When | None = None
    latest_at: When | None = None
    video: VideoBody | None = Field(default=None, description=N_("先经 /videos/coming 上传得到编号；null 表示去掉。"))


class VersionBody(Body):
    """The version that was read."""

    version: Version


class SubmitPostBody(VersionBody):
    """``confirm``: the findings shown are meant so."""

    confirm: Confirm = ""


class ApprovePostBody(Body):
    """Exactly this content is signed for."""

    content_hash: str = Field(max_length=64, description=N_("读到的 content_hash。"))
    remark: Note = ""
    at_once: bool = Field(default=False, description=N_("计划时间已过，立即发布。"))


class SendBackPostBody(Body):
    """Why it goes back."""

    content_hash: str = Field(max_length=64)
    reason: Note


class WithdrawBody(Body):
    """Why it is taken off."""

    version: Version
    reason: Note


class RescheduleBody(Body):
    """The new time."""

    version: Version
    scheduled_at: When


class PostMoved(Answer):
    """The post at its new time, and whether its approval still stands."""

    post: PostOne
    kept_approval: bool


@operation("GET", "/posts", N_("稿件列表，新的在前"), scope="posts:read", needs=READS)
async def list_posts(call: Call[PostsQuery, None]) -> PostPage:
    """Posts by view and filters."""
    query = call.query
    page = await lists.page(
        call.unit, call.actor, query.view, state=query.state, account_id=query.account_id, words=query.q,
        before=int(mark_of(call) or 0) or None, limit=query.limit,
    )  # fmt: skip
    return PostPage(items=[_item(one) for one in page.items], next=next_of(call, page.older))


def _item(one: Item) -> PostItem:
    return PostItem.model_validate(one)


@operation("GET", "/posts/{post_id:int}", N_("一篇稿件，连同各账号文字和经过"), scope="posts:read", needs=READS)
async def get_post(call: Call[None, None]) -> PostOne:
    """One post."""
    return await _shown(call, call.places["post_id"])


@operation(
    "POST", "/posts", N_("新建稿件"), scope="posts:write", needs=May.write_post, status=201, location="/posts/{id}",
)  # fmt: skip
async def create_post(call: Call[None, PostBody]) -> PostOne:
    """A new draft of the person's department."""
    body = call.body
    draft = Draft(
        body.title, body.body, _targets(body.targets), body.scheduled_at, body.latest_at,
        options=_options(body.targets, {}), video=_video(body.video),
    )  # fmt: skip
    post = await service.create(call.unit, call.actor, await _settled(call, draft))
    return await _shown(call, post.id)


@operation("PATCH", "/posts/{post_id:int}", N_("修改稿件"), scope="posts:write", needs=May.write_post)
async def change_post(call: Call[None, PostChange]) -> PostOne:
    """Change what is given; an approved post whose content changes goes back to review."""
    body, post_id = call.body, call.places["post_id"]
    given: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set - {"version"}}
    found = await detail.view(call.unit, call.actor, post_id)
    stored = draft_of(found.post, [one.target for one in found.targets])
    if "targets" in given:
        given |= {"targets": _targets(body.targets), "options": _options(body.targets, stored.options)}
    if "video" in given:
        given["video"] = _video(body.video)
    draft = await _settled(call, replace(stored, **given))
    await service.save(call.unit, call.actor, post_id, version=body.version, draft=draft)
    return await _shown(call, post_id)


@operation("POST", "/posts/{post_id:int}/submit", N_("稿件送审"), scope="posts:write", needs=May.write_post)
async def submit_post(call: Call[None, SubmitPostBody]) -> PostOne:
    """Hand it to the reviewers."""
    post_id = call.places["post_id"]
    await service.submit(
        call.house, call.unit, call.actor, post_id, version=call.body.version, confirm=call.body.confirm
    )
    return await _shown(call, post_id)


@operation("POST", "/posts/{post_id:int}/approve", N_("审核通过"), scope="posts:write", needs=May.review_post)
async def approve_post(call: Call[None, ApprovePostBody]) -> PostOne:
    """Sign for exactly the content read; with the last signature it waits for its time."""
    body, post_id = call.body, call.places["post_id"]
    await service.approve(
        call.house, call.unit, call.actor, post_id, content_hash=body.content_hash, remark=body.remark,
        at_once=body.at_once,
    )  # fmt: skip
    return await _shown(call, post_id)


@operation("POST", "/posts/{post_id:int}/send-back", N_("退回稿件"), scope="posts:write", needs=May.review_post)
async def send_back_post(call: Call[None, SendBackPostBody]) -> PostOne:
    """Return it to its author with a reason."""
    body, post_id = call.body, call.places["post_id"]
    await service.send_back(call.unit, call.actor, post_id, content_hash=body.content_hash, reason=body.reason)
    return await _shown(call, post_id)


@operation("POST", "/posts/{post_id:int}/withdraw", N_("撤回稿件"), scope="posts:write", needs=MOVES)
async def withdraw_post(call: Call[None, WithdrawBody]) -> PostOne:
    """Take it off the calendar."""
    body, post_id = call.body, call.places["post_id"]
    await service.withdraw(call.unit, call.actor, post_id, version=body.version, reason=body.reason)
    return await _shown(call, post_id)


@operation("POST", "/posts/{post_id:int}/reschedule", N_("改期"), scope="posts:write", needs=MOVES)
async def reschedule_post(call: Call[None, RescheduleBody]) -> PostMoved:
    """Move it and everything of it that waits to another time."""
    body, post_id = call.body, call.places["post_id"]
    moved = await service.reschedule(
        call.unit, call.actor, post_id, version=body.version, scheduled_at=body.scheduled_at
    )  # fmt: skip
    return PostMoved(post=await _shown(call, post_id), kept_approval=moved.kept_approval)


def _targets(given: list[TargetBody]) -> dict[int, str]:
    targets = {one.account_id: one.text for one in given}
    if len(targets) < len(given):
        raise Invalid({"targets": _("同一个账号给了不止一次。")})
    return targets


def _options(given: list[TargetBody], stored: Mapping[int, Option]) -> dict[int, Option]:
    """How each account takes it; what is not given stays as it is stored."""
    names = {"form": "form", "title": "title", "pictures": "first", "without_video": "without_video"}
    return {
        one.account_id: replace(
            stored.get(one.account_id, USUAL),
            **{names[name]: getattr(one, name) for name in one.model_fields_set & names.keys()},
        )
        for one in given
    }


def _video(given: VideoBody | None) -> PlacedVideo | None:
    return PlacedVideo(given.id, given.description) if given else None


async def _settled(call: Call[Any, Any], draft: Draft) -> Draft:
    """With the form and title of each account named."""
    offered = await choices.accounts(call.house, call.unit)
    return settled({choice.id: choice.forms for choice in offered}, tidy(draft))


async def _shown(call: Call[Any, Any], post_id: int | None) -> PostOne:
    await call.unit.flush()
    found = await detail.view(call.unit, call.actor, post_id or 0)
    counted = {one.delivery_id: one for one in await figures.of_post(call.house, call.unit, call.actor, post_id or 0)}
    targets = [
        TargetOne(
            account_id=one.target.account_id, account=one.account.name, platform=one.account.platform,
            own_text=one.target.text, text=one.text, form=one.target.form, title=one.target.title,
            pictures=len(pictures_for(found.post, one.target)), delivery_id=one.target.delivery_id,
            without_video=one.target.without_video, uploaded=one.uploaded,
            delivery_state=one.delivery.state if one.delivery else None,
            **_told(counted.get(one.target.delivery_id or 0)),
        )
        for one in found.targets
    ]  # fmt: skip
    events = [PostEventItem.model_validate(one) for one in found.events]
    said = {**found.post.model_dump(), "targets": targets, "events": events, "reasons": found.reasons}
    return PostOne.model_validate(said)


def _told(one: figures.Standing | None) -> dict[str, Any]:
    """How it does on one account."""
    if one is None:
        return {"figures": None, "figures_note": ""}
    newest = FiguresOne(read_at=one.read_at, by_name=one.by_name, **one.known) if one.read_at else None
    return {"figures": newest, "figures_note": one.note}


OPERATIONS = (
    list_posts, get_post, create_post, change_post, submit_post, approve_post, send_back_post, withdraw_post,
    reschedule_post,
)  # fmt: skip
