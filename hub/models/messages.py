"""What came in: the raw arrival, the message read from it, and what was said about it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, LargeBinary, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from hub import clock
from hub.models.columns import BIG, key, known, plain, ref, stored


class MessageKind(StrEnum):
    """Where a citizen wrote."""

    mention = "mention"
    comment = "comment"
    private = "private"
    letter = "letter"

    @property
    def is_private(self) -> bool:
        """Whether only its author is answered: nothing of the answer is public."""
        return self in (MessageKind.private, MessageKind.letter)


class ArrivalState(StrEnum):
    """stored: not yet read; parsed: a message stands for it; quarantined: could not be read; ignored: by a person."""

    stored = "stored"
    parsed = "parsed"
    quarantined = "quarantined"
    ignored = "ignored"


class Arrival(SQLModel, table=True):
    """One item exactly as it came. Stored before it is acknowledged; unique by (account, kind, external id)."""

    __table_args__ = (
        UniqueConstraint("account_id", "kind", "external_id"),
        Index(
            "ix_arrival_waiting",
            "state",
            "id",
            sqlite_where=text("state != 'parsed'"),
            postgresql_where=text("state != 'parsed'"),
        ),
    )
    id: int | None = key()
    account_id: int = ref("account.id", index=False)
    kind: MessageKind = stored(MessageKind)
    external_id: str = Field(max_length=255)
    via: str = Field(max_length=16)
    payload: str = Field(sa_type=Text)
    received_at: datetime = Field(default_factory=clock.now)
    state: ArrivalState = stored(ArrivalState, default=ArrivalState.stored)
    error: str = Field(default="", sa_type=Text)


class ArrivalFile(SQLModel, table=True):
    """A file that came with an item. ``mime`` was judged from its bytes; nothing in it was opened. ``number`` counts
    the files of the item from 0 up; pictures fetched later (:class:`OutsidePicture`) count from -1 down."""

    __table_args__ = (UniqueConstraint("arrival_id", "number"),)
    id: int | None = key()
    arrival_id: int = ref("arrival.id", index=False, cascade=True)
    number: int
    name: str = Field(max_length=200)
    mime: str = Field(max_length=64)
    bytes: int


class ArrivalBytes(SQLModel, table=True):
    """The file itself, apart from its row, so that lists of files stay light."""

    file_id: int = Field(primary_key=True, foreign_key="arrivalfile.id", sa_type=BIG, ondelete="CASCADE")
    data: bytes = Field(sa_type=LargeBinary)


class PictureState(StrEnum):
    """waiting → kept | given_up; kept → cleared by the rule of retention; given_up, cleared → waiting by a person."""

    waiting = "waiting"
    kept = "kept"
    given_up = "given_up"
    cleared = "cleared"


class OutsidePicture(SQLModel, table=True):
    """A picture an item only points to, to be fetched and kept beside it. ``number``: its place among the message's
    media. ``due_at``: when it may be tried next (a claim moves it to the end of its lease); NULL: nothing to do.
    ``attempts``: those begun, ended or not. ``since``: when it was kept or cleared; NULL: neither, or kept before
    this was noted.
    """

    __table_args__ = (
        UniqueConstraint("arrival_id", "number"),
        Index(
            "ix_outsidepicture_due",
            "due_at",
            "id",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
    )
    id: int | None = key()
    arrival_id: int = ref("arrival.id", index=False, cascade=True)
    number: int
    url: str = Field(sa_type=Text)
    state: PictureState = stored(PictureState, default=PictureState.waiting)
    attempts: int = 0
    due_at: datetime | None = Field(default_factory=clock.now, nullable=True)
    error: str = Field(default="", sa_type=Text)
    since: datetime | None = None


class Message(SQLModel, table=True):
    """One understood item. Tags are copied here from the current :class:`Tagging` for lists and filters."""

    __table_args__ = (
        UniqueConstraint("account_id", "kind", "external_id"),
        Index("ix_message_thread", "account_id", "thread_id"),
        Index("ix_message_newest", "created_at", "id"),
        Index("ix_message_arrival", "arrival_id"),
        Index(
            "ix_message_untagged",
            "id",
            sqlite_where=text("tagged_at IS NULL"),
            postgresql_where=text("tagged_at IS NULL"),
        ),
        Index("ix_message_uncased", "id", sqlite_where=text("needs_case"), postgresql_where=text("needs_case")),
    )
    id: int | None = key()
    account_id: int = ref("account.id", index=False)
    arrival_id: int = ref("arrival.id", index=False)
    kind: MessageKind = stored(MessageKind)
    external_id: str = Field(max_length=255)
    thread_id: str = Field(default="", max_length=255)
    parent_id: str = Field(default="", max_length=255)
    author_id: str = Field(default="", max_length=255)
    author_name: str = Field(default="", max_length=255)
    title: str = Field(default="", sa_type=Text)
    text: str = Field(sa_type=Text)
    url: str = Field(default="", sa_type=Text)
    media: list[dict[str, Any]] = plain(default_factory=list)
    extra: dict[str, Any] = plain(default_factory=dict)
    likes: int = 0
    is_own: bool = False
    created_at: datetime
    received_at: datetime = Field(default_factory=clock.now)
    reply_until: datetime | None = None
    removed_at: datetime | None = None
    case_id: int | None = ref("case.id", nullable=True)
    needs_case: bool = False
    tagged_at: datetime | None = None
    topic: str = Field(default="", max_length=64)
    sentiment: str = Field(default="", max_length=16)
    is_sensitive: bool = False
    request: str = Field(default="", max_length=16)
    urgency: str = Field(default="", max_length=16)
    place: str = Field(default="", max_length=64)
    emotion: str = Field(default="", max_length=16)
    subtopic: str = Field(default="", max_length=64)
    personal: list[list[Any]] = plain(default_factory=list)


class Tagging(SQLModel, table=True):
    """What one analyser version, or one person, said about a message. A person's word wins and is kept.

    From ``sentiment_second`` on, None means: tagged before this was kept; the renewal fills it in. ``emotion`` "": none
    that anybody is sure of. ``departments``, ``persons``: {name, role, start, end}; ``times``: {text, kind, value,
    until, start, end}; offsets as in ``places``. ``personal``: the kinds of personal data found, each once.
    """

    id: int | None = key()
    message_id: int = ref("message.id", cascade=True)
    version: str = Field(max_length=64)
    by_id: int | None = ref("person.id", index=False, nullable=True)
    reason: str = Field(default="", sa_type=Text)
    at: datetime = Field(default_factory=clock.now)
    is_current: bool = True
    topic: str = Field(default="", max_length=64)
    topic_p: float = 0.0
    topic_second: str = Field(default="", max_length=64)
    topic_second_p: float = 0.0
    topic_words: list[str] = plain(default_factory=list)
    sentiment: str = Field(default="", max_length=16)
    sentiment_p: float = 0.0
    sentiment_words: list[str] = plain(default_factory=list)
    is_sensitive: bool = False
    sensitive_words: list[str] = plain(default_factory=list)
    request: str = Field(default="", max_length=16)
    urgency: str = Field(default="", max_length=16)
    urgency_words: list[str] = plain(default_factory=list)
    keywords: list[str] = plain(default_factory=list)
    places: list[dict[str, Any]] = plain(default_factory=list)
    sentiment_second: str | None = Field(default=None, max_length=16)
    sentiment_second_p: float | None = None
    emotion: str | None = Field(default=None, max_length=16)
    emotion_p: float | None = None
    emotion_second: str | None = Field(default=None, max_length=16)
    emotion_second_p: float | None = None
    emotion_words: list[str] | None = known()
    request_p: float | None = None
    request_second: str | None = Field(default=None, max_length=16)
    request_second_p: float | None = None
    request_words: list[str] | None = known()
    subtopic: str | None = Field(default=None, max_length=64)
    subtopic_p: float | None = None
    subtopic_words: list[str] | None = known()
    urgency_p: float | None = None
    urgency_second: str | None = Field(default=None, max_length=16)
    sensitive_p: float | None = None
    departments: list[dict[str, Any]] | None = known()
    persons: list[dict[str, Any]] | None = known()
    times: list[dict[str, Any]] | None = known()
    personal: list[str] | None = known()


class SavedMapping(SQLModel, table=True):
    """How the columns of an office's file map to fields, remembered by name and by the set of headers."""

    id: int | None = key()
    name: str = Field(unique=True, max_length=100)
    headers_hash: str = Field(default="", index=True, max_length=64)
    columns: dict[str, str] = plain(default_factory=dict)
    by_id: int | None = ref("person.id", index=False, nullable=True)
    at: datetime = Field(default_factory=clock.now)


class ImportState(StrEnum):
    """uploaded → running → done | failed."""

    uploaded = "uploaded"
    running = "running"
    done = "done"
    failed = "failed"


class ImportRun(SQLModel, table=True):
    """One file brought in: how far it is, what was new, known, refused row by row."""

    id: int | None = key()
    account_id: int = ref("account.id")
    file_name: str = Field(max_length=300)
    stored_as: str = Field(default="", max_length=300)
    columns: dict[str, str] = plain(default_factory=dict)
    state: ImportState = stored(ImportState, default=ImportState.uploaded)
    is_dry: bool = False
    rows: int = 0
    new: int = 0
    known: int = 0
    errors: list[dict[str, Any]] = plain(default_factory=list)
    error_count: int = 0
    error: str = Field(default="", sa_type=Text)
    by_id: int | None = ref("person.id", index=False, nullable=True)
    created_at: datetime = Field(default_factory=clock.now)
    lease_until: datetime | None = None
    finished_at: datetime | None = None


__all__ = [
    "Arrival",
    "ArrivalState",
    "ImportRun",
    "ImportState",
    "Message",
    "MessageKind",
    "OutsidePicture",
    "PictureState",
    "SavedMapping",
    "Tagging",
]
