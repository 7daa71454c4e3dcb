"""One figure, how it is printed, and what machine it was taken on."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """``value`` in ``unit``; ``against`` is the same work done the plain way (or the mark to reach), ``ratio`` between.

    ``ratio`` above 1 is better where ``against`` is another way of doing it; below 1 where it is a limit.
    """

    name: str
    value: float
    unit: str
    against: float | None = None
    ratio: float | None = None
    what: str = ""


Bench = Callable[[], Iterator[Figure]]


def machine() -> str:
    """Processor count, Python, and the load when the run began: read ratios on a loaded machine."""
    load = os.getloadavg()[0]
    return f"{platform.machine()} {os.cpu_count()} cores, Python {platform.python_version()}, load {load:.1f}"


def show(figures: Iterable[Figure], *, as_json: bool) -> None:
    """JSON lines as they come, or one table at the end."""
    where = machine()
    table = Table("name", "value", "unit", "against", "ratio", "what")
    for figure in figures:
        if as_json:
            line = asdict(figure) | {"machine": where, "at": datetime.now(UTC).isoformat(timespec="seconds")}
            print(json.dumps(line, ensure_ascii=False), flush=True)
        else:
            against = "" if figure.against is None else f"{figure.against:g}"
            ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
            table.add_row(figure.name, f"{figure.value:g}", figure.unit, against, ratio, figure.what)
    if not as_json:
        Console().print(where)
        Console().print(table)


def quantile(values: list[float], share: float) -> float:
    """The value below which ``share`` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
