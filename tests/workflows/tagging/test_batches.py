"""Tagging in batches: tags, index, figures and cases in one transaction; nothing twice, nobody blocked."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import nlp
from connectors.base import RawItem
from hub import clock, privacy
from hub.db import reading, unit_of_work
from hub.models import Case, Change, Message, Rollup, Tagging
from hub.queries import search
from hub.rights import system
from nlp.base import Analysis
from nlp.similar import weights
from tests.workflows.intake import town
from workflows.cases.similar import closest
from workflows.house import House
from workflows.intake import import_file, read_waiting, store
from workflows.tagging import batches, columns, jobs

WORDS = [
    "小区地下车库漏水三天没人管，太让人失望了",
    "公交站台太挤，希望增加班次",
    "工地夜里施工噪音很大，投诉多次没有结果",
    "感谢社区工作人员，服务非常好",
    "请问居住证怎么办理",
]


async def arrive(house: House, *items: RawItem, platform: str = "file") -> None:
    account = await town.account(house, platform, name=f"{platform}{await town.count(house, Message)}")
    async with unit_of_work(house.ctx) as unit:
        await store(unit, account, items, "pull")
    while await read_waiting(house):
        pass


async def _recount(house: House) -> Counter[tuple[Any, ...]]:
    """What the figures must be, straight from the messages."""
    cells: Counter[tuple[Any, ...]] = Counter()
    for m in await town.all_rows(house, Message):
        if m.tagged_at is not None and not m.is_own:
            hour = m.created_at.replace(minute=0, second=0, microsecond=0)
            cells[hour, m.account_id, m.topic, m.sentiment, m.place] += 1
    return cells


async def check_rollups(house: House) -> None:
    kept = {
        (r.hour, r.account_id, r.topic, r.sentiment, r.place): r.messages
        for r in await town.all_rows(house, Rollup)
        if r.messages
    }
    assert kept == dict(await _recount(house))


async def _found(house: House, typed: str) -> list[int]:
    async with reading(house.ctx) as unit:
        return await search.match(unit, nlp.query_tokens(typed))


async def test_a_batch_gets_tags_index_figures_and_cases(any_house: House) -> None:
    items = [town.letter(n, words, subject="12345678901号", likes="3") for n, words in enumerate(WORDS)]
    await arrive(any_house, *items)
    assert await batches.tag_waiting(any_house) == 5
    assert await batches.tag_waiting(any_house) == 0
    messages = await town.all_rows(any_house, Message)
    taggings = await town.all_rows(any_house, Tagging)
    analyses = nlp.analyse([nlp.Text(words, "12345678901号") for words in WORDS])
    for message, tagging, analysis in zip(messages, taggings, analyses, strict=True):
        assert message.tagged_at is not None
        assert (message.topic, message.sentiment) == (analysis.topic.value, analysis.sentiment.value)
        assert (tagging.message_id, tagging.version, tagging.by_id) == (message.id, nlp.VERSION, None)
        assert tagging.is_current
        assert tagging.keywords == list(analysis.keywords)
        assert message.case_id is not None
        assert not message.needs_case
    assert await _found(any_house, "漏水") == [messages[0].id]
    assert sum(r.likes for r in await town.all_rows(any_house, Rollup)) == 15
    await check_rollups(any_house)
    assert {c.topic for c in await town.all_rows(any_house, Change)} >= {"messages", "opinion", "cases"}


async def test_personal_data_is_masked_in_text_and_title(house: House) -> None:
    await arrive(house, town.letter(1, "我的电话13912345678，请回电", subject="找13812345678"))
    await batches.tag_waiting(house)
    [message] = await town.all_rows(house, Message)
    assert privacy.masked(message.text, message.personal) == "我的电话139****5678，请回电"
    assert columns.masked_title(message) == "找138****5678"


async def test_taggers_beside_each_other_tag_each_message_once(any_house: House) -> None:
    await arrive(any_house, *[town.letter(n, WORDS[n % 5]) for n in range(200)])
    done = await asyncio.gather(*[batches.tag_waiting(any_house, 60) for _ in range(6)])
    while more := await batches.tag_waiting(any_house, 60):
        done.append(more)
    assert sum(done) == 200 == await town.count(any_house, Tagging) == await town.count(any_house, Case)
    await check_rollups(any_house)


async def test_a_message_that_breaks_its_case_blocks_nobody_and_is_tried_again(
    any_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await arrive(any_house, *[town.letter(n, words) for n, words in enumerate(WORDS)])
    real = batches.attach

    async def fussy(unit: Any, batch: Any) -> list[int]:
        done = await real(unit, batch)
        if any(one.message.external_id == "2" for one in batch):
            raise KeyError("2")
        return done

    monkeypatch.setattr(batches, "attach", fussy)
    start = clock.now()
    with clock.frozen(start) as move:
        assert await jobs.tag_messages(any_house) == 5
        assert await jobs.tag_messages(any_house) == 0
        cased = {m.external_id: m.case_id is not None for m in await town.all_rows(any_house, Message)}
        assert cased == {"0": True, "1": True, "2": False, "3": True, "4": True}
        await check_rollups(any_house)
        move(start + timedelta(minutes=6))
        assert await batches.attach_waiting(any_house) == 0
        assert await batches.attach_waiting(any_house) == 0, "not again at once"
        monkeypatch.setattr(batches, "attach", real)
        assert await batches.attach_waiting(any_house) == 0
        move(start + timedelta(minutes=12))
        assert await batches.attach_waiting(any_house) == 1
    assert await town.count(any_house, Case) == 5
    await check_rollups(any_house)


async def test_a_text_that_breaks_the_analyser_blocks_nobody(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    real = nlp.analyse

    def fussy(texts: Any) -> list[Analysis]:
        if any(text and "噪音" in text.body for text in texts):
            raise ZeroDivisionError
        return real(texts)

    monkeypatch.setattr(nlp, "analyse", fussy)
    await arrive(house, *[town.letter(n, words) for n, words in enumerate(WORDS)])
    assert await batches.tag_waiting(house) == 5
    messages = await town.all_rows(house, Message)
    assert [bool(message.topic) for message in messages].count(False) >= 1
    assert messages[2].topic == ""
    assert all(message.case_id for message in messages)


async def test_own_items_are_found_but_not_counted_and_join_a_case_that_came_later(house: House) -> None:
    town.numbers(house)
    question = town.letter("q", "路灯坏了", thread="t")
    answer = town.letter("a", "已派人维修", thread="t", own=True)
    await arrive(house, answer, question, platform="numbers")
    assert await batches.tag_waiting(house) == 2
    own, asked = await town.message(house, "a"), await town.message(house, "q")
    assert own.case_id == asked.case_id is not None
    assert await _found(house, "维修") == [own.id]
    assert sum(r.messages for r in await town.all_rows(house, Rollup)) == 1
    assert await town.count(house, Tagging) == 1


async def test_answered_pairs_become_similar_cases(any_house: House) -> None:
    more = {"answer": "已联系物业堵漏", "answered_at": "2026-11-22T08:00:00+08:00"}
    await arrive(any_house, town.letter(1, WORDS[0], **more), town.letter(2, "车库漏水严重"))
    assert await batches.tag_waiting(any_house) == 2
    async with reading(any_house.ctx) as unit:
        words = weights(nlp.analyse(["地下车库一直漏水"])[0].keywords, {})
        hits = await closest(unit, words, limit=5, only_answered=True)
    answered = await town.message(any_house, "1")
    assert [hit.message_id for hit in hits] == [answered.id]


@pytest.mark.real_data
async def test_the_real_messages_are_in_tagged_and_cased_within_40_seconds_of_one_core(
    house: House, shared_data: Path
) -> None:
    started = time.process_time()
    report = await import_file(house, shared_data / "gov_messages" / "messages_4326.xlsx", "来信", actor=system())
    assert report.new == 4326
    while await jobs.tag_messages(house):
        pass
    assert time.process_time() - started < 40
    messages = await town.all_rows(house, Message)
    assert all(message.case_id and message.tagged_at for message in messages)
    assert await town.count(house, Tagging) == 4326
    assert sum(r.messages for r in await town.all_rows(house, Rollup)) == 4326
    await check_rollups(house)
    wanted = [m.id for m in reversed(messages) if "地铁" in (m.title + m.text)]
    assert wanted
    async with reading(house.ctx) as unit:
        found = await search.match(unit, nlp.query_tokens("地铁"), limit=5000)
    assert set(wanted) <= set(found)


async def test_an_account_called_without_a_blank_takes_no_words_along(house: House) -> None:
    await town.account(house, name="栖澜城管（微博）", platform="sandbox")
    await arrive(house, town.letter(1, "@栖澜城管春熙里小区停水一天了没人管"), town.letter(2, "@栖澜城管"))
    try:
        await jobs.tag_messages(house)
    finally:
        nlp.know_accounts([])
    message, bare = [await town.message(house, number) for number in "12"]
    assert (message.topic, message.urgency) == ("城乡建设", "outage")
    cases = {case.first_message_id: case.title for case in await town.all_rows(house, Case)}
    assert cases == {message.id: "春熙里小区停水一天了没人管", bare.id: "（无文字内容）"}
