"""A video on its way in: looked into and rewritten by a program of its own, whatever it may be.

What a camera or phone notes beside its pictures and sound (place, time, device, owner) never gets further than this.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub import log
from hub.errors import Invalid
from hub.i18n import _

CHILD = Path(__file__).with_name("child.py")
MEMORY = 1536 * 1024 * 1024
CPU_SECONDS = 300
# Copying half a gigabyte twice takes a minute on an old disk.
WALL_SECONDS = 600.0
FRAME_SECONDS = 30.0
LONGEST_SECONDS = 4 * 3600
# Of all that are looked into at once in this process.
AT_ONCE = asyncio.Semaphore(2)
_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a video is. ``codec``: H.264 or H.265; ``silent``: it has no sound; ``poster``: a small JPEG of it."""

    seconds: float
    width: int
    height: int
    codec: str
    silent: bool
    poster: bytes


async def clean(source: Path, target: Path) -> Looked:
    """Write the video in ``source`` anew into ``target``. :class:`Invalid` says in words why not; then nothing is left.

    Some seconds of a process beside this one: up to :data:`WALL_SECONDS`.
    """
    poster = target.with_suffix(".jpg")
    try:
        said = await _asked("clean", source, target, poster, seconds=WALL_SECONDS)
        return Looked(**said, poster=await asyncio.to_thread(poster.read_bytes))
    except BaseException:
        await asyncio.to_thread(target.unlink, missing_ok=True)
        raise
    finally:
        await asyncio.to_thread(poster.unlink, missing_ok=True)


async def frame(source: Path, at: float, target: Path) -> bytes:
    """The frame at a moment as a JPEG; ``target``: where it may lie meanwhile. :class:`Invalid` as :func:`clean`."""
    try:
        await _asked("frame", source, f"{max(0.0, at):.3f}", target, seconds=FRAME_SECONDS)
        return await asyncio.to_thread(target.read_bytes)
    finally:
        await asyncio.to_thread(target.unlink, missing_ok=True)


async def _asked(*arguments: str | Path, seconds: float) -> dict[str, Any]:
    source = arguments[1]
    assert isinstance(source, Path)
    size = (await asyncio.to_thread(source.stat)).st_size
    limits = {"memory": MEMORY, "file": size + 64 * 1024 * 1024, "cpu": CPU_SECONDS, "seconds": LONGEST_SECONDS}
    async with AT_ONCE:
        answer = await _run([*map(str, arguments), json.dumps(limits)], seconds)
    if why := answer.get("refused"):
        raise no(_words(str(why), answer))
    return answer


async def _run(arguments: list[str], seconds: float) -> dict[str, Any]:
    """One run of the program, killed when it takes too long or nobody waits for it any more."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(CHILD), *arguments, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(seconds):
            out, _err = await child.communicate()
        answer = json.loads(out.splitlines()[-1])
    except TimeoutError:
        return {"refused": "too slow"}
    except (ValueError, IndexError):
        # It ran out of what it may use, or fell over what somebody made so that it falls.
        _log.warning("video_child_died", code=child.returncode)
        return {"refused": "broken"}
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return answer if isinstance(answer, dict) else {"refused": "broken"}


def _words(why: str, answer: Mapping[str, Any]) -> str:
    """The reason with the way out."""
    known: dict[str, Callable[[], str]] = {
        "empty": lambda: _("文件是空的"),
        "no video": lambda: _("这不是能用的视频文件；请上传 MP4（H.264 画面、AAC 声音）"),
        "container": lambda: _("这种视频格式平台不认；请在剪辑软件里导出为 MP4（H.264 画面、AAC 声音）后上传"),
        "codec": lambda: _(
            "画面编码（%(codec)s）平台不认；请在剪辑软件里导出为 MP4，编码选 H.264 或 H.265",
            codec=answer.get("codec", ""),
        ),
        "sound": lambda: _(
            "声音编码（%(codec)s）平台不认；请在剪辑软件里导出为 MP4，声音选 AAC", codec=answer.get("codec", "")
        ),
        "cut off": lambda: _("视频文件不完整，可能没有拷完或导出中断；请重新导出后再上传"),
        "too long": lambda: _("视频超过 %(n)s 小时，请剪短后再上传", n=LONGEST_SECONDS // 3600),
        "too large": lambda: _("视频画面太大，请导出为 4K 以内后再上传"),
        "too slow": lambda: _("检查视频用时过长，已停止；请用剪辑软件重新导出后再上传"),
    }
    return known.get(why, lambda: _("视频已损坏，播放不了；请重新导出为 MP4 后再上传"))()


def no(why: str) -> Invalid:
    """A refusal beside the field of the video."""
    return Invalid({"video": why})
