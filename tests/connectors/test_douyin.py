"""Douyin against a simulator of its open platform: access, works, comments, messages, posts, pushes, codes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import (
    Accept,
    AccountRef,
    Attachment,
    ByHand,
    Capability,
    Challenge,
    ConnectorError,
    Done,
    Effect,
    ErrorKind,
    Granted,
    Kind,
    NoticeKind,
    Outgoing,
    Pending,
    RawItem,
    Reject,
    Unparsable,
)
from connectors.douyin.client import DouyinConnector
from connectors.douyin.errors import CODES, MAYBE_DONE, next_quota
from connectors.douyin.granting import UNTIL
from connectors.http import Http
from tests.sims.douyin import OPEN_ID, Douyin, douyin

PICTURE = Attachment("a.png", "image/png", b"\x89PNG\r\n\x1a\n" + b"0" * 50)


@pytest.fixture
def there() -> Iterator[Douyin]:
    with douyin() as state:
        yield state


@pytest.fixture
def hub() -> DouyinConnector:
    return DouyinConnector(Http(live=False))


def chinese(text: str) -> bool:
    return any("\u4e00" <= char <= "\u9fff" for char in text)


async def read_all(
    hub: DouyinConnector, ref: AccountRef, cursor: dict[str, Any]
) -> tuple[list[RawItem], dict[str, Any]]:
    """As the engine: until there is no more, the cursor through JSON as in the database."""
    items: list[RawItem] = []
    await asyncio.sleep(0.2)
    for _ in range(200):
        page = await hub.pull(ref, "comments", cursor)
        items += page.items
        cursor = json.loads(json.dumps(dict(page.cursor)))
        if not page.more:
            return items, cursor
    raise AssertionError("never ends")


# access ---------------------------------------------------------------------------------------------------------------


async def test_a_person_grants_access_for_what_the_app_may(hub: DouyinConnector, there: Douyin) -> None:
    ref = there.ref(publish="", messages="")
    url = hub.authorise_url(ref, "https://hub.example.gov.cn/back", "s")
    assert url.startswith(f"{there.base_url}/platform/oauth/connect/?client_key=tt10abc")
    assert "item.comment" in url
    assert "video.create.bind" not in url
    fresh = await hub.exchange(ref, "https://hub.example.gov.cn/back", {"code": "good"})
    assert fresh.account_id == OPEN_ID
    assert set(fresh.secrets) == {"token", "refresh_token", UNTIL}
    assert fresh.expires_at is not None
    assert timedelta(days=14) < fresh.expires_at - datetime.now(UTC) <= timedelta(days=15)
    for query, ask in (({}, ref), ({"code": "used"}, ref), ({"code": "good"}, replace(ref, external_id="another"))):
        with pytest.raises(ConnectorError) as caught:
            await hub.exchange(ask, "https://hub.example.gov.cn/back", query)
        assert caught.value.kind is ErrorKind.auth_human
        assert "a-client-secret" not in str(caught.value)
    assert hub.authorise_url(replace(ref, options={}), "b", "s") == ""


async def test_the_token_is_renewed_and_the_refresh_token_only_when_little_is_left(
    hub: DouyinConnector, there: Douyin
) -> None:
    fresh = await hub.refresh(there.ref(renew="yes"))
    assert fresh is not None
    assert fresh.secrets["token"] == there.token
    assert there.renewals == 5
    near = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    ref = there.ref(renew="yes")
    fresh = await hub.refresh(replace(ref, secrets={**ref.secrets, UNTIL: near}))
    assert fresh is not None
    assert (there.renewals, fresh.secrets["refresh_token"]) == (4, "rft.4")
    there.renewals = 0
    ref = there.ref(renew="yes")
    assert await hub.refresh(replace(ref, secrets={**ref.secrets, UNTIL: near})) is not None, (
        "used up: the old one lives"
    )
    with pytest.raises(ConnectorError) as caught:
        await hub.refresh(replace(ref, secrets={**ref.secrets, "refresh_token": "rft.dead"}))
    assert caught.value.kind is ErrorKind.auth_human
    assert await hub.refresh(replace(ref, secrets={})) is None


@pytest.mark.parametrize(
    ("days", "renew", "is_last"),
    [(30, "", False), (19, "", True), (2, "", True), (19, "yes", False), (2, "yes", False), (0.5, "used up", True)],
)
async def test_the_last_renewal_before_the_thirty_days_are_over_is_told(
    hub: DouyinConnector, there: Douyin, days: float, renew: str, is_last: bool
) -> None:
    there.renewals = 0 if renew == "used up" else 5
    ref = there.ref(renew="yes" if renew else "")
    until = datetime.now(UTC) + timedelta(days=days)
    fresh = await hub.refresh(replace(ref, secrets={**ref.secrets, UNTIL: until.isoformat()}))
    assert fresh is not None
    assert fresh.is_last is is_last
    kept = datetime.fromisoformat(fresh.secrets[UNTIL])
    is_prolonged = renew == "yes" and days < 15
    assert (kept > until) is is_prolonged, "the refresh token lives as long as before, whatever the answer says"


async def test_a_check_says_who_and_when_to_come_again(hub: DouyinConnector, there: Douyin) -> None:
    health = await hub.check(there.ref())
    assert (health.ok, health.account_name) == (True, "临江发布")
    ref = there.ref()
    soon = {**ref.secrets, UNTIL: (datetime.now(UTC) + timedelta(days=2)).isoformat()}
    assert "点「重新授权」" in (await hub.check(replace(ref, secrets=soon))).note
    assert not (await hub.check(replace(ref, secrets={}))).ok
    with pytest.raises(ConnectorError) as caught:
        await hub.check(replace(ref, secrets={**ref.secrets, "token": "act.old"}))
    assert caught.value.kind is ErrorKind.auth_expired, "so that it is renewed and asked again"


def test_what_is_missing_says_from_whom(hub: DouyinConnector, there: Douyin) -> None:
    none = hub.capabilities(there.ref(publish="", works="", comments="", messages=""))
    assert none[Capability.pull_comments].granted is Granted.needs
    assert none[Capability.publish].granted is Granted.yes, "by a person"
    assert all(chinese(g.reason) for g in none.values() if g.granted is not Granted.yes)
    assert hub.limits(there.ref(publish="", comments="", messages="")).by_hand
    full = hub.capabilities(there.ref())
    assert full[Capability.pull_comments].granted is Granted.yes
    assert not hub.limits(there.ref()).by_hand


# comments -------------------------------------------------------------------------------------------------------------


async def test_comments_of_every_work_come_once_and_whole(hub: DouyinConnector, there: Douyin) -> None:
    there.page = 5
    first, second = there.work("停水通知"), there.work("路灯检修")
    there.work("图集", pictures=True)
    there.say(first, "什么时候来水 {n}", count=12)
    there.say(second, "谢谢 {n}", count=3)
    items, cursor = await read_all(hub, there.ref(), {})
    assert len({item.external_id for item in items}) == 15
    there.say(first, "还没来 {n}", count=11)
    more, _ = await read_all(hub, there.ref(), cursor)
    new = {item.external_id for item in more} - {item.external_id for item in items}
    assert len(new) == 11
    parsed = hub.parse(there.ref(), items[0])
    assert (parsed.kind, parsed.author.id, parsed.is_own) == (Kind.comment, "citizen-1", False)
    assert parsed.thread_id in (first, second)
    assert parsed.url.startswith("https://")


async def test_a_walk_that_broke_off_goes_on_where_it_stood(hub: DouyinConnector, there: Douyin) -> None:
    there.page = 5
    work = there.work("停水通知")
    there.say(work, "{n}", count=23)
    got: set[str] = set()
    cursor: dict[str, Any] = {}
    for turn in range(60):
        try:
            page = await hub.pull(there.ref(), "comments", cursor)
        except ConnectorError:
            continue
        got |= {item.external_id for item in page.items}
        cursor = json.loads(json.dumps(dict(page.cursor)))
        if turn % 3 == 0:
            there.codes.append(2100004)
        if not page.more and len(got) == 23:
            break
    assert len(got) == 23


async def test_a_work_that_is_not_served_does_not_hold_up_the_others(hub: DouyinConnector, there: Douyin) -> None:
    gone, work = there.work("已删"), there.work("停水通知")
    there.say(work, "好", count=2)
    page = await hub.pull(there.ref(), "comments", {})
    there.works = [one for one in there.works if one["item_id"] != gone]
    items, _ = await read_all(hub, there.ref(), dict(page.cursor))
    assert len({one.external_id for one in items}) == 2, "on a slow machine the work is due again meanwhile"


async def test_only_works_of_late_are_followed_and_without_the_right_nothing_is_asked(
    hub: DouyinConnector, there: Douyin
) -> None:
    old = there.work("去年的", age=90 * 86_400)
    there.say(old, "好")
    assert (await read_all(hub, there.ref(), {}))[0] == []
    asked = len(there.asked)
    assert (await hub.pull(there.ref(comments=""), "comments", {"works": {}})).items == ()
    assert len(there.asked) == asked


async def test_a_comment_is_answered_and_the_answer_found_again(hub: DouyinConnector, there: Douyin) -> None:
    work = there.work("停水通知")
    there.say(work, "什么时候来水")
    (item,), _ = await read_all(hub, there.ref(), {})
    found = hub.parse(there.ref(), item)
    out = Outgoing("今晚八点", "k", found.external_id, Kind.comment, found.thread_id, found.author.id)
    start = datetime.now(UTC) - timedelta(minutes=1)
    done = await hub.reply(there.ref(), out)
    assert isinstance(done, Done)
    own = await hub.find_own(there.ref(), start, out)
    assert [(o.external_id, o.text, o.parent_id) for o in own.items] == [(done.external_id, "今晚八点", out.target_id)]
    assert await hub.exists(there.ref(), done.external_id)
    there.drops = 1
    with pytest.raises(ConnectorError) as caught:
        await hub.reply(there.ref(), out)
    assert caught.value.effect is Effect.unknown


# posts ----------------------------------------------------------------------------------------------------------------


async def test_a_picture_post_goes_out_and_is_pending_until_it_is_reviewed(hub: DouyinConnector, there: Douyin) -> None:
    ref = there.ref()
    assert hub.validate(ref, Outgoing("停水通知", "k")), "a picture post needs a picture"
    out = Outgoing("停水通知", "k", attachments=(PICTURE, PICTURE))
    pending = await hub.publish(ref, out)
    assert isinstance(pending, Pending)
    assert len(there.pictures) == 2
    assert isinstance(await hub.poll_job(ref, pending.job), Pending)
    there.works[0]["video_status"] = 5
    done = await hub.poll_job(ref, pending.job)
    assert isinstance(done, Done)
    own = await hub.find_own(ref, datetime.now(UTC) - timedelta(hours=1), out)
    assert [(o.external_id, o.text) for o in own.items] == [(done.external_id, "停水通知")]
    assert own.complete
    assert await hub.exists(ref, done.external_id)
    there.works[0]["video_status"] = 2
    assert not await hub.exists(ref, done.external_id)
    with pytest.raises(ConnectorError) as caught:
        await hub.poll_job(ref, pending.job)
    assert caught.value.kind is ErrorKind.content_rejected


async def test_a_failed_upload_did_nothing_and_a_lost_answer_may_have(hub: DouyinConnector, there: Douyin) -> None:
    out = Outgoing("停水通知", "k", attachments=(PICTURE,))
    there.drops = 1
    with pytest.raises(ConnectorError) as caught:
        await hub.publish(there.ref(), out)
    assert caught.value.effect is Effect.not_done
    there.codes = []
    real = there._create

    def lost(body: Any) -> Any:
        there.drops = 1
        return real(body)

    there._create = lost  # type: ignore[method-assign]
    with pytest.raises(ConnectorError) as caught:
        await hub.publish(there.ref(), out)
    assert caught.value.effect is Effect.unknown


async def test_all_else_is_published_by_a_person(hub: DouyinConnector, there: Douyin) -> None:
    ref = there.ref()
    assert [form.name for form in hub.post_forms(ref)] == ["pictures", "video", "by_hand"]
    told = await hub.publish(ref, Outgoing("停水通知", "k", form="by_hand"))
    assert isinstance(told, ByHand)
    assert isinstance(await hub.publish(there.ref(publish=""), Outgoing("停水通知", "k")), ByHand)
    there.work("停水通知")
    number = there.works[0]["video_id"]
    assert hub.read_link(ref, f"复制打开抖音 https://www.douyin.com/video/{number} 看看") == number
    (figures,) = await hub.metrics(ref, [number, "answer:@r0", "short1"])
    assert (figures.external_id, figures.reads, figures.likes, figures.reposts) == (number, 100, 8, 3)
    with pytest.raises(ConnectorError) as caught:
        await hub.delete(ref, number)
    assert caught.value.kind is ErrorKind.permission


async def test_without_the_right_to_look_a_post_counts_as_done(hub: DouyinConnector, there: Douyin) -> None:
    done = await hub.publish(there.ref(works=""), Outgoing("停水通知", "k", attachments=(PICTURE,)))
    assert isinstance(done, Done)
    assert done.url.startswith("https://www.douyin.com/note/")
    assert await hub.metrics(there.ref(works=""), [done.external_id]) == []


# pushes ---------------------------------------------------------------------------------------------------------------


async def test_pushes_are_proven_and_a_comment_is_the_same_item_as_in_the_list(
    hub: DouyinConnector, there: Douyin
) -> None:
    ref = there.ref()
    headers, body = there.push("verify_webhook", {"challenge": 12345})
    challenge = await hub.receive(ref, "POST", {}, headers, body)
    assert isinstance(challenge, Challenge)
    assert json.loads(challenge.body) == {"challenge": 12345}
    assert isinstance(await hub.receive(ref, "POST", {}, headers, body + b" "), Reject)
    work = there.work("停水通知")
    there.say(work, "什么时候来水")
    (listed,), _ = await read_all(hub, ref, {})
    told = {**there.comments[work][0], "reply_to_item_id": work, "reply_to_comment_id": ""}
    headers, body = there.push("item_comment_reply", json.dumps(told))
    accepted = await hub.receive(ref, "POST", {}, headers, body)
    assert isinstance(accepted, Accept)
    assert accepted.items[0].external_id == listed.external_id
    assert hub.parse(ref, accepted.items[0]).text == hub.parse(ref, listed).text


async def test_a_private_message_is_answered_within_a_day(hub: DouyinConnector, there: Douyin) -> None:
    ref = there.ref()
    content = {
        "conversation_short_id": "@conv", "server_message_id": "@msg1", "message_type": "text", "text": "在吗",
        "create_time": int(datetime.now(UTC).timestamp() * 1000),
        "user_infos": [{"open_id": "citizen-1", "nick_name": "王某"}],
    }  # fmt: skip
    headers, body = there.push("im_receive_msg", json.dumps(content))
    accepted = await hub.receive(ref, "POST", {}, headers, body)
    assert isinstance(accepted, Accept)
    found = hub.parse(ref, accepted.items[0])
    assert (found.external_id, found.author.name, found.reply_left) == ("@msg1", "王某", 6)
    assert found.reply_until == found.created_at + timedelta(hours=24)
    done = await hub.reply(ref, Outgoing("您好", "k", "@msg1", Kind.private, found.thread_id, "citizen-1"))
    assert isinstance(done, Done)
    assert there.messages[0]["content"] == {"msg_type": 1, "text": {"text": "您好"}}
    assert there.messages[0]["scene"] == "im_reply_msg"
    assert not (await hub.find_own(ref, found.created_at, Outgoing("您好", "k", "@msg1", Kind.private))).complete
    other = await hub.receive(ref, "POST", {}, *there.push("im_receive_msg", content, to="another"))
    assert isinstance(other, Accept)
    assert (other.items, other.passed_over) == ((), 1)
    gone = await hub.receive(ref, "POST", {}, *there.push("unauthorize", {}, sender=OPEN_ID))
    assert isinstance(gone, Accept)
    assert [n.kind for n in gone.notices] == [NoticeKind.revoked]
    picture = {**content, "message_type": "image", "server_message_id": "@msg2"}
    shown = await hub.receive(ref, "POST", {}, *there.push("im_receive_msg", picture))
    assert isinstance(shown, Accept)
    assert "图片" in hub.parse(ref, shown.items[0]).text


_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
_WORDS = (
    "content text create_time comment_id comment_user_id zhengsheng_item message_type server_message_id user_infos "
    "from_user_id to_user_id event challenge reply_to_item_id digg_count"
)
_NAMES = st.sampled_from(_WORDS.split())
_VALUES = st.recursive(
    _LEAVES | st.sampled_from(["im_receive_msg", "item_comment_reply", "verify_webhook", "unauthorize", OPEN_ID]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=6),
    max_leaves=15,
)


@settings(max_examples=200, deadline=None)
@given(value=_VALUES, kind=st.sampled_from(Kind))
async def test_whatever_a_genuine_push_holds_is_answered_and_parsed_or_quarantined(value: Any, kind: Kind) -> None:
    hub, state = DouyinConnector(Http(live=False)), Douyin()
    ref = state.ref()
    event: Any = value.get("event") if isinstance(value, dict) else "im_receive_msg"
    answer = await hub.receive(ref, "POST", {}, *state.push(event, value))
    items = answer.items if isinstance(answer, Accept) else ()
    for item in (*items, RawItem(kind, "1", json.dumps(value))):
        assert 0 < len(item.external_id) <= 200
        try:
            found = hub.parse(ref, item)
        except Unparsable as error:
            assert chinese(str(error))  # noqa: PT017 -- either of the two is right
        else:
            assert found.created_at.tzinfo is not None


# codes ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(CODES))
async def test_every_code_of_the_table_is_told_in_words(hub: DouyinConnector, there: Douyin, code: int) -> None:
    kind, human = CODES[code]
    work = there.work("停水通知")
    out = Outgoing("好", "k", "@c1", Kind.comment, work)
    there.codes = [code]
    with pytest.raises(ConnectorError) as caught:
        await hub.reply(there.ref(), out)
    assert (caught.value.kind, caught.value.human) == (kind, human)
    assert chinese(human)
    assert caught.value.effect is (Effect.unknown if code in MAYBE_DONE else Effect.not_done)
    assert (caught.value.retry_at is not None) is (kind is ErrorKind.quota_day)


async def test_an_unknown_code_is_tried_again_only_when_reading(hub: DouyinConnector, there: Douyin) -> None:
    there.codes = [987654]
    with pytest.raises(ConnectorError) as caught:
        await hub.pull(there.ref(), "comments", {})
    assert (caught.value.kind, caught.value.effect) == (ErrorKind.transient, Effect.not_done)
    there.codes = [987654]
    with pytest.raises(ConnectorError) as caught:
        await hub.reply(there.ref(), Outgoing("好", "k", "@c1", Kind.comment, "@w"))
    assert (caught.value.kind, caught.value.effect) == (ErrorKind.protocol, Effect.unknown)


def test_a_quota_begins_anew_at_eight_in_beijing() -> None:
    before, after = datetime(2026, 11, 27, 23, 59, tzinfo=UTC), datetime(2026, 11, 28, 0, 1, tzinfo=UTC)
    assert next_quota(before) == datetime(2026, 11, 28, 0, 0, tzinfo=UTC)
    assert next_quota(after) == datetime(2026, 11, 29, 0, 0, tzinfo=UTC)
