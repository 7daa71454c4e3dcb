"""The whole pass over a batch: clean, cut, score, look for cues, places and personal data."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from nlp import (
    EMOTIONS,
    SENTIMENTS,
    classic,
    clean,
    cues,
    features,
    keywords,
    labels,
    linear,
    named,
    personal,
    places,
    search,
    segment,
    times,
)
from nlp.base import Analysis, Text
from nlp.classic import BayesModel
from nlp.clean import Cleaned
from nlp.features import Batch
from nlp.labels import Judged, Said
from nlp.linear import LinearModel, Panel
from nlp.segment import Segmenter
from nlp.subtopics import subtopic
from nlp.taught import Taught, taught

BATCH_TEXTS, BATCH_CHARS = 512, 120_000
KEYWORDS = 5


@dataclass(frozen=True, slots=True)
class Setup:
    """What an office may choose: where jieba keeps its cache, its own places and sensitive words, whether to use the
    accelerator, and which engine judges the tone (linear or classic)."""

    cache_dir: Path | None = None
    places: tuple[tuple[str, str, str], ...] = ()
    sensitive: tuple[str, ...] = ()
    fast: bool | None = None
    engine: str = "linear"


@dataclass(frozen=True, slots=True)
class _Prepared:
    """One text in its forms."""

    title: Cleaned
    body: Cleaned
    whole: Cleaned
    form: str
    title_length: int


@cache
def model(name: str) -> LinearModel:
    """A shipped linear model by name: topic or sentiment."""
    folder = files("nlp").joinpath("models")
    return linear.joined(linear.load(folder.joinpath(f"{name}.npz").read_bytes()), folder)


@cache
def classic_model() -> BayesModel:
    """The shipped classic model of sentiment."""
    return classic.load(files("nlp").joinpath("models", "classic.npz").read_bytes())


_panels: list[Panel] = []  # the last one used; replaced when a model was taught anew


def _panel(*models: LinearModel) -> Panel:
    known = _panels[0] if _panels else None
    if known is None or list(map(id, known.models)) != list(map(id, models)):
        _panels[:] = [known := linear.panel(models)]
    return known


class Analyser:
    """The pass, set up once; the dictionary is loaded on the first text."""

    def __init__(self, setup: Setup | None = None) -> None:
        self.setup = setup or Setup()
        self._segmenter: Segmenter | None = None

    @property
    def segmenter(self) -> Segmenter:
        """The segmenter in use, loaded when first asked for."""
        if self._segmenter is None:
            own = [name for name, _, _ in self.setup.places]
            self._segmenter = segment.make_segmenter(fast=self.setup.fast, cache_dir=self.setup.cache_dir, extra=own)
            gc.freeze()  # half a million dictionary words need not be walked again at every collection
        return self._segmenter

    def analyse(self, texts: Sequence[Text | str]) -> list[Analysis]:
        """Label every text; what one text gets does not depend on its neighbours. Accepts any string."""
        results: list[Analysis] = []
        for chunk in _chunks([_prepare(text) for text in texts]):
            results.extend(self._analyse(chunk))
        return results

    def batch(self, texts: Sequence[Text | str]) -> Batch:
        """Only cut and hash; for clustering and similar work."""
        return self._lay_out([_prepare(text) for text in texts])

    def _lay_out(self, chunk: Sequence[_Prepared]) -> Batch:
        titles = [one.title_length for one in chunk]
        return features.make_batch([one.form for one in chunk], self.segmenter, titles)

    def _tone_model(self, now: Taught) -> LinearModel | BayesModel:
        if self.setup.engine == "classic":
            return classic_model()
        return now.models.get("sentiment") or model("sentiment")

    def _analyse(self, chunk: list[_Prepared]) -> Iterator[Analysis]:
        batch, now = self._lay_out(chunk), taught[0]
        said = self._judge(batch, now, [one.whole.text for one in chunk])
        keys = keywords.keywords(batch, keywords.word_weights(batch), KEYWORDS, self.segmenter.knows)
        bounds = np.searchsorted(batch.word_doc, np.arange(batch.size + 1)).tolist()
        by = now.version
        for number, one in enumerate(chunk):
            words = batch.pieces[bounds[number] : bounds[number + 1]]
            yield self._assemble(one, words, said.of(number) if words else labels.SILENT, keys[number], by)

    def _judge(self, batch: Batch, now: Taught, texts: list[str]) -> Judged:
        """Every model over the batch; those that look at the same features share them."""
        topic, tone = now.models.get("topic") or model("topic"), self._tone_model(now)
        emotion, request = model("emotion"), now.models.get("request") or model("request")
        seen = emotion.seen(batch)
        if isinstance(tone, LinearModel) and tone.looks_alike(emotion):
            mood, want, tune = _panel(emotion, request, tone).scores(seen.rows)
            tones = tone.scored(batch, seen, tune)
        else:
            mood, want = _panel(emotion, request).scores(seen.rows)
            tones = tone.score(batch)
        moods = labels.moods(emotion, batch, seen, mood, tones)
        return Judged(
            labels.made(topic.score(batch), topic.labels, texts),
            labels.made(tones, SENTIMENTS, texts),
            labels.made(moods, EMOTIONS, texts),
            request.probabilities(want).tolist(),
        )

    def _assemble(self, one: _Prepared, words: list[str], said: Said, keys: tuple[str, ...], by: str) -> Analysis:
        text = one.whole.text
        urgent = cues.urgency(text, one.title.text)
        flagged = cues.sensitive(text, one.title.text, self.setup.sensitive)
        asked = labels.asked(cues.wanted(one.title.text, one.body.text, said.positive), said.request)
        return Analysis(
            topic=said.topic,
            sentiment=said.tone,
            sensitive=bool(flagged.value),
            sensitive_words=flagged.words,
            request=asked.value,
            urgency=urgent.value,
            urgency_words=urgent.words,
            keywords=keys,
            places=places.find(one.whole, self.setup.places),
            personal=personal.find(one.whole),
            tokens=search.tokens(text, words),
            version=by,
            emotion=said.emotion,
            asked=asked,
            urgent=urgent,
            flagged=flagged,
            subtopic=subtopic(said.topic, one.title.text, one.body.text),
            departments=named.departments(one.whole),
            persons=named.persons(one.whole),
            times=times.find(one.whole),
        )


_NOTHING = Cleaned("", "")


def _prepare(text: Text | str) -> _Prepared:
    text = Text(text) if isinstance(text, str) else text
    body = clean.clean(text.body)
    if not text.title:
        return _Prepared(_NOTHING, body, body, clean.model_form(body.text), 0)
    title = clean.clean(text.title)
    head = clean.model_form(title.text)
    form = f"{head} {clean.model_form(body.text)}"
    return _Prepared(title, body, Cleaned(text.whole, f"{title.text}\n{body.text}"), form, len(head))


def _chunks(prepared: list[_Prepared]) -> Iterator[list[_Prepared]]:
    chunk: list[_Prepared] = []
    length = 0
    for one in prepared:
        if chunk and (len(chunk) == BATCH_TEXTS or length + len(one.form) > BATCH_CHARS):
            yield chunk
            chunk, length = [], 0
        chunk.append(one)
        length += len(one.form)
    if chunk:
        yield chunk
