"""Moments as mail, feeds and interfaces write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.moments import moment_of


@pytest.mark.parametrize(("text", "at"), [
    ("Mon, 23 Nov 2026 09:00:00 +0800", datetime(2026, 11, 23, 1, tzinfo=UTC)),
    ("2026-11-23T09:00:00Z", datetime(2026, 11, 23, 9, tzinfo=UTC)),
    ("2026-11-23 09:00:00", datetime(2026, 11, 23, 1, tzinfo=UTC)),
    ("0001-01-01T00:00:00+14:00", None), ("昨天", None), ("", None),
])  # fmt: skip
def test_dates_without_a_zone_are_beijings(text: str, at: datetime | None) -> None:
    assert moment_of(text) == at


@given(st.text(max_size=40))
def test_any_text_is_a_moment_or_none(text: str) -> None:
    at = moment_of(text)
    assert at is None or at.tzinfo is UTC
