"""Tag or group a tab-separated file, without a database: the first line names the columns, UTF-8, no quoting."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import islice
from pathlib import Path
from typing import TextIO

import nlp
from hub.errors import Refused
from hub.i18n import _
from nlp.base import Analysis, Text

ADDED = (
    "sentiment",
    "p_sentiment",
    "topic",
    "topic2",
    "p_topic",
    "sensitive",
    "request_type",
    "urgency",
    "keywords",
    "places",
)
_ROWS = 512
_A_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})")

Progress = Callable[[int], None]
Row = dict[str, str]


def tag_file(source: Path, target: Path, progress: Progress = lambda rows: None) -> int:
    """Write ``source`` to ``target`` with the columns of ADDED after its own; answers the number of rows.

    The file needs a column ``text``, or ``title`` and ``body``; a column that has the name of an added one is
    replaced. Rows stream through, so length costs no memory. ``progress`` hears the rows done so far. Raises
    Refused for a file that does not fit; ``target`` then stays as it was, and it may not be ``source``."""
    _refuse_same(source, target)
    with source.open(encoding="utf-8-sig", newline="\n") as lines, _written(target) as out:
        head = _head(lines, source)
        kept = [name for name in head if name not in ADDED]
        out.write("\t".join([*kept, *ADDED]) + "\n")
        done = 0
        rows = _rows(lines, head, source)
        while some := list(islice(rows, _ROWS)):
            for row, said in zip(some, nlp.analyse([_text(row) for row in some]), strict=True):
                out.write("\t".join([*(row[name] for name in kept), *columns(said)]) + "\n")
            done += len(some)
            progress(done)
    return done


def cluster_file(source: Path, target: Path, progress: Progress = lambda rows: None) -> int:
    """Write ``id`` and ``cluster`` of every row of ``source`` to ``target``; an empty cluster means it stands alone.

    The file needs ``id`` and ``text``, or ``id``, ``title`` and ``body``; with a column ``time`` (beginning with a
    date, or sortable as text) the messages are taken in that order, and where all begin with a date, those far apart
    count as less alike. Answers the number of rows; a cluster is named by the id of its first message. Raises Refused
    for a file that does not fit."""
    from nlp import clusters

    _refuse_same(source, target)
    with source.open(encoding="utf-8-sig", newline="\n") as lines:
        head = _head(lines, source)
        if "id" not in head:
            raise Refused([_("%(name)s 的第一行缺少 id 列。", name=source.name)])
        rows = list(_rows(lines, head, source))
    days = _days([row.get("time", "") for row in rows])
    order = sorted(range(len(rows)), key=lambda n: (days[n] if days else 0.0, rows[n].get("time", "")))
    texts = [_text(rows[number]) for number in order]
    found = clusters.group(nlp.analyser(), texts, days=[days[number] for number in order] if days else None)
    progress(len(rows))
    names = {number: rows[order[place]]["id"] if place >= 0 else "" for number, place in zip(order, found, strict=True)}
    with _written(target) as out:
        out.write("id\tcluster\n")
        out.writelines(f"{row['id']}\t{names[number]}\n" for number, row in enumerate(rows))
    return len(rows)


def _days(times: Sequence[str]) -> list[float] | None:
    """Day numbers of times like 2019-02-28 11:25:05; None when one cannot be read, so that none counts."""
    found = [_A_DAY.match(time) for time in times]
    try:
        return [float(date(*map(int, one.groups())).toordinal()) for one in found if one] if all(found) else None
    except ValueError:
        return None


def columns(said: Analysis) -> tuple[str, ...]:
    """What is written of one analysis, in the order of ADDED."""
    return (
        said.sentiment.value,
        f"{said.sentiment.p:.4f}",
        said.topic.value,
        said.topic.second,
        f"{said.topic.p:.4f}",
        str(int(said.sensitive)),
        said.request,
        said.urgency,
        " ".join(said.keywords),
        " ".join(place.name for place in said.places),
    )


@contextmanager
def _written(target: Path) -> Iterator[TextIO]:
    """The target under a passing name: it takes its place only when everything has been written."""
    plain = target.is_file() or not target.exists()  # not a pipe or a terminal
    part = target.with_name(target.name + ".part") if plain else target
    try:
        with part.open("w", encoding="utf-8", newline="\n") as out:
            yield out
    except BaseException:
        if plain:
            part.unlink(missing_ok=True)
        raise
    if plain:
        part.replace(target)


def _refuse_same(source: Path, target: Path) -> None:
    if target.exists() and target.samefile(source):
        raise Refused([_("输出文件不能与输入文件相同。")])


def _head(lines: TextIO, source: Path) -> list[str]:
    try:
        head = lines.readline().rstrip("\r\n").split("\t")
    except UnicodeDecodeError as wrong:
        raise _not_utf8(source) from wrong
    if "text" not in head and not {"title", "body"} <= set(head):
        raise Refused([_("%(name)s 的第一行需要有 text 列，或 title 和 body 两列（以制表符分隔）。", name=source.name)])
    return head


def _rows(lines: TextIO, head: list[str], source: Path) -> Iterator[Row]:
    """Rows as dictionaries; short ones are filled up with nothing, empty lines skipped."""
    try:
        for number, line in enumerate(lines, 2):
            cells = line.rstrip("\r\n").split("\t")
            if cells == [""]:
                continue
            if len(cells) > len(head):
                problem = _(
                    "%(name)s 第 %(line)s 行有 %(found)s 列，表头只有 %(wanted)s 列：请去掉正文中的制表符。",
                    name=source.name, line=number, found=len(cells), wanted=len(head),
                )  # fmt: skip
                raise Refused([problem])
            yield dict(zip(head, cells + [""] * (len(head) - len(cells)), strict=True))
    except UnicodeDecodeError as wrong:
        raise _not_utf8(source) from wrong


def _not_utf8(source: Path) -> Refused:
    return Refused([_("%(name)s 不是 UTF-8 编码：请另存为 UTF-8 后再试。", name=source.name)])


def _text(row: Row) -> Text:
    return Text(row["text"]) if "text" in row else Text(row["body"], row["title"])
