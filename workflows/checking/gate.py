"""What the check says about texts that are to go out, and what of it blocks.

A red line blocks until the text is changed, or until somebody with the right, who did not write it, lets exactly these
findings of exactly this content pass, with a reason. Errors want a tick, hints nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from hub.db import Unit
from hub.i18n import _
from nlp.checking import MARKS, Finding, Severity, check
from workflows.checking import words
from workflows.checking.policy import policy_of


@dataclass(frozen=True, slots=True)
class Told:
    """A finding in the reader's words. ``key`` names it among those that were let pass: rule and text. ``more``: the
    other places it speaks of, as (start, end, what stands there, what to write)."""

    rule: str
    group: str
    group_label: str
    severity: str
    label: str
    tone: str
    start: int
    end: int
    found: str
    suggestions: tuple[str, ...]
    why: str
    source: str
    more: tuple[tuple[int, int, str, str], ...] = ()

    @property
    def key(self) -> str:
        """What stays the same when the rest of the text moves."""
        return f"{self.rule}:{self.found}"

    @property
    def is_red(self) -> bool:
        """Whether it blocks."""
        return self.severity == Severity.red

    @property
    def is_hint(self) -> bool:
        """Whether it is only worth a look."""
        return self.severity == Severity.hint

    @property
    def sentence(self) -> str:
        """For places that show no text: kind and reason."""
        return _("%(kind)s：%(why)s", kind=self.label, why=self.why)


async def judge(unit: Unit, texts: Iterable[str], department_id: int | None = None) -> list[list[Told]]:
    """Findings per text, in reading order, by the lists that hold in this department (none: the whole office's) as they
    stand now."""
    policy = await policy_of(unit, department_id)
    wanted = list(texts)
    # In a thread: the first check of a process reads the lists for a second, and other requests go on meanwhile.
    found = await asyncio.to_thread(lambda: [check(text, policy) for text in wanted])
    return [gathered([tell(finding) for finding in one]) for one in found]


def gathered(found: Sequence[Told]) -> list[Told]:
    """Half-width marks as one finding, at the first of them: so many in some texts that they hide what matters."""
    marks = [told for told in found if told.rule == MARKS]
    if len(marks) < 2:
        return list(found)
    more = tuple((told.start, told.end, told.found, told.suggestions[0]) for told in marks[1:])
    why = _("中文里有 %(n)s 处半角标点", n=len(marks))
    return [replace(told, why=why, more=more) if told is marks[0] else told for told in found if told not in marks[1:]]


def tell(finding: Finding) -> Told:
    """A finding in the language in force."""
    return Told(
        rule=finding.rule, group=finding.group, group_label=words.group_label(finding.group),
        severity=finding.severity.value, label=words.severity_label(finding.severity),
        tone=words.TONES[finding.severity], start=finding.start, end=finding.end, found=finding.found,
        suggestions=finding.suggestions, why=words.why(finding), source=_(finding.source),
    )  # fmt: skip


def red_lines(findings: Iterable[Told], passed: Collection[str] = ()) -> list[Told]:
    """The findings that block: red, and not among the ``keys`` that were let pass."""
    seen: dict[str, Told] = {}
    for finding in findings:
        if finding.is_red and finding.key not in passed:
            seen.setdefault(finding.key, finding)
    return list(seen.values())


def blocking(lines: Sequence[Told]) -> list[str]:
    """Why not, for the person who hands it in."""
    return [_("%(why)s。属红线，须修改；确属误报的，由有放行权限的人写明理由放行", why=line.why) for line in lines]
