"""The calendar: what stands on it, what a drag does, and what it costs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from hub import clock
from hub.models import Delivery, DeliveryState, Post, PostState, PostTarget
from tests.web.press.conftest import Browse, statements
from tests.workflows.delivery.office import Office

S = DeliveryState


def span(start: datetime, days: int = 40) -> dict[str, str]:
    return {"start": start.isoformat(), "end": (start + timedelta(days=days)).isoformat()}


async def events(browse: Browse, who: str = "press", **more: str) -> list[dict[str, Any]]:
    async with browse(who) as page:
        answer = await page.get("/calendar/events", params=span(clock.now() - timedelta(days=5)) | more)
    assert answer.status_code == 200, answer.text
    return list(answer.json())


async def delivered(office: Office, state: DeliveryState, **values: object) -> None:
    (key,) = await office.approved(f"稿件{state}", after=3600)
    async with office.work() as unit:
        delivery = await unit.get(Delivery, key)
        for name, value in {"state": state, **values}.items():
            setattr(delivery, name, value)


async def test_every_state_has_a_word_and_a_sign(office: Office, browse: Browse) -> None:
    when = {"scheduled_at": clock.now() + timedelta(hours=2)}
    await office.draft("草", **when)
    await office.submitted("审", **when)
    for state in (S.waiting, S.sent, S.failed, S.missed, S.unknown, S.removed, S.held):
        await delivered(office, state)
    found = [(item["state_label"], item["tone"]) for item in await events(browse)]
    assert sorted(found) == sorted([
        ("草稿", "draft"), ("待审核", "review"), ("待发", "ready"), ("已发出", "done"), ("失败", "problem"),
        ("错过", "problem"), ("待核实", "problem"), ("平台下线", "problem"), ("暂停", "held"),
    ])  # fmt: skip


async def test_a_post_names_its_accounts_and_why_it_cannot_move(office: Office, browse: Browse) -> None:
    other = await office.connect("江北发布")
    await office.draft("两个号", [office.accounts[0], other], scheduled_at=clock.now() + timedelta(hours=2))
    (mine,) = await events(browse)
    assert mine["account_names"] == ["临江发布", "江北发布"]
    assert (mine["movable"], mine["why"], mine["url"]) == (True, "", f"/posts/{mine['id']}")
    await delivered(office, S.sent)
    gone = [item for item in await events(browse) if item["tone"] == "done"]
    assert not gone[0]["movable"]
    assert "已发出" in gone[0]["why"]


async def test_two_within_a_quarter_of_an_hour_are_marked(office: Office, browse: Browse) -> None:
    for minutes in (60, 70, 200):
        await office.draft(f"{minutes}", scheduled_at=clock.now() + timedelta(minutes=minutes))
    assert [item["conflict"] for item in await events(browse)] == [True, True, False]


async def test_a_drag_moves_the_post_and_its_deliveries_and_can_be_undone(office: Office, browse: Browse) -> None:
    (key,) = await office.approved(after=7200)
    (item,) = await events(browse)
    before = (await office.delivery(key)).scheduled_at
    wanted = clock.now().replace(microsecond=0) + timedelta(hours=5)
    async with browse("press") as page:
        sent = {"start": wanted.isoformat(), "version": item["version"]}
        moved = (await page.post(f"/calendar/{item['id']}/move", json=sent)).json()
        assert (await office.delivery(key)).scheduled_at == wanted
        undone = await page.post(moved["undo_url"])
        assert undone.status_code == 200
        assert (await office.delivery(key)).scheduled_at == before
        twice = await page.post(moved["undo_url"])
    assert twice.status_code == 409


async def test_a_drag_is_refused_with_every_reason(office: Office, browse: Browse) -> None:
    await office.draft(scheduled_at=clock.now() + timedelta(hours=2))
    (item,) = await events(browse)
    async with browse("press") as page:
        page.headers["Accept"] = "application/json"
        url = f"/calendar/{item['id']}/move"
        late = {"start": (clock.now() - timedelta(hours=1)).isoformat(), "version": item["version"]}
        answer = await page.post(url, json=late)
        assert (answer.status_code, answer.json()["reasons"]) == (409, ["计划时间已经过去"])
        stale = {"start": (clock.now() + timedelta(hours=9)).isoformat(), "version": item["version"] + 7}
        answer = await page.post(url, json=stale)
        assert answer.status_code == 409, answer.text
        assert "他人" in answer.json()["reasons"][0]
        for bad in ({}, {"start": "昨天", "version": 1}, {"start": late["start"], "version": "1"}, {"start": 5}):
            assert (await page.post(url, json=bad)).status_code == 422
    (again,) = await events(browse)
    assert again["start"] == item["start"]


async def test_a_long_move_costs_the_approval_and_offers_no_undo(office: Office, browse: Browse) -> None:
    await office.approved(after=7200)
    (item,) = await events(browse)
    async with browse("press") as page:
        far = {"start": (clock.now() + timedelta(days=20)).isoformat(), "version": item["version"]}
        answer = (await page.post(f"/calendar/{item['id']}/move", json=far)).json()
    assert "重新审核" in answer["text"]
    assert "undo_url" not in answer
    assert (await events(browse))[0]["state"] == "review"


async def test_days_carry_rest_work_holidays_and_terms(browse: Browse) -> None:
    start = datetime(2026, 9, 28, tzinfo=clock.OFFICE_ZONE)
    async with browse("press") as page:
        found = {day["date"]: day for day in (await page.get("/calendar/days", params=span(start, 14))).json()}
    assert (found["2026-10-01"]["mark"], found["2026-10-01"]["name"]) == ("休", "国庆假期")
    assert found["2026-10-10"]["mark"] == "班"
    assert found["2026-10-08"]["term"] == "寒露"
    assert "2026-09-30" not in found


SENSELESS = (
    "",
    "start=x&end=y",
    "start=2026-01-01&end=2026-01-01",
    "start=2020-01-01&end=2026-01-01",
    "start=0001-01-01T00:00:00%2B08:00&end=0001-01-02T00:00:00%2B08:00",
)


@pytest.mark.parametrize("query", SENSELESS)
async def test_spans_that_make_no_sense_are_refused(browse: Browse, query: str) -> None:
    async with browse("press") as page:
        answer = await page.get(f"/calendar/events?{query}", headers={"Accept": "application/json"})
    assert answer.status_code == 422


async def test_the_page_says_what_waits_and_offers_only_what_one_may(office: Office, browse: Browse) -> None:
    await office.submitted()
    await delivered(office, S.failed)
    async with browse("press") as page:
        text = (await page.get("/calendar")).text
    assert "1 条发送要人处理" in text
    assert 'data-compose-url="/posts/new?at={at}"' in text
    async with browse("review") as page:
        text = (await page.get("/calendar")).text
        strip = (await page.get("/calendar?part=strip")).text
    assert "1 篇待您审核" in text
    assert "data-compose-url" not in text
    assert 'data-move-url="/calendar/{id}/move"' in text
    assert "1 篇待您审核" in strip
    assert "<html" not in strip


async def test_a_month_of_a_thousand_posts_costs_ten_statements_at_most(office: Office, browse: Browse) -> None:
    start, by = clock.now() - timedelta(days=3), office["press"]
    async with office.work() as unit:
        posts = [
            Post(
                title=f"第{n}篇",
                body="文",
                department_id=by.department_id or 0,
                author_id=by.user_id or 0,
                state=PostState.draft,
                scheduled_at=start + timedelta(minutes=40 * n),
            )
            for n in range(1000)
        ]
        unit.add(*posts)
        await unit.flush()
        unit.add(*(PostTarget(post_id=post.id or 0, account_id=office.accounts[0]) for post in posts))
    async with browse("press") as page:
        with statements(office) as asked:
            answer = await page.get("/calendar/events", params=span(start - timedelta(days=1)))
        assert len(answer.json()) == 1000
        assert len(asked) <= 10, "\n".join(asked)
        with statements(office) as asked:
            assert (await page.get("/calendar")).status_code == 200
        assert len(asked) <= 10, "\n".join(asked)


@pytest.mark.parametrize(
    ("asked", "shown"), [("timeGridWeek", 'data-view="timeGridWeek"'), ("week", ""), ('"><b>', "")]
)
async def test_only_views_the_script_has_reach_it(browse: Browse, asked: str, shown: str) -> None:
    async with browse("press") as page:
        answer = await page.get("/calendar", params={"view": asked})
    assert answer.status_code == 200
    assert (shown in answer.text) if shown else ("data-view" not in answer.text)
