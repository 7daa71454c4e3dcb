"""What an endpoint asks its request for: the house, the person, a unit of work."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from ipaddress import IPv6Address, IPv6Network

from starlette.datastructures import FormData
from starlette.requests import HTTPConnection, Request

from hub.db import Unit, reading, unit_of_work
from hub.i18n import _
from hub.people import Identity
from hub.rights import Actor
from web.faults import BadRequest, SignInNeeded, WrongFormat
from workflows.house import House

# What the gate reads before anybody else.
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def house(request: HTTPConnection) -> House:
    """The house this process works for."""
    found: House = request.app.state.house
    return found


def identity(request: HTTPConnection) -> Identity | None:
    """Who asks, with session or token; None before sign-in."""
    found: Identity | None = getattr(request.state, "identity", None)
    return found


def me(request: HTTPConnection) -> Actor:
    """The person who asks; also ``request.state.actor``. Raises :class:`SignInNeeded` before sign-in."""
    found = identity(request)
    if found is None:
        raise SignInNeeded
    return found.actor


def writing(request: HTTPConnection) -> AbstractAsyncContextManager[Unit]:
    """One writing transaction: ``async with writing(request) as unit``. Committed at the end; keep it short."""
    return unit_of_work(house(request).ctx)


def looking(request: HTTPConnection) -> AbstractAsyncContextManager[Unit]:
    """One reading transaction."""
    return reading(house(request).ctx)


async def fields(request: Request) -> FormData:
    """The form in the body; read once, however often it is asked for."""
    try:
        return await request.form()
    except UnicodeError:  # an encoding the form names itself, and does not keep to
        raise BadRequest(_("提交的内容无法读取，请返回重试。")) from None


def raw_body(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes in. A form has been read by the gate already: WrongFormat."""
    if request.headers.get("content-type", "").lower().startswith(FORMS):
        raise WrongFormat
    return request.stream()


def address(request: HTTPConnection) -> str:
    """The asking machine's address, as the server (behind a trusted proxy) sees it."""
    return request.client.host if request.client else ""


def neighbourhood(request: HTTPConnection) -> str:
    """Who is counted as one: the address, of IPv6 its network, since every customer is given 2**64 addresses of one."""
    found = address(request)
    try:
        parsed = IPv6Address(found.partition("%")[0])
    except ValueError:
        return found
    return str(parsed.ipv4_mapped or IPv6Network((int(parsed), 64), strict=False))


def wants_json(request: HTTPConnection) -> bool:
    """Whether the answer goes to a program."""
    path = request.url.path
    if path.startswith(("/api/", "/hooks/", "/feeds/", "/poll", "/events", "/healthz", "/readyz", "/metrics")):
        return True
    accept = request.headers.get("accept", "")
    return "application/json" in accept and "text/html" not in accept


def is_fragment(request: Request) -> bool:
    """Whether htmx asked for a part of a page."""
    return request.headers.get("hx-request") == "true" and request.headers.get("hx-request-type") != "full"
