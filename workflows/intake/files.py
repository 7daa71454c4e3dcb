"""Files that came with items: judged by their bytes, kept beside the arrival, never opened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote

from sqlmodel import col, select

from connectors.base import Attached
from hub.db import Unit
from hub.errors import NotFound
from hub.i18n import _
from hub.models import ArrivalBytes, ArrivalFile, Message
from hub.queries import visible
from hub.rights import Actor

# What pages bring is the same as what connectors bring; they do not know connectors.
Sent = Attached
# Of one item; what is more, or larger, stays where it came from and is only named.
MOST_KEPT = 20
MOST_BYTES = 8 * 1024 * 1024
MOST_TOGETHER = 16 * 1024 * 1024
LONGEST_NAME = 80
# First bytes of what is kept: pictures and documents that no program runs.
_MAGIC = (
    (b"\xff\xd8\xff", 0, "image/jpeg", ".jpg"),
    (b"\x89PNG\r\n\x1a\n", 0, "image/png", ".png"),
    (b"GIF8", 0, "image/gif", ".gif"),
    (b"WEBP", 8, "image/webp", ".webp"),
    (b"%PDF-", 0, "application/pdf", ".pdf"),
)


@dataclass(frozen=True, slots=True)
class Judged:
    """A file that may be kept: a name of ours with the ending its bytes deserve."""

    name: str
    mime: str
    data: bytes

    @property
    def is_picture(self) -> bool:
        """Whether a browser shows it as a picture."""
        return self.mime.startswith("image/")

    @property
    def quoted_name(self) -> str:
        """Its name for a header."""
        return quote(self.name, safe="")


def judged(file: Attached) -> Judged | None:
    """The file under a harmless name, or None for what is neither a picture nor a PDF."""
    kind = next((m[2:] for m in _MAGIC if file.data[m[1] : m[1] + len(m[0])] == m[0]), None)
    return Judged(_stem(own_name(file)) + kind[1], kind[0], file.data) if kind else None


def own_name(file: Attached) -> str:
    """The name it came with, without folders, at most 80 characters."""
    return PurePosixPath(file.name.replace("\\", "/")).name[:LONGEST_NAME] or _("附件")


def _stem(name: str) -> str:
    stem = "".join(c for c in PurePosixPath(name).stem if c.isprintable() and c not in '"<>|:*?\\/')
    return stem.strip(". ") or "file"


async def keep(unit: Unit, came: Iterable[tuple[int, Sequence[Attached]]]) -> None:
    """Keep the files of new arrivals (number, files), in the transaction that stores them."""
    for arrival, files in came:
        kept, room = 0, MOST_TOGETHER
        for number, file in enumerate(files):
            one = judged(file) if len(file.data) <= min(room, MOST_BYTES) and kept < MOST_KEPT else None
            if one is None:
                continue
            await put(unit, arrival, number, one)
            kept, room = kept + 1, room - len(one.data)


async def put(unit: Unit, arrival: int, number: int, one: Judged) -> ArrivalFile:
    """Keep one file of an arrival under its number."""
    row = ArrivalFile(arrival_id=arrival, number=number, name=one.name, mime=one.mime, bytes=len(one.data))
    unit.add(row)
    await unit.flush()
    unit.add(ArrivalBytes(file_id=row.id or 0, data=one.data))
    return row


def number_of_fetched(place: int) -> int:
    """The number of a picture that was fetched for this place among the message's media."""
    return -1 - place


async def kept_of(unit: Unit, arrivals: Sequence[int]) -> Mapping[tuple[int, int], ArrivalFile]:
    """What was kept, by arrival and place among its files."""
    rows = await unit.all(select(ArrivalFile).where(col(ArrivalFile.arrival_id).in_(arrivals)))
    return {(row.arrival_id, row.number): row for row in rows}


def address(row: ArrivalFile) -> str:
    """Where the hub shows it."""
    return f"/letters/files/{row.id}"


async def file_of(unit: Unit, actor: Actor, file_id: int) -> Judged:
    """A file for whoever may see the message it came with; :class:`NotFound` for everybody else."""
    row, kept = await unit.get(ArrivalFile, file_id), await unit.get(ArrivalBytes, file_id)
    if row is not None and kept is not None:
        seen = select(col(Message.id)).where(Message.arrival_id == row.arrival_id, visible.messages(actor))
        if await unit.first(seen) is not None:
            return Judged(row.name, row.mime, kept.data)
    raise NotFound(_("没有这个附件，或者您无权查看。"))
