"""的, 地 and 得; characters and words doubled; characters lost from words that cannot do without them."""

from __future__ import annotations

import re
from functools import cache

from nlp.checking import evidence
from nlp.checking.base import Findings, made
from nlp.checking.kinds import is_doubled, of_kind
from nlp.checking.spelling import cut, may_name, run_around
from nlp.checking.words import lines, listed, one_of


def find(text: str) -> Findings:
    """Particles, doublings and losses."""
    yield from _particles(text)
    yield from _doubled(text)
    yield from _doubled_ends(text)
    yield from _losses(text)


# 的 地 得


def _between(left: str, mark: str, right: str, but: str = "") -> re.Pattern[str]:
    """``mark`` (group 1) between a word of one list and a word of another; ``but``: what must not follow these."""
    return re.compile(f"(?:{one_of(left)})({mark})(?=(?:{one_of(right)}){but})")


@cache
def _manner() -> re.Pattern[str]:
    return _between("manner", "的", "doing", f"(?!{one_of('noun')})(?![与和及的])[\u4e00-\u9fff]")


def _before_acts(text: str) -> Findings:
    """Any verb of two, where what follows it leaves no doubt: 仔细的查看了现场, 组织的很好。"""
    acts, _verbs, _nouns = _acts()
    for match in _DONE.finditer(text):
        start = _manner_before(text, match.start()) if match[2] in acts else None
        if start is not None and not _ATTRIBUTE.search(text, max(0, start - 16), start):
            yield made("particle", text, match.start(1), match.end(1), "地")
    for match in _HOW_WELL.finditer(text):
        if match[1] in acts:
            yield made("particle", text, match.start(2), match.end(2), "得")


def _led_to(text: str) -> Findings:
    """积极得投身: what the manner leads to is done, and no outcome of it."""
    for match in _doing_after().finditer(text):
        if _manner_before(text, match.start()) is not None:
            yield made("particle", text, match.start(), match.end(), "地")


def _manner_before(text: str, end: int) -> int | None:
    """Where the word of manner begins that ends there."""
    return next((end - len(word) for word in listed("manner") if text.endswith(word, 0, end)), None)


@cache
def _doing_after() -> re.Pattern[str]:
    return re.compile(f"得(?!{_OUTCOME})(?={one_of('doing')})")


_DONE = re.compile("(的)([\u4e00-\u9fff]{2})[了着]")
_HOW_WELL = re.compile(
    "([\u4e00-\u9fff]{2})(的)(?=(?:很|非常|十分|特别|相当)(?:好|快|高|稳|实|细|大|成功|圆满|到位|及时|顺利|扎实|精彩|不错|出色|周到|具体|清楚)"
    "(?:[，。；！]|$))"
)
# 作了详细的介绍, 进行认真的研究: the verb is a noun there.
_ATTRIBUTE = re.compile(
    "(?:(?<!工)[作做]|进行|开展|给予|提供|得到|获得|有|是|以|用|通过|经过|需要|一[次个场番份]|更加?|最|很|非常|比较|较为?|不|及|和|、)"
    "了?[^，。；！？\\n]{0,10}$"
)
_BETTER = re.compile(
    "(?:做|办|干|抓|管|建|建设|发展|生活|过|变|工作做|落实)(的)"
    "(?=更(?:好|快|高|强|稳|实|大|美|细|优|有)(?!的|地|发展|服务|生活|质量|水平|满足|推动))"
)


@cache
def _rest() -> tuple[tuple[str, re.Pattern[str], str], ...]:
    """(the mark that stands there, pattern, what it should be)."""
    return (
        ("的", _between("state", "的", "outcome", "(?!.{0,4}(?:人|事|地方|话|东西|问题|时候|样子))"), "得"),
        ("的", _between("glad", "的", "so_that"), "得"),
        ("的", _BETTER, "得"),
        (
            "地",
            re.compile(f"(?:{one_of('action')})(地)(?=更加|越来越|十分|非常|特别|格外|很(?![多少])|太(?!阳))"),
            "得",
        ),
        ("地", _ACT, "的"),
        ("得", _between("mood", "得", "saying"), "地"),
        ("得", re.compile(f"(?:{one_of('quality')})(得){_NOUN_AFTER}"), "的"),
        ("地", _between("owner", "地", "owned", "(?!区|点|处|块|面|带|方|段|价|势|形|图|铁)"), "的"),
    )


_DEGREE = "(?=更加|越来越|十分|非常|特别|格外|很(?![多少])|太(?!阳))"
# 进行了坦诚地交流: what is carried out is a noun there. 实地, 各地, 属地 and the like are words.
_ACT = re.compile(
    "(?:进行|展开|开展|作出|做出|给予)了?[^，。；！？\n]{2,12}(?<![实各本当异属基场土园驻就外落])(地)"
    "(?=(?:交流|讨论|研究|分析|介绍|沟通|探讨|检查|排查|整治|指导|支持|帮助|部署|解读|讲解|宣传|总结|汇报|说明|回应|答复)(?:[，。；和与、]|$))"
)
# 激动得把帽子抛起, 高兴得拍手: what came of it.
_OUTCOME = "[把将向对给为帮说讲听看做问喊拍拉抱握]|点头|鼓掌|离开"
_NOUN_AFTER = "(?![到出知当益分以名失罪奖了票主多很不])(?=[\u4e00-\u9fff]{1,6}(?:[，。；！、]|$))"


def _particles(text: str) -> Findings:
    if "的" in text:
        yield from _before_acts(text)
        for match in _manner().finditer(text):
            if not _ATTRIBUTE.search(text, max(0, match.start() - 16), match.start()):
                yield made("particle", text, match.start(1), match.end(1), "地")
    if "得" in text:
        yield from _led_to(text)
    for mark, pattern, right in _rest():
        if mark in text:
            for match in pattern.finditer(text):
                yield made("particle", text, match.start(1), match.end(1), right)


# Doubled characters and words

_SINGLE = "的了在由为将与和于把被对向从以及并就已还也都又但而且或该其此每各因则是有我您请"
_ONE = re.compile(f"([{_SINGLE}])\\1")
_WORD = re.compile(r"([\u4e00-\u9fff]{2,6})\1")
# Parts of two words run into each other, with what was meant.
_RUN_ON = {
    "为为了": "为了", "为了为": "为了", "由于由": "由于", "关于对于": "关于", "对于关于": "关于",
    "截至到目前": "截至目前",
    "大约约": "大约", "约大约": "大约", "是为是": "是", "没没有": "没有", "将要将": "将", "已已经": "已经",
    "正正在": "正在",
}  # fmt: skip
_ABOUT = re.compile("|".join(_RUN_ON))


def _doubled(text: str) -> Findings:
    fine, ends, twice = _fine()
    for match in _ONE.finditer(text):
        if not fine.match(text, match.start()) and text[match.start() - 1 : match.start() + 1] not in ends:
            yield made("repeat", text, match.start(), match.end(), match[1])
    for match in _WORD.finditer(text):
        if _is_slip(text, match, twice):
            yield made("repeat", text, match.start(), match.end(), match[1])
    for match in _ABOUT.finditer(text):
        yield made("repeat", text, match.start(), match.end(), _RUN_ON[match[0]])


@cache
def _fine() -> tuple[re.Pattern[str], frozenset[str], frozenset[str]]:
    """(doublings that are none or words of their own, words that end where another begins, words never doubled)."""
    return re.compile(one_of("double")), frozenset(listed("ends")), frozenset(listed("twice"))


def _is_slip(text: str, match: re.Match[str], twice: frozenset[str]) -> bool:
    word = match[1]
    if len(set(word)) == 1 or word[0] == word[1]:  # 哈哈哈哈, 三三两两
        return False
    if len(word) >= 4:
        return True
    # Verbs said twice are colloquial (研究研究): slips in the texts of offices, but for those that people do say so.
    if word not in _said_twice() and not evidence.is_seen(match[0]):
        _all_acts, verbs, nouns = _acts()
        if word in verbs:
            return True
        if word in nouns and match.start() and _CLAUSE_ENDS.match(text, match.end()):
            return True  # 招聘活动活动。 but not 岗位岗位补贴
    return word in twice and text[match.end() : match.end() + 1] != "再"


_CLAUSE_ENDS = re.compile("[，。；、！？们等）”]|$")


@cache
def _acts() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """(what is a verb at all, only a verb, a noun as well)."""
    return of_kind("v", "vn"), of_kind("v"), of_kind("n", "vn")


@cache
def _said_twice() -> frozenset[str]:
    return frozenset(listed("again"))


# 出行行准备: the second of two makes no word with either neighbour. Places, names and years end and begin so rightly.
_TWO = re.compile("([\u4e00-\u9fff])\\1")
_AROUND = 2


def _doubled_ends(text: str) -> Findings:
    """Any character doubled where the second stands alone and what stands there was never seen in official prose, but
    ends a word or was seen with one of the two. On 350,000 characters kept apart it spoke four times, wrongly once."""
    for match in _TWO.finditer(text):
        run, at = run_around(text, match.start())
        lone = any(begin == at + 1 and end == at + 2 for begin, end in cut(run))
        if lone and not may_name(match[1]) and _is_never_so(run, at):
            yield made("repeat", text, match.start(), match.end(), match[1])


def _is_never_so(run: str, at: int) -> bool:
    before, letter, after = run[max(0, at - _AROUND) : at], run[at], run[at + 2 : at + 2 + _AROUND]
    if letter in (before[-1:], after[:1]) or is_doubled(letter):
        return False
    as_it_stands = (before[-1:] + letter * 2, letter * 2 + after[:1])
    mended = (before[-1:] + letter + after[:1], before + letter, letter + after)
    if any(map(evidence.is_seen, as_it_stands)):
        return False
    ends_a_word = all(begin != at or end != at + 1 for begin, end in cut(run))
    return ends_a_word or any(map(evidence.is_seen, mended))


# Lost characters


@cache
def _lost() -> tuple[tuple[re.Pattern[str], str, str], ...]:
    """(pattern, what it should be, two characters without which it cannot be there)."""
    return tuple(_loss(*line.split()) for line in lines("losses.txt"))


def _loss(wrong: str, right: str, *conditions: str) -> tuple[re.Pattern[str], str, str]:
    around = {"before": "", "after": ""}
    for condition in conditions:
        sign = next(sign for sign in _BESIDE if condition.startswith(sign))
        where, shape = _BESIDE[sign]
        around[where] += shape.format(condition.removeprefix(sign))
    pattern = re.compile(f"{around['before']}({wrong}){around['after']}")
    return pattern, right, re.sub(r"[^\u4e00-\u9fff].*", "", wrong)[:2]


_BESIDE = {
    "!<": ("before", "(?<!{})"), "!>": ("after", "(?!{})"), "<": ("before", "(?<={})"), ">": ("after", "(?={})"),
}  # fmt: skip


def _losses(text: str) -> Findings:
    for pattern, right, head in _lost():
        if head and head not in text:
            continue
        for match in pattern.finditer(text):
            yield made("missing", text, match.start(), match.end(), right)
