"""Characters written for others of the same sound or nearly the same shape, found where they make no word.

The text is cut into words by their frequencies. Where a lone character would make a common word together with its
neighbours if it were another of its sound, and the word is far likelier than the pieces, it is told. Names, and what
people write rightly though no dictionary holds it, are in ``known.txt``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import pairwise
from typing import NamedTuple

from nlp.checking.base import Findings, made
from nlp.checking.vocabulary import LONGEST, NO_WORD, dictionary, filling
from nlp.checking.words import lines

_RUN = re.compile("[\u4e00-\u9fff]{2,}")
# How many times likelier (natural logarithm) a word must be than what stands there, by its length; measured on a
# million characters of real replies.
_GAIN = {2: 7.7, 3: 8.5, 4: 7.5}
# Words of grammar stand alone rightly: these always, and those below in words of two.
_NEVER = frozenset("的了是在和与及等也都不我你您他她它们之而且")
_ALONE = frozenset(
    "的了是在和与及等也都就不有为对将从被把到要会能这那其该各我你您他她它们并或由因以于之所者而但则且向按经至"
)
# Places, bodies and their short forms: 县卫, 市业, 镇规 are no words and yet right.
_BODIES = frozenset("国省市县区镇乡村街路局委办院校站队所厅处科室股组站社厂矿店桥楼栋苑园城湖山江河岭冲坪坝屋号")
# Companies, estates and people are called so.
NAMELY = frozenset(
    "恒申嘉景盛鼎诚荣慧洋兴斌凌增莲宁源汇鑫玉华琴岛柏欣佳豪旭辰威楚湘赣皖粤闽浙苏沪鲁豫冀晋陕甘宁青藏川渝黔滇桂琼辽吉黑蒙京津港澳台"
    "伟杰军强明亮辉建平安康福禄寿喜祥瑞丽美芳芬英秀兰梅竹菊桂珍玲娟敏静婷婧雅雯颖洁琳莉莎娜燕霞云龙虎凤鹏飞翔宇轩浩泽涵航博文武斌彬森林"
    "星月阳光春夏秋冬东南西北尚品御名悦府邸湾海洋天地金银珠宝翠碧紫红黄蓝绿万千百通达利泰隆昌永久远长信义仁德智勤俭和谐友爱"
)
SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林郑谢罗梁宋唐许韩冯邓曹彭曾萧田董袁潘蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)


Cuts = Sequence[tuple[int, int]]


class Run(NamedTuple):
    """Chinese characters without anything between: where they begin in the text, the likeliest way to cut them, and how
    common each piece is (logarithm of its share)."""

    start: int
    letters: str
    cuts: Cuts
    chances: tuple[float, ...]


def find(text: str) -> Findings:
    """Every lone character that should most likely be another."""
    for run in runs(text):
        for start, end, right in (*_beside(run.letters, run.cuts), *_slips(run)):
            yield made("spelling", text, run.start + start, run.start + end, right)


def _beside(run: str, cuts: Cuts) -> Iterator[tuple[int, int, str]]:
    """Slips in words that always stand together: one of four characters is another one, and stands alone."""
    if len(run) < LONGEST:
        return
    by_head, by_tail = _by_halves()
    lone = {at for at, end in cuts if end - at == 1}
    edges = {at for at, _end in cuts} | {len(run)}
    pairs = [one + other for one, other in pairwise(run)]
    for at, (half, rest) in enumerate(zip(pairs, pairs[2:], strict=False)):
        if half in by_head and at + 4 in edges and _is_no_word(rest):
            for right in by_head[half]:
                if _one_off(rest, right[2:], at + 2, lone):
                    yield at, at + 4, right
        if rest in by_tail and at in edges and _is_no_word(half):
            for right in by_tail[rest]:
                if _one_off(half, right[:2], at, lone):
                    yield at, at + 4, right


def _is_no_word(pair: str) -> bool:
    return pair not in dictionary() and pair not in known()


def _one_off(stands: str, right: str, at: int, lone: set[int]) -> bool:
    """Whether the two differ in one character only, which stands alone where it stands."""
    differs = [place for place in (0, 1) if stands[place] != right[place]]
    if len(differs) != 1 or at + differs[0] not in lone:
        return False
    return right[differs[0]] in alike().get(stands[differs[0]], _NOBODY)


@cache
def _by_halves() -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """(first two characters → set words, last two → set words)."""
    words = dictionary()
    by_head: dict[str, tuple[str, ...]] = {}
    by_tail: dict[str, tuple[str, ...]] = {}
    for word in set_words():
        if word[:3] not in words and word[1:] not in words:
            by_head[word[:2]] = (*by_head.get(word[:2], ()), word)
            by_tail[word[2:]] = (*by_tail.get(word[2:], ()), word)
    return by_head, by_tail


def set_words() -> tuple[str, ...]:
    """Words of two that stand together in official prose, written as one."""
    return tuple(word for line in lines("set_words.txt") for word in line.split() if len(word) == LONGEST)


def _slips(run: Run) -> Iterator[tuple[int, int, str]]:
    """(start, end, what it should be), left to right, none overlapping another."""
    letters, done = run.letters, 0
    for number, (at, end) in enumerate(run.cuts):
        if end - at != 1 or at < done or letters[at] in _NEVER or letters[at] not in alike():
            continue
        best = _best(run, number)
        if best is not None and best[0] >= done:
            yield best
            done = best[1]


def _best(run: Run, lone: int) -> tuple[int, int, str] | None:
    """The likeliest other reading of the stretches around the lone piece of this number."""
    at = run.cuts[lone][0]
    like, found = alike()[run.letters[at]], None
    most = -math.inf
    for size, start, end, first, last in _stretches(run.cuts, lone):
        others = like.intersection(filling(run.letters[start:end], at - start))
        if not others or not _may_be_slip(run.letters, at, start, end):
            continue
        stands = sum(run.chances[first : last + 1])
        for other in sorted(others):
            right = run.letters[start:at] + other + run.letters[at + 1 : end]
            gain = dictionary().chance(right) - stands
            if gain >= _GAIN[size] and gain > most:
                most, found = gain, (start, end, right)
    return found


def _stretches(cuts: Cuts, lone: int) -> list[tuple[int, int, int, int, int]]:
    """(length, start, end, first and last piece) of all pieces together with the lone one that make two to four
    characters, the shortest first."""
    found = []
    for first in range(lone, max(-1, lone - LONGEST), -1):
        start = cuts[first][0]
        for last in range(lone, min(len(cuts), lone + LONGEST)):
            end = cuts[last][1]
            if end - start > LONGEST:
                break
            if end - start > 1:
                found.append((end - start, start, end, first, last))
    return sorted(found)


def _may_be_slip(run: str, at: int, start: int, end: int) -> bool:
    stands = run[start:end]
    if stands in dictionary() or (end - start < LONGEST and _is_short_form(run, at, start, end)):
        return False
    return known().isdisjoint(_pairs(stands))


_NOBODY: set[str] = set()


def _pairs(text: str) -> set[str]:
    return {text[at : at + 2] for at in range(len(text) - 1)}


def _is_short_form(run: str, at: int, start: int, end: int) -> bool:
    """Whether what stands there may be a name or a short form rather than a slip."""
    stands = run[start:end]
    if end - start == 2 and (not _ALONE.isdisjoint(stands) or not NAMELY.isdisjoint(stands)):
        return True
    return not _BODIES.isdisjoint(stands) or run[at] in NAMELY or _is_name(run, start, end)


def may_name(letter: str) -> bool:
    """Whether names of people, companies, places and bodies are made of it."""
    return letter in NAMELY or letter in SURNAMES or letter in _BODIES


def is_grammar(letter: str) -> bool:
    """Whether it stands alone rightly, as a word of grammar."""
    return letter in _NEVER or letter in _ALONE


def _is_name(run: str, start: int, end: int) -> bool:
    """Whether a surname stands at its head or right before it: 王建社, 张近东."""
    if run[start] in SURNAMES and end - start <= 3:
        return True
    return start > 0 and run[start - 1] in SURNAMES and (start < 2 or run[start - 2 : start] not in dictionary())


def run_around(text: str, at: int) -> tuple[str, int]:
    """The Chinese characters around a place, some to both sides, and where the place lies in them."""
    before, after = _LAST.search(text, max(0, at - _WINDOW), at), _FIRST.match(text, at, at + _WINDOW)
    assert before is not None
    assert after is not None
    return before[0] + after[0], len(before[0])


_WINDOW = 12  # characters to both sides: enough to cut what lies between rightly
_LAST, _FIRST = re.compile(f"[\u4e00-\u9fff]{{0,{_WINDOW}}}\\Z"), re.compile("[\u4e00-\u9fff]+")


@lru_cache(maxsize=2)
def runs(text: str) -> tuple[Run, ...]:
    """Every run of two Chinese characters and more. Those of the text read last are kept for the rule that asks for
    them again."""
    chances = dictionary().chances(text)
    return tuple(Run(one.start(), one[0], *_cut(chances, one.start(), one.end())) for one in _RUN.finditer(text))


@lru_cache(maxsize=512)
def cut(run: str) -> Cuts:
    """The likeliest way to cut Chinese characters into words; a few, so that they are kept (see :func:`run_around`)."""
    return _cut(dictionary().chances(run), 0, len(run))[0]


def _cut(chances: tuple[list[float], ...], start: int, end: int) -> tuple[Cuts, tuple[float, ...]]:
    """(first character, the one after the last) of each piece, counted from ``start``; and how common each is."""
    ones, *longer = chances
    none = -dictionary().total
    size = end - start
    sums, ends, pieces = [0.0] * (size + 1), [0] * size, [0.0] * size
    for at in range(size - 1, -1, -1):
        piece = ones[start + at]
        if piece == NO_WORD:
            piece = none
        best, to = piece + sums[at + 1], at + 1
        for until, of_length in enumerate(longer[: size - at - 1], at + 2):
            chance = of_length[start + at] + sums[until]
            if chance > best:
                best, to, piece = chance, until, of_length[start + at]
        sums[at], ends[at], pieces[at] = best, to, piece
    cuts, common, at = [], [], 0
    while at < size:
        cuts.append((at, ends[at]))
        common.append(pieces[at])
        at = ends[at]
    return tuple(cuts), tuple(common)


@cache
def known() -> frozenset[str]:
    """Two characters that stand side by side rightly, though no dictionary holds them."""
    return frozenset(pair for line in lines("pairs.txt") for pair in line.split())


NEAR_SOUNDS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ing", "in"), ("eng", "en"), ("ang", "an"))


@cache
def sounds() -> dict[str, tuple[str, ...]]:
    """Character → its sounds, without tones."""
    found: dict[str, tuple[str, ...]] = {}
    for line in lines("sounds.txt"):
        sound, characters = line.split()
        for character in characters:
            found[character] = (*found.get(character, ()), sound)
    return found


@cache
def alike() -> dict[str, set[str]]:
    """Character → characters of its sound, of a sound taken for it, or of its shape."""
    by_sound = dict(line.split() for line in lines("sounds.txt"))
    groups = [*by_sound.values()]
    for sound, characters in by_sound.items():
        for one, other in NEAR_SOUNDS:
            if one in sound and (near := by_sound.get(sound.replace(one, other, 1))):
                groups.append(characters + near)
    groups += [group for line in lines("shapes.txt") for group in line.split()]
    found: dict[str, set[str]] = {}
    for group in groups:
        for character in group:
            found.setdefault(character, set()).update(group.replace(character, ""))
    return found
