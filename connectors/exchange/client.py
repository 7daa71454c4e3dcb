"""The connector to another system's work orders: they come signed, results go back signed, each with its own number."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.answers import against_answer
from connectors.base import (
    Accept,
    AccountRef,
    Capability,
    ConnectorError,
    Done,
    ErrorKind,
    Grant,
    Granted,
    Health,
    Inbound,
    Limits,
    Outcome,
    Outgoing,
    OwnItem,
    OwnItems,
    Page,
    Problem,
    PushAnswer,
    RawItem,
    Reject,
    Stage,
)
from connectors.defaults import Defaults
from connectors.exchange.back import event_of, receipt_of, result_of
from connectors.exchange.orders import inbound, items_of, pairs, pushed
from connectors.exchange.signature import reason_against, signed
from connectors.http import Answer, Http, kind_of_status, retry_at, scrub
from connectors.options import is_on, number, text

LONGEST = 20_000
PUSH_BYTES, MOST_PUSHED = 1024 * 1024, 500
NO_POST, NO_PICTURES = "工单交换不能发布内容", "办理结果暂不支持图片，请去掉后再提交"
K = ErrorKind
_HUMAN = {
    400: (K.content_rejected, "对方系统不接受送去的内容，请核对字段对照和状态对照"),
    401: (K.auth_human, "对方系统不承认签名，请双方核对密钥和时间"),
    403: (K.permission, "对方系统没有向本单位开放这个接口"),
    404: (K.not_found, "对方系统里没有这张工单，或者接口地址不对"),
    410: (K.window_closed, "对方系统里这张工单已经关闭，不能再送结果"),
    413: (K.content_rejected, "办理结果太长，对方系统不接受"),
    422: (K.content_rejected, "对方系统不接受送去的内容，请核对字段对照和状态对照"),
    429: (K.rate_limited, "对方系统限制了调用频率，系统会等到限制解除"),
}


class ExchangeConnector(Defaults):
    """Another system's work orders as a :class:`connectors.base.Connector`.

    Secrets: ``key``. Options: see :mod:`connectors.exchange.form`; ``pull_every`` (seconds).
    """

    platform = "exchange"
    label = "工单交换（12345）"
    streams: Sequence[str] = ("orders",)

    def __init__(self, http: Http) -> None:
        # Hotlines stand in the networks of the administration more often than on the open internet.
        self._http = http.inward()

    # what it can do -------------------------------------------------------------------------------------------------

    def limits(self, account: AccountRef) -> Limits:
        """Results of any reasonable length; the other side knows a result by its number, so asking again is safe."""
        every = number(account, "pull_every", 120.0, 1.0, 604_800.0) if is_on(account, "pull") else 86_400.0
        return Limits(post_length=0, reply_length=LONGEST, find_own_lag=2.0, honours_key=True, pull_every=every)

    def measure(self, text: str) -> int:
        """Characters."""
        return len(text)

    def capabilities(self, account: AccountRef) -> Mapping[Capability, Grant]:
        """Orders in, results out."""
        grants = {c: Grant(Granted.no, "工单交换没有这一项") for c in Capability}
        grants[Capability.publish] = Grant(Granted.no, NO_POST)
        for capability in (Capability.receive_push, Capability.reply_private, Capability.find_own):
            grants[capability] = Grant(Granted.yes)
        if is_on(account, "pull"):
            grants[Capability.pull_messages] = Grant(Granted.yes)
        if not account.secrets.get("key"):
            missing = Grant(Granted.needs, "请管理员在账号设置中填写双方约定的密钥")
            grants = {c: missing if g.granted is Granted.yes else g for c, g in grants.items()}
        return grants

    async def check(self, account: AccountRef) -> Health:
        """Ask whether the other side believes our signature."""
        answer = await self._call(account, "GET", "/ping", b"")
        if answer.status in (401, 403):
            return Health(False, note=_HUMAN[answer.status][1])
        self._raise(account, answer)
        return Health(True, account.base_url, account.name)

    # in ---------------------------------------------------------------------------------------------------------------

    async def pull(self, account: AccountRef, stream: str, cursor: Mapping[str, Any]) -> Page:
        """Orders since the other side's own mark; nothing where they are only pushed. ``cursor``: {"after"}."""
        if stream not in self.streams:
            raise ConnectorError(K.bug, f"工单交换没有「{stream}」这个列表", code="stream")
        if not is_on(account, "pull"):
            return Page((), dict(cursor))
        after = str(cursor.get("after", ""))
        answer = await self._call(account, "GET", "/orders", b"", params={"after": after} if after else None)
        self._raise(account, answer)
        told = answer.json()
        if not isinstance(told, dict) or not isinstance(told.get("orders"), list):
            raise ConnectorError(K.protocol, "对方系统返回的不是工单列表", code="orders")
        mark = str(told.get("next") or after)
        more = bool(told["orders"]) and mark != after
        return Page(tuple(items_of(told, self._names(account))), {"after": mark} if mark else {}, more=more)

    async def receive(
        self, account: AccountRef, method: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> PushAnswer:
        """Verify the signature on the raw bytes; answer with the numbers that are stored."""
        small = {name.lower(): value for name, value in headers.items()}
        key_id, key = text(account, "key_id"), account.secrets.get("key", "")
        if reason := reason_against(small, key_id, key, body, self._http.clock()):
            return Reject(401, reason)
        if method != "POST" or not body or len(body) > PUSH_BYTES:
            return Reject(400 if len(body) <= PUSH_BYTES else 413, "推送没有内容或过大")
        items = items_of(pushed(body), self._names(account))[:MOST_PUSHED]
        once = {item.external_id: item for item in items}
        answer = json.dumps({"received": list(once)}, ensure_ascii=False)
        return Accept(tuple(once.values()), answer, "application/json")

    def _statuses(self, account: AccountRef) -> dict[str, str]:
        return pairs(text(account, "statuses"))

    def _names(self, account: AccountRef) -> dict[str, str]:
        return pairs(text(account, "mapping"))

    def parse(self, account: AccountRef, item: RawItem) -> Inbound:
        """Understand a stored order."""
        kinds, key = pairs(text(account, "kinds")), account.secrets.get("key", "")
        return inbound(item, self._names(account), kinds, key, self._http.clock())

    # out --------------------------------------------------------------------------------------------------------------

    async def reply(self, account: AccountRef, out: Outgoing) -> Outcome:
        """Send the result of an order; its number (``out.key``) makes a second sending recognisable."""
        self._refuse_unfit(account, out)
        return await self._send(account, out, result_of(out, self._statuses(account), self._http.clock()))

    async def tell(self, account: AccountRef, out: Outgoing) -> Outcome:
        """Say where an order stands, numbered like a result."""
        self._refuse_unfit(account, out)
        return await self._send(account, out, event_of(out, self._statuses(account), self._http.clock()))

    def _refuse_unfit(self, account: AccountRef, out: Outgoing) -> None:
        if problems := self.validate(account, out):
            raise ConnectorError(K.content_rejected, problems[0].text, code="invalid")

    async def _send(self, account: AccountRef, out: Outgoing, said: Mapping[str, str]) -> Done:
        names, now = self._names(account), self._http.clock()
        body = json.dumps({names.get(name, name): value for name, value in said.items()}, ensure_ascii=False)
        answer = await self._call(account, "POST", _path(out), body.encode("utf-8", "replace"), key=out.key)
        # They have it already: under this number it can only be this one. Or they closed it first themselves.
        is_there = answer.status == 409 or (answer.status == 410 and out.stage is Stage.closed)
        if not is_there:
            self._raise(account, answer)
        return Done(out.key, at=now, extra=receipt_of(answer.body, names, out.key) if answer.ok else {})

    async def publish(self, account: AccountRef, out: Outgoing) -> Outcome:
        """Refused."""
        raise ConnectorError(K.permission, NO_POST, code="publish")

    async def poll_job(self, account: AccountRef, job: str) -> Outcome:
        """Nothing is ever pending here."""
        raise ConnectorError(K.bug, "工单交换没有需要等待的任务", code="job")

    async def find_own(self, account: AccountRef, since: datetime, out: Outgoing) -> OwnItems:
        """The result, or what was told, under its number; where the other side cannot tell, nothing is known."""
        answer = await self._call(account, "GET", f"{_path(out)}/{out.key}", b"")
        if answer.status == 404:
            return OwnItems((), complete=True)
        if answer.status in (405, 501):
            return OwnItems((), complete=False)
        self._raise(account, answer)
        receipt_of(answer.body, self._names(account), out.key)
        own = OwnItem(out.key, out.text, self._http.clock(), "", out.target_id, out.key)
        return OwnItems((own,), complete=True)

    async def exists(self, account: AccountRef, external_id: str) -> bool:
        """Whether the other side still has the result; True where it cannot tell."""
        answer = await self._call(account, "GET", f"/results/{external_id}", b"")
        if answer.status in (405, 501):
            return True
        if answer.status == 404:
            return False
        self._raise(account, answer)
        return True

    async def delete(self, account: AccountRef, external_id: str) -> None:
        """Refused: a result is corrected by a further one."""
        raise ConnectorError(K.permission, "办理结果送出后不能收回，请另送一份更正", code="delete")

    def validate(self, account: AccountRef, out: Outgoing) -> list[Problem]:
        """Empty, endless, with pictures, or without an order; where it stands needs no words."""
        problems = [] if out.stage else against_answer(out, LONGEST, no_post=NO_POST, no_pictures=NO_PICTURES)
        if out.target_kind is not None and not out.target_id:
            problems.append(Problem("target", "没有指明是哪一张工单"))
        return problems

    # the wire ---------------------------------------------------------------------------------------------------------

    async def _call(
        self, account: AccountRef, method: str, path: str, body: bytes, *,
        key: str = "", params: Mapping[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        headers = signed(text(account, "key_id"), account.secrets.get("key", ""), body, self._http.clock())
        headers["Accept"] = "application/json"
        if body:
            headers["Content-Type"] = "application/json"
        if key:
            headers["Idempotency-Key"] = key
        return await self._http.call(
            method, account.base_url.rstrip("/") + path, params=params, content=body or None, headers=headers,
            write=method != "GET",
        )  # fmt: skip

    def _raise(self, account: AccountRef, answer: Answer) -> None:
        if answer.ok:
            return
        kind, human = _HUMAN.get(
            answer.status,
            (kind_of_status(answer.status), f"对方系统出错（HTTP {answer.status}），系统会核实后处理"),
        )
        said = scrub(answer.body[:200].decode("utf-8", "replace"), account.secrets.values())
        code = f"http {answer.status} {' '.join(said.split())}"[:200]
        at = retry_at(answer.headers, self._http.clock())
        raise ConnectorError(kind, human, code=code, effect=answer.effect, retry_at=at)


def _path(out: Outgoing) -> str:
    return "/events" if out.stage else "/results"
