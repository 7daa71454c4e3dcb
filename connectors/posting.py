"""What a post may be on a platform, the files that go with it, and the outcomes of writing, as plain frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from connectors.failures import ConnectorError, Effect, ErrorKind
from connectors.text import LONGEST_ADDRESS, exact


@dataclass(frozen=True, slots=True)
class Attachment:
    """A picture that goes out. ``mime`` was judged from its bytes; ``description`` is for those who do not see it."""

    name: str
    mime: str
    data: bytes = field(repr=False)
    description: str = ""
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Video:
    """The video of a post. ``path``: where its bytes lie, exactly those that were approved; nothing here alters them.

    ``size`` in bytes, ``seconds`` its length, ``width`` and ``height`` as it is seen (turned upright).
    """

    name: str
    mime: str
    path: Path = field(repr=False)
    sha256: str
    size: int
    seconds: float
    width: int
    height: int
    description: str = ""


@dataclass(frozen=True, slots=True)
class VideoRules:
    """What a video must be in a form of posts. ``is_needed``: the form is nothing without one; ``beside_pictures``:
    pictures may stand beside it (else the first picture, where the form takes one, is its cover).
    """

    types: tuple[str, ...] = ("video/mp4",)
    most_bytes: int = 500 * 1024 * 1024
    most_seconds: float = 15 * 60
    least_seconds: float = 0
    is_needed: bool = False
    beside_pictures: bool = False


@dataclass(frozen=True, slots=True)
class Uploading:
    """A video is on its way to the platform. ``state``: what the next step needs to go on; ``done``: bytes so far;
    ``again_at``: not earlier (the platform works on it), None: at once.
    """

    state: Mapping[str, str]
    done: int = 0
    again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Uploaded:
    """The platform has the whole video and nobody sees it yet. ``ref``: what names it when the post is published;
    ``until``: when the platform forgets it, None: not soon.
    """

    ref: Mapping[str, str]
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class PostForm:
    """One form a post can take on a platform (a short post, an article, a mass message). Lengths in its own units.

    ``title_length`` 0: has no title. ``pictures`` is the most it takes; ``cover``: (width, height) the first picture is
    cut to as its cover, None: has none; ``covers``: sizes (name, width, height) of it that a person who publishes by
    hand is offered. ``video``: what a video must be, None: takes none. ``by_hand``: a person publishes it, so nothing
    of it is uploaded. ``note`` says in one sentence (Chinese) what people should know.
    """

    name: str
    label: str
    length: int
    note: str = ""
    title_length: int = 0
    needs_title: bool = False
    pictures: int = 0
    picture_types: tuple[str, ...] = ("image/jpeg", "image/png", "image/gif")
    picture_bytes: int = 5 * 1024 * 1024
    cover: tuple[int, int] | None = None
    needs_cover: bool = False
    covers: tuple[tuple[str, int, int], ...] = ()
    video: VideoRules | None = None
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """The platform has it. ``extra``: what only this answer tells and later calls need; kept with the delivery.

    An id, address or extra that cannot be kept exactly is left out: it is there all the same, only under no name.
    """

    external_id: str
    url: str = ""
    at: datetime | None = None
    extra: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Also what a person typed or a platform sent must fit what keeps it."""
        object.__setattr__(self, "external_id", exact(self.external_id))
        object.__setattr__(self, "url", exact(self.url, LONGEST_ADDRESS))
        object.__setattr__(self, "extra", _kept(self.extra))


@dataclass(frozen=True, slots=True)
class Pending:
    """The platform works on it; ask ``poll_job(job)`` again after ``poll_after``.

    ``extra`` as in :class:`Done`, where the platform tells it on acceptance only. A job that cannot be kept exactly
    could not be asked for again: the outcome is then unknown, and the account's own list tells.
    """

    job: str
    poll_after: datetime
    extra: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises :class:`ConnectorError` where nobody could ask again."""
        if not exact(self.job):
            human = "平台已受理，但返回的编号无法保存，系统会核实"
            raise ConnectorError(ErrorKind.protocol, human, code="job", effect=Effect.unknown)
        object.__setattr__(self, "extra", _kept(self.extra))


@dataclass(frozen=True, slots=True)
class ByHand:
    """No program can do this there: a person does it by ``steps`` (Chinese, in order) and brings back the link."""

    steps: tuple[str, ...]


Outcome = Done | Pending | ByHand


def _kept(extra: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in extra.items() if exact(value) == value}


@dataclass(frozen=True, slots=True)
class Published:
    """One of our own items that the platform has, with what was kept of its acceptance."""

    external_id: str
    sent_at: datetime
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Metric:
    """How one of our items does there; None where the platform does not tell."""

    external_id: str
    reads: int | None = None
    likes: int | None = None
    comments: int | None = None
    reposts: int | None = None
