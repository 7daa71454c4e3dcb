"""Find the places a text names: regions from an own list, the office's own places, and streets and spots by pattern."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from nlp.base import Place
from nlp.clean import Cleaned

_LOOK = 6_000
_TAILS = re.compile(r"(?:市|省|(?:壮族|回族|维吾尔)?自治区|特别行政区|地区|盟|(?:[\u4e00-\u9fa5]{1,3}族)+自治州)$")
_NICKNAMES = {"海西州": "632800", "湘西州": "433100", "恩施州": "422800", "凉山州": "513400", "甘孜州": "513300"}
# Short forms that are everyday words, surnames or other places: only their full name counts.
_EVERYDAY = frozenset(
    "朝阳 日照 三明 白银 天水 中山 大同 兴安 中卫 海东 吉林 海南 定西 固原 山南 黄山 河池 安康".split()
)
_AMBIGUOUS = frozenset("吉林 海南 朝阳 兴安".split())

_SPOT_KINDS = (
    "小区 社区 花园 家园 公寓 花苑 新村 新城 大厦 广场 商场 市场 菜市场 超市 公园 医院 卫生院 学校 小学 中学 大学 学院 "
    "幼儿园 车站 火车站 汽车站 地铁站 公交站 收费站 加油站 服务区 高架桥 大桥 立交桥 天桥 隧道 路口 交叉口 十字路口 "
    "工业园 产业园 开发区 高新区 水库 工地 村"
).split()
_ROAD_KINDS = "大道 路 街 巷 胡同 高速 国道 省道 环线".split()
_DISTRICT_KINDS = "区 县 旗".split()
_STREET_KINDS = "街道 镇 乡".split()
_WHOLE = {kind: level for level, kinds in (
    ("spot", [*_SPOT_KINDS, *_ROAD_KINDS]), ("street", _STREET_KINDS), ("district", _DISTRICT_KINDS)
) for kind in kinds}  # fmt: skip
_KIND = "|".join(sorted(_WHOLE, key=len, reverse=True))
_NAMED = re.compile(rf"([\u4e00-\u9fa5A-Za-z0-9]{{1,8}}?)({_KIND})")
# A name starts after the last of these, so that 我们住在人民路 gives 人民路.
_LEADING = re.compile(
    r".*(?:[的了在到从于和与及至由往向是有为把被给让跟对经沿离住去来过靠近且或等说把因将该本某此这那每各全整几两]"
    r"|我们|你们|他们|我家|位于|附近|旁边|对面|门口|隔壁|尊敬|反映|关于|咨询|请问|建议|希望|举报|投诉|求助|请求"
    r"|政府|领导|书记|局长|省|市(?!场|民|政)|[区县旗镇乡](?=[\u4e00-\u9fa5]{2})|街道|以及|一个|一条|很多|许多|所有|多个|附近|周边|进入|经过|通过|连接)"
)
_HOLLOW = re.compile(
    r"^(?:[一二三四五六七八九十百千两几多大小新老旧高低好坏长短东南西北左右上下前后内外中]?|什么|哪个|我们?|整个|全部|住宅|商业|居民|附近|周边|当地"
    r"|农村|城市|城乡|乡村|农贸|建材|建筑|施工|公立|私立|民办|公办|高等|义务|人民|中心|农民|社会|马|公|铁|线|道|网|思|出|上|下|半|回|套"
    r"|走|同|问|绿|水|电|气|修|让|带|过|陆|一条|这条|那条|逛|过|天|当|每|整|全)$"
)


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """Named places as one pattern: name -> (full name, level, code, ambiguous)."""

    pattern: re.Pattern[str]
    known: dict[str, tuple[str, str, str, bool]]


@cache
def _regions() -> dict[str, tuple[str, str, str, bool]]:
    known: dict[str, tuple[str, str, str, bool]] = {}
    lines = files("nlp").joinpath("lexicons", "regions.txt").read_text(encoding="utf-8").splitlines()
    for line in (line for line in lines if line and not line.startswith("#")):
        code, province, *cities = line.split()
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
def gazetteer(own: Sequence[tuple[str, str, str]] = ()) -> Gazetteer:
    """The regions of the country plus the office's own places (name, level, code), which win."""
    known = {**_regions(), **{name: (name, level, code, False) for name, level, code in own}}
    longest = sorted(known, key=lambda name: (-len(name), name))
    return Gazetteer(re.compile("|".join(map(re.escape, longest))), known)


def find(cleaned: Cleaned, own: tuple[tuple[str, str, str], ...] = (), limit: int = 12) -> tuple[Place, ...]:
    """The first ``limit`` different places in reading order, with offsets into the original."""
    text = cleaned.text[:_LOOK]
    taken = [(hit.start(), hit.end(), gazetteer(own).known[hit[0]]) for hit in gazetteer(own).pattern.finditer(text)]
    covered = [(start, end) for start, end, _ in taken]
    taken += [item for item in _named(text) if not any(item[0] < end and start < item[1] for start, end in covered)]
    places: dict[str, Place] = {}
    for start, end, (name, level, code, unsure) in sorted(taken):
        if name not in places:
            places[name] = Place(name, level, *cleaned.span(start, end), code, unsure)
        if len(places) == limit:
            break
    return tuple(places.values())


def _named(text: str) -> list[tuple[int, int, tuple[str, str, str, bool]]]:
    found = []
    for match in _NAMED.finditer(text):
        name = _LEADING.sub("", match[1])
        kind = match[2]
        if (
            not name
            or _HOLLOW.match(name)
            or (kind in ("区", "县", "镇", "乡", "村", "路", "街", "旗", "巷") and len(name) > 4)
        ):
            continue
        found.append((match.end() - len(name) - len(kind), match.end(), (name + kind, _WHOLE[kind], "", False)))
    return found
