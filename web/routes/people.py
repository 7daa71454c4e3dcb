"""Administration of people."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.errors import Invalid
from hub.i18n import N_, _
from hub.models import Department, Role
from hub.people import departments, sessions, staff, words
from hub.rights import May
from web import admin
from web.forms import Form, read_form
from web.request import looking, me, writing
from web.routes.table import NavItem, PageRoute
from web.templating import redirect, render

PAGE = 100
ADMIN = (May.read_status, May.manage_people, May.read_audit)


async def first_tab(request: Request) -> Response:
    """To the first part of administration this person may use."""
    return RedirectResponse(str(admin.tabs(me(request), "")[0]["href"]), 303)


async def index(request: Request) -> Response:
    """People by department, with a search."""
    asked = request.query_params
    async with looking(request) as unit:
        tree = await departments.tree(unit)
        chosen = next((d for d in tree if str(d.id) == asked.get("department", "")), None)
        found = await staff.everybody(
            unit, words=asked.get("q", "")[:100], department_path=chosen.path if chosen else ""
        )
    begin = next((n + 1 for n, person in enumerate(found) if str(person.user.id) == asked.get("after")), 0)
    shown = found[begin : begin + PAGE]
    facts = {
        "tabs": admin.tabs(me(request), "/admin/people"),
        "people": shown,
        "total": len(found),
        "after": shown[-1].user.id if len(found) > begin + PAGE else None,
        "departments": options(tree),
        "department": str(chosen.id) if chosen else "",
        "role_names": words.role_names,
    }
    return await render(request, "admin/people.html", facts)


def options(tree: Sequence[Department], without: str = "") -> list[tuple[str, str]]:
    """Departments for a select, indented by depth; those under the path ``without`` are left out."""
    return [
        (str(d.id), "　" * (d.path.count("/") - 2) + d.short_name)
        for d in tree
        if d.is_active and not (without and d.path.startswith(without))
    ]


async def show_new(request: Request) -> Response:
    """The form for a new person."""
    return await _form(request, None, {})


async def show(request: Request) -> Response:
    """One person."""
    async with looking(request) as unit:
        person = await staff.get(unit, request.path_params["user_id"])
    return await _form(request, person, {})


async def _form(
    request: Request, person: staff.Person | None, problems: dict[str, str], form: Form | None = None, status: int = 200
) -> Response:
    async with looking(request) as unit:
        tree = await departments.tree(unit)
        living = await sessions.of_person(unit, person.user.id or 0) if person else []
    facts = {
        "tabs": admin.tabs(me(request), "/admin/people"),
        "person": person,
        "values": form.values if form else _values(person),
        "roles": form.many("roles") if form else [role.value for role in person.roles] if person else [],
        "role_options": words.role_options(),
        "departments": options(tree),
        "sessions": len(living),
        "problems": problems,
    }
    return await render(request, "admin/person.html", facts, status)


def _values(person: staff.Person | None) -> dict[str, str]:
    if person is None:
        return {}
    user = person.user
    return {"username": user.username, "name": user.name, "post": user.post, "department_id": str(user.department_id)}


def _particulars(form: Form) -> staff.Particulars:
    roles = frozenset(Role(value) for value in form.many("roles") if value in set(Role))
    name, post = form.text("name", required=False), form.text("post", required=False)
    return staff.Particulars(
        name=name, department_id=form.number("department_id", required=False), roles=roles, post=post
    )


async def create(request: Request) -> Response:
    """A new person with an initial password, to be changed at the first sign-in."""
    form = await read_form(request)
    try:
        async with writing(request) as unit:
            user = await staff.create(
                unit, me(request), form.text("username", required=False), _particulars(form), form.raw("password")
            )
    except Invalid as error:
        return await _form(request, None, error.problems, form, 422)
    return redirect(request, f"/admin/people/{user.id}", _("已新增「%(name)s」，首次登录须修改密码。", name=user.name))


async def change(request: Request) -> Response:
    """New particulars of a person."""
    form, user_id = await read_form(request), request.path_params["user_id"]
    try:
        async with writing(request) as unit:
            version = form.number("version", required=False)
            user = await staff.change(unit, me(request), user_id, _particulars(form), version=version)
    except Invalid as error:
        async with looking(request) as unit:
            person = await staff.get(unit, user_id)
        return await _form(request, person, error.problems, form, 422)
    return redirect(request, f"/admin/people/{user.id}", _("已保存「%(name)s」的资料。", name=user.name))


async def set_password(request: Request) -> Response:
    """An initial password again; unlocks and ends all sessions of the person."""
    form, user_id = await read_form(request), request.path_params["user_id"]
    try:
        async with writing(request) as unit:
            await staff.set_password(unit, me(request), user_id, form.raw("password"))
    except Invalid as error:
        async with looking(request) as unit:
            person = await staff.get(unit, user_id)
        return await _form(request, person, error.problems, None, 422)
    return redirect(request, f"/admin/people/{user_id}", _("已重设密码，此人的登录都已结束。"))


async def set_active(request: Request) -> Response:
    """Deactivate or let in again."""
    form, user_id = await read_form(request), request.path_params["user_id"]
    active, version = form.raw("active") == "1", form.number("version", required=False)
    async with writing(request) as unit:
        await staff.set_active(unit, me(request), user_id, active, version=version)
    return redirect(request, f"/admin/people/{user_id}", _("已启用。") if active else _("已停用，登录和令牌都已失效。"))


async def unlock(request: Request) -> Response:
    """End a lock-out. Safe to repeat."""
    user_id = request.path_params["user_id"]
    async with writing(request) as unit:
        await staff.unlock(unit, me(request), user_id)
    return redirect(request, f"/admin/people/{user_id}", _("已解除锁定。"))


async def end_sessions(request: Request) -> Response:
    """End every session of a person. Safe to repeat."""
    user_id = request.path_params["user_id"]
    async with writing(request) as unit:
        await staff.end_sessions(unit, me(request), user_id)
    return redirect(request, f"/admin/people/{user_id}", _("此人的登录都已结束。"))


PERSON = "/admin/people/{user_id:int}"
ROUTES = [
    PageRoute("/admin", first_tab, ADMIN),
    PageRoute("/admin/people", index, May.manage_people),
    PageRoute("/admin/people", create, May.manage_people, ("POST",)),
    PageRoute("/admin/people/new", show_new, May.manage_people),
    PageRoute(PERSON, show, May.manage_people),
    PageRoute(PERSON, change, May.manage_people, ("POST",)),
    PageRoute(f"{PERSON}/password", set_password, May.manage_people, ("POST",)),
    PageRoute(f"{PERSON}/active", set_active, May.manage_people, ("POST",)),
    PageRoute(f"{PERSON}/unlock", unlock, May.manage_people, ("POST",)),
    PageRoute(f"{PERSON}/end-sessions", end_sessions, May.manage_people, ("POST",)),
]
NAV = [NavItem("admin", N_("管理"), "settings", "/admin", ADMIN, order=90, letter="m")]
