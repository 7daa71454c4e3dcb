"""The two servers of a mailbox: where they are, and sessions with them under the guard of addresses.

IMAP is spoken by IMAPClient, which blocks: every session lives in one thread and ends there.
"""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from imapclient import IMAPClient, exceptions

from connectors.addresses import Network, within
from connectors.base import AccountRef, ConnectorError, ErrorKind
from connectors.http import scrub
from connectors.options import text
from connectors.sockets import away, connect
from connectors.text import one_line

SECONDS = 20.0
_PORTS = {"imaps": 993, "imap": 143, "smtps": 465, "smtp": 587}
BAD_ADDRESS = "服务器地址的写法不对，应像 {example}，请管理员检查账号设置"
REFUSED = "邮箱服务器不接受登录名或密码（授权码），请管理员检查账号设置"
NO_TLS = "邮箱服务器不支持加密连接，为免密码泄露没有登录；请改用 imaps:// 或 smtps:// 地址"
STRANGE = "邮箱服务器拒绝了操作，或回应无法识别，请管理员检查收信服务器地址和信箱的 IMAP 设置"


@dataclass(frozen=True, slots=True)
class Server:
    """Where one server is; ``tls``: encrypted from the first byte."""

    host: str
    port: int
    tls: bool


def server_of(address: str, *, example: str) -> Server:
    """Read an address like ``imaps://host:993``; :class:`ConnectorError` (bug) when it is none."""
    wanted = example.partition("://")[0].rstrip("s")
    try:
        parts = urlsplit(address.strip())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if not parts.hostname or parts.scheme.rstrip("s") != wanted:
        raise ConnectorError(ErrorKind.bug, BAD_ADDRESS.format(example=example), code="address")
    return Server(parts.hostname, port or _PORTS[parts.scheme], parts.scheme.endswith("s"))


@dataclass(frozen=True, slots=True)
class Reach:
    """How far connections may go: see :func:`connectors.sockets.connect`."""

    live: bool
    inner: Sequence[Network] = ()

    def may_be_plain(self, peer: str) -> bool:
        """Whether a password may travel to ``peer`` (an address) without encryption: on this machine, in own nets."""
        return not self.live or within(peer, self.inner)


class _Imap(IMAPClient):  # type: ignore[misc]
    """IMAPClient over a socket that our guard has connected."""

    def __init__(self, server: Server, reach: Reach) -> None:
        self._server = server
        self._reach = reach
        super().__init__(server.host, server.port, ssl=server.tls, timeout=SECONDS)

    def _create_IMAP4(self) -> imaplib.IMAP4:  # noqa: N802 -- the name of what it overrides
        return _Wire(self._server, self._reach)


class _Wire(imaplib.IMAP4):
    def __init__(self, server: Server, reach: Reach) -> None:
        self._server = server
        self._reach = reach
        super().__init__(server.host, server.port)

    def _create_socket(self, timeout: float | None) -> Any:
        plain = connect(self._server.host, self._server.port, SECONDS, live=self._reach.live, inner=self._reach.inner)
        self.peer = str(plain.getpeername()[0])
        if not self._server.tls:
            return plain
        try:
            return ssl.create_default_context().wrap_socket(plain, server_hostname=self._server.host)
        except OSError:
            plain.close()
            raise


@contextmanager
def imap(account: AccountRef, reach: Reach) -> Iterator[IMAPClient]:
    """A session that has signed in; every failure is a :class:`ConnectorError`. Blocks: for a thread of its own."""
    server = server_of(account.base_url, example="imaps://imap.example.gov.cn")
    client: _Imap | None = None
    try:
        client = _Imap(server, reach)
        _encrypt(client, server, reach)
        _sign_in(client, account)
        yield client
    except ConnectorError:
        raise
    except (exceptions.IMAPClientAbortError, OSError, EOFError) as error:
        raise away(error if isinstance(error, Exception) else OSError()) from None
    except exceptions.IMAPClientError as error:
        said = f"{type(error).__name__} {one_line(str(error))[:160]}"
        raise ConnectorError(ErrorKind.protocol, STRANGE, code=scrub(said, account.secrets.values())) from None
    except (ValueError, LookupError) as error:
        raise ConnectorError(ErrorKind.protocol, STRANGE, code=type(error).__name__) from None
    finally:
        if client is not None:
            _leave(client)


def _encrypt(client: _Imap, server: Server, reach: Reach) -> None:
    if server.tls:
        return
    if client.has_capability("STARTTLS"):
        client.starttls(ssl.create_default_context())
    elif not reach.may_be_plain(client._imap.peer):
        raise ConnectorError(ErrorKind.permission, NO_TLS, code="tls")


def _sign_in(client: _Imap, account: AccountRef) -> None:
    try:
        client.login(text(account, "user") or account.external_id, account.secrets.get("password", ""))
    except exceptions.LoginError:
        raise ConnectorError(ErrorKind.auth_human, REFUSED, code="login") from None
    # Servers of NetEase (163, 126 and what offices rent there) open no folder to a client that has not named itself.
    if client.has_capability("ID"):
        client.id_({"name": "zhengsheng", "version": "0.1", "vendor": "zhengsheng"})


def _leave(client: _Imap) -> None:
    try:
        client.logout()
    except (exceptions.IMAPClientError, OSError, EOFError):
        client.shutdown()
