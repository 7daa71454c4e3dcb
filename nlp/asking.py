"""The request as something to learn: what is learnt goes on top of the list's words and the request model together.

Whether anything is asked for stays the list's alone: a text of which no word asks gets no request, so it teaches none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import nlp
from nlp import clean, cues, labels
from nlp.base import Text
from nlp.cues import Wanted
from nlp.linear import Floats

FAIRLY = 0.6  # odds from which on an answer of today is worth holding


def asks(texts: Sequence[Text]) -> list[bool]:
    """Of which texts some word asks for something."""
    return [not one.is_open for one in _wanted(texts)]


def offsets(texts: Sequence[Text]) -> Floats:
    """What the words of the list add to the log odds of the request model, texts x ``REQUESTS``."""
    found = [one.weights for one in _wanted(texts)]
    return labels.RULES * np.array(found, np.float64).reshape(len(texts), len(nlp.REQUESTS))


def today(texts: Sequence[Text]) -> list[str]:
    """The request of each text as it is said now, "" where none is, or none is fairly sure. Nobody has labelled the
    guard by requests: it holds what is said today."""
    return [one.request if one.asked.p >= FAIRLY else "" for one in nlp.analyse(texts)]


def _wanted(texts: Sequence[Text]) -> list[Wanted]:
    tones = [one.sentiment for one in nlp.analyse(texts)]
    return [
        cues.wanted(
            clean.clean(text.title).text, clean.clean(text.body).text,
            {tone.value: tone.p, tone.second: tone.p_second}.get("positive", 0.0),
        )
        for text, tone in zip(texts, tones, strict=True)
    ]  # fmt: skip
