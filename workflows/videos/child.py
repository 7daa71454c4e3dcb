"""A program of its own that looks into videos: nothing of the hub is imported here, and nothing else imports this.

    python -I child.py clean SOURCE TARGET POSTER LIMITS
    python -I child.py frame SOURCE SECONDS TARGET LIMITS

LIMITS is JSON: ``memory`` and ``file`` in bytes, ``cpu`` and ``seconds`` (longest video). It answers with one line of
JSON: what the video is, or ``{"refused": why, …}``. FFmpeg is written in C and reads what strangers made: whatever it
does, it does here, within bounds, and the hub goes on.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

VIDEO = {"h264": "H.264", "hevc": "H.265"}
SOUND = ("aac", "mp3")
POSTER_SIDE, FRAME_SIDE = 640, 4096
# Decoding further than this to reach a moment: key frames are closer in everything people film.
MOST_FRAMES = 1500
MOST_PIXELS = 8192 * 4352
STARTS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
# Matroska and WebM, FLV, AVI, MPEG streams, Windows Media.
OTHERS = (b"\x1aE\xdf\xa3", b"FLV", b"RIFF", b"G@", b"\x00\x00\x01\xba", b"0&\xb2u")


class Refused(Exception):
    """It cannot be taken; ``why`` is a word the hub makes a sentence of, ``more`` fills it."""

    def __init__(self, why: str, **more: Any) -> None:
        super().__init__(why)
        self.why, self.more = why, more


def main(arguments: list[str]) -> int:
    """Do one thing and say how it went. A crash says nothing: the hub takes that for a broken file."""
    limits = json.loads(arguments[-1])
    _bound(limits)
    try:
        if arguments[0] == "clean":
            said = _clean(Path(arguments[1]), Path(arguments[2]), Path(arguments[3]), limits["seconds"])
        else:
            said = _frame(Path(arguments[1]), float(arguments[2]), Path(arguments[3]))
    except Refused as refused:
        said = {"refused": refused.why, **refused.more}
    sys.stdout.write(json.dumps(said) + "\n")
    return 0


def _bound(limits: dict[str, int]) -> None:
    """Less memory, time and disk than would hurt anybody; a lower rank than the hub's own work."""
    try:
        import os
        import resource
    except ImportError:  # Windows has neither; the hub's own clock still ends it
        return
    for what, most in (
        (resource.RLIMIT_AS, limits["memory"]), (resource.RLIMIT_CPU, limits["cpu"]),
        (resource.RLIMIT_FSIZE, limits["file"]), (resource.RLIMIT_CORE, 0),
    ):  # fmt: skip
        resource.setrlimit(what, (most, most))
    os.nice(5)


def _open(source: Path) -> Any:
    """Only the reader of MP4 and MOV is ever tried: others of FFmpeg's (lists of files, HLS, SDP) open addresses."""
    import av

    with source.open("rb") as file:
        head = file.read(16)
    if not head:
        raise Refused("empty")
    if head[4:8] not in STARTS:
        raise Refused("container" if head.startswith(OTHERS) else "no video")
    try:
        return av.open(str(source), format="mp4", options={"protocol_whitelist": "file"})
    except MemoryError:
        raise Refused("too large") from None
    except (av.FFmpegError, OSError, ValueError):
        raise Refused("broken") from None


def _streams(container: Any) -> tuple[Any, Any]:
    """The film and its sound (None: it is silent). A cover that stands among the streams is no film."""
    films = [one for one in container.streams.video if not _is_cover(one)]
    if not films:
        raise Refused("no video")
    film = films[0]
    if _codec(film) not in VIDEO:
        raise Refused("codec", codec=_codec(film))
    if film.codec_context.width * film.codec_context.height > MOST_PIXELS:
        raise Refused("too large")
    sounds = list(container.streams.audio)
    good = [one for one in sounds if _codec(one) in SOUND]
    if sounds and not good:
        raise Refused("sound", codec=_codec(sounds[0]))
    return film, good[0] if good else None


def _is_cover(stream: Any) -> bool:
    return "attached_pic" in str(stream.disposition).lower()


def _codec(stream: Any) -> str:
    context = stream.codec_context
    return str(context.codec.canonical_name) if context is not None else "?"


def _clean(source: Path, target: Path, poster: Path, most: float) -> dict[str, Any]:
    import av

    container = _open(source)
    with container:
        film, sound = _streams(container)
        declared = float(film.duration * film.time_base) if film.duration and film.time_base else 0.0
        try:
            seconds = _copied(container, film, sound, target, most)
        except MemoryError:
            raise Refused("too large") from None
        except (av.FFmpegError, OSError, ValueError, ArithmeticError):
            raise Refused("broken") from None
        codec = VIDEO[_codec(film)]
        silent = sound is None
    if declared - seconds > max(2.0, declared * 0.05):
        raise Refused("cut off")
    width, height = _picture(target, min(1.0, seconds / 2), poster, POSTER_SIDE)
    return {"seconds": round(seconds, 3), "width": width, "height": height, "codec": codec, "silent": silent}


def _copied(container: Any, film: Any, sound: Any, target: Path, most: float) -> float:
    """Film and sound packet by packet into a new file, the index before the film; its length in seconds.

    Nothing else goes along: no other tracks, chapters or notes. How it is turned belongs to the film and stays.
    """
    import av

    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    first, last = None, 0.0
    with av.open(str(target), "w", format="mp4", options=options) as out:
        made = {}
        for stream in filter(None, (film, sound)):
            copy = out.add_stream_from_template(stream)
            copy.metadata.clear()
            made[stream.index] = copy
        for packet in container.demux(*filter(None, (film, sound))):
            if packet.dts is None:
                continue
            if packet.is_corrupt:
                raise Refused("cut off")
            if packet.stream is film and packet.pts is not None:
                at = float(packet.pts * packet.time_base)
                first = at if first is None else min(first, at)
                last = max(last, at + float((packet.duration or 0) * packet.time_base))
                if last - first > most:
                    raise Refused("too long", seconds=most)
            packet.stream = made[packet.stream.index]
            out.mux(packet)
    if first is None:
        raise Refused("no video")
    return max(last - first, 0.001)


def _frame(source: Path, at: float, target: Path) -> dict[str, Any]:
    width, height = _picture(source, at, target, FRAME_SIDE)
    return {"width": width, "height": height}


def _picture(source: Path, at: float, target: Path, side: int) -> tuple[int, int]:
    """The frame at a moment as an upright JPEG; the size of the film as it is seen. Proves that it can be played."""
    import av

    try:
        with av.open(str(source), format="mp4") as container:
            film = container.streams.video[0]
            film.thread_count = 1
            frame = _decoded(container, film, at)
            if frame is None:
                raise Refused("broken")
            shape = film.sample_aspect_ratio or 1
            turned = round(getattr(frame, "rotation", 0) or 0) % 360
            image = frame.to_image()
    except MemoryError:
        raise Refused("too large") from None
    except (av.FFmpegError, OSError, ValueError, ArithmeticError):
        raise Refused("broken") from None
    if shape != 1 and 0.1 < shape < 10:
        image = image.resize((max(1, round(image.width * float(shape))), image.height))
    if turned:
        image = image.rotate(turned, expand=True)
    width, height = image.size
    image.thumbnail((side, side))
    image.convert("RGB").save(target, "JPEG", quality=88)
    return width, height


def _decoded(container: Any, film: Any, at: float) -> Any:
    """The last frame not after ``at``, else the first there is."""
    start = float((film.start_time or 0) * film.time_base)
    if at > 1.5:
        container.seek(int((start + at) / float(film.time_base)), stream=film, backward=True)
    found = None
    for number, frame in enumerate(container.decode(film)):
        found = found if found is not None and frame.time is not None and frame.time - start > at else frame
        if frame.time is None or frame.time - start >= at or number > MOST_FRAMES:
            break
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
