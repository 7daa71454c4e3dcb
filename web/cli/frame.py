"""The frame: languages, lazy commands, errors as one sentence, exit codes."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import click

from hub import i18n
from hub.errors import HubError
from hub.i18n import N_, _, aside, said
from web.cli.words import teach

FAILED, WRONG_USAGE, SURROUNDINGS, INTERRUPTED = 1, 2, 3, 130

# name → (module, attribute, one line of help). Loaded when used: a web process needs no importer, an importer no web.
COMMANDS: Mapping[str, tuple[str, str, str]] = {
    "demo": ("web.cli.serve", "demo", N_("一条命令启动演示：数据库、队列、网页、后台任务与沙箱平台")),
    "web": ("web.cli.serve", "web", N_("启动网页进程")),
    "worker": ("web.cli.serve", "worker", N_("启动后台任务进程")),
    "sandbox": ("web.cli.serve", "sandbox", N_("启动沙箱平台（演示与测试用）")),
    "sim": ("web.cli.simulators", "sim", N_("启动真实平台的模拟器（开发与测试用）")),
    "migrate": ("web.cli.data", "migrate", N_("把数据库升级到最新结构")),
    "import": ("web.cli.data", "import_", N_("导入 xlsx 或 csv 留言文件")),
    "user": ("web.cli.people", "user", N_("人员：新增、改密码")),
    "account": ("web.cli.accounts", "account", N_("官方账号：接入、核对、列表")),
    "key": ("web.cli.keys", "key", N_("密钥：轮换")),
    "audit": ("web.cli.audit", "audit", N_("审计日志：校验哈希链")),
    "doctor": ("web.cli.doctor", "doctor", N_("检查设置、数据库、队列、账号、时钟与字体，并说明怎么办")),
    "nlp": ("web.cli.language", "nlp", N_("语言：给文件打标签、归并同一事项、检查文稿，训练与评测模型")),
    "i18n": ("web.cli.texts", "i18n", N_("界面文字：提取、检查译文")),
}


class Commands(click.Group):
    """Loads a command's module only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command, or None when there is none of that name."""
        if name not in COMMANDS:
            return None
        module, attribute, _help = COMMANDS[name]
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Print the table without loading anything."""
        with formatter.section(_("命令")):
            formatter.write_dl([(name, _(line)) for name, (_m, _a, line) in COMMANDS.items()])


def speak() -> None:
    """Choose the language of this command: HUB_LANGUAGE, then the terminal's, then simplified Chinese."""
    # LC_ALL=C names no language: then LANG may.
    wanted = (os.environ.get(name, "") for name in ("HUB_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"))
    i18n.use(i18n.choose(",".join(wanted)))


def fail(text: str, code: int = FAILED) -> NoReturn:
    """One plain sentence on standard error, then the exit code."""
    click.echo(text, err=True)
    sys.exit(code)


def main(arguments: list[str] | None = None) -> None:
    """Entry of the console script."""
    speak()
    teach()
    group = Commands(
        name="hub",
        help=_("政声：政务新媒体中枢的命令行。设置见 HUB_* 环境变量与数据目录中的 hub.env。"),
        epilog=_("退出码：0 办成；1 没有办成，已说明原因；2 用法不对；3 设置或这台机器有问题；130 被中断。"),
    )
    try:
        _refuse_unreadable(sys.argv[1:] if arguments is None else arguments)
        group.main(args=arguments, prog_name="hub", standalone_mode=False)
    except click.exceptions.Abort:
        fail(_("已中断"), INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        fail(_("已中断"), INTERRUPTED)
    except HubError as error:
        fail("\n".join(map(said, error.texts)))
    except BrokenPipeError:  # who read along has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
    except OSError as error:
        fail(_("系统拒绝了操作：%(why)s", why=_system_words(error)), SURROUNDINGS)
    except Exception as error:
        if not (words := _surroundings(error)):
            raise
        fail(words, SURROUNDINGS)


def _refuse_unreadable(arguments: list[str]) -> None:
    """Bytes that are no UTF-8: a file may be called so, nothing else."""
    for one in arguments:
        if any("\udc80" <= character <= "\udcff" for character in one) and not os.path.exists(one):
            raise click.UsageError(_("参数中有不是 UTF-8 的字符"))


def _surroundings(error: Exception) -> str:
    """In words, when it is the settings or the database. Loaded only now: most commands never need it."""
    from web.cli.trouble import explained

    return explained(error)


def _system_words(error: OSError) -> str:
    words: dict[type[OSError], str] = {
        PermissionError: _("没有写入或读取权限"),
        FileNotFoundError: _("找不到文件"),
        IsADirectoryError: _("这是文件夹，不是文件"),
    }
    numbered = {errno.ENOSPC: _("磁盘空间不足"), errno.EROFS: _("磁盘是只读的"), errno.ENAMETOOLONG: _("文件名太长")}
    text = words.get(type(error)) or numbered.get(error.errno or 0) or error.strerror or str(error)
    return text + aside(error.filename) if error.filename else text


def named(data: str | None) -> Path | None:
    """The data folder that was named; one that is not there is refused, so that a slip leaves no empty hub behind."""
    if data and not Path(data).is_dir():
        fail(_("没有数据目录 %(path)s，请核对 --data；要新建，请先执行 hub migrate（带上同样的 --data）", path=data))
    return Path(data) if data else None


def data_option(command: Any) -> Any:
    """The ``--data`` option, the same everywhere."""
    return click.option("--data", type=click.Path(file_okay=False), help=_("数据目录（默认 hub-data）"))(command)
