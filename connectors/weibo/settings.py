"""What an account's options say: addresses, rights that Weibo granted it, numbers that Weibo may change any day."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from connectors.base import AccountRef
from connectors.forms import WEB, is_address, named_addresses
from connectors.options import text

# Which host serves what, on the real platform.
HOSTS = {
    "api": "https://api.weibo.com",
    "rm": "https://rm.api.weibo.com",
    "m": "https://m.api.weibo.com",
    "c": "https://c.api.weibo.com",
    "upload": "https://upload.api.weibo.com",
}


@dataclass(frozen=True, slots=True)
class Hosts:
    """Base addresses without a slash at the end."""

    api: str
    rm: str
    m: str
    c: str
    upload: str


def hosts(account: AccountRef) -> Hosts:
    """The account's addresses: the platform's own; or all of them ``base_url``, where that is another server.

    The option ``hosts`` (``rm=https://… m=https://…``) sets single ones; what is no address there sets none.
    """
    base = account.base_url.rstrip("/")
    found = dict(HOSTS) if base in ("", HOSTS["api"]) else dict.fromkeys(HOSTS, base)
    given = [(name, url) for name, url in named_addresses(text(account, "hosts")) if is_address(url, WEB)]
    own = {name: url.rstrip("/") for name, url in given if name in HOSTS}
    return Hosts(**(found | own))


def number(account: AccountRef, name: str, default: int) -> int:
    """A whole number not below 0; ``default`` where there is none that can be read."""
    given = text(account, name)
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else default


def domains(account: AccountRef) -> tuple[str, ...]:
    """The app's 安全域名, lower case; typed with commas, blanks or line ends between them, maybe as addresses."""
    parts = re.split(r"[\s,，;；、]+", text(account, "domains").lower())
    return tuple(host for part in parts if (host := _host_of(part)))


def _host_of(part: str) -> str:
    try:
        return urlsplit(part if "//" in part else f"//{part}").hostname or ""
    except ValueError:
        return ""
