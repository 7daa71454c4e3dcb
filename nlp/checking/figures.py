"""Figures against their words and units."""

from __future__ import annotations

import re

from nlp.checking.base import Findings, made

_N = r"\d[\d,.]*"
_APPROX = re.compile(
    r"(?P<a>近|约|大约|将近|接近)(?P<n>\d[\d,.]*[万亿]?)(?P<b>余|多)(?=[\u4e00-\u9fff])"
    r"|(?P<c>约|大约|近|将近)(?P<m>\d[\d,.]*(?:万|亿)?[\u4e00-\u9fff]{1,4}?)(?P<d>左右|上下)"
    r"|(?P<e>超过|超|逾|突破|至少)(?P<k>\d[\d,.]*(?:万|亿)?)(?P<f>余|多)?(?P<u>[\u4e00-\u9fff]{1,3}?)(?P<g>左右|上下|以上)(?!的|学历|职)"
)
_DROP = re.compile(r"(?:下降|减少|降低|缩小|减小|缩短|下跌)了?(?P<n>\d+(?:\.\d+)?|[一二两三四五六七八九十]+)倍")
_OVER = re.compile(
    r"(?:满意率|合格率|达标率|优良率|覆盖率|占比|比重|及格率|通过率|完好率|普及率|出席率|到会率|参与率|办结率|回复率|签约率|绿化率|入学率|就业率|优良天数比率)"
    r"(?:达到?|为|是|已?达到?|提高到|上升到|升至|提升至)?(?:了)?(?P<n>\d{3,}(?:\.\d+)?)[%％]"
)
_GARBLED = re.compile(r"(?<![\d.vV第])\d{1,4}\.\d{1,4}\.\d{1,4}(?=公里|米|元|万|亿|%|％|人|吨|亩|个|平方|户|件|千米)")
_GROUPS = re.compile(r"(?<![\d,.])(?:\d{1,3}(?:,\d{1,3})+|\d{4,},\d+)(?![\d,.])")
_TWICE = re.compile(
    r"万万(?=吨|元|人|亩|公里|户|件|斤|千瓦|平方|立方)|亿亿(?=元|人|吨)|千千(?=米|克|瓦)|百百分|[%％]{2,}|(?<=\d)元元|(?<=\d)人人(?![均民])|平方平方|公里里(?!程)|个个(?=月|百分点)|(?<=\d)月月|(?<=\d)日日|百分之\d+(?:\.\d+)?[%％]"
)
_DEGREES = re.compile(r"(?<=\d)\s?(?:C°|c°|0C(?![A-Za-z0-9])|°c|oC|ºC|C゜)")
_UNITS = {
    "公理": "公里", "公厘米": "厘米", "平方公理": "平方公里", "千米时": "千米/时", "立方平米": "立方米", "公尺": "米",
    "平方公分": "平方厘米", "毫生": "毫升", "毫开": "毫升", "公项": "公顷",
    "平方未": "平方米", "立方未": "立方米", "千未": "千米", "厘未": "厘米", "毫未": "毫米", "万园": "万元",
    "亿园": "亿元", "百分比点": "个百分点", "百分占": "百分点", "干瓦": "千瓦",
    "干克": "千克", "干米": "千米", "干公里": "千公里",
}  # fmt: skip
_UNIT = re.compile(
    r"(?<=[\d.万亿百])(?:" + "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True)) + ")(?![A-Za-z])"
)
_ECHO = {
    "一": "1",
    "二": "2",
    "两": "2",
    "三": "3",
    "四": "4",
    "五": "5",
    "六": "6",
    "七": "7",
    "八": "8",
    "九": "9",
    "十": "10",
}
_SAME = re.compile(
    r"(?<![\d.])(\d{1,2})([一二两三四五六七八九十])(?=个|名|项|条|次|批|件|户|家|人|天|年|类|种|级|组|期)"
)

# What has to bear a unit: growth by a decimal, shares, degrees, sums of money. It stands where the clause ends.
_END = r"(?=[，。；]|$)"
_SUMS = "投资|收入|支出|总额|产值|总值|增加值|利润|余额|零售额|税收|资金|贷款"
_SHARES = "增速|[\u4e00-\u9fff]{2}率|占比|比重"
_BARE = tuple(
    re.compile(pattern + _END, re.MULTILINE)
    for pattern in (
        r"(?:增长|上涨|下降|上升|回落|减少|增加|提高|下跌)了?(?P<n>\d+\.\d+)",
        rf"(?:{_SHARES})(?:达到?|为|是|提高到|上升到|升至)?(?P<n>\d{{2}}(?:\.\d+)?)",
        r"(?:气温|温度|高温|低温)[^，。；、\d]{0,6}(?P<n>\d{1,2}(?:\.\d)?)",
        rf"(?:{_SUMS})[^，。；、\d]{{0,4}}(?P<n>\d[\d,]*\.\d+)",
    )
)
_WITHOUT_UNIT = re.compile("指数|系数|比值|比率|利率|汇率|容积率|分值|得分|评分|分数|密度|单位[：:]|PMI|pH|分别")


def find(text: str) -> Findings:
    """Approximations said twice, impossible shares and reductions, garbled numbers, wrong and lost units."""
    if re.search(r"\d|百分|倍", text):
        yield from _numbers(text)
        yield from _units(text)


def _numbers(text: str) -> Findings:
    yield from _approximate(text)
    for match in _DROP.finditer(text):
        yield made("figure", text, match.start(), match.end())
    for match in _OVER.finditer(text):
        if float(match["n"]) > 100:
            yield made("figure.percent", text, match.start("n"), match.end())
    for match in _GARBLED.finditer(text):
        yield made("figure", text, match.start(), match.end())
    yield from _grouped(text)
    for match in _SAME.finditer(text):
        if _ECHO[match[2]] == match[1]:
            yield made("figure", text, match.start(), match.end(), match[2])


def _units(text: str) -> Findings:
    for match in _TWICE.finditer(text):
        yield made("figure.unit", text, match.start(), match.end(), *_once(match[0]))
    for pattern in _BARE:
        for match in pattern.finditer(text):
            if not _WITHOUT_UNIT.search(text, max(0, match.start() - 20), match.end()):
                yield made("figure.bare", text, match.start("n"), match.end("n"))
    for match in _DEGREES.finditer(text):
        yield made("figure.unit", text, match.start(), match.end(), "℃")
    for match in _UNIT.finditer(text):
        yield made("figure.unit", text, match.start(), match.end(), _UNITS[match[0]])


def _approximate(text: str) -> Findings:
    for match in _APPROX.finditer(text):
        right: tuple[str, ...]
        if match["n"]:
            right = (match["a"] + match["n"], match["n"] + match["b"])
        elif match["m"]:
            right = (match["c"] + match["m"], match["m"] + match["d"])
        elif match["g"] in ("左右", "上下") or match["e"] in ("超过", "超", "逾", "至少"):
            right = (match["e"] + match["k"] + (match["f"] or "") + match["u"],)
        else:
            continue
        yield made("figure.approximate", text, match.start(), match.end(), *right)


def _grouped(text: str) -> Findings:
    for match in _GROUPS.finditer(text):
        first, *rest = match[0].split(",")
        if all(len(part) == 3 for part in rest) and len(first) <= 3:
            continue
        joined = match[0].replace(",", "")
        if len(rest) > 1 and re.search("[元人次吨亩户件万%]", text[match.end() : match.end() + 2]):
            yield made("figure", text, match.start(), match.end(), joined)


def _once(found: str) -> tuple[str, ...]:
    if found.startswith("百分之"):
        return (found[:-1],)
    half = len(found) // 2
    return (
        (found[:half],) if found[:half] == found[half:] else (found[0] + found[2:],) if found[:1] == found[1:2] else ()
    )
