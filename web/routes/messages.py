"""收件: what citizens wrote, the newest first; one message with its thread and tags; correcting tags; personal data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import col, select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub import clock
from hub.db import Unit
from hub.errors import Invalid, NotFound, Refused
from hub.i18n import N_, _
from hub.models import Account, Because, CaseState, MessageKind
from hub.rights import May
from web.auth import local_path
from web.casework import inbox, talk, words
from web.casework.media import files_of
from web.casework.narrowing import Field, Narrowing, since, times
from web.forms import Form, read_form
from web.request import looking, me, writing
from web.routes.cases import READS
from web.routes.table import NavItem, PageRoute
from web.sheets import KINDS, sheet
from web.templating import part_of, redirect, render, toast
from workflows.cases import similar
from workflows.cases.detail import reveal as reveal_message
from workflows.inbox import lists
from workflows.inbox import words as labels
from workflows.inbox.detail import MessageDetail, detail
from workflows.inbox.export import MOST, exported, note_export
from workflows.inbox.lists import Filters, Page
from workflows.intake.outside import ask
from workflows.learning.words import becauses
from workflows.matters.lists import around
from workflows.tagging.corrections import confirm, correct, find
from workflows.tagging.withdrawing import last_of, withdraw

SEES = (May.read_messages, *READS)


@dataclass(frozen=True, slots=True)
class Listing:
    """The pane at the left. ``page`` None: the person reads single messages only."""

    page: Page | None
    narrowing: Narrowing
    is_first: bool

    def href(self, key: object) -> str:
        """The page of one message, with this list beside it."""
        return self.narrowing.href(f"/messages/{key}")


async def _listing(request: Request, unit: Unit) -> Listing:
    after = request.query_params.get("after", "")
    accounts = await unit.all(select(Account).order_by(col(Account.id)))
    narrowing = Narrowing(request, "/messages", _fields(accounts, request.query_params.get("topic", "")))
    if not me(request).can(May.read_messages):
        return Listing(None, narrowing, is_first=True)
    return Listing(await lists.newest(unit, me(request), _filters(narrowing), after=after), narrowing, not after)


def _fields(accounts: Sequence[Account], topic: str) -> list[Field]:
    """Second levels are offered once their topic is chosen."""
    seconds = labels.subtopics(topic)
    return [
        Field("account", _("账号"), [(account.id or 0, account.name) for account in accounts]),
        Field("kind", _("类型"), labels.kinds()),
        Field("topic", _("主题"), labels.topics()),
        *([Field("subtopic", _("二级主题"), seconds)] if seconds else []),
        Field("sentiment", _("情感"), labels.sentiments()),
        Field("emotion", _("情绪"), labels.emotions()),
        Field("state", _("工单状态"), words.states()),
        Field("when", _("时间"), times()),
        Field("sensitive", _("敏感")),
    ]


def _filters(narrowing: Narrowing) -> Filters:
    return Filters(
        account_id=narrowing.number("account"), kind=narrowing.member("kind", MessageKind),
        topic=narrowing.get("topic"), subtopic=narrowing.get("subtopic"), sentiment=narrowing.get("sentiment"),
        emotion=narrowing.get("emotion"),
        sensitive=bool(narrowing.get("sensitive")), state=narrowing.member("state", CaseState),
        text=narrowing.get("q"), since=since(narrowing.get("when"), clock.now()),
    )  # fmt: skip


async def index(request: Request) -> Response:
    """The newest messages."""
    async with looking(request) as unit:
        listing = await _listing(request, unit)
    facts = {"listing": listing, "chosen": 0, "w": words.tools(), "live_src": _live(request, listing, "/messages")}
    return await render(request, "messages/index.html", facts, part=part_of(request, "rows"))


def _live(request: Request, listing: Listing, path: str) -> str:
    return listing.narrowing.href(path, after=request.query_params.get("after", ""), part="rows")


async def show(request: Request) -> Response:
    """One message with its thread, its tags and its case."""
    number = request.path_params["message_id"]
    part = part_of(request, "rows", "talk", "tags")
    async with looking(request) as unit:
        one = await detail(unit, me(request), number)
        listing = await _listing(request, unit)
        near = [] if part else await similar.messages(unit, number, me(request))
        matters = [] if part else await around(unit, me(request), message_id=number)
    facts = {
        **_around(one), "listing": listing, "chosen": number, "item_open": True, "near": near, "matters": matters,
        "items": talk.thread(one.thread, [], [], one.account.name),
        "list_href": listing.narrowing.href(), "live_src": _live(request, listing, f"/messages/{number}"),
    }  # fmt: skip
    return await render(request, "messages/page.html", facts, part=part)


def _around(one: MessageDetail) -> dict[str, Any]:
    return {
        "one": one, "entry": one.entry, "tags": one.entry.tags, "w": words.tools(),
        "topics": [*labels.topics(), ("", labels.topic_label(""))], "sentiments": labels.sentiments(),
        "requests": [*labels.requests(), ("", labels.request_label(""))], "becauses": becauses(),
        "subtopics": [("", labels.subtopic_label("")), *labels.all_subtopics()],
        "emotions": [*labels.emotions(), ("", labels.emotion_label(""))],
        "urgencies": [*labels.urgencies(), ("", _("无"))],
    }  # fmt: skip


async def show_tags(request: Request) -> Response:
    """What the tags rest on, and the form to set them right; in the side panel that alone."""
    return await _tags(request)


async def _tags(request: Request, form: Form | None = None, problems: dict[str, str] | None = None) -> Response:
    number = request.path_params["message_id"]
    async with looking(request) as unit:
        one = await detail(unit, me(request), number)
    wanted = form.raw("next") if form else request.query_params.get("next", "")
    back = f"/cases/{one.case.number}" if one.case and not one.message.is_own else f"/messages/{number}"
    facts = {
        **_around(one), "values": form.values if form else {}, "problems": problems or {},
        "next": local_path(wanted, back),
    }  # fmt: skip
    part = "form" if request.headers.get("x-panel") == "side" else ""
    return await render(request, "messages/tags.html", facts, 422 if problems else 200, part=part)


async def correct_tags(request: Request) -> Response:
    """A person's word about the tags, with a reason. One click says one tag (``quick``), the form says all."""
    form, number = await read_form(request), request.path_params["message_id"]
    quick = form.raw("quick") == "1"
    because = form.raw("because")
    try:
        async with writing(request) as unit:
            await correct(
                unit, me(request), number, topic=_told(form, "topic"), sentiment=_told(form, "sentiment") or None,
                sensitive=None if quick else form.ticked("sensitive"), place=_told(form, "place"),
                request=_told(form, "request"), subtopic=_told(form, "subtopic"), emotion=_told(form, "emotion"),
                urgency=_told(form, "urgency"), reason=form.text("reason", required=False, longest=500),
                because=Because(because) if because in Because.__members__ else None,
            )  # fmt: skip
    except Invalid as error:
        return await _tags(request, form, error.problems)
    back = local_path(form.raw("next"), f"/messages/{number}")
    return redirect(request, back, _("已改正，记入记录，也用来改进自动识别。"), undo=f"/messages/{number}/tags/undo")


def _told(form: Form, name: str) -> str | None:
    return form.text(name, required=False) if name in form.values else None


async def confirm_tags(request: Request) -> Response:
    """The tags are right as they are."""
    form, number = await read_form(request), request.path_params["message_id"]
    try:
        async with writing(request) as unit:
            await confirm(unit, me(request), number)
    except Invalid as error:
        return await _tags(request, form, error.problems)
    back = local_path(form.raw("next"), f"/messages/{number}")
    return redirect(request, back, _("已记下标签无误。"), undo=f"/messages/{number}/tags/undo")


async def undo_tags(request: Request) -> Response:
    """Take back what this person has just said about the tags; JSON for the toast's button, else back to the page."""
    form, number = await read_form(request), request.path_params["message_id"]
    async with writing(request) as unit:
        await find(unit, me(request), number)
        mine = await last_of(unit, me(request), number)
        if not mine:
            raise Refused([_("没有可以撤回的修正，可能已被别人再次修改")])
        await withdraw(unit, me(request), mine, form.text("why", required=False, longest=500))
    said = _("已撤回，标签恢复原样。")
    if "json" in request.headers.get("accept", "") or "x-csrf-token" in request.headers:
        return JSONResponse({"text": said})
    return redirect(request, local_path(form.raw("next"), f"/messages/{number}"), said)


async def export(request: Request) -> Response:
    """The list by its filters as a file, with every tag, masked like the page; the audit log keeps who took it."""
    kind = request.path_params["kind"]
    if kind not in KINDS:
        raise NotFound(_("没有这种格式"))
    filters = _filters(Narrowing(request, "/messages", _fields([], request.query_params.get("topic", ""))))
    async with looking(request) as unit:
        found = await exported(unit, me(request), filters)
    async with writing(request) as unit:
        await note_export(unit, me(request), filters, min(len(found), MOST))
    name = _("收件-%(day)s", day=clock.today().isoformat())
    return await sheet(kind, name, inbox.head(), map(inbox.line, found), MOST)


async def reveal(request: Request) -> Response:
    """The message as it was written; who looked is in the audit log. For htmx the one bubble, else the whole page."""
    number = request.path_params["message_id"]
    async with writing(request) as unit:
        revealed = await reveal_message(unit, me(request), number)
    async with looking(request) as unit:
        one = await detail(unit, me(request), number)
    if one.message.id is None:
        raise NotFound(_("没有这条消息，或者您无权查看"))
    part = "bubble" if request.headers.get("hx-request") == "true" else ""
    facts = {**_around(one), "revealed": revealed}
    return await render(request, "messages/revealed.html", facts, part=part)


async def keep_picture(request: Request) -> Response:
    """Have a picture that is only linked to fetched and kept. For htmx the one picture, else back to the message."""
    number, place = request.path_params["message_id"], request.path_params["place"]
    async with writing(request) as unit:
        await ask(unit, me(request), number, place)
    async with looking(request) as unit:
        one = await detail(unit, me(request), number)
    text = _("图片正在取回，取到后会显示在留言里。")
    if request.headers.get("hx-request") == "true":
        (file,) = (file for file in files_of(one.entry, may_keep=False) if file["place"] == place)
        return toast(await render(request, "messages/picture.html", {"file": file}), text)
    back = f"/cases/{one.case.number}" if one.case else f"/messages/{number}"
    return redirect(request, f"{back}#m-{number}", text)


ONE = "/messages/{message_id:int}"
ROUTES = [
    PageRoute("/messages", index, May.read_messages),
    PageRoute("/messages.{kind}", export, May.read_messages),
    PageRoute(ONE, show, SEES),
    PageRoute(f"{ONE}/tags", show_tags, SEES),
    PageRoute(f"{ONE}/tags", correct_tags, May.correct_tags, ("POST",)),
    PageRoute(f"{ONE}/tags/confirm", confirm_tags, May.correct_tags, ("POST",)),
    PageRoute(f"{ONE}/tags/undo", undo_tags, May.correct_tags, ("POST",)),
    PageRoute(f"{ONE}/pictures/{{place:int}}", keep_picture, May.add_note, ("POST",)),
    PageRoute(f"{ONE}/reveal", reveal, May.reveal_personal, ("POST",)),
]
NAV = [NavItem("messages", N_("收件"), "inbox", "/messages", May.read_messages, order=20, letter="i")]
