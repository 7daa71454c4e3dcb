"""Videos filmed for tests: small, with what a phone notes beside them; and files that only stand in for videos."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from random import Random

import av
import numpy as np

from hub.db import Context, unit_of_work
from hub.rights import Actor
from workflows.videos import store
from workflows.videos.cleaning import Looked
from workflows.videos.placed import PlacedVideo

MB = 1024 * 1024
PLACE = "+30.2741+120.1551/"


def filmed(
    path: Path, *, seconds: float = 2.0, size: tuple[int, int] = (320, 240), rate: int = 10, codec: str = "libx264",
    sound: str = "aac",
) -> Path:  # fmt: skip
    """A film whose upper half is white, with the place and the device in its metadata; ``sound`` empty: silent."""
    with av.open(str(path), "w") as out:
        out.metadata.update({"location": PLACE, "title": "SecretPhone", "creation_time": "2026-11-27T01:30:00Z"})
        film = out.add_stream(codec, rate=rate)
        film.width, film.height, film.pix_fmt = *size, "yuv420p"
        noise = out.add_stream(sound, rate=44100) if sound else None
        for number in range(int(seconds * rate)):
            shown = np.zeros((size[1], size[0], 3), np.uint8)
            shown[: size[1] // 2] = 255
            shown[size[1] // 2 :, :, 0] = (number * 20) % 256
            frame = av.VideoFrame.from_ndarray(shown, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, rate)
            out.mux(film.encode(frame))
        out.mux(film.encode(None))
        for number in range(int(seconds * 44100) // 1024 if noise else 0):
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            silence.sample_rate, silence.pts = 44100, number * 1024
            out.mux(noise.encode(silence))
        if noise:
            out.mux(noise.encode(None))
    return path


def turned(path: Path) -> Path:
    """The same film held upright: the matrix of its first track turns it by a quarter."""
    data = bytearray(path.read_bytes())
    at = data.find(b"tkhd") + 4 + 24 + 8 + 8
    data[at : at + 36] = struct.pack(">9i", 0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
    path.write_bytes(data)
    return path


async def kept_video(
    ctx: Context, actor: Actor, *, size: int = 5 * MB, seed: int = 1, name: str = "防汛.mp4"
) -> PlacedVideo:
    """Bytes that nobody looks into, kept as a video of this person: for everything that does not play it."""
    coming = ctx.settings.data / store.FOLDER
    coming.mkdir(parents=True, exist_ok=True)
    made = coming / f"made-{seed}"
    made.write_bytes(Random(seed).randbytes(size))
    sha256, length = store.take_in(ctx.settings, made)
    async with unit_of_work(ctx) as unit:
        video = await store.put(
            unit, actor, name, sha256, length, Looked(12.5, 1920, 1080, "H.264", False, b"\xff\xd8\xff")
        )
        return store.placed(video, "大坝泄洪的现场")
