"""From a message to an answer on its way out, by programs alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col, select

from hub import clock
from hub.db import Context, reading, unit_of_work
from hub.models import AuditEntry, Case, CaseState, Message, Reply, ReplyState
from tests.web.api.conftest import Program
from tests.web.world import World

URN = "urn:zhengsheng:problem:"


@pytest.fixture
async def fresh(ctx: Context, world: World) -> str:
    """The case of the own department as it came in: not yet accepted, nothing written. Its number."""
    case_id = world.places["own"]["case_id"]
    back: dict[str, Any] = {"state": CaseState.new, "department_id": None, "dispatched_at": None}
    async with unit_of_work(ctx) as unit:
        await unit.run(update(Case).where(col(Case.id) == case_id).values(**back))
        await unit.run(update(Reply).where(col(Reply.case_id) == case_id).values(state=ReplyState.failed))
        tagged = {"tagged_at": clock.now(), "topic": "城乡建设", "sentiment": "negative"}
        await unit.run(update(Message).where(col(Message.case_id) == case_id).values(**tagged))
    return str(world.places["own"]["number"])


async def _move(client: httpx.AsyncClient, number: str, move: str, version: int, **more: Any) -> dict[str, Any]:
    answer = await client.post(f"/cases/{number}/moves", json={"move": move, "version": version, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_whole_road(program: Program, fresh: str, world: World, ctx: Context) -> None:
    department = world.departments["own"]
    async with program("dispatcher", side="other") as desk:
        (one,) = (await desk.get("/cases", params={"which": "desk"})).json()["items"]
        assert (one["number"], one["state"], one["state_label"]) == (fresh, "new", "待受理")
        now = await _move(desk, fresh, "accept", one["version"])
        now = await _move(desk, fresh, "dispatch", now["version"], department_id=department)
    assert (now["state"], now["department_id"]) == ("dispatched", department)
    assert datetime.fromisoformat(now["due_at"]).utcoffset() == timedelta(hours=8)

    async with program("handler") as handler:
        now = await _move(handler, fresh, "sign", now["version"])
        saved = (await handler.post(f"/cases/{fresh}/draft", json={"text": "已修好，请查看。", "version": 0})).json()
        draft = saved["draft"]
        assert (draft["version"], draft["state"], saved["findings"]) == (1, "draft", [])
        handed = await handler.post(f"/replies/{draft['id']}/submit", json={"version": draft["version"]})
        assert handed.json()["state"] == "review"

    async with program("reviewer2") as reviewer:
        (waiting,) = (await reviewer.get("/replies")).json()["items"]
        assert (waiting["reply_id"], waiting["case_number"]) == (draft["id"], fresh)
        seen = (await reviewer.get(f"/cases/{fresh}")).json()
        assert seen["reply_reasons"]["approve"] == []
        body = {"version": seen["draft"]["version"], "content_hash": seen["draft"]["content_hash"]}
        approved = await reviewer.post(f"/replies/{draft['id']}/approve", json=body)
        assert approved.status_code == 200, approved.text

    async with program("press_officer") as press:
        (moving,) = [
            one
            for one in (await press.get("/deliveries", params={"group": "moving"})).json()["items"]
            if one["reply_id"] == draft["id"]
        ]
        assert moving["state"] == "waiting"
        found = (await press.get(f"/deliveries/{moving['id']}")).json()
        assert found["text"] == "已修好，请查看。"
        assert found["content_hash"] == body["content_hash"]
    told = [line["what"] for line in (seen["timeline"])]
    assert told == ["accept", "dispatch", "sign", "draft", "submit"]
    async with reading(ctx) as unit:
        whats = await unit.all(select(col(AuditEntry.what)).where(AuditEntry.object == f"case/{fresh}"))
    assert list(whats) == [f"case.{name}" for name in ("accept", "dispatch", "sign", "submit", "approve")]


async def test_one_case_tells_everything(program: Program, world: World) -> None:
    number = world.places["own"]["number"]
    async with program("head") as head:
        found = (await head.get(f"/cases/{number}")).json()
    assert [one["text"] for one in found["messages"]] == ["路灯不亮三天了"]
    assert found["draft"]["text"] == "已派人维修。"
    offered = {one["move"]: one for one in found["moves"]}
    assert offered["hand_back"]["needs"] == ["note"]
    assert not {"approve", "answer_sent"} & set(offered)
    assert isinstance(found["messages"][0]["external_id"], str)
    for name in ("opened_at", "last_message_at"):
        assert found["case"][name].endswith("+08:00")


async def test_every_reason_is_told_at_once(program: Program, world: World) -> None:
    number = world.places["own"]["number"]
    async with program("handler") as handler:
        answer = await handler.post(f"/cases/{number}/moves", json={"move": "hand_back", "version": 1})
        assert answer.status_code == 409
        found = answer.json()
        assert found["type"] == URN + "refused"
        assert len(found["reasons"]) >= 2
        assert any("权限" in reason for reason in found["reasons"])
        assert any("理由" in reason for reason in found["reasons"])
        assert found["detail"] == "；".join(found["reasons"])
        assert found["title"] == "现在还不能这样做"


async def test_who_comes_late_is_told(program: Program, world: World) -> None:
    number = world.places["own"]["number"]
    body = {"move": "suspend", "version": 1, "note": "等材料", "until": (clock.now() + timedelta(days=3)).isoformat()}
    async with program("dispatcher") as desk:
        first = await desk.post(f"/cases/{number}/moves", json=body)
        assert (first.json()["state"], first.json()["version"]) == ("waiting", 2)
        again = await desk.post(f"/cases/{number}/moves", json=body)
        assert again.status_code == 409
        assert again.json()["type"] == URN + "stale"


async def test_two_write_one_draft(program: Program, world: World) -> None:
    path = f"/cases/{world.places['own']['number']}/draft"
    async with program("handler") as one, program("head") as other:
        assert (await one.post(path, json={"text": "甲", "version": 1})).status_code == 200
        late = await other.post(path, json={"text": "乙", "version": 1})
        assert late.status_code == 409
        found = late.json()
        assert found["type"] == URN + "draft-conflict"
        assert (found["current"]["text"], found["current"]["version"]) == ("甲", 2)


async def test_what_needs_a_name_behind_it(program: Program, world: World) -> None:
    number = world.places["own"]["number"]
    async with program("handler") as client:
        text = "请拨打 13812345678 联系。"
        saved = (await client.post(f"/cases/{number}/draft", json={"text": text, "version": 1})).json()
        assert [one["blocks"] for one in saved["findings"]] == [False]
        path, body = f"/replies/{saved['draft']['id']}/submit", {"version": saved["draft"]["version"]}
        asked = await client.post(path, json=body)
        assert asked.status_code == 409
        assert asked.json()["type"] == URN + "unconfirmed"
        assert asked.json()["findings"] == saved["findings"]
        (found,) = asked.json()["findings"]
        assert text[found["start"] : found["end"]] == found["found"] == "13812345678"
        assert (found["rule"], found["severity"], found["field"]) == ("personal.phone", "error", "text")
        assert asked.json()["confirm"] == saved["confirm"] != ""
        assert (await client.post(path, json=body | {"confirm": "0" * 16})).status_code == 409
        assert (await client.post(path, json=body | {"confirm": saved["confirm"]})).json()["state"] == "review"


async def test_sent_back_with_a_comment(program: Program, world: World) -> None:
    number, reply_id = world.places["own"]["number"], world.places["own"]["reply_id"]
    async with program("handler") as client, program("head") as head:
        await client.post(f"/cases/{number}/draft", json={"text": "已修好。", "version": 1})
        await client.post(f"/replies/{reply_id}/submit", json={"version": 2})
        back = await head.post(f"/replies/{reply_id}/send-back", json={"version": 3, "note": "请写明时间"})
        assert back.json()["state"] == "handling"
        seen = (await client.get(f"/cases/{number}")).json()
        assert (seen["draft"]["state"], seen["replies"][0]["review_note"]) == ("returned", "请写明时间")


async def test_answered_elsewhere_only_where_the_platform_takes_none(program: Program, world: World) -> None:
    path = f"/cases/{world.places['own']['number']}/answers-elsewhere"
    body = {"version": 1, "text": "已电话答复。", "channel": "电话", "note": "来信人要求"}
    async with program("handler") as client:
        answer = await client.post(path, json=body)
        assert answer.status_code == 409
        assert "平台上答复" in answer.json()["detail"]


async def test_tags_are_corrected_with_a_reason(program: Program, fresh: str, world: World) -> None:
    path = f"/messages/{world.places['own']['message_id']}"
    async with program("dispatcher") as client:
        before = (await client.get(path)).json()
        assert (before["tags"]["topic"], before["may_correct"]) == ("城乡建设", [])
        done = await client.patch(f"{path}/tags", json={"topic": "交通运输", "reason": "说的是道路照明"})
        assert done.json()["topic"] == "交通运输"
        after = (await client.get(path)).json()
        assert after["tags"]["sentiment"] == "negative"
        assert (after["taggings"][0]["by_name"], after["taggings"][0]["reason"]) == (
            "dispatcher-own",
            "说的是道路照明",
        )
        assert after["case_number"] == fresh
        nothing = await client.patch(f"{path}/tags", json={"topic": "没有的", "reason": ""})
        assert nothing.status_code == 422
        assert set(nothing.json()["problems"]) == {"topic", "reason"}
        (listed,) = (await client.get("/messages", params={"topic": "交通运输"})).json()["items"]
        assert (listed["id"], listed["case_number"]) == (world.places["own"]["message_id"], fresh)


async def test_personal_data_stay_hidden(program: Program, world: World, ctx: Context) -> None:
    message_id = world.places["own"]["message_id"]
    async with unit_of_work(ctx) as unit:
        text = {"text": "我的电话 13812345678，请回电"}
        await unit.run(update(Message).where(col(Message.id) == message_id).values(**text))
    async with program("dispatcher") as client:
        for path in ("/messages", f"/messages/{message_id}", f"/cases/{world.places['own']['number']}", "/cases"):
            answer = await client.get(path)
            assert answer.status_code == 200
            assert "13812345678" not in answer.text, path
            assert "138****5678" in answer.text, path
