"""The connector to Bilibili."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from connectors.answers import against_length
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
)
from connectors.bilibili import articles, granting
from connectors.bilibili.wire import Wire
from connectors.defaults import Defaults
from connectors.http import Http
from connectors.manual.client import ManualConnector
from connectors.options import text
from connectors.pictures import against_pictures, form_named
from connectors.text import count

NO_COMMENTS = "B 站开放平台没有提供评论和私信接口；评论可以从文件导入，或粘贴进来"
HAND = "专栏还不能由系统投稿：到点由专人照步骤发布，再把链接贴回来"
BY_HAND = "by_hand"
VIDEO_STAT = "/arcopen/fn/data/arc/stat"
ARTICLES, FIGURES = "ATC_BASE", "ATC_DATA"


class BilibiliConnector(Defaults):
    """A Bilibili account as a :class:`connectors.base.Connector`.

    Secrets: ``app_secret``, ``token``, ``refresh_token``. Options: see :mod:`connectors.bilibili.form`; ``scopes``
    (learned by ``check``): the rights the account gave, with commas. Ids: ``cv…`` of an article; ``BV…`` of a video
    that a person published; numbers of anything else.
    """

    platform = "bilibili"
    label = "哔哩哔哩"
    streams: Sequence[str] = ()

    def __init__(self, http: Http) -> None:
        self._wire = Wire(http)
        self._hand = ManualConnector()

    # what it can do ---------------------------------------------------------------------------------------------------

    def limits(self, account: AccountRef) -> Limits:
        """By hand altogether as long as articles cannot be submitted; articles are listed while under review."""
        return Limits(articles.MOST, 500, find_own_lag=600.0, by_hand=bool(_missing(account)))

    def post_forms(self, account: AccountRef) -> tuple[PostForm, ...]:
        """An article by program where it can be; always: by a person (a video, a short post)."""
        (hand,) = self._hand.post_forms(_by_hand(account))
        hand = replace(
            hand, name=BY_HAND, label="视频、动态等（人工发布）", note="到点后由专人在 B 站上发布，再把链接贴回来。"
        )
        return (hand,) if _missing(account) else (articles.FORM, hand)

    def measure(self, text: str) -> int:
        """Characters."""
        return len(text)

    def capabilities(self, account: AccountRef) -> Mapping[Capability, Grant]:
        """Articles, as far as the account's rights are known; nothing comes in."""
        grants = {capability: Grant(Granted.no, NO_COMMENTS) for capability in Capability}
        grants[Capability.receive_push] = Grant(Granted.no, "B 站只推送授权和视频过审的通知，用不上")
        missing = _missing(account)
        hand = Grant(Granted.yes, HAND if missing else "")
        needs = Grant(Granted.needs, missing) if missing else Grant(Granted.yes)
        grants |= {Capability.publish: hand, Capability.delete: needs, Capability.find_own: needs}
        scopes = text(account, "scopes")
        lacks = scopes and FIGURES not in scopes.split(",")
        why = "授权中没有「专栏数据」（ATC_DATA），请管理员向 B 站申请后重新授权"
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

    async def publish(self, account: AccountRef, out: Outgoing) -> Outcome:
        """An article, or the steps for a person."""
        if problems := self.validate(account, out):
            raise ConnectorError(ErrorKind.content_rejected, problems[0].text, code="invalid")
        if form_named(self.post_forms(account), out.form).name == BY_HAND:
            return await self._hand.publish(_by_hand(account), out)
        return await articles.submit(self._wire, account, out)

    async def reply(self, account: AccountRef, out: Outgoing) -> Outcome:
        """Refused."""
        raise ConnectorError(ErrorKind.permission, NO_COMMENTS, code="comments")

    async def poll_job(self, account: AccountRef, job: str) -> Outcome:
        """How the review of an article ended."""
        return await articles.poll(self._wire, account, job)

    # afterwards -------------------------------------------------------------------------------------------------------

    async def find_own(self, account: AccountRef, since: datetime, out: Outgoing) -> OwnItems:
        """Own articles."""
        return await articles.find(self._wire, account, since)

    async def exists(self, account: AccountRef, external_id: str) -> bool:
        """Whether the platform still counts an article or a video; what has another id nobody can look up."""
        if not _is_countable(external_id):
            return True
        if external_id.startswith("BV"):
            return await self._video(account, external_id) is not None
        return await articles.stands(self._wire, account, external_id)

    async def delete(self, account: AccountRef, external_id: str) -> None:
        """Remove an article; a person removes what a person published."""
        if not external_id.startswith(articles.CV) or _missing(account):
            raise ConnectorError(ErrorKind.permission, "请到 B 站上手动删除", code="by hand")
        await articles.remove(self._wire, account, external_id)

    async def metrics(self, account: AccountRef, ids: Sequence[str]) -> list[Metric]:
        """Figures of articles, thirty at once, and of videos, one by one."""
        written = [one for one in ids if _is_article(one)]
        found = list((await articles.stats(self._wire, account, written)).values()) if written else []
        for one in ids:
            if one.startswith("BV") and (metric := await self._video(account, one)) is not None:
                found.append(metric)
        return found

    async def _video(self, account: AccountRef, own: str) -> Metric | None:
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
            problems.append(Problem("title", "专栏要有标题"))
        if len(out.title.strip()) > articles.TITLE:
            problems.append(Problem("title", f"标题超过 {articles.TITLE} 字，请删减"))
        problems += against_length(len(out.text), form.length)
        if len(out.text.strip()) < articles.LEAST and len(out.attachments) < articles.ENOUGH_PICTURES:
            problems.append(Problem("text", "专栏正文至少 200 字，或至少 3 张图片；短内容请改选「视频、动态等」"))
        return problems + against_pictures(out.attachments, form)


def _missing(account: AccountRef) -> str:
    """What is missing to submit articles; empty when nothing is."""
    if not (text(account, "category").isascii() and text(account, "category").isdigit()):
        return "要由系统投专栏，请管理员在账号设置中填写专栏分类编号"
    scopes = text(account, "scopes")
    if scopes and ARTICLES not in scopes.split(","):
        return "授权中没有「专栏管理」（ATC_BASE），请管理员向 B 站申请后重新授权"
    return ""


def _by_hand(account: AccountRef) -> AccountRef:
    return replace(account, options={"site": "bilibili"})


def _is_countable(own: str) -> bool:
    return own.startswith("BV") or _is_article(own)


def _is_article(own: str) -> bool:
    return own.startswith(articles.CV) and own[2:].isascii() and own[2:].isdigit()
