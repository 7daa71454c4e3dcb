"""Confused words: slips that are wrong anywhere, and words that are wrong only in company.

Both lists are looked up by their first two characters, so a text costs one look per character however long they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from nlp.checking.base import Findings, made

NEAR = 18  # characters to both sides that a condition may look at
# Names of state and party bodies: a slip in one of them is the gravest kind.
_STATE = re.compile(
    "政府|共和国|中华人民|共产党|国务院|党中央|人民代表大会|人大常委会|政协|中共|[省市县区]委书记|人民法院|检察院|人民群众"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One wrong word and when it is one. ``before``, ``after``: what has to stand there; ``not_…``: what must not."""

    wrong: str
    right: str
    rule: str
    before: re.Pattern[str] | None = None
    after: re.Pattern[str] | None = None
    not_before: re.Pattern[str] | None = None
    not_after: re.Pattern[str] | None = None
    near: re.Pattern[str] | None = None
    not_near: re.Pattern[str] | None = None

    def holds(self, text: str, start: int) -> bool:
        """Whether the word at ``start`` is wrong in its company."""
        end = start + len(self.wrong)
        left, right = text[max(0, start - NEAR) : start], text[end : end + NEAR]
        if self.before and not self.before.search(left):
            return False
        if self.after and not self.after.match(right):
            return False
        if (self.not_before and self.not_before.search(left)) or (self.not_after and self.not_after.match(right)):
            return False
        around = f"{left}\n{right}"
        return not ((self.near and not self.near.search(around)) or (self.not_near and self.not_near.search(around)))


def find(text: str) -> Findings:
    """Every confused word."""
    index = _index()
    for start in range(len(text) - 1):
        entries = index.get(text[start : start + 2])
        if entries:
            for entry in entries:
                if text.startswith(entry.wrong, start) and entry.holds(text, start):
                    yield made(entry.rule, text, start, start + len(entry.wrong), entry.right)
                    break


@cache
def _index() -> dict[str, tuple[Entry, ...]]:
    """First two characters → entries, the longest word first."""
    found: dict[str, list[Entry]] = {}
    for entry in (*_slips(), *_contexts()):
        found.setdefault(entry.wrong[:2], []).append(entry)
    return {key: tuple(sorted(entries, key=lambda entry: -len(entry.wrong))) for key, entries in found.items()}


def lines(name: str) -> list[str]:
    """A list of this room, without remarks and empty lines."""
    text = files("nlp.checking").joinpath("lexicons", name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


@cache
def _listed() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in lines("grammar.txt"):
        name, *words = line.split()
        found[name] = (*found.get(name, ()), *words)
    return found


def listed(name: str) -> tuple[str, ...]:
    """The words of one list of ``grammar.txt``."""
    return _listed()[name]


def one_of(name: str) -> str:
    """The words of one list as a regular expression, the longest first."""
    return "|".join(sorted(listed(name), key=len, reverse=True))


def _slips() -> list[Entry]:
    pairs = [pair.split("=") for line in lines("slips.txt") for pair in line.split()]
    return [Entry(wrong, right, _rule(right, "")) for wrong, right in pairs]


def _rule(right: str, mark: str) -> str:
    if mark == "hint":
        return "confusion.hint"
    return "confusion.state" if _STATE.search(right) else "confusion"


def _contexts() -> list[Entry]:
    return [_entry(line.split()) for line in lines("contexts.txt")]


def _entry(parts: list[str]) -> Entry:
    wrong, right, *conditions = parts
    given: dict[str, re.Pattern[str]] = {}
    for condition in conditions:
        sign = next((sign for sign in _SIGNS if condition.startswith(sign)), "")
        if sign:
            name, pattern = _SIGNS[sign]
            given[name] = re.compile(pattern.format(condition.removeprefix(sign)))
    return Entry(wrong, right, _rule(right, "hint" if "hint" in conditions else ""), **given)


_SIGNS = {
    "!<": ("not_before", "(?:{})$"), "!>": ("not_after", "(?:{})"), "!~": ("not_near", "(?:{})"),
    "<": ("before", "(?:{})$"), ">": ("after", "(?:{})"), "~": ("near", "(?:{})"),
}  # fmt: skip
