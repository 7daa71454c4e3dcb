"""Nothing shown to people is a bare code."""

from __future__ import annotations

import re
from pathlib import Path

from hub.models import Role
from hub.people.words import ROLE_WORDS
from hub.rights import Actor, rights_of
from web.auditwords import WORDS, deeds
from web.routes import all_places
from web.routes.home import FIRST, first_place

ROOT = Path(__file__).resolve().parents[2]
_RECORDED = re.compile(r"record\(\s*unit,\s*.+?,\s*(f?\"[^\"]+\"(?: if [^,]+? else \"[^\"]+\")?|what)\s*[,)]", re.S)


def test_every_deed_of_the_audit_log_has_words() -> None:
    found = {
        code
        for room in ("hub", "workflows", "web")
        for path in (ROOT / room).rglob("*.py")
        for given in _RECORDED.findall(path.read_text(encoding="utf-8"))
        for code in re.findall(r"(?<!f)\"([^\"{]+)\"", given)
    }
    assert len(found) > 25, "the pattern finds the calls"
    assert not found - set(WORDS), "add words to web/auditwords.py"


def test_the_deeds_to_choose_from_stand_in_parts_and_none_is_left_out() -> None:
    parts = deeds()
    assert sorted(code for _part, those in parts for code, _words in those) == sorted(WORDS)
    named = {code: part for part, those in parts for code, _words in those}
    assert (named["case.dispatch"], named["sending.pause"], named["audit.verify"]) == ("工单", "稿件和发送", "其他")
    assert [code for code, part in named.items() if part == "其他"] == ["audit.verify"], "each has a part of its own"


def test_every_role_has_words_and_a_first_place() -> None:
    assert set(ROLE_WORDS) == set(Role) == set(FIRST)
    places = list(all_places())
    keys = {place.key for place in places}
    for role, wanted in FIRST.items():
        assert set(wanted) <= keys, f"{role}: no such place"
        someone = Actor(1, "甲", 1, "/1/", frozenset({role}), rights_of([role]))
        mine = [place for place in places if place.shown_to(someone)]
        assert first_place(someone, mine) == {place.key: place.href for place in mine}[wanted[0]]


def test_letters_and_places_are_told_apart() -> None:
    letters = [place.letter for place in all_places() if place.letter]
    assert len(letters) == len(set(letters)), sorted(letters)
    assert len({place.key for place in all_places()}) == len(all_places())
