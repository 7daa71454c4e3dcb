"""The small network beside the linear weights: it says what its definition says, in any batch, and in its file."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import nlp
from nlp import features, layers, learning, linear, network, segment
from nlp.features import Batch
from nlp.linear import LinearModel, Recipe
from nlp.network import Network

LETTERS = "今天开心好生气的路灯坏了"
WORDS = ("今天", "开心", "生气", "路灯")
TEXTS = ["今天开心", "路灯坏了，好 生气！", "x", "", "今天路灯的开心" * 9]


def lay_out(texts: list[str]) -> Batch:
    return features.make_batch(texts, segment.make_segmenter())


def invented(filters: int = 5, labels: int = 3, hidden: int = 4) -> Network:
    draw = np.random.default_rng(5)
    hashes, columns = features.make_batch([" ".join(WORDS)], features.Parted()).words, 2 * filters + 6
    codes = np.array(sorted(map(ord, set(LETTERS))), np.uint32)

    def steps(rows: int, columns: int) -> np.ndarray[tuple[int, int], np.dtype[np.int8]]:
        return draw.integers(-127, 128, (rows, columns)).astype(np.int8)

    return Network(
        codes, steps(len(codes) + 1, 4), np.full(4, 0.01, np.float32),
        tuple(draw.normal(size=(width * 4, filters)).astype(np.float16) for width in (2, 3)),
        draw.normal(size=2 * filters).astype(np.float32), np.sort(hashes), steps(len(hashes) + 1, 6),
        np.full(6, 0.01, np.float32), draw.normal(size=(hidden + columns, labels)).astype(np.float32),
        draw.normal(size=labels).astype(np.float32), draw.normal(size=(columns, hidden)).astype(np.float32),
        draw.normal(size=hidden).astype(np.float32), 0.7,
    )  # fmt: skip


def older() -> Network:
    """As files up to format 3 have it: nothing hidden, and 32 bits of a hash."""
    now = invented(hidden=0)
    shorter = np.sort((now.words >> np.uint64(32)).astype(np.uint32))
    return replace(now, hidden=None, hidden_bias=None, words=shorter)


def spelt_out(net: Network, text: str, pieces: list[str]) -> list[float]:
    """The definition, one character after the other."""
    known = {chr(code): number + 1 for number, code in enumerate(net.letters.tolist())}
    vectors = net.letter_vectors * net.letter_scale
    seen = [vectors[known.get(letter, 0)] for letter in text if letter != " "]
    none = np.zeros(vectors.shape[1])
    told: list[float] = []
    for width, filters in zip(net.widths, net.filters, strict=True):
        padded = [none] * width + seen + [none] * width
        slid = [
            np.concatenate(padded[at : at + width]) @ filters.astype(float) for at in range(len(padded) - width + 1)
        ]
        told += np.max(slid, axis=0).tolist()
    strongest = np.maximum(np.array(told) + net.lean, 0)
    keys = net.words.tolist()
    shift = 0 if net.words.dtype == np.uint64 else 32
    own = [int(features.make_batch([piece], features.Parted()).words[0]) >> shift for piece in pieces]
    rows = [keys.index(key) + 1 for key, piece in zip(own, pieces, strict=True) if len(piece) > 1 and key in keys]
    means = net.word_vectors * net.word_scale
    meant = means[rows].sum(axis=0) / max(1, len(rows)) ** 0.5 if rows else np.zeros(means.shape[1])
    told_all = np.concatenate([strongest, meant])
    if net.hidden is not None and net.hidden_bias is not None:
        told_all = np.concatenate([np.maximum(told_all @ net.hidden + net.hidden_bias, 0), told_all])
    return ((told_all @ net.out + net.bias) * net.strength).tolist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("made", [invented, older])
def test_it_says_what_its_definition_says(made: Callable[[], Network]) -> None:
    net, batch = made(), lay_out(TEXTS)
    pieces: list[list[str]] = [[] for _ in TEXTS]
    for piece, doc in zip(batch.pieces, batch.word_doc.tolist(), strict=True):
        pieces[doc].append(piece)
    wanted = [spelt_out(net, text, words) for text, words in zip(TEXTS, pieces, strict=True)]
    assert net.scores(batch) == pytest.approx(np.array(wanted), abs=1e-4)


def test_a_text_says_the_same_in_any_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    net = invented()
    alone = np.concatenate([net.scores(lay_out([text])) for text in TEXTS])
    assert net.scores(lay_out(TEXTS)) == pytest.approx(alone, abs=1e-5)
    assert net.scores(lay_out(TEXTS[::-1]))[::-1] == pytest.approx(alone, abs=1e-5)
    monkeypatch.setattr(network, "_ROOM", 3)  # laid out a few characters at a time
    assert net.scores(lay_out(TEXTS)) == pytest.approx(alone, abs=1e-5)
    assert net.scores(lay_out([])).shape == (0, 3)


def beside() -> LinearModel:
    recipe = Recipe(runs=(1, 2), bits=10)
    weights = np.random.default_rng(1).integers(-60, 60, (3, 1 << 10)).astype(np.int8)
    none = np.zeros(3)
    return LinearModel(nlp.SENTIMENTS, recipe, weights, np.full(3, 0.02), none, none + 1, none, network=invented())


def test_a_file_keeps_it_and_files_without_it_stay_readable() -> None:
    whole = beside()
    plain = replace(whole, network=None)
    batch = lay_out(TEXTS)
    for model in (whole, plain):
        out = io.BytesIO()
        model.save(out)
        assert model.packed_size() == len(out.getvalue())
        again = linear.load(out.getvalue())
        assert np.array_equal(again.score(batch).p, model.score(batch).p)
    assert not np.allclose(whole.score(batch).p, plain.score(batch).p)


def test_words_that_differ_in_their_first_character_are_not_taken_for_each_other() -> None:
    hashes = features.make_batch(["医院 学院 法院 一天 明天"], features.Parted()).words
    known = np.sort(hashes[:1])
    assert features.find_words(known, hashes).tolist() == [1, 0, 0, 0, 0]
    short = (known >> np.uint64(32)).astype(np.uint32)  # as older files keep it
    assert features.find_words(short, hashes).tolist() == [1, 1, 1, 0, 0]
    assert features.find_words(known[:0], hashes).tolist() == [0] * 5


@pytest.mark.parametrize("made", [invented, older])
def test_it_may_stand_in_a_file_of_its_own(made: Callable[[], Network], tmp_path: Path) -> None:
    net, plain, batch = made(), replace(beside(), network=None), lay_out(TEXTS)
    own = io.BytesIO()
    net.save(own, {"rows": 3})
    (tmp_path / network.FILE).write_bytes(own.getvalue())
    named = replace(plain, meta={"network": hashlib.sha256(own.getvalue()).hexdigest()})
    again = linear.joined(named, tmp_path)
    assert np.array_equal(again.score(batch).p, replace(plain, network=net).score(batch).p)
    assert linear.joined(plain, tmp_path).network is None  # a model without one takes none from its neighbour
    with pytest.raises(ValueError, match="does not belong"):
        linear.joined(replace(named, meta={"network": "0" * 64}), tmp_path)


def test_words_are_still_named_and_they_push_to_the_label() -> None:
    """They come from the linear weights, so each must speak there for the first label against the second."""
    model, batch = beside(), lay_out(TEXTS)
    scored = model.score(batch)
    assert any(scored.words)
    order = np.argsort(-scored.p, axis=1)
    for text, words in enumerate(scored.words):
        for word in words:
            (one,) = [lay_out([word])]
            assert word in "".join(TEXTS[text])
            owned = linear.occurrences(one, model.recipe)
            inside = owned.owner >= 0
            first, second = order[text, :2]
            push = model.weights[first, owned.bucket[inside]] * model.scale[first]
            push = push - model.weights[second, owned.bucket[inside]] * model.scale[second]
            assert push.sum() > 0


def test_what_was_learnt_goes_on_top_of_it() -> None:
    """The layer is fitted to what model and network say together, and belongs to both."""
    model = beside()
    assert layers.fingerprint(model) != layers.fingerprint(replace(model, network=None))
    told = learning._told([learning.Example(nlp.Text(text), "positive") for text in TEXTS[:2]], model, _texts)
    said = model.score(lay_out(TEXTS[:2]), explain=0).p
    assert linear.softmax(told.start) == pytest.approx(said, abs=1e-6)


def _texts(texts: object) -> Batch:
    return lay_out([one.body for one in texts])  # type: ignore[attr-defined]
