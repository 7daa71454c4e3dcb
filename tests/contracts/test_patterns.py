"""Every compiled pattern of the code against texts of one piece repeated: none may cost the square of their length.

What citizens and platforms write is hostile; one message of 20,000 blanks once kept a worker busy for 17 seconds.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import time
from collections.abc import Iterator

import pytest

ROOMS = ("hub", "connectors", "nlp", "workflows", "web")
PIECES = (
    "1", "1-", " ", "\t", "\u3000", "@", "@a", "#", "#a", "<", "<a ", "<!--", "<script ", "&", "&#", "http://", "a.",
    "a@", "a", "A", "[", '"', "'", "\\", "路", "12号", "2026年", "\n", "\r\n", "(", "（", "//@a:", "=(", "-", "+", "，",
    "1:", "0 ", "a ", "路 ", "。", "市", "街道", "{", "%(", "/", "|", "😀", "\u200b",
)  # fmt: skip
SHORT, LONG = 2_000, 8_000
# Four times the length may cost about four times as much; sixteen times as much is the square.
NOTICED = 0.05


def _patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    for room in ROOMS:
        package = importlib.import_module(room)
        for found in pkgutil.walk_packages(package.__path__, room + "."):
            if "migrations" in found.name or found.name.endswith("__main__"):
                continue
            for name, value in vars(importlib.import_module(found.name)).items():
                if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                    yield f"{found.name}.{name}", value


PATTERNS = dict(_patterns())


@pytest.mark.parametrize("name", PATTERNS)
def test_costs_no_more_than_its_length(name: str) -> None:
    pattern = PATTERNS[name]
    for piece in PIECES:
        if _cost(pattern, piece, LONG) > NOTICED:  # noise of the machine is measured again, growth stays
            short = min(_cost(pattern, piece, SHORT) for _ in range(3))
            long = min(_cost(pattern, piece, LONG) for _ in range(3))
            assert long < NOTICED or long < 9 * short, (piece, short, long)


def _cost(pattern: re.Pattern[str], piece: str, length: int) -> float:
    text = piece * (length // len(piece))
    begun = time.process_time()
    for whole in (text, "路" + text + "\0", "a" + text + "b"):
        for _ in pattern.finditer(whole):
            pass
        pattern.fullmatch(whole)
    return time.process_time() - begun


def test_a_pattern_that_does_is_noticed() -> None:
    careless = re.compile(r"\s+(?=路)")
    assert _cost(careless, " ", SHORT) > 9 * _cost(careless, " ", SHORT // 4)
