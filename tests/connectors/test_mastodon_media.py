"""Posts with pictures on a third-party Mastodon server, over real HTTP."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL import Image

from connectors.base import AccountRef, Attachment, ConnectorError, Done, Effect, Kind, Outgoing
from connectors.http import Http
from connectors.mastodon import media
from connectors.mastodon.client import MastodonConnector
from tests.sims.mastodon import MastodonProcess


def picture(colour: str, description: str = "") -> Attachment:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, "JPEG")
    return Attachment(f"{colour}.jpg", "image/jpeg", out.getvalue(), description, 64, 48)


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MastodonProcess]:
    server = MastodonProcess(tmp_path_factory.mktemp("mastodon-media"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def server(process: MastodonProcess) -> MastodonProcess:
    process.lift()
    process.reset()
    return process


@pytest.fixture
def connector() -> MastodonConnector:
    return MastodonConnector(Http(live=False, read=5.0, total=10.0))


async def test_a_post_shows_its_pictures_in_order_with_their_words(
    server: MastodonProcess, connector: MastodonConnector
) -> None:
    pictures = (picture("red", "一面红旗"), picture("blue", "一片蓝天"))
    done = await connector.publish(server.ref(), Outgoing("两张图", "k1", attachments=pictures))
    assert isinstance(done, Done)
    shown = server.status(done.external_id)["media_attachments"]
    assert [one["description"] for one in shown] == ["一面红旗", "一片蓝天"]
    assert all(one["type"] == "image" for one in shown)


async def test_what_goes_wrong_with_a_picture_leaves_the_post_unsent(
    server: MastodonProcess, connector: MastodonConnector
) -> None:
    server.fault({"type": "status", "status": 503}, methods=("POST",), path="/api/v2/media")
    with pytest.raises(ConnectorError) as failed:
        await connector.publish(server.ref(), Outgoing("带图", "k2", attachments=(picture("red"),)))
    assert failed.value.effect is Effect.not_done
    found = await connector.find_own(server.ref(), datetime.now(UTC) - timedelta(minutes=5), Outgoing("带图", "k2"))
    assert found.items == ()


async def test_a_picture_the_server_still_works_on_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "WAITS", (0.0, 0.0))
    asked: list[str] = []

    async def call(account: AccountRef, method: str, path: str, **given: Any) -> Any:
        asked.append(f"{method} {path}")
        return {"id": "7", "url": "https://files.example/7.jpg" if len(asked) == 3 else None}

    ref = AccountRef(1, "mastodon", "号", "", "http://127.0.0.1:1")
    assert await media.upload(call, ref, [picture("red")]) == ["7"]
    assert asked == ["POST /api/v2/media", "GET /api/v1/media/7", "GET /api/v1/media/7"]
    asked[:] = [""] * 3  # whatever is asked from now on, it is never ready
    with pytest.raises(ConnectorError):
        await media.upload(call, ref, [picture("red")])


def test_five_pictures_words_without_end_and_pictures_of_answers_are_refused(connector: MastodonConnector) -> None:
    ref = AccountRef(1, "mastodon", "号", "", "http://127.0.0.1:1", options={"description_length": 10})
    five = tuple(picture("red") for _ in range(5))
    assert [p.text for p in connector.validate(ref, Outgoing("文", "k", attachments=five))] == [
        "「嘟文」最多 4 张图片，现在 5 张"
    ]
    wordy = (picture("red", "很长的说明" * 3),)
    assert [p.text for p in connector.validate(ref, Outgoing("文", "k", attachments=wordy))] == ["图片说明最多 10 字"]
    answer = Outgoing("文", "k", target_id="1", target_kind=Kind.comment, attachments=(picture("red"),))
    assert [p.field for p in connector.validate(ref, answer)] == ["media"]


async def test_the_server_says_how_many_pictures_it_takes(
    server: MastodonProcess, connector: MastodonConnector
) -> None:
    health = await connector.check(server.ref())
    (form,) = connector.post_forms(server.ref(**health.learned))
    assert form.pictures == health.learned["max_pictures"] == 4
    assert form.picture_bytes == health.learned["picture_bytes"]
