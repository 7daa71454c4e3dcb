"""A video on a third-party Mastodon server: sent whole, waited for, shown by its status; never with other pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.base import (
    AccountRef,
    Attachment,
    ConnectorError,
    Done,
    ErrorKind,
    Outgoing,
    Uploaded,
    Uploading,
    Video,
)
from connectors.http import Http
from connectors.mastodon import media
from connectors.mastodon.client import MastodonConnector
from connectors.videos import Multipart
from tests.filming import filmed
from tests.sims.mastodon import MastodonProcess

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
REF = AccountRef(1, "mastodon", "号", "", "http://127.0.0.1:1")


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MastodonProcess]:
    server = MastodonProcess(tmp_path_factory.mktemp("mastodon-videos"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Video:
    path = filmed(tmp_path_factory.mktemp("film") / "film.mp4", seconds=1)
    return Video("汛情.mp4", "video/mp4", path, "0" * 64, path.stat().st_size, 1.0, 320, 240, "大坝泄洪")


@pytest.fixture
def connector() -> MastodonConnector:
    return MastodonConnector(Http(live=False, read=5.0, total=10.0))


async def test_a_video_is_brought_there_and_shown_by_its_status(
    process: MastodonProcess, connector: MastodonConnector, film: Video
) -> None:
    process.lift()
    process.reset()
    out = Outgoing("看汛情", "k1", video=film)
    assert connector.validate(process.ref(), out) == []
    state: dict[str, str] = {}
    for _ in range(5):
        answer = await connector.upload(process.ref(), out, state)
        if isinstance(answer, Uploaded):
            break
        state = dict(answer.state)
    assert isinstance(answer, Uploaded)
    done = await connector.publish(process.ref(), replace(out, uploaded=answer.ref))
    assert isinstance(done, Done)
    (shown,) = process.status(done.external_id)["media_attachments"]
    assert shown["description"] == "大坝泄洪"
    assert shown["id"] == answer.ref["media"]


async def test_a_video_the_server_still_works_on_is_asked_for(film: Video) -> None:
    asked: list[str] = []
    bodies: list[Multipart] = []

    async def call(account: AccountRef, method: str, path: str, body: Any = None, **given: Any) -> Any:
        asked.append(f"{method} {path}")
        bodies.extend([body] if body else [])
        return {"id": "7", "url": "https://files.example/7.mp4" if len(asked) == 3 else None}

    cover = Attachment("1.jpg", "image/jpeg", b"\xff\xd8\xff")
    out = Outgoing("文", "k", video=film, attachments=(cover,))
    first = await media.upload_video(call, REF, out, {}, NOW)
    assert first == Uploading({"media": "7"}, film.size, NOW + timedelta(seconds=5))
    second = await media.upload_video(call, REF, out, first.state, NOW)
    assert isinstance(second, Uploading)
    third = await media.upload_video(call, REF, out, second.state, NOW)
    assert third == Uploaded({"media": "7"}, NOW + timedelta(hours=20))
    assert asked == ["POST /api/v2/media", "GET /api/v1/media/7", "GET /api/v1/media/7"]
    (body,) = bodies
    assert body.form == {"description": "大坝泄洪"}
    assert [name for name, _ in body.beside] == ["thumbnail"]
    sent = b"".join([chunk async for chunk in body.chunks()])
    assert len(sent) == body.length
    assert sent.count(film.path.read_bytes()) == 1
    assert cover.data in sent


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(503, ErrorKind.transient), (422, ErrorKind.content_rejected), (413, ErrorKind.content_rejected)],
)
async def test_what_goes_wrong_on_the_way_is_named(
    process: MastodonProcess, connector: MastodonConnector, film: Video, fault: int, kind: ErrorKind
) -> None:
    process.lift()
    process.fault({"type": "status", "status": fault}, methods=("POST",), path="/api/v2/media")
    with pytest.raises(ConnectorError) as failed:
        await connector.upload(process.ref(), Outgoing("文", "k", video=film), {})
    process.lift()
    assert failed.value.kind is kind


def test_the_rules_of_a_server_are_told(connector: MastodonConnector) -> None:
    video = Video("a.mp4", "video/mp4", Path(), "0" * 64, 50 * 1024**2, 10, 1920, 1080)
    said = [one.text for one in connector.validate(REF, Outgoing("文", "k", video=video))]
    assert said == ["视频 50 MB，超过平台上限 40 MB，请压缩后重新上传"]
    learned = media.learned(
        {"media_attachments": {"video_size_limit": 10**8, "video_matrix_limit": 100}, "statuses": {}}
    )
    ref = replace(REF, options=learned)
    assert [one.text for one in connector.validate(ref, Outgoing("文", "k", video=video))] == [
        "视频画面 1920×1080 超过服务器上限，请导出为更小的尺寸"
    ]
    two = (Attachment("1.jpg", "image/jpeg", b""),) * 2
    small = replace(video, size=1000)
    assert len(connector.validate(REF, Outgoing("文", "k", video=small, attachments=two))) == 1
    assert connector.validate(REF, Outgoing("文", "k", video=small, attachments=two[:1])) == []
