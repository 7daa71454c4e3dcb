"""The plain data of the language room: what goes in, what comes out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """One text to analyse; ``title`` may be empty."""

    body: str
    title: str = ""

    @property
    def whole(self) -> str:
        """Title, line break, body; the body alone without a title. Offsets of places and personal data count here."""
        return f"{self.title}\n{self.body}" if self.title else self.body


@dataclass(frozen=True, slots=True)
class Label:
    """One label with a calibrated probability in 0..1, the runner-up, and the words that moved it."""

    value: str
    p: float
    second: str = ""
    p_second: float = 0.0
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A place named in the text. ``level``: province | city | district | street | spot; ``name`` as in the gazetteer."""  # noqa: E501

    name: str
    level: str
    start: int
    end: int
    code: str = ""
    ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class Personal:
    """Personal data in the *original* text, [start, end). ``kind``: phone | id_card | bank_card | plate | email."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything one pass says about one text. Empty text: neutral, topic "", nothing found.

    ``topic``: one of ``nlp.TOPICS`` (7 classes of government matters) or "" when there is nothing to go by.
    ``sentiment``: negative | neutral | positive.  ``request``: 咨询 | 求助 | 投诉 | 举报 | 建议 | 表扬 or "".
    ``urgency``: "" or a cue word class (danger | outage | crowd | deadline).
    ``tokens``: words *and* character bigrams separated by one space, lower case, for the full-text index.
    """

    topic: Label
    sentiment: Label
    sensitive: bool
    sensitive_words: tuple[str, ...]
    request: str
    urgency: str
    urgency_words: tuple[str, ...]
    keywords: tuple[str, ...]
    places: tuple[Place, ...]
    personal: tuple[Personal, ...]
    tokens: str
    version: str
