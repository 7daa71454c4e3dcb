"""The letter pages citizens see: writing, the query code, following a letter; and the files for those who handle it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from hub import clock
from hub.errors import Invalid, NotFound, Refused
from hub.i18n import _
from web import security
from web.auth import Brake
from web.faults import TooMany
from web.forms import Form, read_form
from web.request import fields, house, looking, me, neighbourhood, writing
from web.routes.table import Door, Gate, PageRoute
from web.templating import render
from workflows.cases.rating import SATISFIED_WORDS, SOLVED_WORDS, Solved, rating_of
from workflows.intake import files as kept
from workflows.intake.files import MOST_BYTES, MOST_TOGETHER, Sent
from workflows.letters import following
from workflows.letters import writing as letters
from workflows.letters.files import MOST_FILES, too_much
from workflows.letters.pages import LetterPage, page, pages
from workflows.letters.tickets import new_ticket

QUERY = "query"
# Photos of telephones are soon too large together: that is said on the form, with everything typed still in it.
MOST_MB = 64


async def show(request: Request) -> Response:
    """The empty form of one page."""
    async with looking(request) as unit:
        found = await page(house(request), unit, request.path_params["slug"])
    return await _form(request, found, {})


async def _form(
    request: Request, found: LetterPage, values: dict[str, str], problems: dict[str, str] | None = None,
    refused: list[str] | None = None, ticket: str = "", status: int = 200,
) -> Response:  # fmt: skip
    key = house(request).ctx.settings.key
    facts = {
        "page": found, "values": values, "problems": problems or {}, "refused": refused or [],
        "ticket": ticket or new_ticket(key, found.slug, clock.now()), "had_files": bool(values.get("had_files")),
        "most_files": MOST_FILES, "most_mb": MOST_BYTES // 1024**2, "together_mb": MOST_TOGETHER // 1024**2,
    }  # fmt: skip
    captcha = _captcha(request)
    response = await render(request, "letters/write.html", facts | {"captcha": captcha}, status)
    return _framed(response, found.embed, captcha)


def _captcha(request: Request) -> dict[str, str]:
    """The captcha service's script, element and key; empty where none is set."""
    settings = house(request).ctx.settings
    if not settings.captcha_script:
        return {}
    return {"script": settings.captcha_script, "class": settings.captcha_class, "key": settings.captcha_key}


async def write(request: Request) -> Response:
    """Take the letter and show its query code; the form again with everything typed when something is wrong."""
    async with looking(request) as unit:
        found = await page(house(request), unit, request.path_params["slug"])
    form = await read_form(request)
    values = form.values | ({"had_files": "1"} if await _sent(request) else {})
    try:
        receipt = await letters.write(
            house(request), found, await _draft(request, form), address=neighbourhood(request)
        )
    except Invalid as error:
        return await _form(request, found, values, dict(error.problems), ticket=form.raw("ticket"), status=422)
    except Refused as error:
        return await _form(request, found, values, refused=list(error.reasons), status=422)
    facts = {"page": found, "receipt": receipt}
    return _framed(await render(request, "letters/written.html", facts), found.embed)


async def _draft(request: Request, form: Form) -> letters.Draft:
    return letters.Draft(
        ticket=form.raw("ticket"), kind=form.raw("kind"), title=form.raw("title"), text=_lines(form.raw("text")),
        name=form.raw("name"), phone=form.raw("phone"), place=form.raw("place"), agreed=form.ticked("agreed"),
        trap=form.raw("website"), files=await _files(request),
        proof=form.raw(house(request).ctx.settings.captcha_field),
    )  # fmt: skip


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


async def _files(request: Request) -> list[Sent]:
    """Every file that was chosen, read into memory where they are not too many or too large together."""
    sent = await _sent(request)
    if problem := too_much([one.size or 0 for one in sent]):
        raise Invalid({"files": problem})
    return [Sent(one.filename or "", await one.read()) for one in sent]


async def _sent(request: Request) -> list[UploadFile]:
    found = (await fields(request)).getlist("files")
    return [one for one in found if isinstance(one, UploadFile) and one.filename]


async def show_query(request: Request) -> Response:
    """Where the query code is typed in; the pages one can write on."""
    return await _query(request)


async def _query(request: Request, typed: str = "", problem: str = "", status: int = 200) -> Response:
    async with looking(request) as unit:
        open_pages = await pages(house(request), unit)
    facts = {"typed": typed, "problem": problem, "pages": open_pages}
    return _framed(await render(request, "letters/query.html", facts, status), _embed(open_pages))


async def query(request: Request) -> Response:
    """The letter of a query code. Guessing is slow: few tries per address, and all alike."""
    form = await read_form(request)
    typed, who = form.raw("code")[:40], neighbourhood(request)
    brake: Brake = request.app.state.letter_brake
    try:
        await brake.press(who)
        response = await _letter(request, typed)
    except (NotFound, TooMany) as error:
        return await _refused(request, typed, error)
    await brake.forgive(who)
    return response


async def _refused(request: Request, typed: str, error: NotFound | TooMany) -> Response:
    """The query page with the reason: it stands in the frame of the office's site as well."""
    if isinstance(error, NotFound):
        return await _query(request, typed, str(error), 422)
    response = await _query(request, typed, str(error), error.status)
    response.headers["Retry-After"] = str(error.wait)
    return response


async def _letter(request: Request, typed: str, *, form: Form | None = None, **said: Any) -> Response:
    found = house(request)
    async with looking(request) as unit:
        letter = await following.find(found, unit, typed)
        standing = await following.standing(unit, letter)
        open_pages = await pages(found, unit)
    facts = {
        "standing": standing, "code": following.plain_code(typed), "values": form.values if form else {},
        "ticket": new_ticket(found.ctx.settings.key, QUERY, clock.now()), "solved": _solved(), "most_files": MOST_FILES,
        "satisfied": [(str(n), _(word)) for n, word in SATISFIED_WORDS.items()], "most_mb": MOST_BYTES // 1024**2,
        "together_mb": MOST_TOGETHER // 1024**2,
        "problems": said.get("problems") or {}, "refused": said.get("refused") or [], "done": said.get("done", ""),
    }  # fmt: skip
    response = await render(request, "letters/letter.html", facts, said.get("status", 200))
    return _framed(response, _embed(open_pages))


def _solved() -> list[tuple[str, str]]:
    return [(one.value, _(SOLVED_WORDS[one])) for one in (Solved.yes, Solved.partly, Solved.no)]


async def add(request: Request) -> Response:
    """A supplement to the letter of the code."""

    async def act(form: Form) -> str:
        async with writing(request) as unit:
            letter = await following.find(house(request), unit, form.raw("code"))
            files = await _files(request)
            await letters.add(house(request), unit, letter, form.raw("ticket"), _lines(form.raw("text")), files)
        return _("补充的内容已收到。")

    return await _act(request, act)


async def rate(request: Request) -> Response:
    """What the citizen says of the answer."""

    async def act(form: Form) -> str:
        rating = rating_of(form.raw("solved"), form.raw("satisfied"))
        if rating is None or rating.solved is Solved.unreached:
            raise Invalid({"solved": _("请选择问题是否解决。")})
        async with writing(request) as unit:
            letter = await following.find(house(request), unit, form.raw("code"))
            await following.rate(unit, letter, rating, form.raw("note"))
        return _("谢谢您的评价。")

    return await _act(request, act)


async def _act(request: Request, act: Any) -> Response:
    """Do something to the letter of the code, then show it; a wrong code counts against the address."""
    form, who = await read_form(request), neighbourhood(request)
    brake: Brake = request.app.state.letter_brake
    try:
        await brake.press(who)
        async with looking(request) as unit:
            await following.find(house(request), unit, form.raw("code"))
        await brake.forgive(who)
        done = await act(form)
    except (NotFound, TooMany) as error:
        return await _refused(request, form.raw("code")[:40], error)
    except Invalid as error:
        return await _letter(request, form.raw("code"), form=form, problems=dict(error.problems), status=422)
    except Refused as error:
        return await _letter(request, form.raw("code"), form=form, refused=list(error.reasons), status=422)
    return await _letter(request, form.raw("code"), done=done)


async def file(request: Request) -> Response:
    """A file of a letter, for whoever may see its message: never run by a browser, pictures shown as pictures."""
    async with looking(request) as unit:
        found = await kept.file_of(unit, me(request), request.path_params["file_id"])
    shown = "inline" if found.is_picture else "attachment"
    headers = {
        "Content-Disposition": f"{shown}; filename*=UTF-8''{found.quoted_name}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(found.data, media_type=found.mime, headers=headers)


def _embed(open_pages: list[LetterPage]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(site for one in open_pages for site in one.embed))


def _framed(response: Response, sites: tuple[str, ...], captcha: Mapping[str, str] | None = None) -> Response:
    """Let the office's own sites frame the page (browsers then pass over X-Frame-Options), and the captcha service's
    script run on it, where one is set."""
    policy = security.CSP
    if sites:
        policy = policy.replace("frame-ancestors 'none'", " ".join(("frame-ancestors 'self'", *sites)))
    if captcha:
        parts = urlsplit(captcha["script"])
        host = f"{parts.scheme}://{parts.netloc}"
        for name in ("script-src", "style-src", "connect-src"):
            policy = policy.replace(f"{name} 'self'", f"{name} 'self' {host}")
        policy += f"; frame-src {host}"
    if policy != security.CSP:
        response.headers["Content-Security-Policy"] = policy
    return response


ROUTES = [
    PageRoute("/letters/query", show_query, Gate.public, door=Door.citizen),
    PageRoute("/letters/query", query, Gate.public, ("POST",), Door.citizen),
    PageRoute("/letters/query/add", add, Gate.public, ("POST",), Door.citizen, upload=True, most_mb=MOST_MB),
    PageRoute("/letters/query/rate", rate, Gate.public, ("POST",), Door.citizen),
    PageRoute("/letters/files/{file_id:int}", file, Gate.signed_in),
    PageRoute("/letters/{slug}", show, Gate.public, door=Door.citizen),
    PageRoute("/letters/{slug}", write, Gate.public, ("POST",), Door.citizen, upload=True, most_mb=MOST_MB),
]
