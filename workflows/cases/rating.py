"""What the citizen says when they are asked after the answer (回访): solved or not, how satisfied. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hub.i18n import N_, _


class Solved(StrEnum):
    """Whether the matter was solved, in the citizen's own eyes; unreached: nobody could ask."""

    yes = "yes"
    partly = "partly"
    no = "no"
    unreached = "unreached"


@dataclass(frozen=True, slots=True)
class Rating:
    """The outcome of asking. ``satisfied``: 1 to 5; None: not said."""

    solved: Solved
    satisfied: int | None = None

    @property
    def is_bad(self) -> bool:
        """Whether closing it all the same needs a reason."""
        return self.solved is Solved.no or (self.satisfied is not None and self.satisfied <= 2)

    def as_data(self) -> dict[str, Any]:
        """For the event: plain values."""
        return {"rating": "asked", "solved": self.solved.value, "satisfied": self.satisfied}


SOLVED_WORDS: Mapping[Solved, str] = {
    Solved.yes: N_("已解决"), Solved.partly: N_("部分解决"), Solved.no: N_("没有解决"),
    Solved.unreached: N_("没有联系上"),
}  # fmt: skip
SATISFIED_WORDS: Mapping[int, str] = {
    5: N_("很满意"), 4: N_("满意"), 3: N_("基本满意"), 2: N_("不满意"), 1: N_("很不满意"),
}  # fmt: skip


def rating_of(solved: str, satisfied: str) -> Rating | None:
    """From a form; None where nobody was asked. What makes no sense counts as not said."""
    if solved not in Solved.__members__:
        return None
    return Rating(Solved(solved), int(satisfied) if satisfied in {"1", "2", "3", "4", "5"} else None)


def reasons_against_rating(rating: Rating, note: str) -> list[str]:
    """Why a case cannot be closed with this outcome."""
    if rating.solved is Solved.unreached and rating.satisfied is not None:
        return [_("没有联系上的，满意度不填")]
    if rating.is_bad and not note.strip():
        return [_("来信人说没有解决或不满意：请写明为什么仍然办结，或者发回重办")]
    return []


def rating_words(data: Mapping[str, Any]) -> list[str]:
    """The outcome an event tells of, for the history."""
    if data.get("rating") == "none":
        return [_("回访期已过，没有评价")]
    if data.get("solved") not in Solved.__members__:
        return []
    words = [_("回访：%(what)s", what=_(SOLVED_WORDS[Solved(data["solved"])]))]
    if data.get("satisfied") in SATISFIED_WORDS:
        words.append(_("满意度：%(what)s（%(n)s/5）", what=_(SATISFIED_WORDS[data["satisfied"]]), n=data["satisfied"]))
    return words
