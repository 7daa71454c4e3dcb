"""Which department a matter belongs to, and why: the office's own rules first, then what was learnt from dispatches,
then the topics departments are in charge of, their duties, their place, and whom the citizen names. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hub.i18n import N_
from hub.models import Department
from hub.policy.packs import Policy
from nlp.base import Label, Place, Text
from nlp.clean import clean, without_mentions
from nlp.named import departments as named_in
from nlp.offices import TOPIC_SURE, Gate, Ground, Learnt, Matter
from nlp.watch import Matcher

BY_RULE, BY_LEARNT = N_("派单规则"), N_("以往派单")
BY_TOPIC, BY_DUTY, BY_PLACE, BY_NAME = N_("分类归口"), N_("职责词"), N_("属地"), N_("来信点名")
# One duty word says something, three say it well: 0.5, 0.75, 0.88. Where those of one department alone stand in a
# letter (379 of 922 public ones whose answer names one office), it was that one in 73 %.
_DUTY_P = 0.5
# A topic says what a matter is about, a duty word whose it is: of 100 letters where the one department's duty words
# stood against the sure topic of another, 51 were the former's and 31 the latter's. So it counts less against them.
_OTHERS_DUTY = 0.6
# A street or district office is meant when it is named, unless the matter is a bureau's own.
_PLACE_P = 0.5
# A department that is named is meant more often than not; now and then it is the one that would not help.
_NAME_P = 0.6
_NAME_END = re.compile(r"(?:部门|委员会|办公室|中心|单位|局|委|办)$")
_PLACE_LEVELS = frozenset({"district", "street"})
# So many signs of a message are shown to the learnt router.
SIGNS = 3
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
class OfficeRule:
    """One of the office's own rules. Everything given must hold; ``has_keywords``: the guide's matcher knows which."""

    id: int
    name: str
    department_id: int
    topic: str = ""
    place: str = ""
    account_id: int | None = None
    has_keywords: bool = False
    may_dispatch: bool = False


@dataclass(frozen=True)
class Guide:
    """What the office has set and taught: rules in their order, their keywords by rule id, the learnt router."""

    rules: tuple[OfficeRule, ...] = ()
    matcher: Matcher = field(default_factory=lambda: Matcher({}))
    learnt: Learnt | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """What is known of a message beside topic, places and text: account, the one place it is counted for, index tokens,
    telling words; ``asks``: False for mere praise."""

    account_id: int = 0
    place: str = ""
    tokens: str = ""
    keywords: tuple[str, ...] = ()
    asks: bool = True


NO_GUIDE, NOTHING_BESIDE = Guide(), Beside()


def beside_of(
    account_id: int, place: str, tokens: str, keywords: Sequence[str], request: str, sentiment: str
) -> Beside:
    """From what a message and its tags say, and the tokens of the index."""
    return Beside(account_id, place, tokens, tuple(keywords), not is_praise(request, sentiment))


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One department with what speaks for it. ``p`` in 0..1, 1 for a rule; ``rule`` is one of the BY_ words, source
    language; ``rule_id``, ``rule_name``: which of the office's rules; ``backed``: the hub may dispatch it only because
    what was learnt and the signs say the same; ``is_named``: the citizen names it."""

    department_id: int
    department: str
    rule: str
    words: tuple[str, ...]
    p: float
    rule_id: int | None = None
    rule_name: str = ""
    backed: bool = False
    is_named: bool = False

    def as_data(self) -> dict[str, Any]:
        """Plain values, as they come back from the database."""
        data: dict[str, Any] = {
            "department_id": self.department_id, "department": self.department, "rule": self.rule,
            "words": list(self.words), "p": self.p,
        }  # fmt: skip
        data |= {"backed": True} if self.backed else {}
        return data if self.rule_id is None else data | {"rule_id": self.rule_id, "rule_name": self.rule_name}


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


def route(
    candidates: Sequence[Candidate], topic: Label, places: Sequence[Place], text: str, policy: Policy,
    guide: Guide = NO_GUIDE, beside: Beside = NOTHING_BESIDE, signs: Sequence[Suggestion] | None = None,
) -> Routed:  # fmt: skip
    """The top two departments with reasons. ``text``: title, line break, body. ``signs``: when worked out already.

    A rule that fits comes first; it may be sure when it may dispatch. Otherwise one may be that is far ahead of all
    others by the policy's figures; the learnt router also needs telling words and its own record behind it, or signs
    that are sure of the same (:meth:`Learnt.ground`), and where the citizen names departments, it is one of these.
    None is sure of mere praise, or where it goes by a topic that is not.
    """
    otherwise = unruled(candidates, topic, places, text, policy, guide.learnt, beside, signs)
    return ruled(otherwise, candidates, topic, places, text, guide, beside)


def unruled(
    candidates: Sequence[Candidate], topic: Label, places: Sequence[Place], text: str, policy: Policy,
    learnt: Learnt | None, beside: Beside, signs: Sequence[Suggestion] | None = None,
) -> Routed:  # fmt: skip
    """What was learnt and the signs say, before any rule is asked."""
    by_signs = signs if signs is not None else by_signs_of(candidates, topic, places, text)
    matter = matter_of(topic, text, beside, by_signs, policy)
    ranked = _by_learnt(candidates, topic, learnt, beside, by_signs, matter)
    if not ranked or learnt is None:
        is_sure = matter.backed is not None and _may_be_sure(matter)
        return _decided(by_signs, policy, is_sure=is_sure and _heeds(by_signs, by_signs))
    ground = learnt.ground(matter, [(one.department_id, one.p) for one in ranked], gate_of(policy))
    if ground is Ground.backed:
        ranked[0] = replace(ranked[0], backed=True)
    return _decided(ranked, policy, is_sure=ground is not Ground.no and _heeds(by_signs, ranked))


def ruled(
    otherwise: Routed, candidates: Sequence[Candidate], topic: Label, places: Sequence[Place], text: str,
    guide: Guide, beside: Beside,
) -> Routed:  # fmt: skip
    """The first of the office's rules that fits, with ``otherwise`` behind it; ``otherwise`` itself where none does."""
    found = _by_rule(candidates, topic, places, text, guide, beside)
    return otherwise if found is None else _ruled(*found, topic, beside, otherwise)


def gate_of(policy: Policy) -> Gate:
    """The office's figures for a dispatch by the hub."""
    return Gate(policy.routing["certain"].value, policy.routing["lead"].value)


def is_praise(request: str, sentiment: str) -> bool:
    """Whether somebody thanks or praises and asks for nothing: that needs no department at once."""
    return request == "表扬" or (not request and sentiment == "positive")


def _heeds(by_signs: Sequence[Suggestion], ranked: Sequence[Suggestion]) -> bool:
    """Whom a citizen names is not passed over by the hub alone."""
    named = {sign.department_id for sign in by_signs if sign.is_named}
    return not named or (bool(ranked) and ranked[0].department_id in named)


def _may_be_sure(matter: Matter) -> bool:
    return matter.asks and matter.topic_p >= TOPIC_SURE


def _sure_sign(by_signs: Sequence[Suggestion], policy: Policy) -> int | None:
    """The department signs are sure of by the policy's figures."""
    gate, (first, second) = gate_of(policy), [*by_signs, None, None][:2]
    ahead = first is not None and first.p - (second.p if second else 0.0) >= gate.lead
    return first.department_id if first is not None and ahead and first.p >= gate.certain else None


def _decided(ranked: Sequence[Suggestion], policy: Policy, *, is_sure: bool) -> Routed:
    least = policy.routing["suggest"].value
    best = tuple(suggestion for suggestion in ranked if suggestion.p >= least)[:2]
    if not best:
        return Routed(None, "", (), 0.0, None, is_sure=False, suggestions=())
    first, second = best[0], best[1] if len(best) > 1 else None
    return Routed(first.department_id, first.rule, first.words, first.p, second, is_sure, best)


def _ruled(rule: OfficeRule, first: Suggestion, topic: Label, beside: Beside, otherwise: Routed) -> Routed:
    """By a rule; the best of the others stands second. Mere praise goes to a person, and so does a doubtful topic."""
    is_sure = rule.may_dispatch and beside.asks and (not rule.topic or topic.p >= TOPIC_SURE)
    second = next((one for one in otherwise.suggestions if one.department_id != first.department_id), None)
    best = (first, second) if second else (first,)
    return Routed(first.department_id, first.rule, first.words, first.p, second, is_sure, best)


def _by_rule(
    candidates: Sequence[Candidate], topic: Label, places: Sequence[Place], text: str, guide: Guide, beside: Beside
) -> tuple[OfficeRule, Suggestion] | None:
    """The first of the office's rules that fits; rules for closed departments never do."""
    if not guide.rules:
        return None
    names = {candidate.id: candidate.name for candidate in candidates}
    title, _line, body = text.partition("\n")
    keywords = {hit.key: hit.words for hit in guide.matcher.match(Text(body, title))}
    for rule in guide.rules:
        words = _fits(rule, topic, places, keywords.get(rule.id), beside)
        if words is not None and rule.department_id in names:
            shown = Suggestion(
                rule.department_id, names[rule.department_id], BY_RULE, words[:8], 1.0, rule.id, rule.name
            )
            return rule, shown
    return None


def _fits(
    rule: OfficeRule, topic: Label, places: Sequence[Place], keywords: tuple[str, ...] | None, beside: Beside
) -> tuple[str, ...] | None:
    """What made the rule fit, in words; None when it does not."""
    if rule.has_keywords and keywords is None:
        return None
    if rule.topic and rule.topic != topic.value:
        return None
    if rule.account_id is not None and rule.account_id != beside.account_id:
        return None
    near = (place.name for place in places if rule.place and rule.place in f"{place.within}{place.name}".lower())
    where = next(near, "")
    if rule.place and not where:
        return None
    return tuple(dict.fromkeys([*(keywords or ()), *([where] if where else []), *([rule.topic] if rule.topic else [])]))


def _by_learnt(
    candidates: Sequence[Candidate],
    topic: Label,
    learnt: Learnt | None,
    beside: Beside,
    by_signs: Sequence[Suggestion],
    matter: Matter,
) -> list[Suggestion]:
    """What the office's own dispatches say; empty when nothing was learnt, or when the best sign points at a department
    of which nothing was learnt yet."""
    if learnt is None or not beside.tokens:
        return []
    if by_signs and by_signs[0].department_id not in learnt.labels:
        return []
    names = {candidate.id: candidate.name for candidate in candidates}
    prefer = _telling(topic, beside, by_signs)
    ranked = [(number, p) for number, p in learnt.ranked(matter) if number in names]
    signs = {sign.department_id: sign.words for sign in by_signs}

    def why(number: int) -> tuple[str, ...]:
        return learnt.why(matter, number, prefer) or signs.get(number, ())

    return [
        Suggestion(number, names[number], BY_LEARNT, why(number) if n < 2 else (), p)
        for n, (number, p) in enumerate(ranked)
    ]


def _telling(topic: Label, beside: Beside, by_signs: Sequence[Suggestion]) -> dict[str, None]:
    """The words a message is about: its keywords, those behind its topic, those that are signs."""
    return dict.fromkeys([*beside.keywords, *topic.words, *(word for sign in by_signs[:SIGNS] for word in sign.words)])


def matter_of(
    topic: Label, text: str, beside: Beside, by_signs: Sequence[Suggestion], policy: Policy
) -> Matter:  # fmt: skip
    """As the learnt router sees a message: without the names it calls (@栖澜发布), which say nothing of the matter."""
    said = without_mentions(text)
    tokens = beside.tokens.split()
    if said is not text:
        said = said.lower()
        tokens = [token for token in tokens if token in said]
    known = {*tokens}
    return Matter(
        " ".join(tokens), topic.value, topic.p, beside.place, str(beside.account_id) if beside.account_id else "",
        tuple((sign.department_id, sign.p) for sign in by_signs[:SIGNS]),
        tuple(word for word in _telling(topic, beside, by_signs) if word in known),
        _sure_sign(by_signs, policy), beside.asks,
    )  # fmt: skip


def stored_places(places: Sequence[dict[str, Any]]) -> list[Place]:
    """Places as a tagging keeps them; one a person typed has no level and names a department if it can."""
    return [
        Place(
            one["name"], one.get("level") or "district", 0, 0, "", bool(one.get("ambiguous")), one.get("within") or ""
        )
        for one in places
    ]


def by_signs_of(
    candidates: Sequence[Candidate], topic: Label, places: Sequence[Place], text: str
) -> list[Suggestion]:  # fmt: skip
    """What topics, duties, places and names say, the best first; accounts called (@栖澜城管) are neither."""
    text = without_mentions(text)
    named = _named(candidates, text)
    duties = {one.id: tuple(word for word in one.duties if word in text) for one in candidates}
    weighed = (_weigh(candidate, candidates, topic, places, duties, named) for candidate in candidates)
    found = [suggestion for suggestion in weighed if suggestion is not None]
    return sorted(found, key=lambda suggestion: (-suggestion.p, suggestion.department_id))


def _weigh(
    candidate: Candidate, everybody: Sequence[Candidate], topic: Label, places: Sequence[Place],
    duties: Mapping[int, tuple[str, ...]], named: Mapping[int, tuple[str, ...]],
) -> Suggestion | None:  # fmt: skip
    """All that speaks for one department, joined as independent signs."""
    signs = [
        _by_topic(candidate, everybody, topic, duties),
        _by_duty(duties[candidate.id]),
        _by_place(candidate, places),
        (_NAME_P if candidate.id in named else 0.0, BY_NAME, named.get(candidate.id, ())),
    ]
    strong = sorted((sign for sign in signs if sign[0] > 0), key=lambda sign: -sign[0])
    if not strong:
        return None
    against = 1.0
    for p, _rule, _words in strong:
        against *= 1 - p
    words = tuple(dict.fromkeys(word for _p, _rule, given in strong for word in given))[:8]
    is_named = candidate.id in named
    return Suggestion(candidate.id, candidate.name, strong[0][1], words, round(1 - against, 4), is_named=is_named)


Sign = tuple[float, str, tuple[str, ...]]


def _by_topic(
    candidate: Candidate, everybody: Sequence[Candidate], topic: Label, duties: Mapping[int, tuple[str, ...]]
) -> Sign:
    """A topic shared by several departments says less about each of them, and so does one against others' duties."""
    p = 0.0
    for value, given in ((topic.value, topic.p), (topic.second, topic.p_second)):
        if value and value in candidate.topics:
            sharing = sum(value in other.topics for other in everybody)
            p = max(p, given / sharing)
    if not duties[candidate.id]:
        p *= _OTHERS_DUTY if any(duties.values()) else 1.0
    return p, BY_TOPIC, topic.words if p else ()


def _by_duty(hits: tuple[str, ...]) -> Sign:
    return 1 - (1 - _DUTY_P) ** len(hits) if hits else 0.0, BY_DUTY, hits


def _by_place(candidate: Candidate, places: Sequence[Place]) -> Sign:
    hits = tuple(
        place.name
        for place in places
        if place.level in _PLACE_LEVELS and not place.ambiguous and place.name in candidate.name
    )
    return _PLACE_P if hits else 0.0, BY_PLACE, hits


def _named(candidates: Sequence[Candidate], text: str) -> dict[int, tuple[str, ...]]:
    """The departments a text names, each with the words it does so by; 住建部门 is 市住建局 where no other could be."""
    found: dict[int, tuple[str, ...]] = {}
    for one in named_in(clean(text)):
        stem = _NAME_END.sub("", one.name)
        meant = [each for each in candidates if one.name == each.name] or [
            each for each in candidates if len(stem) > 1 and stem in each.name
        ]
        if len(meant) == 1:
            found[meant[0].id] = (*found.get(meant[0].id, ()), one.name)
    return found
