"""Policy packs: presets with sources, laid over, refused with a name when wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.models import CaseClass
from hub.policy.packs import DEFAULT, BadPolicy, default, in_force, parse


def test_presets_are_those_of_the_design() -> None:
    policy = default()
    spans = {kind: (str(c.sign.span), str(c.finish.span)) for kind, c in policy.classes.items()}
    assert spans == {
        CaseClass.urgent: ("15min", "2h"),
        CaseClass.livelihood: ("30min", "24h"),
        CaseClass.general: ("1wd", "5wd"),
        CaseClass.hard: ("1wd", "15wd"),
    }
    assert policy.clocks(CaseClass.urgent).round_the_clock
    assert not policy.clocks(CaseClass.general).round_the_clock


def test_every_figure_names_its_source() -> None:
    policy = default()
    for clocks in policy.classes.values():
        for name in ("accept", "sign", "finish", "hand_back", "review", "follow_up", "extension"):
            assert getattr(clocks, name).source
    assert all(figure.source for figure in (*policy.limits.values(), *policy.routing.values()))


def test_an_office_changes_one_line(tmp_path: Path) -> None:
    own = '[classes.general.finish]\nspan = "3wd"\nsource = "本市规定"\n[hours]\nblocks = [["08:30", "12:00"]]\n'
    (tmp_path / "policy.toml").write_text(own, encoding="utf-8")
    policy = in_force(tmp_path)
    assert str(policy.clocks(CaseClass.general).finish.span) == "3wd"
    assert str(policy.clocks(CaseClass.general).sign.span) == "1wd"
    assert policy.calendar.hours[0][0].minute == 30


@pytest.mark.parametrize(
    ("over", "named"),
    [
        ('[classes.general.finish]\nspan = "soon"', "soon"),
        ('[hours]\nblocks = [["12:00", "09:00"]]', "working hours"),
        ('[limits.returns]\nvalue = "many"', "many"),
    ],
)
def test_a_wrong_pack_is_refused_by_name(over: str, named: str) -> None:
    with pytest.raises(BadPolicy, match=named):
        parse(DEFAULT.read_text(encoding="utf-8"), over)
    with pytest.raises(BadPolicy, match="missing"):
        parse('version = "1"')
