"""The most telling words of each text of a batch: how often a word occurs times how rare it is elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from nlp import features
from nlp.features import Batch
from nlp.linear import Floats, top_words

BITS = 18
SCALE = 4  # steps of the stored idf per unit
_HAN = (0x4E00, 0x9FD5)


@cache
def rarity() -> NDArray[np.float32]:
    """Hashed idf of words, learnt from the training texts (nlp/models/rarity.npz); 0 marks stop words."""
    with (
        files("nlp").joinpath("models", "rarity.npz").open("rb") as source,
        np.load(source, allow_pickle=False) as stored,
    ):
        return np.asarray(stored["idf"], np.float32)


def word_weights(batch: Batch) -> Floats:
    """A weight per word: idf, three times as much in a title; nothing for short or numeric words."""
    weight = rarity()[features.bucket(features.word_hashes(batch), BITS)].astype(np.float64)
    lengths = batch.ends - batch.starts
    first = batch.codes[batch.starts]
    han = (first >= _HAN[0]) & (first <= _HAN[1])
    weight[~han | (lengths < 2)] = 0
    weight *= np.where(lengths > 2, 1.2, 1.0)
    weight[batch.in_title] *= 3
    return weight


def keywords(batch: Batch, weight: Floats, count: int, knows: Callable[[str], bool]) -> list[tuple[str, ...]]:
    """Up to ``count`` dictionary words per text, best first; equal weights in reading order."""
    if not batch.pieces:
        return [() for _ in range(batch.size)]
    keys = (features.word_hashes(batch) >> np.uint64(20)) | (batch.word_doc.astype(np.uint64) << np.uint64(44))
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    total = np.bincount(group, weight)
    times = np.bincount(group)
    once = np.zeros(len(batch.pieces))
    once[first] = total / times * (1 + np.log(times))
    return [tuple(filter(knows, words))[:count] for words in top_words(batch, once, 2 * count + 2)]
