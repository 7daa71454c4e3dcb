"""The search box of every page."""

from __future__ import annotations

from hub.db import Context
from hub.models import CaseState
from tests.web.casework import open_case, words
from tests.web.conftest import Visit
from tests.web.world import World


async def test_a_number_leads_to_its_case_and_words_to_a_list(visit: Visit, ctx: Context, world: World) -> None:
    case = await open_case(ctx, world, "车库漏水三天", state=CaseState.handling, side="own")
    async with visit("handler") as client:
        number = await client.get(f"/search?q={case.number}")
        found = await client.get("/search?q=漏水", follow_redirects=True)
        nothing = await client.get("/search?q=20260101-9", follow_redirects=True)
        bare = await client.get("/search")
    async with visit("handler", side="other") as client:
        foreign = await client.get(f"/search?q={case.number}", follow_redirects=True)
    assert number.headers["location"] == f"/cases/{case.number}"
    assert "车库漏水三天" in found.text
    assert "没有符合条件的工单" in words(nothing.text)
    assert bare.headers["location"] == "/cases?which=all"
    assert "车库漏水三天" not in foreign.text


async def test_people_who_read_no_cases_are_told(visit: Visit) -> None:
    async with visit("administrator") as client:
        answer = await client.get("/search?q=漏水")
        after = words((await client.get("/me")).text)
    assert answer.headers["location"] == "/"
    assert "您没有可以查看的" in after
