"""Videos of posts: rows beside files of the data folder, on their way in, kept, and on their way to a platform."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Index, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub import clock
from hub.models.columns import BIG, key, known, plain, ref, stored


class Video(SQLModel, table=True):
    """A video somebody put in, rewritten with nothing but its pictures and sound. ``poster``: a small JPEG of it.

    The bytes lie in the data folder under ``sha256``; ``dropped_at``: since when they are no longer kept.
    """

    __table_args__ = (UniqueConstraint("by_id", "sha256"),)
    id: int | None = key()
    sha256: str = Field(max_length=64, index=True)
    name: str = Field(default="", max_length=200)
    mime: str = Field(max_length=32)
    size: int = Field(sa_type=BigInteger)
    seconds: float
    width: int
    height: int
    codec: str = Field(default="", max_length=32)
    poster: bytes = Field(sa_type=LargeBinary)
    by_id: int = ref("person.id", index=False)
    created_at: datetime = Field(default_factory=clock.now, index=True)
    dropped_at: datetime | None = None


class VideoUse(SQLModel, table=True):
    """A post that has or once had a video: who sees the post sees it, and the row is kept as long as the post."""

    video_id: int = Field(primary_key=True, foreign_key="video.id", sa_type=BIG, ondelete="CASCADE")
    post_id: int = Field(primary_key=True, foreign_key="post.id", sa_type=BIG, index=True, ondelete="CASCADE")


class IncomingState(StrEnum):
    """coming → checking → done | refused."""

    coming = "coming"
    checking = "checking"
    done = "done"
    refused = "refused"


class IncomingVideo(SQLModel, table=True):
    """A file on its way in, piece by piece; how far it is tells the file itself. ``token`` nobody can guess.

    ``lease_until``: somebody looks into it so long; ``why``: the reason of a refusal.
    """

    token: str = Field(primary_key=True, max_length=32)
    by_id: int = ref("person.id")
    name: str = Field(default="", max_length=200)
    size: int = Field(sa_type=BigInteger)
    state: IncomingState = stored(IncomingState, default=IncomingState.coming)
    lease_until: datetime | None = None
    why: str = Field(default="", sa_type=Text)
    video_id: int | None = Field(default=None, foreign_key="video.id", sa_type=BIG, ondelete="CASCADE")
    created_at: datetime = Field(default_factory=clock.now)


class VideoJourney(SQLModel, table=True):
    """How far the video of a delivery is on its way to its platform, kept after every step.

    ``state``: what the next step needs; ``done``: bytes so far; ``next_at``: no step before it. ``ref``: what names it
    there, None while it is not there; ``until``: when the platform forgets it. ``stamp``: the file's own marks when its
    bytes were last compared. ``holder`` works on it until ``lease_until``.
    """

    __table_args__ = (Index("ix_videojourney_next", "next_at"),)
    delivery_id: int = Field(primary_key=True, foreign_key="delivery.id", sa_type=BIG, ondelete="CASCADE")
    state: dict[str, str] = plain(default_factory=dict)
    done: int = Field(default=0, sa_type=BigInteger)
    ref: dict[str, str] | None = known()
    until: datetime | None = None
    uploaded_at: datetime | None = None
    next_at: datetime = Field(default_factory=clock.now)
    holder: str = Field(default="", max_length=32)
    lease_until: datetime | None = None
    stamp: str = Field(default="", max_length=100)
    failures: int = 0
    error_kind: str = Field(default="", max_length=32)
    error: str = Field(default="", sa_type=Text)

    @property
    def is_there(self) -> bool:
        """Whether the platform has all of it."""
        return self.ref is not None
