"""Read what a writer wants, how urgent it is and whether it is sensitive, from lists of words that anyone may edit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

REQUESTS = ("举报", "投诉", "求助", "建议", "咨询", "表扬")  # on equal weight the graver one wins
URGENCIES = ("danger", "crowd", "outage", "deadline")
_LOOK = 6_000  # characters looked at: a cue later than that is no cue
_DENIED = re.compile(
    r"(?:预防|防止|防范|避免|杜绝|谨防|不会|不再|没有|并未|未曾|已恢复|演练|演习|不存在|消除|解除)[^,。!?;\n]{0,3}$"
)
_RUMOUR = re.compile(r"^[^,。!?;\n]{0,4}(?:演练|演习|知识|通知单|预案|应急预案|宣传)")
_QUESTION_END = re.compile(r"(?:吗|呢|么|\?)[?!。\s]*$")


@dataclass(frozen=True, slots=True)
class WordList:
    """Words of several kinds as one pattern; ``kinds`` says what each word stands for."""

    pattern: re.Pattern[str]
    kinds: Mapping[str, str]

    def found(self, text: str) -> list[tuple[str, str, int]]:
        """(kind, word, position), in reading order, longest word first at each place."""
        return [(self.kinds[hit[0]], hit[0], hit.start()) for hit in self.pattern.finditer(text, 0, _LOOK)]


def word_list(pairs: Iterable[tuple[str, str]]) -> WordList:
    """Build from (kind, word); of a word named twice the first kind holds."""
    kinds: dict[str, str] = {}
    for kind, word in pairs:
        kinds.setdefault(word, kind)
    longest = sorted(kinds, key=lambda word: (-len(word), word))
    return WordList(re.compile("|".join(map(re.escape, longest)) or r"(?!)"), kinds)


@cache
def _pairs(name: str) -> tuple[tuple[str, str], ...]:
    lines = files("nlp").joinpath("lexicons", f"{name}.txt").read_text(encoding="utf-8").splitlines()
    rows = (line.split() for line in lines if line.strip() and not line.startswith("#"))
    return tuple((row[0], word) for row in rows for word in row[1:])


@cache
def _listed(name: str, extra: tuple[str, ...] = ()) -> WordList:
    return word_list([*_pairs(name), *(("office", word) for word in extra)])


def request_kind(title: str, body: str, positive: float) -> str:
    """咨询 | 求助 | 投诉 | 举报 | 建议 | 表扬 or "". ``positive``: probability of a positive tone, which praise needs."""
    weights = dict.fromkeys(REQUESTS, 0.0)
    for part, factor in ((title, 2.0), (body, 1.0)):
        for kind, word in {(kind, word) for kind, word, _ in _listed("requests").found(part)}:
            weights[kind[:-1]] += factor * int(kind[-1])
    if _QUESTION_END.search(title or body[-40:]):
        weights["咨询"] += 2.0
    weights["表扬"] *= 2.0 if positive >= 0.6 else 0.25
    best = max(REQUESTS, key=lambda kind: weights[kind])
    return best if weights[best] >= 2.0 else ""


def urgency(text: str) -> tuple[str, tuple[str, ...]]:
    """The gravest cue class and its words; cues that are denied or only practised do not count."""
    found = [(kind, word) for kind, word, at in _listed("urgency").found(text) if _meant(text, word, at)]
    kinds = {kind for kind, _ in found}
    for kind in URGENCIES:
        if kind in kinds:
            return kind, tuple(dict.fromkeys(word for other, word in found if other == kind))
    return "", ()


def sensitive_words(text: str, extra: Sequence[str] = ()) -> tuple[str, ...]:
    """The sensitive words of the text: the short list shipped, and ``extra`` of the office."""
    hits = _listed("sensitive", tuple(extra)).found(text)
    return tuple(dict.fromkeys(word for _, word, at in hits if _meant(text, word, at)))


def _meant(text: str, word: str, at: int) -> bool:
    end = at + len(word)
    return not _DENIED.search(text[max(0, at - 8) : at]) and not _RUMOUR.match(text[end : end + 10])
