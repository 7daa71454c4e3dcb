"""Administration of departments."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from hub.errors import Invalid
from hub.i18n import _
from hub.models import Department
from hub.people import departments
from hub.rights import May
from web import admin
from web.forms import Form, read_form
from web.request import looking, me, writing
from web.routes.people import options
from web.routes.table import PageRoute
from web.templating import redirect, render


async def index(request: Request) -> Response:
    """The tree."""
    async with looking(request) as unit:
        tree = await departments.tree(unit)
    facts = {"tabs": admin.tabs(me(request), "/admin/departments"), "tree": tree}
    return await render(request, "admin/departments.html", facts)


async def show_new(request: Request) -> Response:
    """The form for a new department, below the one named in the address."""
    return await _form(request, None, {"parent_id": request.query_params.get("parent", "")})


async def show(request: Request) -> Response:
    """One department."""
    async with looking(request) as unit:
        department = await departments.get(unit, request.path_params["department_id"])
    return await _form(request, department, _values(department))


def _values(department: Department) -> dict[str, str]:
    return {
        "code": department.code, "name": department.name, "short_name": department.short_name,
        "duties": department.duties, "topics": "、".join(department.topics),
        "parent_id": str(department.parent_id or ""),
    }  # fmt: skip


async def _form(
    request: Request, department: Department | None, values: dict[str, str], problems: dict[str, str] | None = None,
    status: int = 200,
) -> Response:  # fmt: skip
    async with looking(request) as unit:
        tree = await departments.tree(unit)
    facts = {
        "tabs": admin.tabs(me(request), "/admin/departments"),
        "department": department,
        "values": values,
        "parents": options(tree, without=department.path if department else ""),
        "problems": problems or {},
    }
    return await render(request, "admin/department.html", facts, status)


def _description(form: Form) -> departments.Description:
    topics = form.text("topics", required=False).replace(",", "、").replace("，", "、").split("、")
    return departments.Description(
        code=form.text("code", required=False), name=form.text("name", required=False),
        short_name=form.text("short_name", required=False), duties=form.text("duties", required=False, longest=5000),
        parent_id=form.number("parent_id", required=False) or None,
        topics=list(dict.fromkeys(topic.strip() for topic in topics if topic.strip())),
    )  # fmt: skip


async def create(request: Request) -> Response:
    """A new department."""
    form = await read_form(request)
    try:
        given = _description(form)
        form.check()
        async with writing(request) as unit:
            department = await departments.create(unit, me(request), given)
    except Invalid as error:
        return await _form(request, None, form.values, error.problems, 422)
    return redirect(request, "/admin/departments", _("已新增「%(name)s」。", name=department.short_name))


async def change(request: Request) -> Response:
    """New description, or another place in the tree."""
    form, number = await read_form(request), request.path_params["department_id"]
    try:
        given = _description(form)
        form.check()
        async with writing(request) as unit:
            department = await departments.change(unit, me(request), number, given)
    except Invalid as error:
        async with looking(request) as unit:
            department = await departments.get(unit, number)
        return await _form(request, department, form.values, error.problems, 422)
    return redirect(request, "/admin/departments", _("已保存「%(name)s」。", name=department.short_name))


async def set_active(request: Request) -> Response:
    """Close or reopen a department."""
    form, number = await read_form(request), request.path_params["department_id"]
    active = form.raw("active") == "1"
    async with writing(request) as unit:
        await departments.set_active(unit, me(request), number, active)
    return redirect(request, f"/admin/departments/{number}", _("已启用。") if active else _("已停用。"))


DEPARTMENT = "/admin/departments/{department_id:int}"
ROUTES = [
    PageRoute("/admin/departments", index, May.manage_people),
    PageRoute("/admin/departments", create, May.manage_people, ("POST",)),
    PageRoute("/admin/departments/new", show_new, May.manage_people),
    PageRoute(DEPARTMENT, show, May.manage_people),
    PageRoute(DEPARTMENT, change, May.manage_people, ("POST",)),
    PageRoute(f"{DEPARTMENT}/active", set_active, May.manage_people, ("POST",)),
]
