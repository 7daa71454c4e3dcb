"""Commands on language: tag and group files, teach, measure and report on the models. None needs a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from hub.i18n import _, number
from hub.settings import load

SOURCE = click.Path(exists=True, dir_okay=False, path_type=Path)
TARGET = click.Path(dir_okay=False, path_type=Path)


@click.group(help=_("语言：给文件打标签、归并同一事项、检查文稿，训练与评测模型"))
def nlp() -> None:
    """Group of language commands."""


@nlp.command(help=_("给制表符分隔的文件打标签：需有 text 列，或 title 与 body 两列；其余各列原样保留"))
@click.option("--in", "source", type=SOURCE, required=True, help=_("输入文件（UTF-8）"))
@click.option("--out", "target", type=TARGET, required=True, help=_("输出文件"))
@click.option("--data", type=click.Path(file_okay=False), help=_("数据目录：使用其中本单位的地名与敏感词"))
def tag(source: Path, target: Path, data: str | None) -> None:
    """Stream the file through the analyser."""
    from workflows.language import files

    _office(data)
    with counting(_("正在打标签")) as progress:
        rows = files.tag_file(source, target, progress)
    click.echo(_("已为 %(n)s 行打标签，写入 %(path)s", n=number(rows), path=str(target)), err=True)


@nlp.command(help=_("把讲同一事项的留言归在一起：需有 id 列，以及 text 列或 title 与 body 两列"))
@click.option("--in", "source", type=SOURCE, required=True, help=_("输入文件（UTF-8）"))
@click.option("--out", "target", type=TARGET, required=True, help=_("输出文件"))
@click.option("--data", type=click.Path(file_okay=False), help=_("数据目录：使用其中本单位的地名与敏感词"))
def cluster(source: Path, target: Path, data: str | None) -> None:
    """Write id and cluster of every row."""
    from workflows.language import files

    _office(data)
    with counting(_("正在归并")) as progress:
        rows = files.cluster_file(source, target, progress)
    click.echo(_("已归并 %(n)s 行，写入 %(path)s", n=number(rows), path=str(target)), err=True)


def _office(data: str | None) -> None:
    if data is not None:
        from workflows.tagging import office

        office.configure(load(Path(data)))


@contextmanager
def counting(what: str) -> Iterator[Callable[[int], None]]:
    """A line on standard error that counts what is done."""
    bar = Progress(
        SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed}"), TimeElapsedColumn(),
        console=Console(stderr=True), transient=True,
    )  # fmt: skip
    with bar:
        task = bar.add_task(what, total=None)
        yield lambda done: bar.update(task, completed=done)
