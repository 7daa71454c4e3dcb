"""Videos on Douyin against a simulator of its open platform: brought whole or in pieces, published once, reviewed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.base import (
    Attachment,
    ConnectorError,
    Done,
    Effect,
    ErrorKind,
    Outgoing,
    Pending,
    Uploaded,
    Uploading,
)
from connectors.douyin.client import DouyinConnector
from connectors.douyin.videos import piece_of
from connectors.http import Http
from connectors.videos import count
from tests.sims.douyin import LEAST_PIECE, Douyin, douyin
from tests.sims.faults import FaultProxy
from tests.sims.film import MB, TEXT, after, bring, digests, film, is_forgotten, peak_of_pieces, ready, sink, stumbled
from workflows.delivery.matching import Trace, find_match

COVER = Attachment("1.png", "image/png", b"\x89PNG\r\n\x1a\n" + b"0" * 50)


@pytest.fixture
def there() -> Iterator[Douyin]:
    with douyin() as state:
        yield state


@pytest.fixture
def hub() -> DouyinConnector:
    return DouyinConnector(Http(live=False))


@pytest.fixture
def out(tmp_path: Path) -> Outgoing:
    """A video of three pieces."""
    return Outgoing(TEXT, "k", form="video", video=film(tmp_path, 21 * MB))


async def test_a_video_is_brought_in_pieces_published_reviewed_and_found(
    hub: DouyinConnector, there: Douyin, out: Outgoing
) -> None:
    ref = there.ref()
    uploaded, done = await bring(hub, ref, out)
    assert uploaded.until is not None
    assert timedelta(hours=1) < uploaded.until - datetime.now(UTC) < timedelta(days=1), (
        "nobody says how long it is kept"
    )
    assert done == [0, 7 * MB, 14 * MB, 21 * MB]
    assert out.video is not None
    assert [there.parts["upload-0"][n][1] for n in (1, 2, 3)] == digests(out.video, piece_of(out.video))
    pending = await hub.publish(ref, replace(out, uploaded=uploaded.ref, attachments=(COVER,)))
    assert isinstance(pending, Pending)
    assert there.created == [{"video_id": "v0200f0", "text": TEXT, "custom_cover_image_url": "img1"}]
    assert isinstance(await hub.poll_job(ref, pending.job), Pending)
    start = datetime.now(UTC) - timedelta(minutes=1)
    match = find_match(Trace(out.text, "k", start), (await hub.find_own(ref, start, out)).items)
    assert match is not None
    there.works[0]["video_status"] = 5
    sent = await hub.poll_job(ref, pending.job)
    assert isinstance(sent, Done)
    assert sent.external_id == match.external_id == there.works[0]["item_id"]
    there.works[0]["video_status"] = 2
    with pytest.raises(ConnectorError) as caught:
        await hub.poll_job(ref, pending.job)
    assert "这条视频不适宜公开" in caught.value.human


async def test_without_the_right_to_look_a_video_counts_as_done_at_its_own_address(
    hub: DouyinConnector, there: Douyin, out: Outgoing
) -> None:
    brought = await ready(hub, there.ref(), out)
    done = await hub.publish(there.ref(works=""), brought)
    assert isinstance(done, Done)
    assert done.url == f"https://www.douyin.com/video/{there.works[0]['video_id']}"


async def test_a_small_file_goes_at_once_and_without_a_cover(
    hub: DouyinConnector, there: Douyin, tmp_path: Path
) -> None:
    out = Outgoing(TEXT, "k", form="video", video=film(tmp_path, 3 * MB))
    uploaded, done = await bring(hub, there.ref(), out)
    assert (done, there.films) == ([], {"v0200f0": 3 * MB})
    assert isinstance(await hub.publish(there.ref(), replace(out, uploaded=uploaded.ref)), Pending)
    assert "custom_cover_image_url" not in there.created[0]


@pytest.mark.parametrize("size", [10 * MB + 1, 10 * MB + 2, 20 * MB, 20 * MB + 1, 123_456_789, 500 * MB, 4096 * MB])
def test_no_piece_is_below_what_the_platform_takes(size: int, out: Outgoing) -> None:
    assert out.video is not None
    video = replace(out.video, size=size)
    last = size - (count(video, piece_of(video)) - 1) * piece_of(video)
    assert LEAST_PIECE <= last <= piece_of(video) <= 10 * MB


async def test_a_killed_upload_goes_on_where_it_was_and_a_piece_sent_twice_is_the_same(
    hub: DouyinConnector, there: Douyin, out: Outgoing
) -> None:
    state = await after(hub, there.ref(), out, 2)
    await hub.upload(there.ref(), out, state)
    await bring(hub, there.ref(), out, state)
    assert there.films == {"v0200f0": 21 * MB}


@pytest.mark.parametrize("fault", ["cut", "drop", "html", "truncate", "empty", "error"])
async def test_whatever_breaks_a_step_has_shown_nobody_anything_and_the_step_is_done_again(
    hub: DouyinConnector, there: Douyin, out: Outgoing, fault: str
) -> None:
    async with FaultProxy(there.base_url) as proxy:
        ref = replace(there.ref(), base_url=proxy.base_url)
        state = await stumbled(hub, ref, out, lambda: proxy.spoil(fault), steps=4)
        await bring(hub, ref, out, state)
    assert 21 * MB in there.films.values()
    assert there.works == []


async def test_an_upload_that_is_gone_on_the_way_is_told_and_begins_anew(
    hub: DouyinConnector, there: Douyin, out: Outgoing
) -> None:
    for steps in (2, 4):
        state = await after(hub, there.ref(), out, steps)
        there.parts.clear()
        with pytest.raises(ConnectorError) as caught:
            await hub.upload(there.ref(), out, state)
        assert caught.value.kind is ErrorKind.not_found
    state = await after(hub, there.ref(), out, 4)
    there.drops = 1
    for kind in (ErrorKind.transient, ErrorKind.not_found):
        with pytest.raises(ConnectorError) as caught:
            await hub.upload(there.ref(), out, state)
        assert caught.value.kind is kind
    await bring(hub, there.ref(), out)


async def test_a_refused_first_piece_is_no_upload_that_is_gone(
    hub: DouyinConnector, there: Douyin, out: Outgoing
) -> None:
    state = await after(hub, there.ref(), out, 1)
    there.codes = [2100005]
    with pytest.raises(ConnectorError) as caught:
        await hub.upload(there.ref(), out, state)
    assert caught.value.kind is ErrorKind.bug


async def test_a_video_the_platform_has_forgotten_is_told_as_such_and_nothing_went_out(
    hub: DouyinConnector, there: Douyin, out: Outgoing
) -> None:
    brought = await ready(hub, there.ref(), out)
    there.films.clear()
    for asked in (brought, out):
        await is_forgotten(hub, there.ref(), asked)
    assert there.works == []


async def test_a_lost_answer_is_perhaps_sent_and_a_lost_cover_is_not(
    hub: DouyinConnector, there: Douyin, out: Outgoing
) -> None:
    brought = await ready(hub, there.ref(), out)
    for asked, effect in ((replace(brought, attachments=(COVER,)), Effect.not_done), (brought, Effect.unknown)):
        there.drops = 1
        with pytest.raises(ConnectorError) as caught:
            await hub.publish(there.ref(), asked)
        assert caught.value.effect is effect
    assert len(there.works) == 1


def test_rules_are_told_beforehand(hub: DouyinConnector, there: Douyin, out: Outgoing) -> None:
    ref = there.ref()
    assert not hub.validate(ref, out)
    assert out.video is not None
    for odd, field in (
        (replace(out, video=None), "media"),
        (replace(out, attachments=(COVER, COVER)), "media"),
        (replace(out, text=""), "text"),
        (replace(out, text="字" * 1001), "text"),
        (replace(out, video=replace(out.video, seconds=901)), "media"),
        (replace(out, video=replace(out.video, size=4097 * MB)), "media"),
        (replace(out, form="pictures", attachments=(COVER,)), "media"),
    ):
        assert [problem.field for problem in hub.validate(ref, odd)] == [field], odd


async def test_what_a_person_publishes_needs_no_way_there(hub: DouyinConnector, there: Douyin, out: Outgoing) -> None:
    by_hand = replace(out, form="by_hand")
    assert await hub.upload(there.ref(), by_hand, {}) == Uploaded({})
    assert await hub.upload(there.ref(publish=""), replace(out, form=""), {}) == Uploaded({})
    assert there.asked == []
    with pytest.raises(ConnectorError) as caught:
        await hub.upload(there.ref(), replace(out, form="pictures"), {})
    assert caught.value.kind is ErrorKind.bug


async def test_a_piece_has_more_time_than_other_calls(there: Douyin, out: Outgoing) -> None:
    hasty = DouyinConnector(Http(live=False, total=0.8))
    async with FaultProxy(there.base_url) as proxy:
        ref = replace(there.ref(), base_url=proxy.base_url)
        state = await after(hasty, ref, out, 1)
        proxy.spoil("slow", 2)
        assert isinstance(await hasty.upload(ref, out, state), Uploading)
        with pytest.raises(ConnectorError) as caught:
            await hasty.upload(ref, out, {})
        assert caught.value.kind is ErrorKind.transient


async def test_a_large_file_never_stands_in_memory(hub: DouyinConnector, there: Douyin, tmp_path: Path) -> None:
    out = Outgoing(TEXT, "k", form="video", video=film(tmp_path, 60 * MB))
    async with sink({"data": {"error_code": 0}}) as host:
        peak = await peak_of_pieces(
            hub, replace(there.ref(), base_url=f"http://{host}"), out, 6, lambda n: {"upload_id": "u", "pieces": str(n)}
        )
    assert peak < 4 * MB
