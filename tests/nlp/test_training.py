"""Training on small sets: it learns, it is honest about doubt, it repeats itself, and its files survive."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

import nlp
from nlp import classic, clusters, features, linear, segment
from nlp.linear import LinearModel, Recipe
from nlp.network import Network
from nlp.training import data, fit, margin, scores, solver
from nlp.training.data import Labelled
from nlp.training.fit import Plan
from nlp.training.solver import Pace

GOOD = ("开心", "喜欢", "点赞", "满意", "温暖", "感动")
BAD = ("生气", "讨厌", "失望", "糟糕", "恶心", "愤怒")
PLAIN = ("开会", "通知", "公告", "上午", "办理", "地址")
PLAN = Plan(nlp.SENTIMENTS, Recipe(runs=(1, 2), style=True, bits=16), Pace(passes=8), base="neutral")


def invented(count: int, seed: int) -> Labelled:
    """Texts whose label follows from their words; one in ten is labelled wrongly."""
    draw = np.random.default_rng(seed)
    texts, labels = [], []
    for _ in range(count):
        number = int(draw.integers(3))
        words = draw.choice((BAD, PLAIN, GOOD)[number], 2).tolist()
        texts.append("今天" + "的".join(words) + str(draw.integers(99)))
        labels.append(nlp.SENTIMENTS[int(draw.integers(3)) if draw.random() < 0.1 else number])
    return data.labelled(texts, labels, "invented")


def scored(model: LinearModel, rows: Labelled) -> tuple[float, float]:
    (batch,) = (batch for _, batch in data.batches(rows, segment.make_segmenter(), size=len(rows.texts)))
    p = model.score(batch, explain=0).p
    said = [nlp.SENTIMENTS[number] for number in p.argmax(axis=1)]
    right = [one == two for one, two in zip(rows.labels, said, strict=True)]
    return scores.macro_f1(rows.labels, said), scores.calibration_error(p.max(axis=1), right)


def test_a_model_learns_and_knows_how_often_it_is_right() -> None:
    model = fit.fit_calibrated(fit.tabulate(invented(900, 1), PLAN, segment.make_segmenter()), PLAN)
    f1, error = scored(model, invented(600, 2))
    assert f1 >= 0.88
    assert error <= 0.06


def test_the_same_rows_give_the_same_weights() -> None:
    table = fit.tabulate(invented(200, 1), PLAN, segment.make_segmenter())
    one, two = fit.fit(table, PLAN), fit.fit(table, PLAN)
    assert np.array_equal(one.weights, two.weights)
    assert np.array_equal(one.bias, two.bias)


def test_a_few_new_rows_teach_new_words_without_forgetting_the_old() -> None:
    segmenter = segment.make_segmenter()
    model = fit.fit(fit.tabulate(invented(600, 1), PLAN, segmenter), PLAN)
    fresh = data.labelled([f"这波操作绝绝子{n}" for n in range(20)] + [f"真是无语子{n}" for n in range(20)],
                          ["positive"] * 20 + ["negative"] * 20, "corrections")  # fmt: skip
    before, _ = scored(model, invented(400, 3))
    gentle = Plan(PLAN.labels, PLAN.recipe, Pace(passes=4, pull=1e-3), base="neutral")
    table = fit.tabulate(fresh + invented(60, 5), gentle, segmenter)
    after = fit.fit(table, gentle, start=model)
    batch = features.make_batch(["绝绝子啊", "无语子了"], segmenter)
    assert [PLAN.labels[n] for n in after.score(batch).p.argmax(axis=1)] == ["positive", "negative"]
    assert scored(after, invented(400, 3))[0] >= before - 0.03


def test_partial_rows_say_nothing_about_the_excluded_class() -> None:
    rows = linear.Rows(2, np.array([0, 1]), np.array([0, 1]), np.ones(2))
    target, weight = np.array([0, 2]), np.ones(2)
    partial = np.array([True, True])
    for weights, _ in (
        solver.fit(solver.Problem(rows, target, weight, 3, 4, 1, partial), Pace()),
        margin.fit(solver.Problem(rows, target, weight, 3, 4, 1, partial), 1.0),
    ):
        assert abs(weights[1]).max() < 1e-6
        assert weights[0, 0] > 0 > weights[2, 0]


def test_a_file_read_back_scores_the_same_and_newer_formats_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model = fit.fit_calibrated(fit.tabulate(invented(200, 1), PLAN, segment.make_segmenter()), PLAN)
    buffer = io.BytesIO()
    model.save(buffer)
    again = linear.load(buffer.getvalue())
    batch = features.make_batch(["今天开心", "今天开会"], segment.make_segmenter())
    assert np.array_equal(model.score(batch).p, again.score(batch).p)
    monkeypatch.setattr(linear, "FORMAT", 1)
    with pytest.raises(ValueError, match="newer"):
        linear.load(buffer.getvalue())


def test_the_classic_engine_survives_its_file() -> None:
    rows = [(["开心", "今天"], "positive"), (["生气", "今天"], "negative")] * 5
    model = classic.teach(rows, ("negative", "positive"))
    buffer = io.BytesIO()
    model.save(buffer)
    batch = features.make_batch(["今天 开心"], features.Parted())
    again = classic.load(buffer.getvalue())
    assert np.array_equal(model.score(batch).p, again.score(batch).p)
    assert again.score(batch).words == [("开心",)]


def test_calibration_error_of_a_boaster() -> None:
    assert scores.calibration_error(np.array([1.0, 1.0, 1.0, 1.0]), [True, True, False, False]) == pytest.approx(0.5)
    assert scores.calibration_error(np.array([0.5, 0.5]), [True, False]) == pytest.approx(0.0)


def test_shipped_models_are_small_and_carry_their_record() -> None:
    for path in (Path(nlp.__file__).parent / "models").glob("*.npz"):
        assert path.stat().st_size <= 1_000_000, path.name
    for name in ("topic", "sentiment"):
        meta = linear.load((Path(nlp.__file__).parent / "models" / f"{name}.npz").read_bytes()).meta
        assert meta["sources"]
        assert meta["scores"]
        assert meta["trained_at"].startswith("20")


def test_intervals_hold_the_figure_and_shrink_with_more_texts() -> None:
    draw = np.random.default_rng(7)
    gold = [("a", "b", "c")[n] for n in draw.integers(0, 3, 4000)]
    said = [g if draw.random() < 0.8 else "a" for g in gold]
    widths = []
    for count in (200, 4000):
        (low, high), each = scores.intervals(gold[:count], said[:count])
        assert low <= scores.macro_f1(gold[:count], said[:count]) <= high
        exact = scores.class_f1(gold[:count], said[:count])
        assert set(each) == {"a", "b", "c"}
        assert all(below <= exact[label] <= above for label, (below, above) in each.items())
        widths.append(high - low)
    assert widths[1] < widths[0] / 3


def test_an_honest_model_shows_an_error_by_chance_alone() -> None:
    """Texts enough and it goes away; too few and even the truth looks dishonest."""
    draw = np.random.default_rng(8)
    p = draw.uniform(0.4, 1.0, 40_000)
    few, worst = scores.floor(p[:400])
    many, _ = scores.floor(p)
    assert many < 0.01 < few < worst < 0.1
    errors = [scores.calibration_error(q, (draw.random(400) < q).tolist()) for q in np.split(p, 100)]
    assert np.mean(errors) == pytest.approx(few, abs=0.01)
    assert np.mean(np.array(errors) > worst) <= 0.1


def test_near_copies_are_kin() -> None:
    words = [f"词{n}" for n in range(30)]
    texts = [" ".join(words), " ".join(["另外", *words[3:20]]), " ".join(words[::-1]), "短 文", "短 文"]
    found = data.kin(data.labelled(texts, [""] * 5, "x")).tolist()
    assert found[0] == found[1]
    assert found[3] == found[4]
    assert len(set(found)) == 3


def test_weights_and_network_are_mixed_as_they_help() -> None:
    """A network that knows everything and says it of the wrong labels, beside weights that know much."""
    rows = invented(900, 1)
    table = fit.tabulate(rows, PLAN, segment.make_segmenter())
    wrong = np.array([1, 2, 0])[table.target]
    said = np.eye(3)[wrong] * 0.3 + np.random.default_rng(3).normal(0, 0.1, (900, 3))
    mixed = fit.mix(table, PLAN, None, said)
    plain = fit.fit_calibrated(table, PLAN)
    sums = plain.scores(table.rows) @ mixed.weights.T + said @ mixed.network.T + mixed.shift
    assert (sums.argmax(axis=1) == table.target).mean() >= 0.97
    assert (plain.scores(table.rows).argmax(axis=1) == table.target).mean() < 0.95


def test_a_mixed_model_says_what_the_mix_says_of_both() -> None:
    segmenter, draw = segment.make_segmenter(), np.random.default_rng(4)
    rows = invented(300, 1)
    table = fit.tabulate(rows, PLAN, segmenter)
    none = np.zeros(0, np.uint32)
    net = Network(
        none, np.ones((1, 2), np.int8), np.ones(2, np.float32), (draw.normal(size=(4, 2)).astype(np.float16),),
        np.zeros(2, np.float32), none, np.zeros((1, 2), np.int8), np.ones(2, np.float32),
        draw.normal(size=(4, 3)).astype(np.float32), draw.normal(size=3).astype(np.float32),
    )  # fmt: skip
    mixed = fit.Mix(draw.normal(size=(3, 3)), draw.normal(size=(3, 3)), draw.normal(size=3))
    made = fit.fit_mixed(table, PLAN, None, mixed, net)
    ((_, batch),) = data.batches(rows, segmenter)
    plain = fit.fit(table, PLAN).scores(table.rows)
    sums = plain @ mixed.weights.T + net.scores(batch) @ mixed.network.T + mixed.shift
    told = made.score(batch, explain=0).p
    assert np.abs(told - linear.softmax(sums)).max() < 0.02  # what rounding to eight bits costs


def test_the_mix_is_of_least_log_loss() -> None:
    draw = np.random.default_rng(5)
    x = np.concatenate([draw.normal(size=(4000, 4)), np.ones((4000, 1))], axis=1)
    truth = draw.normal(size=(3, 5))
    target = (linear.softmax(x @ truth.T).cumsum(axis=1) < draw.random((4000, 1))).sum(axis=1)
    found = fit._regression(x, target)
    gap = (found - found.mean(axis=0)) - (truth - truth.mean(axis=0))  # softmax leaves a common part open
    assert np.abs(gap).max() < 0.2
    slope = (linear.softmax(x @ found.T) - np.eye(3)[target]).T @ x / len(x)
    assert np.abs(slope).max() < 1e-4


# --- hot issues -------------------------------------------------------------------------------------------------------


MATTERS = {
    "mixer": ("丽景新城旁搅拌站扰民", "搅拌站半夜生产噪音大灰尘多丽景新城业主无法睡觉"),
    "parking": ("桂园强制捆绑销售车位", "桂园开发商卖房捆绑车位定金不退"),
    "school": ("云溪小学学位不足", "今年云溪小学报名人数太多孩子没有学位"),
}


def burst(per: int) -> tuple[list[nlp.Text], list[str]]:
    draw = np.random.default_rng(4)
    texts, gold = [], []
    for number in range(per * len(MATTERS)):
        name = list(MATTERS)[number % len(MATTERS)]
        title, body = MATTERS[name]
        cut = int(draw.integers(6, len(body)))
        texts.append(nlp.Text(f"{body[:cut]}，{'希望 请求 恳请'.split()[number % 3]}处理，{number}", title=title))  # noqa: SIM905
        gold.append(name)
    return texts, gold


def test_messages_about_one_matter_become_one_issue_and_others_stay_apart() -> None:
    texts, gold = burst(8)
    alone = nlp.Text("请问社保卡丢失后如何补办", title="社保卡补办")
    found = clusters.group(nlp.analyser(), [*texts, alone])
    assert found[-1] == -1
    for name in MATTERS:
        numbers = {number for number, matter in zip(found, gold, strict=False) if matter == name}
        assert numbers == {gold.index(name)}


def test_issues_keep_their_number_across_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    texts, gold = burst(12)
    whole = clusters.group(nlp.analyser(), texts)
    monkeypatch.setattr(clusters, "WINDOW", 10)
    assert clusters.group(nlp.analyser(), texts) == whole
    assert len(set(whole)) == len(set(gold))
