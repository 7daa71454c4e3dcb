"""A stand-in for a language model: a real HTTP server on this machine that answers as the test says and remembers what
it was asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class ModelServer:
    """``says``: the text it writes; ``raw``: the whole body instead; ``waits``: seconds before it answers."""

    says: str = "您好，已转住建局核实。"
    raw: bytes | None = None
    status: int = 200
    waits: float = 0.0
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            lower = {name.lower(): value for name, value in fields.items()}
            body = await reader.readexactly(int(lower.get("content-length", "0")))
            self.asked.append(json.loads(body) | {"path": head.split(" ")[1]})
            self.keys.append(lower.get("authorization", ""))
            await asyncio.sleep(self.waits)
            said = {"model": "standin-7b", "choices": [{"message": {"role": "assistant", "content": self.says}}]}
            given = self.raw if self.raw is not None else json.dumps(said).encode()
            writer.write(f"HTTP/1.1 {self.status} X\r\nContent-Length: {len(given)}\r\n\r\n".encode() + given)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def model_server(**given: Any) -> AsyncIterator[ModelServer]:
    """A running one; its address is in ``url``."""
    model = ModelServer(**given)
    server = await asyncio.start_server(model._answer, "127.0.0.1", 0)
    model.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield model
    finally:
        server.close()
