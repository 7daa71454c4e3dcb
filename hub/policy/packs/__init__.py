"""Policy packs: clock presets and thresholds with the rule each comes from, typed, versioned, overridable."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from hub.models import CaseClass
from hub.policy.calendar import Calendar, Span, built_in_days

DEFAULT = Path(__file__).parent / "default.toml"
OVERRIDE = "policy.toml"


class BadPolicy(ValueError):
    """A pack that cannot be used; the text names the key."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One span and the rule it comes from; shown side by side."""

    span: Span
    source: str


@dataclass(frozen=True, slots=True)
class Clocks:
    """The presets of one class of cases."""

    label: str
    round_the_clock: bool
    accept: Limit
    sign: Limit
    finish: Limit
    hand_back: Limit
    review: Limit
    follow_up: Limit
    extension: Limit


@dataclass(frozen=True, slots=True)
class Figure:
    """One threshold and the rule it comes from."""

    value: float
    source: str


@dataclass(frozen=True)
class Policy:
    """A pack in force."""

    version: str
    name: str
    calendar: Calendar
    classes: Mapping[CaseClass, Clocks]
    limits: Mapping[str, Figure]
    routing: Mapping[str, Figure]

    def clocks(self, urgency: CaseClass) -> Clocks:
        """The presets of a class."""
        return self.classes[urgency]

    def days(self, name: str) -> timedelta:
        """A limit in days as a length."""
        return timedelta(days=self.limits[name].value)

    def count(self, name: str) -> int:
        """A limit as a number of times."""
        return int(self.limits[name].value)


LIMITS = frozenset({"reopen_days", "returns", "redos", "ask_days", "suspend_days", "old_after_days", "soon_share"})
ROUTING = frozenset({"certain", "lead", "suggest"})
_CLOCKS = ("accept", "sign", "finish", "hand_back", "review", "follow_up", "extension")


def parse(text: str, over: str = "") -> Policy:
    """A pack from TOML, with another pack's keys laid over it. BadPolicy names what is missing or wrong."""
    try:
        data = _laid_over(tomllib.loads(text), tomllib.loads(over))
        return Policy(
            version=str(data["version"])[:12],
            name=str(data["name"]),
            calendar=Calendar(built_in_days(), _hours(data["hours"]["blocks"])),
            classes={kind: _clocks(data["classes"][kind.value]) for kind in CaseClass},
            limits=_figures(data["limits"], LIMITS),
            routing=_figures(data["routing"], ROUTING),
        )
    except KeyError as missing:
        raise BadPolicy(f"missing in the policy pack: {missing}") from None
    except (TypeError, ValueError) as wrong:
        raise BadPolicy(f"policy pack: {wrong}") from None


def _laid_over(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in over.items():
        under = merged.get(name)
        merged[name] = _laid_over(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged


def _hours(blocks: list[list[str]]) -> tuple[tuple[time, time], ...]:
    return tuple((time.fromisoformat(start), time.fromisoformat(end)) for start, end in blocks)


def _clocks(row: dict[str, Any]) -> Clocks:
    limits = {name: Limit(Span.parse(row[name]["span"]), str(row[name]["source"])) for name in _CLOCKS}
    return Clocks(label=str(row["label"]), round_the_clock=bool(row["round_the_clock"]), **limits)


def _figures(rows: dict[str, Any], names: frozenset[str]) -> dict[str, Figure]:
    return {name: Figure(float(rows[name]["value"]), str(rows[name]["source"])) for name in names}


@lru_cache(maxsize=1)
def default() -> Policy:
    """The pack shipped with the hub."""
    return parse(DEFAULT.read_text(encoding="utf-8"))


@lru_cache(maxsize=8)
def in_force(data: Path) -> Policy:
    """The shipped pack with the office's ``policy.toml`` of its data folder laid over it; read once per process."""
    own = data / OVERRIDE
    if not own.exists():
        return default()
    return parse(DEFAULT.read_text(encoding="utf-8"), own.read_text(encoding="utf-8"))
