"""The check as a gate for posts: red lines stop them; whoever did not write it may let exactly them pass."""

from __future__ import annotations

from functools import partial

import pytest
from sqlmodel import col, select

from connectors.base import PostForm
from hub.errors import Refused, Stale
from hub.models import AuditEntry, OfficeWord, PostEvent, PostState, WordKind
from hub.rights import May
from tests.insist import insist
from tests.workflows.delivery.office import Office
from workflows.publishing import checks, detail, forcing, service
from workflows.publishing.content import Draft
from workflows.publishing.history import find
from workflows.publishing.states import Move

RED = "名单：张某，身份证号11010519491231002X。"


def release(office: Office, who: str = "chief") -> object:
    """The same person with the right to let pass."""
    actor = office[who]
    return type(actor)(
        **{name: getattr(actor, name) for name in actor.__slots__} | {"may": actor.may | {May.force_check}}
    )


async def force(
    office: Office, post_id: int, content_hash: str, who: object, reason: str = "依法公示，当事人同意"
) -> None:
    async with office.work() as unit:
        await forcing.force(office.house, unit, who, post_id, content_hash=content_hash, reason=reason)  # type: ignore[arg-type]


async def submit(office: Office, post_id: int, version: int) -> None:
    async with office.work() as unit:
        await insist(partial(service.submit, office.house, unit, office["press"], post_id, version=version))


async def test_a_red_line_stops_a_post_until_it_is_let_pass(office: Office) -> None:
    post = await office.draft(RED)
    number = post.id or 0
    with pytest.raises(Refused) as refused:
        await submit(office, number, post.version)
    assert "红线" in refused.value.reasons[0]
    await force(office, number, post.content_hash, release(office))
    await submit(office, number, post.version)
    async with office.work() as unit:
        done = await service.approve(office.house, unit, office["review"], number, content_hash=post.content_hash)
    assert done.state is PostState.approved
    async with office.read() as unit:
        events = await unit.all(select(PostEvent).where(PostEvent.post_id == number).order_by(col(PostEvent.id)))
        entry = await unit.one(select(AuditEntry).where(AuditEntry.what == "post.force"))
    forced = next(event for event in events if event.what == "force")
    assert (forced.by_name, forced.note) == (office["chief"].name, "依法公示，当事人同意")
    assert forced.data["passed"] == ["personal.id_card:11010519491231002X"]
    assert forced.content_hash == post.content_hash
    assert entry.data["rules"] == ["personal.id_card"]
    assert "11010519491231002X" not in str(entry.data)
    assert next(event for event in events if event.what == "submit").data["findings"] == forced.data["passed"]


async def test_one_changed_character_makes_it_void(office: Office) -> None:
    post = await office.draft(RED)
    await force(office, post.id or 0, post.content_hash, release(office))
    async with office.work() as unit:
        changed = Draft(post.title, RED + "！", dict.fromkeys(office.accounts[:1], ""))
        post = await service.save(unit, office["press"], post.id or 0, version=post.version, draft=changed)
    with pytest.raises(Refused):
        await submit(office, post.id or 0, post.version)
    with pytest.raises(Stale):
        await force(office, post.id or 0, "another", release(office))


async def test_what_was_changed_while_it_was_read_keeps_the_mark_of_its_own_text(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forms are named, and the mark reckoned, from what was read: not over what somebody saved meanwhile."""
    post = await office.draft("周末停水")
    async with office.read() as unit:
        read = await find(unit, office["press"], post.id or 0)
    async with office.work() as unit:
        draft = Draft("", "周末供水正常", dict.fromkeys(office.accounts, ""))
        saved = await service.save(unit, office["press"], post.id or 0, version=post.version, draft=draft)
    monkeypatch.setattr(service, "forms_of", lambda house, account: (PostForm("short", "短文", 140),))
    with pytest.raises(Stale):
        async with office.work() as unit:
            await service.settle_forms(office.house, unit, read)
    async with office.read() as unit:
        assert (await find(unit, office["press"], post.id or 0)).content_hash == saved.content_hash


async def test_who_may_and_when(office: Office) -> None:
    post, clean = await office.draft(RED), await office.draft("明日恢复供水。")
    number = post.id or 0
    for who, reason, says in (
        (office["press"], "有依据", "没有「放行红线」权限"), (release(office, "press"), "有依据", "由他人放行"),
        (release(office), "  ", "须填写理由"),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            await force(office, number, post.content_hash, who, reason)
        assert any(says in line for line in refused.value.reasons), refused.value.reasons
    with pytest.raises(Refused) as refused:
        await force(office, clean.id or 0, clean.content_hash, release(office))
    assert refused.value.reasons == ["这篇稿件没有未放行的红线"]
    async with office.read() as unit:
        view = await detail.view(unit, release(office), number)  # type: ignore[arg-type]
    assert view.reasons[Move.force] == []


async def test_a_word_forbidden_meanwhile_stops_the_approval(office: Office) -> None:
    post = await office.submitted("攀云计划启动。")
    async with office.work() as unit:
        unit.add(OfficeWord(kind=WordKind.prohibited, word="攀云计划"))
    with pytest.raises(Refused):
        async with office.work() as unit:
            await service.approve(office.house, unit, office["review"], post.id or 0, content_hash=post.content_hash)
    await force(office, post.id or 0, post.content_hash, release(office, "both"))
    async with office.work() as unit:
        await service.approve(office.house, unit, office["review"], post.id or 0, content_hash=post.content_hash)


async def test_every_text_that_goes_out_is_checked(office: Office) -> None:
    first = office.accounts[0]
    other = await office.connect("江北发布")
    async with office.read() as unit:
        found = await checks.findings_of(unit, Draft("题", "周未见。", {first: "", other: "布署工作。"}))
        alone = await checks.findings_of(unit, Draft("题", "周未见。", {first: "甲", other: "布署"}))
        nowhere = await checks.findings_of(unit, Draft("题", "周未见。", {}))
    assert [(one.field, [told.found for told in one.findings]) for one in found] == [
        ("body", ["周未"]), (f"text_{other}", ["布署"]),
    ]  # fmt: skip
    assert [one.field for one in alone] == [f"text_{first}", f"text_{other}"]
    assert [one.field for one in nowhere] == ["body"]
