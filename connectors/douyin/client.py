"""The connector to Douyin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.answers import against_text
from connectors.base import (
    AccountRef,
    Capability,
    ConnectorError,
    Done,
    Effect,
    ErrorKind,
    Grant,
    Granted,
    Health,
    Inbound,
    Kind,
    Limits,
    Metric,
    Outcome,
    Outgoing,
    OwnItem,
    OwnItems,
    Page,
    PostForm,
    Problem,
    PushAnswer,
    RawItem,
    Renewed,
    Uploaded,
    Uploading,
)
from connectors.defaults import Defaults
from connectors.douyin import comments, granting, publishing, pushes, videos, works
from connectors.douyin.schemas import inbound, instant, text_of
from connectors.douyin.wire import Wire, incomplete
from connectors.http import Http
from connectors.manual.client import ManualConnector
from connectors.options import DAY, LONGEST_FOLLOWED, SHORTEST, is_on, number
from connectors.pictures import against_pictures, form_named
from connectors.videos import against_video

# How an answer in private is named: it cannot be looked up.
SAID, ANSWER = "im:", "answer:"
SEND = "/im/send/msg/"
REPLY_LENGTH = 500
_OPTIONS = {
    "comments": "请管理员在抖音开放平台申请「管理视频评论」（item.comment），开通后在账号设置中标为已开通并重新授权",
    "works": "请管理员在抖音开放平台申请「视频信息数据」和「视频互动数据」，开通后在账号设置中标为已开通并重新授权",
    "messages": "私信能力只给经营类账号；请管理员在抖音开放平台申请「私信管理」，开通后在账号设置中标为已开通",
}


class DouyinConnector(Defaults):
    """A Douyin account as a :class:`connectors.base.Connector`.

    Secrets: ``app_secret``, ``token``, ``refresh_token``, ``refresh_until`` (ISO time, by granting). Options: see
    :mod:`connectors.douyin.form`; besides ``pull_every`` (seconds, 600), ``follow_days`` (of comments, 30),
    ``longest_pause`` (seconds between two readings of an old work, six hours), ``reply_length``.
    """

    platform = "douyin"
    label = "抖音"
    streams: Sequence[str] = ("comments",)

    def __init__(self, http: Http) -> None:
        self._wire = Wire(http)
        self._hand = ManualConnector()

    # what it can do ---------------------------------------------------------------------------------------------------

    def limits(self, account: AccountRef) -> Limits:
        """By hand altogether as long as the app may neither publish nor answer."""
        by_program = any(is_on(account, name) for name in ("publish", "comments", "messages"))
        reply = int(number(account, "reply_length", REPLY_LENGTH, 1, publishing.LENGTH))
        return Limits(
            publishing.LENGTH, reply, find_own_lag=600.0, pull_every=self._every(account), private_length=reply,
            by_hand=not by_program, counted_at_once=works.AT_ONCE,
        )  # fmt: skip

    def post_forms(self, account: AccountRef) -> tuple[PostForm, ...]:
        """A picture post and a video by program where granted; a post by a person always."""
        return publishing.forms(account)

    def measure(self, text: str) -> int:
        """Characters."""
        return len(text)

    def capabilities(self, account: AccountRef) -> Mapping[Capability, Grant]:
        """What the office has marked as granted; what is missing says from whom to get it."""
        yes, grants = Grant(Granted.yes), {}
        needs = {name: yes if is_on(account, name) else Grant(Granted.needs, why) for name, why in _OPTIONS.items()}
        both = needs["works"] if needs["works"].granted is not Granted.yes else needs["comments"]
        grants[Capability.pull_mentions] = Grant(Granted.no, "抖音没有提供「提及」的接口")
        grants[Capability.pull_comments] = both
        grants[Capability.pull_messages] = Grant(Granted.no, "抖音不提供私信列表，来信由平台推送")
        grants[Capability.receive_push] = (
            yes if account.secrets.get("app_secret") else Grant(Granted.needs, "请管理员在账号设置中填写 Client Secret")
        )
        grants[Capability.reply_public] = needs["comments"]
        grants[Capability.reply_private] = needs["messages"]
        grants[Capability.publish] = (
            yes
            if is_on(account, "publish")
            else Grant(Granted.yes, "应用还没有「代替用户发布」的能力：到点由专人照步骤发布，再把链接贴回来")
        )
        grants[Capability.delete] = Grant(Granted.no, "抖音没有提供删除接口，请到抖音 App 中删除")
        grants[Capability.find_own] = grants[Capability.metrics] = needs["works"]
        return grants

    def _every(self, account: AccountRef) -> float:
        return number(account, "pull_every", 600.0, SHORTEST, DAY)

    # access -----------------------------------------------------------------------------------------------------------

    async def check(self, account: AccountRef) -> Health:
        """Whose token it is."""
        return await granting.health(self._wire, account)

    def authorise_url(self, account: AccountRef, back: str, state: str) -> str:
        """The platform's page."""
        return granting.page(account, back, state)

    async def exchange(self, account: AccountRef, back: str, query: Mapping[str, str]) -> Renewed:
        """The tokens for the code."""
        return await granting.exchange(self._wire, account, query)

    async def refresh(self, account: AccountRef) -> Renewed | None:
        """A new token, as long as the refresh token lives."""
        return await granting.refresh(self._wire, account)

    # in ---------------------------------------------------------------------------------------------------------------

    async def pull(self, account: AccountRef, stream: str, cursor: Mapping[str, Any]) -> Page:
        """The next page of comments; nothing where the app may not read them."""
        if stream != "comments":
            raise ConnectorError(ErrorKind.bug, f"没有名为「{stream}」的信息流", code="stream")
        if not (is_on(account, "comments") and is_on(account, "works")):
            return Page((), dict(cursor))
        days = number(account, "follow_days", 30.0, 0, LONGEST_FOLLOWED)
        return await comments.pull(self._wire, account, cursor, self._every(account), days)

    async def receive(
        self, account: AccountRef, method: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> PushAnswer:
        """Verify and split a push; see :mod:`connectors.douyin.pushes`."""
        return pushes.answer(account, method, headers, body)

    def parse(self, account: AccountRef, item: RawItem) -> Inbound:
        """Understand a stored comment or message."""
        return inbound(item, account.external_id)

    # out --------------------------------------------------------------------------------------------------------------

    async def upload(self, account: AccountRef, out: Outgoing, state: Mapping[str, str]) -> Uploading | Uploaded:
        """The next step of a video's way there; what a person publishes, a person brings."""
        name = form_named(self.post_forms(account), out.form).name
        if name == publishing.BY_HAND:
            return Uploaded({})
        if out.video is None or name != videos.FORM.name:
            return await super().upload(account, out, state)
        return await videos.upload(self._wire, account, out.video, state)

    async def publish(self, account: AccountRef, out: Outgoing) -> Outcome:
        """A picture post, a video that was uploaded before, or the steps for a person."""
        self._refuse_unfit(account, out)
        return await publishing.publish(self._wire, account, out)

    async def reply(self, account: AccountRef, out: Outgoing) -> Outcome:
        """An answer under a comment, or a private message."""
        self._refuse_unfit(account, out)
        if out.target_kind is Kind.comment:
            own = await comments.reply(self._wire, account, out.thread_id, out.target_id, out.text)
            if not own:
                raise incomplete("comment_id", Effect.unknown)
            return Done(f"{ANSWER}{own}", at=self._wire.now)
        if out.target_kind is Kind.private:
            return await self._send(account, out)
        raise ConnectorError(ErrorKind.permission, "抖音不能回复这一类内容", code="kind")

    async def _send(self, account: AccountRef, out: Outgoing) -> Outcome:
        """After 私信群聊 › 发送私信消息: an answer to a message, within 24 hours of it."""
        body = {
            "msg_id": out.target_id, "conversation_id": out.thread_id, "to_user_id": out.target_author_id,
            "scene": "im_reply_msg", "content": {"msg_type": 1, "text": {"text": out.text}},
        }  # fmt: skip
        data = await self._wire.post(account, SEND, body)
        return Done(f"{SAID}{text_of(data.get('msg_id')) or out.key}", at=self._wire.now)

    async def poll_job(self, account: AccountRef, job: str) -> Outcome:
        """How the review of a post ended."""
        return await publishing.poll(self._wire, account, job)

    # afterwards -------------------------------------------------------------------------------------------------------

    async def find_own(self, account: AccountRef, since: datetime, out: Outgoing) -> OwnItems:
        """Own works; for an answer under a comment, what we said there. Messages cannot be read back."""
        if out.target_kind is None:
            items, complete = await works.since(self._wire, account, since.replace(microsecond=0))
            return OwnItems(tuple(items), complete)
        if out.target_kind is not Kind.comment:
            return OwnItems((), complete=False)
        rows, is_end = await comments.replies(self._wire, account, out.thread_id, out.target_id)
        read = [_answer(row, account.external_id, out.target_id) for row in rows]
        found = [one for one in read if isinstance(one, OwnItem) and one.created_at >= since.replace(microsecond=0)]
        return OwnItems(tuple(found), complete=is_end and None not in read)

    async def exists(self, account: AccountRef, external_id: str) -> bool:
        """Whether a work stands for the public; answers and messages are taken for granted: nobody can look."""
        if external_id.startswith((SAID, ANSWER)) or not _has_number(external_id):
            return True
        return await works.stands(self._wire, account, external_id)

    async def delete(self, account: AccountRef, external_id: str) -> None:
        """Refused."""
        raise ConnectorError(ErrorKind.permission, "抖音没有提供删除接口，请到抖音 App 中删除", code="delete")

    async def metrics(self, account: AccountRef, ids: Sequence[str]) -> list[Metric]:
        """Figures of own works, also of those a person published."""
        wanted = [one for one in ids if _has_number(one) and not one.startswith((SAID, ANSWER))]
        if not wanted or not is_on(account, "works"):
            return []
        found = await works.named(self._wire, account, wanted)
        return [works.metric(asked, work) for asked, work in found.items()]

    def read_link(self, account: AccountRef, link: str) -> str:
        """The number of the work a person published."""
        return self._hand.read_link(publishing.by_hand(account), link)

    def validate(self, account: AccountRef, out: Outgoing) -> list[Problem]:
        """Length, target and pictures, by the form."""
        form = form_named(self.post_forms(account), out.form)
        most = form.length if out.target_kind is None else self.limits(account).reply_length
        problems = against_text(out.text, len(out.text), most)
        if out.target_kind is None and form.name == publishing.BY_HAND:
            return self._hand.validate(publishing.by_hand(account), out)
        if out.target_kind is None:
            return problems + against_pictures(out.attachments, form) + against_video(out, form)
        if out.attachments:
            problems.append(Problem("media", "回复只能是文字，请去掉图片"))
        if not out.target_id or (out.target_kind is Kind.comment and not out.thread_id):
            problems.append(Problem("target", "没有指明要回复的内容"))
        return problems

    def _refuse_unfit(self, account: AccountRef, out: Outgoing) -> None:
        if problems := self.validate(account, out):
            raise ConnectorError(ErrorKind.content_rejected, problems[0].text, code="invalid")


def _answer(row: Any, own_id: str, target: str) -> OwnItem | bool | None:
    """An own answer under a comment; False: another's; None: it cannot be read, and may be ours."""
    author = text_of(row.get("comment_user_id")) if isinstance(row, Mapping) else ""
    if author != own_id:
        return False if author else None
    at, words = instant(row.get("create_time")), row.get("content")
    if at is None or not isinstance(words, str):
        return None
    return OwnItem(f"{ANSWER}{text_of(row.get('comment_id'))}", words, at, parent_id=target)


def _has_number(external_id: str) -> bool:
    """Whether the platform can look it up: its own id, or the number of an address; not a short link."""
    return external_id.startswith("@") or works.is_number(external_id)
