"""What leaves for the sandbox: where it stands, what the connector says when the answer is lost, and the judge."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

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
    Metric,
    Outgoing,
)
from connectors.http import Http
from connectors.sandbox.client import SandboxConnector
from connectors.sandbox.errors import CODES
from connectors.weibo.codes import ACCEPTED_LATE, MAYBE_DONE
from tests.sims.sandbox import Control


@pytest.fixture
def ref(sandbox: Control) -> AccountRef:
    return sandbox.ref(sandbox.account("临江发布"))


def post(text: str = "今日天气晴", key: str = "k1") -> Outgoing:
    return Outgoing(text, key)


async def test_a_post_stands_on_the_platform_with_its_key(
    sandbox: Control, client: SandboxConnector, ref: AccountRef
) -> None:
    done = await client.publish(ref, post("今日天气晴 🌤"))
    assert isinstance(done, Done)
    [row] = sandbox.accepted()
    assert (row["id"], row["text"], row["key"], row["kind"]) == (done.external_id, "今日天气晴 🌤", "k1", "post")
    assert done.at is not None
    assert abs((done.at - datetime.now(UTC)).total_seconds()) < 5
    assert await client.exists(ref, done.external_id)


async def test_answers_stand_under_what_they_answer(
    sandbox: Control, client: SandboxConnector, ref: AccountRef
) -> None:
    [mention] = sandbox.mentions(ref.external_id, "路灯坏了")
    [own_post] = sandbox.posts(ref.external_id, "通知")
    [comment] = sandbox.comments("几点？", post=own_post)
    [message] = sandbox.messages(ref.external_id, "举报", author="小赵")
    sender = client.parse(ref, (await client.pull(ref, "messages", {})).items[0]).author.id
    wanted = [
        (Outgoing("马上去修", "a", mention, Kind.mention, mention), mention, mention, ""),
        (Outgoing("十点", "b", comment, Kind.comment, own_post), comment, own_post, ""),
        (Outgoing("已受理", "c", message, Kind.private, target_author_id=sender), message, "", sender),
    ]
    since = datetime.now(UTC)
    for out, target, thread, receiver in wanted:
        done = await client.reply(ref, out)
        assert isinstance(done, Done)
        row = sandbox.item(done.external_id)
        assert (row["target_id"], row["thread_id"], row["receiver_id"]) == (target, thread, receiver)
        own = await client.find_own(ref, since, out)
        assert [(o.external_id, o.text) for o in own.items] == [(done.external_id, out.text)]
        assert own.complete
        assert await client.exists(ref, done.external_id)


@pytest.mark.parametrize(
    ("fault", "params"),
    [
        ("drop", {}),
        ("error_after", {}),
        ("garbage", {"when": "after"}),
        ("garbage", {"when": "after", "status": 502}),
        ("error_after", {"code": 10010, "status": 400}),
        ("delay", {"seconds": 4, "when": "after"}),
    ],
)
async def test_a_lost_answer_is_unknown_and_can_be_read_back(
    sandbox: Control, client: SandboxConnector, ref: AccountRef, fault: str, params: dict[str, object]
) -> None:
    sandbox.fault(fault, count=1, **params)
    since = datetime.now(UTC)
    with pytest.raises(ConnectorError) as caught:
        await client.publish(ref, post())
    assert caught.value.effect is Effect.unknown
    assert len(sandbox.accepted()) == 1
    own = await client.find_own(ref, since, post())
    assert [o.text for o in own.items] == ["今日天气晴"]


@pytest.mark.parametrize("fault", ["drop", "garbage"])
async def test_a_write_lost_before_acceptance_is_unknown_and_surely_absent(
    sandbox: Control, client: SandboxConnector, ref: AccountRef, fault: str
) -> None:
    sandbox.fault(fault, count=1, when="before")
    since = datetime.now(UTC)
    with pytest.raises(ConnectorError) as caught:
        await client.publish(ref, post())
    assert caught.value.effect is Effect.unknown
    own = await client.find_own(ref, since, post())
    assert (own.items, own.complete) == ((), True)
    assert sandbox.accepted() == []
    assert [a["outcome"] for a in sandbox.attempts()] == ["lost before acceptance"]


async def test_accepted_but_shown_late_counts_as_done(
    sandbox: Control, client: SandboxConnector, ref: AccountRef
) -> None:
    sandbox.fault("error_after", count=1, code=20032, status=400)
    with pytest.raises(ConnectorError) as caught:
        await client.publish(ref, post())
    assert caught.value.effect is Effect.done
    assert len(sandbox.accepted()) == 1


@pytest.mark.parametrize("code", sorted(CODES))
async def test_every_listed_code_has_its_kind_and_a_sentence(
    sandbox: Control, client: SandboxConnector, ref: AccountRef, code: int
) -> None:
    sandbox.fault("refuse", count=1, code=code)
    with pytest.raises(ConnectorError) as caught:
        await client.publish(ref, post())
    error = caught.value
    assert error.kind is CODES[code][0]
    assert str(code) in error.code
    assert (
        error.human.endswith(("系统会核实", "处理", "再试", "解除", "授权", "申请", "提交", "图片", "回复", "操作"))
        or error.human
    )
    wanted = Effect.done if code in ACCEPTED_LATE else Effect.unknown if code in MAYBE_DONE else Effect.not_done
    assert error.effect is wanted
    assert sandbox.accepted() == []


async def test_a_platform_that_is_not_there_did_nothing(client: SandboxConnector, ref: AccountRef) -> None:
    away = AccountRef(1, "sandbox", ref.name, ref.external_id, "http://127.0.0.1:9", ref.secrets)
    with pytest.raises(ConnectorError) as caught:
        await client.publish(away, post())
    assert (caught.value.kind, caught.value.effect) == (ErrorKind.transient, Effect.not_done)


async def test_rate_limits_carry_the_time_of_the_next_try(
    sandbox: Control, client: SandboxConnector, ref: AccountRef
) -> None:
    other = sandbox.ref(sandbox.account("临江城管"))
    until = time.time() + 120
    sandbox.fault("rate_limit", account=ref.external_id, until=until)
    with pytest.raises(ConnectorError) as caught:
        await client.publish(ref, post())
    assert (caught.value.kind, caught.value.effect) == (ErrorKind.rate_limited, Effect.not_done)
    assert caught.value.retry_at is not None
    assert abs(caught.value.retry_at.timestamp() - until) < 3
    assert isinstance(await client.publish(other, post()), Done), "other accounts are not concerned"


async def test_the_key_is_honoured_only_when_told(sandbox: Control, client: SandboxConnector, ref: AccountRef) -> None:
    first, second = await client.publish(ref, post()), await client.publish(ref, post())
    assert first != second
    assert len(sandbox.doubles()) == 1, "the judge sees the double"
    sandbox.fault("honour_key")
    third = await client.publish(ref, post("另一条", "k2"))
    assert await client.publish(ref, post("另一条", "k2")) == third
    assert [a["outcome"] for a in sandbox.attempts()] == ["accepted", "accepted", "accepted", "repeated"]


async def test_identical_text_may_be_refused_as_a_duplicate(
    sandbox: Control, client: SandboxConnector, ref: AccountRef
) -> None:
    sandbox.fault("reject_duplicates")
    await client.publish(ref, post())
    with pytest.raises(ConnectorError) as caught:
        await client.publish(ref, post(key="k2"))
    assert (caught.value.kind, caught.value.effect) == (ErrorKind.duplicate, Effect.unknown)


async def test_the_own_list_may_lag_be_short_or_be_off(
    sandbox: Control, client: SandboxConnector, ref: AccountRef
) -> None:
    since = datetime.now(UTC) - timedelta(minutes=1)
    for n in range(4):
        await client.publish(ref, post(f"第 {n} 条"))
    fault = sandbox.fault("list_size", size=2)
    own = await client.find_own(ref, since, post())
    assert ([o.text for o in own.items], own.complete) == (["第 3 条", "第 2 条"], False)
    sandbox.lift(fault)
    fault = sandbox.fault("list_lag", seconds=60)
    assert (await client.find_own(ref, since, post())).items == ()
    sandbox.lift(fault)
    sandbox.fault("list_off")
    with pytest.raises(ConnectorError) as caught:
        await client.find_own(ref, since, post())
    assert caught.value.kind is ErrorKind.transient
    sandbox.lift()
    assert len((await client.find_own(ref, since, post())).items) == 4


async def test_only_own_answers_under_the_target_and_since_the_moment_are_found(
    sandbox: Control, client: SandboxConnector, ref: AccountRef
) -> None:
    one, two = sandbox.mentions(ref.external_id, "{n}", count=2)
    await client.reply(ref, Outgoing("答一", "a", one, Kind.mention, one))
    await client.reply(ref, Outgoing("答二", "b", two, Kind.mention, two))
    await client.publish(ref, post("不是回复"))
    out = Outgoing("答一", "a", one, Kind.mention, one)
    own = await client.find_own(ref, datetime.now(UTC) - timedelta(minutes=1), out)
    assert [o.text for o in own.items] == ["答一"]
    later = await client.find_own(ref, datetime.now(UTC) + timedelta(minutes=1), out)
    assert (later.items, later.complete) == ((), True)


async def test_what_was_taken_down_or_deleted_is_gone(
    sandbox: Control, client: SandboxConnector, ref: AccountRef
) -> None:
    [mention] = sandbox.mentions(ref.external_id, "路灯")
    shown = await client.publish(ref, post())
    answer = await client.reply(ref, Outgoing("好", "a", mention, Kind.mention, mention))
    assert isinstance(shown, Done)
    assert isinstance(answer, Done)
    assert sandbox.take_down(shown.external_id)
    assert not await client.exists(ref, shown.external_id)
    assert sandbox.item(shown.external_id)["removed_by"] == "platform"
    await client.delete(ref, answer.external_id)
    assert not await client.exists(ref, answer.external_id)
    await client.delete(ref, answer.external_id)
    await client.delete(ref, "424242")


async def test_a_private_message_can_neither_be_taken_back_nor_answered_late(
    sandbox: Control, client: SandboxConnector, ref: AccountRef
) -> None:
    [new] = sandbox.messages(ref.external_id, "新", author="甲")
    [old] = sandbox.messages(ref.external_id, "旧", author="乙", created_at=time.time() - 49 * 3600)
    items = {i.external_id: client.parse(ref, i) for i in (await client.pull(ref, "messages", {})).items}
    sent = await client.reply(ref, Outgoing("好", "a", new, Kind.private, target_author_id=items[new].author.id))
    assert isinstance(sent, Done)
    with pytest.raises(ConnectorError, match="不能撤回"):
        await client.delete(ref, sent.external_id)
    with pytest.raises(ConnectorError) as caught:
        await client.reply(ref, Outgoing("好", "b", old, Kind.private, target_author_id=items[old].author.id))
    assert caught.value.kind is ErrorKind.window_closed


async def test_lengths_are_counted_alike_on_both_sides(
    sandbox: Control, client: SandboxConnector, ref: AccountRef
) -> None:
    [mention] = sandbox.mentions(ref.external_id, "路灯")
    fits = "字" * 120 + "ab" * 9 + "c" + " https://example.org/" + "x" * 300
    out = Outgoing(fits, "a", mention, Kind.mention, mention)
    assert client.measure(fits) == 140
    assert client.validate(ref, out) == []
    assert isinstance(await client.reply(ref, out), Done)
    over = Outgoing("ab" + fits, "b", mention, Kind.mention, mention)
    [problem] = client.validate(ref, over)
    assert "请删减 1 字" in problem.text
    with pytest.raises(ConnectorError) as caught:
        await client.reply(ref, over)
    assert caught.value.kind is ErrorKind.content_rejected


async def test_grants_name_what_is_missing(client: SandboxConnector, ref: AccountRef) -> None:
    assert client.capabilities(ref)[Capability.receive_push].granted is Granted.yes
    bare = AccountRef(1, "sandbox", ref.name, ref.external_id, ref.base_url, {"token": "x"})
    assert client.capabilities(bare)[Capability.receive_push].granted is Granted.needs
    assert client.capabilities(bare)[Capability.metrics].granted is Granted.yes


async def test_live_mode_never_reaches_this_machine(sandbox: Control, ref: AccountRef) -> None:
    with pytest.raises(ConnectorError, match="内部网络") as caught:
        await SandboxConnector(Http(live=True)).publish(ref, post())
    assert caught.value.effect is Effect.not_done
    assert sandbox.attempts() == []


async def test_figures_of_own_posts_are_told_but_for_those_that_are_gone(
    client: SandboxConnector, ref: AccountRef, sandbox: Control
) -> None:
    there, gone = sandbox.posts(ref.external_id, "通告 {n}", count=2)
    sandbox.figures(there, 12, 3)
    sandbox.comments("收到", post=there, count=2)
    sandbox.take_down(gone)
    assert await client.metrics(ref, [there, gone, "77", "x"]) == [Metric(there, None, 12, 2, 3)]
    sandbox.fault("garbage", operation="figures")
    with pytest.raises(ConnectorError) as broken:
        await client.metrics(ref, [there])
    assert broken.value.kind is ErrorKind.protocol
