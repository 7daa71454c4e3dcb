"""More guard from the public data the shipped models were measured on, where a folder with it is at hand."""

from __future__ import annotations

from pathlib import Path

from hub.errors import Refused
from hub.i18n import _
from nlp.training import data
from workflows.learning.lessons import Guard

MOST = 1500


def guards(folder: Path) -> dict[str, list[Guard]]:
    """Per task the rows of the development files in ``folder``, laid out as for training; Refused without any."""
    tones, topics = folder / "sentiment" / data.TONE_DEV, folder / "topics" / data.TOPIC_DEV
    found: dict[str, list[Guard]] = {}
    if tones.is_file():
        rows = data.read(tones)
        found["sentiment"] = [("", row["text"], row["label"]) for row in rows if row["label"] != "surprise"]
    if topics.is_file():
        found["topic"] = [(row["title"], row["body"], row["label"]) for row in data.read(topics)]
    if not found:
        raise Refused([_("目录 %(path)s 里没有开发集：需要 sentiment 或 topics 目录", path=str(folder))])
    return {task: rows[:: max(1, -(-len(rows) // MOST))] for task, rows in found.items()}
