"""What tagging hands on."""

from __future__ import annotations

from dataclasses import dataclass

from hub.models import Message
from nlp.base import Analysis


@dataclass(frozen=True, slots=True)
class Tagged:
    """A message of the caller's unit, its tag columns already set, and the analysis they came from."""

    message: Message
    analysis: Analysis
