"""Connections that are not HTTP, under the same guard: resolve once, judge every address, connect to a judged one."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from connectors.addresses import REHEARSAL, Network, is_address, is_own_name, reasons_outside
from connectors.base import ConnectorError, ErrorKind


def connect(host: str, port: int, seconds: float, *, live: bool, inner: Sequence[Network] = ()) -> socket.socket:
    """A connected TCP socket; blocks up to ``seconds`` per address, so call it in a thread.

    ``inner``: networks of the office's own that may be reached in live mode too. Raises :class:`ConnectorError`
    (``permission`` when the guard refuses, ``transient`` when nobody answers); nothing was sent then.
    """
    if not live and not is_own_name(host):
        raise ConnectorError(ErrorKind.permission, REHEARSAL, code="address")
    addresses = _resolve(host, port)
    if reason := reasons_outside(inner, addresses, live):
        raise ConnectorError(ErrorKind.permission, reason, code="address")
    failure: OSError = OSError("no address")
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout=seconds)
        except OSError as error:
            failure = error
    raise away(failure)


def away(error: Exception) -> ConnectorError:
    """Nobody answers there, or the connection broke before anything was asked for."""
    name = "TimeoutError" if isinstance(error, TimeoutError) else "ConnectError"
    return ConnectorError(ErrorKind.transient, "连接服务器失败或中断，系统会稍后再试", code=name)


def _resolve(host: str, port: int) -> list[str]:
    if is_address(host):
        return [host]
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise away(error) from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
