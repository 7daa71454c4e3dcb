"""Text in, labels out: pure, versioned, batch first.

Importing this is cheap: numpy, jieba and the models are loaded by the first call that needs them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nlp.base import Analysis, Label, Personal, Place, Text

if TYPE_CHECKING:
    from nlp.checking import Finding, Policy
    from nlp.linear import LinearModel
    from nlp.pipeline import Analyser

    VERSION: str

TOPICS = ("城乡建设", "劳动和社会保障", "教育文体", "商贸旅游", "环境保护", "卫生计生", "交通运输")
SENTIMENTS = ("negative", "neutral", "positive")
EMOTIONS = ("angry", "fear", "happy", "neutral", "sad", "surprise")
GROUPS = {"negative": ("angry", "fear", "sad"), "neutral": ("neutral",), "positive": ("happy",)}  # surprise: of none
REQUESTS = ("举报", "投诉", "求助", "建议", "咨询", "表扬")  # on equal weight the graver one wins

_lock = threading.RLock()
_current: list[Analyser] = []


def configure(
    *,
    cache_dir: Path | None = None,
    places: Iterable[tuple[str, str, str]] = (),
    sensitive: Iterable[str] = (),
    fast: bool | None = None,
    engine: str = "linear",
) -> None:
    """Set up this process, replacing what was set before; safe to call again.

    ``cache_dir``: folder for jieba's cache (none: no cache, a slower first call). ``places``: the office's own places as
    (name, level, code), level as in ``Place``. ``sensitive``: words that flag a message here. ``fast``: None takes the
    rjieba accelerator when installed, False never, True insists (ImportError on the first call without it). ``engine``: who judges the tone, linear or classic
    (snownlp's Bayes class, taught on the same texts; for comparison). Raises ValueError for another engine."""  # noqa: E501
    from nlp.pipeline import Analyser, Setup

    if engine not in ("linear", "classic"):
        raise ValueError(engine)
    with _lock:
        _current[:] = [Analyser(Setup(cache_dir, tuple(places), tuple(sensitive), fast, engine))]


def teach(models: Mapping[str, LinearModel], mark: str) -> None:
    """Put these models in place of the shipped ones in this process, by name (topic, sentiment, request); none: the shipped ones.

    ``mark`` becomes part of ``VERSION``. Stays through ``configure``; a batch under way ends as it began."""  # noqa: E501
    from nlp.taught import Taught, taught

    taught[0] = Taught(dict(models), mark if models else "")


def know_accounts(names: Iterable[str]) -> None:
    """The names of the office's own accounts: a call of one (@成都发布) ends with its name, with or without a blank.

    In this process, replacing those known before; stays through ``configure``."""
    from nlp import clean

    clean.know_accounts(names)


def analyser() -> Analyser:
    """The analyser of this process, as last configured."""
    with _lock:
        if not _current:
            configure()
        return _current[0]


def analyse(texts: Sequence[Text | str]) -> list[Analysis]:
    """Analyse a batch, in order. Any string is accepted; the same text gets the same answer in any batch.

    Offsets in ``places`` and ``personal`` count in ``Text.whole`` (title, line break, body; or the body alone)."""
    return analyser().analyse(texts)


def mask(text: str, personal: Iterable[Personal] | None = None, *, fixed_lines: bool = True) -> str:
    """``text`` with personal data hidden (138****5678), its length kept. Without ``personal`` it is looked for here;
    given finds must have been made in this very string. ``fixed_lines`` False leaves telephone lines of buildings."""
    from nlp import personal as room

    return room.mask(text, personal, fixed_lines=fixed_lines)


def check(text: str, policy: Policy | None = None) -> list[Finding]:
    """What speaks against ``text`` going out, in reading order; positions in code points of ``text`` as given.
    ``policy``: what the office lays down; without it only the rules that hold everywhere."""
    from nlp import checking

    return checking.check(text, policy or checking.NOTHING_SET)


def query_tokens(text: str) -> list[list[str]]:
    """A search box's text as groups of tokens; a document matches when its ``tokens`` hold all of every group."""
    from nlp import search

    return search.query_tokens(text)


def __getattr__(name: str) -> str:
    if name == "VERSION":  # computed from the model files, so only when asked for
        from nlp.taught import taught

        return taught[0].version
    raise AttributeError(name)


__all__ = [
    "EMOTIONS",
    "GROUPS",
    "REQUESTS",
    "SENTIMENTS",
    "TOPICS",
    "VERSION",
    "Analysis",
    "Label",
    "Personal",
    "Place",
    "Text",
    "analyse",
    "analyser",
    "check",
    "configure",
    "mask",
    "query_tokens",
    "teach",
]
