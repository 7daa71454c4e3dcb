"""Checking the lines of a file, one text a line; needs no database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hub.i18n import _, number
from nlp.checking import LONGEST, Policy, Severity, check
from workflows.checking import words
from workflows.checking.gate import Told, tell
from workflows.checking.policy import policy_from, today
from workflows.checking.sheets import read_csv
from workflows.language.lines import Line, lines

# Not a rule: something was not looked at.
UNSEEN = "unseen"


def policy_in(path: Path | None) -> Policy:
    """The office's lists from a file as its page exports them; Invalid with every line that cannot be read."""
    if path is None:
        return today(Policy())
    entries = read_csv(path.read_bytes())
    return today(policy_from((entry.kind.value, entry.word, entry.other, entry.severity) for entry in entries))


def check_lines(source: Path, policy: Policy) -> Iterator[tuple[Line, list[Told]]]:
    """Every line with its findings, empty ones included; read as it goes. What of a line could not be looked at stands
    among its findings as :data:`UNSEEN`, so that nobody takes it for checked. Refused for a workbook, or for another
    encoding that a file says of itself."""
    for line in lines(source):
        yield line, [*_unseen(line), *(tell(finding) for finding in check(line.text, policy))]


def _unseen(line: Line) -> Iterator[Told]:
    if not line.is_whole:
        at = line.text.index("\ufffd")
        yield _not_looked_at(at, at + 1, "\ufffd", _("这一行有读不出的字，不是 UTF-8 编码，没有查全"))
    if len(line.text) > LONGEST:
        yield _not_looked_at(LONGEST, len(line.text), "", _("这一行太长，只查了前 %(n)s 字", n=number(LONGEST)))


def _not_looked_at(start: int, end: int, found: str, why: str) -> Told:
    label, tone = words.severity_label(Severity.error), words.TONES[Severity.error]
    return Told(UNSEEN, UNSEEN, "", Severity.error.value, label, tone, start, end, found, (), why, "")


def as_plain(told: Told) -> dict[str, Any]:
    """A finding as it goes to other programs: position in code points of the line."""
    return {
        "rule": told.rule, "severity": told.severity, "start": told.start, "end": told.end, "found": told.found,
        "suggestions": list(told.suggestions), "why": told.why, "source": told.source,
    }  # fmt: skip
