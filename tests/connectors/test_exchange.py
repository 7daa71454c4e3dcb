"""Work orders exchanged with another system: signed both ways, mapped, never twice."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import (
    Accept,
    AccountRef,
    Capability,
    ConnectorError,
    Done,
    Effect,
    ErrorKind,
    Granted,
    Inbound,
    Kind,
    Outgoing,
    RawItem,
    Reject,
    Stage,
    Unparsable,
)
from connectors.exchange.back import receipt_of
from connectors.exchange.client import ExchangeConnector
from connectors.exchange.form import FORM
from connectors.exchange.orders import items_of, pushed
from connectors.forms import odd_pair
from connectors.http import Http
from connectors.stages import STAGES, wanted
from tests.sims.exchange import KEY, KEY_ID, Hotline, hotline

connector = ExchangeConnector(Http(live=False, read=3.0, total=5.0))
ORDER = {
    "order_id": "GD20261123001", "title": "路灯不亮", "content": "人民路路灯坏了三天。", "kind": "投诉",
    "person": "李小明", "phone": "13812345678", "address": "人民路12号", "region": "330102",
    "accepted_at": "2026-11-23 09:00:00", "due_at": "2026-12-04T18:00:00+08:00", "channel": "电话",
    "attachments": [{"name": "a.jpg", "url": "javascript:x"}],
}  # fmt: skip


@pytest.fixture
def other() -> Iterator[Hotline]:
    with hotline() as found:
        yield found


@pytest.fixture
def ref(other: Hotline) -> AccountRef:
    return AccountRef(1, "exchange", "12345", "", other.base_url, {"key": KEY}, {"key_id": KEY_ID})


def result(text: str = "已修好。", key: str = "k1") -> Outgoing:
    return Outgoing(text, key, "GD20261123001", Kind.letter, "GD20261123001", "P1")


async def test_a_signed_push_is_answered_with_what_is_stored(other: Hotline, ref: AccountRef) -> None:
    headers, body = other.push(ORDER, ORDER, {"order_id": "2", "content": "停水"})
    answer = await connector.receive(ref, "POST", {}, {k.title(): v for k, v in headers.items()}, body)
    assert isinstance(answer, Accept)
    assert (answer.body, answer.content_type) == ('{"received": ["GD20261123001", "2"]}', "application/json")
    one = connector.parse(ref, answer.items[0])
    assert (one.kind, one.external_id, one.title) == (Kind.letter, "GD20261123001", "路灯不亮")
    assert one.text == "人民路路灯坏了三天。\n联系人：李小明，电话：13812345678"
    assert one.author.name == "李＊＊"
    assert "138" not in one.author.id
    assert one.created_at == datetime(2026, 11, 23, 1, tzinfo=UTC)
    assert one.due_at == datetime(2026, 12, 4, 10, tzinfo=UTC)
    assert (one.extra["region"], one.extra["channel"]) == ("330102", "电话")
    assert one.media[0].url == ""


async def test_what_is_not_genuine_is_refused(other: Hotline, ref: AccountRef) -> None:
    headers, body = other.push(ORDER)
    now = datetime.now(UTC)
    late, _ = other.push(ORDER, at=now - timedelta(minutes=6))
    early, _ = other.push(ORDER, at=now + timedelta(minutes=6))
    for bad_headers, bad_body in (
        ({}, body), (headers, body + b" "), (late, body), (early, body), ({**headers, "x-exchange-key": "x"}, body),
        ({**headers, "x-exchange-timestamp": "x"}, body), ({**headers, "x-exchange-signature": "é"}, body),
    ):  # fmt: skip
        assert isinstance(await connector.receive(ref, "POST", {}, bad_headers, bad_body), Reject)
    keyless = dataclasses.replace(ref, secrets={})
    assert isinstance(await connector.receive(keyless, "POST", {}, headers, body), Reject)


async def test_a_city_with_its_own_names_and_codes(other: Hotline, ref: AccountRef) -> None:
    options = {"key_id": KEY_ID, "mapping": "order_id=GDBH，content=SQNR,kind=LX", "kinds": "03=投诉, 01=咨询"}
    city = dataclasses.replace(ref, options=options)
    headers, body = other.push({"GDBH": 77, "SQNR": "停水两天", "LX": "03"})
    answer = await connector.receive(city, "POST", {}, headers, body)
    assert isinstance(answer, Accept)
    one = connector.parse(city, answer.items[0])
    assert (one.external_id, one.text, one.extra["stated_kind"]) == ("77", "停水两天", "投诉")
    named = {"key_id": KEY_ID, "mapping": "event_id=LSH,order_id=GDBH,result=BLJG"}
    await connector.reply(dataclasses.replace(ref, options=named), result())
    (sent,) = other.results.values()
    assert sent | {"answered_at": ""} == {
        "LSH": "k1", "GDBH": "GD20261123001", "status": "answered", "BLJG": "已修好。", "answered_at": ""
    }  # fmt: skip


async def test_a_result_names_who_is_in_charge(other: Hotline, ref: AccountRef) -> None:
    out = dataclasses.replace(result(), department="市城市管理局", department_code="11330100002490000X")
    await connector.reply(ref, out)
    sent = other.results["k1"]
    assert (sent["department"], sent["department_code"]) == ("市城市管理局", "11330100002490000X")
    assert connector.validate(ref, dataclasses.replace(out, text="")), "a result says something"


async def test_where_an_order_stands_goes_in_the_words_of_the_city(other: Hotline, ref: AccountRef) -> None:
    at = datetime(2026, 11, 27, 2, tzinfo=UTC)
    told = Outgoing("", "e1", "GD1", Kind.letter, stage=Stage.transferred, department="市城市管理局", at=at)
    done = await connector.tell(ref, told)
    assert other.events["e1"] == {
        "event_id": "e1", "order_id": "GD1", "status": "transferred", "at": "2026-11-27T02:00:00+00:00",
        "department": "市城市管理局",
    }  # fmt: skip
    assert isinstance(done, Done)
    assert (done.external_id, done.extra) == ("e1", {"receipt": "R1"})
    options = {"key_id": KEY_ID, "mapping": "event_id=LSH,status=ZT,reason=YY", "statuses": "退单=04，答复=05"}
    city = dataclasses.replace(ref, options=options)
    back = Outgoing("不属于本级职责", "e2", "GD2", Kind.letter, stage=Stage.returned, at=at)
    await connector.tell(city, back)
    assert other.events["e2"] == {
        "LSH": "e2", "order_id": "GD2", "ZT": "04", "at": at.isoformat(), "YY": "不属于本级职责",
    }  # fmt: skip
    await connector.reply(city, result())
    assert other.results["k1"]["ZT"] == "05"
    with pytest.raises(ConnectorError):
        await connector.tell(ref, dataclasses.replace(told, target_id=""))


async def test_what_was_told_is_found_again_and_told_once(other: Hotline, ref: AccountRef) -> None:
    told = Outgoing("", "e1", "GD1", Kind.letter, stage=Stage.accepted)
    other.drops = 1
    with pytest.raises(ConnectorError) as caught:
        await connector.tell(ref, told)
    assert caught.value.effect is Effect.unknown
    own = await connector.find_own(ref, datetime.now(UTC), told)
    assert [item.key for item in own.items] == ["e1"]
    assert isinstance(await connector.tell(ref, told), Done)
    assert (len(other.events), other.attempts, other.results) == (1, 2, {})
    assert not (await connector.find_own(ref, datetime.now(UTC), result(key="e1"))).items, "a result is another thing"
    other.statuses = [410, 410]
    assert isinstance(await connector.tell(ref, dataclasses.replace(told, stage=Stage.closed)), Done)
    with pytest.raises(ConnectorError, match="已经关闭"):
        await connector.tell(ref, told)


@pytest.mark.parametrize(
    ("body", "receipt"),
    [
        (b"", {}), (b"OK", {}), (b"[1]", {}), (b'{"receipt": 7}', {"receipt": "7"}), (b'{"receipt": null}', {}),
        (b'{"receipt": "A-1", "event_id": "k1"}', {"receipt": "A-1"}), (b'{"receipt": {"no": 1}}', {}),
        (b'{"receipt": "A-1", "event_id": "k2"}', None), (b" <html><title>Login</title></html>", None),
    ],
)  # fmt: skip
def test_a_receipt_is_looked_at_before_it_is_kept(body: bytes, receipt: dict[str, str] | None) -> None:
    if receipt is not None:
        assert receipt_of(body, {}, "k1") == receipt
        return
    with pytest.raises(ConnectorError) as caught:
        receipt_of(body, {}, "k1")
    assert (caught.value.kind, caught.value.effect) == (ErrorKind.protocol, Effect.unknown)
    assert receipt_of(b'{"HZ": "x", "LSH": "k1"}', {"receipt": "HZ", "event_id": "LSH"}, "k1") == {"receipt": "x"}


def test_only_the_stages_that_are_switched_on_are_told() -> None:
    assert wanted({}) == wanted({STAGES: ""}) == frozenset()
    assert wanted({STAGES: "受理、退单，办结 别的"}) == {Stage.accepted, Stage.returned, Stage.closed}


@pytest.mark.parametrize(
    ("name", "typed", "odd"),
    [
        ("mapping", "order_id=GDBH，content＝SQNR\nresult=BLJG", ""), ("mapping", "order=GDBH", "order=GDBH"),
        ("mapping", "order_id=A,order_id=B", "order_id=B"), ("mapping", "order_id", "order_id"),
        ("kinds", "01=咨询,02=咨询", ""), ("kinds", "01=谘询", "01=谘询"),
        ("statuses", "受理=1;答复=5", ""), ("statuses", "accepted=1", "accepted=1"), ("statuses", "受理=", "受理"),
    ],
)  # fmt: skip
def test_a_slip_in_a_table_is_named(name: str, typed: str, odd: str) -> None:
    (field,) = [field for field in FORM.fields if field.name == name]
    assert field.table
    assert odd_pair(typed, field.table) == odd
    assert odd_pair(field.table.example, field.table) == ""


@pytest.mark.parametrize(
    ("written", "due"),
    [
        ("2026-12-04", datetime(2026, 12, 4, 15, 59, 59, tzinfo=UTC)),
        ("2026-12-04 18:00:00", datetime(2026, 12, 4, 10, tzinfo=UTC)),
        ("9999-12-31", datetime(9999, 12, 31, 15, 59, 59, tzinfo=UTC)),
        ("尽快", None),
        ("", None),
    ],
)
def test_a_deadline_without_a_time_is_the_end_of_its_day(ref: AccountRef, written: str, due: datetime | None) -> None:
    (item,) = items_of({**ORDER, "due_at": written}, {})
    assert connector.parse(ref, item).due_at == due


async def test_more_orders_than_a_page_are_all_fetched(other: Hotline, ref: AccountRef) -> None:
    pulling = dataclasses.replace(ref, options={"key_id": KEY_ID, "pull": "是"})
    other.orders = [{"order_id": str(n), "content": f"第 {n} 件"} for n in range(35)]
    assert (await connector.pull(ref, "orders", {})).items == ()
    found: list[str] = []
    cursor: dict[str, object] = {}
    for _ in range(10):
        page = await connector.pull(pulling, "orders", cursor)
        again = await connector.pull(pulling, "orders", cursor)
        assert page == again, "until it is committed the same page comes again"
        found += [item.external_id for item in page.items]
        cursor = dict(page.cursor)
        if not page.more:
            break
    assert found == [str(n) for n in range(35)]
    assert connector.capabilities(pulling)[Capability.pull_messages].granted is Granted.yes


async def test_a_long_page_is_kept_whole_before_the_mark_moves(other: Hotline, ref: AccountRef) -> None:
    pulling = dataclasses.replace(ref, options={"key_id": KEY_ID, "pull": "是"})
    other.page = 1000
    other.orders = [{"order_id": str(n), "content": f"第 {n} 件"} for n in range(700)]
    page = await connector.pull(pulling, "orders", {})
    assert [item.external_id for item in page.items] == [str(n) for n in range(700)]
    assert page.cursor == {"after": "700"}


async def test_of_a_long_push_the_answer_names_what_is_stored(other: Hotline, ref: AccountRef) -> None:
    headers, body = other.push(*({"order_id": str(n), "content": "停水"} for n in range(501)))
    answer = await connector.receive(ref, "POST", {}, headers, body)
    assert isinstance(answer, Accept)
    kept = [item.external_id for item in answer.items]
    assert kept == [str(n) for n in range(500)] == json.loads(answer.body)["received"]


def test_one_telephone_is_one_person_and_cannot_be_found_by_trying(ref: AccountRef) -> None:
    def author(phone: str, key: str = KEY) -> str:
        (item,) = items_of({**ORDER, "phone": phone}, {})
        return connector.parse(dataclasses.replace(ref, secrets={"key": key}), item).author.id

    assert author("13812345678") == author("138-1234-5678")
    assert author("13812345678") != author("13812345679")
    assert author("13812345678") != author("13812345678", "another-shared-secret"), (
        "without the key there is no telling"
    )
    assert hashlib.sha256(b"13812345678").hexdigest()[:24] not in author("13812345678")


def test_a_mistyped_interval_is_the_usual_one(ref: AccountRef) -> None:
    for typed, seconds in {"两分钟": 120, "300": 300, "": 120, "0": 1}.items():
        options = {"pull": "是", "pull_every": typed}
        assert connector.limits(dataclasses.replace(ref, options=options)).pull_every == seconds
    assert connector.limits(dataclasses.replace(ref, options={"pull_every": "300"})).pull_every == 86_400


async def test_a_result_arrives_once_also_when_its_answer_is_lost(other: Hotline, ref: AccountRef) -> None:
    other.drops = 1
    with pytest.raises(ConnectorError) as caught:
        await connector.reply(ref, result())
    assert caught.value.effect is Effect.unknown
    own = await connector.find_own(ref, datetime.now(UTC), result())
    assert [item.key for item in own.items] == ["k1"]
    assert (await connector.reply(ref, result())).__class__.__name__ == "Done"
    assert (len(other.results), other.attempts) == (1, 2)
    assert other.results["k1"]["result"] == "已修好。"
    assert await connector.exists(ref, "k1")
    assert not await connector.exists(ref, "k2")
    assert await connector.find_own(ref, datetime.now(UTC), result(key="k2")) == type(own)((), complete=True)


@pytest.mark.parametrize(
    ("status", "kind", "effect"),
    [
        (400, ErrorKind.content_rejected, Effect.not_done), (401, ErrorKind.auth_human, Effect.not_done),
        (403, ErrorKind.permission, Effect.not_done), (404, ErrorKind.not_found, Effect.not_done),
        (410, ErrorKind.window_closed, Effect.not_done), (413, ErrorKind.content_rejected, Effect.not_done),
        (422, ErrorKind.content_rejected, Effect.not_done), (429, ErrorKind.rate_limited, Effect.not_done),
        (500, ErrorKind.transient, Effect.unknown), (503, ErrorKind.transient, Effect.unknown),
        (302, ErrorKind.protocol, Effect.unknown),
    ],
)  # fmt: skip
async def test_every_refusal_is_told(
    other: Hotline, ref: AccountRef, status: int, kind: ErrorKind, effect: Effect
) -> None:
    other.statuses = [status]
    with pytest.raises(ConnectorError) as caught:
        await connector.reply(ref, result())
    assert (caught.value.kind, caught.value.effect) == (kind, effect)
    assert KEY not in str(caught.value)


async def test_a_wrong_key_is_an_unhealthy_answer(other: Hotline, ref: AccountRef) -> None:
    assert (await connector.check(ref)).ok
    assert not (await connector.check(dataclasses.replace(ref, secrets={"key": "another-shared-secret"}))).ok


_NAMES = st.sampled_from(["orders", "order_id", "content", "title", "attachments", "accepted_at", "phone"])
_TREES = st.recursive(
    st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(_NAMES, inner), max_leaves=20
)


@given(st.binary(max_size=600) | _TREES.map(lambda tree: json.dumps(tree).encode("utf-8", "replace")))
def test_any_body_is_items_and_any_item_is_understood_or_told(body: bytes) -> None:
    ref = AccountRef(1, "exchange", "12345", "", "http://127.0.0.1:9", {"key": KEY}, {"key_id": KEY_ID})
    for item in items_of(pushed(body), {}):
        assert isinstance(item, RawItem)
        try:
            assert isinstance(connector.parse(ref, item), Inbound)
        except Unparsable as error:
            assert str(error)  # noqa: PT017
