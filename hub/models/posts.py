"""Posts on the shared calendar: written once, sent to many accounts."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub import clock
from hub.models.columns import BIG, key, known, plain, ref, stored


class PostState(StrEnum):
    """draft → review → approved (its deliveries wait for the time) → done; returned and withdrawn on the way."""

    draft = "draft"
    review = "review"
    returned = "returned"
    approved = "approved"
    done = "done"
    withdrawn = "withdrawn"


class Post(SQLModel, table=True):
    """One item of content. ``content_hash`` covers text, accounts, per-account texts, forms, pictures and the video;
    approval is bound to it.

    ``pictures``: in order, each ``{"id", "sha256", "mime", "size", "width", "height", "description"}`` with the number
    of its :class:`Picture`. ``video``: likewise, with ``seconds``, the number of its :class:`hub.models.Video`.
    ``latest_at``: after this moment it must not go out by itself any more (missed).
    """

    __table_args__ = (Index("ix_post_calendar", "scheduled_at", "id"), Index("ix_post_state", "state", "id"))
    id: int | None = key()
    title: str = Field(max_length=200)
    body: str = Field(default="", sa_type=Text)
    pictures: list[dict[str, Any]] = plain(default_factory=list)
    video: dict[str, Any] | None = known()
    state: PostState = stored(PostState, default=PostState.draft)
    version: int = 1
    content_hash: str = Field(default="", max_length=64)
    approved_hash: str = Field(default="", max_length=64)
    department_id: int = ref("department.id")
    author_id: int = ref("person.id", index=False)
    author_name: str = Field(default="", max_length=100)
    scheduled_at: datetime | None = None
    latest_at: datetime | None = None
    created_at: datetime = Field(default_factory=clock.now)
    changed_at: datetime = Field(default_factory=clock.now)
    submitted_at: datetime | None = None
    reviewer_id: int | None = ref("person.id", index=False, nullable=True)
    reviewer_name: str = Field(default="", max_length=100)
    reviewed_at: datetime | None = None
    review_note: str = Field(default="", sa_type=Text)


class PostTarget(SQLModel, table=True):
    """One account a post goes to; ``text`` empty: the post's own body; ``pictures`` None: the post's own.

    ``form``: one of the platform's forms of posts, empty: its usual one; ``title``: that form's, empty: the post's own.
    ``without_video``: the post's video is left out there. ``assignee_id``: who publishes it where that is done by hand.
    """

    __table_args__ = (UniqueConstraint("post_id", "account_id"),)
    id: int | None = key()
    post_id: int = ref("post.id", cascade=True)
    account_id: int = ref("account.id")
    text: str = Field(default="", sa_type=Text)
    form: str = Field(default="", max_length=32)
    title: str = Field(default="", max_length=200)
    pictures: list[dict[str, Any]] | None = known()
    without_video: bool = False
    assignee_id: int | None = ref("person.id", index=False, nullable=True)
    delivery_id: int | None = ref("delivery.id", index=False, nullable=True)


class PostEvent(SQLModel, table=True):
    """One change of a post, with the whole content a signer saw. Never altered."""

    id: int | None = key()
    post_id: int = ref("post.id")
    at: datetime = Field(default_factory=clock.now)
    what: str = Field(max_length=32)
    by_id: int | None = ref("person.id", index=False, nullable=True)
    by_name: str = Field(default="", max_length=100)
    note: str = Field(default="", sa_type=Text)
    content_hash: str = Field(default="", max_length=64)
    data: dict[str, Any] = plain(default_factory=dict)


class Picture(SQLModel, table=True):
    """A picture somebody put in, cleaned of everything but its pixels. ``thumb``: a small JPEG of it.

    ``sha256`` is of ``PictureBytes.data``: the same picture put in twice by one person is one row.
    """

    __table_args__ = (UniqueConstraint("by_id", "sha256"),)
    id: int | None = key()
    sha256: str = Field(max_length=64, index=True)
    name: str = Field(default="", max_length=200)
    mime: str = Field(max_length=32)
    size: int
    width: int
    height: int
    thumb: bytes = Field(sa_type=LargeBinary)
    by_id: int = ref("person.id", index=False)
    created_at: datetime = Field(default_factory=clock.now, index=True)


class PictureBytes(SQLModel, table=True):
    """The picture itself, apart from its row, so that lists of pictures stay light."""

    picture_id: int = Field(primary_key=True, foreign_key="picture.id", sa_type=BIG, ondelete="CASCADE")
    data: bytes = Field(sa_type=LargeBinary)


class PictureUse(SQLModel, table=True):
    """A post that has or once had a picture: who sees the post sees it, and it is kept as long as the post."""

    picture_id: int = Field(primary_key=True, foreign_key="picture.id", sa_type=BIG, ondelete="CASCADE")
    post_id: int = Field(primary_key=True, foreign_key="post.id", sa_type=BIG, index=True, ondelete="CASCADE")
