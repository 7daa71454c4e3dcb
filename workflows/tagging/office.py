"""The office's own words for the analyser: ``places.txt`` and ``sensitive.txt`` in the data folder, its accounts.

``places.txt``: one place a line, ``name<TAB>level<TAB>code``; level and code may be missing (then: spot, no code).
``sensitive.txt``: one word a line. Empty lines and lines that begin with ``#`` are left out.
"""

from __future__ import annotations

import re
from pathlib import Path

from sqlmodel import col, select

import nlp
from hub import log
from hub.db import reading
from hub.models import Account
from hub.settings import Settings
from workflows.house import House

LEVELS = frozenset({"province", "city", "district", "street", "spot"})
_log = log.get(__name__)


def configure(settings: Settings) -> None:
    """Set up this process's analyser; call once before tagging. A senseless line is left out with a warning."""
    cache = settings.data / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    places = [place for line in _lines(settings.data / "places.txt") if (place := _place(line)) is not None]
    nlp.configure(cache_dir=cache, places=places, sensitive=_lines(settings.data / "sensitive.txt"))


async def know_accounts(house: House) -> None:
    """Tell this process's analyser what the office's accounts are called. Cheap; before each round of tagging."""
    async with reading(house.ctx) as unit:
        names = await unit.all(select(col(Account.name)).where(col(Account.is_active)))
    nlp.know_accounts(_BESIDE.sub("", name.strip()).rstrip() for name in names)


# 临江发布（微博） is called 临江发布 there.
_BESIDE = re.compile(r"[（(][^（()）]*[）)]$")


def _lines(path: Path) -> list[str]:
    if not path.exists():
        return []
    lines = (line.strip() for line in path.read_text(encoding="utf-8-sig", errors="replace").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _place(line: str) -> tuple[str, str, str] | None:
    name, level, code = (*(part.strip() for part in line.split("\t")), "", "")[:3]
    if (level or "spot") not in LEVELS:
        _log.warning("place ignored", line=line[:60], why="level")
        return None
    return name, level or "spot", code
