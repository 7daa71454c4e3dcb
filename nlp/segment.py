"""Cut text into words: jieba always, rjieba behind the same interface where it is installed.

Both are given only runs of Han characters, letters and digits (everything else is a blank), because that is
where they agree; both get the same government dictionary with the same frequencies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from nlp import quiet

LEXICONS = ("departments", "platforms", "government")


class Segmenter(Protocol):
    """Cuts one prepared text; the pieces joined together are the text again."""

    name: str

    def cut(self, text: str) -> list[str]:
        """The pieces of a text."""
        ...

    def knows(self, word: str) -> bool:
        """Is it a word of the dictionary, not one guessed from its surroundings?"""
        ...


class JiebaSegmenter:
    """The required engine: an own jieba tokenizer, so that nobody else's dictionary is touched."""

    name = "jieba"

    def __init__(self, words: Iterable[tuple[str, int]] = (), cache_dir: Path | None = None) -> None:
        self._jieba = quiet.load_jieba().Tokenizer()
        if cache_dir is not None:
            cache_dir.mkdir(parents=True, exist_ok=True)
            self._jieba.tmp_dir = str(cache_dir)
            self._jieba.initialize()
        else:  # no folder given: build in memory rather than trust a file in the shared temporary folder
            self._jieba.FREQ, self._jieba.total = self._jieba.gen_pfdict(self._jieba.get_dict_file())
            self._jieba.initialized = True
        for word, frequency in words:
            self._jieba.add_word(word, frequency)

    def cut(self, text: str) -> list[str]:
        """The pieces of a text."""
        pieces: list[str] = self._jieba.lcut(text)
        return pieces

    def knows(self, word: str) -> bool:
        """Is it a word of the dictionary?"""
        return bool(self._jieba.FREQ.get(word))


class RjiebaSegmenter:
    """The optional accelerator: the same dictionary and the same algorithm in Rust, about 25 times faster."""

    name = "rjieba"

    def __init__(self, words: Iterable[tuple[str, int]] = ()) -> None:
        import rjieba  # optional dependency, so not at the top

        self._jieba: Any = rjieba.Jieba()
        for word, frequency in words:
            self._jieba.add_word(word, frequency, "n")

    def cut(self, text: str) -> list[str]:
        """The pieces of a text."""
        pieces: list[str] = self._jieba.cut(text)
        return pieces

    def knows(self, word: str) -> bool:
        """Is it a word of the dictionary?"""
        return bool(self._jieba.has_word(word))


def fast_available() -> bool:
    """Is the accelerator installed?"""
    return find_spec("rjieba") is not None


@cache
def lexicon(name: str) -> tuple[tuple[str, int], ...]:
    """The entries of ``nlp/lexicons/NAME.txt``: a word and its frequency per line, ``#`` starts a comment."""
    lines = files("nlp").joinpath("lexicons", f"{name}.txt").read_text(encoding="utf-8").splitlines()
    rows = (line.split() for line in lines if line.strip() and not line.startswith("#"))
    return tuple((row[0], int(row[1]) if len(row) > 1 else 2000) for row in rows)


@cache
def word_lists(name: str) -> tuple[tuple[str, str], ...]:
    """(kind, word) pairs of ``nlp/lexicons/NAME.txt``: a kind and its words per line, ``#`` starts a comment."""
    lines = files("nlp").joinpath("lexicons", f"{name}.txt").read_text(encoding="utf-8").splitlines()
    rows = (line.split() for line in lines if line.strip() and not line.startswith("#"))
    return tuple((row[0], word) for row in rows for word in row[1:])


def make_segmenter(*, fast: bool | None = None, cache_dir: Path | None = None, extra: Sequence[str] = ()) -> Segmenter:
    """The best segmenter here. ``fast``: None takes rjieba when installed; True insists on it (ImportError)."""
    words = [entry for name in LEXICONS for entry in lexicon(name)]
    words += [(word, 20_000) for word in extra]
    if fast or (fast is None and fast_available()):
        return RjiebaSegmenter(words)
    return JiebaSegmenter(words, cache_dir)
