"""What is done to a case: one form per move, made by one door; a refusal is shown with what was typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from hub.db import Unit
from hub.errors import Invalid, NotFound, Refused, Stale
from hub.i18n import _, aside
from hub.models import Case, CaseClass
from hub.rights import May
from web.auth import local_path
from web.casework import words
from web.casework.page import number_of
from web.forms import Form, read_form
from web.request import looking, me, writing
from web.routes.table import PageRoute
from web.templating import redirect, render
from workflows.cases import choices, similar
from workflows.cases.detail import Detail, detail
from workflows.cases.facts import is_visible, numbered
from workflows.cases.moves import BY_THE_HUB, MOVES, REPLY_MOVES, Move, Need
from workflows.cases.rating import SATISFIED_WORDS, SOLVED_WORDS, rating_of
from workflows.cases.service import Choices, make_move
from workflows.cases.words import REFUSALS, move_label

ACTS = (
    May.accept, May.refuse, May.dispatch, May.sign, May.hand_back, May.draft_reply, May.suspend, May.close, May.reopen,
)  # fmt: skip
SENDS = (Move.dispatch, Move.rule, Move.forward)


@dataclass(frozen=True, slots=True)
class Tried:
    """A move that was sent and refused: what was typed, and why not."""

    values: dict[str, str]
    reasons: list[str]
    problems: dict[str, str]
    is_stale: bool = False


NOT_TRIED = Tried({}, [], {})


async def ask(request: Request) -> Response:
    """The form of a move; in the side panel only the form itself."""
    return await _form(request, NOT_TRIED)


async def _form(request: Request, tried: Tried, status: int = 200) -> Response:
    move = _move(request)
    async with looking(request) as unit:
        case = await numbered(unit, number_of(request), me(request))
        one = await detail(unit, case.id or 0, me(request))
        offered = await _to_choose_from(request, unit, move, case, one)
    facts = {
        "one": one, "row": one.row, "move": move, "label": move_label(move), "needs": set(MOVES[move].needs),
        "tried": tried, "values": tried.values, "problems": tried.problems, "base": f"/cases/{case.number}",
        "next": local_path(tried.values.get("next") or request.query_params.get("next", ""), f"/cases/{case.number}"),
        "standing": _standing(one, move),
        "solved": [(one.value, _(word)) for one, word in SOLVED_WORDS.items()],
        "satisfied": [(str(n), f"{n} {_(word)}") for n, word in SATISFIED_WORDS.items()],
        "refusals": [(reason, _(reason)) for reason in REFUSALS], "w": words.tools(), "classes": words.classes(),
        **offered,
    }  # fmt: skip
    part = "form" if request.headers.get("x-panel") == "side" else ""
    return await render(request, "cases/move.html", facts, status, part=part)


def _standing(one: Detail, move: Move) -> list[str]:
    """Why not, whatever is typed; one sentence for a move that is not for this state or this person at all."""
    known = next((offer.reasons for offer in one.moves if offer.move is move), None)
    words_for = {"state": one.row.state_label, "move": move_label(move)}
    return [_("状态为「%(state)s」，您现在不能%(move)s", **words_for)] if known is None else known


def _move(request: Request) -> Move:
    name = request.path_params["move"]
    if name not in Move.__members__ or Move(name) in REPLY_MOVES | BY_THE_HUB:
        raise NotFound(_("没有这个页面，或者您无权查看。"))
    return Move(name)


async def _to_choose_from(request: Request, unit: Unit, move: Move, case: Case, one: Detail) -> dict[str, Any]:
    """Departments with the suggested ones first, people, cases to join, and when clocks would ring."""
    actor, needs = me(request), MOVES[move].needs
    departments = await choices.departments(unit, actor, move, case) if move in (*SENDS, Move.hand_back) else []
    suggested = {found.department_id for found in one.suggestions}
    return {
        "suggested": [(found.department_id, found.department + aside(found.why)) for found in one.suggestions],
        "departments": [choice for choice in departments if choice[0] not in suggested or move not in SENDS],
        "people": await choices.handlers(unit, case.department_id) if Need.person in needs else [],
        "alike": await similar.still_open(unit, case.id or 0, actor) if Need.into in needs else [],
        "clocks": choices.clocks_from_now(unit, case) if move in SENDS else None,
    }


async def make(request: Request) -> Response:
    """Make the move."""
    form, move, actor = await read_form(request), _move(request), me(request)
    try:
        version, note = form.number("version"), _note(form, move)
        async with writing(request) as unit:
            case = await numbered(unit, number_of(request), actor)
            given = await _given(unit, form, move)
            form.check()
            await make_move(unit, case.id or 0, move, actor, version=version, note=note, **given)
            stays = await is_visible(unit, case.id or 0, actor)
    except Stale as error:
        return await _form(request, Tried(form.values, error.reasons, {}, is_stale=True), 409)
    except Refused as error:
        return await _form(request, Tried(form.values, error.reasons, {}), 409)
    except Invalid as error:
        return await _form(request, Tried(form.values, [], error.problems), 422)
    here = local_path(form.raw("next"), f"/cases/{number_of(request)}")
    done = _("%(number)s：%(move)s，已办好。", number=number_of(request), move=move_label(move))
    return redirect(request, here if stays else "/cases", done)


def _note(form: Form, move: Move) -> str:
    """The note as it is kept: a reason chosen from a list stands before what was typed beside it."""
    typed = form.text("note", required=False, longest=5000)
    if move is Move.refuse:
        chosen = form.text("refusal", required=False)
        return "：".join(part for part in (chosen if chosen in REFUSALS else "", typed) if part)
    if move is Move.hand_back:
        basis = form.text("basis", longest=500)
        return "\n".join(part for part in (_("依据：%(basis)s", basis=basis) if basis else "", typed) if part)
    return typed


async def _given(unit: Unit, form: Form, move: Move) -> Choices:
    """What the move asks for besides the note, as far as it was filled in; the service says what is missing."""
    given: Choices = {}
    needs = MOVES[move].needs
    if Need.department in needs or move is Move.hand_back:
        given["department_id"] = form.number("department_id", required=False) or None
    if Need.person in needs:
        given["person_id"] = form.number("person_id", required=False) or None
    if Need.until in needs:
        given["until"] = form.moment("until", required=False)
    if Need.urgency in needs:
        chosen = form.text("urgency", required=False)
        given["urgency"] = CaseClass(chosen) if chosen in CaseClass.__members__ else None
    if move is Move.close:
        given["rating"] = rating_of(form.raw("solved"), form.raw("satisfied"))
    if Need.into in needs:
        typed = form.text("into", required=False, longest=32)
        given["into_id"] = await choices.case_id_of(unit, typed or form.text("into_one", required=False, longest=32))
    return given


ROUTES = [
    PageRoute("/cases/{number}/moves/{move}", ask, ACTS),
    PageRoute("/cases/{number}/moves/{move}", make, ACTS, ("POST",)),
]
