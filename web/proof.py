"""Findings of the check as pages show them: marked in the text, listed beneath it, mended by one click."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from hub.errors import Invalid
from hub.i18n import _
from workflows.checking.gate import Told

AROUND = 24  # characters shown before and after what was found


@dataclass(frozen=True, slots=True)
class Line:
    """One finding. ``number``: its place in reading order; ``excerpt``: its surroundings with the place marked;
    ``fixes``: (word, value of the button)."""

    number: int
    told: Told
    excerpt: Markup
    fixes: Sequence[tuple[str, str]]
    ignore: str


@dataclass(frozen=True, slots=True)
class Proof:
    """One text of a form. ``field``: its name there; ``places``: what scripts mark, as JSON, in UTF-16 units."""

    field: str
    name: str
    lines: Sequence[Line]
    places: str


def proof(field: str, name: str, text: str, findings: Sequence[Told]) -> Proof:
    """The findings of one text of a form, red lines on top."""
    lines = [_line(field, text, number, told) for number, told in enumerate(findings)]
    lines.sort(key=lambda line: not line.told.is_red)
    return Proof(field, name, lines, json.dumps(_places(text, findings)))


def _line(field: str, text: str, number: int, told: Told) -> Line:
    fixes = [
        (right, json.dumps([field, told.start, told.end, told.found, right], ensure_ascii=False))
        for right in told.suggestions
    ]
    return Line(number, told, _excerpt(text, told), fixes, json.dumps([told.group, told.found], ensure_ascii=False))


def _excerpt(text: str, told: Told) -> Markup:
    before, after = text[max(0, told.start - AROUND) : told.start], text[told.end : told.end + AROUND]
    lead = "…" if told.start > AROUND else ""
    trail = "…" if told.end + AROUND < len(text) else ""
    mark = Markup('{}{}<mark class="find-mark tone-{}">{}</mark>{}{}')
    return mark.format(lead, before.rpartition("\n")[2], told.tone, told.found, after.partition("\n")[0], trail)


def _places(text: str, findings: Sequence[Told]) -> list[dict[str, object]]:
    """Scripts count in UTF-16 units; one pass over the text for all places."""
    units, at, found = 0, 0, []
    for told in findings:
        units += _units(text[at : told.start])
        start = units
        units += _units(text[told.start : told.end])
        at = told.end
        found.append({"start": start, "end": units, "tone": told.tone, "found": told.found})
    return found


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def marked(text: str, findings: Sequence[Told]) -> Markup:
    """The whole text with everything found marked; escaped."""
    parts, at = [], 0
    for told in findings:
        mark = Markup('<mark class="find-mark tone-{}" title="{}">{}</mark>').format(told.tone, told.why, told.found)
        parts += [escape(text[at : told.start]), mark]
        at = told.end
    return Markup("").join([*parts, escape(text[at:])])


@dataclass(frozen=True, slots=True)
class Fix:
    """What the button of a suggestion sends."""

    field: str
    start: int
    end: int
    found: str
    right: str

    def apply(self, text: str) -> str:
        """The text mended; the same text when something else stands there by now."""
        if text[self.start : self.end] == self.found:
            return text[: self.start] + self.right + text[self.end :]
        at = text.find(self.found)
        return text[:at] + self.right + text[at + len(self.found) :] if at >= 0 and self.found else text


def read_fix(value: str) -> Fix:
    """From a button's value; Invalid for what no button of ours sends."""
    given = _read(value)
    match given:
        case [str(field), int(start), int(end), str(found), str(right)] if 0 <= start <= end:
            return Fix(field, start, end, found, right)
    raise Invalid({"fix": _("看不懂要改哪里，请手工修改。")})


def read_ignore(value: str) -> tuple[str, str]:
    """(group of the rule, text) from a button's value."""
    match _read(value):
        case [str(group), str(found)]:
            return group, found
    raise Invalid({"ignore": _("看不懂要忽略哪里，请到词表里添加。")})


def _read(value: str) -> object:
    try:
        return json.loads(value)
    except ValueError:
        return None
