"""Posts from draft to the outbox, deliveries that need a person, reports and accounts, by programs alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col

from hub import clock
from hub.db import Context, unit_of_work
from hub.models import Account, Attempt, AttemptResult, Delivery, DeliveryState, FigureReading
from tests.web.api.conftest import Program
from tests.web.conftest import Visit
from tests.web.world import World
from workflows.house import House
from workflows.opinion import leaders

URN = "urn:zhengsheng:problem:"


def _in(**away: int) -> str:
    return (clock.now() + timedelta(**away)).isoformat()


async def _post(client: httpx.AsyncClient, world: World, **more: Any) -> dict[str, Any]:
    body = {"title": "停水通知", "body": "周六停水。", "targets": [{"account_id": world.account_id}], **more}
    answer = await client.post("/posts", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_whole_road(program: Program, world: World) -> None:
    async with program("press_officer") as press, program("reviewer1") as reviewer:
        post = await _post(press, world, scheduled_at=_in(hours=2))
        path = f"/posts/{post['id']}"
        assert (post["state"], post["version"], post["targets"][0]["text"]) == ("draft", 1, "周六停水。")
        changed = await press.patch(path, json={"version": 1, "body": "周日停水。"})
        assert changed.json()["title"] == "停水通知", "what is not given stays"
        assert changed.json()["content_hash"] != post["content_hash"]
        handed = (await press.post(f"{path}/submit", json={"version": changed.json()["version"]})).json()
        assert handed["state"] == "review"
        assert handed["reasons"]["approve"], "not by its author"
        (waiting,) = (await reviewer.get("/posts", params={"view": "review"})).json()["items"]
        assert waiting["id"] == post["id"]
        old = await reviewer.post(f"{path}/approve", json={"content_hash": post["content_hash"]})
        assert (old.status_code, old.json()["type"]) == (409, URN + "stale")
        done = await reviewer.post(f"{path}/approve", json={"content_hash": handed["content_hash"], "remark": "同意"})
        assert (done.json()["state"], done.json()["targets"][0]["delivery_state"]) == ("approved", "waiting")
        later = _in(hours=3)
        moved = await press.post(f"{path}/reschedule", json={"version": done.json()["version"], "scheduled_at": later})
        assert moved.json()["kept_approval"] is True
        at = datetime.fromisoformat(moved.json()["post"]["scheduled_at"])
        assert (at, at.utcoffset()) == (datetime.fromisoformat(later), timedelta(hours=8))
        delivery = (await press.get(f"/deliveries/{done.json()['targets'][0]['delivery_id']}")).json()
        assert delivery["delivery"]["scheduled_at"] == moved.json()["post"]["scheduled_at"]
        body = {"version": moved.json()["post"]["version"], "reason": "改由电话通知"}
        gone = await press.post(f"{path}/withdraw", json=body)
        assert gone.json()["state"] == "withdrawn"
        assert [one["what"] for one in gone.json()["events"]][-1] == "withdraw"
        after = (await press.get(f"/deliveries/{delivery['delivery']['id']}")).json()
        assert after["delivery"]["state"] == "cancelled"


async def test_sent_back_with_a_reason(program: Program, world: World) -> None:
    async with program("press_officer") as press, program("reviewer3") as reviewer:
        post = await _post(press, world)
        handed = (await press.post(f"/posts/{post['id']}/submit", json={"version": 1})).json()
        path = f"/posts/{post['id']}/send-back"
        empty = await reviewer.post(path, json={"content_hash": handed["content_hash"], "reason": " "})
        assert empty.status_code == 409
        back = await reviewer.post(path, json={"content_hash": handed["content_hash"], "reason": "写明区域"})
        assert (back.json()["state"], back.json()["review_note"]) == ("returned", "写明区域")


async def test_who_saves_late_is_told(program: Program, world: World) -> None:
    async with program("press_officer") as press:
        post = await _post(press, world)
        path = f"/posts/{post['id']}"
        assert (await press.patch(path, json={"version": 1, "title": "甲"})).status_code == 200
        late = await press.patch(path, json={"version": 1, "title": "乙"})
        assert (late.status_code, late.json()["type"]) == (409, URN + "stale")
        assert (await press.get(path)).json()["title"] == "甲"


async def test_times_are_cleared_by_null_only(program: Program, world: World) -> None:
    async with program("press_officer") as press:
        post = await _post(press, world, scheduled_at=_in(hours=2), latest_at=_in(hours=4))
        path = f"/posts/{post['id']}"
        kept = (await press.patch(path, json={"version": 1, "title": "停水"})).json()
        assert kept["scheduled_at"] == post["scheduled_at"]
        cleared = (await press.patch(path, json={"version": kept["version"], "scheduled_at": None})).json()
        assert cleared["scheduled_at"] is None
        assert cleared["latest_at"] == post["latest_at"]


async def test_accounts_that_are_not_there(program: Program) -> None:
    async with program("press_officer") as press:
        for targets, words in (([{"account_id": 999}], "不存在"), ([{"account_id": 1}, {"account_id": 1}], "不止一次")):
            answer = await press.post("/posts", json={"title": "停水", "targets": targets})
            assert answer.status_code == 422
            assert words in answer.json()["problems"]["targets"]
        assert (await press.get("/posts", params={"q": "停水", "view": "mine"})).json()["items"][0][
            "title"
        ] == "周末停水通知"


async def test_what_nobody_could_tell_is_settled(program: Program, world: World) -> None:
    path = f"/deliveries/{world.places['own']['delivery_id']}"
    async with program("press_officer") as press:
        found = (await press.get(path)).json()
        assert (found["delivery"]["state"], found["delivery"]["may"]) == ("unknown", ["settle_by_hand"])
        early = await press.post(f"{path}/cancel", json={"reason": "不发了"})
        assert early.status_code == 409, "it may be on the platform"
        said = {"was_sent": True, "remote_id": "http://127.0.0.1:9/item/5017", "reason": "在平台上看到了"}
        done = (await press.post(f"{path}/settle", json=said)).json()
        assert (done["delivery"]["state"], done["delivery"]["remote_id"]) == ("sent", "5017")
        again = await press.post(f"{path}/settle", json=said)
        assert again.status_code == 409


async def test_failed_ones_are_tried_again_or_given_up(program: Program, world: World, ctx: Context) -> None:
    path, delivery_id = f"/deliveries/{world.places['own']['delivery_id']}", world.places["own"]["delivery_id"]
    async with unit_of_work(ctx) as unit:
        failed = {"state": DeliveryState.failed, "attempts": 1, "error": "超时", "error_kind": "transient"}
        await unit.run(update(Delivery).where(col(Delivery.id) == delivery_id).values(**failed))
        unit.add(
            Attempt(
                delivery_id=int(str(delivery_id)), number=1, key="k", content_hash="h", result=AttemptResult.refused
            )
        )
    async with program("press_officer") as press:
        seen = (await press.get(path)).json()
        assert seen["delivery"]["may"] == ["retry", "reschedule", "cancel"]
        assert [one["result"] for one in seen["attempts"]] == ["refused"]
        assert seen["delivery"]["next_step"]
        key = {"Idempotency-Key": "again"}
        for _ in range(2):
            assert (await press.post(f"{path}/retry", headers=key)).json()["delivery"]["state"] == "waiting"
        moved = await press.post(f"{path}/reschedule", json={"scheduled_at": _in(hours=1)})
        assert datetime.fromisoformat(moved.json()["delivery"]["attempt_at"]) > clock.now()
        assert (await press.post(f"{path}/send-now")).json()["delivery"]["state"] == "waiting"
        gone = await press.post(f"{path}/cancel", json={"reason": "不发了"})
        assert (gone.json()["delivery"]["state"], gone.json()["delivery"]["why"]) == ("cancelled", "不发了")


async def test_the_leaders_figures_are_those_of_their_page(
    program: Program, visit: Visit, house: House, world: World
) -> None:
    async with program("press_officer") as press:
        found = (await press.get("/reports/leaders", params={"days": 30})).json()
        assert len(found["days"]) == len(found["messages"]) == 30
        assert set(found["sentiments"]) == {"negative", "neutral", "positive"}
        numbers = {side: world.places[side]["matter_id"] for side in ("own", "other")}
        assert {one["matter"]["id"] for one in found["hottest"]} == set(numbers.values())
        assert found["hottest"][0]["points"][0]["text"] == "路灯不亮三天了"
        assert found["today"] == {"now": 0, "before": 0, "change": None}
        past = (await press.get("/reports/leaders", params={"at": "2025-01-05T12:00:00+08:00"})).json()
        assert (past["days"][-1], len(past["days"])) == ("2025-01-05", leaders.DAYS[0])
    async with visit("leader") as leader:
        mine = (await leader.get("/api/v1/reports/leaders")).json()
        assert {one["matter"]["id"] for one in mine["hottest"]} == {numbers["own"]}, "with a message of one's own tree"


async def test_accounts_tell_no_secrets(program: Program, ctx: Context, world: World) -> None:
    async with unit_of_work(ctx) as unit:
        account = await unit.get(Account, world.account_id)
        assert account is not None
        account.sealed = ctx.vault.seal({"token": "geheim-token"})
        account.options, account.base_url = {"app_key": "geheim-key"}, "http://127.0.0.1:9/geheim"
    async with program("handler", "accounts:read") as client:
        listed = await client.get("/accounts")
        one = await client.get(f"/accounts/{world.account_id}")
        assert [item for item in listed.json()["items"] if item["id"] == world.account_id] == [one.json()]
        assert listed.json()["next"] is None
        assert one.json()["name"] == "澄江发布"
        assert one.json()["publishing"]["limit"] > 0
        for answer in (listed, one):
            assert "geheim" not in answer.text
            assert account.sealed not in answer.text
        assert [one["id"] for one in (await client.get("/departments")).json()["items"]] == [world.departments["own"]]
        assert (await client.get("/accounts/999")).status_code == 404


@pytest.mark.parametrize("role", ["reviewer1", "press_officer"])
async def test_deliveries_of_cases_one_may_not_see(program: Program, role: str, ctx: Context, world: World) -> None:
    case_id = world.places["own"]["case_id"]
    async with unit_of_work(ctx) as unit:
        reply: dict[str, Any] = {"kind": "reply", "case_id": case_id, "post_id": None, "reply_id": 1}
        wanted = col(Delivery.id) == world.places["own"]["delivery_id"]
        await unit.run(update(Delivery).where(wanted).values(**reply))
    async with program(role) as client:
        answer = await client.get(f"/deliveries/{world.places['own']['delivery_id']}")
        assert answer.status_code == (404 if role == "reviewer1" else 200)


async def test_a_published_post_tells_how_it_does(program: Program, world: World, ctx: Context) -> None:
    async with program("press_officer") as press, program("reviewer1") as reviewer:
        post = await _post(press, world, scheduled_at=_in(hours=2))
        path = f"/posts/{post['id']}"
        handed = (await press.post(f"{path}/submit", json={"version": post["version"]})).json()
        await reviewer.post(f"{path}/approve", json={"content_hash": handed["content_hash"]})
        (target,) = (await press.get(path)).json()["targets"]
        assert (target["figures"], target["figures_note"]) == (None, "")
        async with unit_of_work(ctx) as unit:
            number = target["delivery_id"]
            sent = {"state": DeliveryState.sent, "sent_at": clock.now(), "remote_id": "1", "figures_at": clock.now()}
            await unit.run(update(Delivery).where(col(Delivery.id) == number).values(**sent))
            unit.add(FigureReading(delivery_id=number, step=0, likes=0, comments=7))
        (target,) = (await reviewer.get(path)).json()["targets"]
    told = target["figures"]
    assert [told[name] for name in ("reads", "likes", "comments", "reposts", "by_name")] == [None, 0, 7, None, ""]
    assert datetime.fromisoformat(told["read_at"]) <= clock.now()
