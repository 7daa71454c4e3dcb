"""The connector to WeChat official accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from connectors.base import (
    AccountRef,
    Capability,
    ConnectorError,
    Done,
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
    Window,
)
from connectors.defaults import Defaults
from connectors.http import Http
from connectors.options import DAY, LONGEST_FOLLOWED, SHORTEST, is_on, number
from connectors.wechat import comments, figures, pushes
from connectors.wechat.errors import TOKEN
from connectors.wechat.publishing import MASS, PUBLISH_ID, Publisher
from connectors.wechat.rules import (
    ARTICLE_LENGTH,
    COMMENT_LENGTH,
    FORMS,
    MESSAGE_BYTES,
    problems_of,
)
from connectors.wechat.schemas import TIMES, comment_place, inbound
from connectors.wechat.wire import Wire, text_of, windows

# How an answer that left is named where the platform gives no id: nobody can look it up or take it back.
SAID, ANSWER = "custom:", "answer:"
DENIED = "denied"


class WechatConnector(Defaults):
    """A WeChat official account as a :class:`connectors.base.Connector`.

    Secrets: ``app_secret``, ``token`` (pushes), ``aes_key`` (encrypted pushes), ``access_token`` (by ``refresh``).
    Options: see :mod:`connectors.wechat.form`; besides ``reply_times`` (answers after a message, 5), ``follow_days``
    (of comments, 30), ``find_own_lag`` and ``pull_every`` (seconds), ``denied`` (learned by ``check``).
    """

    platform = "wechat"
    label = "微信公众号"
    streams: Sequence[str] = ("comments",)

    def __init__(self, http: Http) -> None:
        self._http = http
        self._wire = Wire(http)
        self._publisher = Publisher(self._wire)

    # what it can do -------------------------------------------------------------------------------------------------

    def limits(self, account: AccountRef) -> Limits:
        """A private answer is 2048 bytes, of Chinese characters a third of that. Articles are listed after review."""
        return Limits(
            post_length=ARTICLE_LENGTH,
            reply_length=COMMENT_LENGTH,
            private_length=MESSAGE_BYTES // 3,
            find_own_lag=number(account, "find_own_lag", 300.0, 0, DAY),
            pull_every=number(account, "pull_every", 180.0, SHORTEST, DAY),
            follow_own=number(account, "follow_days", 30.0, 0, LONGEST_FOLLOWED),
            counted_at_once=20,
        )

    def post_forms(self, account: AccountRef) -> tuple[PostForm, ...]:
        """发布 (no follower is told) and 群发 (every follower is)."""
        return FORMS

    def budgets(self, account: AccountRef) -> tuple[Window, ...]:
        """Per app and day or minute."""
        return windows()

    def measure(self, text: str) -> int:
        """Characters."""
        return len(text)

    def capabilities(self, account: AccountRef) -> Mapping[Capability, Grant]:
        """What is missing says from whom: settings from the administrator, permissions from the platform."""
        grants = {capability: Grant(Granted.yes) for capability in Capability}
        grants[Capability.pull_mentions] = Grant(Granted.no, "微信公众号没有「提及」")
        grants[Capability.pull_messages] = Grant(Granted.no, "微信不提供私信列表，来信由平台推送")
        if not is_on(account, "open_comment", usually=True):
            needs = Grant(Granted.needs, "请管理员先在公众平台开通留言功能，再在账号设置中打开「文章留言」")
            grants |= {Capability.pull_comments: needs, Capability.reply_public: needs}
        if not account.secrets.get("token"):
            grants[Capability.receive_push] = Grant(Granted.needs, "请管理员在账号设置中填写令牌（Token）")
        if is_on(account, DENIED, usually=True):
            needs = Grant(Granted.needs, "公众号没有发布接口的权限，请管理员在公众平台完成认证或申请权限")
            grants |= dict.fromkeys((Capability.publish, Capability.find_own, Capability.delete), needs)
        if not account.app or not account.secrets.get("app_secret"):
            needs = Grant(Granted.needs, "请管理员在账号设置中填写 AppID 和 AppSecret")
            return {c: needs if g.granted is Granted.yes else g for c, g in grants.items()}
        return grants

    async def check(self, account: AccountRef) -> Health:
        """Ask for the token, then for the drafts: that also proves the right to publish (``learned``).

        The token's life is nobody's worry: what it is made from does not end.
        """
        try:
            token, _ = await self._wire.token(account)
            named = replace(account, secrets={**account.secrets, "access_token": token})
            await self._wire.call(named, "/cgi-bin/get_api_domain_ip")
        except ConnectorError as error:
            if error.kind in (ErrorKind.auth_human, ErrorKind.auth_expired):
                return Health(False, note=error.human)
            raise
        denied = await self._is_denied(named)
        note = "公众号没有发布接口的权限，可以收信和答复，不能发布" if denied else ""
        return Health(True, account.external_id, account.name, note, learned={DENIED: denied})

    async def _is_denied(self, account: AccountRef) -> bool:
        try:
            await self._wire.call(account, "/cgi-bin/draft/count")
        except ConnectorError as error:
            if error.kind is ErrorKind.permission:
                return True
            raise
        return False

    async def refresh(self, account: AccountRef) -> Renewed | None:
        """The token in force: the same one until the platform renews it, which hurts nobody else who uses it."""
        if not account.app or not account.secrets.get("app_secret"):
            return None
        token, until = await self._wire.token(account)
        return Renewed({"access_token": token}, until)

    # in ---------------------------------------------------------------------------------------------------------------

    async def pull(self, account: AccountRef, stream: str, cursor: Mapping[str, Any]) -> Page:
        """The next page of comments of our articles; see :mod:`connectors.wechat.comments`."""
        if stream not in self.streams:
            raise ConnectorError(ErrorKind.bug, f"微信公众号没有「{stream}」这个列表", code="stream")
        if not account.secrets.get("access_token"):
            raise ConnectorError(ErrorKind.auth_expired, TOKEN, code="no token")
        if not is_on(account, "open_comment", usually=True):
            return Page((), dict(cursor))
        return await comments.pull(self._wire, account, cursor, self.limits(account).pull_every)

    async def receive(
        self, account: AccountRef, method: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> PushAnswer:
        """Verify, decrypt and split a push; see :mod:`connectors.wechat.pushes`."""
        return pushes.answer(account, method, query, body, self._wire.now())

    def parse(self, account: AccountRef, item: RawItem) -> Inbound:
        """Understand a stored message or comment."""
        return inbound(item, account.external_id, int(number(account, "reply_times", TIMES, 0, 1000)))

    # out --------------------------------------------------------------------------------------------------------------

    async def publish(self, account: AccountRef, out: Outgoing) -> Outcome:
        """Publish or mass-send an article; it is pending until the platform has reviewed it."""
        self._refuse_unfit(account, out)
        return await self._publisher.publish(account, out)

    async def reply(self, account: AccountRef, out: Outgoing) -> Outcome:
        """A customer message, or an answer under a comment."""
        self._refuse_unfit(account, out)
        if out.target_kind is Kind.private:
            body = {"touser": out.target_author_id, "msgtype": "text", "text": {"content": out.text}}
            await self._wire.call(account, "/cgi-bin/message/custom/send", body, calls="message", write=True)
            return Done(f"{SAID}{out.key}", at=self._wire.now())
        place = comment_place(out.target_id)
        if out.target_kind is not Kind.comment or place is None:
            raise ConnectorError(ErrorKind.permission, "微信公众号不能回复这一类内容", code="kind")
        body = _placed(place) | {"content": out.text}
        await self._wire.call(account, "/cgi-bin/comment/reply/add", body, write=True)
        return Done(f"{ANSWER}{out.target_id}", at=self._wire.now())

    def _refuse_unfit(self, account: AccountRef, out: Outgoing) -> None:
        if not account.secrets.get("access_token"):
            raise ConnectorError(ErrorKind.auth_expired, TOKEN, code="no token")
        if problems := self.validate(account, out):
            raise ConnectorError(ErrorKind.content_rejected, problems[0].text, code="invalid")

    async def poll_job(self, account: AccountRef, job: str) -> Outcome:
        """How a submission or a mass message ended."""
        return await self._publisher.poll(account, job)

    # afterwards -------------------------------------------------------------------------------------------------------

    async def find_own(self, account: AccountRef, since: datetime, out: Outgoing) -> OwnItems:
        """An article in the list of published ones, or our answer under a comment. Messages cannot be read back."""
        if not account.secrets.get("access_token"):
            raise ConnectorError(ErrorKind.auth_expired, TOKEN, code="no token")
        if out.target_kind is None:
            return await self._publisher.find(account, since, out)
        place = comment_place(out.target_id) if out.target_kind is Kind.comment else None
        if place is None:
            return OwnItems((), complete=False)
        found = await comments.answered(self._wire, account, place)
        if found is None or not found[0]:
            return OwnItems((), complete=found is not None)
        at = found[1] or self._wire.now()
        return OwnItems((OwnItem(f"{ANSWER}{out.target_id}", found[0], at, parent_id=out.target_id),), complete=True)

    async def exists(self, account: AccountRef, external_id: str) -> bool:
        """Whether an article still stands, a mass message or an answer was not deleted."""
        if external_id.startswith(SAID):
            return True
        if external_id.startswith(f"{MASS}:"):
            return await self._publisher.mass_status(account, external_id.partition(":")[2]) != "DELETE"
        if place := _answer_place(external_id):
            found = await comments.answered(self._wire, account, place)
            return found is not None and bool(found[0])
        kept = next((one.extra for one in account.published if one.external_id == external_id), {})
        return await self._publisher.stands(account, external_id, text_of(kept.get(PUBLISH_ID)))

    async def delete(self, account: AccountRef, external_id: str) -> None:
        """Remove an article, a mass message or an answer under a comment; already gone is fine."""
        if external_id.startswith(SAID):
            raise ConnectorError(ErrorKind.permission, "微信公众号的答复发出后不能撤回", code="message")
        path, body = "/cgi-bin/freepublish/delete", {"article_id": external_id, "index": 0}
        if external_id.startswith(f"{MASS}:"):
            path, body = "/cgi-bin/message/mass/delete", {"msg_id": external_id.partition(":")[2], "article_idx": 0}
        elif place := _answer_place(external_id):
            path, body = "/cgi-bin/comment/reply/delete", _placed(place)
        try:
            await self._wire.call(account, path, body, write=True)
        except ConnectorError as error:
            if error.kind is not ErrorKind.not_found:
                raise

    async def metrics(self, account: AccountRef, ids: Sequence[str]) -> list[Metric]:
        """Figures of mass messages from the day after; articles that were only published have none."""
        return await figures.read(self._wire, account, ids)

    def validate(self, account: AccountRef, out: Outgoing) -> list[Problem]:
        """Length, title, cover and pictures, before review and again before sending."""
        return problems_of(out)


def _answer_place(external_id: str) -> tuple[str, str, str] | None:
    return comment_place(external_id.removeprefix(ANSWER)) if external_id.startswith(ANSWER) else None


def _placed(place: tuple[str, str, str]) -> dict[str, Any]:
    return {"msg_data_id": int(place[0]), "index": int(place[1]), "user_comment_id": int(place[2])}
