"""Memory of the whole demo: proportional set size of the whole process tree, after pages were read."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator

import psutil

from bench import ground, running
from bench.figures import Figure

MARK_MB = 500.0


def run() -> Iterator[Figure]:
    """Of the tree, and of its largest process."""
    with ground.folder() as data, running.demo(data) as (pid, port):
        for _ in range(20):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/login", timeout=10).read()
        time.sleep(5)
        tree = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        sizes = [process.memory_full_info().pss / 2**20 for process in tree]
    total = sum(sizes)
    yield Figure("demo_memory", round(total), "MB", MARK_MB, round(total / MARK_MB, 2),
                 f"{len(sizes)} processes, the largest {max(sizes):.0f} MB; mark: at most")  # fmt: skip
