"""The full-text index, on both databases: what is found, what is not, and what a person may type."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Any

import pytest

import nlp
from hub import clock
from hub.db import Context, reading, unit_of_work
from hub.models import Account, Arrival, ArrivalState, Case, CaseState, Message, MessageKind, Reply, ReplyState
from hub.queries import alike, search
from nlp.similar import weights
from workflows.cases.similar import Hit, closest


async def _messages(ctx: Context, texts: Sequence[str]) -> list[int]:
    async with unit_of_work(ctx) as unit:
        account = Account(platform="file", name="信箱")
        unit.add(account)
        await unit.flush()
        arrivals = [
            Arrival(
                account_id=account.id or 0,
                kind=MessageKind.letter,
                external_id=str(n),
                via="test",
                payload="{}",
                state=ArrivalState.parsed,
            )
            for n in range(len(texts))
        ]
        unit.add(*arrivals)
        await unit.flush()
        messages = [
            Message(
                account_id=account.id or 0,
                arrival_id=arrival.id or 0,
                kind=MessageKind.letter,
                external_id=str(n),
                text=text,
                created_at=clock.now(),
            )
            for n, (text, arrival) in enumerate(zip(texts, arrivals, strict=True))
        ]
        unit.add(*messages)
        await unit.flush()
        await search.index(unit, [(m.id or 0, a.tokens) for m, a in zip(messages, nlp.analyse(texts), strict=True)])
        return [message.id or 0 for message in messages]


async def _cases(ctx: Context, ids: Sequence[int], answered: set[int]) -> None:
    async with unit_of_work(ctx) as unit:
        for number in ids:
            message = await unit.get(Message, number)
            assert message
            case = Case(
                number=f"C{number}",
                title="",
                account_id=message.account_id,
                kind=message.kind,
                thread_key=str(number),
                state=CaseState.replied,
                is_open=False,
            )
            unit.add(case)
            await unit.flush()
            message.case_id = case.id
            if number in answered:
                unit.add(Reply(case_id=case.id or 0, message_id=number, text="已修好", state=ReplyState.sent))
        await search.mark_answered(unit, answered)
        await search.mark_answered(unit, answered)


async def _found(ctx: Context, typed: str) -> list[int]:
    async with reading(ctx) as unit:
        groups = nlp.query_tokens(typed)
        found = await search.match(unit, groups, limit=100)
        condition = search.condition(unit, groups)
        by_condition = [] if condition is None else await unit.rows(search.select(Message.id).where(condition))
        assert sorted(found) == sorted(row[0] for row in by_condition)
        return found


async def test_two_characters_are_found_inside_longer_words_and_pages_go_back_in_time(any_ctx: Context) -> None:
    ids = await _messages(
        any_ctx, ["小区地下车库漏水三天没人管", "地铁站台太挤", "楼顶漏水", "WiFi 太慢，IPhone连不上"]
    )
    assert await _found(any_ctx, "漏水") == [ids[2], ids[0]]
    assert await _found(any_ctx, "车库 漏水") == [ids[0]]
    assert await _found(any_ctx, "iphone WIFI") == [ids[3]]
    assert await _found(any_ctx, "学校") == []
    async with reading(any_ctx) as unit:
        groups = nlp.query_tokens("漏水")
        assert await search.match(unit, groups, limit=1) == [ids[2]]
        assert await search.match(unit, groups, before=ids[2], limit=1) == [ids[0]]
        assert await search.match(unit, groups, where=[Message.external_id == "0"]) == [ids[0]]


async def test_indexing_again_replaces(any_ctx: Context) -> None:
    [number] = await _messages(any_ctx, ["路灯坏了"])
    async with unit_of_work(any_ctx) as unit:
        await search.index(unit, [(number, "垃圾 没人 清运")])
    assert await _found(any_ctx, "路灯") == []
    assert await _found(any_ctx, "垃圾") == [number]


HOSTILE = [
    "", " ", '"', "'", "''\"\"",
    "漏水'", '漏水"', "a AND", "NOT", "OR OR", "NEAR(漏水 2)", "tokens:漏水", "漏水*", "^漏水",
    "漏水 & | !", "(漏水", "):*", "\\", "a\\' | b", "\x00", "漏水\x00", "😀",
    "漏水😀", "𰻝", "𠮷野家", "%s %(q)s :q", "\ud800",
    "\u202e漏水", "-漏水", "--", "; DROP TABLE message", "İ", "²", "a" * 5000, "漏" * 3000, search.ANSWERED,
]  # fmt: skip


async def test_whatever_is_typed_never_breaks_the_query(any_ctx: Context) -> None:
    ids = await _messages(any_ctx, ["楼顶漏水", *[typed.replace("\x00", "") for typed in HOSTILE if typed != "\ud800"]])
    await _cases(any_ctx, ids[:3], set(ids[:1]))
    for typed in HOSTILE:
        await _found(any_ctx, typed)
        async with reading(any_ctx) as unit:
            await search.match(unit, [[typed], [typed, typed]])
            await alike.postings(unit, [typed, "漏水"])
            await alike.shares(unit, [typed.replace("\x00", "").replace("\ud800", ""), "漏水"])
            async with unit_of_work(any_ctx) as writing:
                await search.index(writing, [(ids[5], f"{typed} 结束")])
    assert ids[0] in await _found(any_ctx, "漏水\x00")
    assert await _found(any_ctx, "NEAR(漏水") == [ids[1 + HOSTILE.index("NEAR(漏水 2)")]]
    async with reading(any_ctx) as unit:
        assert await search.match(unit, [[search.ANSWERED]]) == await search.match(unit, [["answered"]])


async def _closest(ctx: Context, words: Sequence[str], **given: Any) -> list[Hit]:
    async with reading(ctx) as unit:
        weighed = weights(words, await alike.shares(unit, words))
        return await closest(unit, weighed, **{"limit": 5, "only_answered": True, **given})


async def test_similar_ranks_and_keeps_to_answered_cases(any_ctx: Context) -> None:
    texts = ["地下车库漏水没人修", "车库车位太贵", "楼顶漏水", "公交线路太少", "车库漏水三天"]
    ids = await _messages(any_ctx, texts)
    await _cases(any_ctx, ids, {ids[0], ids[1], ids[3]})
    async with unit_of_work(any_ctx) as unit:
        await search.mark_answered(unit, [ids[0], ids[1], ids[3]])
    answered = await _closest(any_ctx, ["车库", "漏水"])
    assert [hit.message_id for hit in answered] == [ids[0], ids[1]]
    assert answered[0].score > answered[1].score
    every = await _closest(any_ctx, ["车库", "漏水"], only_answered=False)
    assert {hit.message_id for hit in every} == {ids[0], ids[1], ids[2], ids[4]}
    without = await _closest(any_ctx, ["车库", "漏水"], where=[Message.case_id != answered[0].case_id])
    assert [hit.message_id for hit in without] == [ids[1]]
    assert await _closest(any_ctx, []) == []
    assert await _closest(any_ctx, ["没有的词"]) == []


async def test_the_mark_in_the_index_alone_makes_no_answer(any_ctx: Context) -> None:
    """A case whose reply was taken back stays marked; the reply's own state decides."""
    [one] = await _messages(any_ctx, ["地下车库漏水没人修"])
    await _cases(any_ctx, [one], set())
    async with unit_of_work(any_ctx) as unit:
        await search.mark_answered(unit, [one])
    assert await _closest(any_ctx, ["车库", "漏水"]) == []


async def test_words_are_counted_again_when_messages_have_grown(any_ctx: Context) -> None:
    await _messages(any_ctx, [f"车库漏水第{n}天，{word}" for n, word in enumerate(["电梯坏了", "电梯停了", "门坏了"])])
    assert await alike.count_words(any_ctx) > 0
    async with reading(any_ctx) as unit:
        assert await alike.shares(unit, ["车库", "电梯", "没有的词"]) == {"车库": 1_000_000, "电梯": 666_667}
    assert await alike.count_words(any_ctx) == 0, "nothing new came"


@pytest.mark.parametrize("share", [50, 2])
async def test_similar_stays_quick_when_every_word_is_common(ctx: Context, share: int) -> None:
    """On 20,000 answered messages where the words stand in a large share: the time does not follow the matches."""
    rnd = random.Random(7)  # one fixed draw
    common = [f"common{n}" for n in range(8)]
    rows = [
        (
            n,
            " ".join(
                [w for w in common if rnd.randrange(share) == 0] + [f"rare{rnd.randrange(500)}" for _ in range(20)]
            ),
        )
        for n in range(1, 20_001)
    ]
    async with unit_of_work(ctx) as unit:
        await search.index(unit, rows, answered=range(1, 20_001))
    assert await alike.count_words(ctx) >= len(common)
    await _closest(ctx, common)
    started = time.process_time()
    for _ in range(5):
        await _closest(ctx, [*common, "rare7"])
    assert (time.process_time() - started) / 5 < 0.1


async def test_pages_of_common_words_are_the_same_as_of_rare_ones(
    any_ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await _messages(any_ctx, [f"第{n}栋楼顶漏水" for n in range(30)])
    monkeypatch.setattr(search, "_ENOUGH", 10)
    async with reading(any_ctx) as unit:
        pages, before = [], None
        while page := await search.match(unit, nlp.query_tokens("漏水"), before=before, limit=7):
            pages += page
            before = page[-1]
    assert pages == ids[::-1]
