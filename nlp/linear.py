"""Hashed linear models: int8 weights in an .npz without pickle, scored for a whole batch with numpy."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from nlp import features
from nlp.features import Batch, Hashes, Ints

Floats = NDArray[np.float64]
FORMAT = 1  # readers accept every format up to this one


@dataclass(frozen=True, slots=True)
class Recipe:
    """Which features a model is made of. ``weighting``: binary, or tfidf with the model's own idf table."""

    runs: tuple[int, ...] = ()
    words: bool = True
    pairs: bool = False
    weighting: str = "binary"
    within: bool = False  # runs only inside words that are longer than the run
    bits: int = features.BITS


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Every feature of every text, repeated as often as it occurs. ``owner``: the word it lies in, or -1."""

    doc: Ints
    bucket: Ints
    owner: Ints


@dataclass(frozen=True, slots=True)
class Rows:
    """Every feature of every text once, in the order of texts and buckets, with its value."""

    size: int
    doc: Ints
    bucket: Ints
    value: Floats


@dataclass(frozen=True, slots=True)
class Scored:
    """What a model says about a batch: probabilities (texts x labels) and the words that moved each first label."""

    p: Floats
    words: list[tuple[str, ...]]


def occurrences(batch: Batch, recipe: Recipe, stop: NDArray[np.uint32] | None = None) -> Occurrences:
    """Collect the features that ``recipe`` asks for; words whose short hash is in ``stop`` (sorted) are left out."""
    words = features.word_hashes(batch)
    keep = _spoken(words, stop)
    parts: list[tuple[Hashes, Ints, Ints]] = []
    if recipe.words:
        parts.append((words[keep], batch.word_doc[keep], np.flatnonzero(keep)))
    if recipe.pairs:
        hashes, doc = features.pair_hashes(batch, words)
        parts.append((hashes, doc, np.full(len(doc), -1)))
    owner = _owners(batch, keep)
    for length in recipe.runs:
        hashes, starts = features.run_hashes(batch, length)
        inside = owner[starts]
        inside[inside != owner[starts + length - 1]] = -1
        if recipe.within:
            longer = (inside >= 0) & ((batch.ends - batch.starts)[inside] > length)
            hashes, starts, inside = hashes[longer], starts[longer], inside[longer]
        parts.append((hashes, batch.doc[starts], inside))
    hashes, doc, own = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Occurrences(doc, features.bucket(hashes, recipe.bits), own)


def short_hash(hashes: Hashes) -> NDArray[np.uint32]:
    """The 32 bits by which stop words are kept in a model file."""
    return (hashes >> np.uint64(32)).astype(np.uint32)


def _spoken(words: Hashes, stop: NDArray[np.uint32] | None) -> NDArray[np.bool_]:
    if stop is None or not len(stop):
        return np.ones(len(words), bool)
    short = short_hash(words)
    place = np.minimum(np.searchsorted(stop, short), len(stop) - 1)
    return np.asarray(stop[place] != short)


def _owners(batch: Batch, keep: NDArray[np.bool_]) -> Ints:
    owner = np.full(len(batch.codes), -1)
    lengths = (batch.ends - batch.starts)[keep]
    at = np.repeat(batch.starts[keep], lengths) + _counting(lengths)
    owner[at] = np.repeat(np.flatnonzero(keep), lengths)
    return owner


def _counting(lengths: Ints) -> Ints:
    """0..n-1 for each n, one after the other."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths)


def rows(found: Occurrences, size: int, recipe: Recipe, idf: NDArray[np.float32] | None = None) -> Rows:
    """Fold repeated features and give each its value, every text scaled to length one."""
    narrow = np.uint32 if size << recipe.bits < 1 << 32 else np.uint64
    keys = (found.doc.astype(narrow) << narrow(recipe.bits)) | found.bucket.astype(narrow)
    if idf is None:
        keys, value = np.unique(keys), None
    else:
        keys, count = np.unique(keys, return_counts=True)
        value = 1.0 + np.log(count)
    doc = (keys >> narrow(recipe.bits)).astype(np.int64)
    bucket = (keys & narrow((1 << recipe.bits) - 1)).astype(np.int64)
    value = np.ones(len(keys)) if value is None else value
    if idf is not None:
        value *= idf[bucket]
    norm = np.sqrt(np.bincount(doc, value * value, minlength=size))
    norm[norm == 0] = 1
    return Rows(size, doc, bucket, value / norm[doc])


@dataclass(frozen=True)
class LinearModel:
    """A trained model. ``weights``: labels x buckets, int8; a score is scale * sum + bias, then calibrated."""

    labels: tuple[str, ...]
    recipe: Recipe
    weights: NDArray[np.int8]
    scale: Floats
    bias: Floats
    slope: Floats  # calibration: softmax(slope * score + shift)
    shift: Floats
    idf: NDArray[np.float32] | None = None
    stop: NDArray[np.uint32] | None = None
    meta: dict[str, Any] = field(default_factory=dict)

    def scores(self, found: Rows) -> Floats:
        """Uncalibrated scores, texts x labels."""
        columns = [
            np.bincount(found.doc, row[found.bucket] * found.value, minlength=found.size) for row in self.weights
        ]
        return np.stack(columns, axis=1) * self.scale + self.bias

    def probabilities(self, scores: Floats) -> Floats:
        """Calibrated probabilities, each row summing to one."""
        return softmax(scores * self.slope + self.shift)

    def score(self, batch: Batch, explain: int = 3) -> Scored:
        """Label a batch and name up to ``explain`` words per text that moved its first label."""
        found = occurrences(batch, self.recipe, self.stop)
        p = self.probabilities(self.scores(rows(found, batch.size, self.recipe, self.idf)))
        return Scored(p, self._reasons(batch, found, p.argmax(axis=1), explain))

    def _reasons(self, batch: Batch, found: Occurrences, first: Ints, count: int) -> list[tuple[str, ...]]:
        owned = found.owner >= 0
        doc, bucket, owner = found.doc[owned], found.bucket[owned], found.owner[owned]
        own = self.weights[first[doc], bucket] * self.scale[first[doc]]
        others = (self.weights[:, bucket] * self.scale[:, None]).mean(axis=0)
        push = own - others if self.idf is None else (own - others) * self.idf[bucket]
        return top_words(batch, np.bincount(owner, push, minlength=len(batch.pieces)), count)

    def save(self, target: IO[bytes]) -> None:
        """Write the .npz; reading it back gives the same scores to the last bit."""
        arrays: dict[str, NDArray[Any]] = {
            "weights": self.weights,
            "scale": self.scale,
            "bias": self.bias,
            "slope": self.slope,
            "shift": self.shift,
        }
        if self.idf is not None:
            arrays["idf"] = self.idf.astype(np.float16)
        if self.stop is not None:
            arrays["stop"] = self.stop
        head = {"format": FORMAT, "labels": self.labels, "recipe": asdict(self.recipe), "meta": self.meta}
        arrays["head"] = np.frombuffer(json.dumps(head, ensure_ascii=False).encode(), np.uint8)
        np.savez_compressed(target, allow_pickle=False, **arrays)


def load(data: bytes) -> LinearModel:
    """Read a model file; raises ValueError on a newer format or anything that needs pickle."""
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        head = json.loads(stored["head"].tobytes())
        if head["format"] > FORMAT:
            raise ValueError(f"model format {head['format']} is newer than {FORMAT}")
        recipe = Recipe(**{**head["recipe"], "runs": tuple(head["recipe"]["runs"])})
        return LinearModel(
            tuple(head["labels"]),
            recipe,
            *(stored[name] for name in ("weights", "scale", "bias", "slope", "shift")),
            idf=stored["idf"].astype(np.float32) if "idf" in stored else None,
            stop=stored["stop"] if "stop" in stored else None,
            meta=head["meta"],
        )


def softmax(scores: Floats) -> Floats:
    """Rows to probabilities."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def top_words(batch: Batch, weight: Floats, count: int, low: float = 0.0) -> list[tuple[str, ...]]:
    """Per text, the ``count`` heaviest different words above ``low``; equal weights in reading order."""
    chosen: list[dict[str, None]] = [{} for _ in range(batch.size)]
    able = np.flatnonzero(weight > low)
    order = able[np.lexsort((able, -weight[able], batch.word_doc[able]))]
    for word, doc in zip(order.tolist(), batch.word_doc[order].tolist(), strict=True):
        if len(chosen[doc]) < count:
            chosen[doc][batch.pieces[word]] = None
    return [tuple(words) for words in chosen]


def labels_of(p: Floats, labels: Sequence[str]) -> list[tuple[str, float, str, float]]:
    """First and second label with their probabilities, per text."""
    order = np.argsort(-p, axis=1, kind="stable")[:, :2]
    best = np.take_along_axis(p, order, axis=1)
    return [
        (labels[one], pone, labels[two], ptwo)
        for (one, two), (pone, ptwo) in zip(order.tolist(), best.tolist(), strict=True)
    ]
