"""What the analyser says, a short reason with a correction, monitoring plans and their hits, by programs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import col, select

from hub import clock
from hub.db import Context, reading, unit_of_work
from hub.models import Correction, Message, PlanHit, Tagging, WatchPlan
from tests.web.api.conftest import Program
from tests.web.world import World


async def _tag(ctx: Context, world: World) -> int:
    """The message of the own department, tagged as the analyser does it."""
    number = int(str(world.places["own"]["message_id"]))
    async with unit_of_work(ctx) as unit:
        message = await unit.get(Message, number)
        assert message is not None
        message.text, message.title, message.tagged_at = "路灯不亮三天了，电话13812345678", "", clock.now()
        message.topic, message.sentiment, message.emotion, message.request = "城乡建设", "negative", "angry", "投诉"
        message.personal = [["phone", 10, 21]]
        for old in await unit.all(select(Tagging).where(Tagging.message_id == number)):
            old.is_current = False
        unit.add(Tagging(
            message_id=number, version="t", topic="城乡建设", topic_p=0.8, topic_words=["路灯", "13812345678"],
            sentiment="negative", sentiment_p=0.9, emotion="angry", emotion_p=0.7, emotion_second="sad",
            emotion_second_p=0.2, request="投诉", request_p=0.6,
            times=[
                {"kind": "length", "start": 4, "end": 6, "value": "P3D", "until": ""},
                {"kind": "date", "start": 10, "end": 14, "value": "1381", "until": ""},
            ],
            places=[{"name": "岳麓区", "level": "district", "code": "430104", "start": 0, "end": 3,
                     "ambiguous": False, "within": "湖南省长沙市"}],
            departments=[{"name": "市城管局", "role": "", "start": 0, "end": 4}], persons=[], personal=["phone"],
        ))  # fmt: skip
    return number


async def test_a_message_says_its_odds_and_what_is_named(program: Program, ctx: Context, world: World) -> None:
    number = await _tag(ctx, world)
    async with program("press_officer") as client:
        found = (await client.get(f"/messages/{number}")).json()
        angry = (await client.get("/messages", params={"emotion": "angry"})).json()["items"]
        happy = (await client.get("/messages", params={"emotion": "happy"})).json()["items"]
    said = found["said"]
    assert said["emotion"] == {"value": "angry", "p": 0.7, "second": "sad", "second_p": 0.2, "words": []}
    assert said["topic"]["words"] == ["路灯"]
    assert said["urgency"]["p"] is None
    assert said["places"][0]["code"] == "430104"
    assert [one["text"] for one in said["times"]] == ["三天"], "what is masked is not said again"
    assert (said["departments"][0]["name"], said["personal"]) == ("市城管局", ["phone"])
    assert "13812345678" not in str(found)
    assert found["tags"]["emotion"] == "angry"
    assert number in [one["id"] for one in angry]
    assert number not in [one["id"] for one in happy]


async def test_a_correction_takes_a_short_reason(program: Program, ctx: Context, world: World) -> None:
    number = await _tag(ctx, world)
    async with program("dispatcher") as client:
        bare = await client.patch(f"/messages/{number}/tags", json={"emotion": "sad"})
        other = await client.patch(f"/messages/{number}/tags", json={"emotion": "sad", "because": "other"})
        wrong = await client.patch(f"/messages/{number}/tags", json={"emotion": "sad", "because": "right"})
        odd = await client.patch(f"/messages/{number}/tags", json={"emotion": "happy", "because": "irony"})
        done = await client.patch(f"/messages/{number}/tags", json={"emotion": "sad", "because": "irony"})
    assert [one.status_code for one in (bare, other, wrong, odd, done)] == [422, 422, 422, 422, 200]
    assert (done.json()["emotion"], done.json()["sentiment"]) == ("sad", "negative")
    async with reading(ctx) as unit:
        newest = select(Correction).where(col(Correction.message_id) == number).order_by(col(Correction.id).desc())
        one = await unit.first(newest)
    assert one is not None
    assert (one.field, one.before, one.after, one.because, one.p) == ("emotion", "angry", "sad", "irony", 0.7)


async def test_plans_and_their_hits(program: Program, ctx: Context, world: World) -> None:
    number, plan_id = await _tag(ctx, world), int(str(world.places["own"]["plan_id"]))
    async with program("press_officer") as client:
        plans = (await client.get("/plans")).json()
        plan = (await client.get(f"/plans/{plan_id}")).json()
        hits = (await client.get(f"/plans/{plan_id}/hits")).json()
        none = (await client.get(f"/plans/{plan_id}/hits", params={"day": "2001-01-01"})).json()
        late = await client.get(f"/plans/{plan_id}/hits", params={"day": "9999-12-31"})
        gone = await client.get("/plans/4711/hits")
        message = (await client.get(f"/messages/{number}")).json()
    assert plan in plans["items"]
    assert (plans["next"], plan["name"], plan["is_active"]) == (None, "路灯-own", True)
    assert "路灯" in plan["says"]
    (hit,) = [one for one in hits["items"] if one["message_id"] == number]
    assert (hit["words"], hit["topic"]) == (["路灯", "不亮"], "城乡建设")
    assert "13812345678" not in str(hits)
    assert none["items"] == []
    assert (late.status_code, gone.status_code) == (422, 404)
    assert [(one["plan_id"], one["words"]) for one in message["plans"]] == [(plan_id, ["路灯", "不亮"])]


async def test_hits_come_in_pages(program: Program, ctx: Context, world: World) -> None:
    plan_id = int(str(world.places["own"]["plan_id"]))
    async with unit_of_work(ctx) as unit:
        plan = await unit.get(WatchPlan, plan_id)
        first = await unit.get(Message, world.places["own"]["message_id"])
        assert plan is not None
        assert first is not None
        for n in range(4):
            values = first.model_dump(exclude={"id", "external_id", "created_at"})
            message = Message(**values, external_id=f"page{n}", created_at=clock.now() - timedelta(minutes=n))
            unit.add(message)
            await unit.flush()
            unit.add(PlanHit(plan_id=plan_id, message_id=message.id or 0, at=message.created_at, words=["路灯"]))
    seen: list[int] = []
    async with program("press_officer") as client:
        cursor = ""
        while True:
            page = (await client.get(f"/plans/{plan_id}/hits", params={"limit": 2, "cursor": cursor})).json()
            seen += [one["message_id"] for one in page["items"]]
            if page["next"] is None:
                break
            cursor = page["next"]
    assert len(seen) == len(set(seen)) >= 5


@pytest.mark.parametrize("address", ["/plans", "/plans/1", "/plans/1/hits"])
async def test_clerks_do_not_see_plans(program: Program, world: World, address: str) -> None:
    async with program("handler") as client:
        assert (await client.get(address)).status_code == 403
