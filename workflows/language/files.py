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
from hub.i18n import _, listed
from nlp.base import Analysis, Text
from workflows.language.lines import Line, lines, not_utf8

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
_TEXTS, _GROUPED = ("text", "title", "body"), ("id", "time")
_NAMED = 8  # columns that a refusal lists
_A_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})")

Progress = Callable[[int], object]


def quiet(rows: int) -> None:
    """Nobody listens."""


def tag_file(source: Path, target: Path, progress: Progress = quiet, expecting: Progress = quiet) -> int:
    """Write ``source`` to ``target`` with the columns of ADDED after its own; answers the number of rows.

    The file needs a column ``text``, or ``title`` and ``body``; a column that has the name of an added one is
    replaced. Rows stream through, so length costs no memory. ``progress`` hears the rows done so far, ``expecting`` how
    many there seem to be. Raises Refused for a file that does not fit; ``target`` then stays as it was, and it may not
    be ``source``."""
    _refuse_same(source, target)
    with _written(target) as out:
        table = Table(source)
        kept = [place for place, name in enumerate(table.names) if name not in ADDED]
        out.write("\t".join([*(table.names[place] for place in kept), *ADDED]) + "\n")
        done = 0
        while some := list(islice(table.rows, _ROWS)):
            for row, said in zip(some, nlp.analyse([table.text(row) for row in some]), strict=True):
                out.write("\t".join([*(row[place] for place in kept), *columns(said)]) + "\n")
            done += len(some)
            expecting(table.expected(done))
            progress(done)
    return done


def cluster_file(source: Path, target: Path, progress: Progress = quiet, expecting: Progress = quiet) -> int:
    """Write ``id`` and ``cluster`` of every row of ``source`` to ``target``; an empty cluster means it stands alone.

    The file needs ``id`` and ``text``, or ``id``, ``title`` and ``body``; with a column ``time`` (beginning with a
    date, or sortable as text) the messages are taken in that order, and where all begin with a date, those far apart
    count as less alike. Answers the number of rows; a cluster is named by the id of its first message, or the next one
    where an earlier cluster has that name. ``progress`` and ``expecting`` as above; a row is read, then compared twice.
    Raises Refused for a file that does not fit."""
    from nlp import clusters

    _refuse_same(source, target)
    with _written(target) as out:
        table = Table(source, *_GROUPED)
        ids: list[str] = []
        times: list[str] = []
        vectors: list[clusters.Member] = []
        while some := list(islice(table.rows, _ROWS)):
            ids += [_id(row, table, source, len(ids) + place) for place, row in enumerate(some)]
            times += [table.cell(row, "time") for row in some]
            vectors += clusters.members(nlp.analyser(), [table.text(row) for row in some])
            expecting(table.expected(len(ids)))
            progress(len(ids) // 3)
        expecting(len(ids))
        days = _days(times)
        order = sorted(range(len(ids)), key=lambda n: (days[n] if days else 0.0, times[n]))
        taken = [vectors[n].at(days[n]) if days else vectors[n] for n in order]
        found = clusters.parted(taken, progress=lambda done: progress((len(ids) + done) // 3))
        names = _named([ids[n] for n in order], found)
        out.write("id\tcluster\n")
        placed = dict(zip(order, names, strict=True))
        out.writelines(f"{name}\t{placed[number]}\n" for number, name in enumerate(ids))
    return len(ids)


def _id(row: list[str], table: Table, source: Path, number: int) -> str:
    if found := table.cell(row, "id"):
        return found
    raise Refused([_(
        "%(name)s 的第 %(n)s 条留言没有 id，归并的结果会对不上：请补上编号。", name=source.name, n=number + 1
    )])  # fmt: skip


def _named(ids: Sequence[str], groups: Sequence[int]) -> list[str]:
    """The cluster of each message by name, from numbers (-1: alone): ids that are twice name one cluster only."""
    names: dict[int, str] = {}
    used: set[str] = set()
    for name, number in zip(ids, groups, strict=True):
        if number >= 0 and number not in names and name not in used:
            names[number] = name
            used.add(name)
    return ["" if number < 0 else names.get(number, f"{ids[number]}#{number + 1}") for number in groups]


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
    real = target.resolve() if plain else target  # a link goes on leading where it led
    if not real.parent.is_dir():
        raise Refused([_("输出文件夹 %(path)s 不存在：请先建好，或换一个位置。", path=str(real.parent))])
    part = _part(real) if plain else real
    try:
        with part.open("w", encoding="utf-8", newline="\n") as out:
            yield out
    except BaseException:
        if plain:
            part.unlink(missing_ok=True)
        raise
    if plain:
        part.replace(real)


def _part(real: Path) -> Path:
    return real.with_name(real.name + ".part")


def _refuse_same(source: Path, target: Path) -> None:
    if target.exists() and target.samefile(source):
        raise Refused([_("输出文件不能与输入文件相同。")])
    if _part(target.resolve()) == source.resolve():
        raise Refused([_("写输出时要临时用到 %(name)s，它正是输入文件：请给输出换一个名字。", name=source.name)])


class Table:
    """A file as it streams by: ``names`` of its columns, then ``rows`` of cells, short ones filled up with nothing.

    ``also``: what is read besides the text. Names may be twice, but for those that are read. Empty lines are left out.
    """

    def __init__(self, source: Path, *also: str) -> None:
        self._name, self._size, self._read = source.name, source.stat().st_size, 0
        self._lines = lines(source)
        self.names = self._head()
        self._places = {name: self.names.index(name) for name in (*also, *_TEXTS) if name in self.names}
        self._refuse_unfit("id" in also)
        self.rows = self._rows()

    def text(self, row: Sequence[str]) -> Text:
        """What is analysed of a row."""
        if "text" in self._places:
            return Text(self.cell(row, "text"))
        return Text(self.cell(row, "body"), self.cell(row, "title"))

    def cell(self, row: Sequence[str], name: str) -> str:
        """What stands in a column; nothing where there is no such column."""
        return row[self._places[name]] if name in self._places else ""

    def expected(self, done: int) -> int:
        """How many rows there seem to be, when so many are ``done``."""
        return max(done, done * self._size // max(self._read, 1))

    def _head(self) -> list[str]:
        first = next(self._lines, None)
        if first is None:
            raise Refused([_("%(name)s 是空文件，没有表头。", name=self._name)])
        return self._cells(first)

    def _refuse_unfit(self, needs_id: bool) -> None:
        lacks = ["id"] if needs_id and "id" not in self._places else []
        if "text" not in self._places and not {"title", "body"} <= self._places.keys():
            lacks.append("text")
        if lacks and len(self.names) == 1 and "," in self.names[0]:
            raise Refused(
                [_("%(name)s 是用逗号分隔的：请改成制表符分隔，正文里的制表符和换行换成空格。", name=self._name)]
            )
        if lacks:
            wanted = {
                "id": _("%(name)s 的第一行缺少 id 列", name=self._name),
                "text": _("%(name)s 的第一行需要有 text 列，或 title 和 body 两列（以制表符分隔）", name=self._name),
            }  # fmt: skip
            seen = listed(self.names[:_NAMED]) + ("…" if len(self.names) > _NAMED else "")
            raise Refused([_("%(what)s；现在的列是：%(seen)s。", what=wanted[lacks[0]], seen=_plain(seen))])
        twice = next((name for name in self._places if self.names.count(name) > 1), "")
        if twice:
            raise Refused([_(
                "%(name)s 的第一行有两个 %(column)s 列，不知道该用哪一个：请改掉其中一个的列名。",
                name=self._name, column=twice,
            )])  # fmt: skip

    def _rows(self) -> Iterator[list[str]]:
        opened = 0  # the line whose last cell begins with a quotation mark that does not end
        for line in self._lines:
            cells = self._cells(line)
            if cells == [""]:
                continue
            if opened and len(cells) < len(self.names):
                raise Refused([_(
                    "%(name)s 第 %(line)s 行的正文里有换行，一条留言被拆成了几行：请先把正文里的换行换成空格。",
                    name=self._name, line=opened,
                )])  # fmt: skip
            opened = line.number if cells[-1].startswith('"') and cells[-1].count('"') % 2 else 0
            if len(cells) > len(self.names):
                raise Refused([_(
                    "%(name)s 第 %(line)s 行有 %(found)s 列，表头只有 %(wanted)s 列：请去掉正文中的制表符。",
                    name=self._name, line=line.number, found=len(cells), wanted=len(self.names),
                )])  # fmt: skip
            yield cells + [""] * (len(self.names) - len(cells))

    def _cells(self, line: Line) -> list[str]:
        if not line.is_whole:
            raise Refused([not_utf8(self._name, line.number)])
        self._read = line.read
        return line.text.split("\t")


def _plain(text: str) -> str:
    """As it may be shown in a terminal."""
    return "".join(one if one.isprintable() else "\ufffd" for one in text)[:200]
