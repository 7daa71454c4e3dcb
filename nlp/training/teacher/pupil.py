"""Teach the small network what the teacher says. Needs torch; what comes of it needs numpy only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from nlp import features
from nlp.features import Batch, Ints
from nlp.network import Network
from nlp.training.solver import SEED
from nlp.training.teacher.weights import Floats32

Tensor = Any
Say = Callable[[str], None]
Vectors = Callable[[Sequence[str]], Floats32]
LETTERS, WORDS, LEAST = 3200, 22_000, 3  # how many are known, and how often each must have been met
LETTER_WIDTH, WORD_WIDTH, FILTERS, WIDTHS, HIDDEN = 32, 24, 64, (2, 3), 64
PASSES, RATE, DECAY, BATCH = 8, 3e-3, 1e-3, 96
HIDE, DROP = 0.1, 0.3
LONGEST, MOST_WORDS = 200, 120
_START = 0.3  # of the spread of the vectors that words begin with


@dataclass(frozen=True, slots=True)
class Words:
    """Texts as numbers of letters and words: 0 none, 1 an unknown letter; and what each number stands for."""

    letters: list[Ints]
    words: list[Ints]
    known_letters: list[str]
    known_words: list[str]
    codes: np.ndarray[tuple[int], np.dtype[np.uint32]]
    hashes: np.ndarray[tuple[int], np.dtype[np.uint64]]


def count(batches: Sequence[Batch]) -> Words:
    """Choose the most frequent letters and words of the texts and number them."""
    seen: Counter[int] = Counter()
    heard: Counter[int] = Counter()
    spelt: dict[int, str] = {}
    for batch in batches:
        seen.update(batch.codes[batch.codes != ord(" ")].tolist())
        for word, key in zip(batch.pieces, batch.words.tolist(), strict=True):
            if len(word) > 1:
                heard[key] += 1
                spelt[key] = word
    codes = np.array(sorted(code for code, times in seen.most_common(LETTERS) if times >= LEAST), np.uint32)
    hashes = np.array(sorted(key for key, times in heard.most_common(WORDS) if times >= LEAST), np.uint64)
    letters, words = [], []
    for batch in batches:
        spoken, long = batch.codes != ord(" "), batch.ends - batch.starts > 1
        letters += _parted(features.place(codes, batch.codes[spoken]) + 1, batch.doc[spoken], batch.size, LONGEST)
        told = features.find_words(hashes, batch.words[long])
        words += _parted(told[told > 0], batch.word_doc[long][told > 0], batch.size, MOST_WORDS)
    return Words(letters, words, [chr(c) for c in codes.tolist()], [spelt[h] for h in hashes.tolist()], codes, hashes)


def teach(texts: Words, shares: Floats32, weight: Floats32, vectors: Vectors, say: Say) -> Network:
    """A network that says ``shares`` (texts x labels) of the texts. ``vectors``: what the teacher makes of words."""
    room = _Room(texts, shares.shape[1], vectors)
    draw, total = np.random.default_rng(SEED), PASSES * -(-len(shares) // BATCH)
    walk = room.torch.optim.AdamW(room.parts.values(), lr=RATE, weight_decay=DECAY)
    pace = room.torch.optim.lr_scheduler.OneCycleLR(walk, RATE, total_steps=total, pct_start=0.15)
    for number in range(PASSES):
        for some in _alike(np.array([len(one) for one in texts.letters]), draw):
            told = room.said(some).log_softmax(1)
            loss = -(room.torch.tensor(shares[some] * weight[some, None]) * told).sum() / len(some)
            walk.zero_grad()
            loss.backward()
            walk.step()
            pace.step()
        say(f"network: pass {number + 1} of {PASSES}")
    return room.network()


class _Room:
    """The weights while they are taught."""

    def __init__(self, texts: Words, labels: int, vectors: Vectors) -> None:
        self.torch: Any = import_module("torch")
        self.torch.set_num_threads(1)  # sums in one order only
        self.torch.manual_seed(SEED)
        self.texts, columns = texts, FILTERS * len(WIDTHS) + WORD_WIDTH
        found = vectors([*texts.known_letters, *texts.known_words])
        letters, words = found[: len(texts.codes)], found[len(texts.codes) :]
        begun = {
            "letters": _begin(letters, words, LETTER_WIDTH, 2), "words": _begin(words, words, WORD_WIDTH, 1),
            "hidden": self._random(columns, HIDDEN, columns), "hidden_bias": self.torch.zeros(HIDDEN),
            "out": self._random(HIDDEN + columns, labels, HIDDEN + columns), "bias": self.torch.zeros(labels),
            "lean": self.torch.zeros(FILTERS * len(WIDTHS)),
        }  # fmt: skip
        for width in WIDTHS:
            begun[f"filters{width}"] = self._random(FILTERS, LETTER_WIDTH * width, LETTER_WIDTH * width).view(
                FILTERS, LETTER_WIDTH, width
            )
        self.parts = {name: self.torch.as_tensor(value).requires_grad_() for name, value in begun.items()}

    def said(self, some: Ints) -> Tensor:
        """Scores of some texts while they are taught: letters and words are hidden now and then."""
        torch, parts = self.torch, self.parts
        letters = self._filled([self.texts.letters[number] for number in some])
        words = self._filled([self.texts.words[number] for number in some])
        letters = torch.where((torch.rand(letters.shape) < HIDE) & (letters > 0), torch.ones_like(letters), letters)
        words = torch.where((torch.rand(words.shape) < HIDE) & (words > 0), torch.zeros_like(words), words)
        seen = (parts["letters"][letters] * (letters > 0).unsqueeze(2)).transpose(1, 2)
        slid = [torch.nn.functional.conv1d(seen, parts[f"filters{w}"], padding=w).amax(2) for w in WIDTHS]
        strongest = (torch.cat(slid, 1) + parts["lean"]).relu()
        known = (words > 0).unsqueeze(2)
        meant = (parts["words"][words] * known).sum(1) / known.sum(1).clamp(min=1).sqrt()
        told = torch.dropout(torch.cat([strongest, meant], 1), DROP, True)
        hidden = torch.dropout((told @ parts["hidden"] + parts["hidden_bias"]).relu(), DROP, True)
        return torch.cat([hidden, told], 1) @ parts["out"] + parts["bias"]

    def network(self) -> Network:
        """As it ships: vectors in 127 steps either way."""
        made = {name: value.detach().numpy() for name, value in self.parts.items()}
        letters, letter_scale = _stepped(made["letters"][1:])
        words, word_scale = _stepped(made["words"])
        filters = tuple(
            made[f"filters{w}"].transpose(2, 1, 0).reshape(w * LETTER_WIDTH, FILTERS).astype(np.float16) for w in WIDTHS
        )
        return Network(
            self.texts.codes, letters, letter_scale, filters, made["lean"], self.texts.hashes, words, word_scale,
            made["out"], made["bias"], made["hidden"], made["hidden_bias"],
        )  # fmt: skip

    def _filled(self, rows: list[Ints]) -> Tensor:
        longest = max(1, *(len(row) for row in rows))
        whole = np.zeros((len(rows), longest), np.int64)
        for place, row in enumerate(rows):
            whole[place, : len(row)] = row
        return self.torch.from_numpy(whole)

    def _random(self, rows: int, columns: int, fan: int) -> Tensor:
        return (self.torch.rand(rows, columns) * 2 - 1) * fan**-0.5


def _begin(vectors: Floats32, of: Floats32, width: int, first: int) -> Floats32:
    """The directions in which the vectors ``of`` differ most, ``first`` rows of nothing before them."""
    middle = of.mean(axis=0)
    _, turned = np.linalg.eigh(np.cov((of - middle).T))
    main = turned[:, ::-1][:, :width]
    spread = ((of - middle) @ main).std()
    found = (vectors - middle) @ main / spread * _START
    return np.concatenate([np.zeros((first, width)), found]).astype(np.float32)


def _stepped(values: Floats32) -> tuple[np.ndarray[Any, np.dtype[np.int8]], Floats32]:
    scale = np.maximum(np.abs(values).max(axis=0), 1e-9) / 127
    return np.rint(values / scale).astype(np.int8), scale.astype(np.float32)


def _parted(numbers: Ints, doc: Ints, size: int, most: int) -> list[Ints]:
    """By text; of long ones the middle is left out."""
    parts = np.split(numbers, np.searchsorted(doc, np.arange(1, size)))
    head = most * 2 // 3
    return [one if len(one) <= most else np.concatenate([one[:head], one[head - most :]]) for one in parts]


def _alike(lengths: Ints, draw: np.random.Generator) -> Iterator[Ints]:
    """Numbers of texts of like length together, the groups in any order."""
    order = np.argsort(lengths + draw.random(len(lengths)) * 8, kind="stable")
    groups = [order[at : at + BATCH] for at in range(0, len(order), BATCH)]
    for place in draw.permutation(len(groups)):
        yield groups[place]
