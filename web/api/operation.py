"""One declaration per operation: where, what, who may, what comes in and goes out, what can be refused.

::

    @operation("POST", "/cases/{number}/notes", N_("写内部备注"), scope="cases:write", needs=May.add_note, status=201)
    async def add_note(call: Call[None, NoteBody]) -> Note: ...

The query, body and answer are those of the function's own annotations, so that the type checker, the check of what
comes in, the answer and the OpenAPI document cannot differ.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

from hub.db import Unit
from hub.people import Identity
from hub.rights import Actor, May
from web.api import cursor
from web.api.schema import Answer, Body, PageQuery, Query
from web.routes.table import Gate
from workflows.house import House

BASE = "/api/v1"
Q = TypeVar("Q")
B = TypeVar("B")
PQ = TypeVar("PQ", bound=PageQuery)
Needs = Gate | May | tuple[May, ...]
_PLACE = re.compile(r"\{(\w+)(?::(\w+))?\}")


@dataclass(frozen=True, slots=True)
class Call(Generic[Q, B]):
    """One request to one operation, checked: the places of its path, its query and its body.

    ``stream``: the body as it comes in, where the operation reads it so.
    """

    unit: Unit
    house: House
    who: Identity
    places: Mapping[str, Any]
    query: Q
    body: B
    stream: AsyncIterator[bytes] | None = None

    @property
    def actor(self) -> Actor:
        """The person who asks."""
        return self.who.actor


def mark_of(call: Call[PQ, None]) -> str:
    """Where the page begins; empty: at the start. BadRequest for a cursor that is not one of this list's."""
    return cursor.read(call.unit.ctx.settings.key, call.query)


def next_of(call: Call[PQ, None], mark: str | int | None) -> str | None:
    """The cursor of the page behind ``mark``."""
    return cursor.write(call.unit.ctx.settings.key, call.query, mark)


Work = Callable[[Call[Any, Any]], Awaitable[Answer]]


@dataclass(frozen=True)
class Operation:
    """``path`` below :data:`BASE`, with places as in routes; ``scope``: what a token needs (empty: any token will do).

    ``location``: the address of what was made, filled from the answer. ``refuses``: statuses the service may answer
    with beside those every operation of its kind has. ``alone``: it works in transactions of its own, and is safe to
    repeat; ``raw``: its body is bytes as they stand.
    """

    method: str
    path: str
    summary: str
    work: Work
    scope: str
    needs: Needs
    status: int = 200
    refuses: tuple[int, ...] = ()
    location: str = ""
    alone: bool = False
    raw: bool = False

    @cached_property
    def _kinds(self) -> tuple[type[Query] | None, type[Body] | None, type[Answer]]:
        hints = get_type_hints(self.work)
        query, body = get_args(hints["call"])
        assert get_origin(hints["call"]) is Call
        return _kind(query), _kind(body), hints["return"]

    @property
    def name(self) -> str:
        """Its ``operationId``."""
        return self.work.__name__

    @property
    def query(self) -> type[Query]:
        """What may stand behind the ``?``."""
        return self._kinds[0] or Query

    @property
    def body(self) -> type[Body] | None:
        """What it reads; None for nothing at all."""
        return self._kinds[1]

    @property
    def answer(self) -> type[Answer]:
        """What it answers."""
        return self._kinds[2]

    @property
    def is_write(self) -> bool:
        """Whether it changes anything."""
        return self.method != "GET"

    @property
    def takes_key(self) -> bool:
        """Whether it may carry an ``Idempotency-Key``."""
        return self.is_write and not self.alone

    @property
    def places(self) -> dict[str, bool]:
        """Names in the path, and whether each is a number."""
        return {name: kind == "int" for name, kind in _PLACE.findall(self.path)}

    @property
    def plain_path(self) -> str:
        """The whole path as OpenAPI writes it."""
        return BASE + _PLACE.sub(r"{\1}", self.path)

    @property
    def errors(self) -> list[int]:
        """Every status of a refusal, in order."""
        found = {400, 401, 403, 422, 429, *self.refuses} | ({404} if self.places else set())
        return sorted(found | ({409, 413, 415} if self.is_write else set()))


def _kind(given: Any) -> Any:
    return None if given is type(None) else given


def operation(
    method: str, path: str, summary: str, *, scope: str, needs: Needs, status: int = 200,
    refuses: tuple[int, ...] = (), location: str = "", alone: bool = False, raw: bool = False,
) -> Callable[[Work], Operation]:  # fmt: skip
    """Declare the function below as an operation."""
    return lambda work: Operation(method, path, summary, work, scope, needs, status, refuses, location, alone, raw)
