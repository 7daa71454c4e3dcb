"""The rule of retention for pictures that were fetched: what no case stands for goes when its time is over.

Only pictures of public messages without a case. What came inside an item, what was said in private, and whatever
belongs to a case is a record of the office, and records are destroyed by its archive, never by a timer.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func
from sqlmodel import col, select

from hub import audit, clock, feed
from hub.db import Unit, reading, unit_of_work
from hub.models import ArrivalFile, Message, MessageKind, OutsidePicture, PictureState
from hub.rights import system
from workflows.house import House
from workflows.intake import files

_PUBLIC = [kind for kind in MessageKind if not kind.is_private]
_BUDGET = timedelta(seconds=30)
# In one transaction: others write too.
_AT_ONCE = 50


async def clear_night(house: House) -> int:
    """Clear what is due, at night, for about 30 seconds; how many. What is left waits for the next hour or night.

    Safe to run twice and beside others: each message is locked and looked at again.
    """
    days = house.ctx.settings.keep_files_days
    if not days or not clock.is_night():
        return 0
    until, cleared = clock.now() + _BUDGET, 0
    before = clock.now() - timedelta(days=days)
    while clock.now() < until and (due := await _due(house, before)):
        async with unit_of_work(house.ctx) as unit:
            gone = [each for each in due if await _clear(unit, each, before)]
            if gone:
                await audit.record(unit, system(), "message.clear_pictures", number=len(gone), days=days)
        cleared += len(gone)
    return cleared


async def _due(house: House, before: datetime) -> list[int]:
    """Messages with a picture whose time is over, those whose picture was kept first in front."""
    theirs = select(col(Message.id)).join(OutsidePicture, col(OutsidePicture.arrival_id) == col(Message.arrival_id))
    oldest = theirs.where(*_is_over(before), *_HAS_NO_CASE).order_by(col(OutsidePicture.id)).limit(_AT_ONCE)
    async with reading(house.ctx) as unit:
        return list(dict.fromkeys(number for number in await unit.all(oldest) if number is not None))


def _is_over(before: datetime) -> tuple[Any, ...]:
    """Counted from when it was kept; from when the message came where that was not noted."""
    since = func.coalesce(col(OutsidePicture.since), col(Message.received_at))
    return (col(OutsidePicture.state) == PictureState.kept, since < before)


# One that waits for its case has none yet.
_HAS_NO_CASE = (col(Message.kind).in_(_PUBLIC), col(Message.case_id).is_(None), ~col(Message.needs_case))


async def _clear(unit: Unit, message_id: int, before: datetime) -> bool:
    """Locked and asked again: a case may have been opened meanwhile."""
    free = select(Message).where(col(Message.id) == message_id, *_HAS_NO_CASE).with_for_update()
    message = await unit.first(free)
    if message is None:
        return False
    theirs = select(OutsidePicture).join(Message, col(Message.arrival_id) == col(OutsidePicture.arrival_id))
    over = await unit.all(theirs.where(col(Message.id) == message_id, *_is_over(before)))
    for picture in over:
        await _forget(unit, message, picture)
    if over:
        feed.tell(unit, "messages", message.id)
    return bool(over)


async def _forget(unit: Unit, message: Message, picture: OutsidePicture) -> None:
    """File and bytes go, the message points to the source again, and the row says since when."""
    number = files.number_of_fetched(picture.number)
    file = (col(ArrivalFile.arrival_id) == picture.arrival_id, col(ArrivalFile.number) == number)
    await unit.run(delete(ArrivalFile).where(*file))
    left = {key: value for key, value in message.media[picture.number].items() if key != "source"}
    pointing = {**left, "url": picture.url}
    message.media = [pointing if place == picture.number else one for place, one in enumerate(message.media)]
    picture.state, picture.since = PictureState.cleared, clock.now()
    unit.add(message, picture)
