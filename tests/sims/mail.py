"""A real IMAP server (pymap) and a real SMTP server (aiosmtpd) on this machine, for one test each."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from imapclient import IMAPClient

USER, PASSWORD = "letters@example.gov.cn", "a-mail-password"


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Imap:
    """The mailbox of one user: deliver into it, look into it, number it anew."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.base_url = f"imap://127.0.0.1:{port}"

    @contextlib.contextmanager
    def session(self, folder: str = "INBOX") -> Iterator[IMAPClient]:
        client = IMAPClient("127.0.0.1", self.port, ssl=False, timeout=10)
        client.login(USER, PASSWORD)
        client.select_folder(folder)
        try:
            yield client
        finally:
            client.logout()

    def deliver(self, *mails: bytes, at: datetime | None = None, folder: str = "INBOX") -> None:
        with self.session() as client:
            for mail in mails:
                client.append(folder, mail, msg_time=at)

    def renumber(self, folder: str) -> None:
        """Make ``folder`` anew under the same name with the same mails: its UIDVALIDITY changes."""
        with self.session(folder) as client:
            mails = client.fetch(client.search("ALL"), ["BODY.PEEK[]", "INTERNALDATE"])
            kept = [(one[b"BODY[]"], one[b"INTERNALDATE"]) for _, one in sorted(mails.items())]
            client.select_folder("INBOX")
            client.delete_folder(folder)
            client.create_folder(folder)
            for mail, at in kept:
                client.append(folder, mail, msg_time=at)


@contextlib.contextmanager
def imap_server() -> Iterator[Imap]:
    """pymap in a process of its own; its demo mails are removed."""
    port = free_port()
    line = [str(Path(sys.executable).with_name("pymap")), "--host", "127.0.0.1", "--port", str(port), "--no-tls"]
    more = ["dict", "--demo-data", "--demo-user", USER, "--demo-password", PASSWORD]
    process = subprocess.Popen([*line, *more], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        server = Imap(port)
        _await(port)
        with server.session() as client:
            client.delete_messages(client.search("ALL"))
            client.expunge()
        yield server
    finally:
        process.terminate()
        process.wait(10)


def _await(port: int, seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise TimeoutError(f"nobody listens on {port}")


class Smtp:
    """What arrived, and what the server shall answer: ``says`` maps "MAIL", "RCPT", "DATA" to an answer line.

    ``drops``: after the text of a mail was taken the connection is cut without an answer.
    """

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], bytes]] = []
        self.says: dict[str, str] = {}
        self.drops = False
        self.address = ""

    async def handle_MAIL(self, server: Any, session: Any, envelope: Envelope, address: str, options: Any) -> str:
        if not session.authenticated:
            return "530 sign in first"
        if "MAIL" in self.says:
            return self.says["MAIL"]
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: Any) -> str:
        if "RCPT" in self.says:
            return self.says["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if "DATA" in self.says:
            return self.says["DATA"]
        self.mails.append((list(envelope.rcpt_tos), bytes(envelope.content or b"")))
        if self.drops:
            assert server.transport is not None
            server.transport.abort()
            await asyncio.sleep(0)
        return "250 OK"


def _authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=data.login == USER.encode() and data.password == PASSWORD.encode())


@contextlib.contextmanager
def smtp_server() -> Iterator[Smtp]:
    """aiosmtpd in a thread; signing in is asked for."""
    handler = Smtp()
    controller = Controller(
        handler, hostname="127.0.0.1", port=free_port(), authenticator=_authenticate, auth_require_tls=False,
    )  # fmt: skip
    controller.start()
    handler.address = f"smtp://127.0.0.1:{controller.port}"
    try:
        yield handler
    finally:
        controller.stop()
