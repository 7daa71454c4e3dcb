"""Videos on Bilibili against a simulator of its open platform: brought in pieces, submitted once, reviewed, removed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.base import (
    Attachment,
    Capability,
    ConnectorError,
    Done,
    Effect,
    ErrorKind,
    Granted,
    Outgoing,
    Pending,
    Uploading,
)
from connectors.bilibili.client import BilibiliConnector
from connectors.bilibili.videos import FORM, PIECE
from connectors.http import Http
from tests.sims.bilibili import Bilibili, bilibili
from tests.sims.faults import FaultProxy
from tests.sims.film import MB, TEXT, after, bring, digests, film, is_forgotten, peak_of_pieces, ready, sink, stumbled
from workflows.delivery.matching import Trace, find_match

COVER = Attachment("封面.png", "image/png", b"\x89PNG\r\n\x1a\n" + b"0" * 50)


@pytest.fixture
def there() -> Iterator[Bilibili]:
    with bilibili() as state:
        yield state


@pytest.fixture
def hub() -> BilibiliConnector:
    return BilibiliConnector(Http(live=False))


@pytest.fixture
def out(tmp_path: Path) -> Outgoing:
    """A video of two pieces and a bit."""
    return Outgoing(TEXT, "k", title="停水通知", form="video", video=film(tmp_path, 17 * MB))


async def test_a_video_is_brought_in_pieces_submitted_reviewed_counted_and_removed(
    hub: BilibiliConnector, there: Bilibili, out: Outgoing
) -> None:
    ref, start = there.ref(), datetime.now(UTC) - timedelta(minutes=1)
    uploaded, done = await bring(hub, ref, out)
    assert uploaded.until is not None
    assert timedelta(hours=1) < uploaded.until - datetime.now(UTC) < timedelta(days=1), (
        "nobody says how long it is kept"
    )
    assert done == [0, 8 * MB, 16 * MB, 17 * MB]
    (parts,) = there.parts.values()
    assert out.video is not None
    assert [parts[number][1] for number in (1, 2, 3)] == digests(out.video, PIECE)
    pending = await hub.publish(ref, replace(out, uploaded=uploaded.ref, attachments=(COVER,)))
    assert isinstance(pending, Pending)
    (sent,) = there.archives
    assert {name: sent[name] for name in ("title", "desc", "tid", "tag", "copyright", "cover")} == {
        "title": "停水通知", "desc": TEXT, "tid": 230, "tag": "政务,民生", "copyright": 1,
        "cover": "https://i0.hdslb.com/bfs/article/1.png",
    }  # fmt: skip
    assert isinstance(await hub.poll_job(ref, pending.job), Pending)
    own = await hub.find_own(ref, start, out)
    match = find_match(Trace(out.text, "k", start), own.items)
    assert match is not None
    assert own.complete
    sent["addit_info"]["state"] = 0
    done_now = await hub.poll_job(ref, pending.job)
    assert isinstance(done_now, Done)
    assert done_now.external_id == match.external_id == sent["resource_id"]
    assert done_now.url == f"https://www.bilibili.com/video/{sent['resource_id']}"
    (figures,) = await hub.metrics(ref, [done_now.external_id])
    assert figures.reads == 7
    assert await hub.exists(ref, done_now.external_id)
    await hub.delete(ref, done_now.external_id)
    assert not await hub.exists(ref, done_now.external_id)
    await hub.delete(ref, done_now.external_id)


async def test_a_killed_upload_goes_on_where_it_was_and_a_piece_sent_twice_is_the_same(
    hub: BilibiliConnector, there: Bilibili, out: Outgoing
) -> None:
    state = await after(hub, there.ref(), out, 2)
    await hub.upload(there.ref(), out, state)
    await bring(hub, there.ref(), out, state)
    assert len(there.parts) == 1
    assert there.asked.count("/video/v2/part/upload") == 4
    assert there.joined == {"upload-0": 17 * MB}


@pytest.mark.parametrize("fault", ["cut", "drop", "html", "truncate", "empty", "error"])
async def test_whatever_breaks_a_step_has_shown_nobody_anything_and_the_step_is_done_again(
    hub: BilibiliConnector, there: Bilibili, out: Outgoing, fault: str
) -> None:
    async with FaultProxy(there.base_url) as proxy:
        ref = replace(there.ref(), base_url=proxy.base_url)
        state = await stumbled(hub, ref, out, lambda: proxy.spoil(fault), steps=4)
        await bring(hub, ref, out, state)
    assert 17 * MB in there.joined.values()
    assert there.archives == []


async def test_a_token_that_dies_on_the_way_is_told_and_the_upload_begins_anew(
    hub: BilibiliConnector, there: Bilibili, out: Outgoing
) -> None:
    for steps in (2, 4):
        state = await after(hub, there.ref(), out, steps)
        there.parts.clear()
        with pytest.raises(ConnectorError) as caught:
            await hub.upload(there.ref(), out, state)
        assert caught.value.kind is ErrorKind.not_found
        assert "upload-" not in str(caught.value)
        await bring(hub, there.ref(), out)


async def test_pieces_joined_before_anybody_heard_of_it_are_brought_anew(
    hub: BilibiliConnector, there: Bilibili, out: Outgoing
) -> None:
    state = await after(hub, there.ref(), out, 4)
    there.drops = 1
    with pytest.raises(ConnectorError) as caught:
        await hub.upload(there.ref(), out, state)
    assert caught.value.kind is ErrorKind.transient
    with pytest.raises(ConnectorError) as caught:
        await hub.upload(there.ref(), out, state)
    assert caught.value.kind is ErrorKind.not_found


async def test_what_is_wrong_with_the_file_or_the_account_is_no_reason_to_bring_it_again(
    hub: BilibiliConnector, there: Bilibili, out: Outgoing
) -> None:
    state = await after(hub, there.ref(), out, 4)
    for code, kind in ((127102, ErrorKind.content_rejected), (127011, ErrorKind.permission), (4009, None)):
        there.codes = [code]
        with pytest.raises(ConnectorError) as caught:
            await hub.upload(there.ref(), out, state)
        assert caught.value.kind is (kind or ErrorKind.rate_limited)
        assert caught.value.effect is Effect.not_done


async def test_a_video_the_platform_has_forgotten_is_told_as_such_and_nothing_went_out(
    hub: BilibiliConnector, there: Bilibili, out: Outgoing
) -> None:
    brought = await ready(hub, there.ref(), out)
    there.parts.clear()
    for asked in (brought, out):
        await is_forgotten(hub, there.ref(), asked)
    assert there.archives == []


async def test_a_lost_answer_is_perhaps_sent_and_a_lost_cover_is_not(
    hub: BilibiliConnector, there: Bilibili, out: Outgoing
) -> None:
    brought = await ready(hub, there.ref(), out)
    there.drops = 1
    with pytest.raises(ConnectorError) as caught:
        await hub.publish(there.ref(), replace(brought, attachments=(COVER,)))
    assert caught.value.effect is Effect.not_done
    assert there.archives == []
    there.drops = 1
    with pytest.raises(ConnectorError) as caught:
        await hub.publish(there.ref(), brought)
    assert caught.value.effect is Effect.unknown
    own = await hub.find_own(there.ref(), datetime.now(UTC) - timedelta(minutes=1), out)
    assert [one.text for one in own.items] == [TEXT]


async def test_a_refusal_says_why_also_where_no_reason_is_given(
    hub: BilibiliConnector, there: Bilibili, out: Outgoing
) -> None:
    pending = await hub.publish(there.ref(), await ready(hub, there.ref(), out))
    assert isinstance(pending, Pending)
    for told, word in (
        ({"state": -2, "state_desc": "被打回", "reject_reason": "含有联系方式"}, "含有联系方式"),
        ({"state": -4, "state_desc": "已锁定", "reject_reason": ""}, "已锁定"),
    ):
        there.archives[0]["addit_info"] = told
        with pytest.raises(ConnectorError) as caught:
            await hub.poll_job(there.ref(), pending.job)
        assert caught.value.kind is ErrorKind.content_rejected
        assert word in caught.value.human


async def test_the_list_proves_only_when_it_is_whole_or_seen_to_be_newest_first(
    hub: BilibiliConnector, there: Bilibili, out: Outgoing
) -> None:
    brought = await ready(hub, there.ref(), out)
    await hub.publish(there.ref(), brought)
    sent = there.archives[0]
    sent["ctime"] -= 7200
    there.archives = [{**sent, "resource_id": f"BV1yy{number:07}"} for number in range(60)]
    since = datetime.now(UTC) - timedelta(hours=1)
    assert (await hub.find_own(there.ref(), since, out)).complete
    there.archives[3]["ctime"] += 600
    assert not (await hub.find_own(there.ref(), since, out)).complete, "not newest first, and not all"


def test_rules_are_told_beforehand(hub: BilibiliConnector, there: Bilibili, out: Outgoing, tmp_path: Path) -> None:
    ref = there.ref()
    assert [form.name for form in hub.post_forms(ref)] == ["article", "video", "by_hand"]
    assert not hub.validate(ref, out)
    assert out.video is not None
    for odd, field in (
        (replace(out, video=None), "media"),
        (replace(out, title=""), "title"),
        (replace(out, title="字" * 80), "title"),
        (replace(out, text=""), "text"),
        (replace(out, text="字" * 250), "text"),
        (replace(out, video=replace(out.video, size=4 * 1024**3 + 1)), "media"),
        (replace(out, video=replace(out.video, seconds=5 * 3600)), "media"),
        (replace(out, attachments=(COVER, COVER)), "media"),
        (replace(out, form="article", text="字" * 200), "media"),
    ):
        assert [problem.field for problem in hub.validate(ref, odd)] == [field], odd


def test_without_a_category_tags_or_the_right_a_person_publishes(hub: BilibiliConnector, there: Bilibili) -> None:
    for lacking in ({"video_category": ""}, {"tags": " ,"}, {"scopes": "USER_INFO,ATC_BASE"}, {"tags": "标签" * 100}):
        ref = there.ref(**lacking)
        assert FORM not in hub.post_forms(ref)
        assert "视频" in hub.capabilities(ref)[Capability.publish].reason
    only = there.ref(category="")
    assert [form.name for form in hub.post_forms(only)] == ["video", "by_hand"]
    assert not hub.limits(only).by_hand
    assert hub.capabilities(only)[Capability.delete].granted is Granted.yes
    assert hub.limits(there.ref(category="", tags="")).by_hand


async def test_a_piece_has_more_time_than_other_calls(there: Bilibili, out: Outgoing) -> None:
    hasty = BilibiliConnector(Http(live=False, total=0.8))
    async with FaultProxy(there.base_url) as proxy:
        ref = replace(there.ref(), base_url=proxy.base_url)
        state = await after(hasty, ref, out, 1)
        proxy.spoil("slow", 2)
        assert isinstance(await hasty.upload(ref, out, state), Uploading)
        with pytest.raises(ConnectorError) as caught:
            await hasty.upload(ref, out, {})
        assert caught.value.kind is ErrorKind.transient


async def test_a_large_file_never_stands_in_memory(hub: BilibiliConnector, there: Bilibili, tmp_path: Path) -> None:
    out = Outgoing(TEXT, "k", title="停水", form="video", video=film(tmp_path, 60 * MB))
    async with sink({"code": 0, "data": {}}) as host:
        peak = await peak_of_pieces(
            hub, replace(there.ref(), base_url=f"http://{host}"), out, 8, lambda n: {"token": "t", "pieces": str(n)}
        )
    assert peak < 4 * MB
