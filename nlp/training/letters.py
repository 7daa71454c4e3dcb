"""The tone of citizens' letters: told by titles where these say it in a word, then learnt for the others.

A title often says in one word what a letter is. Who complains or reports (投诉, 举报) is not content; who asks or
suggests (咨询, 建议) and complains of nothing is neither pleased nor displeased. From these letters, with that word and
without it, whole and by their titles alone, a model learns what people complain of, and labels the letters whose titles
say no such word, where it is sure. The letters in ``read.tsv`` were labelled by reading them one by one; no model is
taught on those.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np

from nlp import cues
from nlp.segment import Segmenter
from nlp.training import data, fit
from nlp.training.data import Labelled, Letter
from nlp.training.fit import Plan

TONES = {"投诉": "negative", "举报": "negative", "表扬": "positive", "咨询": "neutral", "建议": "neutral"}
SURE = 0.9  # how sure the model has to be of a letter whose title does not tell
JUDGED, TITLES = "letters labelled by reading", "titles of these letters alone"
HELD = 5  # every so-manyth letter finds out how sure it may be
FORMS = 4  # rows of one letter: whole and title alone, each with and without the word that tells


def are_in(folder: Path) -> bool:
    """Whether the folder has the files of letters."""
    return all((folder / path).is_file() for path in (data.LETTERS, data.ANSWERED))


def tones(folder: Path, segmenter: Segmenter, plan: Plan, weight: float) -> Labelled:
    """Letters with a tone, those in ``read.tsv`` left out. ``weight``: of each row."""
    letters = unread(folder)
    told = _told([letter for letter in letters if _tone(letter)])
    others = [letter for letter in letters if not _kinds(letter.title)]
    found = _learnt(told, others, segmenter, replace(plan, rounds=1))
    return replace(told + found, weights=[weight] * (len(told.texts) + len(found.texts)))


def judged(folder: Path, *, alone: bool = False) -> Labelled:
    """The letters labelled by reading; those that could not be decided are left out. ``alone``: their titles only."""
    by_key = {letter.key: letter for letter in data.letters(folder)}
    rows = [(by_key[key], tone) for key, tone in judged_by_key().items() if tone and key in by_key]
    return _rows([letter.forms(alone=alone) for letter, _ in rows], [tone for _, tone in rows])


def unread(folder: Path) -> list[Letter]:
    """All other letters but those with the title or the body of one of them."""
    letters, read = data.letters(folder), judged_by_key()
    known = {part for letter in letters if letter.key in read for part in (letter.title, letter.body)}
    return [letter for letter in letters if letter.title not in known and letter.body not in known]


def judged_by_key() -> dict[str, str]:
    """The tone of each letter labelled by reading, "" where it could not be decided, by the letter's key."""
    with files("nlp.training").joinpath("read.tsv").open(encoding="utf-8") as source:
        return {row["letter"]: row["tone"] for row in csv.DictReader(source, delimiter="\t")}


def _kinds(title: str) -> list[str]:
    return [kind for kind, words in data.ASKED.items() if words.search(title)]


def _tone(letter: Letter) -> str:
    """What the one telling word of the title says; "" where there is none or the letter might mean something else."""
    kinds = _kinds(letter.title)
    tone = TONES.get(kinds[0], "") if len(kinds) == 1 else ""
    return "" if tone == "neutral" and _complains(letter) else tone


def _complains(letter: Letter) -> bool:
    weights = cues.wanted(letter.title, letter.body, 0.0).by_kind
    return "!" in letter.title + letter.body or bool(weights["投诉"] or weights["举报"])


def _told(letters: Sequence[Letter]) -> Labelled:
    """``FORMS`` rows of each letter, one after the other."""
    forms, labels = [], []
    for letter in letters:
        bare = letter.without(data.ASKED[_kinds(letter.title)[0]])
        forms += [letter.forms(), bare.forms(), letter.forms(alone=True), bare.forms(alone=True)]
        labels += [_tone(letter)] * FORMS
    return _rows(forms, labels)


def _learnt(told: Labelled, others: Sequence[Letter], segmenter: Segmenter, plan: Plan) -> Labelled:
    """The other letters of which a model taught on ``told`` is sure, whole and by their titles."""
    number = np.arange(len(told.texts)) // FORMS
    held = number % HELD == 0
    table = fit.tabulate(told, plan, segmenter)
    unseen = fit.subset(table, held)
    apart = fit.fit(fit.subset(table, ~held), plan).scores(unseen.rows)
    bare = np.arange(len(apart)) % FORMS == 1  # whole, without the word that tells: as the others are
    slope, shift = fit.calibrate(apart[bare], unseen.target[bare])
    model = replace(fit.fit(table, plan), slope=slope, shift=shift)
    whole = _rows([letter.forms() for letter in others], [plan.base] * len(others))
    p = np.concatenate([model.score(batch, explain=0).p for _, batch in data.batches(whole, segmenter)])
    sure = [int(one) for one in np.flatnonzero(p.max(axis=1) >= SURE)]
    labels: list[str] = [plan.labels[one] for one in p[sure].argmax(axis=1).tolist()]
    forms = [others[one].forms(alone=alone) for alone in (False, True) for one in sure]
    return _rows(forms, labels * 2)


def _rows(forms: Sequence[tuple[str, int]], labels: list[str]) -> Labelled:
    return data.labelled([text for text, _ in forms], labels, "letters", titles=[length for _, length in forms])
