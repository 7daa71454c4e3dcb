"""The page at ``/``: a person plays a follower and the platform's back office. Works without scripts."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import nh3
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from connectors.moments import BEIJING
from connectors.wechat.simulator import articles
from connectors.wechat.simulator.pushing import Pushing, is_open, unfollow
from connectors.wechat.simulator.world import Official, World, new_official

HERE = Path(__file__).parent
STYLE = HERE.parent.parent / "sandbox" / "server" / "page.css"
SHOWN = 60
_pages = Environment(loader=FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True)
_PICTURE = re.compile(r"https?://mmbiz\.qpic\.cn/([\w-]+)/0\?wx_fmt=\w+")
SETTINGS = {"review": int, "mode": str, "push_url": str, "protected": bool, "comments": bool, "certified": bool}


def routes() -> list[Route]:
    """The routes of the page."""
    acts: dict[str, Act] = {
        "account": say_account, "message": say_message, "leave": say_leave, "comment": say_comment,
        "takedown": say_takedown, "mass": say_mass, "settings": say_settings,
    }  # fmt: skip
    forms = [Route(f"/say/{name}", _form(act), methods=["POST"]) for name, act in acts.items()]
    return [Route("/", home), Route("/page.css", style), Route("/pictures/{name}", picture), *forms]


async def style(request: Request) -> Response:
    """The sandbox's style sheet; pictures of articles keep within their column."""
    return Response(f"{STYLE.read_text('utf-8')}\nimg{{max-width:100%;height:auto}}", media_type="text/css")


async def picture(request: Request) -> Response:
    """A picture that was uploaded."""
    found = request.app.state.world.media.get(request.path_params["name"])
    if found is None:
        return Response("", 404)
    kind = "jpeg" if found["kind"] == "jpg" else found["kind"]
    return Response(bytes.fromhex(found["hex"]), media_type=f"image/{kind}")


async def home(request: Request) -> Response:
    """The conversations, the articles and the back office of one account."""
    world: World = request.app.state.world
    chosen = world.officials.get(request.query_params.get("app", "")) or next(iter(world.officials.values()), None)
    return HTMLResponse(
        _pages.get_template("page.html").render(
            officials=list(world.officials.values()),
            chosen=chosen,
            author=request.query_params.get("author", "")[:30],
            talks=_talks(world, chosen) if chosen else [],
            articles=_articles(world, chosen) if chosen else [],
            masses=[(n, m) for n, m in world.masses.items() if chosen and m["app"] == chosen.app][::-1],
            pushes=[p for p in world.pushes if chosen and p["app"] == chosen.app][-8:][::-1],
            when=_when,
        ),
        headers={"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:"},
    )


def _talks(world: World, official: Official) -> list[dict[str, Any]]:
    talks = []
    for citizen in world.citizens.values():
        says = [s for s in world.says if s["app"] == official.app and s.get("openid") == citizen.openid][-SHOWN:]
        if says:
            talks.append({"citizen": citizen, "says": says, "open": is_open(world, citizen)})
    return sorted(talks, key=lambda talk: -talk["says"][-1]["at"])


def _articles(world: World, official: Official) -> list[dict[str, Any]]:
    found = [(key, row) for key, row in world.articles.items() if row["app"] == official.app]
    return [
        {
            "id": key, **row, "first": row["news_item"][0], "content": _shown(row["news_item"][0]["content"]),
            "comments": [c for c in world.comments if c["msg_data_id"] == row["msg_data_id"]],
        }
        for key, row in sorted(found, key=lambda one: -one[1]["update_time"])
    ]  # fmt: skip


def _shown(content: str) -> Markup:
    """An article as its reader sees it, its pictures from here."""
    local = _PICTURE.sub(lambda found: f"/pictures/{found[1]}", content)
    return Markup(nh3.clean(local, tags={"p", "br", "strong", "em", "img"}, attributes={"img": {"src", "alt"}}))  # noqa: S704


def _when(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone(BEIJING):%m-%d %H:%M:%S}"


Form = dict[str, str]
Act = Callable[[World, Pushing, Form], None]


def _form(act: Act) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
        world: World = request.app.state.world
        if act is say_account or form.get("app") in world.officials:
            act(world, request.app.state.pushing, form)
            world.keep()
        back = urlencode({"app": form.get("app", ""), "author": form.get("author", "")})
        return RedirectResponse(f"/?{back}", 303)

    return answer


def say_account(world: World, pushing: Pushing, form: Form) -> None:
    """A new official account."""
    made = new_official(form.get("name", "").strip()[:30] or "临江发布")
    world.officials[made.app] = made
    form["app"] = made.app


def say_message(world: World, pushing: Pushing, form: Form) -> None:
    """A follower writes."""
    official = world.officials[form["app"]]
    citizen = world.citizen(official.app, form.get("author", "").strip()[:30] or "热心市民")
    citizen.follows = True
    if form.get("text", "").strip():
        pushing.message(official, citizen, form["text"][:20_000])


def say_leave(world: World, pushing: Pushing, form: Form) -> None:
    """A follower leaves."""
    official = world.officials[form["app"]]
    unfollow(world, pushing, official, world.citizen(official.app, form.get("openid", "")))


def say_comment(world: World, pushing: Pushing, form: Form) -> None:
    """A reader comments on an article."""
    if form.get("text", "").strip():
        citizen = world.citizen(form["app"], form.get("author", "").strip()[:30] or "热心市民")
        made = {"msg_data_id": form.get("article", ""), "user_comment_id": world.next(), "openid": citizen.openid,
                "create_time": int(world.now()), "content": form["text"][:2000], "comment_type": 0}  # fmt: skip
        world.comments.append(made)


def say_takedown(world: World, pushing: Pushing, form: Form) -> None:
    """The platform takes an article down."""
    if form.get("article", "") in world.articles:
        articles.take_down(world, form["article"], "system")


def say_mass(world: World, pushing: Pushing, form: Form) -> None:
    """The administrator confirms or refuses a mass message."""
    if form.get("mass", "") in world.masses:
        pushing.end_mass(form["mass"], "err(40001)" if form.get("refused") else "")


def say_settings(world: World, pushing: Pushing, form: Form) -> None:
    """The back office of an account."""
    official = world.officials[form["app"]]
    for name, kind in SETTINGS.items():
        value = form.get(name, "")
        if kind is int:
            setattr(official, name, int(value) if value in ("0", "2", "3", "4") else 0)
        else:
            setattr(official, name, kind(value.strip()))
