"""The report on the models: how good, how sure of itself, how fast; from their own records and from a run here.

``facts`` is what pages show; ``written`` makes the file of ``hub nlp report``."""

from __future__ import annotations

import gc
import html
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nlp
from hub.i18n import _, number, percent
from nlp import records
from nlp.base import Text
from nlp.records import Record
from workflows.language.errors import Miss


@dataclass(frozen=True, slots=True)
class SetScore:
    """How a model did on one set. ``low``, ``high``: 95 % bootstrap interval of ``macro_f1``; ``by_class``: F1, and
    ``spread`` its interval (empty where an older file does not record it).

    ``chance``: the calibration error that a perfectly honest model would show on as many texts, and what it exceeds
    once in forty times; zeros where not recorded. ``curve``: per bin the mean probability told, the share that was
    right, and how many; empty where not recorded."""

    name: str
    rows: int
    macro_f1: float
    low: float
    high: float
    accuracy: float
    top_two: float
    calibration_error: float
    by_class: dict[str, float]
    curve: list[tuple[float, float, int]]
    spread: dict[str, tuple[float, float]] = field(default_factory=dict)
    chance: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """One shipped model. ``trained_at``: ISO 8601, "" unknown; ``sources``: file → SHA-256."""

    name: str
    size: int
    sha256: str
    labels: tuple[str, ...]
    trained_at: str
    rows: int
    sources: dict[str, str]
    scores: list[SetScore]


@dataclass(frozen=True, slots=True)
class Speed:
    """A run over ``texts`` texts here: texts per second of processor time, one text alone in ms, memory in MB."""

    texts: int
    per_second: float
    single_ms: float
    memory_mb: float
    segmenter: str


def facts() -> list[ModelFacts]:
    """What every shipped model says about itself."""
    return [_facts(one) for one in records.records()]


def speed(texts: Sequence[Text | str], rounds: int = 3) -> Speed:
    """Run the whole pass over ``texts`` a few times; the best round counts. Memory is the process's highest so far."""
    nlp.analyse(texts[:1])
    best = float("inf")
    for _round in range(rounds):
        gc.collect()
        begun = time.process_time()
        nlp.analyse(texts)
        best = min(best, time.process_time() - begun)
    begun = time.process_time()
    some = texts[:200]
    for one in some:
        nlp.analyse([one])
    single = (time.process_time() - begun) / max(1, len(some)) * 1000
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Speed(len(texts), len(texts) / best, single, memory, nlp.analyser().segmenter.name)


def written(path: Path, models: Sequence[ModelFacts], ran: Speed | None, misses: Sequence[Miss]) -> None:
    """Write the report as HTML (ending .html) or Markdown (any other)."""
    lines = [*_head(models), *_speed_lines(ran), *_miss_lines(misses)]
    text = _page(lines) if path.suffix in (".html", ".htm") else "\n".join(map(_markdown, lines)) + "\n"
    path.write_text(text, encoding="utf-8")


def _facts(one: Record) -> ModelFacts:
    meta = one.meta
    told = meta.get("scores", {}).items()  # a model that labels nothing is scored in another way
    scores = [_score(name, values) for name, values in told if "macro_f1" in values]
    return ModelFacts(
        one.name, one.size, one.sha256, one.labels, meta.get("trained_at", ""), meta.get("rows", 0),
        meta.get("sources", {}), scores,
    )  # fmt: skip


def _score(name: str, values: dict[str, Any]) -> SetScore:
    low, high = values["interval"]
    return SetScore(
        name, values["rows"], values["macro_f1"], low, high, values["accuracy"], values["top_two"],
        values["calibration_error"], values["class_f1"], [(p, right, n) for p, right, n in values.get("curve", [])],
        {label: (below, above) for label, (below, above) in values.get("class_interval", {}).items()},
        tuple(values.get("calibration_floor", (0.0, 0.0))),
    )  # fmt: skip


# A line of the report: a heading with its depth, a sentence, or a table (its first row names the columns).
Line = tuple[int, str] | str | list[list[str]]


def _head(models: Sequence[ModelFacts]) -> list[Line]:
    lines: list[Line] = [
        (1, _("语言模型评测报告")),
        _("版本 %(version)s。得分取自模型文件自带的记录：训练时在未参与训练的文本上测得。", version=nlp.VERSION),
    ]
    for one in models:
        lines += _model_lines(one)
    return lines


def _model_lines(one: ModelFacts) -> list[Line]:
    told = _("%(size)s KB，SHA-256 %(hash)s…", size=number(round(one.size / 1024)), hash=one.sha256[:16])
    lines: list[Line] = [(2, one.name), told]
    if one.trained_at:
        made = _("训练于 %(day)s，%(n)s 条文本", day=one.trained_at[:10], n=number(one.rows))
        lines.append(made + _("；数据：%(names)s", names="、".join(one.sources)))
    for score in one.scores:
        lines += _score_lines(score)
    return lines


def _score_lines(score: SetScore) -> list[Line]:
    columns = [_("文本数"), _("宏平均 F1"), _("95% 置信区间"), _("准确率"), _("前两名"), _("校准误差")]
    figures = [
        number(score.rows), f"{score.macro_f1:.3f}", f"{score.low:.3f}–{score.high:.3f}", percent(score.accuracy),
        percent(score.top_two), f"{score.calibration_error:.3f}",
    ]  # fmt: skip
    lines: list[Line] = [(3, score.name), [columns, figures]]
    if any(score.chance):
        mean, worst = (f"{value:.3f}" for value in score.chance)
        lines.append(_(
            "文本只有 %(n)s 条时，完全可信的模型凭偶然也会有约 %(mean)s 的校准误差（四十次里有一次超过 %(worst)s）。",
            n=number(score.rows), mean=mean, worst=worst,
        ))  # fmt: skip
    lines.append([[_("类别"), "F1", _("95% 置信区间")], *_class_rows(score)])
    if score.curve:
        rows = [[f"{told:.2f}", f"{right:.2f}", number(n)] for told, right, n in score.curve]
        lines.append([[_("所说概率"), _("实际正确"), _("文本数")], *rows])
    return lines


def _class_rows(score: SetScore) -> list[list[str]]:
    """Every class with its F1 and the interval where one is recorded."""
    told = {name: "–".join(f"{value:.3f}" for value in pair) for name, pair in score.spread.items()}
    return [[name, f"{value:.3f}", told.get(name, "")] for name, value in score.by_class.items()]


def _speed_lines(ran: Speed | None) -> list[Line]:
    if ran is None:
        return []
    told = _(
        "%(n)s 条文本，分词 %(segmenter)s：每核每秒 %(rate)s 条，单条 %(ms)s 毫秒，进程内存最高 %(mb)s MB。",
        n=number(ran.texts), segmenter=ran.segmenter, rate=number(round(ran.per_second)), ms=f"{ran.single_ms:.1f}",
        mb=number(round(ran.memory_mb)),
    )  # fmt: skip
    return [(2, _("速度与内存")), told]


def _miss_lines(misses: Sequence[Miss]) -> list[Line]:
    if not misses:
        return []
    columns = [_("文件"), _("应为"), _("判为"), _("概率"), _("依据"), _("文本")]
    rows = [
        [one.file, one.gold, one.said, percent(one.p), " ".join(one.words), one.text.replace("\n", " ")]
        for one in misses
    ]
    return [(2, _("判错的例子")), _("取自开发数据，仅供本机查看，请勿公开。"), [columns, *rows]]


def _markdown(line: Line) -> str:
    if isinstance(line, tuple):
        return f"{'#' * line[0]} {line[1]}\n"
    if isinstance(line, str):
        return line + "\n"
    rows = [[cell.replace("|", "\\|") for cell in row] for row in line]
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([head, "|" + " --- |" * len(line[0]), *body]) + "\n"


def _page(lines: Sequence[Line]) -> str:
    style = "body{font:16px/1.6 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}" \
        "table{border-collapse:collapse;margin:.5rem 0 1rem}td,th{border:1px solid #ccc;padding:.2rem .6rem;text-align:left}"  # noqa: E501  # fmt: skip
    title = _("语言模型评测报告")
    body = "\n".join(map(_element, lines))
    return f'<!doctype html><meta charset="utf-8"><title>{html.escape(title)}</title><style>{style}</style>\n{body}\n'


def _element(line: Line) -> str:
    if isinstance(line, tuple):
        return f"<h{line[0]}>{html.escape(line[1])}</h{line[0]}>"
    if isinstance(line, str):
        return f"<p>{html.escape(line)}</p>"
    head, *body = line
    rows = ["<tr>" + "".join(f"<th>{html.escape(cell)}</th>" for cell in head) + "</tr>"]
    rows += ["<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in body]
    return "<table>" + "".join(rows) + "</table>"
