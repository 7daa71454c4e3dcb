"""Comments of our articles: all of them, once, whichever end of the list grows; answered, read back, taken away."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connectors.base import (
    AccountRef,
    Capability,
    ConnectorError,
    Done,
    Effect,
    ErrorKind,
    Granted,
    Kind,
    Outgoing,
    Pending,
    Published,
    RawItem,
)
from tests.connectors.test_wechat_writing import ended, failure
from tests.connectors.wechat import Desk, article

K = ErrorKind


async def standing(desk: Desk, title: str = "今日停水通知", age: timedelta = timedelta(0)) -> Published:
    """An article that stands and takes comments, as the hub remembers it."""
    pending = await desk.client.publish(desk.with_options(open_comment="1"), article(title=title))
    done = await ended(desk, pending)
    assert isinstance(pending, Pending)
    assert isinstance(done, Done)
    return Published(done.external_id, desk.now() - age, pending.extra)


def comment(desk: Desk, article: Published, text: str, count: int = 1, **more: Any) -> list[str]:
    made = desk.control.post("comments", msg_data_id=article.extra["msg_data_id"], text=text, count=count, **more)
    return list(made["ids"])


async def walk(
    desk: Desk, ref: AccountRef, cursor: Mapping[str, Any], most: int = 200
) -> tuple[list[RawItem], Mapping[str, Any], int]:
    """Pull until nothing more is due: the items, the cursor, how many calls it took."""
    found: list[RawItem] = []
    for calls in range(1, most):
        page = await desk.client.pull(ref, "comments", cursor)
        found += page.items
        cursor = page.cursor
        if not page.more:
            return found, cursor, calls
    raise AssertionError("the walk does not end")


@pytest.mark.parametrize("newest_first", [True, False])
async def test_many_comments_are_all_read_and_the_next_look_is_short(wechat_desk: Desk, newest_first: bool) -> None:
    wechat_desk.control.post("accounts", app=wechat_desk.account["app"], newest_first=newest_first)
    one = await standing(wechat_desk)
    ids = comment(wechat_desk, one, "第{n}条", 230, seconds_ago=7200, step=20)
    ref = wechat_desk.following(one, pull_every=0)
    found, cursor, calls = await walk(wechat_desk, ref, {})
    assert {item.external_id for item in found} == {f"{one.extra['msg_data_id']}:0:{i}" for i in ids}
    assert calls <= 6
    more = comment(wechat_desk, one, "新的{n}", 60, seconds_ago=60, step=1)
    wechat_desk.offset[0] = timedelta(minutes=20)
    await wechat_desk.renewed()
    found, cursor, calls = await walk(wechat_desk, replace(ref, secrets=wechat_desk.ref.secrets), cursor)
    assert {f"{one.extra['msg_data_id']}:0:{i}" for i in more} <= {item.external_id for item in found}
    assert calls <= 4


@pytest.mark.parametrize("seed", range(6))
async def test_nothing_is_lost_while_comments_come_and_go(wechat_desk: Desk, seed: int) -> None:
    """Between any two pages comments are added, some vanish; at every step the cursor is as if just restored."""
    rng = random.Random(seed)
    wechat_desk.control.post("accounts", app=wechat_desk.account["app"], newest_first=seed % 2 == 0)
    one = await standing(wechat_desk)
    known = comment(wechat_desk, one, "旧{n}", 150, seconds_ago=9000, step=10)
    ref, cursor = wechat_desk.following(one, pull_every=0), {}
    seen: set[str] = set()
    vanished: set[str] = set()
    late = 0
    for _round in range(60):
        page = await wechat_desk.client.pull(ref, "comments", cursor)
        seen |= {item.external_id.rpartition(":")[2] for item in page.items}
        cursor = dict(page.cursor)
        if late < 40:
            late += 1
            known += comment(wechat_desk, one, f"新{late}", seconds_ago=100 - late)
        if rng.random() < 0.3 and late < 40:
            gone = rng.choice([i for i in known if i not in vanished])
            vanished.add(gone)
            place = {"msg_data_id": int(one.extra["msg_data_id"]), "index": 0, "user_comment_id": int(gone)}
            await wechat_desk.client._wire.call(ref, "/cgi-bin/comment/delete", place)
        if not page.more:
            wechat_desk.offset[0] += timedelta(hours=1)
    assert set(known) - vanished <= seen


async def test_articles_take_turns_and_old_ones_rest_longer(wechat_desk: Desk) -> None:
    young, old = await standing(wechat_desk, "新文章"), await standing(wechat_desk, "旧文章", timedelta(days=10))
    comment(wechat_desk, young, "新文章下的")
    comment(wechat_desk, old, "旧文章下的")
    ref = wechat_desk.following(young, old)
    found, cursor, calls = await walk(wechat_desk, ref, {})
    assert sorted(wechat_desk.client.parse(ref, item).text for item in found) == ["新文章下的", "旧文章下的"]
    assert calls == 2
    assert (await wechat_desk.client.pull(ref, "comments", cursor)).items == (), "nothing is due yet"
    before = len(wechat_desk.control.calls("comment/list"))
    wechat_desk.offset[0] = timedelta(minutes=10)
    _, cursor, _ = await walk(wechat_desk, ref, cursor)
    assert len(wechat_desk.control.calls("comment/list")) - before == 1, "only the young one"
    assert set(cursor["articles"]) == {young.extra["msg_data_id"], old.extra["msg_data_id"]}
    _, cursor, _ = await walk(wechat_desk, wechat_desk.following(young), cursor)
    assert set(cursor["articles"]) == {young.extra["msg_data_id"]}, "what is not followed any more is forgotten"


async def test_what_a_comment_says(wechat_desk: Desk) -> None:
    one = await standing(wechat_desk)
    comment(wechat_desk, one, "什么时候<来水>？", openid="oReader_0123456789")
    comment(wechat_desk, one, "匿名的")
    ref = wechat_desk.following(one)
    found, _, _ = await walk(wechat_desk, ref, {})
    read = {message.text: message for message in (wechat_desk.client.parse(ref, item) for item in found)}
    asked = read["什么时候<来水>？"]
    assert (asked.kind, asked.author.id, asked.author.name) == (Kind.comment, "oReader_0123456789", "微信用户 456789")
    assert asked.thread_id == asked.parent_id == one.external_id
    assert asked.reply_until is None
    assert read["匿名的"].author.id == ""


async def test_a_comment_is_answered_once_and_read_back(wechat_desk: Desk) -> None:
    begun = wechat_desk.now()
    one = await standing(wechat_desk)
    (number,) = comment(wechat_desk, one, "什么时候来水？")
    ref = wechat_desk.following(one)
    target = f"{one.extra['msg_data_id']}:0:{number}"
    out = Outgoing("下午三点。", "k1", target, Kind.comment, one.external_id)
    absent = await wechat_desk.client.find_own(ref, begun, out)
    assert (absent.items, absent.complete) == ((), True)
    wechat_desk.control.fault("drop", "comment/reply/add", when="after")
    assert (await failure(wechat_desk.client.reply(ref, out))).effect is Effect.unknown
    found = await wechat_desk.client.find_own(ref, begun, out)
    assert [(own.external_id, own.text, own.parent_id) for own in found.items] == [
        (f"answer:{target}", out.text, target)
    ]
    again = await failure(wechat_desk.client.reply(ref, replace(out, text="另一句")))
    assert (again.kind, again.effect) == (K.duplicate, Effect.unknown)
    assert await wechat_desk.client.exists(ref, f"answer:{target}")
    await wechat_desk.client.delete(ref, f"answer:{target}")
    assert not await wechat_desk.client.exists(ref, f"answer:{target}")
    await wechat_desk.client.delete(ref, f"answer:{target}")
    done = await wechat_desk.client.reply(ref, out)
    assert isinstance(done, Done)
    answered, _, _ = await walk(wechat_desk, ref, {})
    assert wechat_desk.client.parse(ref, answered[0]).answer == "下午三点。"
    gone = replace(out, target_id=f"{one.extra['msg_data_id']}:0:1")
    assert (await failure(wechat_desk.client.reply(ref, gone))).kind is K.not_found
    assert not (await wechat_desk.client.find_own(ref, begun, gone)).complete


async def test_an_answer_is_found_on_a_far_page(wechat_desk: Desk) -> None:
    one = await standing(wechat_desk)
    ids = comment(wechat_desk, one, "第{n}条", 120, seconds_ago=4000, step=10)
    ref, begun = wechat_desk.following(one), wechat_desk.now()
    out = Outgoing("好的。", "k1", f"{one.extra['msg_data_id']}:0:{ids[0]}", Kind.comment)
    await wechat_desk.client.reply(ref, out)
    assert len((await wechat_desk.client.find_own(ref, begun, out)).items) == 1


async def test_comments_that_cannot_be_read(wechat_desk: Desk) -> None:
    one = await standing(wechat_desk)
    ref = wechat_desk.following(one)
    wechat_desk.control.post("takedown", article_id=one.external_id)
    assert (await wechat_desk.client.pull(ref, "comments", {})).items == (), "a lost article stops nobody"
    wechat_desk.control.post("accounts", app=wechat_desk.account["app"], comments=False)
    error = await failure(wechat_desk.client.pull(ref, "comments", {}))
    assert error.kind is K.permission
    closed = replace(wechat_desk.ref, published=(one,))
    before = len(wechat_desk.control.calls("comment/list"))
    assert (await wechat_desk.client.pull(closed, "comments", {"articles": {}})).items == ()
    assert len(wechat_desk.control.calls("comment/list")) == before
    assert wechat_desk.client.capabilities(closed)[Capability.pull_comments].granted is Granted.needs


async def test_a_token_that_dies_in_mid_walk(wechat_desk: Desk) -> None:
    one = await standing(wechat_desk)
    ids = comment(wechat_desk, one, "第{n}条", 120, seconds_ago=4000, step=10)
    ref = wechat_desk.following(one)
    first = await wechat_desk.client.pull(ref, "comments", {})
    wechat_desk.control.post("revoke", app=wechat_desk.account["app"])
    with pytest.raises(ConnectorError) as caught:
        await wechat_desk.client.pull(ref, "comments", first.cursor)
    assert caught.value.kind is K.auth_expired
    await wechat_desk.renewed()
    rest, _, _ = await walk(wechat_desk, replace(ref, secrets=wechat_desk.ref.secrets), first.cursor)
    seen = {item.external_id.rpartition(":")[2] for item in (*first.items, *rest)}
    assert seen == set(ids)


@pytest.mark.parametrize("kind", ["html", "drop", "status", "code"])
@pytest.mark.parametrize("minutes", [-10, 10])
async def test_trouble_in_a_walk_loses_nothing_whatever_our_clock_says(
    wechat_desk: Desk, kind: str, minutes: int
) -> None:
    one = await standing(wechat_desk)
    wechat_desk.offset[0] = timedelta(minutes=minutes)
    ids = comment(wechat_desk, one, "第{n}条", 120, seconds_ago=4000, step=10)
    ref = wechat_desk.following(one)
    first = await wechat_desk.client.pull(ref, "comments", {})
    wechat_desk.control.fault(kind, "comment/list", when="after", code=-1, status=502)
    error = await failure(wechat_desk.client.pull(ref, "comments", first.cursor))
    assert error.effect is Effect.not_done
    rest, _, _ = await walk(wechat_desk, ref, first.cursor)
    assert {item.external_id.rpartition(":")[2] for item in (*first.items, *rest)} == set(ids)


@pytest.mark.parametrize(
    "cursor",
    [{"articles": "x"}, {"articles": {"1": {"begin": -5}}}, {"articles": {"7": {"at": "never"}}}, {"other": 1}],
)
async def test_an_odd_cursor_begins_anew(wechat_desk: Desk, cursor: dict[str, Any]) -> None:
    one = await standing(wechat_desk)
    comment(wechat_desk, one, "好")
    found, _, _ = await walk(wechat_desk, wechat_desk.following(one), cursor)
    assert len(found) == 1
