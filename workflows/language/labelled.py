"""Labelled files that people lay out for teaching and measuring, looked through before anything is made of them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from hub.errors import Refused
from hub.i18n import _, listed
from nlp import SENTIMENTS, TOPICS
from nlp.training import data
from workflows.language.lines import lines, not_utf8

_TONES = (*SENTIMENTS, "surprise")  # the last one is left out everywhere
_WANTED: dict[Path, tuple[tuple[str, ...], tuple[str, ...]]] = {
    **{
        Path("sentiment") / name: (("text", "label"), _TONES)
        for name in (data.TONE_TRAIN, data.TONE_DEV, data.TONE_COVID)
    },
    Path("topics") / data.TOPIC_DEV: (("title", "body", "label"), TOPICS),
    Path("topics") / data.TOPIC_TRAIN: (("tokens", "label"), TOPICS),
}


def refuse_broken(folder: Path) -> None:
    """Refused with file, line and what to do when one of the labelled files in ``folder`` cannot be learnt from: no
    UTF-8, a column missing, a row of another length, a label nobody knows. Files that are not there are no matter."""
    for path, (columns, labels) in _WANTED.items():
        if (folder / path).is_file():
            _look_through(folder / path, columns, labels)


def _look_through(path: Path, columns: Collection[str], labels: Collection[str]) -> None:
    head: list[str] = []
    for line in lines(path):
        if not line.is_whole:
            raise Refused([not_utf8(path.name, line.number)])
        cells = line.text.split("\t")
        if line.number == 1:
            head = cells
        if line.number == 1 and (missing := [name for name in columns if name not in head]):
            raise Refused([_("%(name)s 的第一行缺少这些列：%(columns)s。", name=path.name, columns=listed(missing))])
        if line.number == 1 or not line.text:
            continue
        if len(cells) != len(head):
            raise Refused([_(
                "%(name)s 第 %(line)s 行有 %(found)s 列，表头有 %(wanted)s 列：请检查这一行的制表符和换行。",
                name=path.name, line=line.number, found=len(cells), wanted=len(head),
            )])  # fmt: skip
        if (label := cells[head.index("label")]) not in labels:
            raise Refused([_(
                "%(name)s 第 %(line)s 行的 label「%(label)s」不认识，只能是：%(labels)s。",
                name=path.name, line=line.number, label=label[:20], labels=listed(labels),
            )])  # fmt: skip
    if not head:
        raise Refused([_("%(name)s 是空文件，没有表头。", name=path.name)])
