"""Teach the shipped models anew from a folder of labelled files, and measure models on the files kept for that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.errors import Refused
from hub.i18n import _
from nlp.training import data, shipped
from nlp.training.teacher import NoTeacher, require
from workflows.language.labelled import refuse_broken

MODELS = ("rarity", "topic", "sentiment", "emotion", "request", "classic", "context")
Say = Callable[[str], None]
_NEEDED = (
    Path("topics") / data.TOPIC_TRAIN,
    Path("topics") / data.TOPIC_STOP,
    Path("topics") / data.TAXONOMY,
    Path("sentiment") / data.TONE_TRAIN,
    data.LETTERS,
    data.ANSWERED,
)
_MEASURED = (Path("topics") / data.TOPIC_DEV, Path("sentiment") / data.TONE_DEV, Path("sentiment") / data.TONE_COVID)


@dataclass(frozen=True, slots=True)
class Score:
    """A model on a file it was (``seen``) or was not taught on; ``values`` as ``nlp.training.shipped.measure`` says."""

    model: str
    file: str
    seen: bool
    values: dict[str, Any]


def train(source: Path, target: Path, say: Say, only: str = "", teacher: Path | None = None) -> None:
    """Write the models of MODELS (or ``only`` one) to ``target``; the same files give the same weights.

    ``teacher``: a folder, to have a large model teach the model of tone. Refused when a file is missing, with its name,
    when there is no such model, or when what the teacher needs is not installed."""
    if only not in ("", *MODELS):
        raise Refused([_("没有名为 %(name)s 的模型；可选：%(all)s", name=only, all="、".join(MODELS))])
    _need(source, (*_NEEDED, *_MEASURED))
    refuse_broken(source)
    if teacher:
        try:
            require()
        except NoTeacher as missing:
            raise Refused([_(
                "大模型教学需要另外安装：pip install %(names)s。不带 --teacher 也能训练，只是情感模型少了小网络。",
                names=" ".join(missing.packages),
            )]) from missing  # fmt: skip
    shipped.train_all(source, target, say, only, teacher)


def evaluate(source: Path, models: Path, say: Say) -> list[Score]:
    """Measure the models of ``models`` on the files kept for that. Refused when a file or a model is missing."""
    _need(source, _MEASURED)
    refuse_broken(source)
    missing = [f"{name}.npz" for name in shipped.JUDGED if not (models / f"{name}.npz").is_file()]
    if missing:
        raise Refused([_("%(folder)s 中缺少模型：%(names)s", folder=str(models), names="、".join(missing))])
    return [Score(*one) for one in shipped.evaluate(source, models, say)]


def shipped_folder() -> Path:
    """Where the models of this installation are."""
    return shipped.FOLDER


def _need(source: Path, files: tuple[Path, ...]) -> None:
    missing = [str(path) for path in files if not (source / path).is_file()]
    if missing:
        raise Refused([_("%(folder)s 中缺少文件：%(names)s", folder=str(source), names="、".join(missing))])
