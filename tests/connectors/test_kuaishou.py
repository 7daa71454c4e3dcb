"""Kuaishou against a simulator of its open platform: access, videos in pieces, review, figures, pushes, codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.base import (
    Accept,
    Attachment,
    ByHand,
    Capability,
    ConnectorError,
    Done,
    Effect,
    ErrorKind,
    Granted,
    Kind,
    NoticeKind,
    Outgoing,
    Pending,
    Reject,
    Uploaded,
    Uploading,
)
from connectors.http import Http
from connectors.kuaishou.client import KuaishouConnector
from connectors.kuaishou.errors import CODES, MAYBE_DONE, NO_UPLOAD
from connectors.kuaishou.videos import PIECE
from tests.sims.faults import FaultProxy
from tests.sims.film import MB, TEXT, after, bring, digests, film, is_forgotten, peak_of_pieces, ready, sink, stumbled
from tests.sims.kuaishou import OPEN_ID, Kuaishou, kuaishou
from workflows.delivery.matching import Trace, find_match

COVER = Attachment("1.jpg", "image/jpeg", b"\xff\xd8\xff" + b"0" * 50)


@pytest.fixture
def there() -> Iterator[Kuaishou]:
    with kuaishou() as state:
        yield state


@pytest.fixture
def hub() -> KuaishouConnector:
    return KuaishouConnector(Http(live=False))


@pytest.fixture
def out(tmp_path: Path) -> Outgoing:
    """A video of two pieces and a bit."""
    return Outgoing(TEXT, "k", attachments=(COVER,), video=film(tmp_path, 17 * MB))


def chinese(text: str) -> bool:
    return any("\u4e00" <= char <= "\u9fff" for char in text)


# access ---------------------------------------------------------------------------------------------------------------


async def test_a_person_grants_access_for_what_the_app_may(hub: KuaishouConnector, there: Kuaishou) -> None:
    ref = there.ref()
    url = hub.authorise_url(ref, "https://hub.example.gov.cn/back", "s")
    assert url.startswith(f"{there.base_url}/oauth2/authorize?app_id=ks700&scope=user_info%2Cuser_video_publish")
    assert "user_video_delete" in url
    assert "user_video_delete" not in hub.authorise_url(there.ref(delete=""), "b", "s")
    assert hub.authorise_url(replace(ref, options={}), "b", "s") == ""
    fresh = await hub.exchange(replace(ref, external_id=""), "b", {"code": "good"})
    assert (fresh.account_id, fresh.account_name) == (OPEN_ID, "临江发布")
    assert fresh.expires_at is not None
    assert timedelta(hours=47) < fresh.expires_at - datetime.now(UTC) <= timedelta(hours=48)
    for query, ask in (({}, ref), ({"code": "used"}, ref), ({"code": "good"}, replace(ref, external_id="another"))):
        with pytest.raises(ConnectorError) as caught:
            await hub.exchange(ask, "b", query)
        assert caught.value.kind is ErrorKind.auth_human
        assert "an-app-secret" not in str(caught.value)


async def test_tokens_are_renewed_once_each_and_a_check_says_who(hub: KuaishouConnector, there: Kuaishou) -> None:
    ref = there.ref()
    assert (await hub.check(ref)).account_name == "临江发布"
    fresh = await hub.refresh(ref)
    assert fresh is not None
    assert fresh.secrets == {"token": there.token, "refresh_token": there.refresh_token}
    for call in (hub.refresh(ref), hub.check(ref)):
        with pytest.raises(ConnectorError) as caught:
            await call
        assert caught.value.kind in (ErrorKind.auth_human, ErrorKind.auth_expired)
    assert await hub.refresh(replace(ref, secrets={})) is None
    assert not (await hub.check(replace(ref, secrets={}))).ok


def test_what_it_cannot_do_says_why(hub: KuaishouConnector, there: Kuaishou) -> None:
    grants = hub.capabilities(there.ref(delete=""))
    assert grants[Capability.publish].granted is Granted.yes
    assert grants[Capability.delete].granted is Granted.needs
    for capability in (Capability.pull_comments, Capability.reply_public, Capability.reply_private):
        assert grants[capability].granted is Granted.no
    assert all(chinese(grant.reason) for grant in grants.values() if grant.granted is not Granted.yes)
    assert hub.validate(there.ref(), Outgoing("好", "k", "1", Kind.comment))


# videos ---------------------------------------------------------------------------------------------------------------


async def test_a_video_is_brought_in_pieces_published_found_counted_and_removed(
    hub: KuaishouConnector, there: Kuaishou, out: Outgoing
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
    assert [parts[number][1] for number in (0, 1, 2)] == digests(out.video, PIECE)
    pending = await hub.publish(ref, replace(out, uploaded=uploaded.ref))
    assert isinstance(pending, Pending)
    assert there.covers == [("1.jpg", COVER.data)]
    own = await hub.find_own(ref, start, out)
    match = find_match(Trace(out.text, "k", start), own.items)
    assert match is not None
    assert own.complete
    assert isinstance(await hub.poll_job(ref, pending.job), Pending)
    there.works[0]["pending"] = False
    sent = await hub.poll_job(ref, pending.job)
    assert isinstance(sent, Done)
    assert sent.external_id == match.external_id == there.works[0]["photo_id"]
    assert sent.url == f"https://www.kuaishou.com/short-video/{sent.external_id}"
    (figures,) = await hub.metrics(ref, [sent.external_id, "3xnothing"])
    assert (figures.reads, figures.likes, figures.comments, figures.reposts) == (99, 4, 1, None)
    assert await hub.exists(ref, sent.external_id)
    await hub.delete(ref, sent.external_id)
    assert not await hub.exists(ref, sent.external_id)
    await hub.delete(ref, sent.external_id)
    with pytest.raises(ConnectorError) as caught:
        await hub.delete(there.ref(delete=""), sent.external_id)
    assert caught.value.kind is ErrorKind.permission


async def test_a_small_file_goes_at_once(hub: KuaishouConnector, there: Kuaishou, tmp_path: Path) -> None:
    out = Outgoing(TEXT, "k", attachments=(COVER,), video=film(tmp_path, 3 * MB))
    uploaded, done = await bring(hub, there.ref(), out)
    assert (done, list(there.whole.values())) == ([0], [3 * MB])
    assert isinstance(await hub.publish(there.ref(), replace(out, uploaded=uploaded.ref)), Pending)


async def test_a_killed_upload_goes_on_where_it_was_and_a_piece_sent_twice_is_the_same(
    hub: KuaishouConnector, there: Kuaishou, out: Outgoing
) -> None:
    state = await after(hub, there.ref(), out, 2)
    await hub.upload(there.ref(), out, state)
    await bring(hub, there.ref(), out, state)
    assert there.asked.count("/openapi/photo/start_upload") == 1
    assert list(there.whole.values()) == [17 * MB]


@pytest.mark.parametrize("fault", ["cut", "drop", "html", "truncate", "empty", "error", "redirect"])
async def test_whatever_breaks_a_step_has_shown_nobody_anything_and_the_step_is_done_again(
    hub: KuaishouConnector, there: Kuaishou, out: Outgoing, fault: str
) -> None:
    async with FaultProxy(there.base_url) as proxy:
        ref = replace(there.ref(), base_url=proxy.base_url)
        there.endpoint = proxy.base_url.removeprefix("http://")
        state = await stumbled(hub, ref, out, lambda: proxy.spoil(fault), steps=4)
        await bring(hub, ref, out, state)
    assert 17 * MB in there.whole.values()
    assert there.works == []


async def test_a_token_that_dies_on_the_way_is_told_and_the_upload_begins_anew(
    hub: KuaishouConnector, there: Kuaishou, out: Outgoing
) -> None:
    for steps in (1, 2, 4):
        state = await after(hub, there.ref(), out, steps)
        there.parts.clear()
        with pytest.raises(ConnectorError) as caught:
            await hub.upload(there.ref(), out, state)
        assert caught.value.kind is ErrorKind.not_found
        assert "upload-" not in str(caught.value)
    await bring(hub, there.ref(), out)


async def test_pieces_joined_before_anybody_heard_of_it_are_there(
    hub: KuaishouConnector, there: Kuaishou, out: Outgoing
) -> None:
    state = await after(hub, there.ref(), out, 4)
    there.drops = 1
    with pytest.raises(ConnectorError) as caught:
        await hub.upload(there.ref(), out, state)
    assert caught.value.kind is ErrorKind.transient
    assert isinstance(await hub.upload(there.ref(), out, state), Uploaded)
    assert there.asked.count("/api/upload/fragment") == 3


async def test_pieces_that_cannot_be_joined_and_are_not_there_are_brought_anew(
    hub: KuaishouConnector, there: Kuaishou, out: Outgoing
) -> None:
    state = await after(hub, there.ref(), out, 4)
    next(iter(there.parts.values())).pop(1)
    with pytest.raises(ConnectorError) as caught:
        await hub.upload(there.ref(), out, state)
    assert caught.value.kind is ErrorKind.not_found


@pytest.mark.parametrize(
    "endpoint",
    ["", "uploader.example.com/evil?", "user@uploader.example.com", "http://uploader.example.com", "a b", "-x", "h#",
     "[::1]", "x" * 300],
)  # fmt: skip
async def test_a_gateway_that_is_no_host_is_not_asked(
    hub: KuaishouConnector, there: Kuaishou, out: Outgoing, endpoint: str
) -> None:
    there.endpoint = endpoint or "/"
    with pytest.raises(ConnectorError) as caught:
        await hub.upload(there.ref(), out, {})
    assert caught.value.code == "endpoint"


async def test_a_gateway_inside_is_refused_by_the_guard_and_the_way_there_is_encrypted(out: Outgoing) -> None:
    live = KuaishouConnector(Http(live=True))
    ref = replace(Kuaishou().ref(), base_url="")
    for inner in ("127.0.0.1:9", "169.254.169.254", "10.0.0.1"):
        with pytest.raises(ConnectorError) as caught:
            await live.upload(ref, out, {"token": "t", "gateway": inner})
        assert caught.value.kind is ErrorKind.permission
    asked: list[str] = []

    class Noted(Http):
        async def call(self, method: str, url: str, **_: object) -> object:  # type: ignore[override]
            asked.append(url)
            raise ConnectorError(ErrorKind.transient, "到此为止")

    noted = KuaishouConnector(Noted(live=True))
    for options in ({}, {"plain_upload": "yes"}):
        with pytest.raises(ConnectorError):
            await noted.upload(
                replace(ref, options={**ref.options, **options}), out, {"token": "t", "gateway": "up.example.com"}
            )
    assert asked == ["https://up.example.com/api/upload/fragment", "http://up.example.com/api/upload/fragment"]


async def test_a_video_the_platform_has_forgotten_is_told_as_such_and_nothing_went_out(
    hub: KuaishouConnector, there: Kuaishou, out: Outgoing
) -> None:
    brought = await ready(hub, there.ref(), out)
    there.parts.clear()
    for asked in (brought, out):
        await is_forgotten(hub, there.ref(), asked)
    assert there.works == []


async def test_a_lost_answer_is_perhaps_sent_and_found_among_own_videos(
    hub: KuaishouConnector, there: Kuaishou, out: Outgoing
) -> None:
    brought = await ready(hub, there.ref(), out)
    there.drops = 1
    with pytest.raises(ConnectorError) as caught:
        await hub.publish(there.ref(), brought)
    assert caught.value.effect is Effect.unknown
    own = await hub.find_own(there.ref(), datetime.now(UTC) - timedelta(minutes=1), out)
    assert [one.text for one in own.items] == [TEXT]


async def test_the_list_is_read_to_what_is_older_or_to_its_empty_end(
    hub: KuaishouConnector, there: Kuaishou, out: Outgoing
) -> None:
    since = datetime.now(UTC) - timedelta(hours=1)
    for number in range(70):
        there.work(f"第 {number} 条", age=70 - number)
    own = await hub.find_own(there.ref(), since, out)
    assert (len(own.items), own.complete) == (70, True)
    there.work("旧的", age=7200)
    asked = len(there.asked)
    assert (await hub.find_own(there.ref(), since, out)).complete
    assert len(there.asked) - asked == 2, "no further than to what is older"


async def test_a_video_not_shown_yet_is_waited_for_and_a_failed_one_told(
    hub: KuaishouConnector, there: Kuaishou
) -> None:
    assert isinstance(await hub.poll_job(there.ref(), "3xnotyet"), Pending)
    there.codes = [120003]
    with pytest.raises(ConnectorError) as caught:
        await hub.poll_job(there.ref(), "3xnotyet")
    assert caught.value.kind is ErrorKind.content_rejected
    there.codes = [100200410]
    with pytest.raises(ConnectorError) as caught:
        await hub.poll_job(there.ref(), "3xnotyet")
    assert caught.value.effect is Effect.unknown


def test_rules_are_told_beforehand(hub: KuaishouConnector, there: Kuaishou, out: Outgoing) -> None:
    ref = there.ref()
    assert [form.name for form in hub.post_forms(ref)] == ["video", "by_hand"]
    assert not hub.validate(ref, out)
    assert out.video is not None
    for odd, field in (
        (replace(out, video=None), "media"),
        (replace(out, attachments=()), "media"),
        (replace(out, attachments=(COVER, COVER)), "media"),
        (replace(out, text=" "), "text"),
        (replace(out, text="字" * 501), "text"),
        (replace(out, video=replace(out.video, size=600 * MB)), "media"),
        (replace(out, video=replace(out.video, mime="video/webm")), "media"),
    ):
        assert [problem.field for problem in hub.validate(ref, odd)] == [field], odd


async def test_all_else_is_published_by_a_person(hub: KuaishouConnector, there: Kuaishou) -> None:
    told = await hub.publish(there.ref(), Outgoing("停水通知", "k", form="by_hand"))
    assert isinstance(told, ByHand)
    assert any("快手" in step for step in told.steps)
    own = there.work("停水通知")
    video = hub.read_link(there.ref(), f"看看 https://www.kuaishou.com/short-video/{own} 吧")
    short = hub.read_link(there.ref(), "https://v.kuaishou.com/AbC12d")
    (figures,) = await hub.metrics(there.ref(), [video, short])
    assert (figures.external_id, figures.reads) == (video, 99)
    there.works.clear()
    for unknown in (video, short):
        assert await hub.exists(there.ref(), unknown), "a picture post, or a short link: not known is not gone"
        with pytest.raises(ConnectorError) as caught:
            await hub.delete(there.ref(), unknown)
        assert caught.value.kind is ErrorKind.permission


async def test_a_piece_has_more_time_than_other_calls(there: Kuaishou, out: Outgoing) -> None:
    hasty = KuaishouConnector(Http(live=False, total=0.8))
    async with FaultProxy(there.base_url) as proxy:
        ref = replace(there.ref(), base_url=proxy.base_url)
        there.endpoint = proxy.base_url.removeprefix("http://")
        state = await after(hasty, ref, out, 1)
        proxy.spoil("slow", 2)
        assert isinstance(await hasty.upload(ref, out, state), Uploading)
        with pytest.raises(ConnectorError) as caught:
            await hasty.upload(ref, out, {})
        assert caught.value.kind is ErrorKind.transient


async def test_a_large_file_never_stands_in_memory(hub: KuaishouConnector, there: Kuaishou, tmp_path: Path) -> None:
    out = Outgoing(TEXT, "k", attachments=(COVER,), video=film(tmp_path, 60 * MB))
    async with sink({"result": 1}) as host:
        peak = await peak_of_pieces(
            hub, there.ref(), out, 8, lambda n: {"token": "t", "gateway": host, "pieces": str(n)}
        )
    assert peak < 4 * MB


# pushes ---------------------------------------------------------------------------------------------------------------


async def test_a_push_says_only_that_access_was_withdrawn(hub: KuaishouConnector, there: Kuaishou) -> None:
    ref = there.ref()
    headers, body = there.push("UN_AUTHORIZE", {"open_id": OPEN_ID, "scope": ["user_video_publish"]})
    told = await hub.receive(ref, "POST", {}, headers, body)
    assert isinstance(told, Accept)
    assert [notice.kind for notice in told.notices] == [NoticeKind.revoked]
    assert json.loads(told.body) == {"result": 1, "message_id": "m1"}
    for event, data in (("UN_AUTHORIZE", {"open_id": "another"}), ("AUTHORIZE", {"open_id": OPEN_ID}), ("TEST", "x")):
        other = await hub.receive(ref, "POST", {}, *there.push(event, data))
        assert isinstance(other, Accept)
        assert (other.items, other.notices) == ((), ())
        assert json.loads(other.body)["result"] == 1
    assert isinstance(await hub.receive(ref, "POST", {}, headers, body + b" "), Reject)
    assert isinstance(await hub.receive(ref, "GET", {}, headers, body), Reject)
    assert isinstance(await hub.receive(replace(ref, secrets={}), "POST", {}, headers, body), Reject)


# codes ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(CODES))
async def test_every_code_of_the_table_is_told_in_words(
    hub: KuaishouConnector, there: Kuaishou, out: Outgoing, code: int
) -> None:
    kind, human = CODES[code]
    there.codes = [code]
    with pytest.raises(ConnectorError) as caught:
        await hub.publish(there.ref(), replace(out, uploaded={"token": "t"}))
    assert caught.value.kind is kind
    assert code in NO_UPLOAD or caught.value.human == human
    assert chinese(caught.value.human)
    assert caught.value.effect is (Effect.unknown if code in MAYBE_DONE else Effect.not_done)


async def test_an_unknown_code_of_a_publication_may_have_published(
    hub: KuaishouConnector, there: Kuaishou, out: Outgoing
) -> None:
    there.codes = [987654321]
    with pytest.raises(ConnectorError) as caught:
        await hub.publish(there.ref(), replace(out, uploaded={"token": "t"}))
    assert (caught.value.kind, caught.value.effect) == (ErrorKind.protocol, Effect.unknown)
