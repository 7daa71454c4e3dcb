"""Checking the lines of a file, one text a line; needs no database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nlp.checking import Policy, check
from workflows.checking.gate import Told, tell
from workflows.checking.policy import policy_from, today
from workflows.checking.sheets import read_csv


def policy_in(path: Path | None) -> Policy:
    """The office's lists from a file as its page exports them; Invalid with every line that cannot be read."""
    if path is None:
        return today(Policy())
    entries = read_csv(path.read_bytes())
    return today(policy_from((entry.kind.value, entry.word, entry.other, entry.severity) for entry in entries))


def check_lines(source: Path, policy: Policy) -> Iterator[tuple[int, str, list[Told]]]:
    """(number from 1, text, findings) of every line, empty ones included; read as it goes. Bytes that are no UTF-8 are
    replaced."""
    with source.open(encoding="utf-8-sig", errors="replace", newline="\n") as lines:
        for number, line in enumerate(lines, 1):
            text = line.rstrip("\r\n")
            yield number, text, [tell(finding) for finding in check(text, policy)]


def as_plain(told: Told) -> dict[str, Any]:
    """A finding as it goes to other programs: position in code points of the line."""
    return {
        "rule": told.rule, "severity": told.severity, "start": told.start, "end": told.end, "found": told.found,
        "suggestions": list(told.suggestions), "why": told.why, "source": told.source,
    }  # fmt: skip
