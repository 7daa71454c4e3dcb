"""Which department a matter belongs to, and why: topics it is in charge of, its duties, its place. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hub.i18n import N_, _, listed
from hub.models import Department
from hub.policy.packs import Policy
from nlp import mask
from nlp.base import Label, Place

BY_TOPIC, BY_DUTY, BY_PLACE = N_("分类归口"), N_("职责词"), N_("属地")
# One duty word says something, three say it well: 0.4, 0.64, 0.78.
_DUTY_P = 0.4
# A street or district office is meant when it is named, unless the matter is a bureau's own.
_PLACE_P = 0.5
_PLACE_LEVELS = frozenset({"district", "street"})
_PARTS = re.compile(r"[、，,；;。\s]+")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A department as the router sees it; ``duties``: the words of its duties, at least two characters each."""

    id: int
    name: str
    topics: frozenset[str]
    duties: tuple[str, ...]

    @classmethod
    def of(cls, department: Department) -> Candidate:
        """From its row."""
        duties = tuple(word for word in _PARTS.split(department.duties) if 2 <= len(word) <= 12)
        return cls(department.id or 0, department.short_name or department.name, frozenset(department.topics), duties)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One department with what speaks for it. ``p`` in 0..1; ``rule`` is one of the BY_ words, source language."""

    department_id: int
    department: str
    rule: str
    words: tuple[str, ...]
    p: float

    def as_data(self) -> dict[str, Any]:
        """Plain values, as they come back from the database."""
        return {
            "department_id": self.department_id, "department": self.department, "rule": self.rule,
            "words": list(self.words), "p": self.p,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Routed:
    """The outcome. ``department_id`` None: nobody is suggested. ``is_sure``: the hub may dispatch it by itself."""

    department_id: int | None
    rule: str
    words: tuple[str, ...]
    p: float
    second: Suggestion | None
    is_sure: bool
    suggestions: tuple[Suggestion, ...]

    def as_data(self) -> dict[str, Any]:
        """For the case's row and the event: plain values."""
        return {"is_sure": self.is_sure, "suggestions": [suggestion.as_data() for suggestion in self.suggestions]}


def route(candidates: Sequence[Candidate], topic: Label, places: Sequence[Place], text: str, policy: Policy) -> Routed:
    """The top two departments with reasons. Sure enough: one is far ahead of all others by the policy's figures."""
    found = [
        suggestion for candidate in candidates if (suggestion := _weigh(candidate, candidates, topic, places, text))
    ]
    ranked = sorted(found, key=lambda suggestion: (-suggestion.p, suggestion.department_id))
    least = policy.routing["suggest"].value
    best = tuple(suggestion for suggestion in ranked if suggestion.p >= least)[:2]
    if not best:
        return Routed(None, "", (), 0.0, None, is_sure=False, suggestions=())
    first, second = best[0], best[1] if len(best) > 1 else None
    lead = first.p - (second.p if second else 0.0)
    sure = first.p >= policy.routing["certain"].value and lead >= policy.routing["lead"].value
    return Routed(first.department_id, first.rule, first.words, first.p, second, sure, best)


def _weigh(
    candidate: Candidate, everybody: Sequence[Candidate], topic: Label, places: Sequence[Place], text: str
) -> Suggestion | None:
    """All that speaks for one department, joined as independent signs."""
    signs = [
        _by_topic(candidate, everybody, topic),
        _by_duty(candidate, text),
        _by_place(candidate, places),
    ]
    strong = sorted((sign for sign in signs if sign[0] > 0), key=lambda sign: -sign[0])
    if not strong:
        return None
    against = 1.0
    for p, _rule, _words in strong:
        against *= 1 - p
    words = tuple(dict.fromkeys(word for _p, _rule, given in strong for word in given))[:8]
    return Suggestion(candidate.id, candidate.name, strong[0][1], words, round(1 - against, 4))


Sign = tuple[float, str, tuple[str, ...]]


def _by_topic(candidate: Candidate, everybody: Sequence[Candidate], topic: Label) -> Sign:
    """A topic shared by several departments says less about each of them."""
    p = 0.0
    for value, given in ((topic.value, topic.p), (topic.second, topic.p_second)):
        if value and value in candidate.topics:
            sharing = sum(value in other.topics for other in everybody)
            p = max(p, given / sharing)
    return p, BY_TOPIC, topic.words if p else ()


def _by_duty(candidate: Candidate, text: str) -> Sign:
    hits = tuple(word for word in candidate.duties if word in text)
    return 1 - (1 - _DUTY_P) ** len(hits) if hits else 0.0, BY_DUTY, hits


def _by_place(candidate: Candidate, places: Sequence[Place]) -> Sign:
    hits = tuple(
        place.name
        for place in places
        if place.level in _PLACE_LEVELS and not place.ambiguous and place.name in candidate.name
    )
    return _PLACE_P if hits else 0.0, BY_PLACE, hits


def explain(suggestion: dict[str, Any]) -> str:
    """One stored suggestion in words for people: 分类归口：漏水、物业（82%）. Personal numbers are hidden."""
    words = listed(map(mask, suggestion["words"])) or "—"
    share = f"{round(100 * suggestion['p'])}%"
    return _("%(rule)s：%(words)s（%(share)s）", rule=_(suggestion["rule"]), words=words, share=share)
