"""The connector to Bilibili."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from connectors.answers import against_length, against_text
from connectors.base import (
    AccountRef,
    Capability,
    ConnectorError,
    ErrorKind,
    Grant,
    Granted,
    Health,
    Inbound,
    Limits,
    Metric,
    Outcome,
    Outgoing,
    OwnItems,
    Page,
    PostForm,
    Problem,
    PushAnswer,
    RawItem,
    Reject,
    Renewed,
    Uploaded,
    Uploading,
)
from connectors.bilibili import articles, granting, videos
from connectors.bilibili.wire import Wire
from connectors.defaults import Defaults
from connectors.http import Http
from connectors.manual.client import ManualConnector
from connectors.options import text
from connectors.pictures import against_pictures, form_named
from connectors.text import count
from connectors.videos import against_video

NO_COMMENTS = "B 站开放平台没有提供评论和私信接口；评论可以从文件导入，或粘贴进来"
HAND = "还不能由系统投稿：到点由专人照步骤发布，再把链接贴回来"
BY_HAND = "by_hand"
VIDEO_STAT = "/arcopen/fn/data/arc/stat"
ARTICLES, VIDEOS, FIGURES = "ATC_BASE", "ARC_BASE", frozenset({"ATC_DATA", "ARC_DATA"})


class BilibiliConnector(Defaults):
    """A Bilibili account as a :class:`connectors.base.Connector`.

    Secrets: ``app_secret``, ``token``, ``refresh_token``. Options: see :mod:`connectors.bilibili.form`; ``scopes``
    (learned by ``check``): the rights the account gave, with commas. Ids: ``cv…`` of an article; ``BV…`` of a video;
    numbers of anything else.
    """

    platform = "bilibili"
    label = "哔哩哔哩"
    streams: Sequence[str] = ()

    def __init__(self, http: Http) -> None:
        self._wire = Wire(http)
        self._hand = ManualConnector()

    # what it can do ---------------------------------------------------------------------------------------------------

    def limits(self, account: AccountRef) -> Limits:
        """By hand altogether as long as neither articles nor videos can be submitted; both are listed while under
        review."""
        return Limits(articles.MOST, 500, find_own_lag=600.0, by_hand=not _submits(account), counted_at_once=10)

    def post_forms(self, account: AccountRef) -> tuple[PostForm, ...]:
        """An article and a video by program where they can be; always: by a person (a short post)."""
        (hand,) = self._hand.post_forms(_by_hand(account))
        hand = replace(
            hand, name=BY_HAND, label="视频、动态等（人工发布）", note="到点后由专人在 B 站上发布，再把链接贴回来。"
        )
        written = () if _no_articles(account) else (articles.FORM,)
        filmed = () if _no_videos(account) else (videos.FORM,)
        return (*written, *filmed, hand)

    def measure(self, text: str) -> int:
        """Characters."""
        return len(text)

    def capabilities(self, account: AccountRef) -> Mapping[Capability, Grant]:
        """Articles and videos, as far as the account's rights are known; nothing comes in."""
        grants = {capability: Grant(Granted.no, NO_COMMENTS) for capability in Capability}
        grants[Capability.receive_push] = Grant(Granted.no, "B 站只推送授权和视频过审的通知，用不上")
        missing = [why for why in (_no_articles(account), _no_videos(account)) if why]
        said = "；".join(missing if _submits(account) else [HAND, *missing])
        needs = Grant(Granted.yes) if _submits(account) else Grant(Granted.needs, "；".join(missing))
        grants |= {Capability.publish: Grant(Granted.yes, said), Capability.delete: needs, Capability.find_own: needs}
        scopes = text(account, "scopes")
        lacks = scopes and FIGURES.isdisjoint(scopes.split(","))
        why = "授权中没有「专栏数据」（ATC_DATA）或「视频数据」（ARC_DATA），请管理员向 B 站申请后重新授权"
        grants[Capability.metrics] = Grant(Granted.needs, why) if lacks else Grant(Granted.yes)
        return grants

    # access -----------------------------------------------------------------------------------------------------------

    async def check(self, account: AccountRef) -> Health:
        """Whose token it is and what it may."""
        return await granting.health(self._wire, account)

    def authorise_url(self, account: AccountRef, back: str, state: str) -> str:
        """The platform's page."""
        return granting.page(account, back, state)

    async def exchange(self, account: AccountRef, back: str, query: Mapping[str, str]) -> Renewed:
        """The tokens for the code."""
        return await granting.exchange(self._wire, account, query)

    async def refresh(self, account: AccountRef) -> Renewed | None:
        """New tokens."""
        return await granting.refresh(self._wire, account)

    # in ---------------------------------------------------------------------------------------------------------------

    async def pull(self, account: AccountRef, stream: str, cursor: Mapping[str, Any]) -> Page:
        """Refused."""
        raise ConnectorError(ErrorKind.permission, NO_COMMENTS, code="comments")

    async def receive(
        self, account: AccountRef, method: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> PushAnswer:
        """Refused."""
        return Reject(404, "B 站的账号不接收推送")

    def parse(self, account: AccountRef, item: RawItem) -> Inbound:
        """Understand a comment that was brought in by file or pasted."""
        return self._hand.parse(account, item)

    # out --------------------------------------------------------------------------------------------------------------

    async def upload(self, account: AccountRef, out: Outgoing, state: Mapping[str, str]) -> Uploading | Uploaded:
        """The next step of a video's way there; what a person publishes, a person brings."""
        name = form_named(self.post_forms(account), out.form).name
        if name == BY_HAND:
            return Uploaded({})
        if out.video is None or name != videos.FORM.name:
            return await super().upload(account, out, state)
        return await videos.upload(self._wire, account, out.video, state)

    async def publish(self, account: AccountRef, out: Outgoing) -> Outcome:
        """An article, a video that was uploaded before, or the steps for a person."""
        if problems := self.validate(account, out):
            raise ConnectorError(ErrorKind.content_rejected, problems[0].text, code="invalid")
        name = form_named(self.post_forms(account), out.form).name
        if name == BY_HAND:
            return await self._hand.publish(_by_hand(account), out)
        if name == videos.FORM.name:
            return await videos.submit(self._wire, account, out)
        return await articles.submit(self._wire, account, out)

    async def reply(self, account: AccountRef, out: Outgoing) -> Outcome:
        """Refused."""
        raise ConnectorError(ErrorKind.permission, NO_COMMENTS, code="comments")

    async def poll_job(self, account: AccountRef, job: str) -> Outcome:
        """How the review of an article or a video ended."""
        if videos.is_video(job):
            return await videos.poll(self._wire, account, job)
        return await articles.poll(self._wire, account, job)

    # afterwards -------------------------------------------------------------------------------------------------------

    async def find_own(self, account: AccountRef, since: datetime, out: Outgoing) -> OwnItems:
        """Own videos or own articles, by what is looked for."""
        if form_named(self.post_forms(account), out.form).name == videos.FORM.name:
            return await videos.find(self._wire, account, since)
        return await articles.find(self._wire, account, since)

    async def exists(self, account: AccountRef, external_id: str) -> bool:
        """Whether the platform still has an article or a video; what has another id nobody can look up."""
        if _is_article(external_id):
            return await articles.stands(self._wire, account, external_id)
        if not external_id.startswith("BV"):
            return True
        if not _no_videos(account):
            return await videos.stands(self._wire, account, external_id)
        return await self._counted(account, external_id) is not None

    async def delete(self, account: AccountRef, external_id: str) -> None:
        """Remove an article or a video, where the app may; else a person does."""
        if external_id.startswith(articles.CV) and not _no_articles(account):
            await articles.remove(self._wire, account, external_id)
        elif videos.is_video(external_id) and not _no_videos(account):
            await videos.remove(self._wire, account, external_id)
        else:
            raise ConnectorError(ErrorKind.permission, "请到 B 站上手动删除", code="by hand")

    async def metrics(self, account: AccountRef, ids: Sequence[str]) -> list[Metric]:
        """Figures of articles, thirty at once, and of videos, one by one."""
        written = [one for one in ids if _is_article(one)]
        found = list((await articles.stats(self._wire, account, written)).values()) if written else []
        for one in ids:
            if one.startswith("BV") and (metric := await self._counted(account, one)) is not None:
                found.append(metric)
        return found

    async def _counted(self, account: AccountRef, own: str) -> Metric | None:
        """After 数据开放服务 › 获取单个稿件数据."""
        try:
            data = await self._wire.get(account, VIDEO_STAT, resource_id=own)
        except ConnectorError as error:
            if error.kind is ErrorKind.not_found:
                return None
            raise
        told = data if isinstance(data, Mapping) else {}
        return Metric(own, *(count(told.get(name)) for name in ("view", "like", "reply", "share")))

    def read_link(self, account: AccountRef, link: str) -> str:
        """The id of what a person published."""
        own = self._hand.read_link(_by_hand(account), link)
        return f"{articles.CV}{own}" if own.isdigit() and f"/read/cv{own}" in link else own

    def validate(self, account: AccountRef, out: Outgoing) -> list[Problem]:
        """Title, length and pictures, by the form."""
        if out.target_kind is not None:
            return [Problem("target", NO_COMMENTS)]
        form = form_named(self.post_forms(account), out.form)
        if form.name == BY_HAND:
            return self._hand.validate(_by_hand(account), out)
        problems = []
        if not out.title.strip():
            problems.append(Problem("title", f"「{form.label}」要有标题"))
        if len(out.title.strip()) > form.title_length:
            problems.append(Problem("title", f"标题超过 {form.title_length} 字，请删减"))
        problems += _against_words(out, form)
        return problems + against_pictures(out.attachments, form) + against_video(out, form)


def _against_words(out: Outgoing, form: PostForm) -> list[Problem]:
    if form.name == videos.FORM.name:
        return against_text(out.text, len(out.text), form.length)
    problems = against_length(len(out.text), form.length)
    if len(out.text.strip()) < articles.LEAST and len(out.attachments) < articles.ENOUGH_PICTURES:
        problems.append(Problem("text", "专栏正文至少 200 字，或至少 3 张图片；短内容请改选「视频、动态等」"))
    return problems


def _submits(account: AccountRef) -> bool:
    """Whether anything can be submitted by program."""
    return not (_no_articles(account) and _no_videos(account))


def _no_articles(account: AccountRef) -> str:
    """What is missing to submit articles; empty when nothing is."""
    if not _is_number(text(account, "category")):
        return "要由系统投专栏，请管理员在账号设置中填写专栏分类编号"
    if not _has_right(account, ARTICLES):
        return "授权中没有「专栏管理」（ATC_BASE），请管理员向 B 站申请后重新授权"
    return ""


def _no_videos(account: AccountRef) -> str:
    """What is missing to submit videos; empty when nothing is."""
    tags = videos.tags_of(account)
    if not _is_number(text(account, "video_category")) or not tags:
        return "要由系统投视频，请管理员在账号设置中填写视频分区编号和视频标签"
    if len(tags) > videos.TAGS:
        return f"视频标签合计超过 {videos.TAGS} 字，请管理员在账号设置中删减"
    if not _has_right(account, VIDEOS):
        return "授权中没有「视频稿件管理」（ARC_BASE），请管理员向 B 站申请后重新授权"
    return ""


def _has_right(account: AccountRef, right: str) -> bool:
    """Whether the account gave a right, as far as is known."""
    scopes = text(account, "scopes")
    return not scopes or right in scopes.split(",")


def _is_number(typed: str) -> bool:
    return typed.isascii() and typed.isdigit() and len(typed) < 10


def _by_hand(account: AccountRef) -> AccountRef:
    return replace(account, options={"site": "bilibili"})


def _is_article(own: str) -> bool:
    return own.startswith(articles.CV) and own[2:].isascii() and own[2:].isdigit()
