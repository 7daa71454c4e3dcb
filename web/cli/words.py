"""click's own words in the language of the command: click looks them up with gettext and ships no catalogue."""

from __future__ import annotations

from types import ModuleType

import click.core
import click.decorators
import click.exceptions
import click.formatting
import click.termui
import click.types

from hub import i18n

MODULES: tuple[ModuleType, ...] = (
    click.core, click.decorators, click.exceptions, click.formatting, click.termui, click.types,
)  # fmt: skip
WORDS = {
    "Usage:": "用法：",
    "Options": "选项",
    "Commands": "命令",
    "Positional arguments": "参数",
    "Show this message and exit.": "显示本说明。",
    "Missing command.": "请给出命令。",
    "Missing argument": "缺少参数",
    "Missing option": "缺少选项",
    "Missing parameter": "缺少参数",
    "Error: {message}": "有误：{message}",
    "Try '{command} {option}' for help.": "用「{command} {option}」查看说明。",
    "Invalid value: {message}": "不能用的值：{message}",
    "Invalid value for {param_hint}: {message}": "{param_hint} 的值不能用：{message}",
    "No such option {name!r}.": "没有选项 {name}。",
    "No such command {name!r}.": "没有命令 {name}。",
    "default: {default}": "默认：{default}",
    "file": "文件",
    "directory": "文件夹",
    "path": "路径",
    "{name} {filename!r} does not exist.": "{name} {filename} 不存在。",
    "{name} {filename!r} is a directory.": "{name} {filename} 是文件夹。",
    "{name} {filename!r} is a file.": "{name} {filename} 是文件。",
    "{name} {filename!r} is not readable.": "{name} {filename} 不能读取。",
    "{value!r} is not a valid {number_type}.": "{value} 不是数字。",
    "{value} is not in the range {range}.": "{value} 不在 {range} 之内。",
    "Choose from:\n\t{choices}": "请从中选择：\n\t{choices}",
    "Repeat for confirmation": "再输入一遍",
    "Error: The two entered values do not match.": "两次输入不一致。",
    "Aborted!": "已中断",
}


def translate(source: str) -> str:
    """click's text in the language in force; unknown ones stay as they are."""
    if i18n.language() == "en":
        return source
    return i18n.gettext(WORDS[source]) if source in WORDS else source


def teach() -> None:
    """Have click use our words. Safe to call twice."""
    for module in MODULES:
        setattr(module, "_", translate)  # noqa: B010 -- not an attribute the stubs know
