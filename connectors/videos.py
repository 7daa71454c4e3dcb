"""The video of a post on its way out: rules that are the same everywhere, and its file read in pieces.

A file is read in a thread, a little at a time, so that hundreds of megabytes neither stand in memory nor hold up
anything else.
"""

from __future__ import annotations

import asyncio
import io
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from connectors.base import (
    Attachment,
    ConnectorError,
    ErrorKind,
    Outgoing,
    PostForm,
    Problem,
    Video,
    VideoRules,
)

CHUNK = 256 * 1024
# One request with a piece of a file, however slow the line: the engine waits a little longer for a step.
PIECE_SECONDS = 300.0
UNREADABLE = "视频文件读不出来，请管理员检查数据目录所在的磁盘"
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Piece:
    """``length`` bytes of a file from ``offset`` on; a body for :meth:`connectors.http.Http.call`.

    :class:`ConnectorError` when the file does not have them.
    """

    path: Path = field(repr=False)
    offset: int
    length: int

    async def read(self) -> bytes:
        """All of it: for pieces of a few megabytes."""
        return b"".join([chunk async for chunk in self.chunks()])

    async def chunks(self) -> AsyncIterator[bytes]:
        """What is sent, a little at a time."""
        at, end = self.offset, self.offset + self.length
        while at < end:
            chunk = await asyncio.to_thread(_read, self.path, at, min(CHUNK, end - at))
            if not chunk:
                raise ConnectorError(ErrorKind.transient, UNREADABLE, code="short file")
            at += len(chunk)
            yield chunk


@dataclass(frozen=True, slots=True)
class Multipart:
    """A form with one file that is read while it is sent: a body for :meth:`connectors.http.Http.call`.

    Send its ``content_type`` along as a header. ``name``: of the field; ``filename`` as the platform shall see it;
    ``beside``: small files that go with it, each with the name of its field.
    """

    name: str
    piece: Piece
    filename: str = "video.mp4"
    mime: str = "video/mp4"
    form: Mapping[str, str] = field(default_factory=dict)
    beside: Sequence[tuple[str, Attachment]] = field(default=(), repr=False)
    boundary: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def content_type(self) -> str:
        """The header that goes with it."""
        return f"multipart/form-data; boundary={self.boundary}"

    @property
    def length(self) -> int:
        """Of the whole body in bytes."""
        return len(self._head()) + self.piece.length + len(self._tail())

    async def chunks(self) -> AsyncIterator[bytes]:
        """What is sent, a little at a time."""
        yield self._head()
        async for chunk in self.piece.chunks():
            yield chunk
        yield self._tail()

    def _head(self) -> bytes:
        out = io.BytesIO()
        for name, value in self.form.items():
            out.write(self._part(f"name={_quoted(name)}", "") + f"{value}\r\n".encode())
        for name, one in self.beside:
            out.write(self._part(f"name={_quoted(name)}; filename={_quoted(one.name)}", one.mime) + one.data + b"\r\n")
        out.write(self._part(f"name={_quoted(self.name)}; filename={_quoted(self.filename)}", self.mime))
        return out.getvalue()

    def _part(self, named: str, mime: str) -> bytes:
        kind = f"Content-Type: {mime}\r\n" if mime else ""
        return f"--{self.boundary}\r\nContent-Disposition: form-data; {named}\r\n{kind}\r\n".encode()

    def _tail(self) -> bytes:
        return f"\r\n--{self.boundary}--\r\n".encode()


def whole(video: Video) -> Piece:
    """All of a video's file."""
    return Piece(video.path, 0, video.size)


def piece(video: Video, number: int, most: int) -> Piece:
    """The ``number``-th piece (from 0) of a video cut into pieces of ``most`` bytes; the last may be shorter."""
    start = number * most
    return Piece(video.path, start, max(0, min(most, video.size - start)))


def count(video: Video, most: int) -> int:
    """How many pieces of ``most`` bytes a video has."""
    return max(1, -(-video.size // most))


def against_video(out: Outgoing, form: PostForm) -> list[Problem]:
    """What keeps the video of ``out`` (or its absence) from going out in this form. The file is not needed."""
    rules, video = form.video, out.video
    if video is None:
        is_missing = rules is not None and rules.is_needed
        return [Problem("media", f"「{form.label}」要有视频")] if is_missing else []
    if rules is None:
        return [Problem("media", f"「{form.label}」不能带视频，请换一种形式，或在这个账号下选「不带视频」")]
    return [Problem("media", text) for text in [*_against_file(video, rules), *_against_pictures(out, rules, form)]]


def _against_file(video: Video, rules: VideoRules) -> list[str]:
    said = []
    if video.mime not in rules.types:
        said.append(f"平台不接收这种格式的视频（{video.mime}）")
    if video.size > rules.most_bytes:
        size = -(-video.size // MEGABYTE)
        said.append(f"视频 {size} MB，超过平台上限 {rules.most_bytes // MEGABYTE} MB，请压缩后重新上传")
    if video.seconds > rules.most_seconds:
        said.append(f"视频长 {_span(video.seconds)}，超过平台上限 {_span(rules.most_seconds)}，请剪短后重新上传")
    if video.seconds < rules.least_seconds:
        said.append(f"视频长 {_span(video.seconds)}，平台要求至少 {_span(rules.least_seconds)}")
    return said


def _against_pictures(out: Outgoing, rules: VideoRules, form: PostForm) -> list[str]:
    room = form.pictures if rules.beside_pictures else min(1, form.pictures)
    if len(out.attachments) <= room or len(out.attachments) > form.pictures:
        return []  # more than the form takes at all is told by the rules about pictures
    return [f"「{form.label}」带视频时最多 1 张图片（作视频封面），现在 {len(out.attachments)} 张"]


def _span(seconds: float) -> str:
    minutes, rest = divmod(max(1, round(seconds)), 60)
    return (f"{minutes} 分 {rest} 秒" if rest else f"{minutes} 分钟") if minutes else f"{rest} 秒"


def _read(path: Path, at: int, length: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(at)
            return file.read(length)
    except OSError:
        raise ConnectorError(ErrorKind.transient, UNREADABLE, code="file") from None


def _quoted(text: str) -> str:
    """As browsers write it: what would end the value or the line is escaped."""
    return '"' + text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A") + '"'
