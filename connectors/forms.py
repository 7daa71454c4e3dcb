"""What an administrator fills in to connect an account, as data: the page and the command line build forms of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

WEB = ("https", "http")
_SITE = re.compile(r"https?://(?:\*\.)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*(?::\d{1,5})?")


class Place(StrEnum):
    """Where a value goes in :class:`connectors.base.AccountRef`."""

    base_url = "base_url"
    external_id = "external_id"
    secret = "secret"  # noqa: S105
    option = "option"


@dataclass(frozen=True, slots=True)
class Table:
    """What stands on either side of the pairs of a table; empty: anything. ``example``: one pair as it is typed."""

    example: str
    left: tuple[str, ...] = ()
    right: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One field. ``name`` is the key among the secrets or options; ``secret`` values are never shown again.

    ``choices``: the only values it takes, each with its word; empty: it is typed.
    ``whole``: the least and the greatest whole number it takes; None: it is no number.
    ``schemes``: how the address it takes may begin, the usual one first; empty: it is no address.
    ``sites``: it takes origins of web sites, see :func:`is_site`, with spaces between them.
    ``named``: it takes web addresses by these names (``rm=https://…``), see :func:`odd_named`.
    ``several``: it takes any of these words with commas between, see :func:`odd_word`.
    ``table``: it takes pairs (``a=b``) with commas between, see :func:`odd_pair`.
    ``person``: it takes the sign-in name of somebody of the office.
    ``by_page``: authorising by page brings the value; it is typed only by those who do not go that way.
    """

    name: str
    label: str
    place: Place
    hint: str = ""
    required: bool = True
    by_page: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    whole: tuple[int, int] | None = None
    schemes: tuple[str, ...] = ()
    sites: bool = False
    named: tuple[str, ...] = ()
    several: tuple[str, ...] = ()
    table: Table | None = None
    person: bool = False

    @property
    def secret(self) -> bool:
        """Whether the value is kept encrypted and never shown again."""
        return self.place is Place.secret


@dataclass(frozen=True, slots=True)
class AccountForm:
    """The form of one platform; ``note`` says in one sentence what connecting means.

    ``authorised_by_page``: a person may go to the platform's page (:meth:`connectors.base.Connector.authorise_url`) and
    come back with the secrets; every required field that is not ``by_page`` is filled in before going.
    ``registers``: where no key of an app is typed, the hub gets one (:meth:`connectors.base.Connector.register`).
    """

    platform: str
    label: str
    note: str
    fields: tuple[Field, ...]
    authorised_by_page: bool = False
    registers: bool = False


def is_address(text: str, schemes: Sequence[str]) -> bool:
    """Whether it is a whole address of one of these schemes: nothing is looked up."""
    try:
        parts = urlsplit(text)
        _port = parts.port
    except ValueError:
        return False
    is_one_word = not any(letter.isspace() or not letter.isprintable() for letter in text)
    return parts.scheme in schemes and bool(parts.hostname) and is_one_word


def is_site(text: str) -> bool:
    """Whether it is a scheme and a host (all below it with ``*.``) and nothing that could say more in a header."""
    return _SITE.fullmatch(text) is not None


def named_addresses(text: str) -> list[tuple[str, str]]:
    """``rm=https://… m=https://…`` as pairs, as typed: with blanks, commas or line ends between them."""
    parts = re.split(r"[\s,，;；]+", re.sub(r"\s*[=＝]\s*", "=", text.strip()))
    return [(name, address) for part in parts if part for name, _is, address in [part.partition("=")]]


def odd_named(text: str, names: Sequence[str]) -> str:
    """The first part that is no address under one of these names; empty: there is none."""
    odd = (pair for pair in named_addresses(text) if pair[0] not in names or not is_address(pair[1], WEB))
    return "=".join(next(odd, ())).rstrip("=")


def listed_in(text: str) -> list[str]:
    """``受理，办结`` as words, as typed: with any commas, blanks or line ends between them."""
    return [word for word in re.split(r"[\s,，;；、]+", text) if word]


def odd_word(text: str, words: Sequence[str]) -> str:
    """The first that is none of these words; empty: there is none."""
    return next((word for word in listed_in(text) if word not in words), "")


def pairs_in(text: str) -> list[tuple[str, str]]:
    """``a=b,c=d`` as pairs, as typed: with any commas or line ends between them; "" for a side that is missing."""
    parts = (part.replace("＝", "=").partition("=") for part in re.split(r"[\r\n,，;；]+", text) if part.strip())
    return [(left.strip(), right.strip()) for left, _is, right in parts]


def odd_pair(text: str, table: Table) -> str:
    """The first pair that lacks a side, names what is not in the table, or a left side again; empty: there is none."""
    seen: set[str] = set()
    for left, right in pairs_in(text):
        known = (not table.left or left in table.left) and (not table.right or right in table.right)
        if not left or not right or not known or left in seen:
            return f"{left}={right}" if right else left
        seen.add(left)
    return ""
