"""What the office publishes, for other programs: the calendar as iCalendar, what went out as Atom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, SubElement, tostring

from icalendar import Calendar, Event
from sqlmodel import col, select

from hub import clock
from hub.db import Unit
from hub.i18n import _
from hub.models import Account, Delivery, DeliveryKind, DeliveryState, Post, PostState
from hub.rights import Actor
from workflows.publishing import calendar

# How far a subscribed calendar looks back and ahead.
BACK, AHEAD = timedelta(days=31), timedelta(days=366)
SHOWN_MINUTES = 15
MOST_ENTRIES = 50
# What is certain to go out, or has.
_SETTLED = (PostState.approved, PostState.done)
ATOM = "http://www.w3.org/2005/Atom"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the hub is reached and what the office is called."""

    address: str
    office: str


class Out(NamedTuple):
    """One sending of a post."""

    id: int
    post_id: int
    title: str
    text: str
    url: str
    sent_at: datetime
    account: str


_OUT: tuple[Any, ...] = (
    Delivery.id, Delivery.post_id, Post.title, Delivery.text, Delivery.remote_url, Delivery.sent_at, Account.name,
)  # fmt: skip


async def ics(unit: Unit, actor: Actor, place: Place) -> bytes:
    """The calendar this person sees, as RFC 5545: planned and sent posts of the last month and the coming year."""
    now = clock.now()
    made = Calendar()
    made.add("prodid", "-//Zhengsheng//calendar//ZH")
    made.add("version", "2.0")
    made.add("x-wr-calname", _("发布日历") + f" · {place.office}")
    made.add("x-published-ttl", "PT15M")
    for item in await calendar.items(unit, actor, now - BACK, now + AHEAD):
        if item.start is not None:
            made.add_component(_event(item, item.start, now, place))
    return bytes(made.to_ical())


def _event(item: calendar.Item, start: datetime, now: datetime, place: Place) -> Event:
    event = Event()
    event.add("uid", f"post-{item.id}@{place.address.partition('://')[2]}")
    event.add("dtstamp", now)
    event.add("dtstart", start)
    event.add("dtend", start + timedelta(minutes=SHOWN_MINUTES))
    event.add("sequence", item.version)
    event.add("summary", item.title)
    event.add("status", "CONFIRMED" if item.state in _SETTLED else "TENTATIVE")
    accounts = "、".join(mark.name for mark in item.marks)
    event.add("description", "\n".join(line for line in (item.words, accounts) if line))
    event.add("url", f"{place.address}/posts/{item.id}")
    return event


async def atom(unit: Unit, place: Place) -> bytes:
    """What went out last on the office's accounts, as Atom 1.0 (RFC 4287); each post once, at its first sending."""
    sent = (
        select(*_OUT)
        .join(Post, col(Post.id) == col(Delivery.post_id))
        .join(Account, col(Account.id) == col(Delivery.account_id))
        .where(Delivery.kind == DeliveryKind.post, Delivery.state == DeliveryState.sent)
        .order_by(col(Delivery.sent_at).desc(), col(Delivery.id).desc())
        .limit(4 * MOST_ENTRIES)
    )
    first = {found.post_id: found for found in map(Out._make, reversed(await unit.rows(sent)))}
    newest = sorted(first.values(), key=lambda one: (one.sent_at, one.id), reverse=True)[:MOST_ENTRIES]
    own = f"{place.address}/feeds/posts.atom"
    feed = Element("feed", xmlns=ATOM)
    updated = clock.local(newest[0].sent_at if newest else clock.now())
    _say(feed, id=own, title=_("%(office)s发布", office=place.office), updated=updated.isoformat())
    SubElement(feed, "link", rel="self", href=own)
    for one in newest:
        _entry(SubElement(feed, "entry"), one, place)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + bytes(tostring(feed, encoding="utf-8"))


def _entry(entry: Element, one: Out, place: Place) -> None:
    at = clock.local(one.sent_at).isoformat()
    _say(entry, id=f"{place.address}/feeds/posts/{one.post_id}", title=one.title, published=at, updated=at)
    _say(SubElement(entry, "author"), name=one.account)
    content = SubElement(entry, "content", type="text")
    content.text = _storable(one.text)
    if one.url.startswith(("http://", "https://")):
        SubElement(entry, "link", rel="alternate", href=one.url)


def _say(parent: Element, **texts: str) -> None:
    for name, text in texts.items():
        SubElement(parent, name).text = _storable(text)


def _storable(text: str) -> str:
    """Without the control characters that XML does not know."""
    return "".join(c for c in text if c in "\t\n" or (c >= " " and c not in "\ufffe\uffff"))
