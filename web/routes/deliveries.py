"""What left, what waits, and above all what needs a person: with the reason, the next step, and the buttons for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from hub.errors import Invalid, Refused
from hub.i18n import N_, _, moment
from hub.models import Case, Delivery, DeliveryState
from hub.rights import May
from web.auth import local_path
from web.forms import Form, read_form
from web.press import words
from web.request import house, looking, me, writing
from web.routes.table import NavItem, PageRoute, waiting
from web.templating import part_of, redirect, render
from workflows.delivery import lists, pausing, service
from workflows.delivery.lists import Group
from workflows.videos.placed import placed_video

Facts = dict[str, Any]
S = DeliveryState


async def index(request: Request) -> Response:
    """One group of deliveries, newest first; for one account its receipts."""
    query, actor = request.query_params, me(request)
    group = Group(query["group"]) if query.get("group") in Group.__members__ else Group.attention
    account, before = _number(query.get("account", "")), _number(query.get("before", ""))
    async with looking(request) as unit:
        page = await lists.page(unit, actor, group, account_id=account, before=before)
        counts = await lists.counts(unit, actor)
        reach, stopped = await pausing.reach(house(request), unit), await pausing.stopped(unit)
    names = {one.account_id: one.name for one in reach}
    kept = {"account": str(account)} if account else {}
    facts = {
        "views": page.views,
        "older": _address(group, kept | {"before": str(page.older)}) if page.older else "",
        "is_first": before is None,
        "group": group,
        "tabs": [_tab(one, group, counts, kept) for one in Group if one is not Group.unknown or counts.get(one)],
        "chips": [{"label": _("账号"), "value": names.get(account or 0, ""), "remove_href": _address(group, {})}]
        if account
        else [],
        "narrowings": [{"text": one.name, "href": _address(group, {"account": str(one.account_id)})} for one in reach],
        "src": _address(group, kept | {"part": "rows"}),
        "words": words,
        "here_again": _address(group, kept),
        "stopped": stopped,
    }
    return await render(request, "deliveries/index.html", facts, part=part_of(request, "rows"))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None


def _address(group: Group, kept: Mapping[str, str]) -> str:
    return f"/deliveries?{urlencode({'group': group.value, **kept})}"


def _tab(one: Group, current: Group, counts: Mapping[Group, int], kept: Mapping[str, str]) -> Facts:
    names = {
        Group.attention: _("要人处理"), Group.failed: _("失败"), Group.unknown: _("待核实"), Group.missed: _("错过"),
        Group.held: _("暂停中"), Group.by_hand: _("待人工发布"), Group.removed: _("平台下线"),
        Group.moving: _("待发、在途"), Group.sent: _("已发出"), Group.all: _("全部"),
    }  # fmt: skip
    return {
        "text": names[one],
        "href": _address(one, kept),
        "current": one is current,
        "count": counts.get(one) or None,
    }


async def show(request: Request) -> Response:
    """One delivery with every try."""
    return await page(request)


async def page(
    request: Request, error: Invalid | Refused | None = None, typed: Mapping[str, str] | None = None
) -> Response:
    """The delivery's page, after a refused move with every reason and what was typed."""
    number = request.path_params["delivery_id"]
    async with looking(request) as unit:
        found = await lists.detail(unit, me(request), number)
        stopped = await pausing.stopped(unit)
        case = await unit.get(Case, found.view.delivery.case_id) if found.view.delivery.case_id else None
    facts: Facts = {
        "view": found.view,
        "delivery": found.view.delivery,
        "video": placed_video(found.view.delivery.video),
        "attempts": found.attempts,
        "people": found.hands,
        "case_number": case.number if case else "",
        "words": words,
        "typed": typed or {},
        "problems": error.problems if isinstance(error, Invalid) else {},
        "refused": error.reasons if isinstance(error, Refused) else [],
        "stopped": stopped,
        "src": f"/deliveries/{number}?part=delivery",
    }
    return await render(
        request, "deliveries/show.html", facts, error.status if error else 200, part=part_of(request, "delivery")
    )


async def decide(request: Request) -> Response:
    """The one form of a delivery: what to do stands on the button."""
    form, number = await read_form(request), request.path_params["delivery_id"]
    try:
        said = await _decide(request, form, number)
    except (Invalid, Refused) as error:
        return await page(request, error, form.values)
    to = form.raw("next")
    return redirect(request, local_path(to) if to else f"/deliveries/{number}", said)


async def _decide(request: Request, form: Form, number: int) -> str:
    """Do it in one transaction; the words to show. Raises Invalid for a button nobody offered."""
    actor, act = me(request), form.raw("do")
    when = form.moment("scheduled_at") if act == "reschedule" else None
    form.check()
    async with writing(request) as unit:
        if act == "retry":
            await service.retry(unit, actor, number)
            return _("马上重试。")
        if act == "send_now":
            await service.send_now(unit, actor, number)
            return _("马上发出。")
        if act == "reschedule":
            assert when is not None
            await service.reschedule(unit, actor, number, when)
            return _("已改到 %(at)s。", at=moment(when))
        if act == "cancel":
            await service.cancel(unit, actor, number, form.text("reason", required=False))
            return _("已作废，不会发出。")
        if act == "seen":
            await service.note_removal(unit, actor, number, form.text("reason", required=False))
            return _("已记下。")
        if act in ("was_sent", "not_sent"):
            reason = form.text("reason", required=False) or _("到平台上核对过")
            done = await service.settle_by_hand(unit, actor, number, act == "was_sent", form.raw("remote_id"), reason)
            return _settled(done)
    raise Invalid({"do": _("请用页面上的按钮选择怎么处理。")})


def _settled(delivery: Delivery) -> str:
    if delivery.state is S.sent:
        return _("已记为发出。")
    return _("记为没有发出，马上重发；过了最晚发布时间的会转为「错过」。")


def _badge(actor: Any) -> Any:
    """What waits for a decision, for those who may decide."""
    return waiting(lists.waiting(actor)) if actor.can(May.settle_delivery) else None


LISTS = (May.settle_delivery, May.read_posts, May.read_all_cases)
ONE = (*LISTS, May.read_tree_cases, May.read_department_cases)
ROUTES = [
    PageRoute("/deliveries", index, LISTS),
    PageRoute("/deliveries/{delivery_id:int}", show, ONE),
    PageRoute("/deliveries/{delivery_id:int}", decide, May.settle_delivery, ("POST",)),
]
NAV = [
    NavItem(
        "deliveries", N_("发送"), "send", "/deliveries", (May.settle_delivery, May.pause_sending), order=44, letter="s",
        badge=_badge,
    )
]  # fmt: skip
