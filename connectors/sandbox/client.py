"""The connector to the pretend platform: Weibo's calls, over real HTTP, with an idempotency key sent along."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.absence import proves, reaches
from connectors.answers import against_text
from connectors.base import (
    Accept,
    AccountRef,
    Attachment,
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
    Unparsable,
    Uploaded,
    Uploading,
    VideoRules,
)
from connectors.bodies import body_of
from connectors.defaults import Defaults
from connectors.http import Http
from connectors.lengths import weibo_units
from connectors.options import DAY, SHORTEST, is_on, number
from connectors.pictures import against_pictures, form_named, harmless, in_time
from connectors.sandbox import videos
from connectors.sandbox.errors import CODES
from connectors.sandbox.pushes import pushed_item
from connectors.signature import proof_of, reason_against
from connectors.videos import PIECE_SECONDS, Multipart, against_video
from connectors.walk import LOOK_BACK, after_step, bounds
from connectors.weibo import figures
from connectors.weibo.errors import error_of
from connectors.weibo.figures import COUNTED_AT_ONCE
from connectors.weibo.pushes import NO_SECRET
from connectors.weibo.schemas import UrlOf, inbound, item_id, own_item, raw_item, weibo_time

POST_UNITS = 2000
ARTICLE_UNITS = 10_000
TITLE_UNITS = 32
MOST_PICTURES = 9
PICTURE_BYTES = 5 * 1024 * 1024
COVER = (1000, 562)
REPLY_UNITS = 140
MESSAGE_UNITS = 300
PUSH_BYTES = 256 * 1024
OLDEST_PUSH = 300.0
# Own lists are read back no further than this.
OWN_PAGES = 10
OWN_PAGE_SIZE = 100
# Stream → (address, name of the list, kind of its items).
LISTS: dict[str, tuple[str, str, Kind]] = {
    "mentions": ("/2/statuses/mentions.json", "statuses", Kind.mention),
    "comments": ("/2/comments/to_me.json", "comments", Kind.comment),
    "messages": ("/2/direct_messages.json", "direct_messages", Kind.private),
}


class SandboxConnector(Defaults):
    """The pretend platform as a :class:`connectors.base.Connector`.

    Secrets: ``token``, ``app_secret`` (pushes). Options: ``page_size`` (default 50), ``look_back`` (items of the
    first walk), ``find_own_lag`` and ``pull_every`` (seconds), ``honours_key``,
    ``video_kept`` (seconds after which an uploaded video is taken for forgotten).
    """

    platform = "sandbox"
    label = "沙箱平台"
    streams: Sequence[str] = tuple(LISTS)

    def __init__(self, http: Http) -> None:
        self._http = http

    # what it can do -------------------------------------------------------------------------------------------------

    def limits(self, account: AccountRef) -> Limits:
        """Lengths as Weibo's; lags and intervals short, so that a demo is lively."""
        return Limits(
            post_length=POST_UNITS,
            reply_length=REPLY_UNITS,
            find_own_lag=number(account, "find_own_lag", 3.0, 0, DAY),
            honours_key=is_on(account, "honours_key"),
            pull_every=number(account, "pull_every", 5.0, SHORTEST, DAY),
            private_length=MESSAGE_UNITS,
            counted_at_once=COUNTED_AT_ONCE,
        )

    def measure(self, text: str) -> int:
        """Length in 汉字."""
        return weibo_units(text)

    def capabilities(self, account: AccountRef) -> Mapping[Capability, Grant]:
        """Everything; pushes need the app secret."""
        grants = {capability: Grant(Granted.yes) for capability in Capability}
        if not account.secrets.get("app_secret"):
            grants[Capability.receive_push] = Grant(Granted.needs, "请管理员在账号设置中填写应用密钥后再接收推送")
        return grants

    async def check(self, account: AccountRef) -> Health:
        """Ask who we are. A dead token is an unhealthy answer; anything else that fails is raised."""
        try:
            body = await self._get(account, "/2/account/get_uid.json", {})
            user = await self._get(account, "/2/users/show.json", {})
        except ConnectorError as error:
            if error.kind in (ErrorKind.auth_human, ErrorKind.auth_expired):
                return Health(False, note=error.human)
            raise
        uid = str(body.get("uid", "")) if isinstance(body, dict) else ""
        name = str(user.get("screen_name", "")) if isinstance(user, dict) else ""
        if account.external_id and uid != account.external_id:
            return Health(False, uid, name, f"令牌属于另一个账号（{name}），请核对账号编号")
        return Health(True, uid, name)

    def post_forms(self, account: AccountRef) -> tuple[PostForm, ...]:
        """A short post, which may have a video, or a long article with a title and a cover."""
        return (
            PostForm(
                "", "短微博", POST_UNITS, pictures=MOST_PICTURES, picture_bytes=PICTURE_BYTES, video=VideoRules(),
            ),
            PostForm(
                "article", "头条文章", ARTICLE_UNITS, "标题另排，第一张图裁成 16:9 的封面。", TITLE_UNITS, True,
                pictures=MOST_PICTURES, picture_bytes=PICTURE_BYTES, cover=COVER, needs_cover=True,
            ),
        )  # fmt: skip

    # in ---------------------------------------------------------------------------------------------------------------

    async def pull(self, account: AccountRef, stream: str, cursor: Mapping[str, Any]) -> Page:
        """The next page of a walk over ``stream``; see :mod:`connectors.walk`."""
        if stream not in LISTS:
            raise ConnectorError(ErrorKind.bug, f"沙箱平台没有「{stream}」这个列表", code="stream")
        path, name, kind = LISTS[stream]
        params = bounds(cursor) | {"count": str(int(number(account, "page_size", 50, 1, 200)))}
        items, next_cursor = _listed(await self._get(account, path, params), name)
        ids = [text for text in map(item_id, items) if text]
        look_back = int(number(account, "look_back", LOOK_BACK, 0, 10**6))
        return after_step(cursor, [raw_item(kind, item) for item in items], ids, next_cursor, look_back)

    async def receive(
        self, account: AccountRef, method: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> PushAnswer:
        """Verify the signature, answer a challenge, or split a push (or a list of pushes) into items."""
        secret = account.secrets.get("app_secret", "")
        if reason := reason_against(query, secret, self._http.clock(), no_secret=NO_SECRET, oldest=OLDEST_PUSH):
            return Reject(403, reason)
        if method == "GET":
            echo = query.get("echostr")
            return Challenge(echo, proof=proof_of(query)) if echo else Reject(400, "缺少 echostr")
        if len(body) > PUSH_BYTES:
            return Reject(413, "推送内容过大")
        if not body:
            return Reject(400, "推送没有内容")
        try:
            pushed = json.loads(body)
        except (ValueError, RecursionError):  # genuine all the same: it is kept, and people see it in quarantine
            pushed = body.decode("utf-8", "backslashreplace")
        found = [pushed_item(push) for push in (pushed if isinstance(pushed, list) else [pushed])]
        once = {(item.kind, item.external_id): item for item in found if item is not None}
        return Accept(tuple(once.values()), proof=proof_of(query))

    def parse(self, account: AccountRef, item: RawItem) -> Inbound:
        """Understand a stored item."""
        try:
            shape = json.loads(item.payload)
        except (ValueError, RecursionError):
            raise Unparsable("内容不是 JSON") from None
        return inbound(shape, item.kind, item.external_id, account.external_id, _item_url(account))

    # out --------------------------------------------------------------------------------------------------------------

    async def upload(self, account: AccountRef, out: Outgoing, state: Mapping[str, str]) -> Uploading | Uploaded:
        """Begun, piece by piece, put together: one call each."""
        return await videos.step(self._call, account, out, state, self._http.clock())

    async def publish(self, account: AccountRef, out: Outgoing) -> Outcome:
        """Publish a post, its pictures first: what of them goes wrong leaves nothing behind that anybody sees."""
        form = {"status": out.text}
        if out.video:
            form["video_id"] = out.uploaded.get("video_id", "")
        if out.form == "article":
            form["title"] = out.title
        if out.attachments:
            form["pic_id"] = ",".join(await in_time(self._upload(account, picture) for picture in out.attachments))
        return await self._send(account, "/2/statuses/share.json", form, out)

    async def _upload(self, account: AccountRef, picture: Attachment) -> str:
        form = {"description": picture.description}
        files = (("pic", picture),)
        try:
            body = await self._call(account, "POST", "/2/statuses/upload_pic.json", form=form, files=files)
        except ConnectorError as error:
            raise harmless(error) from None
        if not (new_id := body.get("pic_id") if isinstance(body, dict) else None):
            raise ConnectorError(ErrorKind.protocol, "平台收了图片，但没有返回编号", code="no pic_id")
        return str(new_id)

    async def reply(self, account: AccountRef, out: Outgoing) -> Outcome:
        """A comment under a mention, an answer to a comment, or a private message."""
        match out.target_kind:
            case Kind.mention:
                form = {"id": out.target_id, "comment": out.text}
                return await self._send(account, "/2/comments/create.json", form, out)
            case Kind.comment:
                form = {"cid": out.target_id, "id": out.thread_id, "comment": out.text, "without_mention": "1"}
                return await self._send(account, "/2/comments/reply.json", form, out)
            case Kind.private:
                data = json.dumps({"text": out.text}, ensure_ascii=False)
                form = {"type": "text", "data": data, "receiver_id": out.target_author_id}
                return await self._send(account, "/2/messages/reply.json", form, out)
            case _:
                raise ConnectorError(ErrorKind.permission, "沙箱平台不能回复这一类内容", code="kind")

    async def _send(self, account: AccountRef, path: str, form: Mapping[str, str], out: Outgoing) -> Outcome:
        body = await self._call(account, "POST", path, form=form, key=out.key)
        if not (new_id := item_id(body)):
            human = "平台已受理，但没有返回编号，系统会核实"
            raise ConnectorError(ErrorKind.protocol, human, code="no id", effect=Effect.unknown)
        return Done(new_id, f"{account.base_url.rstrip('/')}/item/{new_id}", _time_of(body))

    async def poll_job(self, account: AccountRef, job: str) -> Outcome:
        """Nothing is ever pending here."""
        raise ConnectorError(ErrorKind.bug, "沙箱平台没有需要等待的任务", code="job")

    # afterwards -------------------------------------------------------------------------------------------------------

    async def find_own(self, account: AccountRef, since: datetime, out: Outgoing) -> OwnItems:
        """Own posts, or own answers to the target, since ``since`` (whole seconds). Not complete when cut short."""
        path, name = {
            None: ("/2/statuses/user_timeline.json", "statuses"),
            Kind.private: ("/2/direct_messages/sent.json", "direct_messages"),
        }.get(out.target_kind, ("/2/comments/by_me.json", "comments"))
        floor = since.replace(microsecond=0)
        found: list[OwnItem] = []
        params = {"count": str(OWN_PAGE_SIZE)}
        seen: list[OwnItem | None] = []
        for _ in range(OWN_PAGES):
            body = await self._get(account, path, params)
            items, next_cursor = _listed(body, name)
            read = [own_item(item, _item_url(account)) for item in items]
            seen += read
            found += [
                one for item, one in zip(items, read, strict=True)
                if one is not None and one.created_at >= floor and _answers(item, one, out)
            ]  # fmt: skip
            if reaches(read, floor) or not next_cursor:
                total = body.get("total_number")
                is_end = not isinstance(total, bool) and str(total) == str(len(seen))
                return OwnItems(tuple(found), complete=proves(seen, floor, is_end))
            params = {"count": str(OWN_PAGE_SIZE), "max_id": next_cursor}
        return OwnItems(tuple(found), complete=False)

    async def exists(self, account: AccountRef, external_id: str) -> bool:
        """Whether the post, comment or message is still there."""
        if await self._found(account, "/2/statuses/show.json", {"id": external_id}):
            return True
        comments = await self._get(account, "/2/comments/show_batch.json", {"cids": external_id})
        if not isinstance(comments, list):
            raise ConnectorError(ErrorKind.protocol, "平台返回的列表不完整，请稍后再试", code="comments")
        if comments:
            return True
        return await self._found(account, "/2/direct_messages/show.json", {"id": external_id})

    async def _found(self, account: AccountRef, path: str, params: Mapping[str, str]) -> bool:
        try:
            await self._get(account, path, params)
        except ConnectorError as error:
            if error.kind is ErrorKind.not_found:
                return False
            raise
        return True

    async def delete(self, account: AccountRef, external_id: str) -> None:
        """Remove an own post or comment; already gone is fine. Private messages cannot be taken back."""
        for path, name in (("/2/statuses/destroy.json", "id"), ("/2/comments/destroy.json", "cid")):
            try:
                await self._call(account, "POST", path, form={name: external_id})
                return
            except ConnectorError as error:
                if error.kind is not ErrorKind.not_found:
                    raise
        if await self._found(account, "/2/direct_messages/show.json", {"id": external_id}):
            raise ConnectorError(ErrorKind.permission, "私信发出后不能撤回", code="message")

    async def metrics(self, account: AccountRef, ids: Sequence[str]) -> list[Metric]:
        """Likes, comments and reposts of own posts, a hundred a call; reads are not told."""
        return await figures.read(lambda some: self._get(account, figures.PATH, {"ids": some}), ids)

    def validate(self, account: AccountRef, out: Outgoing) -> list[Problem]:
        """Empty, too long, pictures, an answer without target."""
        longest = ARTICLE_UNITS if out.form == "article" else POST_UNITS
        most = {None: longest, Kind.private: MESSAGE_UNITS}.get(out.target_kind, REPLY_UNITS)
        problems = against_text(out.text, weibo_units(out.text), most)
        if out.attachments and out.target_kind is not None:
            problems.append(Problem("media", "沙箱平台的回复只能是文字，请去掉图片"))
        form = form_named(self.post_forms(account), out.form)
        problems += against_pictures(out.attachments, form)
        if out.target_kind is None:
            problems += against_video(out, form)
        if out.target_kind is Kind.private and not out.target_author_id:
            problems.append(Problem("target", "缺少收信人，无法发送私信"))
        elif out.target_kind is not None and not out.target_id:
            problems.append(Problem("target", "没有指明要回复的内容"))
        return problems

    # the wire ---------------------------------------------------------------------------------------------------------

    async def _get(self, account: AccountRef, path: str, params: Mapping[str, str]) -> Any:
        return await self._call(account, "GET", path, params=params)

    async def _call(
        self,
        account: AccountRef,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        files: Sequence[tuple[str, Attachment]] = (),
        key: str = "",
        body: Multipart | None = None,
    ) -> Any:
        token = account.secrets.get("token", "")
        headers = {"Authorization": f"OAuth2 {token}"} if token else {}
        if key:
            headers["X-Idempotency-Key"] = key
        if body is not None:
            headers["Content-Type"] = body.content_type
        answer = await self._http.call(
            method,
            account.base_url.rstrip("/") + path,
            params=params,
            form=form,
            files=files,
            content=body,
            headers=headers,
            write=method != "GET",
            seconds=PIECE_SECONDS if body is not None else None,
        )
        said = body_of(answer)
        if error := error_of(answer, said, self._http.clock(), account.secrets.values(), CODES):
            raise error
        return said


def _listed(body: Any, name: str) -> tuple[list[Any], str]:
    """Items and the next cursor ("" at the end) of a list; a list that is none is ``protocol``."""
    items = body.get(name) if isinstance(body, dict) else None
    if not isinstance(items, list):
        raise ConnectorError(ErrorKind.protocol, "平台返回的列表不完整，请稍后再试", code=name)
    next_cursor = str(body.get("next_cursor") or "")
    return items, "" if next_cursor == "0" else next_cursor


def _item_url(account: AccountRef) -> UrlOf:
    return lambda author_id, thread_id, exact: f"{account.base_url.rstrip('/')}/item/{exact}"


def _answers(item: Any, read: OwnItem, out: Outgoing) -> bool:
    """Whether an own item can be the trace of ``out``: a post, or an answer to the same target."""
    if out.target_kind is None:
        return True
    if out.target_kind is Kind.private:
        return str(item.get("recipient_id", "")) == out.target_author_id
    return read.parent_id == out.target_id


def _time_of(body: Any) -> datetime | None:
    try:
        return weibo_time(body.get("created_at"))
    except Unparsable:
        return None
