"""Hashed linear models: int8 weights in an .npz without pickle, scored for a whole batch with numpy."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from importlib.resources.abc import Traversable
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from nlp import features, network
from nlp.features import Batch, Hashes, Ints
from nlp.network import Network

Floats = NDArray[np.float64]
Stop = NDArray[np.uint64] | NDArray[np.uint32]  # hashes of words; 32 bits of them in files up to format 3
FORMAT = 4  # 1 kept all weights, 2 those not zero, 3 a network beside them, 4 words by whole hashes; all are read
STYLE_VALUE = 0.25


@dataclass(frozen=True, slots=True)
class Recipe:
    """Which features a model is made of. ``weighting``: binary, or tfidf with the model's own idf table."""

    runs: tuple[int, ...] = ()
    pairs: bool = False
    weighting: str = "binary"
    within: bool = False  # runs only inside words that are longer than the run
    style: bool = False
    title: int = 1  # how many times a word of the title counts (tfidf only)
    bits: int = 18


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Every feature of every text, repeated as often as it occurs. ``owner``: the word it lies in, or -1."""

    doc: Ints
    bucket: Ints
    owner: Ints


@dataclass(frozen=True, slots=True)
class Rows:
    """Every feature of every text once, in the order of texts, with its value."""

    size: int
    doc: Ints
    bucket: Ints
    value: Floats


@dataclass(frozen=True, slots=True)
class Seen:
    """The features of a batch: as they occur, and folded into rows."""

    found: Occurrences
    rows: Rows


@dataclass(frozen=True, slots=True)
class Scored:
    """What a model says about a batch: probabilities (texts x labels) and the words that moved each first label."""

    p: Floats
    words: list[tuple[str, ...]]
    known: list[int]  # how many features of each text the model has an opinion on, or could have


def occurrences(batch: Batch, recipe: Recipe, stop: Stop | None = None) -> Occurrences:
    """Collect the words, pairs and runs of ``recipe``; words whose hash is in ``stop`` (sorted) are left out."""
    words = features.word_hashes(batch)
    keep = _spoken(words, stop)
    owner = _owners(batch, keep)
    parts: list[tuple[Hashes, Ints, Ints]] = [(words[keep], batch.word_doc[keep], np.flatnonzero(keep))]
    if recipe.pairs:
        hashes, doc = features.pair_hashes(batch, words)
        parts.append((hashes, doc, np.full(len(doc), -1)))
    for length in recipe.runs:
        hashes, starts = features.run_hashes(batch, length)
        inside = owner[starts]
        inside[inside != owner[starts + length - 1]] = -1
        if recipe.within:
            inner = np.flatnonzero(inside >= 0)
            inner = inner[(batch.ends - batch.starts)[inside[inner]] > length]
            hashes, starts, inside = hashes[inner], starts[inner], inside[inner]
        parts.append((hashes, batch.doc[starts], inside))
    hashes, doc, own = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Occurrences(doc, features.bucket(hashes, recipe.bits), own)


def _spoken(words: Hashes, stop: Stop | None) -> NDArray[np.bool_]:
    return np.ones(len(words), bool) if stop is None else features.find_words(stop, words) == 0


def _owners(batch: Batch, keep: NDArray[np.bool_]) -> Ints:
    """For each character the word it lies in, or -1."""
    owner = np.full(len(batch.codes), -1)
    lengths = (batch.ends - batch.starts)[keep]
    before = np.cumsum(lengths) - lengths
    at = np.repeat(batch.starts[keep] - before, lengths) + np.arange(lengths.sum())
    owner[at] = np.repeat(np.flatnonzero(keep), lengths)
    return owner


def rows(found: Occurrences, batch: Batch, recipe: Recipe, idf: NDArray[np.float32] | None = None) -> Rows:
    """Fold repeated features and give each its value, every text scaled to length one; style marks come on top."""
    if idf is None:
        doc, bucket = _folded(found, recipe.bits)
        value = np.ones(len(doc))
    else:
        doc, bucket, value = _counted(found, batch, recipe, idf)
    norm = np.sqrt(np.bincount(doc, value * value, minlength=batch.size))
    value /= norm[doc]
    if recipe.style:
        hashes, style_doc = features.style_hashes(batch)
        doc = np.concatenate([doc, style_doc])
        bucket = np.concatenate([bucket, features.bucket(hashes, recipe.bits)])
        value = np.concatenate([value, np.full(len(style_doc), STYLE_VALUE)])
    return Rows(batch.size, doc, bucket, value)


def _folded(found: Occurrences, bits: int) -> tuple[Ints, Ints]:
    """Each (text, bucket) once, sorted. Thirty-two bits sort twice as fast and nearly always suffice."""
    wide = found.doc << bits | found.bucket
    narrow = int(found.doc.max(initial=0)) < 1 << (32 - bits)
    keys: NDArray[Any] = wide.astype(np.uint32) if narrow else wide
    keys.sort()
    first = np.ones(len(keys), bool)
    first[1:] = keys[1:] != keys[:-1]
    once: Ints = keys[first].astype(np.int64)
    return once >> bits, once & ((1 << bits) - 1)


def _counted(
    found: Occurrences, batch: Batch, recipe: Recipe, idf: NDArray[np.float32]
) -> tuple[Ints, Ints, NDArray[np.float64]]:
    """Each (text, bucket) once with (1 + ln n) * idf, where n counts title words ``recipe.title`` times."""
    titled = np.zeros(len(found.owner), bool)
    owned = found.owner >= 0
    titled[owned] = batch.in_title[found.owner[owned]]
    keys = (found.doc << recipe.bits | found.bucket) << 1 | titled
    keys.sort()
    begins = np.flatnonzero(np.diff(keys >> 1, prepend=-1))
    times = np.add.reduceat(1.0 + (recipe.title - 1) * (keys & 1), begins) if len(begins) else np.zeros(0)
    keys = keys[begins] >> 1
    bucket = keys & ((1 << recipe.bits) - 1)
    value = (1.0 + np.log(times)) * idf[bucket]
    told = value > 0  # idf 0: never met in training, says nothing
    return keys[told] >> recipe.bits, bucket[told], value[told]


@dataclass(frozen=True)
class LinearModel:
    """A trained model. ``weights``: labels x buckets, int8; a score is scale * sum + bias, then calibrated."""

    labels: tuple[str, ...]
    recipe: Recipe
    weights: NDArray[np.int8]
    scale: Floats
    bias: Floats
    slope: Floats  # calibration: softmax(slope * score + shift), of which ``doubt`` is spread over all labels
    shift: Floats
    idf: NDArray[np.float32] | None = None
    stop: Stop | None = None
    meta: dict[str, Any] = field(default_factory=dict)
    doubt: float = 0.0  # how often even the surest label is wrong, because people would not agree either
    network: Network | None = None  # what is added to the scores of the weights

    @cached_property
    def used(self) -> NDArray[np.bool_]:
        """Which buckets have a weight at all; the others need not be looked up."""
        return np.asarray(self.weights.any(axis=0))

    def scores(self, found: Rows) -> Floats:
        """Uncalibrated scores of the weights alone, texts x labels."""
        return scores_of([self], self.weights.T, self.used, found)[0]

    def whole(self, batch: Batch, scores: Floats) -> Floats:
        """The scores of the weights with those of the network on top, where there is one."""
        return scores if self.network is None else scores + self.network.scores(batch)

    def probabilities(self, scores: Floats) -> Floats:
        """Calibrated probabilities, each row summing to one."""
        p = softmax(scores * self.slope + self.shift)
        return np.asarray(p * (1 - self.doubt) + self.doubt / len(self.labels)) if self.doubt else p

    def seen(self, batch: Batch) -> Seen:
        """What this model looks at in a batch."""
        found = occurrences(batch, self.recipe, self.stop)
        return Seen(found, rows(found, batch, self.recipe, self.idf))

    def looks_alike(self, other: LinearModel) -> bool:
        """Whether both look at the same features, so that what one has seen serves the other."""
        plain = all(model.idf is None and model.stop is None for model in (self, other))
        return plain and self.recipe == other.recipe

    def score(self, batch: Batch, explain: int = 3) -> Scored:
        """Label a batch and name up to ``explain`` words per text that moved its first label."""
        seen = self.seen(batch)
        return self.scored(batch, seen, self.scores(seen.rows), explain)

    def scored(self, batch: Batch, seen: Seen, scores: Floats, explain: int = 3) -> Scored:
        """The same from what has been seen and scored already, but by the network. The words come from the weights."""
        p = self.probabilities(self.whole(batch, scores))
        known = np.bincount(seen.rows.doc, minlength=batch.size).tolist()
        silent: list[tuple[str, ...]] = [()] * batch.size
        return Scored(p, self.reasons(batch, seen.found, p, explain) if explain else silent, known)

    def reasons(
        self, batch: Batch, found: Occurrences, p: Floats, count: int, wanted: NDArray[np.bool_] | None = None
    ) -> list[tuple[str, ...]]:
        """The words that speak most for the first label of ``p`` against the second. ``wanted``: for which texts."""
        owned = (found.owner >= 0) & self.used[found.bucket]
        if wanted is not None:
            owned &= wanted[found.doc]
        doc, bucket, owner = found.doc[owned], found.bucket[owned], found.owner[owned]
        first, second = np.argsort(-p, axis=1, kind="stable")[:, :2].T
        table = self.weights.T
        push = table[bucket, first[doc]] * self.scale[first][doc]
        push -= table[bucket, second[doc]] * self.scale[second][doc]
        if self.idf is not None:
            push *= self.idf[bucket]
        return top_words(batch, np.bincount(owner, push, minlength=len(batch.pieces)).astype(np.float64), count)

    def packed_size(self) -> int:
        """The size of its file in bytes."""
        out = io.BytesIO()
        self.save(out)
        return len(out.getvalue())

    def save(self, target: IO[bytes]) -> None:
        """Write the .npz; reading it back gives the same scores to the last bit."""
        arrays: dict[str, NDArray[Any]] = {
            "filled": np.asfortranarray(np.packbits(self.weights != 0, axis=1)),  # the labels of a bucket are alike
            "values": self.weights[self.weights != 0],
            "scale": self.scale,
            "bias": self.bias,
            "slope": self.slope,
            "shift": self.shift,
        }
        if self.idf is not None:
            arrays["idf"] = self.idf.astype(np.float16)
        if self.stop is not None:
            arrays["stop"] = self.stop
        if self.network is not None:
            arrays |= self.network.arrays()
        head = {
            "format": FORMAT,
            "labels": self.labels,
            "recipe": asdict(self.recipe),
            "meta": self.meta,
        }
        head["doubt"] = self.doubt
        arrays["head"] = np.frombuffer(json.dumps(head, ensure_ascii=False).encode(), np.uint8)
        np.savez_compressed(target, allow_pickle=False, **arrays)


def scores_of(
    models: Sequence[LinearModel], table: NDArray[np.int8], used: NDArray[np.bool_], found: Rows
) -> list[Floats]:
    """Uncalibrated scores of models that look alike. ``table``: buckets x all their labels, side by side."""
    keep = used[found.bucket]
    doc, value = found.doc[keep], found.value[keep]
    told = np.ascontiguousarray(table.take(found.bucket[keep], axis=0).T)
    sums = np.zeros((found.size, len(told)))
    begins = np.flatnonzero(np.diff(doc, prepend=-1))
    if len(begins):
        np.add.at(sums, doc[begins], np.add.reduceat(told * value, begins, axis=1).T)
    ends = np.cumsum([len(model.labels) for model in models])
    parts = np.split(sums, ends[:-1], axis=1)
    return [np.asarray(part * model.scale + model.bias) for part, model in zip(parts, models, strict=True)]


@dataclass(frozen=True)
class Panel:
    """Models that look at the same features, with their weights side by side: one look-up per feature serves all."""

    models: tuple[LinearModel, ...]
    table: NDArray[np.int8]
    used: NDArray[np.bool_]

    def scores(self, found: Rows) -> list[Floats]:
        """Uncalibrated scores of every model."""
        return scores_of(self.models, self.table, self.used, found)


def panel(models: Sequence[LinearModel]) -> Panel:
    """Put models that look alike side by side."""
    table = np.concatenate([model.weights for model in models]).T
    table = np.ascontiguousarray(table)
    return Panel(tuple(models), table, np.asarray(table.any(axis=1)))


def load(data: bytes) -> LinearModel:
    """Read a model file; raises ValueError on a newer format or anything that needs pickle."""
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        head = json.loads(stored["head"].tobytes())
        if head["format"] > FORMAT:
            raise ValueError(f"model format {head['format']} is newer than {FORMAT}")
        recipe = Recipe(**{**head["recipe"], "runs": tuple(head["recipe"]["runs"])})
        names = set(stored.files)
        return LinearModel(
            labels=tuple(head["labels"]),
            recipe=recipe,
            weights=_weights(stored, len(head["labels"]), 1 << recipe.bits),
            scale=stored["scale"],
            bias=stored["bias"],
            slope=stored["slope"],
            shift=stored["shift"],
            idf=stored["idf"].astype(np.float32) if "idf" in names else None,
            stop=stored["stop"] if "stop" in names else None,
            meta=head["meta"],
            doubt=head.get("doubt", 0.0),
            network=network.stored(stored, names),
        )


def joined(model: LinearModel, folder: Traversable) -> LinearModel:
    """The model with its network, where that stands in a file of its own; ValueError when it is another's."""
    wanted = model.meta.get("network")
    if wanted is None:
        return model
    data = folder.joinpath(network.FILE).read_bytes()
    if hashlib.sha256(data).hexdigest() != wanted:
        raise ValueError(f"{network.FILE} does not belong to this model")
    return replace(model, network=network.load(data))


def _weights(stored: Mapping[str, NDArray[Any]], labels: int, buckets: int) -> NDArray[np.int8]:
    """Labels x buckets, laid out so that the labels of a bucket are neighbours."""
    weights = np.zeros((buckets, labels), np.int8).T
    if "weights" in stored:
        weights[:] = stored["weights"]
    else:
        weights[np.unpackbits(stored["filled"], axis=1).astype(bool)] = stored["values"]
    return weights


def softmax(scores: Floats) -> Floats:
    """Rows to probabilities."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def top_words(batch: Batch, weight: Floats, count: int, low: float = 0.0) -> list[tuple[str, ...]]:
    """Per text, the ``count`` heaviest different words above ``low``; equal weights in reading order."""
    able = np.flatnonzero(weight > low)
    doc = batch.word_doc[able]
    order = np.lexsort((-weight[able], doc))
    doc = doc[order]
    rank = np.arange(len(doc)) - np.searchsorted(doc, doc)
    near = rank < 4 * count  # words may repeat
    chosen: list[dict[str, None]] = [{} for _ in range(batch.size)]
    for word, place in zip(able[order][near].tolist(), doc[near].tolist(), strict=True):
        if len(chosen[place]) < count:
            chosen[place][batch.pieces[word]] = None
    return [tuple(words) for words in chosen]


def labels_of(p: Floats, labels: Sequence[str]) -> list[tuple[str, float, str, float]]:
    """First and second label with their probabilities, per text."""
    order = np.argsort(-p, axis=1, kind="stable")[:, :2]
    best = np.take_along_axis(p, order, axis=1)
    return [
        (labels[one], pone, labels[two], ptwo)
        for (one, two), (pone, ptwo) in zip(order.tolist(), best.tolist(), strict=True)
    ]
