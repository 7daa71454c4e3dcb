"""Filters in the address of a list: read from it, shown as chips that can be taken away, carried along by links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request

from hub import clock
from hub.i18n import _

Choices = Sequence[tuple[Any, str]]
# Words for a beginning, so that an address kept as a bookmark means the present day and week.
TODAY, WEEK, SEVEN = "today", "week", "seven"
Kind = TypeVar("Kind", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Field:
    """One filter: its name in the address, its label, and what may be chosen (empty: a mere switch)."""

    name: str
    label: str
    choices: Choices = ()
    any_word: str = ""

    @property
    def is_switch(self) -> bool:
        """Whether it is on or off."""
        return not self.choices


def since(word: str, now: datetime) -> datetime | None:
    """When the office's present day, its week, or the last seven days with today began; None for any other word."""
    day = clock.local(now).date()
    beginnings = {TODAY: day, WEEK: day - timedelta(days=day.weekday()), SEVEN: day - timedelta(days=6)}
    return clock.at_local(beginnings[word]) if word in beginnings else None


def times() -> Choices:
    """The beginnings a list of what was written offers."""
    return [(TODAY, _("今天")), (WEEK, _("本周")), (SEVEN, _("近 %(n)s 天", n=7))]


class Narrowing:
    """The filters of one list for one request. ``path``: where the list stands."""

    def __init__(self, request: Request, path: str, fields: Sequence[Field], keep: Sequence[str] = ()) -> None:
        self.path, self.fields = path, fields
        known = {field.name for field in fields} | {"q", *keep}
        given = {name: value.strip()[:200] for name, value in request.query_params.items() if name in known}
        self.values: Mapping[str, str] = {name: value for name, value in given.items() if value}
        self._keep = keep

    def get(self, name: str) -> str:
        """What was chosen, or empty."""
        return self.values.get(name, "")

    def number(self, name: str) -> int | None:
        """A chosen id; None when nothing (or nonsense) was chosen."""
        value = self.get(name)
        return int(value) if value.isascii() and value.isdigit() and len(value) < 18 else None

    def member(self, name: str, kind: type[Kind]) -> Kind | None:
        """A chosen value of an enumeration; None when nothing (or nonsense) was chosen."""
        value = self.get(name)
        return kind(value) if value in kind.__members__ else None

    def href(self, path: str = "", **changes: object) -> str:
        """The address with these filters, some changed; None takes one away. ``after`` is never carried along."""
        values = {**self.values, **{name: value for name, value in changes.items() if value is not None}}
        gone = {name for name, value in changes.items() if value is None}
        query = urlencode({name: value for name, value in values.items() if name not in gone and value != ""})
        return (path or self.path) + (f"?{query}" if query else "")

    @property
    def chips(self) -> list[dict[str, str]]:
        """What is narrowed, each with the address without it."""
        found = [self._chip(field) for field in self.fields if self.get(field.name)]
        if words := self.get("q"):
            found.append({"label": _("含"), "value": words, "remove_href": self.href(q=None)})
        return found

    def _chip(self, field: Field) -> dict[str, str]:
        value = self.get(field.name)
        word = next((word for key, word in field.choices if str(key) == value), "" if field.is_switch else value)
        label = field.label if word else ""
        gone: dict[str, Any] = {field.name: None}
        return {"label": label, "value": word or field.label, "remove_href": self.href(**gone)}

    @property
    def clear_href(self) -> str:
        """The list without filters."""
        kept = {name: self.get(name) for name in self._keep if self.get(name)}
        return self.path + (f"?{urlencode(kept)}" if kept else "")

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What a filter form sends along unseen."""
        return [(name, self.get(name)) for name in self._keep if self.get(name)]
