"""Sources of a model's summary: those that are the matter's, those that are not, sentences without any."""

from __future__ import annotations

import pytest

from workflows.drafting.citing import Part, read

HERE = frozenset({3, 12})


def test_every_source_is_looked_up() -> None:
    found = read("楼道漏水[3]，物业说已修[99]。大家要求赔偿[3，12]。没有人受伤。", HERE)
    sources = [(part.message_id, part.is_here) for part in found.parts if part.message_id]
    assert sources == [(3, True), (99, False), (3, True), (12, True)]
    assert (found.bare, found.astray) == (1, 1)
    assert found.parts[0] == Part("楼道漏水")


@pytest.mark.parametrize(
    ("text", "bare", "astray"),
    [
        ("漏水。[3]停电！ [12]", 0, 0),
        ("漏水", 1, 0),
        ("[3]", 0, 0),
        ("", 0, 0),
        ("见[附件]和[2026年]。", 1, 0),
        ("数不清[" + "9" * 30 + "]。", 1, 0),
    ],
)
def test_odd_texts(text: str, bare: int, astray: int) -> None:
    found = read(text, HERE)
    assert (found.bare, found.astray) == (bare, astray)
