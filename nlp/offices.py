"""Which department an office sends a matter to, learnt from its own dispatches: a small linear model over the words,
topic, place and account of each, its probabilities judged on dispatches it had not seen. Pure, numpy, no pickle."""

from __future__ import annotations

import io
import json
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.linear import Floats, Rows
from nlp.training import margin
from nlp.training.solver import Problem

FORMAT = 3
LEAST, LEAST_EACH, MOST = 60, 5, 8000  # matters in all, of one department, and taken: the newest
MOST_FEATURES = 20_000
FOLDS = 4
SURE, SURE_LEAST = 0.95, 20  # right so often, over so many, that the hub may go by it alone
TOPIC_SURE, TELLING = 0.5, 2  # never by itself with a topic less sure, or fewer telling words that speak for it
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
    what is written about them speaks, each with how much (0..1), so that little experience does not unlearn it.

    ``telling``: its most telling words among the tokens; ``backed``: the department those signs are sure of; ``asks``:
    False for mere praise."""

    tokens: str = ""
    topic: str = ""
    topic_p: float = 1.0
    place: str = ""
    account: str = ""
    signs: tuple[tuple[int, float], ...] = ()
    telling: tuple[str, ...] = ()
    backed: int | None = None
    asks: bool = True

    def features(self) -> dict[str, float]:
        """Everything the model looks at, with its weight: words together as long as each of the marks is twice; a topic
        counts as much as it is sure."""
        words = dict.fromkeys(token for token in self.tokens.split() if len(token) > 1)
        found = dict.fromkeys(words, 1 / np.sqrt(len(words) or 1))
        found |= {mark + value: 0.5 for name, mark in _MARKS.items() if (value := getattr(self, name))}
        if self.topic:
            found[_MARKS["topic"] + self.topic] *= self.topic_p
        return found | {f"{_SIGN}{label}": p for label, p in self.signs}


@dataclass(frozen=True, slots=True)
class Gate:
    """The office's own figures for a dispatch by the hub: how probable it must be, how far ahead of the second."""

    certain: float = 0.0
    lead: float = 0.0


class Ground(StrEnum):
    """Why a matter may go out without a person: ``alone``: by what was learnt; ``backed``: the signs are sure of the
    same; ``no``: it may not."""

    alone = "alone"
    backed = "backed"
    no = "no"


@dataclass(frozen=True, slots=True)
class Scores:
    """How it did on matters it had not seen. Shares in 0..1.

    ``majority``: always naming the most frequent department. ``threshold``: the probability from which at least
    :data:`SURE` of those that may go alone were right (``NEVER``: there is none). ``sure``: the share the hub would
    have dispatched, ``backed``: the share of all that would have gone only because the signs said the same;
    ``sure_right``, ``alone_right``, ``backed_right``: how many of these were right.
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
    alone_right: float
    backed: float
    backed_right: float
    gap: float

    def as_data(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


_ANY = Gate()


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

    def ground(self, matter: Matter, ranked: Sequence[tuple[int, float]], gate: Gate) -> Ground:
        """Whether the first of ``ranked`` may go out without a person. The figures in ``scores`` are judged by it."""
        (label, p), others = ranked[0], ranked[1:]
        speak = _speaking(matter, self.labels.index(label), self.words, self.weights)
        lead = p - (others[0][1] if others else 0.0)
        return _ground(matter, label, p, lead, speak, replace(gate, certain=max(gate.certain, self.scores.threshold)))

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


def learn(matters: Sequence[Matter], labels: Sequence[int], gate: Gate = _ANY) -> Learnt:
    """Learn from the newest :data:`MOST` matters (given oldest first). Same input, same output. Raises :class:`TooFew`.
    ``gate``: what the office asks of a dispatch by the hub, for the scores.

    Departments with fewer than :data:`LEAST_EACH` matters are left out: of them nothing can be said."""
    counted = Counter(labels[-MOST:])
    kept = [(m, y) for m, y in zip(matters[-MOST:], labels[-MOST:], strict=True) if counted[y] >= LEAST_EACH]
    names = tuple(sorted({label for _matter, label in kept}))
    if len(kept) < LEAST or len(names) < 2:
        raise TooFew(len(kept))
    given = [matter for matter, _label in kept]
    target = np.array([names.index(label) for _matter, label in kept])
    unseen, speak = np.zeros((len(kept), len(names))), np.zeros(len(kept), np.int64)
    fold = np.random.default_rng(FORMAT).permutation(len(kept)) % FOLDS
    for number in range(FOLDS):
        inside = np.flatnonzero(fold != number)
        words, weights, bias = _fit([given[n] for n in inside], target[inside], len(names))
        for n in np.flatnonzero(fold == number):
            columns, values = _row(given[n], words)
            unseen[n] = values @ weights[columns] + bias
            speak[n] = _speaking(given[n], int(unseen[n].argmax()), words, weights)
    slope = _slope(unseen, target)
    scores = _judge(_probabilities(unseen, slope), target, names, given, speak, gate)
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


def _speaking(matter: Matter, number: int, words: dict[str, int], weights: Floats | NDArray[np.float32]) -> int:
    """How many telling words speak for a department more than for any other; of words in one another only one."""
    spoke: list[str] = []
    for word in sorted(matter.telling, key=len, reverse=True):
        if word in words and not any(word in longer for longer in spoke):
            row = weights[words[word]]
            spoke += [word] if row[number] > 0 and int(row.argmax()) == number else []
    return len(spoke)


def _ground(matter: Matter, label: int, p: float, lead: float, speak: int, gate: Gate) -> Ground:
    if not matter.asks or matter.topic_p < TOPIC_SURE or lead < gate.lead:
        return Ground.no
    if p >= gate.certain and speak >= TELLING:
        return Ground.alone
    return Ground.backed if matter.backed == label else Ground.no


def _judge(
    p: Floats, target: NDArray[np.int64], names: Sequence[int], given: Sequence[Matter], speak: NDArray[np.int64],
    gate: Gate,
) -> Scores:  # fmt: skip
    order = np.argsort(-p, axis=1, kind="stable")
    ranked = np.take_along_axis(p, order, axis=1)
    best, lead, right = ranked[:, 0], ranked[:, 0] - ranked[:, 1], order[:, 0] == target
    firsts = [names[first] for first in order[:, 0]]

    def grounds(asked: Gate) -> NDArray[np.str_]:
        each = zip(given, firsts, best.tolist(), lead.tolist(), speak.tolist(), strict=True)
        return np.array([_ground(*one, asked) for one in each])

    may = grounds(replace(gate, certain=0.0)) == Ground.alone
    threshold = _threshold(best[may], right[may])
    found = grounds(replace(gate, certain=max(gate.certain, threshold)))
    sure, alone, backed = found != Ground.no, found == Ground.alone, found == Ground.backed
    return Scores(
        matters=len(target), departments=p.shape[1], right=_share(right),
        right_of_two=_share((order[:, :2] == target[:, None]).any(axis=1)),
        majority=float(np.bincount(target).max() / len(target)), threshold=threshold, sure=_share(sure),
        sure_right=_share(right[sure]), alone_right=_share(right[alone]), backed=_share(backed),
        backed_right=_share(right[backed]), gap=_gap(best, right),
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
