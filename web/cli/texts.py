"""Commands on interface texts: collect them from the code, check the English catalogue."""

from __future__ import annotations

from pathlib import Path

import click
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from hub.i18n import CATALOGUES, _
from web.cli.frame import fail

ROOT = CATALOGUES.parent.parent
ROOMS = ("hub", "workflows", "web")
METHODS = [
    ("**/assets/**", "ignore"),
    ("**/static/**", "ignore"),
    ("**.py", "python"),
    ("**/templates/**.html", "jinja2"),
]
OPTIONS = {"**/templates/**.html": {"trimmed": "true", "silent": "false", "extensions": "jinja2.ext.do"}}
KEYWORDS = {"_": None, "gettext": None, "N_": None, "ngettext": (1, 2)}


@click.group(help=_("界面文字"))
def i18n() -> None:
    """Group of catalogue commands, for those who change texts."""


@i18n.command(help=_("从代码提取文字，合并到英文目录"))
def update() -> None:
    """Merge new texts into en.po; texts that are gone are dropped, nothing is guessed."""
    catalogue = _english()
    catalogue.update(_collected(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    with _path().open("wb") as file:
        write_po(file, catalogue, width=0, sort_output=True, omit_header=False, include_lineno=False)
    click.echo(_("共 %(all)s 条，缺译文 %(missing)s 条", all=len(catalogue), missing=len(_missing(catalogue))))


@i18n.command(help=_("检查英文目录：缺失、存疑或多余的译文都算失败"))
def check() -> None:
    """Exit 1 and list what is missing, fuzzy or left over."""
    collected, catalogue = _collected(), _english()
    wanted, known = {m.id for m in collected if m.id}, {m.id for m in catalogue if m.id}
    problems = [_("缺译文：%(text)s", text=source) for source in sorted(map(str, (wanted - known)))]
    problems += [_("缺译文：%(text)s", text=source) for source in _missing(catalogue)]
    problems += [_("代码中已没有：%(text)s", text=source) for source in sorted(map(str, (known - wanted)))]
    for line in problems:
        click.echo(line)
    if problems:
        fail(_("英文目录有 %(n)s 处问题", n=len(problems)))
    click.echo(_("英文目录完整，共 %(n)s 条", n=len(wanted)))


def _collected() -> Catalog:
    catalogue = Catalog(charset="utf-8")
    for room in ROOMS:
        found = extract_from_dir(
            str(ROOT / room), method_map=METHODS, options_map=OPTIONS, keywords=KEYWORDS, comment_tags=("Translators:",)
        )
        for file, _line, source, comments, context in found:
            catalogue.add(source, None, [(f"{room}/{file}", 0)], auto_comments=comments, context=context)
    return catalogue


def _english() -> Catalog:
    if not _path().exists():
        return Catalog(locale="en", charset="utf-8", project="zhengsheng")
    with _path().open("rb") as file:
        return read_po(file, locale="en")


def _missing(catalogue: Catalog) -> list[str]:
    def empty(text: object) -> bool:
        return not all(text) if isinstance(text, tuple) else not text

    return [str(message.id) for message in catalogue if message.id and (message.fuzzy or empty(message.string))]


def _path() -> Path:
    return CATALOGUES / "en.po"
