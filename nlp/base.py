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
    """A place named in the text. ``level``: province | city | district | street | spot; ``name`` as in the gazetteer.

    ``code``: six digits (GB/T 2260), "" where none is known or several places bear the name and the text does not tell
    which (then ``ambiguous``). ``within``: the regions around it as one name (湖南省长沙市), by its code or because
    they stand right before it."""

    name: str
    level: str
    start: int
    end: int
    code: str = ""
    ambiguous: bool = False
    within: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """A department or a person named in the text, [start, end) of the original. ``role``: a person's title."""

    name: str
    start: int
    end: int
    role: str = ""


@dataclass(frozen=True, slots=True)
class When:
    """A time named in the text, [start, end) of the original. ``kind``: date | clock | span | length | relative.

    ``value`` follows ISO 8601 as far as the text tells: 2020-01-06, 2020-01, --01-06, T09:30, P3D; "" for relative ones
    (昨天), because the text does not know its own day. ``until``: the end of a span."""

    kind: str
    start: int
    end: int
    value: str = ""
    until: str = ""


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
    ``urgent``: the class with its odds and words, ``flagged``: "sensitive" or "" with its odds and words; both from a
    short table judged by hand, see ``nlp.alarms``. ``urgency``, ``sensitive`` and their words are their values.
    ``asked``: the request with its probability and words; ``request`` is its value.
    ``emotion``: angry | fear | happy | neutral | sad | surprise, in keeping with the sentiment.
    ``subtopic``: the second level of the taxonomy under ``topic``, "" unless sure.
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
    emotion: Label = Label("", 0.0)
    asked: Label = Label("", 0.0)
    urgent: Label = Label("", 0.0)
    flagged: Label = Label("", 0.0)
    subtopic: Label = Label("", 0.0)
    departments: tuple[Named, ...] = ()
    persons: tuple[Named, ...] = ()
    times: tuple[When, ...] = ()
