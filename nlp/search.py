"""Words for the full-text index and for looking into it."""

from __future__ import annotations

import itertools
import re
from operator import add

from nlp.clean import clean

_INDEX_CHARS = 60_000
_RUN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002fa1f]+|[a-z0-9]{1,64}")
_HAN_FIRST = "\u3400"
_PRIVATE = "\U000f0000"  # emoticons in their model form begin here


def tokens(text: str, words: list[str]) -> str:
    """Words, then character pairs of Han runs, then Latin words and numbers; lower case, each once, order kept.

    ``text`` is a clean text, ``words`` are its words in lower case."""
    found = list(words)
    if max(found, default="") >= _PRIVATE:
        found = [word for word in found if word < _PRIVATE]
    for run in _RUN.findall(text[:_INDEX_CHARS].lower()):
        if run >= _HAN_FIRST and len(run) > 1:
            found.extend(map(add, run, run[1:]))
        else:
            found.append(run)
    return " ".join(dict.fromkeys(found))


def query_tokens(text: str) -> list[list[str]]:
    """What somebody typed into a search box, as groups: a document matches when it has every token of every group.

    One group per term (terms are parted by blanks or marks). A Han term of two characters or more becomes its
    character pairs, so a two-character word is found inside any longer one; a single character matches only where
    it stands as a word. Nothing searchable: an empty list."""
    groups = []
    for run in _RUN.findall(clean(text[:200]).text.lower()):
        pairs = [a + b for a, b in itertools.pairwise(run)] if run >= _HAN_FIRST else []
        groups.append(list(dict.fromkeys(pairs)) or [run])
    return groups
