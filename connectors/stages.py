"""Where a case stands, for the system its order came from, and which of it an account says it wants to hear. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from connectors.forms import listed_in

# The option of an account that names the stages.
STAGES = "stages"


class Stage(StrEnum):
    """What happened to the case; its answer goes by itself. returned: not taken up, back to whoever sent it."""

    accepted = "accepted"
    signed = "signed"
    transferred = "transferred"
    returned = "returned"
    closed = "closed"


# As offices call them, in the account's form.
STAGE_WORDS: dict[str, Stage] = {
    "受理": Stage.accepted, "签收": Stage.signed, "转办": Stage.transferred, "退单": Stage.returned,
    "办结": Stage.closed,
}  # fmt: skip
_WORDS = {stage: word for word, stage in STAGE_WORDS.items()}


def word_of(stage: Stage) -> str:
    """受理, 签收, 转办, 退单, 办结."""
    return _WORDS[stage]


def wanted(options: Mapping[str, Any]) -> frozenset[Stage]:
    """The stages an account with these options is told; none where nothing switches them on."""
    said = listed_in(str(options.get(STAGES) or ""))
    return frozenset(STAGE_WORDS[word] for word in said if word in STAGE_WORDS)
