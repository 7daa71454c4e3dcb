"""Find whom a text names: departments by an own list, persons by their surname beside a title or an introduction."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from nlp.base import Named
from nlp.clean import Cleaned
from nlp.finder import Finder
from nlp.segment import lexicon

_LOOK = 6_000
_HAN = "[\u4e00-\u9fa5]"
_LEVELS = frozenset("省市州区县旗镇乡")
# Offices that bear a name of their own, two to four characters long: 橘子洲街道办, 城南派出所.
_OWN_NAME = re.compile(r"^(?:派出所|街道办(?:事处)?|居委会|村委会|卫生院)$")
_BREAK = re.compile(
    "[^\u4e00-\u9fa5A-Z0-9]|[的了在到从和与及或由向是找被给让跟对经去来请问我们该本某此这那往叫于以并但为因把将没多各每只都也还据]"
    "|[省市州区县旗]|投诉|举报|反映|联系|电话|通过|部门|领导|需要|当地|户籍|所属|回复|要求|支持|协助|属于|辖区|管辖"
)
# Surnames; those that are mostly other words (于 任 时 向 路 党 和 常 全 成 …) are left out.
_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田姜"
    "范方石姚谭廖邹熊金陆郝孔崔康毛邱秦史顾侯邵孟龙段雷钱汤尹黎易武乔贺赖龚樊殷施陶洪翟颜倪严温芦季俞章鲁葛伍申尤毕"
    "聂焦柳邢岳齐梅莫庄辛祝左涂谷祁耿牟卜詹关苗凌纪靳盛童欧甄曲游阳裴屈鲍覃霍翁隋植甘景薄包柯阮桂"
)
_COMPOUND = "欧阳|上官|司马|诸葛|夏侯|司徒|东方|皇甫|尉迟|公孙|慕容"
_TITLES = (
    "书记|市长|省长|县长|区长|镇长|乡长|州长|局长|厅长|处长|科长|部长|主任|主席|院长|校长|园长|所长|站长|支队长|大队长|队长|村长|支书|组长"
    "|会长|行长|总经理|董事长|经理|老板|医生|大夫|护士长|护士|老师|教授|教练|律师|法官|检察官|警官|先生|女士|同志|师傅|委员"
)
_AFTER = "(?!期|远|久|时间|度|大|达|途|沙|江|春|年|级|方|会)"
# A surname that ends another word is none: 感谢主任, 园林局长, 浙江省长.
_ENDS_WORD = {
    "谢": "感多致答", "贺": "祝庆", "方": "对甲乙双各我警官校资供地", "金": "资基积奖", "江": "浙龙丽湛镇阳九长",
    "林": "吉园桂森玉", "苏": "江", "夏": "宁", "游": "旅", "段": "路地", "关": "相有海机", "钟": "分", "范": "师",
    "纪": "年世本", "高": "提最", "马": "罗", "石": "黄", "阳": "沈贵岳", "程": "工课", "张": "紧主", "包": "承",
    "施": "设措", "康": "健", "易": "贸交", "童": "儿",
}  # fmt: skip
# Words that begin with a surname: 高中老师, 施工队长.
_WORDS = re.compile(
    "高[中级新速等校压层铁考]|方[便向面式法]|施[工行]|林业|尤其|严[重格]|金[融属额]|田间|程[序度]|石[油化]|马[路上]|黄[金色]|江[南北边]"
    "|温[度馨]|包[括装]|关[于键心]|夏[天季]|武[警术]|康复|童年"
)
_TITLE = re.compile(f"(副)?({_TITLES}){_AFTER}")
_SURNAME = re.compile(f"(?:{_COMPOUND}|[{_SURNAMES}])")
_BEFORE = re.compile(
    rf"(?:({_COMPOUND})|({_COMPOUND}|[{_SURNAMES}])({_HAN}{{1,2}}|某某?|[Xx×*]{{1,2}})|([{_SURNAMES}]))\Z"
)
_ROLES = (
    "记者|通讯员|民警|交警|辅警|城管|村支书|村主任|联系人|经办人|负责人|当事人|被投诉人|投诉人|姓名|我叫|名叫|司机|医生"
    "|法官|律师"
)
_INTRODUCED = re.compile(
    rf"({_ROLES})[:：是为]?\s?"
    rf"((?:{_COMPOUND}|[{_SURNAMES}])(?:{_HAN}{{1,2}}|某某?|[Xx×]{{1,2}}))(?:(?!{_HAN})|(?=报道|摄|说|称|介绍|表示|告诉|贪污|受贿|收受|点赞|打人|骂人|态度))"
)
_GIVEN_NOT = frozenset(
    "副的了是在和与及等被把让请给对向去来有为也都就又不没个位名各级我你他她它们说市省县区镇乡村局厅处科业姓俩小老便电队通"
)


@cache
def _beside() -> Finder:
    """What stands beside a person: without any of it none is looked for."""
    return Finder([*_TITLES.split("|"), *_ROLES.split("|")])


@cache
def _departments() -> Finder:
    return Finder(word for word, _ in lexicon("departments"))


def departments(cleaned: Cleaned, limit: int = 8) -> tuple[Named, ...]:
    """The first ``limit`` different departments, with the level that stands before them (市公安局)."""
    text = cleaned.text[:_LOOK]
    found: dict[str, Named] = {}
    last = 0
    for begins, ends, word in _departments().find(text):
        start = _office_start(text, begins, last, word)
        last = ends
        name = text[start:last]
        if name not in found and len(found) < limit:
            found[name] = Named(name, *cleaned.span(start, last))
    return tuple(found.values())


def _office_start(text: str, start: int, low: int, word: str) -> int:
    if _OWN_NAME.match(word):
        back = max(low, start - 5)
        ends = [match.end() for match in _BREAK.finditer(text, back, start)] or [back] * (back in (0, low))
        return ends[-1] if ends and start - ends[-1] >= 2 else start
    return start - 1 if start > low and text[start - 1] in _LEVELS and word[0] not in _LEVELS else start


def persons(cleaned: Cleaned, limit: int = 8) -> tuple[Named, ...]:
    """The first ``limit`` persons named with a title (胡书记) or introduced (记者李明); ``role`` says which."""
    text = cleaned.text[:_LOOK]
    if not _beside().find(text):
        return ()
    found: dict[str, Named] = {}
    for start, end, role in sorted({*_titled(text), *_introduced(text)}):
        name = text[start:end]
        if name not in found and len(found) < limit:
            found[name] = Named(name, *cleaned.span(start, end), role)
    return tuple(found.values())


def _titled(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _TITLE.finditer(text):
        end = match.start()
        before = _BEFORE.search(text, max(0, end - 4), end)
        if before is None:
            continue
        start = before.start()
        given = before[3]
        if given and (
            _WORDS.match(text, start)
            or _in_word(text, start)
            or _GIVEN_NOT & set(given)
            or (len(given) == 1 and _SURNAME.match(given))
        ):
            start = end - 1  # 请张王书记 …: only the last character may be a surname
        if _SURNAME.match(text, start, end) and not _in_word(text, start):
            yield start, match.end(), match[2]


def _in_word(text: str, start: int) -> bool:
    return start > 0 and text[start - 1] in _ENDS_WORD.get(text[start], "")


def _introduced(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _INTRODUCED.finditer(text):
        yield match.start(2), match.end(2), match[1]
