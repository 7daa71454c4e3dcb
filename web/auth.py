"""From a cookie or a bearer token to a person; the session cookie; where to go after sign-in; slowing down guessing."""

from __future__ import annotations

import time
from collections import OrderedDict
from datetime import timedelta

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub import clock, i18n
from hub.db import reading, unit_of_work
from hub.people import Identity, sessions, tokens
from hub.settings import Settings
from web.faults import TooMany
from web.request import address, house
from workflows.tally import Tally

COOKIE, LANGUAGE_COOKIE = "hub_session", "hub_language"
# Served without asking who it is.
ANONYMOUS = ("/static/", "/hooks/", "/healthz", "/readyz", "/metrics", "/favicon.ico")
# Asked by open pages on their own: no sign of a person.
IDLE = ("/events", "/poll")
BACKGROUND_HEADER = "x-background"


class Identify:
    """Puts ``identity`` and ``actor`` on the request's state and sets the language of the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        who = None if request.url.path.startswith(ANONYMOUS) else await _who(request)
        request.state.identity = who
        request.state.actor = who.actor if who else None
        settings = house(request).ctx.settings
        i18n.use(_language(request, who, settings))

        async def send_saying_language(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Language", i18n.language().replace("_", "-"))
                headers.add_vary_header("Accept-Language, Cookie")
            await send(message)

        await self.app(scope, receive, send_saying_language)


def _language(request: HTTPConnection, who: Identity | None, settings: Settings) -> str:
    chosen = (who.actor.language if who else "") or request.cookies.get(LANGUAGE_COOKIE, "") or settings.language
    return chosen if chosen in i18n.LANGUAGES else i18n.choose(request.headers.get("accept-language", ""))


async def _who(request: HTTPConnection) -> Identity | None:
    authorization = request.headers.get("authorization", "")
    if authorization[:7].lower() == "bearer " and request.url.path.startswith("/api/"):
        return await _by_token(request, authorization[7:].strip())
    token = request.cookies.get(COOKIE, "")
    return await _by_session(request, token) if token else None


async def _by_token(request: HTTPConnection, text: str) -> Identity | None:
    ctx = house(request).ctx
    async with reading(ctx) as unit:
        found = await tokens.resolve(unit, text, address(request))
    if found is None:
        return None
    who, stale = found
    if stale:
        async with unit_of_work(ctx) as unit:
            await tokens.touch(unit, text)
    return who


async def _by_session(request: HTTPConnection, token: str) -> Identity | None:
    ctx = house(request).ctx
    async with reading(ctx) as unit:
        found = await sessions.resolve(unit, token, address(request))
    if found is None:
        return None
    who, seen_at = found
    often = min(sessions.TOUCH_EVERY, timedelta(minutes=ctx.settings.idle_minutes) / 4)
    by_itself = request.url.path in IDLE or request.headers.get(BACKGROUND_HEADER) == "1"
    if not by_itself and clock.now() - seen_at > often:
        async with unit_of_work(ctx) as unit:
            await sessions.touch(unit, who.sign_in_id or 0)
    return who


def set_session(response: Response, settings: Settings, token: str) -> None:
    """The cookie of a new session. It ends with the browser; the server ends it earlier when nobody is there."""
    response.set_cookie(COOKIE, token, httponly=True, samesite="lax", secure=settings.cookie_secure, path="/")


def drop_session(response: Response, settings: Settings) -> None:
    """Take the cookie away."""
    response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=settings.cookie_secure, path="/")


def local_path(wanted: str, fallback: str = "/") -> str:
    """``wanted`` when it is a path of ours, else ``fallback``: a link must not lead elsewhere after sign-in."""
    elsewhere = not wanted.startswith("/") or wanted.replace("\\", "/").startswith("//")
    return fallback if elsewhere or any(ord(c) < 33 for c in wanted) or wanted.startswith("/login") else wanted


class Brake:
    """Failures per address within a window, for a bounded number of addresses (the oldest are forgotten).

    ``tally``: all processes of web count together under ``name``. This one counts by itself as well, so that a queue
    that is away, or emptied, lets nobody guess more than this process alone allows.
    """

    def __init__(
        self, tries: int = 20, seconds: float = 300.0, addresses: int = 10_000, *,
        name: str = "", tally: Tally | None = None,
    ) -> None:  # fmt: skip
        self.tries, self.seconds, self.addresses = tries, seconds, addresses
        self._name, self._tally = name, tally
        self._seen: OrderedDict[str, list[float]] = OrderedDict()

    async def press(self, who: str) -> None:
        """Count a try as failed until it turns out well: many at once must not all slip through.

        :class:`TooMany` after too many failures; what is refused does not count.
        """
        recent = self._recent(who)
        if len(recent) >= self.tries:
            raise TooMany(int(self.seconds - (time.monotonic() - recent[0])) + 1)
        self._count(who)
        shared = await self._tally.add(f"{self._name}/{who}", self.seconds) if self._tally else None
        if shared is not None and shared.n > self.tries:
            self._take_back(who)
            raise TooMany(shared.left)

    async def forgive(self, who: str) -> None:
        """Take the latest failure back: it was none after all."""
        self._take_back(who)
        if self._tally:
            await self._tally.take_back(f"{self._name}/{who}")

    def _take_back(self, who: str) -> None:
        if left := self._recent(who)[:-1]:
            self._seen[who] = left
        else:
            self._seen.pop(who, None)

    def _count(self, who: str) -> None:
        self._seen[who] = [*self._recent(who), time.monotonic()][-self.tries :]
        self._seen.move_to_end(who)
        while len(self._seen) > self.addresses:
            self._seen.popitem(last=False)

    def _recent(self, who: str) -> list[float]:
        since = time.monotonic() - self.seconds
        return [moment for moment in self._seen.get(who, []) if moment > since]
