"""A video's file of any size, and the way of a video to a platform as the engine goes it: step by step."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from connectors.base import AccountRef, Connector, Outgoing, Uploaded, Uploading, Video

MB = 1024 * 1024


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
