"""A lesson under way: its own gentle process, watched and ended with us; what it answers, read line by line."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nlp
from nlp import lesson
from workflows.learning.examples import Lesson

LONGEST_SECONDS = 1800.0
BEAT_SECONDS = 30.0  # a fit may take longer than a lease on a busy machine
_LINE = 4_000_000  # bytes of the last line: a layer in base64
# One thread: learning must not take the machine.
_QUIET = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

Heard = Callable[[int, int], Awaitable[None]]


class Failed(Exception):
    """The process ended without a result."""


@dataclass(frozen=True, slots=True)
class Known:
    """The version in force: its bytes, empty for the shipped model, and the newest correction it was learnt from."""

    data: bytes = b""
    newest: int = 0


UNKNOWN = Known()


async def teach(
    what: Lesson,
    heard: Heard,
    guard: Sequence[tuple[str, str, str]] = (),
    base: Path | None = None,
    now: Known = UNKNOWN,
) -> dict[str, Any]:
    """Run the lesson to its end: {"report", "accepted", "layer"}. ``base``: a folder with training files, to learn from
    scratch beside the layer; ``now``: what is in force. Raises Failed; cancelling ends the process."""
    setup = nlp.analyser().setup
    told = lesson.order(
        what.task,
        what.rows,
        cache_dir=setup.cache_dir,
        places=setup.places,
        guard=guard,
        left=what.left,
        base=base,
        now=now.data,
        fresh=sum(number > now.newest for number in what.ids),
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "nlp.lesson", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL, env={**os.environ, **_QUIET}, limit=_LINE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            return await _talk(process, told, heard)
    except (TimeoutError, OSError, ValueError) as error:
        raise Failed(type(error).__name__) from error
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _talk(process: asyncio.subprocess.Process, told: bytes, heard: Heard) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(told)
    await process.stdin.drain()
    process.stdin.close()
    done, total = 0, 0
    while line := await _next_line(process.stdout, heard, done, total):
        said = lesson.read(line)
        if "report" in said:
            return said
        done, total = said["done"], said["total"]
        await heard(done, total)
    raise Failed(f"exit {await process.wait()}")


async def _next_line(lines: asyncio.StreamReader, heard: Heard, done: int, total: int) -> bytes:
    """The next line; while it is waited for, ``heard`` is told again how far it is: we are still here."""
    while True:
        try:
            async with asyncio.timeout(BEAT_SECONDS):
                return await lines.readline()
        except TimeoutError:
            await heard(done, total)
