"""Provinces and the cities in them: a city named under another province, and provinces by a name they do not have."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from nlp.checking.base import Finding, Findings, made

_TAIL = re.compile(r"(?:市|省|特别行政区|地区|盟|(?:壮族|回族|维吾尔)?自治区|(?:[\u4e00-\u9fff]{1,3}族)+自治州)$")
_WRONG_NAMES = {
    "广西省": "广西壮族自治区", "新疆省": "新疆维吾尔自治区", "西藏省": "西藏自治区", "宁夏省": "宁夏回族自治区",
    "内蒙古省": "内蒙古自治区", "内蒙省": "内蒙古自治区", "重庆省": "重庆市", "北京省": "北京市", "上海省": "上海市",
    "天津省": "天津市", "香港市": "香港特别行政区", "澳门市": "澳门特别行政区", "广西自治区": "广西壮族自治区",
    "新疆自治区": "新疆维吾尔自治区", "宁夏自治区": "宁夏回族自治区", "广西壮族治区": "广西壮族自治区",
    "广西状族自治区": "广西壮族自治区", "新疆维吾尔治区": "新疆维吾尔自治区", "内蒙自治区": "内蒙古自治区",
}  # fmt: skip
# A short city name that is an everyday word or another place counts only with its 市.
_EVERYDAY = frozenset((
    "朝阳", "日照", "三明", "白银", "天水", "中山", "大同", "兴安", "中卫", "海东", "吉林", "海南", "定西", "固原",
    "山南", "黄山", "河池", "安康", "阳泉", "东营", "资阳", "宝鸡",
))  # fmt: skip
_MUNICIPAL = frozenset(("北京", "天津", "上海", "重庆"))
_COUNTERPARTS = frozenset({"吉林", "海南"})  # a province and a city of one name
# 湖南岳阳 is a place; 河南路, 山东路, 辽宁舰, 福建路 and 中山大道 are not.
_NOT_CITY = re.compile("[路街道巷桥舰]|大街|大道|大学|会馆|商会|银行|医院|宾馆|饭店|菜|小吃|料理")


@cache
def _pattern() -> tuple[re.Pattern[str], dict[str, str], dict[str, str]]:
    """(province followed by a city, name → province's short name, city's short name → full name)."""
    provinces: dict[str, str] = {}
    cities: dict[str, str] = {}
    full: dict[str, str] = {}
    for line in files("nlp").joinpath("lexicons", "regions.txt").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        head, *rest = line.split(" ", 1)[1].split(" ")
        short = _TAIL.sub("", head)
        provinces[head] = provinces[short] = short
        full[short] = head
        for item in rest:
            name = item[2:]
            brief = _TAIL.sub("", name)
            cities[name] = short
            full.setdefault(f"{brief}@{short}", name)
            if brief not in _EVERYDAY and len(brief) >= 2:
                cities[brief] = short
    for name in _MUNICIPAL:
        cities[f"{name}市"] = name
    left = "|".join(sorted(map(re.escape, provinces), key=len, reverse=True))
    right = "|".join(sorted(map(re.escape, cities), key=len, reverse=True))
    return (
        re.compile(f"({left})({right})"),
        {**provinces},
        {**cities, **{f"={key}": value for key, value in full.items()}},
    )


def find(text: str) -> Findings:
    """Cities under the wrong province, and provinces by a wrong name."""
    yield from _names(text)
    pattern, provinces, cities = _pattern()
    for match in pattern.finditer(text):
        said, city = provinces[match[1]], match[2]
        truly = cities[city]
        if said == truly or not _is_pair(text, match, said, truly):
            continue
        yield _misplaced(text, match, truly, cities)


def _names(text: str) -> Findings:
    if "省" not in text and "区" not in text and "市" not in text:
        return
    for match in _wrong_names().finditer(text):
        yield made("region.name", text, match.start(), match.end(), _WRONG_NAMES[match[0]])


@cache
def _wrong_names() -> re.Pattern[str]:
    return re.compile("|".join(sorted(_WRONG_NAMES, key=len, reverse=True)))


def _is_pair(text: str, match: re.Match[str], said: str, truly: str) -> bool:
    """Whether the two really are one place: both full, or a short province and a city that is no street."""
    province, city = match[1], match[2]
    if province in _MUNICIPAL or city in _COUNTERPARTS:
        return False
    is_full = province != said
    if city in _MUNICIPAL_FULL:
        return is_full and city.removesuffix("市") != said
    if not is_full and not city.endswith(("市", "州", "盟", "区")):
        after = text[match.end() : match.end() + 4]
        return not _NOT_CITY.match(after) and bool(
            re.match("[一-鿿]{0,2}[市县区局厅院]|[的等方举召人]|[，。、；]", after)
        )
    return True


_MUNICIPAL_FULL = frozenset(f"{name}市" for name in _MUNICIPAL)


def _misplaced(text: str, match: re.Match[str], truly: str, cities: dict[str, str]) -> Finding:
    city = match[2]
    if city in _MUNICIPAL_FULL:
        right = city
    else:
        right = (cities.get(f"={truly}", truly) if match[1].endswith(("省", "区")) else truly) + city
    return made("region", text, match.start(), match.end(), right, city=city, province=cities.get(f"={truly}", truly))
