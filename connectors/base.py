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

from connectors.arriving import (
    ATTACHED,
    Accept,
    Attached,
    Author,
    Challenge,
    Inbound,
    Kind,
    Media,
    Notice,
    NoticeKind,
    Page,
    PushAnswer,
    RawItem,
    Reject,
    attached,
)
from connectors.budget import Purpose, Window
from connectors.failures import ConnectorError, Effect, ErrorKind, Unparsable
from connectors.posting import (
    Attachment,
    ByHand,
    Done,
    Metric,
    Outcome,
    Pending,
    PostForm,
    Published,
    Uploaded,
    Uploading,
    Video,
    VideoRules,
)
from connectors.stages import Stage
from connectors.text import LONGEST_ADDRESS, exact

__all__ = [
    "ATTACHED", "Accept", "AccountRef", "Attached", "Attachment", "Author", "ByHand", "Capability", "Challenge",
    "Connector", "ConnectorError", "Done", "Effect", "ErrorKind", "Grant", "Granted", "Health", "Inbound", "Kind",
    "Limits", "Media", "Metric", "Notice", "NoticeKind", "Outcome", "Outgoing", "OwnItem", "OwnItems", "Page",
    "Pending", "PostForm", "Problem", "Published", "Purpose", "PushAnswer", "RawItem", "Registered", "Reject",
    "Renewed", "Stage", "Unparsable", "Uploaded", "Uploading", "Video", "VideoRules", "Window", "attached",
]  # fmt: skip


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


@dataclass(frozen=True, slots=True)
class AccountRef:
    """One official account as a connector sees it. ``secrets`` never reach a log or a repr.

    ``published``: own items of the last ``Limits.follow_own`` days, newest first, for streams that are read per item;
    for :meth:`Connector.exists` the item that is asked about.
    """

    id: int
    platform: str
    name: str
    external_id: str
    base_url: str
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)
    purpose: Purpose = Purpose.people
    published: tuple[Published, ...] = ()

    @property
    def app(self) -> str:
        """Whose budget of an app it shares: the app's key, empty where the platform has none."""
        return str(self.options.get("app_key", ""))


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is to leave the house. ``key`` is the attempt's identity, passed on wherever a platform takes one.

    ``target_id`` and ``target_kind`` are set for replies: the item that is answered; ``thread_id`` its root post.
    ``form``: the name of a :class:`connectors.posting.PostForm`, empty for the platform's first. ``uploaded``: what
    :meth:`Connector.upload` ended with for ``video``. ``department`` and its code: who is in charge of the case that is
    answered; ``stage``: what :meth:`Connector.tell` is to say, ``at``: since when.
    """

    text: str
    key: str
    target_id: str = ""
    target_kind: Kind | None = None
    thread_id: str = ""
    target_author_id: str = ""
    title: str = ""
    form: str = ""
    attachments: tuple[Attachment, ...] = ()
    video: Video | None = None
    uploaded: Mapping[str, str] = field(default_factory=dict, repr=False)
    department: str = ""
    department_code: str = ""
    stage: Stage | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Renewed:
    """New secrets of an account, to replace those of the same names; ``expires_at``: until when they live.

    ``is_last``: hardly any renewal will follow, so a person must grant access again before ``expires_at``.
    """

    secrets: Mapping[str, str] = field(repr=False)
    expires_at: datetime | None = None
    account_id: str = ""
    account_name: str = ""
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Registered:
    """The hub as an app of a platform: options and secrets of the account, to replace those of the same names."""

    options: Mapping[str, Any]
    secrets: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class OwnItem:
    """One of the account's own recent items, for reading back what became of an attempt.

    ``external_id`` and ``url`` as in :class:`connectors.posting.Done`: what cannot be kept exactly is left out.
    """

    external_id: str
    text: str
    created_at: datetime
    url: str = ""
    parent_id: str = ""
    key: str = ""

    def __post_init__(self) -> None:
        """What is found becomes what is kept of the delivery."""
        object.__setattr__(self, "external_id", exact(self.external_id))
        object.__setattr__(self, "url", exact(self.url, LONGEST_ADDRESS))


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


@dataclass(frozen=True, slots=True)
class Limits:
    """What the engine and the composer must know about a platform. Lengths are in the platform's own units.

    ``find_own_lag``: seconds after which an accepted item is surely listed; ``honours_key``: the platform
    returns the first item for a repeated key; ``private_length``: of an answer in private, 0: as a public one;
    ``follow_own``: for so many days the own items are read one by one (comments), 0: never. ``by_hand``: nothing is
    ever sent there by program: every write is answered by :class:`connectors.posting.ByHand`. ``counted_at_once``:
    of so many own items :meth:`Connector.metrics` learns in one call, or a few.
    """

    post_length: int
    reply_length: int
    find_own_lag: float = 5.0
    honours_key: bool = False
    pull_every: float = 60.0
    private_length: int = 0
    follow_own: float = 0.0
    takes_letters: bool = False
    by_hand: bool = False
    counted_at_once: int = 1


@runtime_checkable
class Connector(Protocol):
    """One platform. Stateless: everything it needs comes with the call. No method stores anything.

    ``streams`` are pulled; those among ``waits`` also tell when something has come (:meth:`wait`).
    What a platform does not have is answered by :class:`connectors.defaults.Defaults`.
    """

    platform: str
    label: str
    streams: Sequence[str]
    waits: Sequence[str]

    def limits(self, account: AccountRef) -> Limits:
        """Lengths, lags and intervals of this account's platform."""

    def post_forms(self, account: AccountRef) -> tuple[PostForm, ...]:
        """What a post can be there, the usual one first; at least one."""

    def budgets(self, account: AccountRef) -> tuple[Window, ...]:
        """How often the platform may be called; empty where it sets no limit."""

    def measure(self, text: str) -> int:
        """Length of ``text`` in units as the platform counts (Weibo: Chinese 1, two ASCII 1, rounded up)."""

    def capabilities(self, account: AccountRef) -> Mapping[Capability, Grant]:
        """Every capability with its grant."""

    async def check(self, account: AccountRef) -> Health:
        """A cheap call: who am I, is the token alive."""

    async def register(self, account: AccountRef, back: str, name: str) -> Registered | None:
        """Enter the hub on the platform as the app ``name`` whose people come back to ``back``, before anybody goes to
        :meth:`authorise_url`. None: not needed (there is a key that may serve), or the platform takes no app unasked.
        """

    def authorise_url(self, account: AccountRef, back: str, state: str) -> str:
        """Where a person grants us access by page and is sent back to ``back``; empty: secrets are typed instead."""

    async def exchange(self, account: AccountRef, back: str, query: Mapping[str, str]) -> Renewed:
        """The secrets for what the platform gave the person who came back (``query``)."""

    async def refresh(self, account: AccountRef) -> Renewed | None:
        """New short-lived secrets from the lasting ones; None: there is nothing to renew without a person."""

    async def wait(self, account: AccountRef, stream: str, cursor: Mapping[str, Any]) -> None:
        """Return as soon as something may have come on ``stream``, at the latest after half an hour.

        ``cursor``: how far it has been read, so that what came before anybody listened is seen; ``{}``: not known.
        """

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

    async def tell(self, account: AccountRef, out: Outgoing) -> Outcome:
        """Say where the case of ``out.target_id`` stands (``out.stage``), where :func:`connectors.stages.wanted`."""

    async def upload(self, account: AccountRef, out: Outgoing, state: Mapping[str, str]) -> Uploading | Uploaded:
        """The next step of bringing ``out.video`` to the platform, where nobody sees it until :meth:`publish`.

        ``state``: ``{}`` at first, then what the step before returned. A step is bounded (one piece of the file, or one
        question); whatever fails has shown nobody anything and is done again from the same state.
        """

    async def publish(self, account: AccountRef, out: Outgoing) -> Outcome:
        """Publish a post; its video, where it has one, was uploaded before."""

    async def poll_job(self, account: AccountRef, job: str) -> Outcome:
        """How a pending write ended, or still Pending.

        :class:`ConnectorError` ``content_rejected`` or ``target_refuses``: it ended badly. Any other kind: nobody could
        ask, or the answer says nothing; it is asked again, never sent again.
        """

    async def find_own(self, account: AccountRef, since: datetime, out: Outgoing) -> OwnItems:
        """The account's own posts (or, for a reply, own answers under the target) since ``since``, newest first."""

    async def exists(self, account: AccountRef, external_id: str) -> bool:
        """Whether one of our own items is still there (take-down watch)."""

    async def delete(self, account: AccountRef, external_id: str) -> None:
        """Remove one of our own items; already gone is fine."""

    async def metrics(self, account: AccountRef, ids: Sequence[str]) -> list[Metric]:
        """How own items do; those the platform does not know are left out. ``ids`` may be many; what was kept of them
        is in ``account.published``."""

    def read_link(self, account: AccountRef, link: str) -> str:
        """The platform's id of the own item behind a pasted ``link``; raises :class:`Unparsable` with the reason."""

    async def media_query(self, account: AccountRef, url: str) -> Mapping[str, str]:
        """What must go along with the address of a medium so that the platform gives it out; nothing where anybody
        may see it. Counted where the platform counts such a call."""

    def validate(self, account: AccountRef, out: Outgoing) -> list[Problem]:
        """Length, link and picture rules, before review and again before sending."""
