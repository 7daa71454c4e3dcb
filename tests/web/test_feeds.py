"""Feeds for other programs, read by other libraries: the calendar of one token, what went out."""

from __future__ import annotations

import re
from datetime import timedelta

import feedparser
import pytest
from icalendar import Calendar
from sqlmodel import select

from hub import clock, crypto
from hub.db import unit_of_work
from hub.models import ApiToken, Delivery, DeliveryState, Post, PostState
from tests.web.conftest import Visit
from tests.web.world import World
from workflows.house import House


@pytest.fixture
async def planned(house: House, world: World) -> None:
    async with unit_of_work(house.ctx) as unit:
        for number, post in enumerate(await unit.all(select(Post).order_by(Post.id))):  # type: ignore[arg-type]
            post.scheduled_at = clock.now() + timedelta(days=number)
            post.title = f"停水；通知,第 {number} 号\n续行" + "长" * 80


async def subscribe(visit: Visit, *scopes: str) -> str:
    async with visit("press_officer") as officer:
        form = {"name": "日历", "days": "30", "scopes": list(scopes)}
        page = await officer.post("/me/tokens", data=form)
        found = re.search(r'id="fresh-token">([^<]+)<', page.text)
        assert found is not None, page.text
        shown = "feeds/calendar.ics?t=" + found[1] in page.text
        assert shown is ("calendar:read" in scopes)
        return found[1]


async def test_a_calendar_program_reads_what_the_person_sees(visit: Visit, house: House, planned: None) -> None:
    token = await subscribe(visit, "calendar:read")
    async with visit() as nobody:
        answer = await nobody.get("/feeds/calendar.ics", params={"t": token})
        assert answer.headers["content-type"].startswith("text/calendar")
        assert all(len(line.encode()) <= 75 for line in answer.text.split("\r\n"))
        events = list(Calendar.from_ical(answer.content).walk("VEVENT"))
        assert len(events) == 2
        assert str(events[0]["summary"]).startswith("停水；通知,第 0 号")
        assert {str(e["uid"]) for e in events} == {f"post-{n}@{house.ctx.settings.address[7:]}" for n in (1, 2)}
        again = await nobody.get(
            "/feeds/calendar.ics", params={"t": token}, headers={"If-None-Match": answer.headers["etag"]}
        )
        assert again.status_code == 304
        assert str(events[0]["status"]) == "TENTATIVE"
        async with unit_of_work(house.ctx) as unit:
            post = await unit.one(select(Post).where(Post.id == 1))
            post.title, post.version, post.state = "改了", post.version + 1, PostState.approved
        changed = await nobody.get(
            "/feeds/calendar.ics", params={"t": token}, headers={"If-None-Match": answer.headers["etag"]}
        )
        assert "改了" in changed.text
        assert str(Calendar.from_ical(changed.content).walk("VEVENT")[0]["status"]) == "CONFIRMED"


async def test_a_token_for_the_calendar_opens_nothing_else(visit: Visit) -> None:
    async with visit("press_officer") as officer:
        form = {"name": "日历", "days": "30", "scopes": ["calendar:read", "posts:write"]}
        refused = await officer.post("/me/tokens", data=form)
    assert refused.status_code == 422
    assert "请单独生成，不要再选别的范围" in refused.text


async def test_without_the_right_token_nothing_is_read(visit: Visit, house: House, planned: None) -> None:
    other = await subscribe(visit, "posts:read")
    more = await subscribe(visit, "posts:read", "accounts:read")
    async with unit_of_work(house.ctx) as unit:
        row = await unit.one(select(ApiToken).where(ApiToken.token_hash == crypto.digest(more)))
        row.scopes = ["calendar:read", "posts:read"]
    async with visit() as nobody, visit("press_officer") as officer:
        for token in ("", "hub_nonsense", other, more):
            assert (await nobody.get("/feeds/calendar.ics", params={"t": token})).status_code == 401
        assert (await officer.get("/feeds/calendar.ics")).status_code == 401, "a session is no token"


async def test_what_went_out_is_a_feed_only_where_the_office_opens_it(
    visit: Visit, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with visit() as nobody:
        assert (await nobody.get("/feeds/posts.atom")).status_code == 404
        monkeypatch.setitem(house.ctx.settings.__dict__, "public_feed", True)
        async with unit_of_work(house.ctx) as unit:
            delivery = await unit.one(select(Delivery).where(Delivery.post_id == 1).limit(1))
            delivery.state, delivery.sent_at = DeliveryState.sent, clock.now()
            delivery.text, delivery.remote_url = "停水 <b>通知</b> & 说明", "https://weibo.example/1"
        answer = await nobody.get("/feeds/posts.atom")
        found = feedparser.parse(answer.content)
        assert found.version == "atom10"
        assert not found.bozo
        (entry,) = found.entries
        assert entry.content[0].value == "停水 <b>通知</b> & 说明"
        assert entry.link == "https://weibo.example/1"
        tag = answer.headers["etag"]
        for said in (tag, f"W/{tag}", f'"x", W/{tag}'):
            assert (await nobody.get("/feeds/posts.atom", headers={"If-None-Match": said})).status_code == 304
        assert (await nobody.get("/feeds/posts.atom", headers={"If-None-Match": '"x"'})).status_code == 200
