"""The regions of the country with their codes: provinces, cities, counties, and which of several is meant."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from nlp.finder import Finder

_TAILS = re.compile(r"(?:市|省|(?:壮族|回族|维吾尔)?自治区|特别行政区|地区|盟|(?:[\u4e00-\u9fa5]{1,3}族)+自治州)$")
_NICKNAMES = {"海西州": "632800", "湘西州": "433100", "恩施州": "422800", "凉山州": "513400", "甘孜州": "513300"}
# Short forms that are everyday words, surnames or other places: only their full name counts.
_EVERYDAY = frozenset(
    "朝阳 日照 三明 白银 天水 中山 大同 兴安 中卫 海东 吉林 海南 定西 固原 山南 黄山 河池 安康".split()  # noqa: SIM905
)
_AMBIGUOUS = frozenset(("吉林", "海南"))
# Names of counties that are also what anybody calls a part of a town: they count right after a region only.
_COMMON_COUNTIES = frozenset(("矿区", "新城区", "老城区", "新市区", "东城区", "西城区", "城中区", "城东区", "城西区"))
_COUNTY_END = re.compile("[县区市旗岛]")
_LONGEST = 15


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """Named places: name -> (full name, level, code, ambiguous). ``home``: the first four digits of the office's own
    codes."""

    finder: Finder
    known: dict[str, tuple[str, str, str, bool]]
    home: frozenset[str]


@dataclass(frozen=True, slots=True)
class County:
    """A county's name in a text, and the codes of all that bear it."""

    start: int
    end: int
    name: str
    codes: tuple[str, ...]


@cache
def _lines(name: str) -> list[list[str]]:
    lines = files("nlp").joinpath("lexicons", f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]


@cache
def _regions() -> dict[str, tuple[str, str, str, bool]]:
    known: dict[str, tuple[str, str, str, bool]] = {}
    for code, province, *cities in _lines("regions"):
        _add(known, province, "province", code)
        for city in cities:
            _add(known, city[2:], "city", f"{code[:2]}{city[:2]}00")
    full = {code: name for name, level, code, _ in known.values()}
    known.update({short: (full[code], "city", code, False) for short, code in _NICKNAMES.items()})
    return known


def _add(known: dict[str, tuple[str, str, str, bool]], name: str, level: str, code: str) -> None:
    short = _TAILS.sub("", name)
    entry = (name, level, code, False)
    known.setdefault(name, entry)
    if short in _AMBIGUOUS:
        known.setdefault(short, (*entry[:3], True))
    elif short not in _EVERYDAY and len(short) > 1:
        known.setdefault(short, entry)


@cache
def _counties() -> dict[str, tuple[str, ...]]:
    codes: dict[str, tuple[str, ...]] = {}
    for prefix, *names in _lines("counties"):
        for name in names:
            codes[name[2:]] = (*codes.get(name[2:], ()), prefix + name[:2])
    return codes


@cache
def gazetteer(own: Sequence[tuple[str, str, str]] = ()) -> Gazetteer:
    """Provinces and cities plus the office's own places (name, level, code), which win."""
    known = {**_regions(), **{name: (name, level, code, False) for name, level, code in own}}
    return Gazetteer(Finder(known), known, frozenset(code[:4] for _, _, code in own if len(code) >= 4))


def counties(text: str, region_ends: Collection[int] = ()) -> list[County]:
    """Counties, districts, banners and county-level cities by their full names, the longest at each place.

    ``region_ends``: where provinces and cities end; a name of every day counts right there only."""
    table = _counties()
    found: list[County] = []
    last = 0
    for match in _COUNTY_END.finditer(text):
        end = match.end()
        for start in range(max(last, end - _LONGEST), end - 1):
            codes = table.get(text[start:end])
            if codes and (text[start:end] not in _COMMON_COUNTIES or start in region_ends):
                found.append(County(start, end, text[start:end], codes))
                last = end
                break
    return found


def meant(codes: Sequence[str], told: Collection[str], home: Collection[str]) -> str:
    """Which of ``codes`` is meant, "" when that is open. ``told``: codes of provinces and cities named in the text."""
    if len(codes) == 1:
        return codes[0]
    cities = {code[:4] for code in told if code[2:4] != "00"}
    provinces = {code[:2] for code in told}
    for near in (
        [code for code in codes if code[:4] in cities],
        [code for code in codes if code[:2] in provinces],
        [code for code in codes if code[:4] in home],
    ):
        if len(near) == 1:
            return near[0]
    return ""


@cache
def above(code: str) -> str:
    """The names of the province and the city around a code as one: 湖南省长沙市 for 430104; "" for a province."""
    names = _names()
    chain = [names.get(code[:2] + "0000", "") if code[2:] != "0000" else ""]
    chain.append(names.get(code[:4] + "00", "") if code[4:] != "00" and code[2:4] != "00" else "")
    return "".join(chain)


@cache
def _names() -> dict[str, str]:
    return {code: name for name, _, code, _ in _regions().values()}
