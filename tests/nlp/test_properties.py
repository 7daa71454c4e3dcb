"""What holds for every text: its tags do not depend on the batch, the order, or the script it is written in."""

from __future__ import annotations

import csv
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nlp
from nlp import clean, features, segment
from nlp.segment import Segmenter

OWN = Path(__file__).parent / "own_texts.tsv"
PIECES = (
    "小区停水三天", "请问社保卡怎么办", "[泪]", "🙃", "@市城管局 ", "2020年1月6日上午9点", "打了12345",
    "湖南省长沙市岳麓区", "王局长", "!!!", "http://t.cn/A6abc", "投诉", "感谢民警", "13812345678", " ", "\n", "ABC",
    "哈哈哈哈哈哈", "垃圾", "。", "樓下", "油煙擾民", "朝阳区", "学位", "气死了", "开心", "漏电",
)  # fmt: skip
texts = st.lists(st.sampled_from(PIECES), max_size=8).map("".join) | st.text(max_size=60)


@cache
def own() -> list[str]:
    with OWN.open(encoding="utf-8", newline="") as file:
        return [row["title"] + "\n" + row["body"] for row in csv.DictReader(file, delimiter="\t")]


@given(st.lists(texts, min_size=1, max_size=6), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_same_text_gets_the_same_tags_whatever_the_batch_and_the_order(batch: list[str], draw: object) -> None:
    together = nlp.analyse(batch)
    assert [nlp.analyse([text])[0] for text in batch] == together
    order = list(range(len(batch)))
    draw.shuffle(order)  # type: ignore[attr-defined]
    filled = [*own()[:5], *(batch[number] for number in order), *own()[5:9]]
    assert nlp.analyse(filled)[5 : 5 + len(batch)] == [together[number] for number in order]


@cache
def to_traditional() -> dict[int, str]:
    """Simplified → traditional for the characters that fold back to where they came from."""
    spec = find_spec("opencc")
    assert spec is not None
    assert spec.submodule_search_locations
    table = Path(spec.submodule_search_locations[0]) / "dictionary" / "STCharacters.txt"
    pairs = (line.split("\t") for line in table.read_text(encoding="utf-8").splitlines() if "\t" in line)
    return {ord(a): b.split()[0] for a, b in pairs if clean.clean(b.split()[0]).text == a}


def test_traditional_and_simplified_agree() -> None:
    simple = own()
    old = [text.translate(to_traditional()) for text in simple]
    assert sum(a != b for a, b in zip(simple, old, strict=True)) > 60
    for one, two in zip(nlp.analyse(simple), nlp.analyse(old), strict=True):
        assert one == two


def test_names_that_only_look_traditional_stay() -> None:
    (found,) = nlp.analyse(["范志勇局长和乾先生到了"])
    assert [one.name for one in found.persons][:1] == ["范志勇局长"]
    assert clean.clean("乾隆").text == "乾隆"


@cache
def engine(fast: bool) -> Segmenter:
    return segment.make_segmenter(fast=fast)


def same_words(sample: list[str]) -> list[str]:
    """The texts that the two engines cut differently."""
    forms = [clean.model_form(clean.clean(text).text) for text in sample]
    cut = [features.make_batch(forms, engine(fast)) for fast in (True, False)]
    words = [[batch.pieces[i] for i in range(len(batch.pieces))] for batch in cut]
    if words[0] == words[1]:
        return []
    return [form for form in forms if features.make_batch([form], engine(True)).pieces
            != features.make_batch([form], engine(False)).pieces]  # fmt: skip


def test_the_accelerator_cuts_own_texts_like_jieba() -> None:
    pytest.importorskip("rjieba")
    assert same_words([*own(), *PIECES]) == []


@pytest.mark.real_data
def test_the_accelerator_cuts_real_texts_like_jieba(shared_data: Path) -> None:
    pytest.importorskip("rjieba")
    lines = (shared_data / "sentiment/weibo3_dev.tsv").read_text(encoding="utf-8").split("\n")[1:1501]
    different = same_words([line.split("\t")[2] for line in lines if line])
    assert len(different) <= 2, different[:5]
