"""The connector to Sina Weibo: the open platform, the fan-service platform, and long articles."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.absence import proves, reaches
from connectors.base import (
    Accept,
    AccountRef,
    Capability,
    Challenge,
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
    Reject,
    Renewed,
    Unparsable,
    Window,
)
from connectors.defaults import Defaults
from connectors.http import Http
from connectors.lengths import weibo_units
from connectors.options import text
from connectors.signature import proof_of, reason_against
from connectors.weibo import figures, granting, publishing, pushes, reading
from connectors.weibo.figures import COUNTED_AT_ONCE, is_zero
from connectors.weibo.links import id_of_link, post_url
from connectors.weibo.schemas import inbound, item_id, number_text, own_item
from connectors.weibo.settings import hosts, number
from connectors.weibo.wire import COMMENT, Wire, windows

PUSH_BYTES = 256 * 1024
# The own timeline shows an ordinary app its newest five posts, whatever it asks for.
OWN_NEWEST = 5
OWN_PAGES, OWN_PAGE_SIZE = 3, 50
REPLY_HOURS = 48
NO_TOKEN_FOR_FILES = "账号没有可用的令牌，取不到私信里的图片，请管理员在账号设置中补上"  # noqa: S105  a sentence


class WeiboConnector(Defaults):
    """Sina Weibo as a :class:`connectors.base.Connector`.

    Secrets: ``app_secret``, ``token``, ``fan_token`` (fan-service platform). Options: see
    :mod:`connectors.weibo.form`, and ``page_size``, ``look_back``, ``look_hours`` (between two looks from further
    back), ``reply_hours``, ``message_replies`` (0: any number), ``pull_every``, ``find_own_lag``, ``scope``,
    ``user_limit`` with ``user_limit_seconds`` (learnt).
    """

    platform = "weibo"
    label = "微博"
    streams: Sequence[str] = (reading.STREAM,)

    def __init__(self, http: Http) -> None:
        self._http = http
        self._wire = Wire(http)

    # what it can do -------------------------------------------------------------------------------------------------

    def limits(self, account: AccountRef) -> Limits:
        """Lengths of the usual form; the platform advises to ask every three to five minutes."""
        return Limits(
            post_length=max(form.length for form in publishing.forms(account)),
            reply_length=publishing.REPLY_UNITS,
            find_own_lag=float(number(account, "find_own_lag", 120)),
            pull_every=float(number(account, "pull_every", 180) or 1),
            private_length=publishing.MESSAGE_UNITS,
            counted_at_once=COUNTED_AT_ONCE,
        )

    def post_forms(self, account: AccountRef) -> tuple[PostForm, ...]:
        """The short post; long posts and articles where granted."""
        return publishing.forms(account)

    def budgets(self, account: AccountRef) -> tuple[Window, ...]:
        """Calls of the account, posts and answers of the account, calls from this machine."""
        return windows(account)

    def measure(self, text: str) -> int:
        """Length in 汉字."""
        return weibo_units(text)

    def capabilities(self, account: AccountRef) -> Mapping[Capability, Grant]:
        """By what the account's settings and secrets make possible."""
        yes, secrets = Grant(Granted.yes), account.secrets
        granted = (
            yes if secrets.get("token") else Grant(Granted.needs, "请管理员点「重新授权」，用这个账号登录微博并同意")
        )
        message = Grant(Granted.needs, "请用蓝V账号在微博「粉丝服务平台」开启开发者模式，把得到的令牌填到账号设置中")
        fan = yes if secrets.get("fan_token") else message
        grants = dict.fromkeys(Capability, granted)
        grants[Capability.pull_messages] = Grant(
            Granted.no, "微博不提供私信列表，私信只能由平台推送；推送中断期间的私信收不到"
        )
        grants[Capability.receive_push] = fan if secrets.get("app_secret") else Grant(
            Granted.needs, "请管理员在账号设置中填写 App Secret，用来核对推送"
        )  # fmt: skip
        grants[Capability.reply_private] = fan
        return grants

    async def check(self, account: AccountRef) -> Health:
        """Ask about the token, then who we are. A dead token is an unhealthy answer; other failures are raised.

        ``learned``: how many calls the platform allows.
        """
        return await granting.health(self._wire, account)

    # the grant by page ------------------------------------------------------------------------------------------------

    def authorise_url(self, account: AccountRef, back: str, state: str) -> str:
        """Weibo's page; it asks for the account's password even where somebody else is signed in."""
        return granting.page(account, back, state)

    async def exchange(self, account: AccountRef, back: str, query: Mapping[str, str]) -> Renewed:
        """The token for the code that Weibo's page gave."""
        return await granting.exchange(self._wire, account, back, query)

    # in ---------------------------------------------------------------------------------------------------------------

    async def pull(self, account: AccountRef, stream: str, cursor: Mapping[str, Any]) -> Page:
        """The next step of a round; see :mod:`connectors.weibo.reading`."""
        if stream != reading.STREAM:
            raise ConnectorError(ErrorKind.bug, f"微博没有「{stream}」这个列表", code="stream")
        return await reading.step(self._wire, account, cursor)

    async def receive(
        self, account: AccountRef, method: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> PushAnswer:
        """Verify the signature, answer a challenge, or take a push apart. The answer may be a receipt to its sender."""
        secret = account.secrets.get("app_secret", "")
        if reason := reason_against(query, secret, self._http.clock(), no_secret=pushes.NO_SECRET):
            return Reject(403, reason)
        if method == "GET":
            echo = query.get("echostr")
            return Challenge(echo, proof=proof_of(query)) if echo else Reject(400, "缺少 echostr")
        if len(body) > PUSH_BYTES:
            return Reject(413, "推送内容过大")
        if not body.strip():
            return Reject(400, "推送没有内容")
        push = pushes.read(body)
        pushed = push if isinstance(push, list) else [push]
        found = [pushes.items_of(one) for one in pushed]
        once = {(item.kind, item.external_id): item for item in found if item is not None}
        answer, content_type = pushes.receipt(push, text(account, "receipt"), self._http.clock())
        items, notices = tuple(once.values()), pushes.notices_of(pushed)
        passed_over = found.count(None) - len(notices)
        return Accept(items, answer, content_type, notices, passed_over, proof_of(query))

    def parse(self, account: AccountRef, item: RawItem) -> Inbound:
        """Understand a stored item, from a list or a push."""
        try:
            shape = json.loads(item.payload)
        except (ValueError, RecursionError):
            raise Unparsable("内容不是 JSON") from None
        if pushes.is_push(shape):
            left = number(account, "message_replies", 0) or None
            hours = number(account, "reply_hours", REPLY_HOURS)
            return pushes.inbound(shape, item, account.external_id, hosts(account).upload, hours, left)
        if item.kind is Kind.private:
            raise Unparsable("不是约定的私信格式")
        return inbound(shape, item.kind, item.external_id, account.external_id, _place)

    # out --------------------------------------------------------------------------------------------------------------

    async def publish(self, account: AccountRef, out: Outgoing) -> Outcome:
        """Publish a post in its form."""
        return await publishing.send(self._wire, account, out)

    async def reply(self, account: AccountRef, out: Outgoing) -> Outcome:
        """A comment under a mention, an answer to a comment, or a private message."""
        base = f"{hosts(account).api}/2/comments"
        match out.target_kind:
            case Kind.mention:
                form = {"id": out.target_id, "comment": out.text}
                return await self._comment(account, f"{base}/create.json", form)
            case Kind.comment:
                root = out.thread_id or await self._root_of(account, out.target_id)
                form = {"cid": out.target_id, "id": root, "comment": out.text, "without_mention": "0"}
                return await self._comment(account, f"{base}/reply.json", form)
            case Kind.private:
                return await self._message(account, out)
            case _:
                raise ConnectorError(ErrorKind.permission, "微博不能回复这一类内容", code="kind")

    async def _comment(self, account: AccountRef, url: str, form: Mapping[str, str]) -> Outcome:
        return publishing.accepted(account, await self._wire.post(account, url, form, calls=COMMENT))

    async def _root_of(self, account: AccountRef, comment_id: str) -> str:
        """Which post a comment stands under, where its push did not say."""
        [found] = await self._comments(account, comment_id) or [None]
        if root := item_id(found.get("status")) if isinstance(found, Mapping) else "":
            return root
        raise ConnectorError(ErrorKind.not_found, "这条评论不存在或已被删除", code="comment")

    async def _message(self, account: AccountRef, out: Outgoing) -> Outcome:
        form = {
            "type": "text",
            "data": publishing.message_data(out.text),
            "receiver_id": out.target_author_id,
            "save_sender_box": "1",
        }
        token = "fan_token" if account.secrets.get("fan_token") else "token"
        url = f"{hosts(account).m}/2/messages/reply.json"
        body = await self._wire.post(account, url, form, token=token, calls="")
        result = body.get("result") if isinstance(body, Mapping) else None
        if result is False:
            raise ConnectorError(ErrorKind.protocol, "平台没有发出这条私信，也没有说明原因", code="result")
        if result is not True:
            human = "平台没有说私信是否发出，系统会核实"
            raise ConnectorError(ErrorKind.protocol, human, code="result", effect=Effect.unknown)
        # The platform gives a message no number that could be asked for later.
        return Done("")

    async def poll_job(self, account: AccountRef, job: str) -> Outcome:
        """Nothing is ever pending here."""
        raise ConnectorError(ErrorKind.bug, "微博没有需要等待的任务", code="job")

    # afterwards -------------------------------------------------------------------------------------------------------

    async def find_own(self, account: AccountRef, since: datetime, out: Outgoing) -> OwnItems:
        """Own posts, or own comments under the target, since ``since``.

        Not complete when it cannot be seen whether something stands behind: five posts are all an ordinary app is
        shown; private messages are not listed at all.
        """
        if out.target_kind is Kind.private:
            return OwnItems((), complete=False)
        floor = since.replace(microsecond=0)
        if out.target_kind is None:
            found, complete = await self._own_posts(account, floor)
            return OwnItems(tuple(found), complete)
        return await self._own_comments(account, floor, out.target_id)

    async def _own_posts(self, account: AccountRef, floor: datetime) -> tuple[list[OwnItem], bool]:
        url = f"{hosts(account).api}/2/statuses/user_timeline.json"
        body = await self._wire.get(account, url, count=str(OWN_NEWEST * 2), **reading.WHOLE)
        listed = [own_item(one, _place) for one in _entries(body, "statuses")]
        own = [one for one in listed if one is not None]
        total = body.get("total_number")
        is_end = not isinstance(total, bool) and str(total) == str(len(listed))
        return [one for one in own if one.created_at >= floor], proves(listed, floor, is_end)

    async def _own_comments(self, account: AccountRef, floor: datetime, target: str) -> OwnItems:
        url, seen, params = f"{hosts(account).api}/2/comments/by_me.json", list[OwnItem | None](), dict[str, str]()
        complete = False
        for _ in range(OWN_PAGES):
            body = await self._wire.get(account, url, count=str(OWN_PAGE_SIZE), **params)
            listed = [_own_comment(one) for one in _entries(body, "comments")]
            seen += listed
            further = number_text(body.get("next_cursor")).lstrip("0")
            if reaches(listed, floor) or not further:
                # A full page without a hint where to go on is no end, nor is a hint nobody can read.
                is_end = is_zero(body.get("next_cursor")) and len(listed) < OWN_PAGE_SIZE
                complete = proves(seen, floor, is_end)
                break
            params = {"max_id": further}
        found = [one for one in seen if one is not None and one.created_at >= floor and one.parent_id == target]
        return OwnItems(tuple(found), complete)

    async def exists(self, account: AccountRef, external_id: str) -> bool:
        """Whether the post or comment is still there. What has no number of its own cannot be asked for."""
        if not number_text(external_id):
            return True
        try:
            body = await self._wire.get(account, f"{hosts(account).api}/2/statuses/show.json", id=external_id)
        except ConnectorError as error:
            if error.kind is not ErrorKind.not_found:
                raise
            return bool(await self._comments(account, external_id))
        return not (isinstance(body, Mapping) and body.get("deleted"))

    async def _comments(self, account: AccountRef, comment_id: str) -> list[Any]:
        """The comment in a list of one, or an empty list."""
        body = await self._wire.get(account, f"{hosts(account).api}/2/comments/show_batch.json", cids=comment_id)
        if not isinstance(body, list) or not all(item_id(one) for one in body):
            raise ConnectorError(ErrorKind.protocol, "平台返回的列表无法识别，请稍后再试", code="comments")
        return [one for one in body if item_id(one) == comment_id and not one.get("deleted")][:1]

    async def delete(self, account: AccountRef, external_id: str) -> None:
        """Remove an own post or comment; already gone is fine. Private messages cannot be taken back."""
        if not number_text(external_id):
            raise ConnectorError(ErrorKind.permission, "这条内容不能经接口删除，请登录微博处理", code="message")
        api = hosts(account).api
        for path, name in (("statuses/destroy", "id"), ("comments/destroy", "cid")):
            try:
                await self._wire.post(account, f"{api}/2/{path}.json", {name: external_id}, calls="")
                return
            except ConnectorError as error:
                if error.kind is not ErrorKind.not_found or error.effect is not Effect.not_done:
                    raise

    async def metrics(self, account: AccountRef, ids: Sequence[str]) -> list[Metric]:
        """Likes, comments and reposts of own posts, a hundred a call; reads are not told."""
        url = hosts(account).api + figures.PATH
        return await figures.read(lambda some: self._wire.get(account, url, ids=some), ids)

    def read_link(self, account: AccountRef, link: str) -> str:
        """The id of the post behind an address on weibo.com."""
        return id_of_link(link)

    async def media_query(self, account: AccountRef, url: str) -> Mapping[str, str]:
        """The account's token for what came in private; public pictures are given to anybody."""
        if not url.startswith(pushes.file_address(hosts(account).upload)):
            return {}
        token = account.secrets.get("fan_token") or account.secrets.get("token", "")
        if not token:
            raise ConnectorError(ErrorKind.auth_human, NO_TOKEN_FOR_FILES, code="token")
        await self._wire.count(account)
        return {"access_token": token}

    def validate(self, account: AccountRef, out: Outgoing) -> list[Problem]:
        """Length, link, topic, pictures, title and cover; an answer without target."""
        return publishing.problems(account, out)


def _place(author_id: str, thread_id: str, exact: str) -> str:
    """Where everybody can read an item: the post, also for what stands under it."""
    return post_url(author_id, thread_id) if thread_id == exact else f"https://m.weibo.cn/status/{thread_id}"


def _own_comment(entry: Any) -> OwnItem | None:
    """An own comment; None where it cannot be read, or does not say what it stands under."""
    read = own_item(entry, _place)
    return read if read is not None and read.parent_id else None


def _entries(body: Any, name: str) -> list[Any]:
    listed = body.get(name) if isinstance(body, Mapping) else None
    if not isinstance(listed, list):
        raise ConnectorError(ErrorKind.protocol, "平台返回的列表无法识别，请稍后再试", code=name)
    return listed
