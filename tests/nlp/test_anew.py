"""Learning from scratch beside the layer: the better of the two, measured on unseen texts, never a worse one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import nlp
from nlp import anew, layers, learning, pipeline
from nlp.base import Text
from nlp.learning import Example, Lesson
from tests.nlp.test_learning_layer import said, slang

TONES = {"negative": "气死了，没人管", "neutral": "请问几点开门", "positive": "谢谢你们，办得真快"}


def thin_base(folder: Path) -> Path:
    """Training files too few to replace a model: sixty short microblogs, sixty cut letters."""
    (folder / "sentiment").mkdir(parents=True)
    (folder / "topics").mkdir()
    rows = [f"w{n}\tusual\t{text}{n}\t{tone}\t" for n in range(20) for tone, text in TONES.items()]
    text = "\n".join(["id\tsource\ttext\tlabel\temotion6", *rows])
    (folder / "sentiment/weibo3_train.tsv").write_text(text, encoding="utf-8")
    cut = [f"g{n}\t{topic} 问题 反映 {n}\t{topic}" for n in range(9) for topic in nlp.TOPICS]
    head = "\n".join(["id\ttokens\tlabel", *cut])
    (folder / "topics/gov7_train_segmented.tsv").write_text(head, encoding="utf-8")
    (folder / "topics/gov7_stopwords.txt").write_text("的\n了\n", encoding="utf-8")
    return folder


def learn(task: str, examples: list[Example], folder: Path) -> Lesson:
    analyser = nlp.analyser()
    return anew.learn(
        task, examples, learning.guard(task), folder, model=pipeline.model(task), lay_out=analyser.batch,
        segmenter=analyser.segmenter,
    )  # fmt: skip


def test_a_thin_base_is_no_match_for_the_layer_and_says_so(tmp_path: Path) -> None:
    found = learn("sentiment", slang(60), thin_base(tmp_path))
    assert found.layer is not None
    assert found.accepted
    assert found.whole == b""
    why = found.report["anew"]["why"]
    assert "thin" in {reason[0] for reason in why}
    assert found.report["anew"]["base"] > 60, "own terms count, too"
    plain = learning.learn(
        "sentiment", slang(60), learning.guard("sentiment"), model=pipeline.model("sentiment"),
        lay_out=nlp.analyser().batch,
    )  # fmt: skip
    assert plain.layer is not None
    assert found.layer.dump() == plain.layer.dump(), "the layer is what it would have been"


def test_topics_are_learnt_anew_too_and_refused_when_worse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anew, "THINNEST", 0)
    examples = [Example(Text(f"第{n}次反映星轨台的事", "星轨台"), "交通运输") for n in range(24)]
    found = learn("topic", examples, thin_base(tmp_path))
    assert {reason[0] for reason in found.report["anew"]["why"]} & {"office", "guard", "layer"}
    assert found.whole == b""


def test_few_examples_teach_nothing(tmp_path: Path) -> None:
    found = learn("sentiment", slang(5), thin_base(tmp_path))
    assert (found.layer, found.whole, found.accepted) == (None, b"", False)
    assert found.report["why"][0][0] == "few"


@pytest.mark.real_data
def test_a_good_base_gives_a_model_of_its_own(shared_data: Path) -> None:
    found = learn("sentiment", slang(60), shared_data)
    assert found.accepted
    assert found.layer is None
    assert found.report["anew"]["why"] == found.report["why"] == []
    assert 0 < len(found.whole) <= anew.BIGGEST_WHOLE
    office, guard = found.report["office"], found.report["guard"]
    assert office["after"]["macro_f1"] > office["before"]["macro_f1"] + 0.2
    assert guard["after"]["macro_f1"] >= guard["before"]["macro_f1"] - learning.GUARD_MAY_LOSE
    model = layers.taught(found.dump(), pipeline.model("sentiment"))
    fresh = slang(40, 900)
    assert np.mean([got == one.label for got, one in zip(said(model, fresh), fresh, strict=True)]) >= 0.9


def test_a_model_made_anew_is_read_as_it_is_and_one_for_other_labels_refused() -> None:
    import io

    shipped = pipeline.model("sentiment")
    out = io.BytesIO()
    shipped.save(out)
    again = layers.taught(out.getvalue(), shipped)
    batch = nlp.analyser().batch([Text("谢谢，办得真快")])
    assert np.array_equal(again.score(batch, explain=0).p, shipped.score(batch, explain=0).p)
    with pytest.raises(ValueError, match="other labels"):
        layers.taught(out.getvalue(), pipeline.model("topic"))
