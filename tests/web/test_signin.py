"""Signing in, out, and everything that must not work around it."""

from __future__ import annotations

import re

import httpx

from tests.web.world import PASSWORD


async def csrf_of(client: httpx.AsyncClient, path: str = "/login") -> str:
    page = await client.get(path)
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


async def sign_in(
    client: httpx.AsyncClient, username: str = "dispatcher.own", password: str = PASSWORD, **more: str
) -> httpx.Response:
    form = {"username": username, "password": password, "csrf": await csrf_of(client), **more}
    return await client.post("/login", data=form)


async def test_right_password_opens_the_first_place(client: httpx.AsyncClient) -> None:
    done = await sign_in(client)
    assert done.status_code == 303
    cookie = done.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert (await client.get("/me")).status_code == 200
