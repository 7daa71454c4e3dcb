"""What changed between two versions, and which counter a platform counts with."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectors.registry import connectors
from workflows.counting import rule_of
from workflows.replies.compare import pieces


@given(st.text(alphabet="今晚修好。\n!ab", max_size=40), st.text(alphabet="今晚修好。\n!ab", max_size=40))
def test_pieces_give_both_texts_back(before: str, after: str) -> None:
    found = pieces(before, after)
    assert "".join(text for kind, text in found if kind != "add") == before
    assert "".join(text for kind, text in found if kind != "del") == after
    assert all(text for _kind, text in found)


def test_long_texts_are_compared_by_sentences() -> None:
    before = "已派人维修。" * 1000
    after = before + "请放心。"
    assert pieces(before, after) == [("same", before), ("add", "请放心。")]


def test_every_platform_has_its_counter() -> None:
    rules = {name: rule_of(connector) for name, connector in connectors(live=False).items()}
    assert rules | {"sandbox": "weibo", "mastodon": "mastodon", "file": "plain", "mailbox": "plain"} == rules
    assert set(rules.values()) <= {"weibo", "mastodon", "plain"}
    assert rule_of(None) == "plain"
