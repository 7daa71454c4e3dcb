"""Make texts from any platform comparable, and remember where every character came from.

Two forms of a text are made. The *clean* form is the original with full-width and compatibility forms folded
(NFKC, character by character), traditional characters simplified, and invisible or control characters dropped;
places and personal data are found in it and pointed back into the original. The *model* form is shorter still:
addresses gone, handles and emoticons one character each, long repeats cut, no white space, lower case.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

MODEL_CHARS = 20_000  # models look no further; a citizen's longest letter is about 10,000 characters

_ADDRESS = re.compile(r"(?:https?://|www\.)[A-Za-z0-9./?=&%_~:#+,;!$*()-]{1,2000}", re.IGNORECASE)
_HANDLE = re.compile(r"(?<![A-Za-z0-9])@[\w·-]{1,30}")
# Less than this behind a known name may belong to another one (栖澜交通广播), and is let go with it.
_LEAST_SAID, _SHORTEST_NAME = 4, 2
_EMOTICON = re.compile(r"\[([A-Za-z0-9\u4e00-\u9fa5]{1,8})\]")
_REPEAT = re.compile(r"(.)\1{3,}")
_BLANK = re.compile(r"\s+")
EMOTICON_FIRST, _EMOTICON_SPAN = 0xF0000, 0xFFF0  # a private plane: clean texts cannot hold one
LINK = 0x100000  # stands for an address


class _Fold(dict[int, str]):
    """Character -> what it becomes, filled as characters are met (str.translate asks for the missing ones)."""

    def __init__(self) -> None:
        super().__init__()
        self.odd: set[str] = set()  # characters that become none or several: offsets shift after them

    def __missing__(self, code: int) -> str:
        became = _fold_character(chr(code))
        self[code] = became
        if len(became) != 1:
            self.odd.add(chr(code))
        return became


def _fold_character(character: str) -> str:
    if character in "\n\t":
        return character
    if (
        unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
        or "\ufe00" <= character <= "\ufe0f"
    ):
        return "\n" if character in "\r\u2028\u2029" else ""
    simple = _simplified()
    return "".join(simple.get(part, part) for part in unicodedata.normalize("NFKC", character))


@cache
def _simplified() -> dict[str, str]:
    """Traditional -> simplified, one character each; characters that also stand for themselves are left alone."""
    spec = find_spec("opencc")
    if spec is None or not spec.submodule_search_locations:
        return {}
    table = Path(spec.submodule_search_locations[0]) / "dictionary" / "TSCharacters.txt"
    pairs = (line.split("\t") for line in table.read_text(encoding="utf-8").splitlines() if "\t" in line)
    return {old: new.split()[0] for old, new in pairs if old not in new.split() and len(new.split()[0]) == 1}


_FOLD = _Fold()


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The clean form of ``original``; ``span`` points back."""

    original: str
    text: str

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where ``text[start:end]`` (not empty) stands in the original."""
        if len(self.text) == len(self.original) and _FOLD.odd.isdisjoint(self.original):
            return start, end
        origin = _origins(self.original)
        return origin[start], origin[end - 1] + 1


def _origins(original: str) -> list[int]:
    origin: list[int] = []
    for index, character in enumerate(original):
        origin.extend([index] * len(_FOLD[ord(character)]))
    return origin


def clean(original: str) -> Cleaned:
    """Fold one text; any string is accepted, also lone surrogates and NULs."""
    return Cleaned(original, original.translate(_FOLD))


def model_form(text: str) -> str:
    """The form that models see, made from a clean text; at most MODEL_CHARS of it are looked at."""
    text = text[:MODEL_CHARS]
    if "://" in text or "www." in text or "WWW." in text:
        text = _ADDRESS.sub(chr(LINK), text)
    if "@" in text:
        text = _HANDLE.sub(lambda called: "@" + _said_behind(called), text)
    if "[" in text:
        text = _EMOTICON.sub(_emoticon, text)
    return _REPEAT.sub(r"\1\1\1", _BLANK.sub(" ", text).lower()).strip()


def know_accounts(names: Iterable[str]) -> None:
    """The office's own accounts, replacing those known to this process: their names end a call (@成都发布你好) where no
    blank does. Nothing else is read in another way."""
    folded = (clean(name).text.strip().lower() for name in names)
    _known[0] = frozenset(name for name in folded if len(name) >= _SHORTEST_NAME)


_known: list[frozenset[str]] = [frozenset()]


def _said_behind(called: re.Match[str]) -> str:
    """What follows the name of a known account without a blank, with one before it; nothing for any other name."""
    run, known = called[0][1:], _known[0]
    ends = range(len(run) - _LEAST_SAID, _SHORTEST_NAME - 1, -1) if known else ()
    return next((" " + run[end:] for end in ends if run[:end].lower() in known), "")


def without_mentions(text: str) -> str:
    """The clean form of what a writer says beside the names called (@栖澜发布); a text that calls none as it is."""
    if "@" not in text and "\uff20" not in text:
        return text
    return _HANDLE.sub(lambda called: _said_behind(called) or " ", clean(text).text)


def emoticons(text: str) -> dict[str, str]:
    """The emoticons of a clean text by the character that stands for each in the model form."""
    return {_emoticon(match): match[0] for match in _EMOTICON.finditer(text, 0, MODEL_CHARS)}


def _emoticon(match: re.Match[str]) -> str:
    return chr(EMOTICON_FIRST + zlib.crc32(match[1].encode()) % _EMOTICON_SPAN)
