"""The connector to servers with the Mastodon client API."""

from __future__ import annotations

import json
import re
import unicodedata
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
    OwnItems,
    Page,
    PostForm,
    Problem,
    PushAnswer,
    RawItem,
    Registered,
    Reject,
    Renewed,
    Unparsable,
    Uploaded,
    Uploading,
    Window,
)
from connectors.defaults import Defaults
from connectors.http import Http
from connectors.mastodon import granting, media, own, reading, registering
from connectors.mastodon.schemas import (
    ROOT,
    id_order,
    inbound,
    instant,
    own_item,
    raw_item,
    status_of,
    strange,
    text_id,
)
from connectors.mastodon.wire import ME, Wire, windows
from connectors.options import DAY, SHORTEST, number, text
from connectors.pictures import against_pictures
from connectors.videos import against_video
from connectors.walk import LOOK_BACK, after_step

MAX_CHARACTERS = 500
# A link counts like so many characters, however long it is.
LINK_CHARACTERS = 23
# "@" + a name of at most 30 + a blank: the mention that stands before every answer.
MENTION_CHARACTERS = 32
WAIT_SECONDS = 25 * 60
VISIBILITIES = ("public", "unlisted", "private")
_LINK = re.compile(r"https?://\S+")
_DISTANT = re.compile(r"(@\w[\w.\-]*)@[\w.\-]+")


class MastodonConnector(Defaults):
    """Servers with the Mastodon client API as a :class:`connectors.base.Connector`.

    Secrets: ``token``. Options: ``visibility`` of posts, ``page_size``, ``look_back`` (items of the first walk),
    ``max_characters`` (learned by ``check``), ``pull_every`` and ``find_own_lag`` (seconds).
    """

    platform = "mastodon"
    label = "Mastodon"
    streams: Sequence[str] = ("mentions",)
    waits: Sequence[str] = ("mentions",)

    def __init__(self, http: Http) -> None:
        self._http = http
        self._call = Wire(http).call

    # what it can do -------------------------------------------------------------------------------------------------

    def limits(self, account: AccountRef) -> Limits:
        """The server's own length where ``check`` has learned it, else 500. Keys are sent but never relied on."""
        most = int(number(account, "max_characters", MAX_CHARACTERS, MENTION_CHARACTERS + 1, 10**6))
        return Limits(
            post_length=most,
            reply_length=most - MENTION_CHARACTERS,
            find_own_lag=number(account, "find_own_lag", 10.0, 0, DAY),
            honours_key=False,
            pull_every=number(account, "pull_every", 30.0, SHORTEST, DAY),
        )

    def budgets(self, account: AccountRef) -> tuple[Window, ...]:
        """Every call of the account."""
        return windows()

    def post_forms(self, account: AccountRef) -> tuple[PostForm, ...]:
        """One: a status with pictures, as many and as large as the server said."""
        return (media.form_of(account, self.limits(account).post_length),)

    def measure(self, text: str) -> int:
        """Characters; a link is 23, a mention counts without its server."""
        links = len(_LINK.findall(text))
        rest = _DISTANT.sub(r"\1", _LINK.sub("", text))
        return len(unicodedata.normalize("NFC", rest)) + links * LINK_CHARACTERS

    def capabilities(self, account: AccountRef) -> Mapping[Capability, Grant]:
        """All but pushes; comments and private messages arrive as mentions."""
        grants = {capability: Grant(Granted.yes) for capability in Capability}
        grants[Capability.receive_push] = Grant(Granted.no, "系统定时读取该平台，不使用推送")
        if not account.secrets.get("token"):
            missing = Grant(Granted.needs, "请管理员在账号设置中填写访问令牌")
            return {c: missing if g.granted is Granted.yes else g for c, g in grants.items()}
        return grants

    async def check(self, account: AccountRef) -> Health:
        """Who we are and what the server allows (``learned``). A dead token is an unhealthy answer."""
        try:
            me = await self._call(account, "GET", ME)
        except ConnectorError as error:
            if error.kind in (ErrorKind.auth_human, ErrorKind.permission):
                return Health(False, note=error.human)
            raise
        if not isinstance(me, dict) or not text_id(me.get("id")):
            raise strange("id")
        own_id, name = text_id(me["id"]), str(me.get("acct") or me.get("username") or "")
        if account.external_id and own_id != account.external_id:
            return Health(False, own_id, name, f"令牌属于另一个账号（{name}），请核对账号编号")
        return Health(True, own_id, name, learned=await self._learn(account))

    async def _learn(self, account: AccountRef) -> dict[str, Any]:
        """The server's length of a status; some servers answer neither address, then nothing is learned."""
        for path in ("/api/v2/instance", "/api/v1/instance"):
            try:
                body = await self._call(account, "GET", path)
                configuration = body["configuration"]
                most = configuration["statuses"]["max_characters"]
            except (ConnectorError, KeyError, TypeError):
                continue
            if isinstance(most, int) and most > MENTION_CHARACTERS:
                return {"max_characters": most} | media.learned(configuration)
        return {}

    async def register(self, account: AccountRef, back: str, name: str) -> Registered | None:
        """The hub as an app of the server, where no key was typed."""
        return await registering.register(self._http, account, back, name)

    def authorise_url(self, account: AccountRef, back: str, state: str) -> str:
        """The server's page, where an app's key is set."""
        return granting.page(account, back, state)

    async def exchange(self, account: AccountRef, back: str, query: Mapping[str, str]) -> Renewed:
        """The token for the code that page gave."""
        return await granting.exchange(self._http, account, back, query)

    # in ---------------------------------------------------------------------------------------------------------------

    async def pull(self, account: AccountRef, stream: str, cursor: Mapping[str, Any]) -> Page:
        """Mentions and direct messages. The first walk goes back from the newest, bounded; later ones go forward
        by ``min_id`` (:mod:`connectors.mastodon.reading`), so that a crash loses nothing.
        """
        if stream not in self.streams:
            raise ConnectorError(ErrorKind.bug, f"Mastodon 没有「{stream}」这个列表", code="stream")
        size = int(number(account, "page_size", own.PAGE_SIZE, 1, 80))
        high, walk = str(cursor.get("high") or ""), cursor.get("walk") or {}
        params: list[tuple[str, str]] = [("types[]", "mention"), ("limit", str(size))]
        if high:
            params.append(("min_id", reading.start(cursor)))
        elif walk:
            params.append(("max_id", str(walk["next"])))
        found = await self._call(account, "GET", "/api/v1/notifications", params=params)
        if not isinstance(found, list):
            raise strange("list")
        ids = sorted((i for n in found if (i := _id(n))), key=id_order, reverse=True)
        known = reading.seen(cursor)
        # Some servers send follows and likes all the same.
        wanted = [n for n in found if not isinstance(n, dict) or n.get("type") in ("mention", None)]
        wanted = [n for n in wanted if _id(n) not in known]
        items, ids, cut = await self._read(account, wanted, ids, bool(high))
        if high:
            more = bool(ids) and (cut or len(found) >= size)
            return Page(tuple(items), reading.after_page(cursor, ids, self._http.clock(), more=more), more)
        look_back = int(number(account, "look_back", LOOK_BACK, 0, 10**6))
        return after_step(cursor, items, ids, ids[-1] if ids else "", look_back)

    async def _read(
        self, account: AccountRef, wanted: Sequence[Any], ids: list[str], forward: bool
    ) -> tuple[list[RawItem], list[str], bool]:
        """Each with the root of its thread, in the order of the walk. Where the calls run out on the way, what was read
        and the ids up to there count, so that a budget smaller than a page never reads the same again and again.
        """
        items: list[RawItem] = []
        named = sorted((n for n in wanted if _id(n)), key=lambda n: id_order(_id(n)), reverse=not forward)
        for notification in [*(n for n in wanted if not _id(n)), *named]:
            try:
                items.append(raw_item(await self._rooted(account, notification)))
            except ConnectorError as error:
                here = id_order(_id(notification))
                before = [i for i in ids if (id_order(i) < here if forward else id_order(i) > here)]
                if error.kind is not ErrorKind.rate_limited or not items or not before:
                    raise
                return items, before, True
        return items, ids, False

    async def _rooted(self, account: AccountRef, notification: Any) -> Any:
        """The notification with the root of its thread, where it answers something: parsing later reads no network."""
        status = status_of(notification)
        exact, parent = text_id(status.get("id")), text_id(status.get("in_reply_to_id"))
        if not exact or not parent:
            return notification
        try:
            around = await self._call(account, "GET", f"/api/v1/statuses/{exact}/context")
            root = text_id(around["ancestors"][0]["id"])
        except ConnectorError as error:
            if error.kind in (ErrorKind.rate_limited, ErrorKind.auth_human):
                raise
            root = parent
        except (LookupError, TypeError):
            root = parent
        return {**notification, ROOT: root or parent}

    async def wait(self, account: AccountRef, stream: str, cursor: Mapping[str, Any]) -> None:
        """Until the server's event stream tells of a notification; servers without one are read by the clock."""
        url = account.base_url.rstrip("/") + "/api/v1/streaming/user"
        headers = {"Authorization": f"Bearer {account.secrets.get('token', '').strip()}", "Accept": "text/event-stream"}
        await self._http.listen(url, "event: notification", headers=headers, seconds=WAIT_SECONDS)

    async def receive(
        self, account: AccountRef, method: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> PushAnswer:
        """Refused: this platform is read, it does not push."""
        return Reject(404, "该平台不使用推送")

    def parse(self, account: AccountRef, item: RawItem) -> Inbound:
        """Understand a stored notification."""
        try:
            notification = json.loads(item.payload)
        except (ValueError, RecursionError):
            raise Unparsable("内容不是 JSON") from None
        return inbound(notification, item, account.external_id)

    # out --------------------------------------------------------------------------------------------------------------

    async def upload(self, account: AccountRef, out: Outgoing, state: Mapping[str, str]) -> Uploading | Uploaded:
        """One request with the whole file, then questions whether the server has worked on it."""
        return await media.upload_video(self._call, account, out, state, self._http.clock())

    async def publish(self, account: AccountRef, out: Outgoing) -> Outcome:
        """Publish a post in the account's visibility, its pictures first; a picture beside a video is its cover."""
        form: dict[str, Any] = {"status": out.text, "visibility": _visibility(account)}
        if out.video:
            form["media_ids[]"] = [out.uploaded.get("media", "")]
        elif out.attachments:
            form["media_ids[]"] = await media.upload(self._call, account, out.attachments)
        return await self._send(account, form, out.key)

    async def reply(self, account: AccountRef, out: Outgoing) -> Outcome:
        """Answer in the thread: as visible as the target (direct stays direct), with a mention of its author."""
        if out.target_kind is Kind.letter or not text_id(out.target_id):
            raise ConnectorError(ErrorKind.permission, "Mastodon 不能回复这一类内容", code="kind")
        target = await self._call(account, "GET", f"/api/v1/statuses/{out.target_id}")
        try:
            acct, visibility = str(target["account"]["acct"]), str(target["visibility"])
        except (LookupError, TypeError):
            raise strange("account") from None
        mention = f"@{acct} "
        text = out.text if out.text.startswith(mention) else mention + out.text
        form = {"status": text, "visibility": visibility, "in_reply_to_id": out.target_id}
        return await self._send(account, form, out.key)

    async def _send(self, account: AccountRef, form: Mapping[str, Any], key: str) -> Outcome:
        body = await self._call(account, "POST", "/api/v1/statuses", form={**form, "language": "zh"}, key=key)
        new_id = text_id(body.get("id")) if isinstance(body, dict) else ""
        if not new_id:
            human = "服务器已受理，但没有返回编号，系统会核实"
            raise ConnectorError(ErrorKind.protocol, human, code="no id", effect=Effect.unknown)
        made = own_item(body)
        return Done(new_id, made.url if made else "", instant(body.get("created_at")))

    async def poll_job(self, account: AccountRef, job: str) -> Outcome:
        """Nothing is ever pending here."""
        raise ConnectorError(ErrorKind.bug, "Mastodon 没有需要等待的任务", code="job")

    # afterwards -------------------------------------------------------------------------------------------------------

    async def find_own(self, account: AccountRef, since: datetime, out: Outgoing) -> OwnItems:
        """Own posts since ``since``, or own answers to the target."""
        own_id = account.external_id or (await self.check(account)).account_id
        return await own.find(self._call, account, own_id, since, out)

    async def metrics(self, account: AccountRef, ids: Sequence[str]) -> list[Metric]:
        """Likes, answers and boosts, one call an item; servers tell nobody how often something was read."""
        found = [await own.metric(self._call, account, one) for one in ids if text_id(one)]
        return [one for one in found if one is not None]

    async def exists(self, account: AccountRef, external_id: str) -> bool:
        """Whether the status is still there. What is no id of such a server cannot be asked for."""
        if not text_id(external_id):
            return True
        try:
            await self._call(account, "GET", f"/api/v1/statuses/{external_id}")
        except ConnectorError as error:
            await self._must_be_gone(account, error)
            return False
        return True

    async def delete(self, account: AccountRef, external_id: str) -> None:
        """Remove an own status; already gone is fine."""
        if not text_id(external_id):
            raise ConnectorError(ErrorKind.permission, "这条内容不能经接口删除，请登录服务器处理", code="id")
        try:
            await self._call(account, "DELETE", f"/api/v1/statuses/{external_id}")
        except ConnectorError as error:
            await self._must_be_gone(account, error)

    async def _must_be_gone(self, account: AccountRef, error: ConnectorError) -> None:
        """Raises ``error`` unless it says for sure that a status is gone.

        Some servers say so with a web page, as a gateway does that has lost its server: one that still knows the
        account tells them apart.
        """
        if error.kind is not ErrorKind.not_found:
            raise error
        try:
            me = await self._call(account, "GET", ME)
        except ConnectorError:
            raise error from None
        if not isinstance(me, dict) or not text_id(me.get("id")):
            raise error

    def validate(self, account: AccountRef, out: Outgoing) -> list[Problem]:
        """Empty, too long, pictures, an answer without target."""
        limits = self.limits(account)
        most = limits.post_length if out.target_kind is None else limits.reply_length
        problems = against_text(out.text, self.measure(out.text), most)
        if out.attachments and out.target_kind is not None:
            problems.append(Problem("media", "回复只能是文字，请去掉图片"))
        form = self.post_forms(account)[0]
        problems += against_pictures(out.attachments, form)
        if out.target_kind is None:
            problems += [*against_video(out, form), *media.against_size(account, out)]
        longest = int(number(account, "description_length", media.DESCRIPTION_LENGTH, 1, 10**6))
        if any(len(picture.description) > longest for picture in out.attachments):
            problems.append(Problem("media", f"图片说明最多 {longest} 字"))
        if out.video and len(out.video.description) > longest:
            problems.append(Problem("media", f"视频说明最多 {longest} 字"))
        if out.target_kind is not None and not out.target_id:
            problems.append(Problem("target", "没有指明要回复的内容"))
        return problems


def _id(notification: Any) -> str:
    return text_id(notification.get("id")) if isinstance(notification, dict) else ""


def _visibility(account: AccountRef) -> str:
    wanted = text(account, "visibility") or "public"
    return wanted if wanted in VISIBILITIES else "public"
