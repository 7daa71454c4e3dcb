"""The connector to Kuaishou."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from connectors.answers import against_text
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
    Renewed,
    Uploaded,
    Uploading,
)
from connectors.defaults import Defaults
from connectors.http import Http
from connectors.kuaishou import granting, pushes, videos
from connectors.kuaishou.wire import Wire
from connectors.manual.client import ManualConnector
from connectors.options import is_on
from connectors.pictures import against_pictures, form_named
from connectors.videos import against_video

NO_COMMENTS = "快手开放平台没有提供评论和私信接口；评论可以从文件导入，或粘贴进来"
NO_DELETE = "请管理员在快手开放平台申请「删除视频」（user_video_delete），开通后在账号设置中标为已开通并重新授权"
BY_HAND = "by_hand"
# Of what a person published: it may be a picture post, or stand under a short link, which the interface does not know.
HAND = "hand:"


class KuaishouConnector(Defaults):
    """A Kuaishou account as a :class:`connectors.base.Connector`.

    Secrets: ``app_secret``, ``token``, ``refresh_token``. Options: see :mod:`connectors.kuaishou.form`. Ids: those of
    videos; ``hand:…`` of what a person published.
    """

    platform = "kuaishou"
    label = "快手"
    streams: Sequence[str] = ()

    def __init__(self, http: Http) -> None:
        self._wire = Wire(http)
        self._hand = ManualConnector()

    # what it can do ---------------------------------------------------------------------------------------------------

    def limits(self, account: AccountRef) -> Limits:
        """Videos are listed while the platform works on them."""
        return Limits(videos.LONGEST, videos.LONGEST, find_own_lag=600.0)

    def post_forms(self, account: AccountRef) -> tuple[PostForm, ...]:
        """A video by program; always: by a person (pictures, or where the app may not)."""
        (hand,) = self._hand.post_forms(_by_hand(account))
        note = "到点后由专人在快手上发布，再把链接贴回来。"
        return (videos.FORM, replace(hand, name=BY_HAND, label="图文等（人工发布）", note=note))

    def measure(self, text: str) -> int:
        """Characters."""
        return len(text)

    def capabilities(self, account: AccountRef) -> Mapping[Capability, Grant]:
        """Videos and their figures; nothing comes in but word that access was withdrawn."""
        grants = {capability: Grant(Granted.no, NO_COMMENTS) for capability in Capability}
        for there in (Capability.publish, Capability.find_own, Capability.metrics):
            grants[there] = Grant(Granted.yes)
        grants[Capability.delete] = Grant(Granted.yes) if is_on(account, "delete") else Grant(Granted.needs, NO_DELETE)
        grants[Capability.receive_push] = (
            Grant(Granted.yes, "快手只推送授权和取消授权的通知")
            if account.secrets.get("app_secret")
            else Grant(Granted.needs, "请管理员在账号设置中填写应用密钥")
        )
        return grants

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
        """New tokens."""
        return await granting.refresh(self._wire, account)

    # in ---------------------------------------------------------------------------------------------------------------

    async def pull(self, account: AccountRef, stream: str, cursor: Mapping[str, Any]) -> Page:
        """Refused."""
        raise ConnectorError(ErrorKind.permission, NO_COMMENTS, code="comments")

    async def receive(
        self, account: AccountRef, method: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> PushAnswer:
        """Verify a push; see :mod:`connectors.kuaishou.pushes`."""
        return pushes.answer(account, method, headers, body)

    def parse(self, account: AccountRef, item: RawItem) -> Inbound:
        """Understand a comment that was brought in by file or pasted."""
        return self._hand.parse(account, item)

    # out --------------------------------------------------------------------------------------------------------------

    async def upload(self, account: AccountRef, out: Outgoing, state: Mapping[str, str]) -> Uploading | Uploaded:
        """The next step of a video's way there; what a person publishes, a person brings."""
        if self._form(account, out).name == BY_HAND:
            return Uploaded({})
        if out.video is None:
            return await super().upload(account, out, state)
        return await videos.upload(self._wire, account, out.video, state)

    async def publish(self, account: AccountRef, out: Outgoing) -> Outcome:
        """A video that was uploaded before, or the steps for a person."""
        if problems := self.validate(account, out):
            raise ConnectorError(ErrorKind.content_rejected, problems[0].text, code="invalid")
        if self._form(account, out).name == BY_HAND:
            return await self._hand.publish(_by_hand(account), out)
        return await videos.publish(self._wire, account, out)

    async def reply(self, account: AccountRef, out: Outgoing) -> Outcome:
        """Refused."""
        raise ConnectorError(ErrorKind.permission, NO_COMMENTS, code="comments")

    async def poll_job(self, account: AccountRef, job: str) -> Outcome:
        """Whether a video can be watched yet."""
        return await videos.poll(self._wire, account, job)

    # afterwards -------------------------------------------------------------------------------------------------------

    async def find_own(self, account: AccountRef, since: datetime, out: Outgoing) -> OwnItems:
        """Own videos."""
        return await videos.find(self._wire, account, since)

    async def exists(self, account: AccountRef, external_id: str) -> bool:
        """Whether the platform has a video; what a person published is taken for granted."""
        return external_id.startswith(HAND) or await videos.stands(self._wire, account, external_id)

    async def delete(self, account: AccountRef, external_id: str) -> None:
        """Remove a video, where the app may; a person removes what a person published."""
        if external_id.startswith(HAND):
            raise ConnectorError(ErrorKind.permission, "请到快手上手动删除", code="by hand")
        if not is_on(account, "delete"):
            raise ConnectorError(ErrorKind.permission, NO_DELETE, code="by hand")
        await videos.remove(self._wire, account, external_id)

    async def metrics(self, account: AccountRef, ids: Sequence[str]) -> list[Metric]:
        """Figures of own videos, one by one, also of those a person published."""
        found = [await videos.metric(self._wire, account, own, own.removeprefix(HAND)) for own in ids]
        return [one for one in found if one is not None]

    def read_link(self, account: AccountRef, link: str) -> str:
        """The id of what a person published."""
        return f"{HAND}{self._hand.read_link(_by_hand(account), link)}"

    def validate(self, account: AccountRef, out: Outgoing) -> list[Problem]:
        """Text, cover and video, by the form."""
        if out.target_kind is not None:
            return [Problem("target", NO_COMMENTS)]
        form = self._form(account, out)
        if form.name == BY_HAND:
            return self._hand.validate(_by_hand(account), out)
        problems = against_text(out.text, len(out.text), form.length)
        return problems + against_pictures(out.attachments, form) + against_video(out, form)

    def _form(self, account: AccountRef, out: Outgoing) -> PostForm:
        return form_named(self.post_forms(account), out.form)


def _by_hand(account: AccountRef) -> AccountRef:
    return replace(account, options={"site": "kuaishou"})
