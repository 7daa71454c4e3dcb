"""What connections to platforms keep beside the accounts: calls spent per window, people on their way to a grant."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub import clock
from hub.models.columns import BIG, key, ref


class Spending(SQLModel, table=True):
    """Calls made within the present window of one owner: an account, an app, or this house on a platform.

    After ``ends_at`` the next call begins anew. ``by_people``: how many of ``used`` were made for people. ``told``: how
    many the platform itself says it allows.
    """

    __table_args__ = (UniqueConstraint("owner", "calls", "seconds"),)
    id: int | None = key()
    owner: str = Field(max_length=160)
    calls: str = Field(max_length=32)
    seconds: int
    ends_at: datetime
    used: int = 0
    by_people: int = 0
    told: int | None = None


class PushProof(SQLModel, table=True):
    """What a push was signed with where its content is no part of that, and the content it came with: it is good for
    no other one. Both as digests, kept for as long as the platform's time stamp counts.
    """

    id: int | None = key()
    proof: str = Field(unique=True, max_length=64)
    content: str = Field(max_length=64)
    seen_at: datetime = Field(default_factory=clock.now, index=True)


class Authorisation(SQLModel, table=True):
    """A person on the way to the platform's page and back. ``state`` is kept as its digest; used once.

    ``sealed`` holds what was typed before going, encrypted; it is emptied on return.
    """

    id: int | None = key()
    state: str = Field(unique=True, max_length=64)
    sign_in_id: int = Field(sa_type=BIG)
    user_id: int = Field(sa_type=BIG)
    platform: str = Field(max_length=32)
    account_id: int | None = ref("account.id", nullable=True, cascade=True)
    sealed: str = Field(default="", sa_type=Text)
    created_at: datetime = Field(default_factory=clock.now)
    expires_at: datetime = Field(index=True)
    used_at: datetime | None = None
