"""Half-width marks are one finding a text and mended at once; what buttons send is read strictly."""

from __future__ import annotations

import json

import pytest

from hub.db import Context, reading
from hub.errors import Invalid
from web.proof import marked, proof, read_fix
from workflows.checking import judge

TEXT = "各位市民,大家好!请带身份证,户口簿(原件)来。😀布署,完毕"
MENDED = "各位市民，大家好！请带身份证，户口簿（原件）来。😀布署，完毕"


async def test_half_width_marks_are_one_finding_mended_at_once(ctx: Context) -> None:
    async with reading(ctx) as unit:
        (found,) = await judge(unit, [TEXT])
    widths = [told for told in found if told.rule == "mark.width"]
    assert len(widths) == 1
    assert len(widths[0].more) == 5
    assert "6 处" in widths[0].why
    made = proof("body", "", TEXT, found)
    line = next(line for line in made.lines if line.told is widths[0])
    ((_label, value),) = line.fixes
    assert read_fix(value).apply(TEXT) == MENDED
    units = TEXT.encode("utf-16-le")
    for place in json.loads(made.places):
        assert units[2 * place["start"] : 2 * place["end"]].decode("utf-16-le") == place["found"]
    assert [json.loads(made.places)[number]["found"] for number in (line.number, *line.others)] == list(",!,(),")
    assert marked(TEXT, found).count("<mark") == 7


async def test_a_single_half_width_mark_is_told_as_ever(ctx: Context) -> None:
    async with reading(ctx) as unit:
        (found,) = await judge(unit, ["各位市民,大家好。"])
    assert [(told.found, told.suggestions, told.more) for told in found] == [(",", ("，",), ())]


@pytest.mark.parametrize(
    "value",
    ["", "[]", '["body", [[1, 0, "a", "b"]]]', '["body", [["1", 2, "a", "b"]]]', '["body", 1]', '["b", [[1, 2]]]'],
)
def test_what_no_button_of_ours_sends_is_refused(value: str) -> None:
    with pytest.raises(Invalid):
        read_fix(value)


def test_what_is_no_longer_there_is_left_alone() -> None:
    fix = read_fix(json.dumps(["body", [[0, 1, ",", "，"], [2, 3, ",", "，"]]]))
    assert fix.apply("a,,b") == "a,，b"
