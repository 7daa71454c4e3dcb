"""The check of texts: time for 2,000 characters with an office's lists of a thousand entries, and for hostile text."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure
from nlp.checking import Phrase, Policy, Word, check

SENTENCES = Path(__file__).parents[1] / "tests" / "nlp" / "checking" / "sentences.tsv"
CHARACTERS, MARK_MS, HOSTILE, MARK_HOSTILE_MS = 2000, 20.0, 1_000_000, 1000.0
MARK = re.compile(r"\{([^|{}]*)\|[^|{}]*\}")


def run() -> Iterator[Figure]:
    """Median over texts of 2,000 characters made from the four hundred sentences, mistakes included."""
    texts, policy = _texts(), _policy()
    check(texts[0], policy)
    times = [_timed(text, policy) for _round in range(5) for text in texts]
    middle, worst = statistics.median(times), max(times)
    yield Figure("check_2000_characters", round(middle, 2), "ms", MARK_MS, round(middle / MARK_MS, 2),
                 f"processor time, median; worst {worst:.1f} ms; lists of 1,000 entries; mark: at most")  # fmt: skip
    hostile = max(_timed(sign * HOSTILE, policy) for sign in ("的", "，", "1", "（", "a@", "创新、", "研究"))
    yield Figure("check_hostile_megabyte", round(hostile, 1), "ms", MARK_HOSTILE_MS,
                 round(hostile / MARK_HOSTILE_MS, 2), "worst of seven repeated signs; mark: at most")  # fmt: skip


def _timed(text: str, policy: Policy) -> float:
    begun = time.process_time()
    check(text, policy)
    return (time.process_time() - begun) * 1000


def _texts() -> list[str]:
    lines = SENTENCES.read_text(encoding="utf-8").splitlines()
    whole = "".join(MARK.sub(r"\1", line.split("\t")[1]) for line in lines if line and not line.startswith("#"))
    return [whole[at : at + CHARACTERS] for at in range(0, len(whole) - CHARACTERS, CHARACTERS)]


def _policy() -> Policy:
    """A thousand entries as a large office may have them."""
    surnames, given = "赵钱孙李周吴郑王冯陈", "国安文博静宜明远素华"
    names = [f"{one}{two}{three}" for one in surnames for two in given for three in given[:2]]
    return Policy(
        titles=tuple((name, ("副局长", "党组成员")) for name in names),
        orders=(tuple(names[:40]),),
        phrases=tuple(Phrase(f"第{number}项重点民生实事工程") for number in range(200)),
        prohibited=tuple(Word(f"禁用词{number}") for number in range(400)),
        advertising=tuple(Word(f"广告词{number}") for number in range(200)),
    )
