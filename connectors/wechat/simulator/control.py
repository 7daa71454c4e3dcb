"""The control API: what a test or a person does behind the platform's back. JSON in, JSON out."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.wechat.simulator import articles
from connectors.wechat.simulator.pushing import Pushing, unfollow
from connectors.wechat.simulator.world import Official, Refusal, World, new_official

Act = Callable[[World, Pushing, dict[str, Any]], Awaitable[Any]]
FAULTS = ("drop", "html", "code", "status", "delay")


def routes() -> list[Route]:
    """Every control call."""
    posts: dict[str, Act] = {
        "reset": reset, "accounts": account, "messages": message, "events": event, "unfollow": leave,
        "comments": comment, "comments/clear": no_comments, "takedown": take_down, "mass": mass,
        "faults": fault, "clock": clock, "challenge": challenge, "revoke": revoke, "figures": figures,
    }  # fmt: skip
    gets: dict[str, Act] = {"state": state}
    return [Route(f"/control/{name}", _answered(act), methods=["POST"]) for name, act in posts.items()] + [
        Route(f"/control/{name}", _answered(act), methods=["GET"]) for name, act in gets.items()
    ]


def _answered(act: Act) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        world, pushing = request.app.state.world, request.app.state.pushing
        try:
            body = await request.body()
            values = json.loads(body) if body else dict(request.query_params)
            return JSONResponse({"ok": True, **(await act(world, pushing, values) or {})})
        except Refusal as refusal:
            return JSONResponse({"ok": False, "error": refusal.text}, 404)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            return JSONResponse({"ok": False, "error": f"{type(error).__name__}: {error}"}, 400)
        finally:
            world.keep()

    return endpoint


async def reset(world: World, pushing: Pushing, values: dict[str, Any]) -> None:
    """Empty everything."""
    fresh = World(world.path)
    for one in fields(World):
        setattr(world, one.name, getattr(fresh, one.name))


async def account(world: World, pushing: Pushing, values: dict[str, Any]) -> dict[str, Any]:
    """Make an account, or change the one with this ``app`` (or, without it, of this name)."""
    known = next((o for o in world.officials.values() if values.get("app") == o.app), None)
    if known is None and "app" not in values:
        known = next((o for o in world.officials.values() if values.get("name") == o.name), None)
    allowed = {one.name for one in fields(Official)}
    if unknown := set(values) - allowed:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    if known is None:
        known = new_official(values.pop("name", "") or "公众号", **values)
        world.officials[known.app] = known
    for name, value in values.items():
        setattr(known, name, value)
    return {"account": asdict(known)}


async def message(world: World, pushing: Pushing, values: dict[str, Any]) -> dict[str, Any]:
    """A citizen writes ``text`` (``count`` times); further values go into the push (``MsgType``, ``PicUrl`` …)."""
    official = world.official(values.pop("app"))
    citizen = world.citizen(official.app, values.pop("author", "") or "热心市民")
    text, count = str(values.pop("text", "")), int(values.pop("count", 1))
    ids = [pushing.message(official, citizen, text.replace("{n}", str(n)), **dict(values)) for n in range(1, count + 1)]
    return {"ids": ids, "openid": citizen.openid}


async def event(world: World, pushing: Pushing, values: dict[str, Any]) -> None:
    """Any event by hand: ``event`` and further values."""
    official = world.official(values.pop("app"))
    citizen = world.citizen(official.app, values.pop("author", "") or "热心市民")
    pushing.event(official, citizen.openid, values.pop("event"), **values)


async def leave(world: World, pushing: Pushing, values: dict[str, Any]) -> None:
    """A citizen stops following."""
    official = world.official(values["app"])
    unfollow(world, pushing, official, world.citizen(official.app, values["author"]))


async def comment(world: World, pushing: Pushing, values: dict[str, Any]) -> dict[str, Any]:
    """Citizens comment on the article with this ``msg_data_id``; ``seconds_ago`` moves the time."""
    ids = []
    for n in range(1, int(values.get("count", 1)) + 1):
        made = {
            "msg_data_id": str(values["msg_data_id"]), "user_comment_id": world.next(),
            "create_time": int(world.now() - float(values.get("seconds_ago", 0)) + n * int(values.get("step", 0))),
            "content": str(values["text"]).replace("{n}", str(n)), "comment_type": 0,
        }  # fmt: skip
        if values.get("openid"):
            made["openid"] = values["openid"]
        world.comments.append(made)
        ids.append(str(made["user_comment_id"]))
    return {"ids": ids}


async def no_comments(world: World, pushing: Pushing, values: dict[str, Any]) -> None:
    """Their authors take every comment back."""
    world.comments.clear()


async def take_down(world: World, pushing: Pushing, values: dict[str, Any]) -> None:
    """The platform takes an article down."""
    if values["article_id"] not in world.articles:
        raise Refusal(53600, "no such article")
    articles.take_down(world, values["article_id"], "system")


async def mass(world: World, pushing: Pushing, values: dict[str, Any]) -> None:
    """The administrator confirms a mass message, or refuses it (``refused``: the platform's word)."""
    if values["msg_id"] not in world.masses:
        raise Refusal(40035, "no such message")
    pushing.end_mass(values["msg_id"], str(values.get("refused") or ""))


async def fault(world: World, pushing: Pushing, values: dict[str, Any]) -> None:
    """Set a fault: ``path`` (prefix), ``kind``, ``when`` (before, after), ``count``, ``code``, ``seconds``."""
    if values.get("kind") not in FAULTS:
        raise ValueError(f"kind must be one of {', '.join(FAULTS)}")
    world.faults.append({"path": "/cgi-bin/", **values})


async def clock(world: World, pushing: Pushing, values: dict[str, Any]) -> dict[str, Any]:
    """Move the platform's clock by ``seconds``."""
    world.offset += float(values["seconds"])
    return {"now": world.now()}


async def challenge(world: World, pushing: Pushing, values: dict[str, Any]) -> dict[str, Any]:
    """Check the push address of an account."""
    return {"ok": await pushing.challenge(world.official(values["app"]))}


async def revoke(world: World, pushing: Pushing, values: dict[str, Any]) -> None:
    """All tokens of an account die at once."""
    for token in world.tokens.values():
        if token.app == values["app"]:
            token.ends_at = 0


async def figures(world: World, pushing: Pushing, values: dict[str, Any]) -> None:
    """How an article did."""
    world.articles[values["article_id"]] |= {"reads": values.get("reads", 0), "shares": values.get("shares", 0)}


async def state(world: World, pushing: Pushing, values: dict[str, Any]) -> dict[str, Any]:
    """Everything, without pictures and keys."""
    named = ("citizens", "says", "drafts", "jobs", "masses", "articles", "comments", "pushes", "calls")
    found = {name: getattr(world, name) for name in named}
    found["citizens"] = {key: asdict(value) for key, value in world.citizens.items()}
    found["media"] = {key: value["kind"] for key, value in world.media.items()}
    found["accounts"] = [{"app": o.app, "name": o.name, "gh": o.gh} for o in world.officials.values()]
    return found
