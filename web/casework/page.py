"""One case as its page shows it, whole or a live part of it, with what was typed kept when something was refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from hub.db import Unit
from hub.i18n import _
from hub.models import Case, CaseState, DeliveryState
from hub.rights import Actor, May
from web.casework import listing as beside
from web.casework import talk, words
from web.casework.checked import Found, found_in
from web.request import house, looking, me
from web.templating import part_of, render
from workflows.cases import similar
from workflows.cases.detail import Detail, detail
from workflows.cases.facts import numbered
from workflows.cases.moves import Move
from workflows.cases.states import Extension, Offer, Ruling
from workflows.checking.confirming import Finding
from workflows.delivery.lists import DeliveryView, of_case
from workflows.drafting.asking import is_on, newest
from workflows.matters.lists import around
from workflows.replies.box import Box, box, findings
from workflows.replies.compare import Piece, pieces
from workflows.replies.drafts import DraftConflict
from workflows.replies.elsewhere import CHANNELS

PARTS = ("rows", "summary", "talk", "answer", "model", "side")
# Buttons beside the title; all others stand in the pane at the right.
FIRST = (Move.sign, Move.accept, Move.dispatch, Move.close, Move.resume)
# States in which an answer may be written.
DRAFTING = (CaseState.handling, CaseState.waiting, CaseState.triaged)
_SETTLED = (DeliveryState.sent, DeliveryState.cancelled, DeliveryState.waiting, DeliveryState.sending)


@dataclass
class Said:
    """What came of a form on this page: shown again with what was typed. Empty: nothing was sent."""

    refused: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    text: str | None = None
    message_id: int | None = None
    note: str = ""
    to_confirm: list[Finding] = field(default_factory=list)
    confirm: str = ""
    conflict: DraftConflict | None = None
    values: dict[str, str] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether something in the draft box waits for the person: news must not take it away."""
        return bool(self.refused or self.problems or self.to_confirm or self.conflict) and self.text is not None

    @property
    def differs(self) -> list[Piece]:
        """How the text typed here differs from the one somebody else saved."""
        if self.conflict is None or self.conflict.theirs is None:
            return []
        return pieces(self.conflict.theirs.text, self.conflict.mine)


NOTHING_SAID = Said()


async def page(request: Request, *, said: Said = NOTHING_SAID, status: int = 200) -> Response:
    """The page of the case named in the address, or the part a live region asks for."""
    part = part_of(request, *PARTS) if request.method == "GET" else ""
    if request.method != "GET":  # what was saved before the refusal is on this page already
        request.state.live_at = await request.app.state.feed.mark(exact=True)
    facts = await (_list_facts(request) if part == "rows" else _facts(request, said, part))
    return await render(request, "cases/page.html", facts, status, part=part)


def number_of(request: Request) -> str:
    """The case's number in the address."""
    return str(request.path_params["number"])


async def _list_facts(request: Request) -> dict[str, Any]:
    async with looking(request) as unit:
        listing = await beside.listing(request, unit, heading=False)
    return {"listing": listing, "chosen": number_of(request), "w": words.tools(), "live_src": ""}


async def _facts(request: Request, said: Said, part: str) -> dict[str, Any]:
    actor = me(request)
    async with looking(request) as unit:
        case = await numbered(unit, number_of(request), actor)
        one = await detail(unit, case.id or 0, actor)
        listing = await beside.listing(request, unit) if not part else None
        answer = await _box(request, unit, one)
        model = await newest(unit, case_id=case.id)
        found = await _found(request, unit, one, answer, said)
        others = (
            await _others(unit, case, actor, one)
            if part in ("", "side")
            else {"similar": [], "alike": [], "matters": []}
        )
        deliveries = await of_case(unit, actor, case.id or 0) if part in ("", "talk") else []
    base = f"/cases/{case.number}"
    live = listing.href(case.number) if listing else base
    return {
        "model": model, "model_on": is_on(house(request).ctx.settings),
        "listing": listing, "chosen": case.number, "one": one, "row": one.row, "case": case, "box": answer,
        "said": said, "found": found, "may_force": _may_force(actor, one, found, said),
        "items": talk.thread(one.messages, one.replies, one.events, one.row.account) if part in ("", "talk") else [],
        "history": talk.history(one.events) if part in ("", "side") else [], "base": base,
        "first": [offer for offer in _offered(one) if offer.move in FIRST],
        "more": [offer for offer in _offered(one) if offer.move not in FIRST],
        "deliveries": _open_deliveries(deliveries), "channels": [(name, _(name)) for name in CHANNELS],
        "live_src": f"{live}{'&' if '?' in live else '?'}part=rows", "item_open": True,
        "tabs_src": listing.narrowing.href(part="tabs") if listing else "",
        "list_href": listing.narrowing.href() if listing else "/cases", "w": words.tools(), **others,
    }  # fmt: skip


async def _box(request: Request, unit: Unit, one: Detail) -> Box | None:
    """The draft box, where the person may write, or where a draft is there to be read."""
    if one.case.state not in DRAFTING or (one.may_draft and one.draft is None):
        return None
    return await box(house(request), unit, one.case, one.draft)


async def _found(request: Request, unit: Unit, one: Detail, answer: Box | None, said: Said) -> Found | None:
    """What the check says about what stands in the box: what was just typed, else the draft."""
    if answer is None:
        return None
    if said.text is None:
        return found_in(one.draft.text if one.draft else "", answer.findings)
    number = said.message_id or answer.message_id
    told = await findings(
        house(request), unit, one.case.id or 0, me(request), text=said.text, message_id=number,
        elsewhere=not answer.can_send,
    )  # fmt: skip
    return found_in(said.text, told)


def _may_force(actor: Actor, one: Detail, found: Found | None, said: Said) -> bool:
    """Whether to offer letting red lines pass: of what is stored, to somebody who did not write it."""
    if found is None or not found.blocking or said.text is not None or one.draft is None:
        return False
    return actor.can(May.force_check) and one.draft.author_id != actor.user_id


async def _others(unit: Unit, case: Case, actor: Actor, one: Detail) -> dict[str, Sequence[Any]]:
    answered = await similar.answered(unit, case.id or 0, actor) if one.row.state in DRAFTING else []
    may_merge = any(offer.move is Move.merge for offer in one.moves)
    alike = await similar.still_open(unit, case.id or 0, actor) if may_merge else []
    return {"similar": answered, "alike": alike, "matters": await around(unit, actor, case_id=case.id)}


def _offered(one: Detail) -> list[Offer]:
    """Moves that make sense to show: decisions only where one was asked for."""
    hidden = set()
    if one.extension is not Extension.asked:
        hidden |= {Move.grant_extension, Move.refuse_extension}
    if one.ruling is not Ruling.asked:
        hidden.add(Move.rule)
    if not one.row.returns:
        hidden.add(Move.ask_ruling)
    return [offer for offer in one.moves if offer.move not in hidden]


def _open_deliveries(views: Sequence[DeliveryView]) -> list[DeliveryView]:
    """What did not simply go out: shown with its reason and the next step."""
    return [view for view in views if view.delivery.state not in _SETTLED or view.why]
