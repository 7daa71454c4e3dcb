"""What is kept beside a letter, for those who handle it: its files, and who wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from sqlmodel import col, select

from hub.db import Unit
from hub.errors import NotFound
from hub.i18n import _
from hub.models import Letter, LetterBytes, LetterFile, Message
from hub.queries import visible
from hub.rights import Actor


@dataclass(frozen=True, slots=True)
class Kept:
    """One file with its bytes."""

    name: str
    mime: str
    data: bytes

    @property
    def is_picture(self) -> bool:
        """Whether it is shown in place."""
        return self.mime.startswith("image/")

    @property
    def quoted_name(self) -> str:
        """Its name for a header."""
        return quote(self.name, safe="")


async def file_of(unit: Unit, actor: Actor, file_id: int) -> Kept:
    """A file for whoever may see the message it came with; :class:`NotFound` for everybody else."""
    row = await unit.get(LetterFile, file_id)
    letter = await unit.get(Letter, row.letter_id) if row else None
    kept = await unit.get(LetterBytes, file_id)
    if row is None or letter is None or kept is None:
        raise NotFound(_("没有这个附件，或者您无权查看。"))
    seen = select(col(Message.id)).where(
        Message.account_id == letter.account_id, Message.external_id == letter.external_id, visible.messages(actor)
    )
    if await unit.first(seen) is None:
        raise NotFound(_("没有这个附件，或者您无权查看。"))
    return Kept(row.name, row.mime, kept.data)


async def contact_of(unit: Unit, message: Message) -> Mapping[str, str]:
    """Name and telephone of whoever wrote, opened; empty where nothing was given. The caller has checked the right
    and writes the look down."""
    letter = await unit.first(
        select(Letter).where(Letter.account_id == message.account_id, Letter.external_id == message.external_id)
    )
    if letter is not None and letter.first_id is not None:
        letter = await unit.get(Letter, letter.first_id)
    return unit.ctx.vault.open(letter.sealed) if letter is not None else {}
