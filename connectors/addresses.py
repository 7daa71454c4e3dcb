"""Where a connection may go: public addresses in live mode, loopback alone otherwise.

The name is resolved once, every address it has is judged, and the connection goes to a judged address, so that a
name which changes its answer between check and use (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import httpcore

from connectors.base import ConnectorError, ErrorKind

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
REHEARSAL = "演练模式不会连接真实平台"
# Where the open internet of IPv6 lies: outside of it are inner networks and IPv4 in other clothes (compatible, SIIT,
# NAT64), behind which anything may be.
_UNICAST = ipaddress.ip_network("2000::/3")
# Not for everybody all the same: Teredo and 6to4 wrap IPv4; documentation; special uses that Python counts as global.
_SPECIAL = tuple(
    ipaddress.ip_network(text) for text in ("2001::/32", "2002::/16", "3fff::/20", "192.0.0.0/24", "192.88.99.0/24")
)


def is_public(text: str) -> bool:
    """Whether ``text`` is an address on the open internet (no private, local, shared, translated or multicast one)."""
    address = _plain(text)
    if address.version == 6 and address not in _UNICAST:
        return False
    return address.is_global and not address.is_multicast and not any(address in net for net in _SPECIAL)


def is_loopback(text: str) -> bool:
    """Whether ``text`` is an address of this machine itself."""
    return _plain(text).is_loopback


def _plain(text: str) -> Address:
    address = ipaddress.ip_address(text.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def is_address(host: str) -> bool:
    """Whether ``host`` is an address, not a name."""
    try:
        _plain(host)
    except ValueError:
        return False
    return True


def is_own_name(host: str) -> bool:
    """Whether ``host`` needs no look-up: an address, or this machine's own name."""
    return is_address(host) or host.lower() == "localhost"


def reasons_against(addresses: Iterable[str], live: bool) -> str:
    """Why these addresses may not be connected to (Chinese), or "" when they may."""
    if live and not all(is_public(a) for a in addresses):
        return "平台地址指向内部网络，为安全起见已拒绝连接，请管理员检查账号的平台地址"
    if not live and not all(is_loopback(a) for a in addresses):
        return REHEARSAL
    return ""


def reasons_outside(inner: Sequence[Network], addresses: Iterable[str], live: bool) -> str:
    """The same, where live mode may also reach the office's own networks ``inner``; rehearsal may not."""
    return reasons_against([a for a in addresses if not (live and within(a, inner))], live)


def within(address: str, networks: Sequence[Network]) -> bool:
    """Whether ``address`` (as text) lies in one of ``networks``."""
    found = ipaddress.ip_address(address.partition("%")[0])
    return any(found in network for network in networks)


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Resolves, judges every address, then connects to a judged one. Refuses unix sockets.

    ``judge``: why addresses may not be connected to, or ""; without it the rule for platforms."""

    def __init__(self, live: bool, judge: Callable[[Iterable[str]], str] | None = None) -> None:
        self._live = live
        self._judge = judge or (lambda addresses: reasons_against(addresses, live))
        self._real = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to ``host``; :class:`ConnectorError` (permission) when the guard refuses."""
        if not 0 < port < 65536:
            raise ConnectorError(ErrorKind.bug, "平台地址里的端口不对，请管理员检查账号设置", code="address")
        # In rehearsal not even the name of a real platform is looked up.
        if not self._live and not is_own_name(host):
            raise ConnectorError(ErrorKind.permission, REHEARSAL, code="address")
        addresses = [host] if is_address(host) else await self._resolve(host, port, timeout)
        if reason := self._judge(addresses):
            raise ConnectorError(ErrorKind.permission, reason, code="address")
        failure: Exception = httpcore.ConnectError("no address")
        for address in addresses:
            try:
                return await self._real.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def _resolve(self, host: str, port: int, seconds: float | None) -> list[str]:
        try:
            async with asyncio.timeout(seconds):
                found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise httpcore.ConnectError("name not resolved") from None
        except TimeoutError:
            raise httpcore.ConnectTimeout("name not resolved in time") from None
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Refused: no platform lives on a unix socket."""
        raise ConnectorError(ErrorKind.permission, "不支持的平台地址", code="address")

    async def sleep(self, seconds: float) -> None:
        """Wait between connection attempts."""
        await asyncio.sleep(seconds)
