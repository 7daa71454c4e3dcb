"""What one pass says: labels on texts written for this, personal data, hostile text, the same answer in any batch."""

from __future__ import annotations

import csv
import random
import time
from pathlib import Path

import pytest

import nlp

OWN = Path(__file__).parent / "own_texts.tsv"


def own_texts() -> list[dict[str, str]]:
    with OWN.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def share(column: str) -> float:
    """Of the rows that say what is right in ``column``, how many the analyser says too."""
    rows = [row for row in own_texts() if row[column]]
    found = nlp.analyse([nlp.Text(row["body"], row["title"]) for row in rows])
    said = {
        "topic": [one.topic.value for one in found], "sentiment": [one.sentiment.value for one in found],
        "request": [one.request for one in found], "urgency": [one.urgency for one in found],
    }[column]  # fmt: skip
    return sum(row[column] == value for row, value in zip(rows, said, strict=True)) / len(rows)


@pytest.mark.parametrize(("column", "least"), [("topic", 0.8), ("sentiment", 0.7), ("request", 0.6), ("urgency", 0.6)])
def test_own_texts_are_labelled_as_a_dispatcher_would(column: str, least: float) -> None:
    assert share(column) >= least


@pytest.mark.parametrize(("tone", "least"), [("neutral", 0.7), ("negative", 0.9)])
def test_who_asks_is_told_from_who_asks_why_nobody_cares(tone: str, least: float) -> None:
    with OWN.with_name("questions.tsv").open(encoding="utf-8", newline="") as file:
        asked = [row["text"] for row in csv.DictReader(file, delimiter="\t") if row["tone"] == tone]
    assert len(asked) >= 15
    assert sum(one.sentiment.value == tone for one in nlp.analyse(asked)) >= least * len(asked)


def test_emotions_keep_to_the_tone_one_way_round() -> None:
    """An angry, afraid or sad text is a negative one; a doubtful negative one may have another emotion."""
    bodies = [row["body"] for row in own_texts()]
    dice = random.Random(1)
    halves = [dice.choice(bodies)[:20] + dice.choice(bodies)[-20:] for _ in range(300)]
    doubtful = ["帽子怎么就变绿色幸好只是试一下", "真好，害怕一个人的时候恰巧有人还没睡", "终于有人管了，等了好几年"]
    for one in nlp.analyse([*bodies, *halves, *doubtful, "", "。"]):
        tones = [tone for tone, kinds in nlp.GROUPS.items() if one.emotion.value in kinds]
        if one.sentiment.value != "negative":
            assert one.sentiment.value in tones or one.emotion.value == "surprise"


def test_probabilities_are_probabilities() -> None:
    for one in nlp.analyse([row["body"] for row in own_texts()]):
        for label in (one.topic, one.sentiment):
            assert 0 <= label.p_second <= label.p <= 1
        assert one.topic.value in {*nlp.TOPICS, ""}
        assert one.sentiment.value in nlp.SENTIMENTS


def test_the_same_text_gets_the_same_answer_in_any_batch_and_order() -> None:
    texts = [row["body"] for row in own_texts()]
    together = nlp.analyse(texts)
    alone = [nlp.analyse([text])[0] for text in texts]
    assert together == alone
    order = list(range(len(texts)))
    random.Random(1).shuffle(order)
    shuffled = nlp.analyse([texts[n] for n in order])
    assert [together[n] for n in order] == shuffled


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("请回电13912345678谢谢", "phone"),
        ("身份证号11010519491231002X请核实", "id_card"),
        ("我的身份证号码是：330102199001011239，请核实", "id_card"),  # with a slip in it, and still somebody's
        ("邮箱 someone@example.com 可联系", "email"),
    ],
)
def test_personal_data_is_found_where_it_stands(text: str, kind: str) -> None:
    (found,) = nlp.analyse([text])[0].personal
    assert found.kind == kind
    assert nlp.mask(text).count("*") > 0
    assert text[found.start : found.end] not in nlp.mask(text)


def test_a_number_that_is_no_identity_card_is_left_alone() -> None:
    assert [p for p in nlp.analyse(["编号110105194912310021"])[0].personal if p.kind == "id_card"] == []


def test_two_character_words_are_in_the_tokens() -> None:
    tokens = nlp.analyse(["小区地下车库漏水三天没人管"])[0].tokens.split()
    assert {"漏水", "车库"} <= set(tokens)


@pytest.mark.parametrize(
    "text",
    ["", " ", "\0\0\0", "啊" * 1_000_000, "😀" * 50_000, "\u202e" * 5_000 + "停水", "a" * 200_000, "(" * 100_000],
    ids=["empty", "blank", "nul", "one-character", "emoji", "bidi", "latin", "brackets"],
)
def test_hostile_text_costs_little_and_breaks_nothing(text: str) -> None:
    nlp.analyse(["预热"])
    begun = time.process_time()
    (found,) = nlp.analyse([text])
    assert time.process_time() - begun < 3.0  # one second on a quiet machine; this guards against explosions
    assert found.sentiment.value in nlp.SENTIMENTS


def test_model_files_hold_no_pickle_and_say_where_they_come_from() -> None:
    import json

    import numpy as np

    for path in (Path(nlp.__file__).parent / "models").glob("*.npz"):
        with np.load(path, allow_pickle=False) as stored:
            names = set(stored.files)
            assert names
            if "head" in names:
                assert json.loads(stored["head"].tobytes())["format"] >= 1
