"""A plan as a form gives it, read into a rule; every problem in words, by field. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.errors import Invalid
from hub.i18n import _
from hub.models import PlanMode, WatchPlan
from nlp import plans
from nlp.plans import MOST_WORDS, BadRule, Rule, Some, Trouble, Word, every_word
from workflows.watching import words
from workflows.watching.words import CLASSES, Pointed, class_label, pointed

MOST_IN_CLASS, MOST_ALERT, LONGEST_ALERT = 100, 100_000, 7 * 24 * 60
_PARTS = re.compile(r"[\n\r、，,；;|｜]+|(?<=[^\x00-\x7f])\s+|(?<!\s)\s+(?=[^\x00-\x7f])")  # a run is tried once
# Signs of the expert mode between Chinese words: in the simple mode they are letters like any other.
_JOINED = re.compile(r"[\u4e00-\u9fff]\s*[+＋&＆/／!！(（]+\s*[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Draft:
    """What a form says. ``classes``: words by class, the stop words under "stop"."""

    name: str = ""
    mode: PlanMode = PlanMode.simple
    classes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    expression: str = ""
    stop: str = ""
    alert_count: int = 0
    alert_minutes: int = 60

    @classmethod
    def of(cls, plan: WatchPlan) -> Draft:
        """As it stands in the database."""
        return cls(plan.name, plan.mode, plan.classes, plan.expression, plan.stop, plan.alert_count, plan.alert_minutes)

    def columns(self) -> dict[str, Any]:
        """What is kept of it; the fields of the other mode are kept empty."""
        simple = self.mode is PlanMode.simple
        classes = {name: list(given) for name, given in self.classes.items() if given}
        return {
            "name": self.name, "mode": self.mode, "classes": classes if simple else {},
            "expression": "" if simple else self.expression, "stop": "" if simple else self.stop,
            "alert_count": self.alert_count, "alert_minutes": self.alert_minutes,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """A draft's rule, or why there is none: sentences by field, and where to look for those that point. ``hints``: what
    can be read and is hardly meant."""

    rule: Rule | None
    problems: dict[str, str]
    pointers: dict[str, Pointed]
    hints: tuple[str, ...] = ()


def split(text: str) -> list[str]:
    """Words as people list them: lines, 、 , ; |, blanks beside Chinese; each once."""
    return list(dict.fromkeys(word for part in _PARTS.split(text) if (word := " ".join(part.split()))))


def read(draft: Draft) -> Reading:
    """The rule of a draft. Never raises."""
    problems: dict[str, str] = {}
    pointers: dict[str, Pointed] = {}
    if draft.mode is PlanMode.simple:
        asked, stop = _simple(draft, problems)
    else:
        asked = _expert("expression", draft.expression, problems, pointers)
        stop = _expert("stop", draft.stop, problems, pointers) if draft.stop.strip() else None
    if asked is not None and stop is not None and not problems and (clash := _both(asked, stop)):
        problems["stop"] = _("「%(word)s」既要出现又被屏蔽，写到它的留言都不会命中，请去掉一处", word=clash)
    if asked is None or problems:
        return Reading(None, problems, pointers)
    rule = plans.without(asked, stop)
    return Reading(rule, {}, {}, (*words.silenced_hints(rule), *_sign_hints(draft)))


def _sign_hints(draft: Draft) -> list[str]:
    if draft.mode is PlanMode.expert:
        return words.sign_hints(f"{draft.expression}\n{draft.stop}")
    typed = [words.short(one) for given in draft.classes.values() for one in given if _JOINED.search(one)][:5]
    return [_("「%(word)s」会连同符号当成一个词来比对。要用 + ! ( )，请转为专家模式。", word=one) for one in typed]


def rule_of(draft: Draft) -> Rule:
    """The rule; Invalid with every problem."""
    reading = read(draft)
    if reading.rule is None:
        raise Invalid(reading.problems)
    return reading.rule


def _simple(draft: Draft, problems: dict[str, str]) -> tuple[Rule | None, Rule | None]:
    for name in (*CLASSES, "stop"):
        if trouble := _class_trouble(draft.classes.get(name, ())):
            problems[name] = _("%(name)s：%(what)s", name=class_label(name), what=trouble)
    if problems:
        return None, None
    asked = plans.from_classes([draft.classes.get(name, ()) for name in CLASSES])
    if asked is None:
        problems["subject"] = _("请至少填写一类词：地域词、主体词、人物词、事件词都可以")
    elif sum(1 for _word in every_word(asked)) > MOST_WORDS:
        problems["subject"] = words.word_trouble(BadRule(Trouble.too_many_words, 0, 0))
    return asked, plans.from_classes([draft.classes.get("stop", ())])


def _class_trouble(given: Sequence[str]) -> str:
    if len(given) > MOST_IN_CLASS:
        return _("最多 %(n)s 个词", n=MOST_IN_CLASS)
    for one in given:
        try:
            plans.word(one)
        except BadRule as bad:
            return words.word_trouble(bad)
    return ""


def _expert(name: str, text: str, problems: dict[str, str], pointers: dict[str, Pointed]) -> Rule | None:
    try:
        return plans.parse(text)
    except BadRule as bad:
        problems[name] = words.trouble(bad, text)
        if text.strip():
            pointers[name] = pointed(bad, text)
        return None


def _both(asked: Rule, stop: Rule) -> str:
    """A word that must not stand and is asked for; empty when there is none."""
    alone = [stop] if isinstance(stop, Word) else list(stop.parts) if isinstance(stop, Some) else []
    stopped = {part.form for part in alone if isinstance(part, Word)}
    return next((word.text for word in plans.words_of(asked) if word.form in stopped), "")


def as_expressions(draft: Draft) -> tuple[str, str]:
    """A draft of the simple mode as the expert mode writes it: what is asked for, and the stop words. Words that cannot
    be read are left out."""
    classes = {name: [one for one in given if not _class_trouble([one])] for name, given in draft.classes.items()}
    asked = plans.from_classes([classes.get(name, ()) for name in CLASSES])
    stop = plans.from_classes([classes.get("stop", ())])
    return (plans.written(asked) if asked is not None else ""), (plans.written(stop) if stop is not None else "")
