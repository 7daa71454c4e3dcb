"""Pushes: stored before they are answered, however often and in whatever order they come."""

from __future__ import annotations

import asyncio
import random

import pytest
from sqlmodel import col

from hub import clock
from hub.db import Context, open_context, unit_of_work
from hub.models import Account, Arrival, Message, PushProof
from tests.sims.sandbox import push_body, signed_query
from tests.workflows.intake import town
from workflows.house import House
from workflows.intake import jobs, receive_push
from workflows.intake.proofs import KEPT, sweep_proofs
from workflows.intake.push import Accept, Challenge, Reject

SECRET = "s3cret"


async def _account(house: House) -> Account:
    return await town.account(
        house, "sandbox", name="临江发布", external_id="9001", sealed=house.ctx.vault.seal({"app_secret": SECRET})
    )


async def _push(house: House, account_id: int, body: bytes) -> object:
    return await receive_push(house, account_id, "POST", signed_query(SECRET), {}, body)


async def _replay(ctx: Context, house: House, account_id: int, bodies: list[bytes]) -> None:
    one = House(ctx, house.platforms)
    for body in bodies:
        assert isinstance(await _push(one, account_id, body), Accept)


async def test_deliveries_from_8_connections_on_both_databases(any_house: House) -> None:
    """Each event five times. 2,000 against a real server process: ``tests/web/test_hooks.py``."""
    house, events = any_house, 200
    account = await _account(house)
    bodies = [push_body("9001", str(n), f"第 {n} 条") for n in range(events)] * 5
    random.Random(3).shuffle(bodies)
    contexts = [open_context(house.ctx.settings) for _ in range(8)]
    await asyncio.gather(*[_replay(one, house, account.id or 0, bodies[n::8]) for n, one in enumerate(contexts)])
    for one in contexts:
        await one.close()
    assert await town.count(house, Arrival) == events
    assert await jobs.read_arrivals(house) == events
    assert await town.count(house, Message) == events
    stored = (await town.all_rows(house, Account))[0]
    assert stored.last_push_at is not None


async def test_nothing_is_kept_of_what_is_not_genuine(any_house: House) -> None:
    account = await _account(any_house)
    wrong = signed_query("another")
    for query, body in ((wrong, push_body("9001", "1", "假")), ({}, b""), (signed_query(SECRET), b"")):
        answer = await receive_push(any_house, account.id or 0, "POST", query, {}, body)
        assert isinstance(answer, Reject)
        assert answer.status in (400, 403)
    assert isinstance(await _push(any_house, 4711, b"{}"), Reject)
    assert await town.count(any_house, Arrival) == 0


async def test_a_challenge_is_answered_and_stores_nothing(house: House) -> None:
    account = await _account(house)
    query = signed_query(SECRET) | {"echostr": "hello"}
    assert await receive_push(house, account.id or 0, "GET", query, {}, b"") == Challenge("hello")
    assert await town.count(house, Arrival) == 0


async def test_a_signature_is_good_for_one_content(any_house: House) -> None:
    """It is made of a time and a random number: whoever has seen an address could send anything with it."""
    number = (await _account(any_house)).id or 0
    query = signed_query(SECRET)
    genuine, forged = push_body("9001", "1", "路灯坏了"), push_body("9001", "2", "伪造的来信")
    for body, taken in ((genuine, True), (forged, False), (genuine, True), (forged, False)):
        answer = await receive_push(any_house, number, "POST", query, {}, body)
        assert isinstance(answer, Accept if taken else Reject), answer
    assert isinstance(await _push(any_house, number, forged), Accept), "with a signature of its own it is taken"
    assert await town.count(any_house, Arrival) == 2


async def test_of_several_contents_at_the_same_moment_one_is_taken(any_house: House) -> None:
    number = (await _account(any_house)).id or 0
    query = signed_query(SECRET)
    bodies = [push_body("9001", str(n), f"第 {n} 条") for n in range(6)]
    answers = await asyncio.gather(
        *[receive_push(any_house, number, "POST", query, {}, body) for body in bodies for _ in range(2)]
    )
    assert sum(isinstance(answer, Accept) for answer in answers) == 2, "one content, both its tries"
    assert await town.count(any_house, Arrival) == 1


async def test_the_signature_of_a_check_of_the_address_brings_nothing_in(house: House) -> None:
    number = (await _account(house)).id or 0
    query = signed_query(SECRET)
    for _ in range(2):
        answer = await receive_push(house, number, "GET", query | {"echostr": "hello"}, {}, b"")
        assert answer == Challenge("hello")
    answer = await receive_push(house, number, "POST", query, {}, push_body("9001", "1", "伪造的来信"))
    assert isinstance(answer, Reject)
    assert answer.status == 403
    assert await town.count(house, Arrival) == 0


async def test_signatures_are_forgotten_when_their_time_is_too_old(house: House) -> None:
    number = (await _account(house)).id or 0
    await _push(house, number, push_body("9001", "1", "一"))
    assert await sweep_proofs(house) == 0
    with clock.frozen(clock.now() + KEPT * 2):
        assert await sweep_proofs(house) == 1
    assert await town.count(house, PushProof) == 0


async def test_the_answer_comes_after_the_commit(house: House) -> None:
    """When the database refuses, there is no answer at all: the platform sends again."""
    account = await _account(house)
    async with house.ctx.engine.begin() as connection:
        await connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON arrival BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
    with pytest.raises(Exception, match="disk full"):
        await _push(house, account.id or 0, push_body("9001", "1", "一"))
    async with house.ctx.engine.begin() as connection:
        await connection.exec_driver_sql("DROP TRIGGER full")
    assert isinstance(await _push(house, account.id or 0, push_body("9001", "1", "一")), Accept)
    assert await town.count(house, Arrival) == 1


async def test_one_push_that_cannot_be_stored_takes_no_other_with_it(house: House) -> None:
    """Those of the same moment go into one transaction; where it is refused, each is stored alone."""
    account = await _account(house)
    async with house.ctx.engine.begin() as connection:
        await connection.exec_driver_sql(
            "CREATE TRIGGER odd BEFORE INSERT ON arrival WHEN NEW.external_id = '3' "
            "BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )
    bodies = [push_body("9001", str(n), f"第 {n} 条") for n in range(6)]
    pushes = [_push(house, account.id or 0, body) for body in bodies]
    answers = await asyncio.gather(*pushes, return_exceptions=True)
    assert [isinstance(answer, Accept) for answer in answers] == [True, True, True, False, True, True]
    assert await town.count(house, Arrival) == 5


async def test_an_account_that_was_switched_off_takes_nothing_from_the_next_push_on(house: House) -> None:
    account = await _account(house)
    assert isinstance(await _push(house, account.id or 0, push_body("9001", "1", "一")), Accept)
    async with unit_of_work(house.ctx) as unit:
        await unit.claim(Account, col(Account.id) == account.id, is_active=False)
    assert await _push(house, account.id or 0, push_body("9001", "2", "二")) == Reject(404, "没有这个账号")
    assert await town.count(house, Arrival) == 1
