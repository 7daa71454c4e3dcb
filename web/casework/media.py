"""What came with a message as its bubble shows it: kept files in place, everything else as a link."""

from __future__ import annotations

import re
from typing import Any

from hub.i18n import _, day, said
from hub.models import OutsidePicture, PictureState
from workflows.cases.timeline import MessageEntry

_OWN_FILE = re.compile(r"/letters/files/\d{1,18}")


def web_link(url: str) -> str:
    """The address when it leads to a web page or to a file of a letter; empty for anything else that may have come."""
    return url if url.lower().startswith(("http://", "https://")) or _OWN_FILE.fullmatch(url) else ""


def files_of(entry: MessageEntry, may_keep: bool) -> list[dict[str, Any]]:
    """As ``thread.html`` takes them. ``note``: how fetching a picture stands; ``keep``: where a person asks for it."""
    found = [_file(entry, place, may_keep and not entry.is_own) for place in range(len(entry.media))]
    return [one for one in found if one["href"] or entry.media[one["place"]].get("description")]


def _file(entry: MessageEntry, place: int, may_keep: bool) -> dict[str, Any]:
    one = entry.media[place]
    href, is_picture = web_link(str(one.get("url") or "")), one.get("kind") == "image"
    file = {
        "place": place, "name": one.get("description") or (_("图片") if is_picture else _("附件")), "href": href,
        "thumb": href if is_picture and _OWN_FILE.fullmatch(href) else "", "note": "", "keep": "",
    }  # fmt: skip
    if place not in entry.pictures:
        return file
    asked = entry.pictures[place]
    if asked is not None and asked.state is PictureState.waiting:
        return file | {
            "note": _("正在取回（上次没有成功：%(why)s）", why=said(asked.error)) if asked.error else _("正在取回")
        }
    return file | {"note": _ended(asked), "keep": f"/messages/{entry.id}/pictures/{place}" if may_keep else ""}


def _ended(asked: OutsidePicture | None) -> str:
    if asked is None:
        return ""
    if asked.state is PictureState.cleared and asked.since is not None:
        return _("图片已按保存期限清除（%(at)s）", at=day(asked.since))
    return _("未能取回：%(why)s", why=said(asked.error))
