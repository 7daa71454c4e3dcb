"""The bar of long work, on standard error: what a command prints can still be read by a program."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


@dataclass(frozen=True, slots=True)
class Counting:
    """A bar under way: call it with the number done."""

    bar: Progress
    task: TaskID

    def __call__(self, done: int) -> None:
        """So many are done."""
        self.bar.update(self.task, completed=done)

    def expect(self, total: int | None) -> None:
        """So many there are, as far as anybody knows."""
        self.bar.update(self.task, total=total)


@contextmanager
def counting(title: str, total: int | None = None) -> Iterator[Counting]:
    """A bar for the block. ``total`` None: nobody knows yet how much there is."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}"), TaskProgressColumn(),
        TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=total)
        yield Counting(bar, task)
        bar.update(task, total=bar.tasks[0].completed)  # what was expected was a guess
