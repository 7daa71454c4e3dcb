"""Commands on the key of secrets at rest."""

from __future__ import annotations

import asyncio

import click

from hub.i18n import _, ngettext
from hub.rights import system
from hub.settings import Settings
from web.cli.data import prepared
from web.cli.frame import FAILED, SURROUNDINGS, data_option, fail
from workflows.house import House, open_house
from workflows.keys import Resealed, is_running, pushed_to, reseal


@click.group(help=_("密钥：轮换"))
def key() -> None:
    """Group of key commands."""


@key.command(
    help=_(
        "用最新的密钥重新加密全部凭据；可重复执行。"
        "先把 HUB_SECRET_KEY 换成新值、旧值放进 HUB_OLD_KEYS 并重启各进程，再执行。"
        "密钥在数据目录里的，停下系统后加 --new：生成新密钥，旧的留在 secret.key.old。"
    )
)
@click.option("--new", is_flag=True, help=_("先在数据目录里生成新密钥；系统须已停下"))
@data_option
def rotate(new: bool, data: str | None) -> None:
    """Seal everything anew; exit 1 when something cannot be opened with any known key."""
    settings = prepared(data)
    if new:
        settings = _with_new_key(settings, data)
    found, pushed = asyncio.run(_reseal(settings))
    click.echo(ngettext("已重新加密 %(n)s 条", "已重新加密 %(n)s 条", found.rows))
    if pushed:
        click.echo(
            ngettext(
                "%(n)s 个账号在用推送：推送地址随密钥改变，旧地址在旧密钥保留期间仍有效。"
                "请到账号页复制新地址、在平台后台换好，再去掉旧密钥。",
                "%(n)s 个账号在用推送：推送地址随密钥改变，旧地址在旧密钥保留期间仍有效。"
                "请到账号页复制新地址、在平台后台换好，再去掉旧密钥。",
                pushed,
            )
        )
    if found.unreadable:
        names = "、".join(found.unreadable[:20])
        fail(
            _(
                "现有的密钥都打不开，没有改动：%(names)s。请把当时的密钥加进 HUB_OLD_KEYS 再执行。",
                names=names,
            ),
            FAILED,
        )


def _with_new_key(settings: Settings, data: str | None) -> Settings:
    """A new key file, for a hub that stands still."""
    if settings.secret_key:
        fail(_("密钥在 HUB_SECRET_KEY 里，请在那里更换，旧值放进 HUB_OLD_KEYS；不要加 --new。"), SURROUNDINGS)
    if asyncio.run(_is_running(settings)):
        fail(_("系统还在运行：正在运行的进程会继续用旧密钥。请先停下全部进程，再执行。"), SURROUNDINGS)
    try:
        settings.replace_key_file()
    except OSError as error:
        fail(_("密钥文件写不了：%(why)s", why=type(error).__name__), SURROUNDINGS)
    return prepared(data)


async def _is_running(settings: Settings) -> bool:
    house = open_house(settings)
    try:
        return await is_running(house)
    finally:
        await house.close()


async def _reseal(settings: Settings) -> tuple[Resealed, int]:
    house: House = open_house(settings)
    try:
        return await reseal(house, system("hub key")), await pushed_to(house)
    finally:
        await house.close()
