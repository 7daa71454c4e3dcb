"""Articles on their way out: pictures, draft, submission or mass message, and what became of it.

Nothing is published twice because the draft is the key: a draft can be published once, and a second try of the same
article takes the draft that the first one left behind. A mass message carries its own key besides (``clientmsgid``).
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from connectors.base import (
    AccountRef,
    Attachment,
    ConnectorError,
    Done,
    Effect,
    ErrorKind,
    Outcome,
    Outgoing,
    OwnItem,
    OwnItems,
    Pending,
)
from connectors.failures import unsettled
from connectors.pictures import in_time
from connectors.wechat.articles import draft_of, html_of, is_same, places
from connectors.wechat.errors import DONE, code_of
from connectors.wechat.schemas import instant
from connectors.wechat.wire import Wire, incomplete, text_of

MASS = "mass"
# What is kept of an acceptance: the number by which its end, and a later take-down, are asked for.
PUBLISH_ID = "publish_id"
DELETED, BLOCKED = 5, 6
PUBLISH_AGAIN = timedelta(seconds=15)
MASS_AGAIN = timedelta(seconds=60)
# The next try finds there what was uploaded.
TOO_SLOW = "图片还没有全部传到微信，系统会接着传，传完后发布"
REMEMBERED = 200
PAGE = 10
DRAFT_PAGES = 3
OWN_PAGES = 5
# The platform knows a key for a day; a margin for clocks.
KEY_KNOWN = timedelta(hours=20)
REFUSED = {
    2: "微信没有通过这篇文章的原创校验，请到公众平台查看后修改",
    3: "微信没有发布这篇文章（常规失败），请到公众平台查看原因",
    4: "微信的平台审核没有通过这篇文章，请修改后再提交",
}


class Publisher:
    """Publishes articles over a :class:`connectors.wechat.wire.Wire`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        # What this process has uploaded lately: a try that ran out of time goes on where it stopped.
        self._uploads: dict[tuple[str, str, str], str] = {}

    async def publish(self, account: AccountRef, out: Outgoing) -> Outcome:
        """Draft, then submission (or mass message). Only the last call can have been seen by anybody."""
        left = await self._draft_left(account, out)
        draft = left or (await in_time([self._new_draft(account, out)], TOO_SLOW))[0]
        if out.form == MASS:
            return await self._mass(account, out, draft, is_new=not left)
        return await self._submit(account, draft)

    async def _submit(self, account: AccountRef, draft: str) -> Outcome:
        body = await self._wire.call(account, "/cgi-bin/freepublish/submit", {"media_id": draft}, write=True)
        job = text_of(body.get("publish_id"))
        if not job:
            raise incomplete("publish_id", Effect.unknown)
        return Pending(f"publish:{job}", self._wire.now() + PUBLISH_AGAIN, _kept(body) | {PUBLISH_ID: job})

    async def _mass(self, account: AccountRef, out: Outgoing, draft: str, *, is_new: bool) -> Outcome:
        wanted = {
            "filter": {"is_to_all": True},
            "mpnews": {"media_id": draft},
            "msgtype": "mpnews",
            "send_ignore_reprint": 0,
            "clientmsgid": out.key,
        }
        body = await self._wire.call(
            account, "/cgi-bin/message/mass/sendall", wanted, calls="mass", write=True, passed=DONE
        )
        if code_of(body) in DONE and is_new:
            await self._drop(account, draft)
        job = text_of(body.get("msg_id"))
        if not job:
            raise incomplete("msg_id", Effect.unknown)
        return Pending(f"{MASS}:{job}", self._wire.now() + MASS_AGAIN, _kept(body))

    async def _drop(self, account: AccountRef, draft: str) -> None:
        """A draft nobody needs: an earlier try was taken with a draft of its own. Left lying it would do no harm."""
        with suppress(ConnectorError):
            await self._wire.call(account, "/cgi-bin/draft/delete", {"media_id": draft})

    # drafts -----------------------------------------------------------------------------------------------------------

    async def _draft_left(self, account: AccountRef, out: Outgoing) -> str:
        """The draft of exactly this article that an earlier try left in the box, or ""."""
        async for entry in self._listed(account, "/cgi-bin/draft/batchget", DRAFT_PAGES):
            if any(is_same(article, out) for article in _articles(entry)):
                return text_of(entry.get("media_id"))
        return ""

    async def _new_draft(self, account: AccountRef, out: Outgoing) -> str:
        cover = await self._uploaded(account, "/cgi-bin/material/add_material", out.attachments[0], "media_id")
        addresses = {}
        for number in sorted(set(places(out.text, len(out.attachments)))):
            picture = out.attachments[number - 1]
            addresses[number] = await self._uploaded(account, "/cgi-bin/media/uploadimg", picture, "url")
        draft = draft_of(account, out, html_of(out.text, out.attachments, addresses), cover)
        try:
            body = await self._wire.call(account, "/cgi-bin/draft/add", {"articles": [draft]})
        except ConnectorError as error:
            if error.kind is ErrorKind.content_rejected:  # somebody may have deleted the material there
                self._uploads.clear()
            raise
        made = text_of(body.get("media_id"))
        if not made:
            raise incomplete("media_id")
        return made

    async def _uploaded(self, account: AccountRef, path: str, picture: Attachment, wanted: str) -> str:
        """Its id or address there; the same picture of the same account is uploaded once."""
        key = (account.app, path, hashlib.sha256(picture.data).hexdigest())
        if key in self._uploads:
            return self._uploads[key]
        params = {"type": "image"} if path.endswith("add_material") else {}
        body = await self._wire.call(account, path, params=params, files=[("media", picture)], calls="media")
        found = text_of(body.get(wanted))
        if not found:
            raise incomplete(wanted)
        if len(self._uploads) >= REMEMBERED:
            del self._uploads[next(iter(self._uploads))]
        self._uploads[key] = found
        return found

    async def _listed(self, account: AccountRef, path: str, pages: int) -> AsyncIterator[Mapping[str, Any]]:
        """Entries of a box, newest first; of at most so many pages."""
        for number in range(pages):
            wanted = {"offset": number * PAGE, "count": PAGE, "no_content": 0}
            body = await self._wire.call(account, path, wanted)
            found = body.get("item")
            if not isinstance(found, list):
                raise incomplete("item")
            for entry in found:
                if isinstance(entry, Mapping):
                    yield entry
            if len(found) < PAGE:
                return

    # afterwards -------------------------------------------------------------------------------------------------------

    async def poll(self, account: AccountRef, job: str) -> Outcome:
        """How a submission or mass message ended; a refusal is a :class:`ConnectorError` in words."""
        kind, _, number = job.partition(":")
        if kind not in ("publish", MASS) or not number:
            raise ConnectorError(ErrorKind.bug, "没有这样的发布任务", code="job", effect=Effect.unknown)
        return await (self._poll_mass if kind == MASS else self._poll_publish)(account, number)

    async def _poll_publish(self, account: AccountRef, number: str) -> Outcome:
        try:
            body = await self._wire.call(account, "/cgi-bin/freepublish/get", {"publish_id": number})
        except ConnectorError as error:
            raise unsettled(error) from None
        told = body.get("publish_status")
        status = told if isinstance(told, int) else None
        if status == 1:
            return Pending(f"publish:{number}", self._wire.now() + PUBLISH_AGAIN)
        if status in REFUSED:
            raise ConnectorError(ErrorKind.content_rejected, REFUSED[status], code=f"publish_status {status}")
        article = text_of(body.get("article_id"))
        if status not in (0, DELETED, BLOCKED) or not article:  # what was taken down since, exists() tells
            code = f"publish_status {told}"[:200]
            raise ConnectorError(ErrorKind.transient, "微信公众平台还没有给出发布结果", code=code)
        return Done(article, _address(body))

    async def _poll_mass(self, account: AccountRef, number: str) -> Outcome:
        try:
            status = await self.mass_status(account, number)
        except ConnectorError as error:
            raise unsettled(error) from None
        if status in ("SEND_SUCCESS", "DELETE"):
            return Done(f"{MASS}:{number}")
        if status == "SEND_FAIL":
            human = "群发没有成功：平台审核没有通过，或者管理员拒绝、30 分钟内没有确认。请到公众平台查看原因"
            raise ConnectorError(ErrorKind.content_rejected, human, code=status)
        return Pending(f"{MASS}:{number}", self._wire.now() + MASS_AGAIN)

    async def mass_status(self, account: AccountRef, number: str) -> str:
        """SENDING, SEND_SUCCESS, SEND_FAIL or DELETE."""
        body = await self._wire.call(account, "/cgi-bin/message/mass/get", {"msg_id": number})
        return text_of(body.get("msg_status")).strip().upper()

    async def find(self, account: AccountRef, since: datetime, out: Outgoing) -> OwnItems:
        """The article among those published since ``since``. Absence is proved by its draft still lying in the box;
        a mass message may simply be sent again within a day: its key tells.
        """
        if out.form == MASS:
            return OwnItems((), complete=self._wire.now() - since < KEY_KNOWN)
        floor = since.replace(microsecond=0)
        async for entry in self._listed(account, "/cgi-bin/freepublish/batchget", OWN_PAGES):
            at = instant(entry.get("update_time"))
            if at is not None and at < floor:
                break
            for article in _articles(entry):
                if at is not None and not article.get("is_deleted") and is_same(article, out):
                    own = OwnItem(text_of(entry.get("article_id")), out.text, at, text_of(article.get("url")))
                    return OwnItems((own,), complete=True)
        return OwnItems((), complete=bool(await self._draft_left(account, out)))

    async def stands(self, account: AccountRef, article: str, publish_id: str = "") -> bool:
        """Whether a published article can still be read. That the platform itself has blocked it is documented for
        the submission (``publish_id``) only, that it was deleted, for both.
        """
        if publish_id and await self._was_taken_down(account, publish_id):
            return False
        try:
            body = await self._wire.call(account, "/cgi-bin/freepublish/getarticle", {"article_id": article})
        except ConnectorError as error:
            if error.kind is ErrorKind.not_found:
                return False
            raise
        found = body.get("news_item")
        articles = [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
        return not articles or any(not one.get("is_deleted") for one in articles)

    async def _was_taken_down(self, account: AccountRef, publish_id: str) -> bool:
        """A submission that the platform no longer knows says nothing."""
        try:
            body = await self._wire.call(account, "/cgi-bin/freepublish/get", {"publish_id": publish_id})
        except ConnectorError as error:
            if error.kind is ErrorKind.not_found:
                return False
            raise
        return body.get("publish_status") in (DELETED, BLOCKED)


def _kept(body: Mapping[str, Any]) -> dict[str, str]:
    """What only the acceptance tells; without it the article's comments can never be read."""
    data_id = text_of(body.get("msg_data_id"))
    return {"msg_data_id": data_id} if data_id else {}


def _articles(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    content = entry.get("content")
    found = content.get("news_item") if isinstance(content, Mapping) else None
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _address(body: Mapping[str, Any]) -> str:
    detail = body.get("article_detail")
    found = detail.get("item") if isinstance(detail, Mapping) else None
    first = found[0] if isinstance(found, list) and found and isinstance(found[0], Mapping) else {}
    address = text_of(first.get("article_url"))
    return address if address.startswith(("http://", "https://")) else ""
