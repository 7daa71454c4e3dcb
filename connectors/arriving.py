"""What comes from platforms, as plain frozen data: items raw and understood, pages of a pull, pushes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a citizen's item is."""

    mention = "mention"
    comment = "comment"
    private = "private"
    letter = "letter"


@dataclass(frozen=True, slots=True)
class RawItem:
    """One item as it came, not yet understood; stored before anything else happens to it.

    ``external_id`` is the platform's id as text; where none can be read it is ``sha256:<hex of payload>``.
    ``payload`` is the item alone as JSON text (for what is no JSON: a JSON string of the text). ``files`` came with it
    and are stored beside it; :func:`attached` names them in what is understood of it.
    """

    kind: Kind
    external_id: str
    payload: str
    files: tuple[Attached, ...] = ()


@dataclass(frozen=True, slots=True)
class Attached:
    """A file as it came: the name somebody gave it, and its bytes, hostile both."""

    name: str
    data: bytes


ATTACHED = "attached:"


def attached(number: int) -> str:
    """What :attr:`Media.url` says of a file of the item itself (``files[number]``)."""
    return f"{ATTACHED}{number}"


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote an item, as the platform names them."""

    id: str
    name: str
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Media:
    """A picture, video or file that came with an item; ``url`` is hostile until fetched through the guard, or names
    a file of the item (:func:`attached`), or is empty where nothing can be shown."""

    kind: str
    url: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Inbound:
    """One understood item. All ids are text; ``created_at`` is aware; ``text`` is plain text, hostile as ever.

    ``needs_answer`` False: it is watched only, and opens no case. ``reply_until``, ``reply_left``: until when and
    how often the platform lets us answer its author; None: no limit. ``due_at``: until when its source wants it
    settled.
    """

    kind: Kind
    external_id: str
    text: str
    author: Author
    created_at: datetime
    title: str = ""
    thread_id: str = ""
    parent_id: str = ""
    url: str = ""
    media: tuple[Media, ...] = ()
    likes: int = 0
    is_own: bool = False
    needs_answer: bool = True
    reply_until: datetime | None = None
    reply_left: int | None = None
    answer: str = ""
    answered_at: datetime | None = None
    due_at: datetime | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


class NoticeKind(StrEnum):
    """What a platform tells about our own affairs.

    A job has ended; an own item is gone; an own item did not reach whom it was for; our access was withdrawn; a
    citizen has left and can no longer be answered in private.
    """

    job_ended = "job_ended"
    removed = "removed"
    bounced = "bounced"
    revoked = "revoked"
    left = "left"


@dataclass(frozen=True, slots=True)
class Notice:
    """Not an item but a reason to look now. ``about``: the job, the own item's id, the thread of the one who left;
    empty for the whole account.

    ``words``: why, as the platform says it (hostile text, shown as it is); empty where it gives no reason.
    """

    kind: NoticeKind
    about: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One step of a pull. ``cursor`` is stored in the same transaction as ``items``; ``more``: call again at once."""

    items: tuple[RawItem, ...]
    cursor: Mapping[str, Any]
    more: bool = False
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class Accept:
    """A genuine push: store ``items``, act on ``notices``, then answer ``body`` with status 200.

    ``passed_over``: how many parts of it carry no item: events, types nobody knows. ``proof``: what its signature was
    made of, where that is not the content: whoever has seen it could send anything, so it is good for one content only.
    """

    items: tuple[RawItem, ...]
    body: str = ""
    content_type: str = "text/plain"
    notices: tuple[Notice, ...] = ()
    passed_over: int = 0
    proof: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Challenge:
    """The platform checks our address: answer ``body`` verbatim. ``proof`` as in :class:`Accept`."""

    body: str
    content_type: str = "text/plain"
    proof: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Reject:
    """Not genuine or not readable: answer ``status`` and keep nothing but a counted reason."""

    status: int
    reason: str


PushAnswer = Accept | Challenge | Reject
