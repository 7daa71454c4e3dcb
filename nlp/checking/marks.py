"""Punctuation: marks doubled or side by side, pairs that do not close, half-width marks, hidden characters."""

from __future__ import annotations

import re

from nlp.checking.base import Finding, Findings, made

_HAN = "\u4e00-\u9fff"
# ！？ and …… and —— may stand together; 、， never do.
_REPEATED = re.compile("[，。、；：]{2,}|[！？][，、；：]|[，、；：][！？。]|(?<!？)！{4,}|？{4,}|。[！？]")
_DOTS = re.compile("。{3,}|(?<![.．])\\.{3,6}(?![.．])")
_WIDTHS = {",": "，", ";": "；", ":": "：", "!": "！", "?": "？", "(": "（", ")": "）", ".": "。"}
_HALF = re.compile(
    f"(?<=[{_HAN}》”’）\\u3011])[,;!?:](?=[{_HAN}《“‘（\\s]|$)|(?<=[{_HAN}》”’）%％])[,;](?=[0-9])|(?<=[0-9a-zA-Z%])[,;!?](?=[{_HAN}《“‘（])"
    f"|(?<=[{_HAN}])\\.(?=[{_HAN}\\s]|$)"
)
_BRACKETS = re.compile(f"\\(([^()（）\\n]{{0,60}}[{_HAN}][^()（）\\n]{{0,60}})\\)")
_QUOTES = re.compile('"([^"\\n]{1,80})"')
_OWN = "《“‘（【「『〔〈"  # marks of Chinese; the half-width ones are followed, but not judged
_PAIRS = {
    "(": ")",
    "[": "]",
    "《": "》",
    "“": "”",
    "‘": "’",
    "（": "）",
    "【": "】",
    "「": "」",
    "『": "』",
    "〔": "〕",
    "〈": "〉",
}
_CLOSERS = {close: open_ for open_, close in _PAIRS.items()}
_HALF_CLOSERS = ")]"
# What closes an opener: its own mark, or one that people mix with it.
_FITS = {
    **_PAIRS,
    "（": "）)]",
    "(": ")）",
    "[": "]〕】",
    "〔": "〕]",
    "【": "】]",
}
_ANY = re.compile("[()\\[\\]《》“”‘’（）【】「」『』〔〕〈〉]")
_HIDDEN = re.compile(
    "[\u200b\u2060\ufeff\u00ad\u202a-\u202e\u2066-\u2069]+|(?<=[\u4e00-\u9fff])[\u200c\u200d](?=[\u4e00-\u9fff])"
)
# A number and a full stop before a half-width mark is a list or an address, and a colon between digits is a time.
_DEEPEST = 200


def find(text: str) -> Findings:
    """Everything about marks."""
    for match in _REPEATED.finditer(text):
        yield made("mark.repeat", text, match.start(), match.end(), _kept(match[0]))
    for match in _DOTS.finditer(text):
        yield made("mark.repeat", text, match.start(), match.end(), "……")
    yield from _half_width(text)
    yield from _unpaired(text)
    for match in _HIDDEN.finditer(text):
        yield made("mark.hidden", text, match.start(), match.end(), "")


def _kept(marks: str) -> str:
    """The mark that stays of several: the strongest, else the first."""
    for mark in "？！":
        if mark in marks:
            return mark if len(set(marks)) > 1 or len(marks) < 4 else mark * 3
    return "。" if "。" in marks and marks[0] != "，" else marks[0] if len(set(marks)) == 1 else _stronger(marks)


def _stronger(marks: str) -> str:
    return next(mark for mark in "。；：，、" if mark in marks)


def _half_width(text: str) -> Findings:
    if text.isascii():
        return
    for match in _HALF.finditer(text):
        yield made("mark.width", text, match.start(), match.end(), _WIDTHS[match[0]])
    if "(" in text:
        for match in _BRACKETS.finditer(text):
            yield made("mark.width", text, match.start(), match.start() + 1, "（")
            yield made("mark.width", text, match.end() - 1, match.end(), "）")
    if '"' in text:
        for match in _QUOTES.finditer(text):
            if re.search(f"[{_HAN}]", match[1]):
                yield made("mark.width", text, match.start(), match.start() + 1, "“")
                yield made("mark.width", text, match.end() - 1, match.end(), "”")


def _unpaired(text: str) -> Findings:
    """Openers without their closer and the other way round, told apart by nesting. Quotations may run over several
    paragraphs, each opened anew, so a “ left open at the end of a paragraph that another “ follows is no mistake."""
    open_: list[tuple[str, int]] = []
    for match in _ANY.finditer(text):
        mark, at = match[0], match.start()
        if mark in _PAIRS:
            if mark == "“" and open_ and open_[-1][0] == "“" and "\n" in text[open_[-1][1] : at]:
                open_.pop()
            if len(open_) < _DEEPEST:
                open_.append((mark, at))
        else:
            yield from _closed(text, at, mark, open_)
    for kind, start in open_:
        if kind in _OWN:
            yield _open(text, kind, start)


def _closed(text: str, at: int, mark: str, open_: list[tuple[str, int]]) -> Findings:
    """A closer: of the last opener, of an earlier one (what lies between was never closed), or of none."""
    if open_ and mark in _FITS[open_[-1][0]]:
        kind, _start = open_.pop()
        if mark in _HALF_CLOSERS and kind in _OWN and mark == "]":
            yield made("mark.pair", text, at, at + 1, _PAIRS[kind], other=kind)
        return
    if any(mark in _FITS[kind] for kind, _start in open_):
        while mark not in _FITS[open_[-1][0]]:
            kind, start = open_.pop()
            if kind in _OWN:
                yield _open(text, kind, start)
        open_.pop()
    elif mark in _HALF_CLOSERS:
        return
    elif mark in "”’" and _closes_again(text, at, mark):  # ”…” for “…”
        yield made("mark.pair", text, at, at + 1, _CLOSERS[mark], other=_CLOSERS[mark])
        open_.append((_CLOSERS[mark], at))
    elif not _is_listing(text, at, mark):
        yield made("mark.pair", text, at, at + 1, other=_CLOSERS[mark])


def _closes_again(text: str, at: int, mark: str) -> bool:
    """Whether the same closer follows within a phrase, and no opener before it."""
    following = text[at + 1 : at + 31]
    other = following.find(mark)
    return other > 0 and _CLOSERS[mark] not in following[:other] and "\n" not in following[:other]


def _open(text: str, kind: str, start: int) -> Finding:
    return made("mark.pair", text, start, start + 1, other=_PAIRS[kind])


def _is_listing(text: str, at: int, mark: str) -> bool:
    """1）, a） and 一） number a list."""
    return mark == "）" and bool(
        re.search(r"(?:^|[\n\s。；，：、])[0-9一二三四五六七八九十a-zA-Z]{1,2}$", text[max(0, at - 3) : at])
    )
