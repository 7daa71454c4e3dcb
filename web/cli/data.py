"""Commands on data: migrate and import."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from hub import log, migrations
from hub.i18n import _, said
from hub.rights import system
from hub.settings import Settings, load
from web.cli.frame import FAILED, data_option, fail, named
from web.cli.plain import plain
from web.cli.progress import counting


@click.command(help=_("把数据库升级到最新结构；可重复执行"))
@click.option("--check", is_flag=True, help=_("只检查：结构与代码一致则退出码为 0"))
@data_option
def migrate(check: bool, data: str | None) -> None:
    """Upgrade, or say what differs."""
    settings = prepared(data, is_new=not check)
    if not check:
        migrations.upgrade(settings.database)
        click.echo(_("数据库已是最新结构"))
        return
    found = migrations.differences(settings.database)
    for difference in found:
        click.echo(str(difference))
    if found:
        fail(_("数据库结构与代码不一致"))
    click.echo(_("数据库结构与代码一致"))


def prepared(data: str | None, *, is_new: bool = False) -> Settings:
    """Settings with a data folder, logs set up for a command. ``is_new``: it may be made here."""
    settings = load(Path(data) if data and is_new else named(data))
    settings.make_folder()
    log.configure("WARNING", "console")
    return settings


@click.command("import", help=_("导入 xlsx 或 csv 留言文件。重复导入不会产生重复留言。"))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--account", required=True, help=_("文件账号的名称，没有时自动建立"))
@click.option("--mapping", help=_("已保存的列对应方案名称；常见列名可自动识别"))
@click.option("--dry-run", is_flag=True, help=_("只检查，不写入"))
@click.option("--json", "as_json", is_flag=True, help=_("以一行 JSON 输出结果"))
@data_option
def import_(file: Path, account: str, mapping: str | None, dry_run: bool, as_json: bool, data: str | None) -> None:
    """Bring a file in; exit 0 when every row is accounted for."""
    report = asyncio.run(_import(prepared(data), file, account, mapping, dry_run))
    if as_json:
        told = {name: report[name] for name in ("rows", "new", "known", "errors")}
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        _show(report)
    if report["rows"] != report["new"] + report["known"] + len(report["errors"]):
        sys.exit(FAILED)


async def _import(settings: Settings, file: Path, account: str, mapping: str | None, dry_run: bool) -> dict[str, Any]:
    """Read the file through the same service as the page does; nothing is written in a dry run."""
    from workflows.house import open_house
    from workflows.intake import import_file

    house = open_house(settings)
    try:
        with counting(_("正在导入")) as progress:
            report = await import_file(
                house, file, account, mapping=mapping, dry_run=dry_run, actor=system("hub import"), progress=progress,
                expecting=progress.expect,
            )  # fmt: skip
    finally:
        await house.close()
    return asdict(report)


def _show(report: dict[str, Any]) -> None:
    console = Console(markup=False, highlight=False)  # cells of people's files are shown as they are
    table = Table(_("行数"), _("新增"), _("已有"), _("有误"))
    table.add_row(*(str(report[name]) for name in ("rows", "new", "known")), str(len(report["errors"])))
    console.print(table)
    for note in report["notes"]:
        console.print(plain(said(note)))
    if report["errors"]:
        errors = Table()
        for head in (_("行号"), _("列"), _("原因与处理")):
            errors.add_column(head, overflow="fold")
        for error in report["errors"][:50]:
            errors.add_row(str(error["row"]), plain(str(error["column"])), plain(said(str(error["why"]))))
        console.print(errors)
