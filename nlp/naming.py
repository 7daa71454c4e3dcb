"""What a matter is called: a few words that citizens wrote themselves, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from nlp import features, personal
from nlp.base import Text
from nlp.clean import EMOTICON_FIRST
from nlp.clusters import RECIPE, Floats32, Member
from nlp.features import Batch
from nlp.pipeline import Analyser
from nlp.segment import word_lists

LONGEST, SHORTEST = 16, 4
MOST_TEXTS = 60
_BODY = 200  # what a letter is about stands near its beginning
_TITLE = 1.5  # how much better a name from a title is
# 昨天, 好多, 以后 are no beginning and no end; what is asked for (请求, 建议) is another sentence.
_WEAK = frozenset(word for kind, word in word_lists("unnamed") if kind in ("time", "joining", "asking"))
_ASKING = frozenset(word for kind, word in word_lists("unnamed") if kind == "asking")


@dataclass(frozen=True, slots=True)
class _Run:
    """Words that stand together: places in the batch, first to last, and how much they say of the matter."""

    first: int
    last: int
    worth: float


def name(analyser: Analyser, texts: Sequence[Text], matter: Member) -> str:
    """The run of at most LONGEST characters that says most about ``matter``, personal data hidden; "" when the texts
    say nothing about it."""
    chosen = [Text(text.body[:_BODY], text.title) for text in texts[:MOST_TEXTS]]
    batch = analyser.batch(chosen)
    if not batch.pieces:
        return ""
    best = max(_runs(batch, _worth(batch, matter)), key=lambda run: run.worth, default=None)
    if best is None:
        return ""
    low, high = int(batch.starts[best.first]), int(batch.ends[best.last])
    found = batch.codes[low:high].tobytes().decode("utf-32-le", "replace")
    return personal.mask(_as_written(chosen[int(batch.word_doc[best.first])], found), None)


def _worth(batch: Batch, matter: Member) -> Floats32:
    """How much each word of two characters or more says of the matter."""
    bucket = features.bucket(features.word_hashes(batch), RECIPE.bits)
    place = np.minimum(np.searchsorted(matter.bucket, bucket), max(0, len(matter.bucket) - 1))
    known = matter.bucket[place] == bucket if len(matter.bucket) else np.zeros(len(bucket), bool)
    worth = np.where(known, matter.value[place] if len(matter.value) else 0.0, 0.0).astype(np.float32)
    worth[(batch.ends - batch.starts < 2) | (batch.codes[batch.starts] >= EMOTICON_FIRST)] = 0
    return worth


def _runs(batch: Batch, worth: Floats32) -> Iterator[_Run]:
    """Every run that begins and ends with a telling word and has no mark and no word of asking inside."""
    starts, ends, titled = batch.starts.tolist(), batch.ends.tolist(), batch.in_title.tolist()
    doc, values, pieces = batch.word_doc.tolist(), worth.tolist(), batch.pieces
    edge = [value > 0 and piece not in _WEAK for value, piece in zip(values, pieces, strict=True)]
    for first in np.flatnonzero(edge).tolist():
        seen: set[str] = set()
        total, last = 0.0, first
        while True:
            if pieces[last] not in seen:
                seen.add(pieces[last])
                total += values[last]
            length = ends[last] - starts[first]
            if edge[last] and length >= SHORTEST:
                yield _Run(first, last, total * (_TITLE if titled[first] else 1.0) / (length + 8) ** 0.5)
            last += 1
            if last == len(pieces) or doc[last] != doc[first] or starts[last] != ends[last - 1]:
                break
            if pieces[last] in _ASKING:
                break
            if ends[last] - starts[first] > LONGEST or titled[last] != titled[first]:
                break


def _as_written(text: Text, found: str) -> str:
    """In the writer's own letters: models see lower case."""
    place = text.whole.lower().find(found)
    written = text.whole[place : place + len(found)]
    return written if place >= 0 and written.lower() == found else found
