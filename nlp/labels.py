"""From what the models say to labels: first and second, probability, and the words as the writer put them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nlp import EMOTIONS, GROUPS, REQUESTS, SENTIMENTS, clean, linear
from nlp.base import Label
from nlp.cues import Wanted
from nlp.features import Batch
from nlp.linear import Floats, LinearModel, Scored, Seen

RULES = 0.35  # log odds of a unit of weight of request words beside the request model: least log loss on kept letters
_LEAST = 1e-4  # no request is ruled out by the model alone
_ALONE = [EMOTIONS.index(kind) for kind in ("neutral", "happy")]  # the only emotion of their tone
_NONE = Label("", 0.0)


@dataclass(frozen=True, slots=True)
class Said:
    """The labels of one text; ``request``: the request model's probabilities, in the order of REQUESTS."""

    topic: Label
    tone: Label
    emotion: Label
    request: list[float]

    @property
    def positive(self) -> float:
        """How probable a positive tone is, as far as the first two labels tell."""
        return {self.tone.value: self.tone.p, self.tone.second: self.tone.p_second}.get("positive", 0.0)


SILENT = Said(_NONE, Label("neutral", 1.0), Label("neutral", 1.0), [0.0] * len(REQUESTS))


@dataclass(frozen=True, slots=True)
class Judged:
    """What every model says about a batch."""

    topic: list[Label]
    tone: list[Label]
    emotion: list[Label]
    request: list[list[float]]

    def of(self, number: int) -> Said:
        """The labels of one text."""
        return Said(self.topic[number], self.tone[number], self.emotion[number], self.request[number])


def made(scored: Scored, names: Sequence[str], texts: Sequence[str]) -> list[Label]:
    """A label per text; an empty one where the model knows nothing of it."""
    firsts = linear.labels_of(np.round(scored.p, 4), names)
    return [
        Label(first, p, second, p_second, _shown(words, text)) if known else _NONE
        for (first, p, second, p_second), words, known, text in zip(
            firsts, scored.words, scored.known, texts, strict=True
        )
    ]


def in_keeping(emotion: Floats, tone: Floats) -> Floats:
    """The emotions with each tone's share given by the tone model, so that an angry, afraid or sad text is a negative
    one. The other way round, three emotions share a doubtful negative tone, and another one may be the likeliest.

    Surprise keeps its own probability; the rest is shared out by tone, and within a tone as the emotion model says."""
    p = emotion.copy()
    left = 1 - p[:, EMOTIONS.index("surprise")]
    for column, name in enumerate(SENTIMENTS):
        group = [EMOTIONS.index(kind) for kind in GROUPS[name]]
        whole = p[:, group].sum(axis=1)
        p[:, group] *= (left * tone[:, column] / np.maximum(whole, 1e-12))[:, None]
    return p


def moods(emotion: LinearModel, batch: Batch, seen: Seen, scores: Floats, tone: Scored) -> Scored:
    """The emotions of a batch. Where a tone has one emotion only, the words that moved the tone moved it too."""
    p = in_keeping(emotion.probabilities(scores), tone.p)
    first, of_tone = p.argmax(axis=1), tone.p.argmax(axis=1)
    same = np.isin(first, _ALONE) & np.isin(of_tone, [SENTIMENTS.index("neutral"), SENTIMENTS.index("positive")])
    own = emotion.reasons(batch, seen.found, p, 3, ~same)
    words = [theirs if alike else mine for alike, theirs, mine in zip(same.tolist(), tone.words, own, strict=True)]
    return Scored(p, words, tone.known)


def asked(wanted: Wanted, model: Sequence[float]) -> Label:
    """The request: the words of the list and the request model together; "" where the words ask for nothing."""
    if wanted.is_open or not any(model):
        return _NONE
    told = [math.log(max(p, _LEAST)) + RULES * weight for p, weight in zip(model, wanted.weights, strict=True)]
    odds = [math.exp(one - max(told)) for one in told]
    first, second = sorted(range(len(odds)), key=lambda at: -odds[at])[:2]
    whole, words = sum(odds), wanted.words.get(REQUESTS[first], ())
    return Label(
        REQUESTS[first], round(odds[first] / whole, 4), REQUESTS[second], round(odds[second] / whole, 4), words[:3]
    )


def _shown(words: tuple[str, ...], text: str) -> tuple[str, ...]:
    """Words as the writer put them: emoticons are one private character in the model form."""
    if max(words, default="") < chr(clean.EMOTICON_FIRST):
        return words
    written = clean.emoticons(text)
    return tuple(written.get(word, word) for word in words if word in written or word < chr(clean.EMOTICON_FIRST))
