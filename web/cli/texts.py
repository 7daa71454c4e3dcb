"""Commands on interface texts: collect them from the code, check the English catalogue."""

from __future__ import annotations

import re
from pathlib import Path

import click
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

from hub.i18n import CATALOGUES, _, aside
from web.cli.collection import collected
from web.cli.frame import fail

# What the code fills in: %(name)s, and {name} in the texts of scripts and of click.
PLACES = re.compile(r"%\(\w+\)s|%%|\{\w+(?:![rs])?\}")

HEADER = (
    "# English texts of Zhengsheng. The sources are the Chinese texts in the code; ``hub i18n update`` collects them."
)


@click.group(help=_("界面文字"))
def i18n() -> None:
    """Group of catalogue commands, for those who change texts."""


@i18n.command(help=_("从代码提取文字，合并到英文目录"))
def update() -> None:
    """Merge new texts into en.po; texts that are gone are dropped, nothing is guessed."""
    catalogue = _english()
    catalogue.update(collected(), no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    with _path().open("wb") as file:
        write_po(file, catalogue, width=0, sort_output=True, omit_header=False, include_lineno=False)
    click.echo(_("共 %(all)s 条，缺译文 %(missing)s 条", all=len(catalogue), missing=len(_missing(catalogue))))


@i18n.command(help=_("检查英文目录：缺失、存疑或多余的译文都算失败"))
def check() -> None:
    """Exit 1 and list what is missing, fuzzy or left over."""
    wanted, catalogue = set(map(_shown, _entries(collected()))), _english()
    problems = _problems(wanted, catalogue)
    for line in problems:
        click.echo(line)
    if problems:
        fail(_("英文目录有 %(n)s 处问题", n=len(problems)))
    click.echo(_("英文目录完整，共 %(n)s 条", n=len(wanted)))


def _problems(wanted: set[str], catalogue: Catalog) -> list[str]:
    entries = _entries(catalogue)
    known = set(map(_shown, entries))
    left_over = (known - wanted) | set(map(_shown, catalogue.obsolete.values()))
    untranslated = (wanted - known) | set(_missing(catalogue))
    return [
        *(_("缺译文：%(text)s", text=text) for text in sorted(untranslated)),
        *(_("代码中已没有：%(text)s", text=text) for text in sorted(left_over)),
        *(_("占位与原文不一致：%(text)s", text=_shown(one)) for one in entries if not same_places(one)),
    ]


def same_places(message: Message) -> bool:
    """Whether a translation fills in what the text fills in; a singular may say "one" for its number."""
    sources = [message.id] if isinstance(message.id, str) else list(message.id)
    forms = [message.string] if isinstance(message.string, str) else list(message.string or ())
    wanted = sorted(PLACES.findall(sources[-1]))
    found = [sorted(PLACES.findall(form)) for form in forms if form]
    of_one = [place for place in wanted if place != "%(n)s"]
    return all(
        places == wanted or (len(found) > position + 1 and places == of_one) for position, places in enumerate(found)
    )


def _entries(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def _shown(message: Message) -> str:
    text = message.id if isinstance(message.id, str) else message.id[0]
    return text + aside(message.context) if message.context else text


def _english() -> Catalog:
    if not _path().exists():
        return Catalog(locale="en", header_comment=HEADER, charset="utf-8", fuzzy=False)
    with _path().open("rb") as file:
        return read_po(file, locale="en")


def _missing(catalogue: Catalog) -> list[str]:
    def empty(text: object) -> bool:
        return not all(text) if isinstance(text, tuple) else not text

    return [_shown(one) for one in _entries(catalogue) if one.fuzzy or empty(one.string)]


def _path() -> Path:
    return CATALOGUES / "en.po"
