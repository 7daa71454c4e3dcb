"""Find the places a text names: regions by their names, the office's own places, and streets and spots by pattern."""

from __future__ import annotations

import re
from functools import cache

from nlp import regions
from nlp.base import Place
from nlp.clean import Cleaned
from nlp.finder import matches
from nlp.regions import Gazetteer
from nlp.segment import word_lists

_LOOK = 6_000
_Found = tuple[int, int, tuple[str, str, str, bool]]  # start, end, (name, level, code, ambiguous)

_KINDS = {
    "spot": "小区 社区 花园 家园 公寓 花苑 新村 新城 大厦 广场 商场 市场 菜市场 超市 公园 医院 卫生院 学校 小学 中学 大学 学院 "  # noqa: E501
    "幼儿园 车站 火车站 汽车站 地铁站 公交站 客运站 收费站 加油站 服务区 高架桥 大桥 立交桥 立交 体育馆 体育场 图书馆 养老院 敬老院 天桥 隧道 路口 交叉口 十字路口 工业园 "  # noqa: E501
    "产业园 开发区 高新区 水库 工地 村 大道 路 街 巷 胡同 高速 国道 省道 环线",
    "street": "街道 镇 乡",
    "district": "区 县 旗",
}
_LEVEL = {kind: level for level, kinds in _KINDS.items() for kind in kinds.split()}
# Words that only begin or end like a kind of place: 线路, 乡村, 路灯, 市场监管局, 小学生.
_NOT_BEFORE = {"路": "线道公铁马网思同走半套", "区": "社", "医院": "送住转"}
_NOT_AFTER = {
    "路": "灯|边|段|上|过|人|途|面|况|程|线|费|由|演|牌|基|政", "街": "道|头|坊|上|边", "区": "别|域|间|分", "县": "城|委|级|里|政",  # noqa: E501
    "镇": "静|压|政|区|上", "乡": "村|镇|亲|下|里|政|音", "村": "民|里|庄|镇|医|上", "旗": "帜|下|袍|子|舰", "巷": "子", "市场": "监|价|经|化|主",  # noqa: E501
    "小学": "生|老师", "中学": "生|老师", "大学": "生|毕业|本科|老师", "学校": "食堂|老师", "社区": "卫生|医|工作", "超市": "化", "高速": "增|发|行",  # noqa: E501
    "环线": "路", "大道": "理", "广场": "舞", "立交": "桥"

}  # fmt: skip


def _kind_pattern(kind: str) -> str:
    before, after = _NOT_BEFORE.get(kind), _NOT_AFTER.get(kind)
    return (f"(?<![{before}])" if before else "") + kind + (f"(?!{after})" if after else "")


_KIND = re.compile("|".join(map(_kind_pattern, sorted(_LEVEL, key=len, reverse=True))))
_HEADS = re.compile(f"[{''.join({kind[0] for kind in _LEVEL})}]")
_ROADS = frozenset(("路", "街", "大道", "巷", "胡同"))
_SIDES = frozenset(("", "大", "东", "西", "南", "北", "中"))
_SHORT_KINDS = frozenset("区县镇乡村路街旗巷")  # what they follow is a short name, or no name at all
_COUNTED = frozenset("段条个座处所片块些")  # 一段路 is no name
# No name reaches back over one of these, so that 我们住在人民路 gives 人民路.
_BREAKS = frozenset(
    "的了在到从于和与及至由往是有为把被给让跟对经沿离住去来过靠近且或等说因将该本某此这那每各几两们请问我不但而却也个谁"
)
_BREAK_WORDS = re.compile(
    "我家|位于|附近|旁边?|对面|门口|隔壁|尊敬|反映|关于|咨询|建议|希望|举报|投诉|求助|请求|政府|领导|书记|局长|省|市(?![场民政])"
    "|[区县旗镇乡](?=[\u4e00-\u9fa5]{2})|街道|以及|一个|一条|很多|许多|所有|多个|周边|进入|通过|连接|全体|居住|感谢|送上|怀疑|今年|孩子|目前|现在|本人|建成|新建|来自|严重|没有|所有|擅自|投资|向(?![阳日东荣])"
)
_HOLLOW = frozenset(
    [
        "一",
        "二",
        "三",
        "四",
        "五",
        "六",
        "七",
        "八",
        "九",
        "十",
        "百",
        "千",
        "几",
        "多",
        "大",
        "小",
        "新",
        "老",
        "旧",
        "高",
        "低",
        "好",
        "坏",
        "长",
        "短",
        "东",
        "南",
        "西",
        "北",
        "左",
        "右",
        "上",
        "下",
        "前",
        "后",
        "内",
        "外",
        "中",
        "什么",
        "哪个",
        "我",
        "整个",
        "全部",
        "住宅",
        "商业",
        "居民",
        "当地",
        "农村",
        "城市",
        "城乡",
        "乡村",
        "农贸",
        "建材",
        "建筑",
        "施工",
        "公立",
        "私立",
        "民办",
        "公办",
        "高等",
        "义务",
        "中心",
        "农民",
        "社会",
        "马",
        "公",
        "铁",
        "线",
        "道",
        "网",
        "思",
        "出",
        "半",
        "回",
        "套",
        "走",
        "同",
        "绿",
        "水",
        "电",
        "气",
        "修",
        "带",
        "陆",
        "逛",
        "天",
        "当",
        "整",
        "全",
        "没",
        "无",
        "山",
        "城",
        "郊",
        "市",
        "辖",
        "校",
        "园",
        "景",
        "片",
        "灾",
        "农",
        "本",
        "地",
        "社",
        "新建",
        "整条",
        "条",
        "个",
        "门",
        "便民",
        "街",
        "双向",
        "主",
        "次",
        "专用",
        "步行",
        "断头",
        "盲",
        "一路",
        "出",
        "口",
        "学",
        "入",
        "单行",
        "老旧",
        "城中",
        "高档",
        "安置",
        "商住",
        "封闭",
        "开放",
        "大型",
        "废品",
        "早",
        "夜",
        "二手",
        "医",
        "老年",
        "民营",
        "培训",
        "社区",
        "学生",
        "同一",
        "一期",
        "二期",
        "三期",
        "之",
        "找",
        "绕",
        "扩",
        "要",
        "比",
        "还",
        "宅",
        "集",
        "扫",
        "封",
        "返",
        "事",
        "种事",
    ]
)


def find(cleaned: Cleaned, own: tuple[tuple[str, str, str], ...] = (), limit: int = 12) -> tuple[Place, ...]:
    """The first ``limit`` different places in reading order, with offsets into the original."""
    text = cleaned.text[:_LOOK]
    known = regions.gazetteer(own)
    sure = [
        (start, end, known.known[name])
        for start, end, name in known.finder.find(text)
        if not _is_called_so(text, end, name, known)
    ]
    counties = _counties(text, sure, known)
    sure = [one for one in sure if not _is_head_of(one, counties, text)]
    taken = [*sure, *_apart(counties, sure)]
    taken += _apart(_named(text), taken)
    places: dict[tuple[str, str], Place] = {}
    before, chain = -9, ""
    for start, end, (name, level, code, unsure) in sorted(taken):
        within = regions.above(code) if code else chain if start - before <= 1 else ""
        before, chain = end, within + name
        if (name, within) not in places:
            places[name, within] = Place(name, level, *cleaned.span(start, end), code, unsure, within)
        if len(places) == limit:
            break
    return tuple(places.values())


def _is_called_so(text: str, end: int, name: str, known: Gazetteer) -> bool:
    """Whether a road only bears the short name of a region: 辽宁路, 南京西路."""
    full, level, code, _unsure = known.known[name]
    return bool(code) and name != full and level in ("province", "city") and bool(_ROAD.match(text, end))


# 上海路上 is on a road, 上海路况 in a city.
_ROAD = re.compile("[东西南北中]?(?:路(?![灯边段面况程线费由政])|街(?![道头坊边])|大[道街]|巷(?!子)|胡同)")


def _is_head_of(one: _Found, counties: list[_Found], text: str) -> bool:
    """Whether the short name of a city is the beginning of a county's: 长沙县, 南昌县."""
    start, end, (name, *_rest) = one
    return text[start:end] != name and any(first == start and end < last for first, last, _county in counties)


def _counties(text: str, sure: list[_Found], known: Gazetteer) -> list[_Found]:
    """Counties with the code of the one that is meant, or marked as ambiguous."""
    told = [code for _, _, (_, _, code, unsure) in sure if code and not unsure]
    found = []
    for one in regions.counties(text, {end for _, end, _ in sure}):
        code = regions.meant(one.codes, told, known.home)
        found.append((one.start, one.end, (one.name, "district", code, not code)))
    return found


def _apart(found: list[_Found], taken: list[_Found]) -> list[_Found]:
    return [item for item in found if not any(item[0] < end and start < item[1] for start, end, _ in taken)]


def _named(text: str) -> list[_Found]:
    """Names that end in a kind of place: 人民路, 幸福小区, 云溪镇."""
    found: list[_Found] = []
    last = 0
    for match in matches(_KIND, _HEADS, text):
        kind = match[0]
        if kind in _ROADS and found and found[-1][2][1] == "spot" and text[last : match.start()] in _SIDES:
            start, last = found[-1][0], match.end()  # 中关村大街, 火车站路
            found[-1] = (start, last, (text[start:last], "spot", "", False))
            continue
        start = _name_start(text, match.start(), last)
        name = text[start : match.start()]
        if _no_name(name, kind):
            continue
        last = match.end()
        found.append((start, last, (name + kind, _LEVEL[kind], "", False)))
    return found


def _no_name(name: str, kind: str) -> bool:
    if not name or name in _HOLLOW or name[-1] in _COUNTED:
        return True
    return kind in _SHORT_KINDS and (len(name) > 4 or (name.isdigit() and kind == "路"))


def _name_start(text: str, end: int, low: int) -> int:
    """How far back the name before ``end`` reaches: eight characters at most, not past a break."""
    start = end
    low = max(low, end - 8)
    while start > low and text[start - 1].isalnum() and text[start - 1] not in _BREAKS:
        start -= 1
    for broken in _BREAK_WORDS.finditer(text, start, end):
        start = broken.end()
    return _after_unnamed(text, start, end)


def _after_unnamed(text: str, start: int, end: int) -> int:
    """Where the name begins after the last word that no name holds (昨天, 名额, 告诉)."""
    words, longest = _unnamed()
    for last in range(end, start + 1, -1):
        if any(text[first:last] in words for first in range(max(start, last - longest), last - 1)):
            return last
    return start


@cache
def _unnamed() -> tuple[frozenset[str], int]:
    words = frozenset(word for _kind, word in word_lists("unnamed"))
    return words, max(map(len, words))
