"""The connector to feeds: reads, with what the server gave to ask cheaply (ETag, Last-Modified); sends nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NoReturn
from urllib.parse import urljoin

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
    Outcome,
    Outgoing,
    OwnItems,
    Page,
    Problem,
    PushAnswer,
    RawItem,
    Reject,
)
from connectors.defaults import Defaults
from connectors.feed.entries import inbound, items_of, minutes_of
from connectors.http import Answer, Http, kind_of_status, retry_at
from connectors.options import is_on, number

MOST_REDIRECTS = 3
ACCEPT = "application/atom+xml, application/rss+xml, application/xml;q=0.9, text/xml;q=0.8, */*;q=0.1"
NO_SENDING = "订阅源只能读取，不能回复或发布"
LONGEST_VALIDATOR = 500


class FeedConnector(Defaults):
    """A feed as a :class:`connectors.base.Connector`. Options: ``cases`` (是: every entry opens a case),
    ``pull_every`` (seconds)."""

    platform = "feed"
    label = "订阅源"
    streams: Sequence[str] = ("entries",)

    def __init__(self, http: Http) -> None:
        self._http = http

    def limits(self, account: AccountRef) -> Limits:
        """Nothing can be sent; read every quarter of an hour."""
        return Limits(post_length=0, reply_length=0, pull_every=number(account, "pull_every", 900.0, 60.0, 604_800.0))

    def measure(self, text: str) -> int:
        """Characters."""
        return len(text)

    def capabilities(self, account: AccountRef) -> Mapping[Capability, Grant]:
        """Reading, and nothing else."""
        return {
            c: Grant(Granted.yes) if c is Capability.pull_mentions else Grant(Granted.no, NO_SENDING)
            for c in Capability
        }

    async def check(self, account: AccountRef) -> Health:
        """Whether there is a feed at the address."""
        answer = await self._get(account.base_url, {})
        items = await asyncio.to_thread(items_of, answer.body, answer.headers)
        return Health(True, account.base_url, account.name, note=f"订阅源里现有 {len(items)} 条")

    async def pull(self, account: AccountRef, stream: str, cursor: Mapping[str, Any]) -> Page:
        """Every entry the feed shows now, unless it says nothing changed, or that it need not be asked yet.

        ``cursor``: {"etag", "modified"} as the server gave them; {"ttl", "until"} where the feed named minutes.
        """
        if stream not in self.streams:
            raise ConnectorError(ErrorKind.bug, f"订阅源没有「{stream}」这个列表", code="stream")
        if "until" in cursor and self._http.clock() < datetime.fromisoformat(str(cursor["until"])):
            return Page((), dict(cursor))
        asked = _validators({"If-None-Match": cursor.get("etag"), "If-Modified-Since": cursor.get("modified")})
        answer = await self._get(account.base_url, asked)
        if answer.status == 304:
            return Page((), dict(cursor) | self._rest(account, int(cursor.get("ttl") or 0)))
        items = await asyncio.to_thread(items_of, answer.body, answer.headers)
        told = {"etag": answer.headers.get("etag"), "modified": answer.headers.get("last-modified")}
        return Page(tuple(items), _validators(told) | self._rest(account, minutes_of(answer.body)))

    def _rest(self, account: AccountRef, minutes: int) -> dict[str, Any]:
        """What of the feed's own wish goes into the cursor; nothing where the office has set how often to read."""
        if not minutes or account.options.get("pull_every"):
            return {}
        return {"ttl": minutes, "until": (self._http.clock() + timedelta(minutes=minutes)).isoformat()}

    async def _get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """The feed, after a few redirects, each of which passes the guard of addresses anew."""
        for _ in range(MOST_REDIRECTS + 1):
            if not url.lower().startswith(("http://", "https://")):
                raise ConnectorError(ErrorKind.bug, "订阅源地址要以 http:// 或 https:// 开头", code="address")
            answer = await self._http.call("GET", url, headers={"Accept": ACCEPT, **headers})
            if answer.status not in (301, 302, 303, 307, 308):
                break
            url = _redirected(url, answer.headers.get("location", ""))
        if answer.ok or answer.status == 304:
            return answer
        human = f"订阅源没有正常返回（HTTP {answer.status}），请管理员核对地址"
        at = retry_at(answer.headers, self._http.clock())
        raise ConnectorError(kind_of_status(answer.status), human, code=f"http {answer.status}", retry_at=at)

    async def receive(
        self, account: AccountRef, method: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> PushAnswer:
        """Refused: feeds are read."""
        return Reject(404, "订阅源不使用推送")

    def parse(self, account: AccountRef, item: RawItem) -> Inbound:
        """Understand a stored entry."""
        return inbound(item, opens_case=is_on(account, "cases"), now=self._http.clock())

    async def reply(self, account: AccountRef, out: Outgoing) -> Outcome:
        """Refused."""
        _refuse()

    async def publish(self, account: AccountRef, out: Outgoing) -> Outcome:
        """Refused."""
        _refuse()

    async def poll_job(self, account: AccountRef, job: str) -> Outcome:
        """Refused."""
        _refuse()

    async def find_own(self, account: AccountRef, since: datetime, out: Outgoing) -> OwnItems:
        """Refused: nothing of ours is there."""
        _refuse()

    async def exists(self, account: AccountRef, external_id: str) -> bool:
        """Refused."""
        _refuse()

    async def delete(self, account: AccountRef, external_id: str) -> None:
        """Refused."""
        _refuse()

    def validate(self, account: AccountRef, out: Outgoing) -> list[Problem]:
        """Never fit to send."""
        return [Problem("account", NO_SENDING)]


def _validators(told: Mapping[str, Any]) -> dict[str, str]:
    """Those that can be sent back in a header as they are; cut or changed they would match nothing."""
    said = {name: str(value) for name, value in told.items() if value}
    return {name: value for name, value in said.items() if value.isascii() and len(value) <= LONGEST_VALIDATOR}


def _redirected(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        human = "订阅源转到了一个写法不对的网址，请管理员核对地址"
        raise ConnectorError(ErrorKind.protocol, human, code="location") from None


def _refuse() -> NoReturn:
    raise ConnectorError(ErrorKind.permission, NO_SENDING, code="feed")
