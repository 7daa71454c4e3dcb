"""Every text of a post that leaves the house passes the check, and what is found is confirmed as it was shown."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from sqlmodel import select

import workflows
from hub.db import reading
from hub.models import OfficeWord, Post, PostEvent, PostState, WordKind
from tests.workflows.delivery.office import Office
from workflows.checking.confirming import Unconfirmed, Unfit
from workflows.pictures.placed import Placed
from workflows.publishing import checks, service
from workflows.publishing.content import Draft, Option

ROOM = Path(workflows.__file__).parent
# Whoever puts words into the outbox, and where these words passed the check before: a new door needs a line here and a
# test that the check stands at it.
DOORS = {
    "publishing/service.py": "problems_of at submit and at approve",
    "replies/review.py": "check at submit and at approve",
    "cases/telling.py": "no words but why an order is refused, told to the other office's system and not to the public",
}


def test_no_door_to_the_outbox_but_those_with_the_check() -> None:
    found = {path.relative_to(ROOM).as_posix() for path in ROOM.rglob("*.py") if _makes_deliveries(path)}
    assert found - {"delivery/__init__.py"} == set(DOORS)


def _makes_deliveries(path: Path) -> bool:
    imports = [node for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.ImportFrom)]
    ours = [node for node in imports if (node.module or "").startswith("workflows.delivery")]
    return any(name.name == "create" for node in ours for name in node.names)


async def handed_in(office: Office, post: Post, confirm: str = "") -> Post:
    async with office.work() as unit:
        return await service.submit(
            office.house, unit, office["press"], post.id or 0, version=post.version, confirm=confirm
        )


async def test_errors_are_confirmed_as_they_were_shown(office: Office) -> None:
    post = await office.draft("请各单位布署工作。")
    with pytest.raises(Unconfirmed) as asked:
        await handed_in(office, post)
    (found,) = asked.value.findings
    assert found.told is not None
    assert (found.field, found.told.start, found.told.end, found.told.found) == ("body", 4, 6, "布署")
    with pytest.raises(Unconfirmed):
        await handed_in(office, post, "0" * 16)
    done = await handed_in(office, post, asked.value.confirm)
    assert done.state is PostState.review
    async with reading(office.ctx) as unit:
        event = await unit.one(select(PostEvent).where(PostEvent.post_id == post.id, PostEvent.what == "submit"))
    assert event.data["findings"] == ["confusion:布署"]


async def test_a_tick_counts_for_what_was_shown_alone(office: Office) -> None:
    post = await office.draft("请各单位布署工作。")
    with pytest.raises(Unconfirmed) as asked:
        await handed_in(office, post)
    async with office.work() as unit:
        unit.add(OfficeWord(kind=WordKind.advertising, word="各单位"))
    with pytest.raises(Unconfirmed) as anew:
        await handed_in(office, post, asked.value.confirm)
    assert anew.value.confirm != asked.value.confirm


async def test_titles_and_descriptions_of_pictures_are_checked(office: Office) -> None:
    account = office.accounts[0]
    picture = Placed(7, description="周未活动现场", sha256="a" * 64, mime="image/png")
    draft = Draft(
        "总标题",
        "正文没有问题。",
        {account: ""},
        pictures=(picture,),
        options={account: Option(title="关于布署工作的通知")},
    )
    async with reading(office.ctx) as unit:
        found = await checks.findings_of(unit, draft)
    assert {one.field: [told.found for told in one.findings] for one in found} == {
        "body": [], f"title_{account}": ["布署"], "alt_7": ["周未"],
    }  # fmt: skip


async def test_the_common_title_is_told_once(office: Office) -> None:
    accounts = office.accounts[:2]
    titled = {account: Option(title="布署工作") for account in accounts}
    draft = Draft("布署工作", "正文没有问题。", dict.fromkeys(accounts, ""), options=titled)
    async with reading(office.ctx) as unit:
        found = await checks.findings_of(unit, draft)
    assert [(one.field, len(one.findings)) for one in found] == [("body", 0), ("title", 1)]


async def test_what_blocks_is_told_with_its_place(office: Office) -> None:
    post = await office.draft("身份证号11010519491231002X公示。")
    with pytest.raises(Unfit) as refused:
        await handed_in(office, post)
    (found,) = refused.value.findings
    assert found.blocks
    assert found.told is not None
    assert (found.told.start, found.told.end) == (4, 22)
