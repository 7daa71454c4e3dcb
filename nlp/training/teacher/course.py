"""From microblogs to the small network: the teacher reads them, is taught apart, and teaches the network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import nlp
from nlp import clean
from nlp.features import Ints
from nlp.network import Network
from nlp.segment import Segmenter
from nlp.training import data
from nlp.training.data import Labelled
from nlp.training.teacher import invented, lesson, pupil, require
from nlp.training.teacher.invented import Invented
from nlp.training.teacher.lesson import Known, Lesson
from nlp.training.teacher.reading import Reader
from nlp.training.teacher.weights import Floats32, open_weights

Say = Callable[[str], None]
RIGHT = 0.4  # what the label itself counts beside what the teacher says
UNLABELLED, SURPRISED, LETTER = 0.7, 0.5, 0.5  # what texts without a tone count, and letters
INVENTED = 200_000
_OPPOSITE = {"negative": "positive", "positive": "negative"}
SMOOTH = 0.15  # of a letter's label, spread over all: nobody has read the letter


@dataclass(frozen=True, slots=True)
class Course:
    """Everything read once. ``forms``: all texts as models see them: those with labels, others, reviews, letters,
    invented ones; ``folds``: of the first; ``sides``: what no reviewer of each review can be; ``told``: the shares of
    the letters."""

    forms: list[str]
    known: Known
    others: Floats32
    reviews: Floats32
    sides: Ints
    told: Floats32
    made: Invented
    heard: Floats32
    folds: Ints
    vectors: pupil.Vectors
    segmenter: Segmenter
    say: Say

    def network(self, *, without: int = -1) -> Network:
        """A network taught on everything, or on everything but the fold ``without``, the teacher being taught alike."""
        kept = np.flatnonzero(self.folds != without)
        known = Known(self.known.read[kept], self.known.tones[kept], self.known.kinds[kept])
        self.say("teacher: lessons apart")
        told = lesson.apart(known, self.folds[kept])
        toned = known.tones >= 0
        told[toned] = (1 - RIGHT) * told[toned] + RIGHT * np.eye(told.shape[1], dtype=np.float32)[known.tones[toned]]
        teacher = Lesson(known, np.arange(len(kept)))
        used = self.made.without(np.flatnonzero(self.folds == without))
        heard = teacher.shares(self.heard[used])
        others = np.concatenate([teacher.shares(self.others), _sided(teacher.shares(self.reviews), self.sides)])
        weight = np.repeat([1.0, UNLABELLED, LETTER, UNLABELLED], [len(told), len(others), len(self.told), len(heard)])
        weight[: len(told)][~toned] = SURPRISED
        real = len(self.forms) - len(self.made.texts)
        rows = np.concatenate([kept, np.arange(len(self.folds), real), real + used])
        forms = [self.forms[number] for number in rows.tolist()]
        batches = [batch for _, batch in data.batches(data.labelled(forms, [""] * len(forms), ""), self.segmenter)]
        shares = np.concatenate([told, others, self.told, heard]).astype(np.float32)
        return pupil.teach(pupil.count(batches), shares, weight.astype(np.float32), self.vectors, self.say)


def read(source: Path, kept: Path, letters: Labelled, segmenter: Segmenter, say: Say) -> Course:
    """Read what the course needs. ``kept``: a folder for what was read; ``letters``: with labels, not for the teacher.
    NoTeacher when a package is missing."""
    require()
    rows = data.read(source / "sentiment" / data.TONE_TRAIN)
    others = [row["text"] for name in data.TONE_TWO for row in data.read(source / "sentiment" / name)]
    texts = [row["text"] for row in rows]
    reader = Reader(open_weights(), kept, say)
    toned = np.array([row["label"] in nlp.SENTIMENTS for row in rows])
    tones = [nlp.SENTIMENTS.index(row["label"]) if one else -1 for row, one in zip(rows, toned.tolist(), strict=True)]
    kinds = [nlp.EMOTIONS.index(row["emotion6"]) for row in rows]
    known = Known(reader.read(texts), np.array(tones), np.array(kinds))
    folds = lesson.fold(int(toned.sum()))[np.maximum(np.cumsum(toned) - 1, 0)]  # the folds of the linear model, too
    reviews, sides = zip(*data.reviews(), strict=True)
    against = np.array([nlp.SENTIMENTS.index(_OPPOSITE[side]) for side in sides])
    whole = [*texts, *others, *reviews]
    vectors = _vectors(reader, whole)
    forms = [data.form(text) for text in whole]
    made = _invented(whole, forms, vectors, segmenter)
    forms += [*letters.texts, *(data.form(text) for text in made.texts)]
    gold = [nlp.SENTIMENTS.index(label) for label in letters.labels]
    told = np.full((len(gold), len(nlp.SENTIMENTS)), SMOOTH / len(nlp.SENTIMENTS), np.float32)
    told[np.arange(len(gold)), gold] += 1 - SMOOTH
    heard = reader.read(made.texts)
    read_others, read_reviews = reader.read(others), reader.read(reviews)
    return Course(forms, known, read_others, read_reviews, against, told, made, heard, folds, vectors, segmenter, say)


def _sided(shares: Floats32, against: Ints) -> Floats32:
    """Shares without the tone that a text cannot have."""
    left = shares.copy()
    left[np.arange(len(left)), against] = 0
    return np.asarray(left / left.sum(axis=1, keepdims=True), np.float32)


def _invented(
    texts: Sequence[str], forms: list[str], vectors: pupil.Vectors, segmenter: Segmenter
) -> Invented:  # fmt: skip
    batches = [batch for _, batch in data.batches(data.labelled(forms, [""] * len(forms), ""), segmenter)]
    counts = Counter(word for batch in batches for word in batch.pieces)
    words = sorted(word for word, times in counts.items() if times >= pupil.LEAST)
    return invented.invent(texts, INVENTED, invented.neighbours(words, vectors(words)), segmenter)


def _vectors(reader: Reader, texts: Sequence[str]) -> pupil.Vectors:
    """What the teacher makes of single words; emoticons are spelt out again for it."""
    names: dict[str, str] = {}
    for text in texts:
        names |= clean.emoticons(clean.clean(text).text)

    def found(words: Sequence[str]) -> Floats32:
        return reader.read([names.get(word, word) for word in words])[:, -reader.sizes.width :]

    return found
