"""The classic engine: snownlp's Bayes class, taught on jieba words, behind the interface of the linear models."""

from __future__ import annotations

import io
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np

from nlp import quiet
from nlp.features import Batch
from nlp.linear import Scored


@dataclass(frozen=True)
class BayesModel:
    """How often each word was met under each label, in snownlp's own structures."""

    labels: tuple[str, ...]
    bayes: Any
    meta: dict[str, Any] = field(default_factory=dict)

    def score(self, batch: Batch, explain: int = 3) -> Scored:
        """Label a batch and name up to ``explain`` words per text that moved its first label."""
        bounds = np.searchsorted(batch.word_doc, np.arange(batch.size + 1)).tolist()
        texts = [batch.pieces[low:high] for low, high in itertools.pairwise(bounds)]
        p = np.array([self._shares(words) for words in texts]).reshape(batch.size, len(self.labels))
        first = p.argmax(axis=1).tolist()
        reasons = [self._reasons(words, label, explain) for words, label in zip(texts, first, strict=True)]
        return Scored(p, reasons, [len(words) for words in texts])

    def _shares(self, words: Sequence[str]) -> list[float]:
        prior = [np.log(self.bayes.d[label].getsum() / self.bayes.total) for label in self.labels]
        told = np.array([sum(self._weight(word, label) for word in words) for label in self.labels]) + prior
        shares = np.exp(told - told.max())
        return [float(share) for share in shares / shares.sum()]

    def _weight(self, word: str, label: str) -> float:
        return float(np.log(self.bayes.d[label].freq(word)))

    def _reasons(self, words: Sequence[str], first: int, count: int) -> tuple[str, ...]:
        def push(word: str) -> float:
            every = [self._weight(word, label) for label in self.labels]
            return every[first] - sum(every) / len(every)

        speaking = {word: push(word) for word in words}
        best = sorted((word for word in speaking if speaking[word] > 0), key=lambda word: -speaking[word])
        return tuple(best[:count])

    def save(self, target: IO[bytes]) -> None:
        """Write an .npz without pickle: the words and their counts per label."""
        words = sorted(set().union(*(self.bayes.d[label].d for label in self.labels)))
        counts = [[self.bayes.d[label].d.get(word, 0) for word in words] for label in self.labels]
        totals = [self.bayes.d[label].total for label in self.labels]
        head = json.dumps({"format": 1, "labels": self.labels, "meta": self.meta}, ensure_ascii=False)
        np.savez_compressed(
            target,
            allow_pickle=False,
            head=np.frombuffer(head.encode(), np.uint8),
            words=np.frombuffer("\n".join(words).encode(), np.uint8),
            counts=np.array(counts, np.int32),
            totals=np.array(totals, np.float64),
        )


def teach(rows: Iterable[tuple[list[str], str]], labels: Sequence[str], least: int = 2) -> BayesModel:
    """Learn from (words, label); words met fewer than ``least`` times in all are left out."""
    rows = list(rows)
    known = Counter(word for words, _ in rows for word in words)
    bayes = quiet.load_bayes()()
    bayes.train([([word for word in words if known[word] >= least], label) for words, label in rows])
    return BayesModel(tuple(labels), bayes)


def load(data: bytes) -> BayesModel:
    """Read a file written by ``save``."""
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        head = json.loads(stored["head"].tobytes())
        words = stored["words"].tobytes().decode().split("\n")
        counts, totals = stored["counts"].tolist(), stored["totals"].tolist()
    bayes = quiet.load_bayes()()
    bayes.train([([], label) for label in head["labels"]])  # makes an empty table per label
    for label, row, total in zip(head["labels"], counts, totals, strict=True):
        bayes.d[label].d = {word: count for word, count in zip(words, row, strict=True) if count}
        bayes.d[label].total = total
    bayes.total = sum(totals)
    return BayesModel(tuple(head["labels"]), bayes, head["meta"])
