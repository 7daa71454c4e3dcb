"""An answer as a mail, and the mail through SMTP, with what each way of failing means."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import NoReturn

import aiosmtplib

from connectors.base import AccountRef, ConnectorError, Effect, ErrorKind, Outgoing
from connectors.mailbox.letters import message_id_of
from connectors.mailbox.servers import NO_TLS, REFUSED, SECONDS, Reach, Server, server_of
from connectors.options import text
from connectors.sockets import away, connect
from connectors.text import one_line

K = ErrorKind
MAYBE = "邮件服务器没有回应，不能确定是否已经发出，系统会核实"
# RFC 5321 and 3463: what the codes of a refusal say.
_KINDS: dict[int, tuple[ErrorKind, str]] = {
    421: (K.transient, "邮件服务器暂停服务，系统会稍后再试"),
    450: (K.transient, "对方信箱暂时不可用，系统会稍后再试"),
    451: (K.transient, "邮件服务器内部出错，系统会稍后再试"),
    452: (K.transient, "邮件服务器空间不足或收发过于频繁，系统会稍后再试"),
    454: (K.transient, "邮件服务器暂时不能登录，系统会稍后再试"),
    530: (K.auth_human, REFUSED),
    534: (K.auth_human, REFUSED),
    535: (K.auth_human, REFUSED),
    550: (K.target_refuses, "对方信箱不存在或拒收，请核对地址或改用其他联系方式"),
    551: (K.target_refuses, "对方信箱不在这个服务器上，请改用其他联系方式"),
    552: (K.content_rejected, "邮件太大或对方信箱已满"),
    553: (K.target_refuses, "对方的邮箱地址不被接受，请核对地址或改用其他联系方式"),
    554: (K.content_rejected, "邮件服务器拒收这封邮件（可能被判为垃圾邮件），请修改内容或联系邮箱管理员"),
}


def own_id(account: AccountRef, key: str) -> str:
    """The Message-ID (without angle brackets) of every try of one answer: the same, so that a second is recognised."""
    return f"{key}@{own_domain(account)}"


def own_domain(account: AccountRef) -> str:
    """What stands behind the @ of our ids."""
    domain = account.external_id.rpartition("@")[2]
    return domain if domain.isascii() and domain else "localhost"


def mail_of(account: AccountRef, out: Outgoing, subject: str, references: Sequence[str], now: datetime) -> EmailMessage:
    """The answer as a mail in the thread of the letter."""
    mail = EmailMessage()
    named = one_line(text(account, "sender_name") or account.name)
    mail["From"] = Address(named, addr_spec=account.external_id)
    mail["To"] = Address(addr_spec=out.target_author_id)
    mail["Subject"] = subject if subject.lower().startswith(("re:", "回复")) else f"回复：{subject}"
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{own_id(account, out.key)}>"
    if parent := message_id_of(out.target_id):
        mail["In-Reply-To"] = f"<{parent}>"
        mail["References"] = " ".join(f"<{one}>" for one in dict.fromkeys([*references[-20:], parent]))
    mail.set_content(out.text, charset="utf-8")
    return mail


async def sign_in(account: AccountRef, reach: Reach) -> None:
    """Whether the server takes our name and password; sends nothing."""
    try:
        async with _session(account, reach):
            pass
    except aiosmtplib.SMTPResponseException as error:
        _refuse(error)
    except (aiosmtplib.SMTPException, OSError) as error:
        raise away(error) from None


async def send(account: AccountRef, reach: Reach, mail: EmailMessage) -> None:
    """Hand the mail to the server; :class:`ConnectorError` with the effect ``unknown`` only once its text was given."""
    given = False
    try:
        async with _session(account, reach) as client:
            await client.mail(account.external_id)
            await client.rcpt(mail["To"].addresses[0].addr_spec)
            given = True
            await client.data(mail.as_bytes())
    except aiosmtplib.SMTPResponseException as error:
        _refuse(error)
    except (aiosmtplib.SMTPException, OSError) as error:
        if given:
            raise ConnectorError(K.transient, MAYBE, code=type(error).__name__, effect=Effect.unknown) from None
        raise away(error) from None


@asynccontextmanager
async def _session(account: AccountRef, reach: Reach) -> AsyncIterator[aiosmtplib.SMTP]:
    """A session that has signed in, over a socket that our guard has connected."""
    server = server_of(text(account, "smtp"), example="smtps://smtp.example.gov.cn")
    plain = await asyncio.to_thread(connect, server.host, server.port, SECONDS, live=reach.live, inner=reach.inner)
    peer = str(plain.getpeername()[0])
    client = aiosmtplib.SMTP(
        hostname=server.host, sock=plain, use_tls=server.tls, start_tls=False, timeout=SECONDS,
        tls_context=ssl.create_default_context(), local_hostname="localhost",
    )  # fmt: skip
    try:
        await client.connect()
        await _secure(client, server, peer, reach)
        if password := account.secrets.get("password"):
            await client.login(text(account, "user") or account.external_id, password)
        yield client
    finally:
        client.close()


def is_address(typed: str) -> bool:
    """Whether mail can be addressed to ``typed``: in ASCII, for few servers take more."""
    try:
        return typed.isascii() and bool(Address(addr_spec=typed).domain)
    # The library's own reader stumbles over half of an address in many ways (a NameError is for "@[ ").
    except (MessageError, ValueError, LookupError, AttributeError, TypeError, NameError, RecursionError):
        return False


async def _secure(client: aiosmtplib.SMTP, server: Server, peer: str, reach: Reach) -> None:
    await client.ehlo()
    if server.tls:
        return
    if client.supports_extension("starttls"):
        await client.starttls(tls_context=ssl.create_default_context())
        await client.ehlo()
    elif not reach.may_be_plain(peer):
        raise ConnectorError(K.permission, NO_TLS, code="tls")


def _refuse(error: aiosmtplib.SMTPResponseException) -> NoReturn:
    """A clear answer of the server: nothing was taken."""
    general = (K.transient, "邮件服务器暂时拒收，系统会稍后再试") if error.code < 500 else (
        K.content_rejected, "邮件服务器拒收这封邮件，请管理员查看原因")  # fmt: skip
    kind, human = _KINDS.get(error.code, general)
    raise ConnectorError(kind, human, code=f"{error.code} {one_line(error.message)[:120]}") from None
