"""The plain data of the check: what an office lays down, what is found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Severity(StrEnum):
    """red: must not go out · error: surely or very likely wrong · hint: worth a look."""

    red = "red"
    error = "error"
    hint = "hint"


# Where a rule comes from. Titles of rules and standards, never addresses.
_WORDS = "《现代汉语词典》《第一批异形词整理表》"
_MARKS = "GB/T 15834《标点符号用法》"
_FIGURES = "GB/T 15835《出版物上数字用法》"
_UNITS = "《中华人民共和国法定计量单位》"
_REGIONS = "GB/T 2260《中华人民共和国行政区划代码》"
_ADVERTS = "《中华人民共和国广告法》"
_PRIVACY = "《中华人民共和国个人信息保护法》、国办发〔2018〕123号"
_REVIEW = "国办发〔2018〕123号：先审后发"
_OFFICE = "本单位词表"

# Rule → (usual severity, source). The part before the dot is the group that an office switches off or ignores by.
RULES: dict[str, tuple[Severity, str]] = {
    "confusion": (Severity.error, _WORDS),
    "confusion.hint": (Severity.hint, _WORDS),
    "confusion.state": (Severity.red, _REVIEW),
    "spelling": (Severity.error, _WORDS),
    "context": (Severity.error, _WORDS),
    "region": (Severity.error, _REGIONS),
    "region.name": (Severity.error, _REGIONS),
    "title": (Severity.red, _OFFICE),
    "title.name": (Severity.red, _OFFICE),
    "order": (Severity.error, _OFFICE),
    "phrase": (Severity.error, _OFFICE),
    "prohibited": (Severity.red, _OFFICE),
    "advertising": (Severity.error, _ADVERTS),
    "personal.id_card": (Severity.red, _PRIVACY),
    "personal.bank_card": (Severity.red, _PRIVACY),
    "personal.phone": (Severity.error, _PRIVACY),
    "personal.plate": (Severity.error, _PRIVACY),
    "personal.email": (Severity.hint, _PRIVACY),
    "particle": (Severity.error, _WORDS),
    "repeat": (Severity.error, _WORDS),
    "missing": (Severity.error, _WORDS),
    "mark.repeat": (Severity.error, _MARKS),
    "mark.pair": (Severity.error, _MARKS),
    "mark.width": (Severity.error, _MARKS),
    "mark.hidden": (Severity.error, _REVIEW),
    "date.weekday": (Severity.error, _FIGURES),
    "date.impossible": (Severity.error, _FIGURES),
    "date.order": (Severity.error, _FIGURES),
    "figure": (Severity.error, _FIGURES),
    "figure.approximate": (Severity.error, _FIGURES),
    "figure.unit": (Severity.error, _UNITS),
    "figure.bare": (Severity.error, _UNITS),
    "figure.percent": (Severity.error, _FIGURES),
    "link.plain": (Severity.hint, _REVIEW),
    "link.short": (Severity.error, _REVIEW),
    "link.number": (Severity.error, _REVIEW),
    "link.foreign": (Severity.error, _REVIEW),
    "link.broken": (Severity.error, _REVIEW),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found at [start, end) of the text as given, counted in code points; ``found`` is what stands there.

    ``rule``: a key of :data:`RULES`. ``suggestions``: what to put instead, best first; none: a person has to decide.
    ``values``: what the sentence about it needs besides ``found``.
    """

    rule: str
    start: int
    end: int
    found: str
    suggestions: tuple[str, ...] = ()
    severity: Severity = Severity.error
    values: tuple[tuple[str, str], ...] = ()

    @property
    def source(self) -> str:
        """The rule or standard behind it, in Chinese."""
        return RULES[self.rule][1]

    @property
    def group(self) -> str:
        """The rule's group, by which an office ignores a text."""
        return self.rule.partition(".")[0]


def made(
    rule: str, text: str, start: int, end: int, *suggestions: str, severity: Severity | None = None, **values: str
) -> Finding:
    """A finding of ``text[start:end]`` with the rule's usual severity."""
    return Finding(rule, start, end, text[start:end], suggestions, severity or RULES[rule][0], tuple(values.items()))


@dataclass(frozen=True, slots=True)
class Word:
    """A word an office does not want, what it says instead ("" = nothing), and how grave it is."""

    word: str
    instead: str = ""
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Phrase:
    """A fixed phrase, and slips of it that are not found by comparing (党史教育 for 党史学习教育)."""

    right: str
    slips: tuple[str, ...] = ()
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """What one office lays down, besides the rules that hold everywhere. Hashable: rules made from it are kept.

    ``titles``: name → every title the person bears. ``orders``: names in the order in which they are listed.
    ``ignored``: (group of the rule or "" for every rule, text) that is right here, red lines excepted; ``passed``: the
    same, red lines included. ``off``: groups switched off.
    ``own_hosts``: hosts whose links are fine, subdomains included. ``today``: the office's day; with it weekdays of
    dates without a year are judged by the nearest year.
    """

    titles: tuple[tuple[str, tuple[str, ...]], ...] = ()
    orders: tuple[tuple[str, ...], ...] = ()
    phrases: tuple[Phrase, ...] = ()
    prohibited: tuple[Word, ...] = ()
    advertising: tuple[Word, ...] = ()
    ignored: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    passed: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    off: frozenset[str] = frozenset()
    own_hosts: tuple[str, ...] = ()
    today: date | None = None


Findings = Iterator[Finding]
