"""What the check found in an answer, as the draft box and the review show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from web.proof import Proof, proof
from workflows.checking.confirming import Finding


@dataclass(frozen=True, slots=True)
class Found:
    """``plain``: what is said of the answer as a whole; ``proof``: what stands in its text; ``blocking``: red lines.
    ``is_empty``: there is no text yet."""

    plain: Sequence[Finding]
    proof: Proof
    blocking: Sequence[Finding]
    is_empty: bool


def found_in(text: str, findings: Sequence[Finding]) -> Found:
    """Findings of ``text``, apart by where they are shown."""
    told = sorted((one.told for one in findings if one.told is not None), key=lambda told: told.start)
    return Found(
        plain=[one for one in findings if one.told is None],
        proof=proof("text", "", text, told),
        is_empty=not text.strip(),
        blocking=[one for one in findings if one.blocks and one.told is not None],
    )
