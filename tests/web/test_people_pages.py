"""People, departments, own settings, tokens, through the pages an administrator uses."""

from __future__ import annotations

import re

import pytest
from sqlmodel import col, select

from hub import audit
from hub.db import Context, reading, unit_of_work
from hub.errors import Invalid, Refused, Stale
from hub.models import ApiToken, AuditEntry, Case, Department, Role, User, UserRole
from hub.people import add_user, departments, find_or_make_department, load_actor, staff, tokens
from hub.rights import May, system
from tests.web.conftest import Visit
from tests.web.test_signin import sign_in
from tests.web.world import World

GOOD = "清晨六点的公交-2026"


async def test_a_new_person_signs_in_and_sees_their_place(visit: Visit, world: World) -> None:
    form = {
        "username": "li.na", "name": "李娜", "post": "科员", "department_id": str(world.departments["own"]),
        "roles": ["handler", "head"], "password": GOOD,
    }  # fmt: skip
    async with visit("administrator") as admin:
        done = await admin.post("/admin/people", data=form)
        assert done.status_code == 303
        page = await admin.get(done.headers["location"])
        assert "已新增「李娜」" in page.text
        assert "部门负责人" in (await admin.get("/admin/people?q=李娜")).text
    async with visit(None) as client:
        assert (await sign_in(client, "li.na", GOOD)).headers["location"] == "/me/password"


async def test_every_problem_of_a_new_person_is_told_and_typed_text_is_kept(visit: Visit) -> None:
    async with visit("administrator") as admin:
        form = {"username": "Not Fit", "name": "王强", "password": "short"}
        done = await admin.post("/admin/people", data=form)
        assert done.status_code == 422
        for words in ("登录名用 2 至 64", "密码至少", "请选择一个在用的部门", "请至少选择一个角色", 'value="王强"'):
            assert words in done.text
        assert "short" not in done.text, "a typed password is never sent back"


async def test_taken_login_name(visit: Visit, world: World) -> None:
    async with visit("administrator") as admin:
        form = {"username": "handler.own", "name": "甲", "password": GOOD, "roles": "handler",
                "department_id": str(world.departments["own"])}  # fmt: skip
        assert "已被使用" in (await admin.post("/admin/people", data=form)).text


async def test_rights_change_at_the_next_request(visit: Visit, world: World, ctx: Context) -> None:
    user_id = world.sessions["handler", "own"].user_id
    async with visit("handler") as client, visit("administrator") as admin:
        assert (await client.get("/admin/audit")).status_code == 403
        form = {"name": "赵敏", "department_id": str(world.departments["own"]), "roles": "auditor", "version": "1"}
        assert (await admin.post(f"/admin/people/{user_id}", data=form)).status_code == 303
        assert (await client.get("/admin/audit")).status_code == 200
        stale = await admin.post(f"/admin/people/{user_id}", data=form)
        assert stale.status_code == 409
        assert "刷新" in stale.text
    async with reading(ctx) as unit:
        entry = await unit.one(select(AuditEntry).where(AuditEntry.what == "user.change"))
    assert entry.data["changed"]["roles"] == ["auditor"]


async def test_a_password_set_by_an_administrator_ends_sessions(visit: Visit, world: World) -> None:
    user_id = world.sessions["handler", "own"].user_id
    async with visit("handler") as client, visit("administrator") as admin:
        assert (
            await admin.post(f"/admin/people/{user_id}/password", data={"password": "1234567890"})
        ).status_code == 422
        assert (await client.get("/me")).status_code == 200
        assert (await admin.post(f"/admin/people/{user_id}/password", data={"password": GOOD})).status_code == 303
        assert (await client.get("/me")).status_code == 303


async def test_the_last_administrator_stays(ctx: Context, world: World) -> None:
    mine, other = (world.sessions["administrator", side].user_id for side in ("own", "other"))
    async with unit_of_work(ctx) as unit:
        me = await load_actor(unit, mine)
        assert me
        with pytest.raises(Refused, match="不能停用自己"):
            await staff.set_active(unit, me, mine, False, version=1)
        await staff.set_active(unit, me, other, False, version=1)
        particulars = staff.Particulars("甲", world.root_id, frozenset({Role.auditor}))
        with pytest.raises(Refused, match="最后一位"):
            await staff.change(unit, me, mine, particulars, version=1)


async def test_two_changes_at_once(ctx: Context, world: World) -> None:
    user_id = world.sessions["handler", "own"].user_id
    particulars = staff.Particulars("甲", world.root_id, frozenset({Role.handler}))
    async with unit_of_work(ctx) as unit:
        await staff.change(unit, system(), user_id, particulars, version=1)
    async with unit_of_work(ctx) as unit:
        with pytest.raises(Stale):
            await staff.change(unit, system(), user_id, particulars, version=1)


async def test_moving_a_department_moves_its_subtree(any_ctx: Context) -> None:
    """On both databases: paths are rewritten in one statement."""
    async with unit_of_work(any_ctx) as unit:
        made = {}
        for name, parent in (("市", None), ("局", "市"), ("科", "局"), ("室", "科"), ("局二", "市")):
            given = departments.Description(f"t-{len(made)}", name, name, made[parent].id if parent else None)
            made[name] = await departments.create(unit, system(), given)
        desk = departments.Description("t-2", "科", "科", made["局二"].id)
        await departments.change(unit, system(), made["科"].id or 0, desk)
        below = departments.Description("t-1", "局", "局", made["局"].id)
        with pytest.raises(Refused):
            await departments.change(unit, system(), made["局"].id or 0, below)
    async with reading(any_ctx) as unit:
        paths = {d.name: d.path for d in await departments.tree(unit)}
    assert paths["科"] == f"{paths['局二']}{made['科'].id}/"
    assert paths["室"] == f"{paths['科']}{made['室'].id}/"
    assert paths["局"] == f"{paths['市']}{made['局'].id}/"


async def test_a_department_with_work_stays_open(visit: Visit, world: World, ctx: Context) -> None:
    number = world.departments["own"]
    async with visit("administrator") as admin:
        done = await admin.post(f"/admin/departments/{number}/active", data={"active": "0"})
        assert done.status_code == 409
        assert "在用的人员" in done.text
        assert "未办结的工单" in done.text
    async with unit_of_work(ctx) as unit:
        for case in await unit.all(select(Case).where(Case.department_id == number)):
            case.is_open = False
        for user in await unit.all(
            select(User).where(User.department_id == number, User.username != "administrator.own")
        ):
            user.is_active = False
        admin_user = await staff.find(unit, "administrator.own")
        admin_user.department_id = world.root_id
    async with visit("administrator") as admin:
        assert (await admin.post(f"/admin/departments/{number}/active", data={"active": "0"})).status_code == 303


async def test_department_form(visit: Visit, world: World, ctx: Context) -> None:
    form = {
        "code": "jt",
        "name": "公园管理处",
        "parent_id": str(world.root_id),
        "topics": "城市绿化，公园、公园, 健身步道",
        "duties": "管公园",
    }
    async with visit("administrator") as admin:
        assert (await admin.post("/admin/departments", data=form)).status_code == 303
        again = await admin.post("/admin/departments", data=form)
        assert again.status_code == 422
        assert "已被使用" in again.text
    async with reading(ctx) as unit:
        made = await unit.one(select(Department).where(Department.code == "jt"))
    assert made.topics == ["城市绿化", "公园", "健身步道"]
    assert made.short_name == "公园管理处"
    assert made.path == f"/{world.root_id}/{made.id}/"


async def test_from_the_command_line(ctx: Context, world: World) -> None:
    async with unit_of_work(ctx) as unit:
        assert await find_or_make_department(unit, system(), "own") == world.departments["own"]
        assert await find_or_make_department(unit, system(), "交通运输局") == world.departments["other"]
        fresh = await find_or_make_department(unit, system(), "档案馆")
        assert await find_or_make_department(unit, system(), "档案馆") == fresh
        user = await add_user(
            unit, system(), username="Boss", name="局长", department_id=fresh, password=GOOD, roles=[Role.leader]
        )
        roles = await unit.all(select(col(UserRole.role)).where(UserRole.user_id == user.id))
        assert (user.username, list(roles), user.must_change_password) == ("boss", [Role.leader], False)


async def test_a_token_is_shown_once_and_works_within_its_scopes(visit: Visit, ctx: Context) -> None:
    async with visit("dispatcher") as client:
        form = {"name": "报表", "scopes": ["cases:read"], "days": "30"}
        page = await client.post("/me/tokens", data=form)
        found = re.search(r'id="fresh-token"[^>]*>(hub_[\w-]+)<', page.text)
        assert found
        assert found[1] not in (await client.get("/me/tokens")).text
        bad = await client.post("/me/tokens", data={"name": "", "scopes": ["no:such"], "days": "9999"})
        assert bad.status_code == 422
        assert "请写明用途" in bad.text
    async with reading(ctx) as unit:
        row = await unit.one(select(ApiToken))
        assert found[1] not in str(row.model_dump())
        resolved = await tokens.resolve(unit, found[1])
        assert resolved
        assert resolved[0].scopes == frozenset({"cases:read"})
        assert resolved[0].actor.can(May.dispatch)
    async with visit("dispatcher") as client:
        await client.post(f"/me/tokens/{row.id}/revoke")
    async with reading(ctx) as unit:
        assert await tokens.resolve(unit, found[1]) is None


async def test_a_token_opens_no_pages(visit: Visit, ctx: Context, world: World) -> None:
    async with unit_of_work(ctx) as unit:
        who = await load_actor(unit, world.sessions["dispatcher", "own"].user_id)
        assert who
        _row, text = await tokens.issue(unit, who, "程序", ["cases:read"], 1)
    async with visit(None) as client:
        answer = await client.get("/desk", headers={"Authorization": f"Bearer {text}"})
        assert answer.headers["location"].startswith("/login")


async def test_tokens_need_the_right(ctx: Context, world: World) -> None:
    async with unit_of_work(ctx) as unit:
        who = await load_actor(unit, world.sessions["dispatcher", "own"].user_id)
        assert who
        with pytest.raises(Invalid):
            await tokens.issue(unit, who, "x", [], 1)
        _row, text = await tokens.issue(unit, who, "x", ["cases:read"], 1)
        await staff.set_active(unit, system(), who.user_id or 0, False, version=1)
        assert await tokens.resolve(unit, text) is None


async def test_the_audit_page_finds_and_checks(visit: Visit, ctx: Context, world: World) -> None:
    async with unit_of_work(ctx) as unit:
        for number in range(120):
            await audit.record(unit, system(), "user.change", f"user/{number}")
    async with visit("auditor") as client:
        first = (await client.get("/admin/audit")).text
        assert "user/119" in first
        older = re.search(r'href="(\?before=\d+)', first)
        assert older
        second = (await client.get(f"/admin/audit{older[1]}")).text
        assert "user/70<" not in second
        assert "user/69<" in second
        assert "没有符合条件" in (await client.get("/admin/audit?who=nobody")).text
        await client.post("/admin/audit/verify")
        page = ""
        for _ in range(200):
            page = (await client.get("/admin/audit?part=check")).text
            if "正在进行" not in page:
                break
        assert "审计日志完整" in page
        assert "共 120 条" in page
        assert "<html" not in page


async def test_the_audit_page_names_a_changed_row(visit: Visit, ctx: Context) -> None:
    async with unit_of_work(ctx) as unit:
        for number in range(5):
            await audit.record(unit, system(), "user.change", f"user/{number}")
        row = await unit.one(select(AuditEntry).where(AuditEntry.object == "user/2"))
        row.by_name = "别人"
    async with visit("auditor") as client:
        await client.post("/admin/audit/verify")
        page = ""
        for _ in range(200):
            page = (await client.get("/admin/audit?part=check")).text
            if "正在进行" not in page:
                break
        assert f"第 {row.id} 条记录被改动" in page
