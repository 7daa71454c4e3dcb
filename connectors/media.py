"""Pictures that messages point to, fetched from wherever they are: the address is as hostile as the message."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import urljoin, urlsplit

from connectors.addresses import REHEARSAL
from connectors.base import ConnectorError, ErrorKind
from connectors.http import TOO_LARGE, Answer, Clock, Http, kind_of_status, retry_at, utc_now

MOST_REDIRECTS = 3
# For everything together, redirects included: a server that gives a byte now and then holds nobody up.
SECONDS = 30.0
# Kinds that are kept; some servers choose by it.
HEADERS = {"Accept": "image/jpeg, image/png, image/gif, image/webp, image/*;q=0.1"}
BAD_ADDRESS = "图片的地址写法不对"
INNER = "图片的地址指向内部网络，为安全起见没有取回"
TOO_SLOW = "存放图片的网站没有在限定时间内给出图片"
AWAY = "连不上存放图片的网站，或者连接中断"
TOO_MANY = "存放图片的网站转来转去，没有给出图片"
NOT_READ = "存放图片的网站给出的内容无法读取"


async def fetch(
    url: str, *, live: bool, most: int, query: Mapping[str, str] | None = None, clock: Clock = utc_now
) -> bytes:
    """What lies at ``url``, at most ``most`` bytes, whatever it may be. :class:`ConnectorError` in words for people.

    ``query`` goes along to ``url`` itself and never on to where a redirect leads; so do no cookies and no referrer.
    Each address, redirects included, passes the guard of the mode.
    """
    http = Http(live, clock, total=SECONDS, body_bytes=most)
    try:
        async with asyncio.timeout(SECONDS):
            answer = await _answer(http, url, query)
    except TimeoutError:
        raise ConnectorError(ErrorKind.transient, TOO_SLOW, code="timeout") from None
    except ConnectorError as error:
        raise ConnectorError(error.kind, _words(error, live, most), code=error.code, retry_at=error.retry_at) from None
    return answer.body


async def _answer(http: Http, url: str, query: Mapping[str, str] | None) -> Answer:
    for _ in range(MOST_REDIRECTS + 1):
        answer = await http.call("GET", _checked(url), params=query, headers=HEADERS)
        if answer.status not in (301, 302, 303, 307, 308):
            break
        url, query = urljoin(_checked(url), answer.headers.get("location", "")), None
    else:
        raise ConnectorError(ErrorKind.protocol, TOO_MANY, code="redirects")
    if answer.ok:
        return answer
    human = f"存放图片的网站没有给出图片（HTTP {answer.status}）"
    at = retry_at(answer.headers, http.clock())
    raise ConnectorError(kind_of_status(answer.status), human, code=f"http {answer.status}", retry_at=at)


def _checked(url: str) -> str:
    """The address, if it is one of the web without a name and a password in it."""
    try:
        parts = urlsplit(url)
        is_fine = parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        is_fine = False
    if not is_fine:
        raise ConnectorError(ErrorKind.bug, BAD_ADDRESS, code="address")
    return url


def _words(error: ConnectorError, live: bool, most: int) -> str:
    """What the door to the network says is meant for those who keep the accounts; this is for those who answer."""
    if error.code.startswith("http ") or error.human in (TOO_MANY, REHEARSAL):
        return error.human
    if error.human == TOO_LARGE:
        return f"图片超过 {most // 1024**2} MB，没有保存"
    if error.kind is ErrorKind.permission:
        return INNER if live else REHEARSAL
    if error.kind is ErrorKind.transient:
        return TOO_SLOW if "Timeout" in error.code else AWAY
    return BAD_ADDRESS if error.kind is ErrorKind.bug else NOT_READ
