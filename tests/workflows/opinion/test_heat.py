"""Heat: more voices and later voices are hotter, and waiting changes no order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.opinion.heat import HALF_LIFE, heat

NOW = datetime(2026, 11, 23, tzinfo=UTC)
counts = st.integers(0, 10**6)
moments = st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- bounds


@given(counts, counts, moments)
def test_a_message_or_a_later_moment_is_always_hotter(messages: int, likes: int, at: datetime) -> None:
    assert heat(messages + 1, likes, at) > heat(messages, likes, at)
    assert heat(messages, likes + 1, at) > heat(messages, likes, at)
    assert heat(messages, likes, at + timedelta(minutes=1)) > heat(messages, likes, at)


def test_a_half_life_of_silence_weighs_as_much_as_half_of_all_voices() -> None:
    many, few = heat(1023, 0, NOW - HALF_LIFE), heat(511, 0, NOW)
    assert many == pytest.approx(few)


def test_a_like_is_a_tenth_of_a_message_and_nonsense_counts_as_none() -> None:
    assert heat(0, 10, NOW) == heat(1, 0, NOW)
    assert heat(-5, -5, NOW) == heat(0, 0, NOW)
    with pytest.raises(ValueError, match="naive"):
        heat(1, 1, NOW.replace(tzinfo=None))
