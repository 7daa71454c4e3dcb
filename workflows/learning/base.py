"""Files laid out as for training, where a folder with them is at hand: more guard, and a base to learn anew from."""

from __future__ import annotations

from pathlib import Path

from hub.errors import Refused
from hub.i18n import _
from nlp.lesson import TASKS
from nlp.training import data
from workflows.language.labelled import refuse_broken
from workflows.learning.lessons import Extra, Guard

MOST = 1500


# What a task is trained on from scratch, below the folder.
NEEDS = {
    "topic": (f"topics/{data.TOPIC_TRAIN}", f"topics/{data.TOPIC_STOP}"),
    "sentiment": (f"sentiment/{data.TONE_TRAIN}",),
}


def of_folder(folder: Path) -> Extra:
    """What ``folder`` adds to a lesson: development files as guard, training files as a base; Refused without any, or
    when one of them cannot be learnt from."""
    refuse_broken(folder)
    tasks = frozenset(task for task in TASKS if all((folder / path).is_file() for path in NEEDS.get(task, ("",))))
    return Extra(guards(folder), folder, tasks)


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
