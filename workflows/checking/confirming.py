"""What is told of a text before it is handed in, and the tick that says it was read.

The same rule for pages and programs: what blocks has to be changed, and what does not block and is no mere hint has to
be confirmed by naming exactly what was shown. What was found since then has to be shown and confirmed anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hub.errors import Refused
from hub.i18n import _
from workflows.checking.gate import Told


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. ``blocks``: must be changed; otherwise a person may confirm it by name. ``told``: where it
    stands in the text; only worth a look, and nothing to confirm, when it is a hint. ``field``: which text it is, by
    its name in forms; empty: none in particular. ``passed``: a red line that somebody let pass."""

    text: str
    blocks: bool
    told: Told | None = None
    field: str = "text"
    passed: bool = False

    @property
    def is_hint(self) -> bool:
        """Whether nobody has to confirm it."""
        return self.told is not None and self.told.is_hint

    @property
    def key(self) -> str:
        """What names it in a confirmation: the rule and the words it was found in, else its sentence."""
        return self.told.key if self.told else self.text


class Unfit(Refused):
    """It cannot go out as it stands. ``findings``: what in its texts blocks; the reasons hold more than these."""

    def __init__(self, reasons: Sequence[str], findings: Sequence[Finding] = ()) -> None:
        super().__init__(reasons)
        self.findings = list(findings)


class Unconfirmed(Refused):
    """Nothing blocks, but a person has to say that it is meant so. ``findings``: what to confirm; ``confirm``: what to
    send along when it was read."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__([_("%(what)s；如确认无误，请勾选确认后再送审", what=finding.text) for finding in findings])
        self.findings = list(findings)
        self.confirm = asked(findings)


def fingerprint(keys: Iterable[str]) -> str:
    """Names exactly these findings, wherever and however often they stand; empty when there are none."""
    told = sorted(set(keys))
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16] if told else ""


def to_confirm(findings: Iterable[Finding]) -> list[Finding]:
    """What wants a tick."""
    return [finding for finding in findings if not (finding.blocks or finding.is_hint or finding.passed)]


def asked(findings: Iterable[Finding]) -> str:
    """What to send along once these were read; empty: nothing to confirm."""
    return fingerprint(finding.key for finding in to_confirm(findings))


def settle(findings: Iterable[Finding], confirm: str) -> list[Finding]:
    """What was confirmed; :class:`Unconfirmed` unless ``confirm`` names exactly what there is to confirm."""
    open_ = to_confirm(findings)
    if confirm != asked(open_) and open_:
        raise Unconfirmed(open_)
    return open_
