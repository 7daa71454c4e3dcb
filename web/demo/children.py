"""Child processes of the demo: started, watched, started again when they die, ended together."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from hub.embedded.process import dying_with_parent

FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0
LOG_SIZE = 5_000_000


@dataclass
class Child:
    """One process by name. ``on_line`` gets every line it prints; all lines also go to its log file."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    log: Path
    on_line: Callable[[str, str], None]
    process: subprocess.Popen[str] | None = None
    started_at: float = 0.0
    retry_at: float = 0.0
    wait: float = FIRST_WAIT
    readers: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Start it; its output is read by a thread of its own."""
        self.process = subprocess.Popen(
            list(self.command), env=dict(self.env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace", preexec_fn=dying_with_parent(),  # noqa: PLW1509
        )  # fmt: skip
        self.started_at = time.monotonic()
        assert self.process.stdout is not None
        reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        reader.start()
        self.readers = [reader]

    def _read(self, output: IO[str]) -> None:
        with output, self.log.open("a", encoding="utf-8") as file:
            if file.tell() > LOG_SIZE:
                file.truncate(0)
            for line in output:
                file.write(line)
                file.flush()
                self.on_line(self.name, line.rstrip("\n"))

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process is not None and self.process.poll() is None

    def care(self) -> int | None:
        """Start again what died, waiting longer each time; returns the exit code of a death seen just now."""
        if self.alive:
            if time.monotonic() - self.started_at > 2 * LONGEST_WAIT:
                self.wait = FIRST_WAIT
            return None
        now = time.monotonic()
        if self.retry_at == 0.0:
            self.retry_at = now + self.wait
            self.wait = min(2 * self.wait, LONGEST_WAIT)
            return self.process.returncode if self.process else None
        if now >= self.retry_at:
            self.retry_at = 0.0
            self.start()
        return None

    def ask_to_end(self) -> None:
        """SIGTERM, if it still runs."""
        if self.alive and self.process is not None:
            self.process.terminate()

    def end(self, until: float) -> None:
        """Wait until ``until`` (monotonic seconds), then end it by force."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.05, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(2)
        for reader in self.readers:
            reader.join(1)
