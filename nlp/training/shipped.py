"""The plans by which the shipped models are made, and the files they are made from."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

import nlp
from nlp import segment
from nlp.features import Parted
from nlp.linear import LinearModel, Recipe
from nlp.segment import Segmenter
from nlp.training import data, fit
from nlp.training.fit import Plan

Say = Callable[[str], None]

TONE = Plan(nlp.SENTIMENTS, Recipe(runs=(1, 2, 3, 4), words=True, pairs=True), strength=6.0)
TOPIC = Plan(nlp.TOPICS, Recipe(runs=(2,), words=True, weighting="tfidf", within=True), strength=60.0)


def train_all(source: Path, target: Path, say: Say) -> None:
    """Train every shipped model; safe to run again, the same files give the same models."""
    target.mkdir(parents=True, exist_ok=True)
    segmenter = segment.make_segmenter()
    gc.disable()
    for name, make in (("rarity", train_rarity), ("topic", train_topic), ("sentiment", train_tone)):
        say(f"training {name}")
        make(source, target / f"{name}.npz", segmenter)
        gc.collect()
    gc.enable()


def train_topic(source: Path, target: Path, segmenter: Segmenter) -> None:
    """The seven classes of government matters, from rows that come as words."""
    folder = source / "topics"
    labelled = data.topics_cut(folder / data.TOPIC_TRAIN)
    counts = fit.document_counts(labelled.texts, TOPIC.recipe, Parted())
    idf = fit.smooth_idf(counts, len(labelled.texts))
    table = fit.tabulate(labelled, TOPIC, Parted(), idf, None)
    stop = fit.stop_hashes(data.stop_words(folder / data.TOPIC_STOP))
    made = replace(fit.fit_calibrated(table, TOPIC), idf=np.where(counts > 0, idf, 0).astype(np.float32), stop=stop)
    _store(made, target, [folder / data.TOPIC_TRAIN, folder / data.TOPIC_STOP], len(labelled.texts))


def train_tone(source: Path, target: Path, segmenter: Segmenter) -> None:
    """Negative, neutral or positive, from microblogs."""
    folder = source / "sentiment"
    labelled = data.tones(folder / data.TONE_TRAIN)
    made = fit.fit_calibrated(fit.tabulate(labelled, TONE, segmenter, None, None), TONE)
    _store(made, target, [folder / data.TONE_TRAIN], len(labelled.texts))


def train_rarity(source: Path, target: Path, segmenter: Segmenter) -> None:
    """How rare words are, over citizens' letters and microblogs; words of almost every text count nothing."""
    recipe = Recipe()
    letters = data.topics_cut(source / "topics" / data.TOPIC_TRAIN).texts
    posts = data.tones(source / "sentiment" / data.TONE_TRAIN).texts
    counts = fit.document_counts(letters, recipe, Parted()) + fit.document_counts(posts, recipe, segmenter)
    idf = np.log((1 + len(letters) + len(posts)) / (1 + counts))
    stop = data.stop_words(source / "topics" / data.TOPIC_STOP)
    batch = fit.features.make_batch([" ".join(stop)], Parted())
    idf[fit.features.bucket(fit.features.word_hashes(batch))] = 0
    idf[idf < 2.5] = 0
    np.savez_compressed(target, allow_pickle=False, idf=np.rint(idf * 4).astype(np.uint8))


def _store(made: LinearModel, target: Path, sources: list[Path], size: int) -> None:
    meta: dict[str, Any] = {
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "rows": size,
        "sources": {path.name: data.fingerprint(path) for path in sources},
    }
    with target.open("wb") as out:
        replace(made, meta=meta).save(out)
