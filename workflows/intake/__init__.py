"""In: raw arrivals stored first, cursors committed with the items, files row by row, quarantine for the rest."""

from workflows.intake.arrivals import Stored, store
from workflows.intake.imports import import_file
from workflows.intake.pulling import pull_due, pull_stream
from workflows.intake.push import PushAnswer, receive_push
from workflows.intake.reading import read_waiting
from workflows.intake.report import ImportReport

__all__ = [
    "ImportReport",
    "PushAnswer",
    "Stored",
    "import_file",
    "pull_due",
    "pull_stream",
    "read_waiting",
    "receive_push",
    "store",
]
