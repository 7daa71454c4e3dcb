"""What a plan means and why one cannot be read, in words for people."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hub.i18n import N_, _, listed
from nlp.barred import silenced
from nlp.plans import DEEPEST, LONGEST_WORD, MOST_CHARACTERS, MOST_WORDS, All, BadRule, Not, Rule, Some, Trouble, Word

# The classes of the simple mode in the order people fill them in; a message must hold a word of every class with words.
CLASSES: dict[str, str] = {
    "place": N_("地域词"),
    "subject": N_("主体词"),
    "person": N_("人物词"),
    "event": N_("事件词"),
}
STOP = N_("屏蔽词")

_TROUBLES: dict[Trouble, str] = {
    Trouble.empty: N_("请写至少一个词"),
    Trouble.too_long: N_("表达式太长，最多 %(most)s 个字"),
    Trouble.too_many_words: N_("词太多，最多 %(most)s 个"),
    Trouble.too_deep: N_("括号套得太深，最多 %(most)s 层"),
    Trouble.long_word: N_("「%(sign)s」太长，一个词最多 %(most)s 个字"),
    Trouble.strange_sign: N_("不能用「%(sign)s」。只有 + | ! ( ) 有含义；词里本来就有这个符号的，给词加上引号"),
    Trouble.list_mark: N_("不能用「%(sign)s」隔开。任选其一用 |，同时出现用 +"),
    Trouble.minus: N_("「%(sign)s」不表示排除。排除请用 !，例如 路灯+!广告"),
    Trouble.two_words: N_("「%(sign)s」和前面的词之间缺少 +（同时出现）或 |（任选其一）"),
    Trouble.word_expected: N_("「%(sign)s」旁边缺少一个词"),
    Trouble.sign_expected: N_("「%(sign)s」前面缺少 + 或 |"),
    Trouble.not_alone: N_("只有排除的部分会命中几乎所有留言，请再写一个必须出现的词，例如 路灯+!广告"),
    Trouble.unclosed: N_("这个左括号没有对应的右括号"),
    Trouble.unopened: N_("这个右括号没有对应的左括号"),
    Trouble.open_quote: N_("这个引号没有结束"),
    Trouble.no_word: N_("「%(sign)s」里没有可以比对的字"),
}
_MOST = {
    Trouble.too_long: MOST_CHARACTERS, Trouble.too_many_words: MOST_WORDS, Trouble.too_deep: DEEPEST,
    Trouble.long_word: LONGEST_WORD,
}  # fmt: skip
_SHOWN, _MOST_HINTS = 20, 5
_HAN = "[\u4e00-\u9fff]"
_FOREIGN = re.compile(rf"(?<!{_HAN}){_HAN}+[&＆/／]+{_HAN}+")
_QUOTED = re.compile('["“”＂][^"“”＂]*["“”＂]|「[^」]*」|『[^』]*』')


@dataclass(frozen=True, slots=True)
class Pointed:
    """The line of a rule with the part at fault apart."""

    before: str
    fault: str
    after: str


def trouble(bad: BadRule, text: str) -> str:
    """What is wrong and where: 第 3 列：…"""
    said = _(_TROUBLES[bad.trouble], sign=short(bad.sign), most=_MOST.get(bad.trouble, 0))
    if bad.trouble is Trouble.empty:
        return said
    line, column = bad.place(text)
    if "\n" in text.strip():
        return _("第 %(line)s 行第 %(column)s 列：%(what)s", line=line, column=column, what=said)
    return _("第 %(column)s 列：%(what)s", column=column, what=said)


def word_trouble(bad: BadRule) -> str:
    """The same for a word of its own, as in the classes of the simple mode."""
    return _(_TROUBLES[bad.trouble], sign=short(bad.sign), most=_MOST.get(bad.trouble, 0))


def short(sign: str) -> str:
    """A word as a sentence quotes it."""
    return sign if len(sign) <= _SHOWN else sign[: _SHOWN - 1] + "…"


def pointed(bad: BadRule, text: str) -> Pointed:
    """Where to look, in the person's own words."""
    begin = text.rfind("\n", 0, bad.start) + 1
    end = text.find("\n", bad.start)
    end = len(text) if end < 0 else end
    stop = max(min(bad.end, end), min(bad.start + 1, end))
    return Pointed(text[begin : bad.start][-60:], text[bad.start : stop][:60], text[stop:end][:60])


def silenced_hints(rule: Rule) -> list[str]:
    """What can never count in a rule, because what is left out stands in it."""
    found = [(short(asked.text), short(out.text)) for asked, out in silenced(rule)][:_MOST_HINTS]
    return [
        _("「%(word)s」里就有要排除的「%(stop)s」，写到它的留言都不会命中。", word=one, stop=out) for one, out in found
    ]


def sign_hints(text: str) -> list[str]:
    """Signs of other programs between Chinese words of a rule, which are letters here; in quotation marks they are
    meant."""
    found = dict.fromkeys(short(one[0]) for one in _FOREIGN.finditer(_QUOTED.sub(" ", text)))
    return [
        _("「%(word)s」会连同符号当成一个词来比对。同时出现用 +，任选其一用 |；本来就是一个词的，加上引号。", word=one)
        for one in list(found)[:_MOST_HINTS]
    ]


def explain(rule: Rule) -> str:
    """What the rule hits, as one sentence."""
    return _("命中标题或正文%(what)s的留言。", what=phrase(rule))


def phrase(rule: Rule) -> str:
    """What must stand in a message, as part of a sentence."""
    if isinstance(rule, Word):
        return _("出现%(word)s", word=_quoted(rule))
    if isinstance(rule, Not):
        return _without(rule.part)
    if isinstance(rule, All):
        return _("，并且").join(_inside(part) for part in rule.parts)
    return _("，或者").join(_alternatives(rule))


def _alternatives(rule: Some) -> list[str]:
    """Words of a group together, everything else one by one."""
    words = [part for part in rule.parts if isinstance(part, Word)]
    said = [_("出现%(words)s中的任意一个", words=listed(map(_quoted, words)))] if len(words) > 1 else []
    return said + [_inside(part) for part in rule.parts if len(words) < 2 or not isinstance(part, Word)]


def _without(rule: Rule) -> str:
    if isinstance(rule, Word):
        return _("不出现%(word)s", word=_quoted(rule))
    if isinstance(rule, Some) and (words := _words(rule)):
        return _("不出现%(words)s中的任何一个", words=words)
    return _("不符合〔%(what)s〕", what=phrase(rule))


def _inside(rule: Rule) -> str:
    """A part of a larger phrase: brackets where it would be read wrongly."""
    if isinstance(rule, All) or (isinstance(rule, Some) and not _words(rule)):
        return _("〔%(what)s〕", what=phrase(rule))
    return phrase(rule)


def _words(rule: Some) -> str:
    """The words of a group of nothing but words; empty for any other."""
    words = [part for part in rule.parts if isinstance(part, Word)]
    return listed(map(_quoted, words)) if len(words) == len(rule.parts) else ""


def _quoted(word: Word) -> str:
    return _("「%(name)s」", name=word.text)


def class_label(name: str) -> str:
    """地域词 … 屏蔽词."""
    return _(CLASSES.get(name, STOP))


def class_labels() -> Sequence[tuple[str, str]]:
    """(name, word) of every class."""
    return [(name, _(word)) for name, word in CLASSES.items()]
