"""Tag or cluster a tab-separated file, without a database: the first line names the columns, UTF-8, no quoting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TextIO

import nlp
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

Progress = Callable[[int], None]
Row = dict[str, str]


class Unreadable(ValueError):
    """The file cannot be used; the message says why in plain words."""


def tag_file(source: Path, target: Path, progress: Progress = lambda rows: None) -> int:
    """Write ``source`` to ``target`` with the columns of ADDED after its own; answers the number of rows.

    The file needs a column ``text``, or ``title`` and ``body``; a column that has the name of an added one is
    replaced. Rows stream through, so length costs no memory. ``progress`` hears the rows done so far. Raises
    Unreadable for a file that does not fit; writes over ``target``, which may not be ``source``."""
    _refuse_same(source, target)
    with (
        source.open(encoding="utf-8-sig", newline="\n") as lines,
        target.open("w", encoding="utf-8", newline="\n") as out,
    ):
        head = _head(lines, source)
        kept = [name for name in head if name not in ADDED]
        out.write("\t".join([*kept, *ADDED]) + "\n")
        done = 0
        while rows := list(islice(_rows(lines, head, source, done), _ROWS)):
            for row, said in zip(rows, nlp.analyse([_text(row) for row in rows]), strict=True):
                out.write("\t".join([*(row[name] for name in kept), *_columns(said)]) + "\n")
            done += len(rows)
            progress(done)
    return done


def cluster_file(source: Path, target: Path, progress: Progress = lambda rows: None) -> int:
    """Write ``id`` and ``cluster`` of every row of ``source`` to ``target``; an empty cluster means it stands alone.

    The file needs ``id`` and ``text``, or ``id``, ``title`` and ``body``; with a column ``time`` (sortable as text) the
    messages are taken in that order. Answers the number of rows; a cluster is named by the id of its first message."""
    from nlp import clusters

    _refuse_same(source, target)
    with source.open(encoding="utf-8-sig", newline="\n") as lines:
        head = _head(lines, source)
        if "id" not in head:
            raise Unreadable(f"{source.name} 缺少 id 列。")
        rows = list(_rows(lines, head, source, 0))
    order = sorted(range(len(rows)), key=lambda number: rows[number].get("time", ""))
    found = clusters.group(nlp.analyser(), [_text(rows[number]) for number in order])
    progress(len(rows))
    names = {number: rows[order[place]]["id"] if place >= 0 else "" for number, place in zip(order, found, strict=True)}
    with target.open("w", encoding="utf-8", newline="\n") as out:
        out.write("id\tcluster\n")
        out.writelines(f"{row['id']}\t{names[number]}\n" for number, row in enumerate(rows))
    return len(rows)


def _refuse_same(source: Path, target: Path) -> None:
    if not source.is_file():
        raise Unreadable(f"找不到文件 {source}。")
    if target.exists() and target.samefile(source):
        raise Unreadable("输出文件不能与输入文件相同。")


def _head(lines: TextIO, source: Path) -> list[str]:
    try:
        head = lines.readline().rstrip("\r\n").split("\t")
    except UnicodeDecodeError as wrong:
        raise Unreadable(f"{source.name} 不是 UTF-8 编码。") from wrong
    if "text" not in head and not {"title", "body"} <= set(head):
        raise Unreadable(f"{source.name} 的第一行需要有 text 列，或 title 和 body 两列。")
    return head


def _rows(lines: TextIO, head: list[str], source: Path, done: int) -> Iterator[Row]:
    """Rows as dictionaries; short ones are filled up with nothing, empty lines skipped."""
    try:
        for line in lines:
            cells = line.rstrip("\r\n").split("\t")
            if cells == [""]:
                continue
            if len(cells) > len(head):
                raise Unreadable(f"{source.name} 第 {done + 2} 行之后有一行的列数多于表头。")
            yield dict(zip(head, cells + [""] * (len(head) - len(cells)), strict=True))
    except UnicodeDecodeError as wrong:
        raise Unreadable(f"{source.name} 不是 UTF-8 编码。") from wrong


def _text(row: Row) -> Text:
    return Text(row["text"]) if "text" in row else Text(row["body"], row["title"])


def _columns(said: Analysis) -> tuple[str, ...]:
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
