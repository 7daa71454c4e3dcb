"""From the rows of the office's lists to the policy that the check takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from sqlmodel import col, func, select

from hub import clock
from hub.db import Unit
from hub.models import Department, OfficeWord, WordKind
from nlp.checking import Phrase, Policy, Severity, Word
from workflows.checking.scopes import holds_in

Row = tuple[str, str, str, str]


async def policy_of(unit: Unit, department_id: int | None = None) -> Policy:
    """The policy as the lists stand now and for the office's day: the whole office's, and in a department what it and
    those above it add. Of the same word in several lists that of the wider one counts. One statement."""
    rows = await unit.rows(
        select(OfficeWord.kind, OfficeWord.word, OfficeWord.other, OfficeWord.severity)
        .join(Department, col(Department.id) == col(OfficeWord.department_id), isouter=True)
        .where(holds_in(department_id))
        .order_by(func.coalesce(func.length(col(Department.path)), 0), col(OfficeWord.id))
    )
    first: dict[tuple[str, str, str], Row] = {}
    for kind, word, other, severity in rows:
        group = other if kind == WordKind.ignored else ""  # what is ignored for one group of rules may be for more
        first.setdefault((str(kind), word, group), (str(kind), word, other, severity))
    return today(policy_from(first.values()))


def today(policy: Policy) -> Policy:
    """The same policy, for the office's today."""
    return replace(policy, today=clock.local(clock.now()).date())


def policy_from(rows: Iterable[Row]) -> Policy:
    """The policy that (kind, word, other, severity) entries make."""
    return _policy(tuple(rows))


def parts(other: str) -> tuple[str, ...]:
    """The members of a field that holds several."""
    return tuple(part for part in (piece.strip() for piece in other.split("、")) if part)


@lru_cache(maxsize=64)
def _policy(rows: tuple[Row, ...]) -> Policy:
    def of(kind: WordKind) -> list[Row]:
        return [row for row in rows if row[0] == kind]

    return Policy(
        titles=tuple((word, parts(other)) for _kind, word, other, _severity in of(WordKind.person)),
        orders=tuple(parts(other) for _kind, _word, other, _severity in of(WordKind.order)),
        phrases=tuple(
            Phrase(word, parts(other), _severity_of(severity)) for _kind, word, other, severity in of(WordKind.phrase)
        ),
        prohibited=_words(of(WordKind.prohibited)),
        advertising=_words(of(WordKind.advertising)),
        ignored=frozenset((other, word) for _kind, word, other, severity in of(WordKind.ignored) if not severity),
        passed=frozenset((other, word) for _kind, word, other, severity in of(WordKind.ignored) if severity),
    )


def _words(rows: list[Row]) -> tuple[Word, ...]:
    return tuple(Word(word, other, _severity_of(severity)) for _kind, word, other, severity in rows)


def _severity_of(value: str) -> Severity | None:
    return Severity(value) if value in Severity.__members__ else None
