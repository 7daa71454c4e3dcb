"""How much the cues of urgency and the sensitive words of a text are worth: their kind, their number, their place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SHORT = 150  # characters up to which a text is about what it names
BEGIN = 60  # of a text without a title: how far its beginning reaches
_SUPPOSED = re.compile(
    r"(?:一旦|万一|如果|假如|假设|要是|倘若|若是|若有|若|遇到|遇|怕|担心|(?<!随时)可能|容易|极易|易|迟早|以免|免得|否则|不然|不要酿成|难道"
    r"|会不会|是否|防|应急|避免)[^,。!?;\n]{0,5}$"
)
_HAZARD = re.compile(r"^[^,。!?;\n]{0,4}(?:隐患|风险|怎么办|后果|的可能|的危险|危险性|改造|改建|补助|补贴|补偿)")
# What happens in a story: in a film, a game, a book or a song (游戏里被打死, 战狼里的爆炸场面), or within its title
# (《生活大爆炸》). Only where the frame stands close by in the same clause. Real stay a place (小区里的起火画面), what
# was filmed (监控里), children at play (游戏中溺水), who was met or what was lost in a game, and papers
# (《火灾事故认定书》). Of 8,075 cues in 70,126 public letters and microblogs 13 change; looked at one by one, none of
# them told of a danger that was there.
_TOLD = re.compile(
    r"(?:(?:电影|影片|片子|电视剧|连续剧|(?<![惨悲闹喜丑加急])剧|动漫|动画片?|小说|漫画|手游|网游|综艺|歌)(?:里面?|中)|游戏里面?)的?"
    r"(?![^,。!?;\n]*(?:认识|网友|群友|骗|充|输|钱|花|买|人|让|教|学|后))[^,。!?;\n]{0,6}$"
)
_TELLING = re.compile(r"^的?[^,。!?;\n]{0,3}(?:剧情|情节|桥段|戏份|台词|歌词|特效)")
_SCENE_BEFORE = re.compile(
    r"(?<![区厂园校楼店场院村路库站车城馆家市县镇屋房河湖道桥街室堂频控像片图播闻群圈机那这哪其空])[里中]的$"
)
_SCENE = re.compile(r"^的?(?:场面|镜头|画面|戏)")
_LONGEST_TITLE = 10
_TITLE = re.compile(rf"《([^《》\n]{{1,{_LONGEST_TITLE}}})》")
_PAPER = re.compile(
    r"(?:书|函|法|报|信|令|案|条例|通知|通告|公告|公示|报告|决定|意见|办法|规定|规范|标准|合同|协议|请示|批复|纪要|细则|守则)$"
)

# By grade: how often the cue class is really there (now, or about to be); how often somebody on duty would want to see
# the message first. Judged by hand, by one person, on 147 and 96 letters to governments, chosen by chance among those
# of 7,058 with a cue (up to 11 of each class and grade, 24 of each grade); one right and one wrong added to each;
# grades of which few were there share a number. What they are not: they say nothing of a message without a cue (how
# many are missed nobody has counted), they are no calibration on a sample of your own, and microblogs were not judged.
URGENT = {
    "danger": (0.17, 0.17, 0.31, 0.73),
    "crowd": (0.24, 0.24, 0.24, 0.24),
    "outage": (0.54, 0.54, 0.69, 0.85),
    "deadline": (0.11, 0.11, 0.22, 0.22),
}
FLAGGED = (0.35, 0.50, 0.62, 0.85)


@dataclass(frozen=True, slots=True)
class Sign:
    """One word found: where, and whether the writer only supposes it (一旦发生火灾) or tells a story (游戏里被杀)."""

    word: str
    kind: str
    start: int
    is_supposed: bool


def is_supposed(text: str, start: int, end: int) -> bool:
    """Whether the words around say that it may come, not that it is there."""
    return bool(_SUPPOSED.search(text[max(0, start - 9) : start]) or _HAZARD.match(text[end : end + 8]))


def is_told(text: str, start: int, end: int) -> bool:
    """Whether the words around say that it happens in a story."""
    before, after = text[max(0, start - 14) : start], text[end : end + 8]
    is_scene = _SCENE_BEFORE.search(before) and _SCENE.match(after)
    return bool(is_scene or _TOLD.search(before) or _TELLING.match(after) or _is_in_title(text, start, end))


def _is_in_title(text: str, start: int, end: int) -> bool:
    around = _TITLE.finditer(text, max(0, start - _LONGEST_TITLE), end + _LONGEST_TITLE)
    title = next((one for one in around if one.start() < start and end < one.end()), None)
    return title is not None and not _PAPER.search(title[1])


def grade(signs: Sequence[Sign], title: str, length: int) -> int:
    """0: only supposed; else 1, and one more each for a second word, for a place in the title (or the beginning of a
    text without one), and for a text of at most ``SHORT`` characters; 3 is the most."""
    told = [sign for sign in signs if not sign.is_supposed]
    if not told:
        return 0
    ahead = len(title) or BEGIN
    several = len({sign.word for sign in told}) > 1
    return min(3, 1 + several + any(sign.start < ahead for sign in told) + (length <= SHORT))


def of_kind(signs: Iterable[Sign], kind: str) -> list[Sign]:
    """Only the signs of one kind, in reading order."""
    return [sign for sign in signs if sign.kind == kind]


def words(signs: Iterable[Sign]) -> tuple[str, ...]:
    """The words of signs, each once; those that are there before those only supposed."""
    ordered = sorted(signs, key=lambda sign: sign.is_supposed)
    return tuple(dict.fromkeys(sign.word for sign in ordered))
