"""Masking of personal data."""

from __future__ import annotations

import pytest

import nlp
from hub.privacy import excerpt, masked, shortened


@pytest.mark.parametrize(
    ("kind", "found", "shown"),
    [
        ("phone", "13812345678", "138****5678"),
        ("id_card", "110101199003071233", "110*************33"),
        ("bank_card", "6222021234567890123", "***************0123"),
        ("plate", "粤A12345", "粤A*****"),
        ("email", "zhang@example.cn", "z****@example.cn"),
        ("something_new", "abcdef", "******"),
    ],
)
def test_each_kind_keeps_only_what_its_owner_recognises(kind: str, found: str, shown: str) -> None:
    assert masked(f"我的是{found}，请回", [[kind, 3, 3 + len(found)]]) == f"我的是{shown}，请回"


def test_spans_may_overlap_lie_outside_or_come_unsorted() -> None:
    text = "电话13812345678和13912345678"
    assert masked(text, [["phone", 14, 25], ["phone", 2, 13]]) == "电话138****5678和139****5678"
    assert masked(text, [["phone", 2, 13], ["x", 5, 15]]) == "电话138****5678**3912345678"
    assert masked(text, [["x", 20, 99], ["x", 50, 60]]) == "电话13812345678和139123" + "*" * 5
    assert masked("", [["phone", 0, 11]]) == ""


def test_excerpt_is_masked_before_it_is_cut() -> None:
    assert excerpt("电话\n13812345678 在吗", [["phone", 3, 14]], 15) == "电话 138****5678…"
    assert excerpt("短", [], 8) == "短"


@pytest.mark.parametrize("text", ["13812345678", "11010519491231002X", "6222021234567890128", "粤A12345"])
def test_a_number_is_hidden_alike_wherever_it_is_shown(text: str) -> None:
    spans = [(one.kind, one.start, one.end) for one in nlp.analyse([text])[0].personal]
    assert masked(text, spans) == nlp.mask(text)


def test_a_number_is_left_out_rather_than_cut_in_two() -> None:
    assert excerpt("电话 13812345678 在吗", [["phone", 3, 14]], 14) == "电话…", "138****567 looks like another number"
    assert shortened("电话 12345 转 2", 5) == "电话…"
    assert shortened("1234567890", 5) == "1234…", "something has to be shown"
