"""The office's own lists: people and their titles, orders of names, fixed phrases, words it does not want."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

from nlp.checking.base import Finding, Findings, Phrase, Policy, Severity, Word, made
from nlp.checking.spelling import alike
from nlp.checking.words import lines, listed, one_of

# Titles that anybody bears; longer ones first, so that 副市长 is never read as 市长.
_RANKS = (
    "市委书记|县委书记|区委书记|省委书记|镇党委书记|乡党委书记|街道党工委书记|党委书记|党组书记|党工委书记|副书记|书记"
    "|人大常委会主任|人大常委会副主任|人大主任|政协主席|政协副主席|副主席|主席|常务副市长|副市长|代市长|市长|常务副县长|副县长|代县长|县长"
    "|常务副区长|副区长|区长|副省长|省长|副镇长|镇长|副乡长|乡长|秘书长|副秘书长|副局长|局长|副主任|主任|副部长|部长|副厅长|厅长"
    "|副院长|院长|副检察长|检察长|市委常委|县委常委|区委常委|政法委书记|纪委书记|监委主任|组织部部长|宣传部部长|统战部部长"
)
_TITLE = "(?:[省市县区镇乡州]?(?:人民政府|政府|委|政协|人大常委会|人大)?(?:" + _RANKS + "))"
_LIST = re.compile(r"[、和及与,，\s]+")


def find(text: str, policy: Policy) -> Findings:
    """What the lists of ``policy`` and the shipped phrases and advertising words say against ``text``."""
    yield from _titles(text, policy)
    yield from _orders(text, policy)
    yield from _phrases(text, policy)
    yield from _words(text, "prohibited", policy.prohibited)
    yield from _words(text, "advertising", (*_adverts(), *policy.advertising))


# People and titles


def _titles(text: str, policy: Policy) -> Findings:
    borne = tuple({title for _name, titles in policy.titles for title in titles})
    letters = set(text)
    for name, titles in policy.titles:
        if letters.issuperset(name):
            yield from _of_person(text, name, titles, borne)
    if policy.titles and any(name[0] in text for name, _titles_ in policy.titles):
        yield from _misspelt(text, policy)


def _of_person(text: str, name: str, titles: tuple[str, ...], borne: tuple[str, ...]) -> Findings:
    at = text.find(name)
    while at >= 0:
        end = at + len(name)
        before = _BEFORE.search(text[max(0, at - 40) : at])
        after = _AFTER.match(text[end : end + 16])
        if before:
            yield from _judged(text, at - len(before[0]), end, before[0], name, titles, borne, leading=True)
        elif after:
            yield from _judged(text, at, end + after.end(), after[0], name, titles, borne, leading=False)
        at = text.find(name, end)


_BEFORE = re.compile(f"{_TITLE}(?:[、，]{_TITLE}){{0,3}}$")
_AFTER = re.compile(_TITLE)


def _judged(
    text: str, start: int, end: int, said: str, name: str, titles: tuple[str, ...], borne: tuple[str, ...], *,
    leading: bool,
) -> Findings:  # fmt: skip
    """A title is right when it is one of the person's, or the end of one (书记 for 市委书记). Somebody else's title is
    the gravest slip; one that nobody on the list bears may only be missing there."""
    wrong = [part for part in re.split("[、，]", said) if part and not _fits(part, titles)]
    if not wrong:
        return
    best = titles[0] if titles else ""
    right = (f"{best}{name}" if leading else f"{name}{best}") if best else ""
    severity = None if any(_fits(part, borne) for part in wrong) else Severity.error
    yield made(
        "title", text, start, end, *([right] if right else []), severity=severity, name=name, titles="、".join(titles)
    )


def _fits(said: str, titles: tuple[str, ...]) -> bool:
    bare = re.sub("^[省市县区镇乡州](?=人民政府|政府|政协|人大)|人民政府|政府", "", said)
    return any(
        title == said or (title.endswith(bare) and not title.removesuffix(bare).endswith("副")) for title in titles
    )


def _misspelt(text: str, policy: Policy) -> Findings:
    """A title the list knows, followed by a name that differs from its bearer's in one character."""
    known = {name for name, _titles_ in policy.titles}
    for title, names in _bearers(policy.titles).items():
        at = text.find(title)
        while at >= 0:
            start = at + len(title)
            for name in names.get(text[start : start + 1], ()):
                said = text[start : start + len(name)]
                if _one_off(said, name) and said not in known:
                    yield made("title.name", text, start, start + len(said), name, title=title)
            at = text.find(title, start)


@lru_cache(maxsize=64)
def _bearers(titles: tuple[tuple[str, tuple[str, ...]], ...]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Title → surname → names that bear it: many bear the same, and it is looked for once."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, borne in titles:
        for title in borne:
            names = found.setdefault(title, {})
            names[name[0]] = (*names.get(name[0], ()), name)
    return found


def _one_off(said: str, name: str) -> bool:
    """One differing character in a name of three or more that otherwise agrees, surname included."""
    if len(said) != len(name) or len(name) < 3 or said[0] != name[0]:
        return False
    return sum(a != b for a, b in zip(said, name, strict=True)) == 1


def _orders(text: str, policy: Policy) -> Findings:
    for order in policy.orders:
        rank = {name: number for number, name in enumerate(order)}
        if sum(name in text for name in order) < 2:
            continue
        for run in _runs(text, order):
            ranks = [rank[name] for _at, name in run]
            if any(a > b for a, b in pairwise(ranks)):
                start, end = run[0][0], run[-1][0] + len(run[-1][1])
                right = "、".join(sorted((name for _at, name in run), key=rank.__getitem__))
                yield made("order", text, start, end, right)


def _runs(text: str, order: tuple[str, ...]) -> Iterable[list[tuple[int, str]]]:
    """Names of the list that follow each other with nothing but list marks and titles between them."""
    run: list[tuple[int, str]] = []
    for match in _any_of(order).finditer(text):
        between = text[run[-1][0] + len(run[-1][1]) : match.start()] if run else ""
        if run and not _BETWEEN.fullmatch(between):
            yield run
            run = []
        run.append((match.start(), match[0]))
    if run:
        yield run


_BETWEEN = re.compile(f"[、和及与，,\\s]{{1,3}}(?:{_TITLE})?")


@lru_cache(maxsize=256)
def _any_of(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(sorted(map(re.escape, words), key=len, reverse=True)))


# Fixed phrases


def _phrases(text: str, policy: Policy) -> Findings:
    phrases = (*_shipped(), *policy.phrases)
    threes = {text[at : at + ANCHOR] for at in range(len(text))}  # once, rather than a look for each of a thousand
    for phrase in phrases:
        yield from _slips_of(text, phrase)
        right = phrase.right
        if len(right) >= SHORTEST and not threes.isdisjoint((right[:ANCHOR], right[-ANCHOR:])):
            yield from _near(text, phrase)
    yield from _quoted(text, phrases)


ANCHOR = 3  # characters at the head or at the tail of a phrase that have to be right
SHORTEST = 6  # shorter phrases have too many neighbours that are right,
QUOTED = 4  # except these in quotation marks: “四个意思” is a slip, 有四个意思 is none


@lru_cache(maxsize=1)
def _shipped() -> tuple[Phrase, ...]:
    """Slip → phrase lists that hold everywhere: ``right`` or ``right=slip|slip``."""
    made_of = (line.partition("=") for line in lines("phrases.txt"))
    return tuple(Phrase(right, tuple(slips.split("|")) if slips else ()) for right, _sign, slips in made_of)


def _slips_of(text: str, phrase: Phrase) -> Findings:
    for slip in phrase.slips:
        at = text.find(slip)
        while at >= 0:
            end = at + len(slip)
            if not _inside(text, at, end, phrase.right):
                yield made("phrase", text, at, end, phrase.right, severity=phrase.severity)
            at = text.find(slip, end)


def _inside(text: str, start: int, end: int, right: str) -> bool:
    """Whether the slip is only a part of the right phrase standing there."""
    found = text.find(right, max(0, start - len(right)), end + len(right))
    return found >= 0 and found <= start and end <= found + len(right)


def _near(text: str, phrase: Phrase) -> Findings:
    """Text that begins and ends like the phrase and is nearly it: a character or a member changed, lost or swapped."""
    right = phrase.right
    members = right.split("、")
    if len(members) >= 3:
        yield from _list_slips(text, right, tuple(members), phrase.severity)
        return
    for start, end in _candidates(text, right):
        yield made("phrase", text, start, end, right, severity=phrase.severity)


def _quoted(text: str, phrases: tuple[Phrase, ...]) -> Findings:
    """Short phrases in quotation marks with one character written for another of its sound or shape."""
    by_half = _short_by_half(phrases) if "“" in text else {}
    for match in _QUOTED.finditer(text):
        said = match[1]
        for phrase in (*by_half.get((0, said[:2]), ()), *by_half.get((2, said[2:]), ())):
            differs = [(one, other) for one, other in zip(said, phrase.right, strict=True) if one != other]
            if len(differs) == 1 and differs[0][1] in alike().get(differs[0][0], ()):
                yield made("phrase", text, match.start(1), match.end(1), phrase.right, severity=phrase.severity)


_QUOTED = re.compile(f"“([\u4e00-\u9fff]{{{QUOTED}}})”")


@lru_cache(maxsize=64)
def _short_by_half(phrases: tuple[Phrase, ...]) -> dict[tuple[int, str], tuple[Phrase, ...]]:
    """(0 or 2, the first or the last two characters) → phrases of four."""
    found: dict[tuple[int, str], tuple[Phrase, ...]] = {}
    for phrase in phrases:
        if len(phrase.right) == QUOTED:
            for key in ((0, phrase.right[:2]), (2, phrase.right[2:])):
                found[key] = (*found.get(key, ()), phrase)
    return found


def _candidates(text: str, right: str) -> Iterable[tuple[int, int]]:
    """(start, end) of what is one slip off the phrase and begins or ends like it."""
    size, done = len(right), 0
    for at, from_head in _anchors(text, right):
        for length in (size, size - 1, size + 1):
            start = at if from_head else at + ANCHOR - length
            end = start + length
            if start < done or end > len(text) or _is_phrase_there(text, start, end, right):
                continue
            said = text[start:end]
            if _distance_one(said, right) and _has_its_ends(said, right):
                yield start, end
                done = end
                break


def _anchors(text: str, right: str) -> list[tuple[int, bool]]:
    """(place, whether it is the head) of every head and tail of the phrase, in reading order."""
    found = []
    for part, is_head in ((right[:ANCHOR], True), (right[-ANCHOR:], False)):
        at = text.find(part)
        while at >= 0:
            found.append((at, is_head))
            at = text.find(part, at + 1)
    return sorted(found)


def _has_its_ends(said: str, right: str) -> bool:
    """Whether it begins and ends as the phrase does, or with a character of that sound or shape: 各项规定精神 is no
    slip of 八项规定精神, and 人类命运共同塑造 none of 人类命运共同体."""
    return all(
        one == other or (len(said) == len(right) and other in alike().get(one, ()))
        for one, other in ((said[0], right[0]), (said[-1], right[-1]))
    )


def _is_phrase_there(text: str, start: int, end: int, right: str) -> bool:
    """Whether what stands there is the phrase with a neighbour, or it begins with all of it."""
    return right in text[max(0, start - 1) : end + 1]


def _distance_one(said: str, right: str) -> bool:
    """One character changed, lost or added, or two neighbours swapped."""
    at = 0
    while at < min(len(said), len(right)) and said[at] == right[at]:
        at += 1
    if len(said) == len(right):
        return said[at + 1 :] == right[at + 1 :] or (
            said[at : at + 2] == right[at : at + 2][::-1] and said[at + 2 :] == right[at + 2 :]
        )
    longer, shorter = (said, right) if len(said) > len(right) else (right, said)
    return abs(len(said) - len(right)) == 1 and longer[at + 1 :] == shorter[at:]


def _list_slips(text: str, right: str, members: tuple[str, ...], severity: Severity | None) -> Findings:
    """A list of members with one missing, added, changed or out of order."""
    for match in _list_pattern(members).finditer(text):
        said = [part for part in re.split("[、，]", match[0]) if part]
        wanted = [part for member in members for part in re.split("[，]", member)]
        if said == wanted or len(set(said) & set(wanted)) < max(2, len(wanted) - 2):
            continue
        if len(said) >= len(wanted) - 1:
            yield made("phrase", text, match.start(), match.end(), right, severity=severity)


@lru_cache(maxsize=512)
def _list_pattern(members: tuple[str, ...]) -> re.Pattern[str]:
    parts = {part for member in members for part in member.split("，")}
    one = "|".join(sorted(map(re.escape, parts), key=len, reverse=True))
    other = r"[\u4e00-\u9fff]{2,6}?"
    first = re.escape(members[0].split("，")[0])
    return re.compile(f"{first}(?:[、，](?:{one}|{other}(?=[、，]|[的“”。；]|$))){{2,{len(parts) + 1}}}")


# Words the office does not want


def _words(text: str, rule: str, unwanted: tuple[Word, ...]) -> Findings:
    if not unwanted:
        return
    pattern, by_word = _unwanted(unwanted)
    for match in pattern.finditer(text):
        word = by_word[match[0]]
        if rule == "advertising" and _harmless(text, match):
            continue
        yield made(
            rule, text, match.start(), match.end(), *([word.instead] if word.instead else []), severity=word.severity
        )


@lru_cache(maxsize=64)
def _unwanted(unwanted: tuple[Word, ...]) -> tuple[re.Pattern[str], dict[str, Word]]:
    by_word = {word.word: word for word in unwanted}
    return re.compile("|".join(sorted(map(re.escape, by_word), key=len, reverse=True))), by_word


@lru_cache(maxsize=1)
def _adverts() -> tuple[Word, ...]:
    return tuple(Word(word) for line in lines("advertising.txt") for word in line.split())


# 国家级 (of nature reserves, titles, projects) and 最佳 (of awards) are ordinary words of offices; what is sold is not.
@lru_cache(maxsize=1)
def _praise() -> tuple[frozenset[str], re.Pattern[str]]:
    return frozenset(listed("praise")), re.compile(one_of("goods"))


def _harmless(text: str, match: re.Match[str]) -> bool:
    praise, goods = _praise()
    if match[0] not in praise:
        return False
    return not goods.search(text, max(0, match.start() - 12), match.end() + 12)


def shadowed(found: Finding) -> bool:
    """Whether a finding is of the office's own lists: these win over general rules."""
    return found.group in ("title", "order", "phrase", "prohibited")
