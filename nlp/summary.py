"""A matter in a few sentences, each taken word for word from a message: the main points, and who says otherwise."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nlp import clusters, linear, personal
from nlp.clusters import RECIPE, Floats32, Member
from nlp.pipeline import Analyser

MAIN, OTHER = "main", "other"
MOST_TEXTS = 300
_PER_TEXT = 12
_SHORT, _LONG = 8, 120
_ADDRESSED = re.compile(r"(?:\s*@[\w·-]{1,30}[:：]?)*\s*")  # whom it is addressed to says nothing about the matter
_END = re.compile(r"[^。！？!?；;\n]+[。！？!?；;]?")
_CLAIMS = "赞成|点赞|满意|不影响|没有影响|谣言|不属实|造谣|没那么|已经解决|解决了|好多了|有改善|值得肯定"
_STANCE = re.compile(f"(?:我|我们|表示|坚决|很|也|都|应该|值得)支持|{_CLAIMS}")
# Who asks, doubts or thanks in advance takes nobody's side, whatever words they use.
_ASKS = re.compile(
    "[?？吗呢]|希望|恳|望|请|要求|如何|怎么|为什么|为何|何时|不支持|不赞成|不满意|没有?解决|未解决|没有?改善"
)
_THANKS, _BETTER = re.compile("谢"), re.compile("已经解决|解决了|好多了|有改善")
# Nor is it the writer's own word when others are quoted with it (物业说没有影响), when it is taken back
# (解决了，可昨晚又吵), or when what is supported is the complaint.
_NOT_OWN = re.compile(
    f"(?<!我)(?<!我们)(?:说|称|讲|表示|回应|回复|答复|承诺|认为|以为|所谓|反馈)[^。！？!?；;]{{0,12}}(?:{_CLAIMS})"
    f"|(?:{_CLAIMS})[^。！？!?；;]{{0,20}}(?:可是|可[昨今现还又我他]|却|但|其实|根本|瞎话|骗|鬼话|笑话|才怪|谁信|呵呵|来住)"
    "|(?:支持|赞成)[^。！？!?；;，,]{0,4}(?:查处|严查|彻查|投诉|举报|整改|取缔|拆除|维权|曝光|问责|处罚|关停|楼主|大家|诉求)"
)
_AGAIN = 0.55  # how much likeness to what was said already costs


@dataclass(frozen=True, slots=True)
class Said:
    """One message: ``sentiment`` as tagged, ``weight`` above 0 (people who said the same, likes)."""

    text: str
    sentiment: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of message ``number`` (place in what was given), at [start, end) of its text. ``text`` has personal
    data hidden and the same length. ``kind``: main | other (says otherwise than most)."""

    number: int
    start: int
    end: int
    text: str
    kind: str


def summarise(analyser: Analyser, given: Sequence[Said], count: int = 3) -> list[Sentence]:
    """At most ``count`` sentences that cover most of what is said, no two of one message, then at most one that says
    otherwise. Only the first MOST_TEXTS messages are read. Nothing is made up: too little to choose from gives fewer.
    """
    read = given[:MOST_TEXTS]
    sentences = _sentences(read)
    if not sentences:
        return []
    vectors = _vectors(analyser, [one.text for one in sentences])
    weights = [read[one.number].weight for one in sentences]
    middle = clusters.added([Member(v.bucket, v.value * weight, 1) for v, weight in zip(vectors, weights, strict=True)])
    worth = clusters.similarities(vectors, [middle])[:, 0]
    others = _others(read, sentences)
    main = _cover(sentences, vectors, worth, count, barred=others)
    dissent = _cover(sentences, vectors, worth, 1, barred=set(range(len(sentences))) - others)
    return [sentences[place] for place in main] + [
        Sentence(one.number, one.start, one.end, one.text, OTHER) for one in (sentences[place] for place in dissent)
    ]


def _sentences(given: Sequence[Said]) -> list[Sentence]:
    found = []
    for number, said in enumerate(given):
        whole = personal.mask(said.text, None)
        for match in list(_END.finditer(whole))[:_PER_TEXT]:
            begins = _ADDRESSED.match(match[0])
            start = match.start() + (begins.end() if begins else 0)
            text = whole[start : match.end()].rstrip()
            if _SHORT <= len(text) <= _LONG:
                found.append(Sentence(number, start, start + len(text), text, MAIN))
    return found


def _vectors(analyser: Analyser, texts: Sequence[str]) -> list[Member]:
    idf = clusters.language()
    return [member for at in range(0, len(texts), 250) for member in _members(analyser, texts[at : at + 250], idf)]


def _members(analyser: Analyser, texts: Sequence[str], idf: Floats32) -> list[Member]:
    batch = analyser.batch(texts)
    rows = linear.rows(linear.occurrences(batch, RECIPE), batch, RECIPE, idf)
    bounds = np.searchsorted(rows.doc, np.arange(batch.size + 1))
    value = rows.value.astype(np.float32)
    return [Member(rows.bucket[a:b], value[a:b], 1) for a, b in pairwise(bounds.tolist())]


def _others(given: Sequence[Said], sentences: Sequence[Sentence]) -> set[int]:
    """Sentences of the smaller side: another sentiment than most, or words of support where most do not use them."""
    most = Counter(said.sentiment for said in given).most_common(1)[0][0]
    none = [_takes_no_side(one.text) for one in sentences]
    taking = [bool(_STANCE.search(one.text)) and not no_side for one, no_side in zip(sentences, none, strict=True)]
    opposite = {"negative": "positive", "positive": "negative"}.get(most, "")
    few = sum(taking) * 2 < len(sentences)
    return {
        place
        for place, (one, stance) in enumerate(zip(sentences, taking, strict=True))
        if (opposite and given[one.number].sentiment == opposite and not none[place])
        or (few and stance and most != "positive")
    }


def _takes_no_side(text: str) -> bool:
    """Whether it asks, thanks before anything is done, or says with others' words what it does not mean."""
    thanks = _THANKS.search(text) and not _BETTER.search(text)
    return bool(thanks or _ASKS.search(text) or _NOT_OWN.search(text))


def _cover(
    sentences: Sequence[Sentence], vectors: Sequence[Member], worth: Floats32, count: int, barred: set[int]
) -> list[int]:
    """One after the other the sentence that adds most; none from a message already heard."""
    left = [place for place in range(len(sentences)) if place not in barred and worth[place] > 0]
    score = worth.copy()
    chosen: list[int] = []
    while left and len(chosen) < count:
        best = max(left, key=lambda place: (score[place], -place))
        if score[best] <= 0:
            break
        chosen.append(best)
        near = clusters.similarities(vectors, [vectors[best]])[:, 0]
        score = score - _AGAIN * near * worth[best]
        left = [place for place in left if sentences[place].number != sentences[best].number]
    return chosen
