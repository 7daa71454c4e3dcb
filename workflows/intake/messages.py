"""Understood items become messages; what the account itself wrote is recognised and joins the case it belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select

from connectors.base import ATTACHED, AccountRef, Inbound, Media
from hub.db import Unit
from hub.insert import insert
from hub.models import ArrivalFile, Delivery, Message, MessageKind
from workflows.intake import files, outside, storable

Kept = Mapping[tuple[int, int], ArrivalFile]
# Names in ``Message.extra`` that mean something to the house: a platform's or a file's own get a star.
_OURS = frozenset({"answer", "answered_at", "due_at", "reply_left", "stated_at", "verified"})


@dataclass(frozen=True, slots=True)
class Understood:
    """One arrival with what its connector read from it. ``case_id``: known only for the account's own items."""

    arrival_id: int
    received_at: datetime
    inbound: Inbound
    case_id: int | None = None


async def write(unit: Unit, account: AccountRef, items: Sequence[Understood]) -> None:
    """Write the messages of one account; one that is there already stays as it is. Safe to run twice."""
    if items:
        items = await _recognise(unit, account, items)
        kept = await files.kept_of(unit, [item.arrival_id for item in items])
        rows = sorted((_row(account, item, kept) for item in items), key=lambda row: (row["kind"], row["external_id"]))
        await unit.run(insert(unit, Message).on_conflict_do_nothing(), rows)
        await outside.enlist(unit, rows)


async def _recognise(unit: Unit, account: AccountRef, items: Sequence[Understood]) -> list[Understood]:
    """Mark what is our own: the platform says so, our account wrote it, or one of our deliveries became it."""
    ids = [storable.identity(item.inbound.external_id) for item in items]
    sent = select(Delivery.remote_id, Delivery.case_id).where(
        col(Delivery.account_id) == account.id, col(Delivery.remote_id).in_(ids), col(Delivery.remote_id) != ""
    )
    ours = {row[0]: row[1] for row in await unit.rows(sent)}
    marked = []
    for item, external_id in zip(items, ids, strict=True):
        inbound = item.inbound
        own = inbound.is_own or external_id in ours or _is_author(account, inbound)
        item = replace(item, case_id=ours.get(external_id)) if own else item
        marked.append(replace(item, inbound=replace(inbound, is_own=own)) if own != inbound.is_own else item)
    return await _with_threads(unit, account.id, marked)


def _is_author(account: AccountRef, inbound: Inbound) -> bool:
    return bool(account.external_id) and inbound.author.id == account.external_id


async def _with_threads(unit: Unit, account_id: int, items: list[Understood]) -> list[Understood]:
    """Own items without a delivery join the case of the item they answer, or of their thread."""
    loose = [item.inbound for item in items if item.inbound.is_own and item.case_id is None]
    if not loose:
        return items
    cases = await cases_of(unit, account_id, [(one.thread_id, one.parent_id) for one in loose])
    return [
        replace(item, case_id=cases.get((item.inbound.thread_id, item.inbound.parent_id)))
        if item.inbound.is_own and item.case_id is None
        else item
        for item in items
    ]


async def cases_of(unit: Unit, account_id: int, places: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """(thread id, parent id) → the case of the parent; else the thread's case, if it has only one. Others: left out."""
    cased = (col(Message.account_id) == account_id, col(Message.case_id).is_not(None))
    parents = [storable.identity(parent) for _, parent in places if parent]
    in_index = (col(Message.kind).in_(list(MessageKind)), col(Message.external_id).in_(parents))
    rows = await unit.rows(select(Message.external_id, Message.case_id).where(*cased, *in_index))
    by_parent = {row[0]: row[1] for row in rows}
    threads = [storable.identity(thread) for thread, _ in places if thread]
    grouped = select(Message.thread_id, func.min(Message.case_id)).where(*cased, col(Message.thread_id).in_(threads))
    alone = grouped.group_by(col(Message.thread_id)).having(func.min(Message.case_id) == func.max(Message.case_id))
    by_thread = {row[0]: row[1] for row in await unit.rows(alone)}
    found = {}
    for thread, parent in places:
        case_id = by_parent.get(storable.identity(parent)) if parent else None
        case_id = case_id or (by_thread.get(storable.identity(thread)) if thread else None)
        if case_id:
            found[thread, parent] = case_id
    return found


def _row(account: AccountRef, item: Understood, kept: Kept) -> dict[str, Any]:
    one = item.inbound
    return {
        "account_id": account.id, "arrival_id": item.arrival_id, "kind": one.kind.value,
        "external_id": storable.identity(one.external_id), "thread_id": storable.identity(one.thread_id),
        "parent_id": storable.identity(one.parent_id), "author_id": storable.identity(one.author.id),
        "author_name": storable.name(one.author.name), "title": storable.text(one.title),
        "text": storable.text(one.text), "url": storable.text(one.url), "extra": _extra(item),
        "media": [_medium(item, medium, kept) for medium in one.media],
        "likes": storable.count(one.likes), "is_own": one.is_own, "received_at": item.received_at,
        "created_at": storable.moment(one.created_at, item.received_at), "reply_until": one.reply_until,
        "removed_at": None, "case_id": item.case_id,
        "needs_case": one.needs_answer and not one.is_own, "tagged_at": None, "topic": "",
        "sentiment": "", "is_sensitive": False, "request": "", "urgency": "", "place": "", "personal": [],
    }  # fmt: skip


def _medium(item: Understood, medium: Media, kept: Kept) -> Any:
    """Without an address what was not kept; pictures are told by their bytes."""
    kind, url = medium.kind, medium.url
    if url.startswith(ATTACHED):
        number = url.removeprefix(ATTACHED)
        row = kept.get((item.arrival_id, int(number))) if number.isdecimal() else None
        url = files.address(row) if row else ""
        kind = "image" if row and row.mime.startswith("image/") else "file"
    return storable.tree({"kind": kind, "url": url, "description": medium.description})


def _extra(item: Understood) -> dict[str, Any]:
    """What the platform added, how often it lets us answer, until when its source wants it settled, the answer a file
    brought along, and a stated time that was not believed.
    """
    one = item.inbound
    extra: dict[str, Any] = {f"{k}*" if k in _OURS else k: v for k, v in storable.tree(one.extra).items()}
    if one.author.verified:
        extra["verified"] = True
    if one.reply_left is not None:
        extra["reply_left"] = storable.count(one.reply_left)
    if one.due_at is not None:
        extra["due_at"] = one.due_at.isoformat()
    if one.answer:
        answered_at = storable.moment(one.answered_at or one.created_at, item.received_at)
        extra |= {"answer": storable.text(one.answer), "answered_at": answered_at.isoformat()}
    if storable.moment(one.created_at, item.received_at) != one.created_at:
        extra["stated_at"] = one.created_at.isoformat()
    return extra
