"""A video on its way out: its rules in words, its file in pieces, bodies that are read while they are sent."""

from __future__ import annotations

import asyncio
import hashlib
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartParser

from connectors.base import Attachment, ConnectorError, ErrorKind, Outgoing, PostForm, Video, VideoRules
from connectors.http import Http
from connectors.videos import Multipart, Piece, against_video, count, piece, whole

MB = 1024 * 1024


def video(path: Path = Path("nowhere"), size: int = 10 * MB, seconds: float = 60, mime: str = "video/mp4") -> Video:
    return Video("防汛.mp4", mime, path, "0" * 64, size, seconds, 1920, 1080)


@pytest.fixture
def large(tmp_path: Path) -> Video:
    """A file of 40 MB."""
    path = tmp_path / "large"
    with path.open("wb") as file:
        for number in range(40):
            file.write(bytes([number]) * MB)
    return video(path, 40 * MB)


FORM = PostForm("", "视频", 1000, pictures=1, video=VideoRules(most_bytes=20 * MB, most_seconds=90, least_seconds=3))
PICTURE = Attachment("1.jpg", "image/jpeg", b"")


@pytest.mark.parametrize(
    ("form", "made", "pictures", "word"),
    [
        (replace(FORM, video=None), video(), 0, "不能带视频"),
        (replace(FORM, video=VideoRules(is_needed=True)), None, 0, "要有视频"),
        (FORM, None, 0, ""),
        (FORM, video(), 1, ""),
        (FORM, video(mime="video/quicktime"), 0, "格式"),
        (FORM, video(size=20 * MB + 1), 0, "视频 21 MB，超过平台上限 20 MB"),
        (FORM, video(seconds=91), 0, "视频长 1:31，超过平台上限 1:30"),
        (FORM, video(seconds=2.2), 0, "至少 0:03"),
        (replace(FORM, pictures=9), video(), 2, "最多 1 张图片"),
        (replace(FORM, pictures=9, video=VideoRules(beside_pictures=True)), video(), 2, ""),
    ],
)
def test_the_rules_of_a_form_are_told_in_words(form: PostForm, made: Video | None, pictures: int, word: str) -> None:
    problems = against_video(Outgoing("文", "k", video=made, attachments=(PICTURE,) * pictures), form)
    assert [one for one in problems if word and word in one.text] if word else not problems, problems
    assert len(problems) <= 1


async def test_pieces_are_the_file_and_nothing_twice(large: Video) -> None:
    total = hashlib.sha256()
    numbers = count(large, 7 * MB)
    for number in range(numbers):
        total.update(await piece(large, number, 7 * MB).read())
    assert numbers == 6
    assert total.hexdigest() == hashlib.sha256(large.path.read_bytes()).hexdigest()


async def test_a_file_that_is_gone_or_short_is_told(tmp_path: Path) -> None:
    short = tmp_path / "short"
    short.write_bytes(b"12")
    for path in (short, tmp_path / "gone"):
        with pytest.raises(ConnectorError) as caught:
            await Piece(path, 0, 3).read()
        assert caught.value.kind is ErrorKind.transient
        assert "磁盘" in caught.value.human


@asynccontextmanager
async def taking(kept: list[tuple[dict[str, str], int, bytes, str]]) -> AsyncIterator[str]:
    """A server that keeps of every request the head, the length, the start of the body and its SHA-256."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await read(reader, writer)
        finally:
            writer.close()
            ended.set()

    async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[1:]
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in head if line)}
        left, start, total = int(fields["content-length"]), b"", hashlib.sha256()
        length = left
        while left:
            chunk = await reader.read(min(left, 65536))
            if not chunk:
                break
            start = start or chunk
            total.update(chunk)
            left -= len(chunk)
        kept.append((fields, length, start, total.hexdigest()))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()

    ended = asyncio.Event()
    server = await asyncio.start_server(one, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        await ended.wait()


async def test_a_large_file_goes_out_whole_and_never_stands_in_memory(large: Video) -> None:
    kept: list[tuple[dict[str, str], int, bytes, str]] = []
    async with taking(kept) as url:
        tracemalloc.start()
        answer = await Http(False).call("PUT", url, content=whole(large), write=True, seconds=60)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert answer.ok
    fields, length, _, digest = kept[0]
    assert (length, digest) == (40 * MB, hashlib.sha256(large.path.read_bytes()).hexdigest())
    assert "transfer-encoding" not in fields
    assert peak < 8 * MB


async def test_a_form_with_a_file_is_read_by_anothers_parser(tmp_path: Path) -> None:
    path = tmp_path / "small"
    path.write_bytes(b"\x00\r\n--x" * 1000)
    body = Multipart("video", Piece(path, 4, 300), '防"汛\r\n.mp4', form={"text": "路灯 & 井盖"})
    sent = b"".join([chunk async for chunk in body.chunks()])
    assert len(sent) == body.length

    async def stream() -> AsyncIterator[bytes]:
        yield sent

    form = await MultiPartParser(Headers({"content-type": body.content_type}), stream()).parse()  # type: ignore[arg-type]
    assert form["text"] == "路灯 & 井盖"
    assert await form["video"].read() == path.read_bytes()[4:304]  # type: ignore[union-attr]
    await form.close()


async def test_a_file_that_breaks_off_while_it_is_sent_is_told(tmp_path: Path) -> None:
    path = tmp_path / "short"
    path.write_bytes(b"x" * MB)
    async with taking([]) as url:
        with pytest.raises(ConnectorError) as caught:
            await Http(False).call("PUT", url, content=Piece(path, 0, 2 * MB), write=True)
    assert caught.value.code == "short file"
