"""What an import says at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

# Hears how many rows are settled.
Progress = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Every row accounted for: ``rows`` = ``new`` + ``known`` + the number of ``errors``.

    ``known``: there already, or repeated within the file. Each error is {"row", "column", "why"}.
    """

    rows: int
    new: int
    known: int
    errors: list[dict[str, Any]]
    notes: list[str] = field(default_factory=list)
    run_id: int | None = None
