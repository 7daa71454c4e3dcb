"""What ``hub nlp learn`` does: one lesson, told in lines."""

from __future__ import annotations

from pathlib import Path

import click

from hub.db import reading
from hub.i18n import N_, _
from hub.models import LearnState
from hub.settings import Settings
from web.cli.frame import fail
from workflows.house import open_house
from workflows.learning import base, lessons, live, words
from workflows.tagging import office

BY = N_("命令行")


async def teach(settings: Settings, folder: Path | None) -> None:
    """Learn, then say per task what came of it and what is in force now."""
    office.configure(settings)
    house = open_house(settings)
    try:
        extra = base.of_folder(folder) if folder else lessons.NOTHING_MORE
        for task, rows in extra.guards.items():
            click.echo(_("%(task)s：另用 %(n)s 条公开数据核对", task=words.task_label(task), n=len(rows)))
        for task in sorted(extra.tasks):
            click.echo(_("%(task)s：用目录里的训练文件从头训练一份来比较", task=words.task_label(task)))
        run = await lessons.learn_now(house, BY, extra)
        if run.state is LearnState.failed:
            fail(_("学习没有完成：%(why)s", why=run.error))
        async with reading(house.ctx) as unit:
            made, now = await lessons.made_by(unit, run), await live.in_force(unit)
    finally:
        await house.close()
    for task, text in run.notes.items():
        if task != "newest":
            click.echo(words.note(task, text))
    for one in made:
        click.echo(f"{words.task_label(one.task)} {words.number_label(one.number)}")
        for line in [*words.summary(one.task, one.report), *(words.why(reason) for reason in one.report["why"])]:
            click.echo(f"  {line}")
    for each in now:
        click.echo(
            _(
                "正在使用：%(task)s %(version)s",
                task=words.task_label(each.task),
                version=words.number_label(each.number),
            )
        )
