"""A video's file of any size, and the way of a video to a platform as the engine goes it: step by step."""

from __future__ import annotations

import asyncio
import hashlib
import json
import tracemalloc
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.base import (
    AccountRef,
    Connector,
    ConnectorError,
    Effect,
    ErrorKind,
    Outgoing,
    Uploaded,
    Uploading,
    Video,
)
from connectors.uploading import GONE

MB = 1024 * 1024
TEXT = "因管网检修，明早八点起城东停水，请储水。"


def film(folder: Path, size: int = 3 * MB, *, seconds: float = 60, mime: str = "video/mp4") -> Video:
    """A file of ``size`` bytes, no two of its megabytes alike."""
    path = folder / f"film-{size}"
    with path.open("wb") as file:
        for number in range(-(-size // MB)):
            file.write(number.to_bytes(4) * (min(MB, size - number * MB) // 4 + 1))
        file.truncate(size)
    return Video("防汛\r\n演练.mp4", mime, path, "0" * 64, size, seconds, 1920, 1080)


def digests(video: Video, most: int) -> list[str]:
    """SHA-256 of its pieces of ``most`` bytes."""
    whole = video.path.read_bytes()
    return [hashlib.sha256(whole[at : at + most]).hexdigest() for at in range(0, len(whole), most)]


async def bring(
    connector: Connector, ref: AccountRef, out: Outgoing, state: Mapping[str, str] | None = None, most: int = 60
) -> tuple[Uploaded, list[int]]:
    """Every step of the upload, its state through JSON as in the database; and how many bytes were there after each."""
    kept, done = dict(state or {}), list[int]()
    for _ in range(most):
        step = await connector.upload(ref, out, kept)
        kept = json.loads(json.dumps(dict(step.ref if isinstance(step, Uploaded) else step.state)))
        assert all(isinstance(one, str) and len(one) < 1000 for one in kept.values())
        if isinstance(step, Uploaded):
            return Uploaded(kept, step.until), done
        done.append(step.done)
    raise AssertionError("never ends")


async def after(connector: Connector, ref: AccountRef, out: Outgoing, steps: int) -> dict[str, str]:
    """The state after so many steps."""
    state: dict[str, str] = {}
    for _ in range(steps):
        step = await connector.upload(ref, out, state)
        assert isinstance(step, Uploading)
        state = dict(step.state)
    return state


async def ready(connector: Connector, ref: AccountRef, out: Outgoing) -> Outgoing:
    """The post once its video is there."""
    uploaded, _ = await bring(connector, ref, out)
    return replace(out, uploaded=uploaded.ref)


async def stumbled(
    connector: Connector, ref: AccountRef, out: Outgoing, spoil: Callable[[], object], steps: int
) -> dict[str, str]:
    """The state after so many steps, each of which failed once: nobody saw anything, no token is told, nothing that is
    there is brought again.
    """
    state: dict[str, str] = {}
    for _ in range(steps):
        spoil()
        with pytest.raises(ConnectorError) as caught:
            await connector.upload(ref, out, state)
        assert caught.value.effect is Effect.not_done
        assert caught.value.kind is not ErrorKind.not_found, "what is there is not brought again"
        assert "upload-" not in str(caught.value)
        step = await connector.upload(ref, out, state)
        assert isinstance(step, Uploading)
        state = dict(step.state)
    return state


async def is_forgotten(connector: Connector, ref: AccountRef, out: Outgoing) -> None:
    """The platform does not know the video any more: told as such, and nothing went out."""
    with pytest.raises(ConnectorError) as caught:
        await connector.publish(ref, out)
    assert (caught.value.kind, caught.value.effect) == (ErrorKind.not_found, Effect.not_done)
    assert caught.value.code.startswith(GONE)
    assert "upload-" not in str(caught.value)


@asynccontextmanager
async def sink(said: Any) -> AsyncIterator[str]:
    """A server that reads whatever comes, keeps nothing of it, and says ``said``; its host and port."""
    body = json.dumps(said).encode()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        left = next(int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
        while left and (chunk := await reader.read(min(left, 65536))):
            left -= len(chunk)
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def peak_of_pieces(
    connector: Connector, ref: AccountRef, out: Outgoing, pieces: int, state: Callable[[int], Mapping[str, str]]
) -> int:
    """The most memory, in bytes, that was taken while every piece of a video was sent."""
    await connector.upload(ref, out, state(0))
    tracemalloc.start()
    for number in range(pieces):
        await connector.upload(ref, out, state(number))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak
