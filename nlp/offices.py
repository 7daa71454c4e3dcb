"""Which department an office sends a matter to, learnt from its own dispatches: a small linear model over the words,
topic, place and account of each, its probabilities judged on dispatches it had not seen. Pure, numpy, no pickle."""

from __future__ import annotations

import io
import json
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.linear import Floats, Rows
from nlp.training import margin
from nlp.training.solver import Problem

FORMAT = 2
LEAST, LEAST_EACH, MOST = 60, 5, 8000  # matters in all, of one department, and taken: the newest
MOST_FEATURES = 20_000
FOLDS = 4
SURE, SURE_LEAST = 0.95, 20  # right so often, over so many, that the hub may go by it alone
NEVER = 2.0
_STRENGTH = 0.3
_SLOPES = np.geomspace(0.5, 20.0, 80)
_MARKS = {"topic": "t:", "place": "p:", "account": "a:"}
_SIGN = "s:"
_NO_WORDS = (_MARKS["account"], _SIGN)


class TooFew(ValueError):
    """Not enough to learn from."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What is known of a message: ``tokens`` as in the search index, parted by blanks; ``signs``: departments for which
    what is written about them speaks, each with how much (0..1), so that little experience does not unlearn it."""

    tokens: str = ""
    topic: str = ""
    place: str = ""
    account: str = ""
    signs: tuple[tuple[int, float], ...] = ()

    def features(self) -> dict[str, float]:
        """Everything the model looks at, with its weight: words together as long as each of the marks is twice."""
        words = dict.fromkeys(token for token in self.tokens.split() if len(token) > 1)
        found = dict.fromkeys(words, 1 / np.sqrt(len(words) or 1))
        found |= {mark + value: 0.5 for name, mark in _MARKS.items() if (value := getattr(self, name))}
        return found | {f"{_SIGN}{label}": p for label, p in self.signs}


@dataclass(frozen=True, slots=True)
class Scores:
    """How it did on matters it had not seen. Shares in 0..1.

    ``majority``: always naming the most frequent department. ``threshold``: the probability from which at least
    :data:`SURE` were right (``NEVER``: there is none); ``sure``: the share above it, ``sure_right``: of these.
    ``gap``: how far probabilities and reality lie apart on average (expected calibration error, ten bins).
    """

    matters: int
    departments: int
    right: float
    right_of_two: float
    majority: float
    threshold: float
    sure: float
    sure_right: float
    gap: float

    def as_data(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Learnt:
    """Weights per feature and label; ``slope`` makes scores into probabilities."""

    labels: tuple[int, ...]
    words: dict[str, int]
    weights: NDArray[np.float32]
    bias: Floats
    slope: float
    scores: Scores

    def ranked(self, matter: Matter) -> list[tuple[int, float]]:
        """Every label with its probability, the likeliest first."""
        p = _probabilities(self._score(matter)[None], self.slope)[0]
        return [(self.labels[n], round(float(p[n]), 4)) for n in np.argsort(-p, kind="stable")]

    def why(self, matter: Matter, label: int, prefer: Collection[str] = (), most: int = 5) -> tuple[str, ...]:
        """What spoke for a label most: of the telling words (``prefer``) and marks, or of all words where none did."""
        number = self.labels.index(label)
        found = [(word, self._gain(word, number)) for word in matter.features() if word in self.words]
        spoke = [(word, gain) for word, gain in found if gain > 0]
        spoke = [pair for pair in spoke if not pair[0].startswith(_NO_WORDS)]
        if any(word in prefer for word, _gain in spoke):
            spoke = [pair for pair in spoke if pair[0] in prefer or pair[0][:2] in _MARKS.values()]
        ordered = [word for word, _gain in sorted(spoke, key=lambda pair: (pair[0] not in prefer, -pair[1]))]
        return tuple(dict.fromkeys(word[2:] if word[:2] in _MARKS.values() else word for word in ordered))[:most]

    def _gain(self, word: str, number: int) -> float:
        row = self.weights[self.words[word]]
        return float(row[number] - row.mean())

    def _score(self, matter: Matter) -> Floats:
        columns, values = _row(matter, self.words)
        return np.asarray(values @ self.weights[columns] + self.bias, np.float64)

    def dump(self) -> bytes:
        """As an .npz without pickle."""
        words = zlib.compress("\n".join(self.words).encode())
        head = {"format": FORMAT, "labels": self.labels, "slope": self.slope, "scores": self.scores.as_data()}
        out = io.BytesIO()
        np.savez_compressed(
            out, allow_pickle=False, head=np.frombuffer(json.dumps(head).encode(), np.uint8),
            words=np.frombuffer(words, np.uint8), weights=self.weights.astype(np.float16), bias=self.bias,
        )  # fmt: skip
        return out.getvalue()


def load(data: bytes) -> Learnt:
    """What :meth:`Learnt.dump` wrote. ValueError for anything else."""
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        head = json.loads(bytes(stored["head"]))
        if head["format"] != FORMAT:
            raise ValueError("another format")
        words = zlib.decompress(bytes(stored["words"])).decode().split("\n")
        return Learnt(
            tuple(head["labels"]), {word: n for n, word in enumerate(words)}, stored["weights"].astype(np.float32),
            stored["bias"], float(head["slope"]), Scores(**head["scores"]),
        )  # fmt: skip


def learn(matters: Sequence[Matter], labels: Sequence[int]) -> Learnt:
    """Learn from the newest :data:`MOST` matters (given oldest first). Same input, same output. Raises :class:`TooFew`.

    Departments with fewer than :data:`LEAST_EACH` matters are left out: of them nothing can be said."""
    counted = Counter(labels[-MOST:])
    kept = [(m, y) for m, y in zip(matters[-MOST:], labels[-MOST:], strict=True) if counted[y] >= LEAST_EACH]
    names = tuple(sorted({label for _matter, label in kept}))
    if len(kept) < LEAST or len(names) < 2:
        raise TooFew(len(kept))
    given = [matter for matter, _label in kept]
    target = np.array([names.index(label) for _matter, label in kept])
    unseen = np.zeros((len(kept), len(names)))
    fold = np.random.default_rng(FORMAT).permutation(len(kept)) % FOLDS
    for number in range(FOLDS):
        inside = np.flatnonzero(fold != number)
        words, weights, bias = _fit([given[n] for n in inside], target[inside], len(names))
        for n in np.flatnonzero(fold == number):
            columns, values = _row(given[n], words)
            unseen[n] = values @ weights[columns] + bias
    slope = _slope(unseen, target)
    scores = _judge(_probabilities(unseen, slope), target)
    words, weights, bias = _fit(given, target, len(names))
    return Learnt(names, words, weights.astype(np.float16).astype(np.float32), bias, slope, scores)


def _fit(matters: Sequence[Matter], target: NDArray[np.int64], classes: int) -> tuple[dict[str, int], Floats, Floats]:
    words = _vocabulary(matters)
    rows = [_row(matter, words) for matter in matters]
    doc = np.repeat(np.arange(len(rows)), [len(columns) for columns, _values in rows])
    bucket = np.concatenate([columns for columns, _values in rows]).astype(np.int64)
    value = np.concatenate([values for _columns, values in rows]).astype(np.float64)
    problem = Problem(Rows(len(rows), doc, bucket, value), target, np.ones(len(rows)), classes, len(words))
    weights, bias = margin.fit(problem, _STRENGTH)
    return words, weights.T, bias


def _vocabulary(matters: Iterable[Matter]) -> dict[str, int]:
    counted = Counter(feature for matter in matters for feature in matter.features())
    kept = [word for word, n in counted.most_common(MOST_FEATURES) if n > 1]
    return {word: number for number, word in enumerate(kept or ["-"])}


def _row(matter: Matter, words: dict[str, int]) -> tuple[NDArray[np.int64], Floats]:
    """Columns and values of what the model knows of one matter."""
    known = [(words[one], value) for one, value in matter.features().items() if one in words]
    columns, values = [column for column, _value in known], [value for _column, value in known]
    return np.array(columns, np.int64), np.array(values, np.float64)


def _probabilities(scores: Floats, slope: float) -> Floats:
    exps = np.exp(slope * (scores - scores.max(axis=1, keepdims=True)))
    return np.asarray(exps / exps.sum(axis=1, keepdims=True))


def _slope(scores: Floats, target: NDArray[np.int64]) -> float:
    """The one under which unseen truths are likeliest."""
    rows = np.arange(len(target))
    loss = [-np.log(_probabilities(scores, slope)[rows, target] + 1e-9).mean() for slope in _SLOPES]
    return float(_SLOPES[int(np.argmin(loss))])


def _judge(p: Floats, target: NDArray[np.int64]) -> Scores:
    order = np.argsort(-p, axis=1, kind="stable")
    best = p.max(axis=1)
    right = order[:, 0] == target
    threshold = _threshold(best, right)
    sure = best >= threshold
    return Scores(
        matters=len(target), departments=p.shape[1], right=_share(right),
        right_of_two=_share((order[:, :2] == target[:, None]).any(axis=1)),
        majority=float(np.bincount(target).max() / len(target)), threshold=threshold, sure=_share(sure),
        sure_right=_share(right[sure]), gap=_gap(best, right),
    )  # fmt: skip


def _threshold(best: Floats, right: NDArray[np.bool_]) -> float:
    """The lowest probability from which on enough were right, going down from the surest."""
    order = np.argsort(-best, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero((share >= SURE) & (np.arange(len(order)) + 1 >= SURE_LEAST))
    return float(np.floor(1e4 * best[order[good[-1]]]) / 1e4) if len(good) else NEVER


def _gap(best: Floats, right: NDArray[np.bool_]) -> float:
    bins = np.minimum((best * 10).astype(int), 9)
    parts = [(bins == n) for n in range(10)]
    return round(float(sum(abs(best[m].mean() - right[m].mean()) * m.mean() for m in parts if m.any())), 4)


def _share(values: NDArray[np.bool_]) -> float:
    return round(float(values.mean()), 4) if len(values) else 0.0
