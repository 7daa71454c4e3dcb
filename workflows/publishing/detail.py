"""One post with everything its page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import col, select

from hub.db import Unit
from hub.errors import NotFound
from hub.i18n import _
from hub.models import Account, Delivery, Post, PostEvent, PostTarget, VideoJourney
from hub.rights import Actor
from workflows.delivery.progress import progress
from workflows.pictures.placed import Placed, placed_of
from workflows.publishing.content import Option, text_for
from workflows.publishing.history import facts_of, find
from workflows.publishing.states import Move, reasons_against
from workflows.videos.placed import PlacedVideo, placed_video

DECISIONS = ("approve", "sign", "send_back")


@dataclass(frozen=True, slots=True)
class TargetView:
    """One account of the post: what it says there and what became of it; ``uploaded``: percent of its video."""

    target: PostTarget
    account: Account
    text: str
    delivery: Delivery | None
    uploaded: int | None = None


@dataclass(frozen=True, slots=True)
class PostView:
    """The post, its accounts, its history (oldest first), and per move the reasons why not (empty: go ahead)."""

    post: Post
    targets: Sequence[TargetView]
    events: Sequence[PostEvent]
    reasons: Mapping[Move, list[str]]


async def view(unit: Unit, actor: Actor, post_id: int) -> PostView:
    """Everything about one post; NotFound when the person may not see it."""
    post = await find(unit, actor, post_id)
    rows = await unit.session.exec(
        select(PostTarget, Account, Delivery, VideoJourney)
        .join(Account, col(Account.id) == col(PostTarget.account_id))
        .join(Delivery, col(Delivery.id) == col(PostTarget.delivery_id), isouter=True)
        .join(VideoJourney, col(VideoJourney.delivery_id) == col(Delivery.id), isouter=True)
        .where(PostTarget.post_id == post_id)
        .order_by(col(PostTarget.account_id))
        .execution_options(populate_existing=True)
    )
    targets = [
        TargetView(target, account, text_for(post, target), delivery, _percent(delivery, journey))
        for target, account, delivery, journey in rows
    ]
    events = await unit.all(select(PostEvent).where(PostEvent.post_id == post_id).order_by(col(PostEvent.id)))
    facts = await facts_of(unit, post)
    # The reason is asked for in the dialogue of the move itself.
    reasons = {move: reasons_against(move, facts, actor, note="…") for move in Move}
    return PostView(post, targets, events, reasons)


def _percent(delivery: Delivery | None, journey: VideoJourney | None) -> int | None:
    shown = progress(delivery, journey) if delivery else None
    return shown.percent if shown else None


@dataclass(frozen=True, slots=True)
class Version:
    """The content a post had at one step of its history: what the person who took that step saw.

    ``texts``: account id → what went or would have gone out there; ``options``: how, where it is not as usual.
    """

    event_id: int
    what: str
    at: datetime
    by_name: str
    content_hash: str
    title: str
    texts: Mapping[int, str]
    scheduled_at: datetime | None
    latest_at: datetime | None
    pictures: tuple[Placed, ...] = ()
    options: Mapping[int, Option] = field(default_factory=dict)
    video: PlacedVideo | None = None


def version_of(event: PostEvent) -> Version | None:
    """The content kept with a history row; None for rows that keep none."""
    if "targets" not in event.data:
        return None
    kept = event.data
    return Version(
        event_id=event.id or 0,
        what=event.what,
        at=event.at,
        by_name=event.by_name,
        content_hash=event.content_hash,
        title=str(kept.get("title", "")),
        texts={int(account): text or str(kept.get("body", "")) for account, text in kept["targets"].items()},
        scheduled_at=_moment(kept.get("scheduled_at", "")),
        latest_at=_moment(kept.get("latest_at", "")),
        pictures=placed_of(kept.get("pictures", ())),
        options={int(account): Option(**given) for account, given in kept.get("options", {}).items()},
        video=placed_video(kept.get("video")),
    )


def _moment(kept: str) -> datetime | None:
    return datetime.fromisoformat(kept) if kept else None


def last_seen(view: PostView) -> Version | None:
    """What a reviewer last decided on: approved, signed or sent back; None when nobody has yet."""
    decided = [event for event in view.events if event.what in DECISIONS]
    return version_of(decided[-1]) if decided else None


async def version(unit: Unit, actor: Actor, post_id: int, event_id: int) -> Version:
    """One kept version; NotFound when there is none or the person may not see the post."""
    await find(unit, actor, post_id)
    event = await unit.first(select(PostEvent).where(PostEvent.id == event_id, PostEvent.post_id == post_id))
    kept = version_of(event) if event else None
    if kept is None:
        raise NotFound(_("历史里没有这个版本"))
    return kept


async def last_saved_by(unit: Unit, post_id: int) -> PostEvent | None:
    """Who changed the post last, for the person whose own change came too late."""
    return await unit.first(
        select(PostEvent).where(PostEvent.post_id == post_id).order_by(col(PostEvent.id).desc()).limit(1)
    )
