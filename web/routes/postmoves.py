"""What is done to a post from its page: hand in, approve, send back, move in time, take off the calendar."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from hub import clock
from hub.errors import Invalid, Refused
from hub.i18n import _, moment
from hub.rights import May
from web.forms import Form, read_form
from web.press import words
from web.request import house, me, writing
from web.routes.posts import page
from web.routes.table import PageRoute
from web.templating import redirect
from workflows.delivery import figures
from workflows.publishing import forcing, service


async def submit(request: Request) -> Response:
    """Hand it to the reviewers as it stands."""
    form, number = await read_form(request), request.path_params["post_id"]
    try:
        version = form.number("version")
        form.check()
        async with writing(request) as unit:
            seen = form.raw("confirmed")
            await service.submit(house(request), unit, me(request), number, version=version, confirm=seen)
    except (Invalid, Refused) as error:
        return await page(request, error, form.values)
    return redirect(request, f"/posts/{number}", _("已送审，审核人会在「待审」里看到。"))


async def approve(request: Request) -> Response:
    """Sign for exactly what stands on the page."""
    form, number = await read_form(request), request.path_params["post_id"]
    try:
        given = {"content_hash": form.text("content_hash"), "remark": form.text("remark", required=False, longest=500)}
        form.check()
        async with writing(request) as unit:
            at_once = form.ticked("at_once")
            post = await service.approve(house(request), unit, me(request), number, **given, at_once=at_once)
    except (Invalid, Refused) as error:
        return await page(request, error, form.values)
    if post.scheduled_at is None or post.scheduled_at <= clock.now():
        return redirect(request, f"/posts/{number}", _("已通过，正在发出。"))
    return redirect(request, f"/posts/{number}", _("已通过，%(at)s 自动发出。", at=moment(post.scheduled_at)))


async def send_back(request: Request) -> Response:
    """Return it with a reason."""
    form, number = await read_form(request), request.path_params["post_id"]
    try:
        given = {"content_hash": form.text("content_hash"), "reason": form.text("reason", longest=500)}
        form.check()
        async with writing(request) as unit:
            await service.send_back(unit, me(request), number, **given)
    except (Invalid, Refused) as error:
        return await page(request, error, form.values)
    return redirect(request, f"/posts/{number}", _("已退回，撰写人会看到您的意见。"))


async def force(request: Request) -> Response:
    """Let the red lines of exactly what stands on the page pass, by name and with a reason."""
    form, number = await read_form(request), request.path_params["post_id"]
    try:
        given = {"content_hash": form.text("content_hash"), "reason": form.text("force_reason", longest=500)}
        form.check()
        async with writing(request) as unit:
            await forcing.force(house(request), unit, me(request), number, **given)
    except (Invalid, Refused) as error:
        return await page(request, error, form.values)
    return redirect(request, f"/posts/{number}", _("已放行，记入稿件历史。稿件仍须送审。"))


async def withdraw(request: Request) -> Response:
    """Take it off the calendar."""
    form, number = await read_form(request), request.path_params["post_id"]
    try:
        version, reason = form.number("version"), form.text("reason", longest=500)
        form.check()
        async with writing(request) as unit:
            await service.withdraw(unit, me(request), number, version=version, reason=reason)
    except (Invalid, Refused) as error:
        return await page(request, error, form.values)
    return redirect(request, f"/posts/{number}", _("已撤回，不会发出。"))


async def move(request: Request) -> Response:
    """Another time, for everything of it that has not left."""
    form, number = await read_form(request), request.path_params["post_id"]
    try:
        version, when = form.number("version"), form.moment("scheduled_at")
        form.check()
        assert when is not None
        async with writing(request) as unit:
            moved = await service.reschedule(unit, me(request), number, version=version, scheduled_at=when)
    except (Invalid, Refused) as error:
        return await page(request, error, form.values)
    if not moved.kept_approval:
        return redirect(request, f"/posts/{number}", _("已改期。离批准的时间超过 7 天，需要重新审核。"))
    return redirect(request, f"/posts/{number}", _("已改到 %(at)s。", at=moment(when)))


async def type_figures(request: Request) -> Response:
    """What the platform's own page shows of a post that a person published there."""
    form, number = await read_form(request), request.path_params["post_id"]
    try:
        given = {name: _counted(form, name) for name in words.FIGURES}
        delivery = form.number("delivery")
        form.check()
        async with writing(request) as unit:
            await figures.type_in(house(request), unit, me(request), number, delivery, given)
    except (Invalid, Refused) as error:
        return await page(request, error, form.values)
    return redirect(request, f"/posts/{number}#figures", _("已记下。"))


def _counted(form: Form, name: str) -> int | None:
    """A typed figure; nothing typed is not 0."""
    return form.number(name) if form.text(name, required=False) else None


POST = "/posts/{post_id:int}"
ROUTES = [
    PageRoute(f"{POST}/submit", submit, May.write_post, ("POST",)),
    PageRoute(f"{POST}/approve", approve, May.review_post, ("POST",)),
    PageRoute(f"{POST}/send-back", send_back, May.review_post, ("POST",)),
    PageRoute(f"{POST}/force", force, May.force_check, ("POST",)),
    PageRoute(f"{POST}/withdraw", withdraw, (May.write_post, May.review_post), ("POST",)),
    PageRoute(f"{POST}/figures", type_figures, (May.write_post, May.settle_delivery), ("POST",)),
    PageRoute(f"{POST}/move", move, (May.write_post, May.review_post), ("POST",)),
]
