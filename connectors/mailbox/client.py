"""The connector to a mailbox: letters come by IMAP, answers leave by SMTP in the same thread of mail."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from connectors.answers import against_answer
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
)
from connectors.defaults import Defaults
from connectors.http import Http
from connectors.mailbox import reading, sending
from connectors.mailbox.letters import inbound, message_id_of
from connectors.mailbox.servers import Reach
from connectors.options import number, text

LONGEST = 50_000
SUBJECT = "您的来信"
NO_POST = "不能用邮箱发布内容"
# Half of it is enough for every mailbox a city has; a thread waits, it does not work.
_waiting = ThreadPoolExecutor(max_workers=64, thread_name_prefix="mailbox-idle")


class MailboxConnector(Defaults):
    """A mailbox as a :class:`connectors.base.Connector`.

    ``base_url``: the IMAP server. Secrets: ``password``. Options: see :mod:`connectors.mailbox.form`;
    ``pull_every`` (seconds).
    """

    platform = "mailbox"
    label = "电子邮箱"
    streams: Sequence[str] = ("letters",)
    waits: Sequence[str] = ("letters",)

    def __init__(self, http: Http) -> None:
        self._reach = Reach(http.live, http.inner)
        self._clock = http.clock

    # what it can do -------------------------------------------------------------------------------------------------

    def limits(self, account: AccountRef) -> Limits:
        """Mail knows no length; this is where people stop reading."""
        every = number(account, "pull_every", 300.0, 1.0, 604_800.0)
        return Limits(post_length=LONGEST, reply_length=LONGEST, find_own_lag=60.0, pull_every=every)

    def measure(self, text: str) -> int:
        """Characters."""
        return len(text)

    def capabilities(self, account: AccountRef) -> Mapping[Capability, Grant]:
        """Letters in, private answers out; nothing of mail is public, and nothing can be taken back."""
        reasons = {
            Capability.pull_mentions: "邮箱里没有提及", Capability.pull_comments: "邮箱里没有评论",
            Capability.receive_push: "邮箱不使用推送；新邮件由邮箱服务器即时通知",
            Capability.reply_public: "邮件只能私下答复", Capability.publish: NO_POST,
            Capability.delete: "邮件发出后不能收回", Capability.metrics: "邮件没有阅读数据",
            Capability.find_own: "没有填写已发送文件夹，无法核对是否已经发出",
        }  # fmt: skip
        grants = {c: Grant(Granted.no, reasons[c]) if c in reasons else Grant(Granted.yes) for c in Capability}
        if text(account, "sent_folder"):
            grants[Capability.find_own] = Grant(Granted.yes)
        if not text(account, "smtp"):
            grants[Capability.reply_private] = Grant(Granted.needs, "请管理员在账号设置中填写发信服务器")
        if not account.secrets.get("password"):
            missing = Grant(Granted.needs, "请管理员在账号设置中填写密码或授权码")
            grants = {c: missing if g.granted is Granted.yes else g for c, g in grants.items()}
        return grants

    async def check(self, account: AccountRef) -> Health:
        """Sign in to both servers. A refused password is an unhealthy answer; anything else is raised."""
        try:
            await asyncio.to_thread(reading.look, account, self._reach)
            if text(account, "smtp"):
                await sending.sign_in(account, self._reach)
        except ConnectorError as error:
            if error.kind is ErrorKind.auth_human:
                return Health(False, note=error.human)
            raise
        return Health(True, account.external_id, account.name)

    # in ---------------------------------------------------------------------------------------------------------------

    async def pull(self, account: AccountRef, stream: str, cursor: Mapping[str, Any]) -> Page:
        """The next letters; delivery reports come as notices."""
        if stream not in self.streams:
            raise ConnectorError(ErrorKind.bug, f"邮箱没有「{stream}」这个列表", code="stream")
        return await asyncio.to_thread(reading.page, account, self._reach, cursor, self._clock())

    async def wait(self, account: AccountRef, stream: str, cursor: Mapping[str, Any]) -> None:
        """Until the server says that a mail arrived (IDLE), at most 25 minutes; at once where one lies there unread."""
        stop, loop = threading.Event(), asyncio.get_running_loop()
        try:
            await loop.run_in_executor(_waiting, reading.idle, account, self._reach, stop, cursor, self._clock())
        finally:
            stop.set()

    async def receive(
        self, account: AccountRef, method: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> PushAnswer:
        """Refused: a mailbox does not push."""
        return Reject(404, "邮箱不使用推送")

    def parse(self, account: AccountRef, item: RawItem) -> Inbound:
        """Understand a stored letter."""
        return inbound(item, account.external_id)

    # out --------------------------------------------------------------------------------------------------------------

    async def reply(self, account: AccountRef, out: Outgoing) -> Outcome:
        """Answer a letter: to its author, in its thread, with an id of our own that every try carries."""
        if problems := self.validate(account, out):
            raise ConnectorError(ErrorKind.content_rejected, problems[0].text, code="invalid")
        subject, references = out.title, [out.thread_id] if out.thread_id else []
        if parent := message_id_of(out.target_id):
            found, known = await asyncio.to_thread(reading.original, account, self._reach, parent)
            subject, references = subject or found, known or references
        now = self._clock()
        mail = sending.mail_of(account, out, subject or SUBJECT, references, now)
        await sending.send(account, self._reach, mail)
        await self._keep_copy(account, mail.as_bytes())
        return Done(sending.own_id(account, out.key), at=now)

    async def _keep_copy(self, account: AccountRef, mail: bytes) -> None:
        """The answer has left: a folder that cannot be written to must not make it look unsent."""
        try:
            await asyncio.to_thread(reading.keep_copy, account, self._reach, mail)
        except ConnectorError:
            return

    async def publish(self, account: AccountRef, out: Outgoing) -> Outcome:
        """Refused: a mailbox has no public."""
        raise ConnectorError(ErrorKind.permission, NO_POST, code="publish")

    async def poll_job(self, account: AccountRef, job: str) -> Outcome:
        """Nothing is ever pending here."""
        raise ConnectorError(ErrorKind.bug, "邮箱没有需要等待的任务", code="job")

    # afterwards -------------------------------------------------------------------------------------------------------

    async def find_own(self, account: AccountRef, since: datetime, out: Outgoing) -> OwnItems:
        """The copy of this answer among the sent mail. Absence proves nothing: it is written after the sending."""
        own = sending.own_id(account, out.key)
        if not await asyncio.to_thread(reading.is_kept, account, self._reach, own):
            return OwnItems((), complete=False)
        return OwnItems(
            (OwnItem(own, out.text, max(since, self._clock()), "", out.target_id, out.key),), complete=False
        )

    async def exists(self, account: AccountRef, external_id: str) -> bool:
        """True while the mailbox answers: what was sent stays sent. What came back is told by notices."""
        await asyncio.to_thread(reading.look, account, self._reach)
        return True

    async def delete(self, account: AccountRef, external_id: str) -> None:
        """Refused: mail cannot be taken back."""
        raise ConnectorError(ErrorKind.permission, "邮件发出后不能收回", code="delete")

    def validate(self, account: AccountRef, out: Outgoing) -> list[Problem]:
        """Empty, endless, with pictures, or to nobody."""
        problems = against_answer(out, LONGEST, no_post=NO_POST, no_pictures="邮件答复暂不支持附件，请去掉后再提交")
        if out.target_kind is not None and not (out.target_id and sending.is_address(out.target_author_id)):
            problems.append(Problem("target", "来信没有可以回复的邮箱地址"))
        return problems
