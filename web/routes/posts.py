"""Posts: lists of mine and of what waits for a signature, one post with its receipts and history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from hub import clock
from hub.errors import Invalid, Refused
from hub.i18n import N_, _
from hub.models import PostState
from hub.policy.sending import sending
from hub.rights import Actor, May
from web.press import cards, versions, words
from web.request import house, looking, me
from web.routes.table import NavItem, PageRoute, waiting
from web.templating import part_of, render
from workflows.delivery import figures
from workflows.delivery import lists as deliveries
from workflows.delivery.lists import DeliveryView
from workflows.delivery.states import LEFT
from workflows.publishing import choices, detail, lists
from workflows.publishing.checks import GRACE
from workflows.publishing.content import draft_of
from workflows.publishing.lists import View
from workflows.publishing.states import Move, label

Facts = dict[str, Any]
Kept = dict[str, str]
LONGEST_SEARCH = 100


async def index(request: Request) -> Response:
    """One view of the posts, newest first; filters stand in the address."""
    actor, query = me(request), request.query_params
    view = _view(query.get("view", ""), actor)
    wanted = _filters(request)
    async with looking(request) as unit:
        page = await lists.page(unit, actor, view, before=_number(query.get("before", "")), **wanted)
        counts = await lists.counts(unit, actor)
        offered = await choices.accounts(house(request), unit)
    kept = {name: query[name] for name in ("state", "account", "q") if query.get(name)}
    facts = {
        "items": page.items,
        "older": _address(view, kept | {"before": str(page.older)}) if page.older else "",
        "view": view,
        "tabs": [_tab(one, view, counts) for one in _views(actor)],
        "chips": _chips(view, kept, offered),
        "kept": kept,
        "narrowings": [
            *_narrowing(view, kept, "state", _("状态"), [(state.value, label(state)) for state in PostState]),
            *_narrowing(view, kept, "account", _("账号"), [(str(choice.id), choice.name) for choice in offered]),
        ],
        "src": _address(view, kept | {"part": "rows"}),
        "words": words,
        "is_first": "before" not in query,
    }
    return await render(request, "posts/index.html", facts, part=part_of(request, "rows"))


def _views(actor: Actor) -> list[View]:
    wanted = [(View.review, May.review_post), (View.mine, May.write_post), (View.all, May.read_posts)]
    return [view for view, right in wanted if actor.can(right)]


def _view(asked: str, actor: Actor) -> View:
    offered = _views(actor)
    return next((view for view in offered if view.value == asked), offered[0])


def _filters(request: Request) -> Facts:
    query = request.query_params
    state = query.get("state", "")
    return {
        "state": PostState(state) if state in PostState.__members__ else None,
        "account_id": _number(query.get("account", "")),
        "words": query.get("q", "")[:LONGEST_SEARCH],
    }


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None


def _address(view: View, kept: Kept) -> str:
    return f"/posts?{urlencode({'view': view.value, **kept})}"


def _narrowing(view: View, kept: Kept, name: str, head: str, options: list[tuple[str, str]]) -> list[Facts]:
    """The entries of the filter menu for one column; what other columns keep stays."""
    return [{"head": head}] + [
        {"text": text, "href": _address(view, kept | {name: value}), "current": kept.get(name) == value}
        for value, text in options
    ]


def _tab(one: View, current: View, counts: dict[View, int]) -> Facts:
    names = {View.review: _("待我审核"), View.mine: _("我的稿件"), View.all: _("全部稿件")}
    number = counts.get(one, 0)
    return {
        "text": names[one],
        "href": _address(one, {}),
        "current": one is current,
        "count": f"{number}+" if number >= lists.MOST_COUNTED else number or None,
    }


def _chips(view: View, kept: Kept, offered: list[choices.Choice]) -> list[Facts]:
    names = {"state": _("状态"), "account": _("账号"), "q": _("含有")}
    values = {
        "state": label(PostState(kept["state"])) if kept.get("state") in PostState.__members__ else "",
        "account": next((choice.name for choice in offered if str(choice.id) == kept.get("account")), ""),
        "q": kept.get("q", ""),
    }
    return [
        {
            "label": names[name],
            "value": values[name],
            "remove_href": _address(view, {key: value for key, value in kept.items() if key != name}),
        }
        for name in kept
        if values[name]
    ]


async def show(request: Request) -> Response:
    """One post: what it says where, what became of it, who signed what. In the side panel: the short form."""
    return await page(request)


async def page(request: Request, refusal: HubRefusal | None = None, typed: dict[str, str] | None = None) -> Response:
    """The post's page, after a refused move with every reason and what was typed."""
    facts = await _facts(request, request.path_params["post_id"])
    facts |= {"typed": typed or {}, "refused": [], "problems": {}, "status": 200}
    if isinstance(refusal, Invalid):
        facts |= {"problems": refusal.problems, "status": 422}
    elif refusal is not None:
        facts |= {"refused": refusal.reasons, "status": 409}
    if request.headers.get("x-panel") == "side":
        return await render(request, "posts/side.html", facts, part="side")
    return await render(request, "posts/show.html", facts, facts["status"], part=part_of(request, "post"))


HubRefusal = Invalid | Refused


async def _facts(request: Request, post_id: int) -> Facts:
    async with looking(request) as unit:
        view = await detail.view(unit, me(request), post_id)
        receipts = {one.delivery.id or 0: one for one in await deliveries.of_post(unit, me(request), post_id)}
        draft = draft_of(view.post, [target.target for target in view.targets])
        counted = await figures.of_post(house(request), unit, me(request), post_id)
        checked = await cards.check(house(request), unit, draft, post_id, ignore_time=True)
    post, names = view.post, {target.account.id or 0: target.account.name for target in view.targets}
    seen = detail.last_seen(view)
    return {
        "view": view,
        "post": post,
        "standing": words.standing(
            post.state, [one.delivery for one in view.targets if one.delivery], signs=not view.reasons[Move.approve]
        ),
        "receipts": [(card, _receipt(view, receipts, card.choice.id)) for card in checked.cards],
        "others": [
            target for target in view.targets if target.account.id not in {card.choice.id for card in checked.cards}
        ],
        "counted": counted,
        "checked": checked,
        "late": post.scheduled_at is not None and post.scheduled_at < clock.now() - GRACE,
        "is_open": post.state not in (PostState.done, PostState.withdrawn) and not _has_left(view),
        "late_minutes": int(sending().post_late.total_seconds() // 60),
        "history": versions.history(view),
        "seen": seen,
        "changes": versions.changes(seen, versions.as_stored(view), names) if seen else [],
        "reasons": view.reasons,
        "force_reasons": view.reasons[Move.force],
        "Move": Move,
        "words": words,
        "now": clock.now(),
        "src": f"/posts/{post.id}?part=post",
    }


def _has_left(view: detail.PostView) -> bool:
    """Whether any of it is on its way or out: what was to be checked before is history."""
    return any(target.delivery and target.delivery.state in LEFT for target in view.targets)


def _receipt(view: detail.PostView, receipts: Mapping[int, DeliveryView], account_id: int) -> DeliveryView | None:
    """How far the delivery of this account is; None before the approval."""
    target = next(target for target in view.targets if target.account.id == account_id)
    return receipts.get(target.delivery.id or 0) if target.delivery else None


async def show_version(request: Request) -> Response:
    """The content of one step of the history, and what has changed since."""
    places = request.path_params
    async with looking(request) as unit:
        view = await detail.view(unit, me(request), places["post_id"])
        kept = await detail.version(unit, me(request), places["post_id"], places["event_id"])
        names = {choice.id: choice.name for choice in await choices.accounts(house(request), unit)}
    facts = {
        "post": view.post,
        "kept": kept,
        "names": names,
        "what": words.event_words(kept.what),
        "changes": versions.changes(kept, versions.as_stored(view), names),
        "is_current": kept.content_hash == view.post.content_hash,
    }
    if request.headers.get("x-panel") == "side":
        return await render(request, "posts/version.html", facts, part="main")
    return await render(request, "posts/version.html", facts)


READING = (May.read_posts, May.write_post)
ROUTES = [
    PageRoute("/posts", index, READING),
    PageRoute("/posts/{post_id:int}", show, READING),
    PageRoute("/posts/{post_id:int}/history/{event_id:int}", show_version, READING),
]
NAV = [
    NavItem(
        "posts", N_("稿件"), "edit", "/posts", (May.write_post, May.review_post), order=42, letter="p",
        badge=lambda actor: waiting(lists.waiting(actor)),
    )
]  # fmt: skip
