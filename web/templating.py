"""Templates: one environment, what every page needs around it, whole pages or one region of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, Undefined
from jinja2.utils import missing
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hub import clock, i18n
from hub.i18n import _, ngettext
from hub.people import Identity
from hub.rights import Actor, May
from web import csrf, flashes
from web.nav import places
from web.request import house, identity
from web.signals import signals

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
URL_SAFE = ":/%#?=@[]!$&'()*+,;"


class Absent(Undefined):
    """Strict for names and attributes; only a key missing from a dict counts as empty, because components take
    dicts with optional keys."""

    def __new__(cls, hint: str | None = None, obj: Any = missing, name: str | None = None, *more: Any) -> Any:
        """The undefined value that fits where it came from."""
        kind = Undefined if isinstance(obj, Mapping) else StrictUndefined
        return kind(hint, obj, name, *more)


@dataclass(frozen=True, slots=True)
class Me:
    """The person as templates see them. ``can('dispatch')`` asks for a right by name."""

    id: int | None
    name: str
    username: str
    department: str
    initials: str
    actor: Actor

    def can(self, right: str) -> bool:
        """Whether the person has the right of this name."""
        return self.actor.can(May(right))


def iso(moment: datetime) -> str:
    """For the ``datetime`` attribute."""
    return clock.local(moment).isoformat(timespec="seconds")


def ago(moment: datetime) -> str:
    """Relative under a day, then day and time; the page script keeps it fresh."""
    seconds = (clock.now() - moment).total_seconds()
    if abs(seconds) >= 86400:
        return i18n.moment(moment)
    if abs(seconds) < 60:
        return _("刚刚")
    amount = int(abs(seconds) // 60)
    if amount < 60:
        return _minutes(amount, seconds < 0)
    return _hours(amount // 60, seconds < 0)


def _minutes(n: int, ahead: bool) -> str:
    if ahead:
        return ngettext("%(n)s 分钟后", "%(n)s 分钟后", n)
    return ngettext("%(n)s 分钟前", "%(n)s 分钟前", n)


def _hours(n: int, ahead: bool) -> str:
    if ahead:
        return ngettext("%(n)s 小时后", "%(n)s 小时后", n)
    return ngettext("%(n)s 小时前", "%(n)s 小时前", n)


def as_errors(problems: Mapping[str, str]) -> list[dict[str, str]]:
    """Problems by field, as the macro ``error_summary`` takes them."""
    return [{"id": field, "text": text} for field, text in problems.items()]


@lru_cache(maxsize=1)
def _stamp() -> str:
    note = STATIC / ".stamp"
    return note.read_text()[:12] if note.is_file() else "0"


def static(name: str) -> str:
    """The address of a built file; changes with its content, so that browsers may keep it for ever."""
    return f"/static/{name}?v={_stamp()}"


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The one environment. Escaping is always on."""
    env = Environment(
        loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=Absent, auto_reload=False,
        extensions=["jinja2.ext.i18n"], cache_size=-1,
    )  # fmt: skip
    env.filters.update(
        moment=i18n.moment, day=i18n.day, exact=i18n.exact, ago=ago, iso=iso, number=i18n.number, percent=i18n.percent,
        as_errors=as_errors, said=i18n.said, listed=i18n.listed, sentences=i18n.sentences, aside=i18n.aside,
        room=i18n.room, span=i18n.span, weekday=lambda value: i18n.day(value, weekday=True),
    )  # fmt: skip
    install: Any = getattr(env, "install_gettext_callables")  # noqa: B009 -- added by the extension, unknown to types
    install(i18n.gettext, i18n.ngettext, newstyle=True)
    env.globals.update(gettext=_told, ngettext=_counted, static=static, number=i18n.number)
    return env


def _told(source: str, /, **values: object) -> Markup:
    """A text for templates: values are escaped."""
    return Markup(i18n.filled(i18n.gettext(source), {name: escape(value) for name, value in values.items()}))  # noqa: S704


def _counted(one: str, many: str, count: int, /, **values: object) -> Markup:
    """Plural forms for templates: values are escaped, ``%(n)s`` is the count."""
    return Markup(ngettext(one, many, count, **{name: escape(value) for name, value in values.items()}))  # noqa: S704


def surroundings(request: Request) -> dict[str, Any]:
    """What the shell of every page needs. Names a page gives itself win."""
    who, settings = identity(request), house(request).ctx.settings
    language = i18n.language()
    return {
        "request": request,
        "site": settings.office_name or _("政声"),
        "lang": language.replace("_", "-"),
        "languages": [
            {"code": code, "name": name, "current": code == language} for code, name in i18n.LANGUAGES.items()
        ],
        "theme": (who.theme if who else "") or "light",
        "csrf": csrf.token(request),
        "me": _me(who),
        "me_links": _links(who),
        "here": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        "demo": settings.demo,
        "rail_pinned": request.cookies.get("rail") == "pinned",
        "search_url": "/search",
        "events_url": "/events",
        "live_at": getattr(request.state, "live_at", None),
        "query": request.query_params.get("q", "")[:200],
        **dict.fromkeys(("nav", "banners", "crumbs", "keys", "flashes"), ()),
        **dict.fromkeys(("duty", "bell", "pause"), None),
        **dict.fromkeys(("item_open", "list_href", "aside_title"), ""),
    }


def _me(who: Identity | None) -> Me | None:
    if who is None:
        return None
    actor = who.actor
    # Chinese given names tell people apart better than surnames: the last character, or the first letter.
    mark = actor.name[:1].upper() if actor.name.isascii() else actor.name[-1:]
    return Me(actor.user_id, actor.name, who.username, who.department, mark, actor)


def _links(who: Identity | None) -> list[dict[str, str]]:
    if who is None:
        return []
    links = [{"text": _("我的设置"), "href": "/me", "icon": "user"}]
    if who.actor.can(May.use_api):
        links.append({"text": _("接口令牌"), "href": "/me/tokens", "icon": "key"})
    return links


async def render(
    request: Request, name: str, context: Mapping[str, Any] | None = None, status: int = 200, *, part: str = ""
) -> Response:
    """A whole page, or with ``part`` only the block of that name (for htmx and live regions).

    ``context`` wins over the surroundings. A whole page gets the rail with its badges; a part does not pay
    for it.
    """
    around = surroundings(request)
    template = environment().get_template(name)
    if part:
        text = _block(template, {**around, **(context or {})}, part)
    else:
        around["nav"] = await places(request)
        around.update(await signals(request))
        around["flashes"] = flashes.shown(request)
        text = template.render({**around, **(context or {})})
    response = HTMLResponse(text, status)
    csrf.keep(request, response)
    if not part:
        flashes.clear(request, response)
    return response


def _block(template: Template, context: Mapping[str, Any], name: str) -> str:
    """One block alone. The root function is run up to its first output, so that imports of the template stand."""
    inside = template.new_context(dict(context))
    next(iter(template.root_render_func(inside)), None)
    return "".join(inside.blocks[name][0](inside))


def part_of(request: Request, *known: str) -> str:
    """The part asked for by ``?part=``, when it is one of ``known``; else empty: the whole page."""
    wanted = request.query_params.get("part", "")
    return wanted if wanted in known else ""


def redirect(request: Request, to: str, said: str = "", *, kind: str = "", undo: str = "") -> Response:
    """Go on to a local address after a write, with a short word shown there. For htmx, the page is changed whole."""
    if request.headers.get("hx-request") == "true":
        response: Response = Response(status_code=204, headers={"HX-Redirect": quote(to, safe=URL_SAFE)})
    else:
        response = RedirectResponse(to, 303)
    if said:
        flashes.put(request, response, said, kind, undo)
    return response


def toast(
    response: Response, text: str, *, kind: str = "", undo: str = "", reasons: list[str] | None = None
) -> Response:
    """Add a short word to a fragment's answer; shown by the page script."""
    said = {"text": text, "kind": kind, "undo_url": undo, "list": reasons or []}
    response.headers["HX-Trigger"] = json.dumps({"toast": said})
    return response
