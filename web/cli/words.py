"""click's own words in the language of the command: click looks them up with gettext and ships no catalogue."""

from __future__ import annotations

from types import ModuleType

import click.core
import click.decorators
import click.exceptions
import click.formatting
import click.parser
import click.termui
import click.types

from hub import i18n
from hub.i18n import N_

MODULES: tuple[ModuleType, ...] = (
    click.core, click.decorators, click.exceptions, click.formatting, click.parser, click.termui,
    click.types,
)  # fmt: skip
WORDS = {
    "Usage:": N_("用法："),
    "Options": N_("选项"),
    "Commands": N_("命令"),
    "Positional arguments": N_("参数"),
    "Show this message and exit.": N_("显示本说明。"),
    "Missing command.": N_("请给出命令。"),
    "Missing argument": N_("缺少参数"),
    "Missing option": N_("缺少选项"),
    "Missing parameter": N_("缺少参数"),
    "Error: {message}": N_("有误：{message}"),
    "Try '{command} {option}' for help.": N_("用「{command} {option}」查看说明。"),
    "Invalid value: {message}": N_("不能用的值：{message}"),
    "Invalid value for {param_hint}: {message}": N_("{param_hint} 的值不能用：{message}"),
    "No such option {name!r}.": N_("没有选项 {name}。"),
    "No such command {name!r}.": N_("没有命令 {name}。"),
    "default: {default}": N_("默认：{default}"),
    "file": N_("文件"),
    "directory": N_("文件夹"),
    "path": N_("路径"),
    "{name} {filename!r} does not exist.": N_("{name} {filename} 不存在。"),
    "{name} {filename!r} is a directory.": N_("{name} {filename} 是文件夹。"),
    "{name} {filename!r} is a file.": N_("{name} {filename} 是文件。"),
    "{name} {filename!r} is not readable.": N_("{name} {filename} 不能读取。"),
    "{value!r} is not a valid {number_type}.": N_("{value} 不是数字。"),
    "{value} is not in the range {range}.": N_("{value} 不在 {range} 之内。"),
    "Choose from:\n\t{choices}": N_("请从中选择：\n\t{choices}"),
    "Repeat for confirmation": N_("再输入一遍"),
    "Error: The two entered values do not match.": N_("两次输入不一致。"),
    "Aborted!": N_("已中断"),
    "Missing parameter: {param_name}": N_("缺少参数：{param_name}"),
    "Option {name!r} does not take a value.": N_("选项 {name} 不带值。"),
    "Could not open file {filename!r}: {message}": N_("打不开文件 {filename}：{message}"),
    "Error: invalid input": N_("输入有误。"),
    "{name} {filename!r} is not writable.": N_("{name} {filename} 不能写入。"),
    "required": N_("必填"),
    # with a plural in English
    "Got unexpected extra argument ({args})": N_("多出了参数（{args}）"),
    "Did you mean {possibility}?": N_("是不是想用 {possibility}？"),
    "(Did you mean one of: {possibilities}?)": N_("（是不是想用其中之一：{possibilities}？）"),
    "Option {name!r} requires an argument.": N_("选项 {name} 后面要有值。"),
    "{value!r} is not {choice}.": N_("{value} 不是 {choice}。"),
    "{value!r} is not one of {choices}.": N_("{value} 不在其中：{choices}。"),
}


def translate(source: str) -> str:
    """click's text in the language in force; unknown ones stay as they are."""
    if i18n.language() == "en":
        return source
    return i18n.gettext(WORDS[source]) if source in WORDS else source


def translate_counted(one: str, many: str, count: int) -> str:
    """The same for texts that have a plural in English; Chinese needs one form, or two sentences."""
    source = one if count == 1 else many
    return translate(source if source in WORDS or one not in WORDS or i18n.language() == "en" else one)


def teach() -> None:
    """Have click use our words. Safe to call twice."""
    for module in MODULES:
        setattr(module, "_", translate)  # noqa: B010 -- not an attribute the stubs know
        if hasattr(module, "ngettext"):
            setattr(module, "ngettext", translate_counted)  # noqa: B010
