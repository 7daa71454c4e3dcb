"""The composer: new posts and changes, checked while they are typed; nothing typed is ever lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from hub import clock
from hub.db import Unit
from hub.errors import Invalid, Refused, Stale
from hub.i18n import _, ngettext
from hub.models import Post
from hub.policy.sending import sending
from hub.rights import May
from web.forms import Form, read_form, whole
from web.press import cards, composing, versions
from web.press.composing import Fields
from web.press.words import focus_words
from web.proof import Fix, read_fix, read_ignore
from web.request import house, looking, me, writing
from web.routes.table import PageRoute
from web.templating import redirect, render
from workflows.checking import lists
from workflows.checking.confirming import Unconfirmed
from workflows.delivery import byhand
from workflows.pictures import store
from workflows.pictures.placed import Placed
from workflows.publishing import choices, detail, service
from workflows.publishing.content import Draft, draft_of, tidy
from workflows.publishing.detail import PostView
from workflows.publishing.forms import settled
from workflows.publishing.history import find, targets_of
from workflows.publishing.states import Move
from workflows.videos import store as videos
from workflows.videos.placed import PlacedVideo

SUBMIT = "submit"
# Reasons a short word has room for.
NAMED = 2
Facts = dict[str, Any]


async def show_new(request: Request) -> Response:
    """An empty post; ``?at=`` from the calendar, ``?copy=`` (and ``&account=``) from another post."""
    query = request.query_params
    fields = composing.empty(clock.now(), query.get("at", ""))
    if (number := query.get("copy", "")).isascii() and number.isdigit() and len(number) < 18:
        fields = await _copied(request, int(number), query.get("account", ""))
    return await _page(request, None, fields)


async def _copied(request: Request, post_id: int, account: str) -> Fields:
    """Texts and accounts of another post, with a time of its own; one account's text alone when it is named."""
    async with looking(request) as unit:
        post = await find(unit, me(request), post_id)
        draft = draft_of(post, await targets_of(unit, post))
    fresh = composing.empty(clock.now())
    made = composing.of(draft)
    if whole(account) in draft.targets:
        made = replace(made, body=draft.text_on(int(account)), accounts=frozenset({int(account)}), texts={})
    return replace(made, when=fresh.when, on=fresh.on, at=fresh.at, latest_at="")


async def show(request: Request) -> Response:
    """The composer of a stored post."""
    async with looking(request) as unit:
        view = await detail.view(unit, me(request), request.path_params["post_id"])
        draft = draft_of(view.post, [target.target for target in view.targets])
    return await _page(request, view, composing.of(draft))


async def check(request: Request) -> Response:
    """What is typed, as each platform counts and shows it, with everything that stands in the way. Saves nothing."""
    form = await read_form(request)
    number = form.number("post_id", required=False) or None
    async with looking(request) as unit:
        offered = [choice.id for choice in await choices.accounts(house(request), unit)]
        draft, problems = composing.as_far_as_readable(composing.typed(form, offered))
        draft = await _with_media(unit, request, draft, problems)
        checked = await cards.check(house(request), unit, draft, number, department_id=me(request).department_id)
    checked = replace(checked, fields=problems)
    facts = {"checked": checked, "scheduled_at": draft.scheduled_at, "confirmed": form.raw("confirmed")}
    return await render(request, "posts/check.html", facts, part="check")


async def _with_media(unit: Unit, request: Request, draft: Draft, problems: dict[str, str]) -> Draft:
    """What the rows say about pictures and video; those that are not there are left out and told."""
    pictures: tuple[Placed, ...] = ()
    video: PlacedVideo | None = None
    try:
        pictures = await store.resolve(unit, me(request), draft.pictures)
    except Invalid as error:
        problems.update(error.problems)
    try:
        video = await videos.resolve(unit, me(request), draft.video)
    except Invalid as error:
        problems.update(error.problems)
    return replace(draft, pictures=pictures, video=video)


async def _draft(request: Request, fields: Fields) -> Draft:
    """What is to be kept: with the form and title of each account named."""
    async with looking(request) as unit:
        offered = await choices.accounts(house(request), unit)
    made = tidy(composing.draft(fields))
    return settled({choice.id: choice.forms for choice in offered}, made)


async def fix(request: Request) -> Response:
    """Without scripts: put a suggestion where it belongs, or leave a finding alone in this office; nothing is saved."""
    form = await read_form(request)
    number = form.number("post_id", required=False)
    fields = composing.typed(form, await _known(request))
    if form.raw("ignore"):
        group, found = read_ignore(form.raw("ignore"))
        async with writing(request) as unit:
            await lists.ignore(unit, me(request), group, found)
    else:
        fields = _mended(fields, read_fix(form.raw("fix")))
    view = None
    if number:
        async with looking(request) as unit:
            view = await detail.view(unit, me(request), number)
    return await _page(request, view, fields, version=form.raw("version"))


def _mended(fields: Fields, wanted: Fix) -> Fields:
    if wanted.field == "body":
        return replace(fields, body=wanted.apply(fields.body))
    if wanted.field == "title":
        return replace(fields, title=wanted.apply(fields.title))
    if wanted.field == "video_alt" and fields.video is not None:
        return replace(fields, video=replace(fields.video, description=wanted.apply(fields.video.description)))
    if wanted.field.startswith(("alt_", "title_")):
        return _mended_beside(fields, wanted)
    texts = {
        account: wanted.apply(text) if f"text_{account}" == wanted.field else text
        for account, text in fields.texts.items()
    }
    return replace(fields, texts=texts)


def _mended_beside(fields: Fields, wanted: Fix) -> Fields:
    """The words of a picture, or a title of one account."""
    what, _line, number = wanted.field.partition("_")
    if what == "alt":
        pictures = [
            replace(one, description=wanted.apply(one.description)) if str(one.id) == number else one
            for one in fields.pictures
        ]
        return replace(fields, pictures=tuple(pictures))
    options = {
        account: replace(option, title=wanted.apply(option.title)) if str(account) == number else option
        for account, option in fields.options.items()
    }
    return replace(fields, options=options)


async def create(request: Request) -> Response:
    """Keep a new post, and hand it in when asked to."""
    form = await read_form(request)
    fields = composing.typed(form, await _known(request))
    try:
        draft = await _draft(request, fields)
        async with writing(request) as unit:
            post = await service.create(unit, me(request), draft)
    except Invalid as error:
        return await _page(request, None, fields, problems=error.problems, status=422)
    return await _saved(request, form, post)


async def save(request: Request) -> Response:
    """Keep a change. What somebody else saved meanwhile is shown beside it, never overwritten unseen."""
    form, number = await read_form(request), request.path_params["post_id"]
    fields = composing.typed(form, await _known(request))
    async with looking(request) as unit:
        view = await detail.view(unit, me(request), number)
    try:
        version = form.number("version")
        draft = await _draft(request, fields)
        async with writing(request) as unit:
            post = await service.save(unit, me(request), number, version=version, draft=draft)
    except Invalid as error:
        return await _page(request, view, fields, problems=error.problems, status=422)
    except Stale:
        return await _conflict(request, number, fields)
    except Refused as error:
        return await _page(request, view, fields, refused=error.reasons, status=409)
    return await _saved(request, form, post)


async def _saved(request: Request, form: Form, post: Post) -> Response:
    """Saved; then handed in, unless something stands in the way: it is saved in any case."""
    if form.raw("do") != SUBMIT:
        return redirect(request, f"/posts/{post.id}/edit", _("已保存。"))
    to = f"/posts/{post.id}/edit#post-check"
    try:
        async with writing(request) as unit:
            seen = form.raw("confirmed")
            await service.submit(house(request), unit, me(request), post.id or 0, version=post.version, confirm=seen)
    except Unconfirmed:
        return redirect(request, to, _("已保存，还没有送审：请看过提醒并勾选后再送审。"), kind="error")
    except Refused as error:
        return redirect(request, to, _why_not(error.reasons), kind="error")
    return redirect(request, f"/posts/{post.id}", _("已送审，审核人会在「待审」里看到。"))


def _why_not(reasons: Sequence[str]) -> str:
    """What a tick would not help against, as far as there is room; all of it stands beside the text."""
    said = _("已保存，但还不能送审：%(why)s。", why="；".join(reasons[:NAMED]))
    more = len(reasons) - NAMED
    return (
        said + ngettext("另有 %(n)s 处，见「发布前检查」。", "另有 %(n)s 处，见「发布前检查」。", more)
        if more > 0
        else said
    )


async def _conflict(request: Request, post_id: int, fields: Fields) -> Response:
    """Both texts on one page. Saving again, with the new version in the form, is a decision made with open eyes."""
    async with looking(request) as unit:
        view = await detail.view(unit, me(request), post_id)
        names = {choice.id: choice.name for choice in await choices.accounts(house(request), unit)}
    theirs = versions.as_stored(view)
    mine = detail.Version(
        0, "mine", clock.now(), me(request).name, "", fields.title,
        {account: fields.texts.get(account) or fields.body for account in sorted(fields.accounts)},
        theirs.scheduled_at, theirs.latest_at,
    )  # fmt: skip
    conflict = {
        "by": view.events[-1].by_name if view.events else "",
        "at": view.post.changed_at,
        "theirs": theirs,
        "changes": versions.changes(theirs, mine, names),
    }
    return await _page(request, view, fields, conflict=conflict, status=409)


async def _known(request: Request) -> list[int]:
    async with looking(request) as unit:
        return [choice.id for choice in await choices.accounts(house(request), unit)]


async def _page(
    request: Request, view: PostView | None, fields: Fields, *, problems: dict[str, str] | None = None,
    refused: list[str] | None = None, conflict: Facts | None = None, status: int = 200, version: str = "",
) -> Response:  # fmt: skip
    post = view.post if view else None
    draft, _unreadable = composing.as_far_as_readable(fields)
    async with looking(request) as unit:
        offered = await choices.accounts(house(request), unit)
        draft = await _with_media(unit, request, draft, {})
        begun = not view.reasons[Move.save] if view else bool(draft.targets or draft.body)
        number, own = post.id if post else None, me(request).department_id
        checked = await cards.check(house(request), unit, draft, number, department_id=own) if begun else None
        people = await byhand.hands(unit) if any(choice.by_hand for choice in offered) else []
    shown = [choice for choice in offered if not choice.why_not or choice.id in fields.accounts]
    facts = {
        "post": post,
        "fields": fields,
        "choices": shown,
        "unusable": [choice for choice in offered if choice.why_not and choice.id not in fields.accounts],
        "problems": problems or {},
        "refused": refused or [],
        "conflict": conflict,
        "names": {choice.id: choice.name for choice in offered},
        "why_not_save": view.reasons[Move.save] if view else [],
        "why_not_submit": _against_submitting(view),
        "late_minutes": int(sending().post_late.total_seconds() // 60),
        "checked": checked,
        "scheduled_at": draft.scheduled_at,
        "confirmed": "",
        "people": people,
        "FOCUS": focus_words(),
        # With everything its row says; one that is gone shows at least that there was one.
        "video": draft.video or fields.video,
        "most_video_mb": house(request).ctx.settings.most_video_mb,
        # What was typed began with this version: a change somebody saved meanwhile must still be noticed.
        "version": version or (post.version if post else ""),
    }
    return await render(request, "posts/compose.html", facts, status)


def _against_submitting(view: PostView | None) -> list[str]:
    """Saving an approved post's change hands it in by itself; a withdrawn one becomes a draft by being saved."""
    if view is None or view.reasons[Move.save]:
        return view.reasons[Move.save] if view else []
    return [] if view.post.state.value in ("draft", "returned", "withdrawn") else view.reasons[Move.submit]


POST = "/posts/{post_id:int}"
ROUTES = [
    PageRoute("/posts", create, May.write_post, ("POST",)),
    PageRoute("/posts/new", show_new, May.write_post),
    PageRoute("/posts/check", check, May.write_post, ("POST",)),
    PageRoute("/posts/fix", fix, May.write_post, ("POST",)),
    PageRoute(f"{POST}/edit", show, May.write_post),
    PageRoute(POST, save, May.write_post, ("POST",)),
]
