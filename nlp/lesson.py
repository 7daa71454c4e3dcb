"""One lesson in a process of its own, so that learning holds up nobody: ``python -m nlp.lesson``.

Standard input: one JSON object, see :class:`Task`. Standard output: lines of JSON, ``{"done", "total"}`` while it works
and one ``{"report", "accepted", "layer"}`` at the end (layer: base64, or empty). It may be killed at any moment.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nlp.base import Text

TASKS = ("topic", "sentiment", "request")
LEAST, MOST = 20, 5000  # examples a lesson needs, and takes: the newest
GENTLE = 10


def order(
    task: str, examples: Sequence[tuple[str, str, str, float]], *, cache_dir: Path | None,
    places: Sequence[tuple[str, str, str]], guard: Sequence[tuple[str, str, str]] = (),
    left: Sequence[tuple[str, str]] = (), base: Path | None = None, now: bytes = b"", fresh: int = 0,
) -> bytes:  # fmt: skip
    """What the process is told. ``examples``: (title, body, label, weight), the newest first; ``guard``: (title, body,
    label) beside the guard that comes with the product; ``left``: (title, body) of what people left as it was;
    ``cache_dir``, ``places``: as the analyser was configured; ``base``: a folder laid out as for training, to learn
    from scratch from it and the examples; ``now``: the bytes of the version in force, empty for the shipped model;
    ``fresh``: how many of the examples came after it was learnt."""
    said: dict[str, Any] = {
        "task": task, "examples": examples, "cache_dir": str(cache_dir or ""), "places": places, "guard": guard,
        "left": left, "base": str(base or ""), "now": base64.b64encode(now).decode(), "fresh": fresh,
    }  # fmt: skip
    return json.dumps(said, ensure_ascii=False).encode("utf-8", "surrogatepass")


def read(line: bytes) -> dict[str, Any]:
    """One line of what it answers; ``layer`` as bytes."""
    said: dict[str, Any] = json.loads(line)
    if "layer" in said:
        said["layer"] = base64.b64decode(said["layer"])
    return said


def main() -> None:
    """Learn what standard input says."""
    if hasattr(os, "nice"):
        os.nice(GENTLE)
    said = json.loads(sys.stdin.buffer.read().decode("utf-8", "surrogatepass"))
    import nlp
    from nlp import layers, learning, pipeline

    cache = Path(said["cache_dir"]) if said["cache_dir"] else None
    nlp.configure(cache_dir=cache, places=[(name, level, code) for name, level, code in said["places"]])
    examples = [learning.Example(Text(body, title), label, weight) for title, body, label, weight in said["examples"]]
    held = learning.guard(said["task"])
    held += [learning.Example(Text(body, title), label) for title, body, label in said["guard"]]
    model, now = pipeline.model(said["task"]), base64.b64decode(said["now"])
    given: dict[str, Any] = {
        "model": model, "lay_out": nlp.analyser().batch,
        "left": [Text(body, title) for title, body in said["left"]],
        "now": learning.Now(layers.taught(now, model), said["fresh"]) if now else None,
        "progress": lambda done, total: _say({"done": done, "total": total}),
    }  # fmt: skip
    if said["base"]:
        from nlp import anew

        folder = Path(said["base"])
        lesson = anew.learn(said["task"], examples, held, folder, segmenter=nlp.analyser().segmenter, **given)
    else:
        lesson = learning.learn(said["task"], examples, held, **given)
    layer = base64.b64encode(lesson.dump()).decode()
    _say({"report": lesson.report, "accepted": lesson.accepted, "layer": layer})


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
