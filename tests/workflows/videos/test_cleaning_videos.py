"""Videos on their way in: what a phone notes stays behind, what cannot be played is refused in words, all ends soon."""

from __future__ import annotations

import asyncio
import hashlib
import io
import struct
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from random import Random

import av
import numpy as np
import pytest
from PIL import Image

from hub.errors import Invalid
from tests.filming import PLACE, filmed, turned
from workflows.videos import cleaning
from workflows.videos.cleaning import Looked, clean, frame


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filmed(tmp_path_factory.mktemp("film") / "phone.mov")


async def cleaned(source: Path) -> tuple[Looked, Path]:
    target = source.with_name(f"{source.stem}-clean.mp4")
    return await clean(source, target), target


async def refused(source: Path) -> str:
    """Why, after making sure that nothing was left behind."""
    with pytest.raises(Invalid) as caught:
        await cleaned(source)
    assert not source.with_name(f"{source.stem}-clean.mp4").exists()
    assert not source.with_name(f"{source.stem}-clean.jpg").exists()
    return caught.value.problems["video"]


async def test_only_pictures_and_sound_remain(film: Path) -> None:
    assert PLACE.encode() in film.read_bytes()
    looked, made = await cleaned(film)
    assert (looked.seconds, looked.width, looked.height, looked.codec, looked.silent) == (2.0, 320, 240, "H.264", False)
    data = made.read_bytes()
    for told in (PLACE.encode(), b"30.27", b"SecretPhone", b"2026-11-27", b"Lavf"):
        assert told not in data
    assert data.index(b"moov") < data.index(b"mdat"), "players begin before all of it is there"
    with av.open(str(made)) as container:
        assert [one.type for one in container.streams] == ["video", "audio"]
        assert not container.metadata.get("location")
        assert sum(1 for _ in container.decode(video=0)) == 20
    with Image.open(io.BytesIO(looked.poster)) as poster:
        assert poster.size == (320, 240)


async def test_the_same_file_is_the_same_video(film: Path, tmp_path: Path) -> None:
    made = [await cleaned_into(film, tmp_path / f"{number}.mp4") for number in range(2)]
    assert made[0] == made[1]


async def cleaned_into(source: Path, target: Path) -> str:
    await clean(source, target)
    return hashlib.sha256(target.read_bytes()).hexdigest()


async def test_a_film_held_upright_stays_upright(tmp_path: Path) -> None:
    looked, made = await cleaned(turned(filmed(tmp_path / "upright.mp4", sound="")))
    assert (looked.width, looked.height, looked.silent) == (240, 320, True)
    with Image.open(io.BytesIO(looked.poster)) as poster:
        assert poster.size == (240, 320)
        left, right = poster.convert("L").getpixel((20, 160)), poster.convert("L").getpixel((220, 160))
        assert abs(left - right) > 100, "its white half stands at a side"
    again = await cleaned(made)
    assert again[0].width == 240


async def test_h265_is_taken(tmp_path: Path) -> None:
    looked, _ = await cleaned(filmed(tmp_path / "h265.mp4", codec="libx265"))
    assert looked.codec == "H.265"


async def test_a_moment_as_a_picture(film: Path, tmp_path: Path) -> None:
    _, made = await cleaned(film)
    first, later = [await frame(made, at, tmp_path / "frame.jpg") for at in (0.0, 1.5)]
    assert first != later
    with Image.open(io.BytesIO(later)) as picture:
        assert picture.size == (320, 240)
        assert picture.getpixel((10, 10))[0] > 200  # type: ignore[index]
    assert await frame(made, 9999, tmp_path / "frame.jpg")
    assert not (tmp_path / "frame.jpg").exists()


@pytest.mark.parametrize(
    ("codec", "sound", "name", "word"),
    [
        ("mpeg4", "aac", "old.mp4", "H.264"),
        ("libx264", "ac3", "loud.mov", "AAC"),
        ("libx264", "aac", "obs.mkv", "MP4"),
        ("libx264", "", "camera.avi", "MP4"),
        ("libx264", "aac", "dvr.ts", "MP4"),
    ],
)
async def test_what_platforms_do_not_take_is_refused_with_the_way_out(
    tmp_path: Path, codec: str, sound: str, name: str, word: str
) -> None:
    said = await refused(filmed(tmp_path / name, codec=codec, sound=sound))
    assert word in said
    assert "导出" in said


async def test_sound_alone_is_no_film(tmp_path: Path) -> None:
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as out:
        sound = out.add_stream("aac", rate=44100)
        for number in range(20):
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            silence.sample_rate, silence.pts = 44100, number * 1024
            out.mux(sound.encode(silence))
        out.mux(sound.encode(None))
    assert "不是能用的视频" in await refused(path)


def damaged(film: Path, kind: str) -> bytes:
    """What strangers send as a video."""
    good, noise = film.read_bytes(), Random(3)
    match kind:
        case "nothing":
            return b""
        case "noise":
            return noise.randbytes(400_000)
        case "noise with a head":
            return b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + noise.randbytes(400_000)
        case "page":
            return b"<!doctype html><script>alert(1)</script>" * 1000
        case "archive":
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("a.mp4", good)
            return out.getvalue()
        case "playlist":
            return b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
        case "list of files":
            return b"ffconcat version 1.0\nfile /etc/passwd\n"
        case "index missing":
            return good.replace(b"moov", b"junk")
        case "boxes in boxes":
            box = b""
            for _ in range(5000):
                box = struct.pack(">I", len(box) + 8) + b"moov" + box
            return b"\0\0\0\x10ftypmp42\0\0\0\0" + box
        case "endless sample table":
            data = bytearray(good)
            for name, at in ((b"stsz", 8), (b"stts", 12)):
                place = data.find(name)
                data[place + at - 4 : place + at] = struct.pack(">I", 10**9)
                data[place + at : place + at + 4] = struct.pack(">I", 10**9)
            return bytes(data)
        case "box of four gigabytes":
            return b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\xff\xff\xff\xf0moov" + noise.randbytes(1000)
    raise AssertionError(kind)


@pytest.mark.parametrize(
    "kind",
    [
        "nothing", "noise", "noise with a head", "page", "archive", "playlist", "list of files", "index missing",
        "boxes in boxes", "endless sample table", "box of four gigabytes",
    ],
)  # fmt: skip
async def test_whatever_it_is_it_ends_soon_and_in_words(film: Path, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "sent.mp4"
    path.write_bytes(damaged(film, kind))
    began = time.monotonic()
    assert len(await refused(path)) > 4
    assert time.monotonic() - began < 20


async def test_a_file_that_was_not_copied_whole_is_told(film: Path, tmp_path: Path) -> None:
    _, made = await cleaned(film)
    path = tmp_path / "cut.mp4"
    path.write_bytes(made.read_bytes()[: int(made.stat().st_size * 0.6)])
    assert "不完整" in await refused(path)


@pytest.mark.parametrize("seed", range(12))
async def test_flipped_bytes_never_break_the_hub(film: Path, tmp_path: Path, seed: int) -> None:
    chance, data = Random(seed), bytearray(film.read_bytes())
    for _ in range(40):
        data[chance.randrange(len(data))] = chance.randrange(256)
    path = tmp_path / "flipped.mp4"
    path.write_bytes(data)
    try:
        looked, made = await cleaned(path)
    except Invalid:
        return
    else:
        assert looked.seconds < cleaning.LONGEST_SECONDS
        assert made.stat().st_size < 2 * len(data) + 100_000


async def test_a_duration_that_lies_is_not_believed(film: Path, tmp_path: Path) -> None:
    _, made = await cleaned(film)
    data = bytearray(made.read_bytes())
    at = data.find(b"stts")
    data[at + 16 : at + 20] = struct.pack(">I", 10**9)  # each frame stands for a day
    path = tmp_path / "long.mp4"
    path.write_bytes(data)
    assert "小时" in await refused(path)


async def test_what_takes_too_long_is_killed(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning, "WALL_SECONDS", 0.001)
    assert "过长" in await refused(film)


async def test_too_little_memory_is_a_refusal(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning, "MEMORY", 60 * 1024 * 1024)
    assert await refused(film)


async def test_whoever_gives_up_waiting_ends_the_program(film: Path) -> None:
    task = asyncio.create_task(cleaned(film))
    await asyncio.sleep(0.03)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not film.with_name("phone-clean.jpg").exists()


def test_the_hub_itself_never_loads_the_reader() -> None:
    """Its libraries take dozens of megabytes, and what they read strangers made."""
    code = "import sys, workflows.worker, web.app; sys.exit('av' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
