"""Pictures that messages only point to: which are to be fetched, by the setting or by a person, and how that stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from sqlmodel import col, select

from hub import audit, clock
from hub.db import Unit
from hub.errors import NotAllowed, NotFound
from hub.i18n import _
from hub.insert import insert
from hub.models import Message, MessageKind, OutsidePicture, PictureState
from hub.queries import visible
from hub.rights import Actor, May
from hub.settings import Settings

# Of one item, without a person asking.
MOST = 9
LONGEST_ADDRESS = 2000


async def enlist(unit: Unit, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note the pictures of new messages (rows as they are written) in the transaction that writes them, where the
    setting wants them and the message is ours to answer. Safe to run twice."""
    settings = unit.ctx.settings
    wanted = {row["arrival_id"]: found for row in rows if (found := _wanted(settings, row))}
    if not wanted:
        return
    there = await unit.all(select(col(Message.arrival_id)).where(col(Message.arrival_id).in_(wanted)))
    now = clock.now()
    fresh = [_row(arrival, number, url, now) for arrival in sorted(there) for number, url in wanted[arrival]]
    if fresh:
        await unit.run(insert(unit, OutsidePicture).on_conflict_do_nothing(), fresh)
        unit.later("fetch_pictures")


def _wanted(settings: Settings, row: Mapping[str, Any]) -> list[tuple[int, str]]:
    kept = settings.keep_pictures
    is_wanted = kept == "all" or (kept == "private" and MessageKind(row["kind"]).is_private)
    if not is_wanted or not row["needs_case"]:
        return []
    found = [(place, one["url"]) for place, one in enumerate(row["media"]) if is_outside(settings, one)]
    return found[:MOST]


def _row(arrival_id: int, number: int, url: str, now: Any) -> dict[str, Any]:
    return {
        "arrival_id": arrival_id, "number": number, "url": url, "state": PictureState.waiting, "attempts": 0,
        "due_at": now, "error": "",
    }  # fmt: skip


def is_outside(settings: Settings, medium: Mapping[str, Any]) -> bool:
    """Whether it is a picture on somebody else's server."""
    url = str(medium.get("url", ""))
    if medium.get("kind") != "image" or len(url) > LONGEST_ADDRESS:
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and parts.netloc.lower() != urlsplit(settings.address).netloc.lower()
    except ValueError:
        return False


async def ask(unit: Unit, actor: Actor, message_id: int, place: int) -> Message:
    """Have one picture kept that the setting leaves where it is, or that was given up or cleared. Safe to run twice.

    NotAllowed without the right to add notes; NotFound for who may not see the message, and where no picture is.
    """
    if not actor.can(May.add_note):
        raise NotAllowed(_("您没有办理留言的权限"))
    message = await unit.first(select(Message).where(col(Message.id) == message_id, visible.messages(actor)))
    medium = message.media[place] if message and 0 <= place < len(message.media) else {}
    is_there = is_outside(unit.ctx.settings, medium)
    if message is None or not (is_there or "source" in medium):
        raise NotFound(_("没有这张图片，或者您无权查看"))
    if is_there and await _begin(unit, message.arrival_id, place, medium["url"]):
        await audit.record(unit, actor, "message.keep_picture", f"message/{message_id}", place=place)
        unit.later("fetch_pictures")
    return message


async def _begin(unit: Unit, arrival_id: int, place: int, url: str) -> bool:
    """Whether it was not already on its way."""
    fresh = insert(unit, OutsidePicture).on_conflict_do_nothing().values(_row(arrival_id, place, url, clock.now()))
    if (await unit.run(fresh)).rowcount:
        return True
    gone = (
        col(OutsidePicture.arrival_id) == arrival_id, col(OutsidePicture.number) == place,
        col(OutsidePicture.state).in_((PictureState.given_up, PictureState.cleared)),
    )  # fmt: skip
    again = {"state": PictureState.waiting, "attempts": 0, "due_at": clock.now(), "error": "", "since": None}
    return await unit.claim(OutsidePicture, *gone, **again)


async def standing_of(unit: Unit, messages: Sequence[Message]) -> dict[int, dict[int, OutsidePicture | None]]:
    """The pictures of each message that are on somebody else's server, by the message's id and their place, and how
    fetching them stands; None: nobody asked for it."""
    settings = unit.ctx.settings
    places = {
        message.id or 0: [place for place, one in enumerate(message.media) if is_outside(settings, one)]
        for message in messages
    }
    some = [message.arrival_id for message in messages if places[message.id or 0]]
    rows = await unit.all(select(OutsidePicture).where(col(OutsidePicture.arrival_id).in_(some))) if some else []
    asked = {(row.arrival_id, row.number): row for row in rows}
    return {
        message.id or 0: {place: asked.get((message.arrival_id, place)) for place in places[message.id or 0]}
        for message in messages
    }
