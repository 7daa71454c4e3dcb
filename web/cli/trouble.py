"""Troubles of the surroundings in words: settings that cannot be used, a database that is away, old or broken."""

from __future__ import annotations

from pydantic import ValidationError
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from hub.i18n import _, aside, listed

# What drivers say when tables or columns are missing: the database is older than the code.
OLD = ("no such table", "no such column", "does not exist", "has no column")
BROKEN = ("not a database", "malformed", "disk image")
READ_ONLY = ("readonly database", "read-only")
NO_DRIVER = (ArgumentError, NoSuchModuleError)


def explained(error: Exception) -> str:
    """One sentence a person can act on; empty for what is a fault of the hub."""
    if isinstance(error, ValidationError):
        return _settings(error)
    if isinstance(error, SQLAlchemyError):
        return _database(error)
    return ""


def _settings(error: ValidationError) -> str:
    """Which settings are meant and what they must be. What was given is not repeated: it may be a secret."""
    if error.title != "Settings":
        return ""
    said = [
        f"HUB_{str(one['loc'][0]).upper()}" + aside(_must(one["type"], one.get("ctx", {}))) for one in error.errors()
    ]
    return _("设置不能用：%(names)s。请检查环境变量与数据目录中的 hub.env。", names=listed(said))


def _must(kind: str, limits: dict[str, object]) -> str:
    words = {
        "greater_than_equal": lambda: _("不能小于 %(n)s", n=limits.get("ge")),
        "less_than_equal": lambda: _("不能大于 %(n)s", n=limits.get("le")),
        "literal_error": lambda: _(
            "只能是 %(values)s", values=str(limits.get("expected")).replace("'", "").replace(" or ", ", ")
        ),
    }
    if kind in words:
        return words[kind]()
    if kind.startswith("int"):
        return _("须是整数")
    return _("须是 true 或 false") if kind.startswith("bool") else _("不认识这个值")


def _database(error: SQLAlchemyError) -> str:
    cause = str(getattr(error, "orig", None) or error).splitlines()[0][:200]
    if isinstance(error, NO_DRIVER):
        return _(
            "HUB_DB_URL 不是可用的数据库地址。请写成 postgresql+asyncpg://用户:密码@主机/库名，或留空使用内置数据库。"
        )
    if any(words in cause for words in OLD):
        return _("数据库还没有升级到最新结构，请先执行 hub migrate（带上同样的 --data）。")
    if any(words in cause for words in BROKEN):
        return _("数据库文件已损坏，请用备份恢复，不要继续写入。")
    if any(words in cause for words in READ_ONLY):
        return _("没有写入数据库的权限，请检查数据目录的所有者与权限。")
    return _("数据库不可用：%(why)s", why=cause)
