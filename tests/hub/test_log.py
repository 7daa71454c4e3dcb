"""Logs: one JSON object a line, no secrets, nothing that somebody wrote, nothing that makes a second line."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from pydantic import BaseModel

from hub import log

Told = Callable[[Callable[[Any], None]], list[dict[str, Any]]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Told]:
    """What a logger wrote, parsed line by line."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level

    def tell(say: Callable[[Any], None]) -> list[dict[str, Any]]:
        log.configure("INFO", "json")
        root.handlers[0].setStream(sys.stderr)  # type: ignore[attr-defined]
        capsys.readouterr()
        say(log.get("test.log"))
        return [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    yield tell
    structlog.reset_defaults()
    root.handlers[:] = before
    root.setLevel(level)


def test_secrets_and_texts_are_left_out(told: Told) -> None:
    def say(logger: Any) -> None:
        logger.info(
            "sent", access_token="t0ps3cret", app_secret="t0ps3cret", text="网民的话", draft="网民的话", account=7
        )
        logger.info(
            "called", url="https://x/y?access_token=t0ps3cret&a=1", head="Bearer t0ps3cret", b="OAuth2 t0ps3cret"
        )

    first, second = told(say)
    assert "t0ps3cret" not in json.dumps([first, second])
    assert "网民的话" not in json.dumps(first, ensure_ascii=False)
    assert first["account"] == 7
    assert second["url"].endswith("access_token=[removed]&a=1")


class Shape(BaseModel):
    number: int


@pytest.mark.parametrize(
    "cause",
    [
        int,
        lambda text: {}[text],
        lambda text: Shape.model_validate({"number": text}),
        lambda text: (_ for _ in ()).throw(ValueError(f'DETAIL:  Key (name)=({text}) "{text}\n{text}" already exists')),
    ],
    ids=["int", "key", "model", "database"],
)
def test_what_an_error_quotes_is_left_out(told: Told, cause: Callable[[str], object]) -> None:
    written = "网民的话：13800138000"

    def say(logger: Any) -> None:
        try:
            cause(written)
        except Exception:
            logger.exception("job_failed", job="x")

    (line,) = told(say)
    assert "网民" not in line["exception"]
    assert "13800138000" not in line["exception"]
    assert "test_log.py" in line["exception"]
    assert "cause(" in line["exception"]


def test_nobody_writes_lines_of_their_own(told: Told) -> None:
    forged = 'x\n{"event": "session.sign_in", "level": "info"}\r\n\u2028\x1b[2J'
    lines = told(lambda logger: logger.warning("odd", path=forged))
    assert len(lines) == 1
    assert lines[0]["path"] == forged


def test_other_libraries_are_scrubbed_too(told: Told) -> None:
    (line,) = told(lambda _: logging.getLogger("other").warning("GET https://x/?token=t0ps3cret"))
    assert "t0ps3cret" not in json.dumps(line)


def test_long_quotes_cost_little() -> None:
    begun = time.perf_counter()
    for text in ("'" * 200_000, "'\\" * 100_000, '"' + "a" * 200_000, "=(" * 100_000):
        log.outline(text)
    assert time.perf_counter() - begun < 5
