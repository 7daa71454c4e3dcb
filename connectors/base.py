"""What a platform is to the hub: plain frozen data in and out, one protocol, one error tree.

Nothing here stores anything, and nothing outside ``connectors`` knows a platform by name.

Errors::

    ConnectorError
        .kind      ErrorKind: what went wrong, the same words for every platform
        .outcome   Outcome of the call for the *platform*: not_done | done | unknown
        .retry_at  when to try again, where the platform said so
        .human     one sentence for the person who must act, in simplified Chinese
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable


class Capability(StrEnum):
    """Something an account may be able to do on its platform."""

    pull_mentions = "pull_mentions"
    pull_comments = "pull_comments"
    pull_messages = "pull_messages"
    receive_push = "receive_push"
    reply_public = "reply_public"
    reply_private = "reply_private"
    publish = "publish"
    delete = "delete"
    find_own = "find_own"
    metrics = "metrics"


class Granted(StrEnum):
    """yes: works now; no: the platform does not offer it; needs: somebody must grant it."""

    yes = "yes"
    no = "no"
    needs = "needs"


@dataclass(frozen=True, slots=True)
class Grant:
    """Whether a capability is there; ``reason`` says why not, or what is needed from whom (Chinese)."""

    granted: Granted
    reason: str = ""


class Kind(StrEnum):
    """What a citizen's item is."""

    mention = "mention"
    comment = "comment"
    private = "private"
    letter = "letter"


@dataclass(frozen=True, slots=True)
class AccountRef:
    """One official account as a connector sees it. ``secrets`` never reach a log or a repr."""

    id: int
    platform: str
    name: str
    external_id: str
    base_url: str
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RawItem:
    """One item as it came, not yet understood; stored before anything else happens to it.

    ``external_id`` is the platform's id as text; where none can be read it is ``sha256:<hex of payload>``.
    ``payload`` is the item alone as JSON text (for what is no JSON: a JSON string of the text).
    """

    kind: Kind
    external_id: str
    payload: str


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote an item, as the platform names them."""

    id: str
    name: str
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Media:
    """A picture, video or file that came with an item; ``url`` is hostile until fetched through the guard."""

    kind: str
    url: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Inbound:
    """One understood item. All ids are text; ``created_at`` is aware; ``text`` is plain text, hostile as ever."""

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
    reply_until: datetime | None = None
    answer: str = ""
    answered_at: datetime | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """One step of a pull. ``cursor`` is stored in the same transaction as ``items``; ``more``: call again at once."""

    items: tuple[RawItem, ...]
    cursor: Mapping[str, Any]
    more: bool = False


@dataclass(frozen=True, slots=True)
class Accept:
    """A genuine push: store ``items``, then answer ``body`` with status 200."""

    items: tuple[RawItem, ...]
    body: str = ""


@dataclass(frozen=True, slots=True)
class Challenge:
    """The platform checks our address: answer ``body`` verbatim."""

    body: str


@dataclass(frozen=True, slots=True)
class Reject:
    """Not genuine or not readable: answer ``status`` and keep nothing but a counted reason."""

    status: int
    reason: str


PushAnswer = Accept | Challenge | Reject


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is to leave the house. ``key`` is the attempt's identity, passed on wherever a platform takes one.

    ``target_id`` and ``target_kind`` are set for replies: the item that is answered; ``thread_id`` its root post.
    """

    text: str
    key: str
    target_id: str = ""
    target_kind: Kind | None = None
    thread_id: str = ""
    target_author_id: str = ""
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """The platform has it."""

    external_id: str
    url: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """The platform works on it; ask ``poll_job(job)`` again after ``poll_after``."""

    job: str
    poll_after: datetime


Outcome = Done | Pending


@dataclass(frozen=True, slots=True)
class OwnItem:
    """One of the account's own recent items, for reading back what became of an attempt."""

    external_id: str
    text: str
    created_at: datetime
    url: str = ""
    parent_id: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class OwnItems:
    """The own items since a moment. ``complete`` is False when the platform may be hiding some (lag, short list)."""

    items: tuple[OwnItem, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a text cannot go out on this platform as it stands (Chinese)."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Health:
    """Answer of a cheap call: who we are there and what is left.

    ``learned``: what the platform said about itself; keep it among the account's options (``limits`` reads it there).
    """

    ok: bool
    account_id: str = ""
    account_name: str = ""
    note: str = ""
    token_expires_at: datetime | None = None
    learned: Mapping[str, Any] = field(default_factory=dict)


class ErrorKind(StrEnum):
    """The fourteen ways a platform call goes wrong."""

    transient = "transient"
    rate_limited = "rate_limited"
    quota_day = "quota_day"
    auth_expired = "auth_expired"
    auth_human = "auth_human"
    permission = "permission"
    content_rejected = "content_rejected"
    duplicate = "duplicate"
    not_found = "not_found"
    window_closed = "window_closed"
    target_refuses = "target_refuses"
    account_risk = "account_risk"
    protocol = "protocol"
    bug = "bug"


class Effect(StrEnum):
    """What a failed write did on the platform, as far as we can know."""

    not_done = "not_done"
    done = "done"
    unknown = "unknown"


class ConnectorError(Exception):
    """A platform call went wrong; carries everything the engine needs to decide, and a sentence for people."""

    def __init__(
        self,
        kind: ErrorKind,
        human: str,
        *,
        code: str = "",
        effect: Effect = Effect.not_done,
        retry_at: datetime | None = None,
    ) -> None:
        super().__init__(f"{kind.value} {code}: {human}")
        self.kind = kind
        self.human = human
        self.code = code
        self.effect = effect
        self.retry_at = retry_at


class Unparsable(Exception):
    """``parse`` cannot understand a stored item; the text says why (Chinese). The item goes to quarantine."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the engine and the composer must know about a platform. Lengths are in the platform's own units.

    ``find_own_lag``: seconds after which an accepted item is surely listed; ``honours_key``: the platform
    returns the first item for a repeated key; ``private_length``: of an answer in private, 0: as a public one.
    """

    post_length: int
    reply_length: int
    find_own_lag: float = 5.0
    honours_key: bool = False
    pull_every: float = 60.0
    private_length: int = 0


@runtime_checkable
class Connector(Protocol):
    """One platform. Stateless: everything it needs comes with the call. No method stores anything."""

    platform: str
    label: str
    streams: Sequence[str]

    def limits(self, account: AccountRef) -> Limits:
        """Lengths, lags and intervals of this account's platform."""

    def measure(self, text: str) -> int:
        """Length of ``text`` in units as the platform counts (Weibo: Chinese 1, two ASCII 1, rounded up)."""

    def capabilities(self, account: AccountRef) -> Mapping[Capability, Grant]:
        """Every capability with its grant."""

    async def check(self, account: AccountRef) -> Health:
        """A cheap call: who am I, is the token alive."""

    async def pull(self, account: AccountRef, stream: str, cursor: Mapping[str, Any]) -> Page:
        """The next step of ``stream`` after ``cursor`` (``{}`` at first: bounded look-back). Reads only."""

    async def receive(
        self, account: AccountRef, method: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> PushAnswer:
        """Verify a push on its raw bytes and split it into items."""

    def parse(self, account: AccountRef, item: RawItem) -> Inbound:
        """Understand a stored item. Pure; raises :class:`Unparsable`."""

    async def reply(self, account: AccountRef, out: Outgoing) -> Outcome:
        """Answer an item in public or in private, by ``out.target_kind``."""

    async def publish(self, account: AccountRef, out: Outgoing) -> Outcome:
        """Publish a post."""

    async def poll_job(self, account: AccountRef, job: str) -> Outcome:
        """How a pending write ended, or still Pending."""

    async def find_own(self, account: AccountRef, since: datetime, out: Outgoing) -> OwnItems:
        """The account's own posts (or, for a reply, own answers under the target) since ``since``, newest first."""

    async def exists(self, account: AccountRef, external_id: str) -> bool:
        """Whether one of our own items is still there (take-down watch)."""

    async def delete(self, account: AccountRef, external_id: str) -> None:
        """Remove one of our own items; already gone is fine."""

    def validate(self, account: AccountRef, out: Outgoing) -> list[Problem]:
        """Length, link and picture rules, before review and again before sending."""
