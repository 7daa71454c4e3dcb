"""The check of texts before they go out: confused words, wrong places, dates and figures, personal data, and what the
office itself laid down. Pure: text and policy in, findings out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nlp.checking import context, dates, figures, grammar, idioms, links, marks, office, people, places, spelling, words
from nlp.checking.base import RULES, Finding, Phrase, Policy, Severity, Word

LONGEST = 50_000  # characters looked at: no post of the office is longer
LONGEST_SLIPS = 20_000  # of these, how far slips are looked for by what stands around them, which costs the most
MOST = 200  # findings told of one text, besides half-width marks, which are mended all at once
MOST_MARKS = 2_000
MARKS = "mark.width"
_ORDER = {Severity.red: 0, Severity.error: 1, Severity.hint: 2}
_SLIPS = (
    "confusion",
    "spelling",
    "context",
)  # ways to find the same: what one is not to tell, the others do not either
NOTHING_SET = Policy()


def check(text: str, policy: Policy = NOTHING_SET) -> list[Finding]:
    """Everything found in the first 50,000 characters, in reading order; positions in code points of ``text`` as given.
    At most 200, the gravest first kept, and 2,000 half-width marks. Findings never overlap: of two the office's own
    list wins, then the graver one, then the longer. Any string is accepted; the same text and policy always give the
    same findings."""
    looked_at = text[:LONGEST]
    found = _apart([finding for finding in _all(looked_at, policy) if not _left_alone(finding, policy)])
    marks_alone = [finding for finding in found if finding.rule == MARKS][:MOST_MARKS]
    gravest = sorted((one for one in found if one.rule != MARKS), key=lambda one: _ORDER[one.severity])[:MOST]
    return sorted([*gravest, *marks_alone], key=lambda finding: finding.start)


def _left_alone(finding: Finding, policy: Policy) -> bool:
    """Whether the office wants to hear nothing of it. A red line is not to be ignored with the rest."""
    names = {("", finding.found), (finding.group, finding.found)}
    if finding.group in _SLIPS:
        names |= {(group, finding.found) for group in _SLIPS}
    if finding.group in policy.off or not names.isdisjoint(policy.passed):
        return True
    return finding.severity is not Severity.red and not names.isdisjoint(policy.ignored)


def warm() -> None:
    """Read every list now (a second), rather than in the first check."""
    check("预热一下", NOTHING_SET)


def _all(text: str, policy: Policy) -> Iterator[Finding]:
    yield from office.find(text, policy)
    yield from people.find(text)
    yield from words.find(text)
    yield from places.find(text)
    yield from dates.find(text, policy.today)
    yield from figures.find(text)
    yield from links.find(text, policy)
    yield from grammar.find(text)
    yield from marks.find(text)
    yield from spelling.find(text)
    yield from idioms.find(text)
    yield from context.find(text[:LONGEST_SLIPS])


def _apart(found: Sequence[Finding]) -> list[Finding]:
    """Of overlapping findings the weightiest; earlier rooms win where all else is equal."""
    weights = sorted(
        enumerate(found),
        key=lambda item: (
            not office.shadowed(item[1]), _ORDER[item[1].severity], item[1].start - item[1].end, item[0],
        ),
    )  # fmt: skip
    taken = bytearray(LONGEST + 1)
    kept = []
    for _number, finding in weights:
        if not any(taken[finding.start : finding.end]):
            taken[finding.start : finding.end] = b"\1" * (finding.end - finding.start)
            kept.append(finding)
    return sorted(kept, key=lambda finding: finding.start)


__all__ = [
    "LONGEST",
    "MARKS",
    "NOTHING_SET",
    "RULES",
    "Finding",
    "Phrase",
    "Policy",
    "Severity",
    "Word",
    "check",
    "warm",
]
