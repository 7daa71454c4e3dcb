"""What is kept beside a letter, for those who handle it: who wrote it."""

from __future__ import annotations

from collections.abc import Mapping

from sqlmodel import select

from hub.db import Unit
from hub.models import Letter, Message


async def contact_of(unit: Unit, message: Message) -> Mapping[str, str] | None:
    """Name and telephone of whoever wrote, opened; empty where nothing was given, None where no key that is known opens
    them. The caller has checked the right and writes the look down."""
    letter = await unit.first(
        select(Letter).where(Letter.account_id == message.account_id, Letter.external_id == message.external_id)
    )
    if letter is not None and letter.first_id is not None:
        letter = await unit.get(Letter, letter.first_id)
    try:
        return unit.ctx.vault.open(letter.sealed) if letter is not None else {}
    except ValueError:
        return None
