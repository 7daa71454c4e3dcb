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
    ``fixes``: (word, value of the button); ``others``: numbers of further places it speaks of, mended with it."""

    number: int
    told: Told
    excerpt: Markup
    fixes: Sequence[tuple[str, str]]
    ignore: str
    others: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Spot:
    """One marked place of a text, and the finding that speaks of it."""

    start: int
    end: int
    found: str
    right: str
    told: Told


@dataclass(frozen=True, slots=True)
class Proof:
    """One text of a form. ``field``: its name there; ``places``: what scripts mark, as JSON, in UTF-16 units."""

    field: str
    name: str
    lines: Sequence[Line]
    places: str


def proof(field: str, name: str, text: str, findings: Sequence[Told]) -> Proof:
    """The findings of one text of a form, red lines on top."""
    spots = _spots(findings)
    lines = [_line(field, text, told, spots) for told in findings]
    lines.sort(key=lambda line: not line.told.is_red)
    return Proof(field, name, lines, json.dumps(_places(text, spots)))


def _spots(findings: Sequence[Told]) -> list[Spot]:
    """Every place that is marked, in reading order."""
    first = [
        Spot(told.start, told.end, told.found, told.suggestions[0] if told.suggestions else "", told)
        for told in findings
    ]
    more = [Spot(*place, told) for told in findings for place in told.more]
    return sorted([*first, *more], key=lambda spot: spot.start)


def _line(field: str, text: str, told: Told, spots: Sequence[Spot]) -> Line:
    number, *others = [number for number, spot in enumerate(spots) if spot.told is told]
    if others:
        places = [[spot.start, spot.end, spot.found, spot.right] for spot in spots if spot.told is told]
        fixes = [(_("全角，共 %(n)s 处", n=len(places)), json.dumps([field, places], ensure_ascii=False))]
    else:
        fixes = [
            (right, json.dumps([field, told.start, told.end, told.found, right], ensure_ascii=False))
            for right in told.suggestions
        ]
    ignored = json.dumps([told.group, told.found], ensure_ascii=False)
    return Line(number, told, _excerpt(text, told), fixes, ignored, others)


def _excerpt(text: str, told: Told) -> Markup:
    before, after = text[max(0, told.start - AROUND) : told.start], text[told.end : told.end + AROUND]
    lead = "…" if told.start > AROUND else ""
    trail = "…" if told.end + AROUND < len(text) else ""
    mark = Markup('{}{}<mark class="find-mark tone-{}">{}</mark>{}{}')
    return mark.format(lead, before.rpartition("\n")[2], told.tone, told.found, after.partition("\n")[0], trail)


def _places(text: str, spots: Sequence[Spot]) -> list[dict[str, object]]:
    """Scripts count in UTF-16 units; one pass over the text for all places."""
    units, at, found = 0, 0, []
    for spot in spots:
        units += _units(text[at : spot.start])
        start = units
        units += _units(text[spot.start : spot.end])
        at = spot.end
        place = {"start": start, "end": units, "tone": spot.told.tone, "found": spot.found, "right": spot.right}
        found.append(place)
    return found


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def marked(text: str, findings: Sequence[Told]) -> Markup:
    """The whole text with everything found marked; escaped."""
    parts, at = [], 0
    for spot in _spots(findings):
        told = spot.told
        mark = Markup('<mark class="find-mark tone-{}" title="{}">{}</mark>').format(told.tone, told.why, spot.found)
        parts += [escape(text[at : spot.start]), mark]
        at = spot.end
    return Markup("").join([*parts, escape(text[at:])])


@dataclass(frozen=True, slots=True)
class Fix:
    """What the button of a suggestion sends. ``places``: (start, end, what stands there, what to write)."""

    field: str
    places: Sequence[tuple[int, int, str, str]]

    def apply(self, text: str) -> str:
        """The text mended, from its end; what is no longer there is left alone."""
        for start, end, found, right in sorted(self.places, reverse=True):
            if text[start:end] == found:
                text = text[:start] + right + text[end:]
            elif len(self.places) == 1 and found and (at := text.find(found)) >= 0:
                text = text[:at] + right + text[at + len(found) :]
        return text


def read_fix(value: str) -> Fix:
    """From a button's value; Invalid for what no button of ours sends."""
    given = _read(value)
    match given:
        case [str(field), int(start), int(end), str(found), str(right)] if 0 <= start <= end:
            return Fix(field, [(start, end, found, right)])
        case [str(field), list(places)] if len(places) <= MOST_PLACES and all(map(_is_place, places)):
            return Fix(field, [(start, end, found, right) for start, end, found, right in places])
    raise Invalid({"fix": _("看不懂要改哪里，请手工修改。")})


MOST_PLACES = 1000


def _is_place(value: object) -> bool:
    match value:
        case [int(start), int(end), str(), str()]:
            return 0 <= start <= end
    return False


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
