"""Options of accounts: one meaning of yes and of numbers, whoever typed them."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.base import AccountRef
from connectors.forms import AccountForm
from connectors.options import is_on, number, text
from connectors.registry import FORMS


def account(value: Any) -> AccountRef:
    return AccountRef(1, "x", "x", "", "", options={"it": value})


@pytest.mark.parametrize(("value", "said"), [(None, ""), ("", ""), (" 临江 \n", "临江"), (0, "0"), (12, "12")])
def test_text_is_bare(value: Any, said: str) -> None:
    assert text(account(value), "it") == said
    assert text(account(value), "another") == ""


@pytest.mark.parametrize(
    ("value", "plainly", "usually"),
    [
        *((yes, True, True) for yes in (True, 1, "1", "是", " YES ", "on", "True")),
        *((no, False, False) for no in (False, 0, "0", "否", "No", "off", "false", "", None)),
        ("maybe", False, True),
    ],
)
def test_on_is_said(value: Any, plainly: bool, usually: bool) -> None:
    assert is_on(account(value), "it") is plainly
    assert is_on(account(value), "it", usually=True) is usually


@pytest.mark.parametrize(
    ("value", "read"),
    [("30", 30), (" 2.5 ", 2.5), (7, 7), ("0", 1), ("-3", 1), ("1e9", 60), ("inf", 60), ("-inf", 1),
     ("五", 10), ("", 10), (None, 10), ("nan", 10), ("9" * 5000, 60), ("1_0", 10), ("１２", 12), (10**400, 60)],
)  # fmt: skip
def test_numbers_are_read_within_bounds(value: Any, read: float) -> None:
    assert number(account(value), "it", 10, 1, 60) == read


@pytest.mark.parametrize("form", [form for form in FORMS.values() if form.authorised_by_page], ids=lambda f: f.platform)
def test_forms_name_the_button_that_is_there(form: AccountForm) -> None:
    told = form.note + "".join(field.hint for field in form.fields)
    assert "点「去授权」" in told
    assert "「授权」" not in told
