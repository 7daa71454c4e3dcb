"""Forged, oversized, broken and hostile requests."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from hub import log
from hub.db import Context
from tests.web.conftest import Visit
from web import security, templating
from web.gate import as_route
from web.routes.table import Gate, PageRoute


async def test_every_answer_carries_the_headers(client: httpx.AsyncClient) -> None:
    for path in ("/login", "/", "/nowhere", "/static/nothing.js", "/healthz", "/poll"):
        answer = await client.get(path)
        for name, value in security.HEADERS.items():
            assert answer.headers[name] == value, (path, name)
        assert answer.headers["cache-control"] == "no-store", path
        assert "server" not in answer.headers
    assert "unsafe" not in security.CSP


async def test_strict_transport_when_secure(client: httpx.AsyncClient, ctx: Context, monkeypatch: Any) -> None:
    assert "strict-transport-security" not in (await client.get("/login")).headers
    monkeypatch.setattr(ctx, "settings", ctx.settings.model_copy(update={"cookie_secure": True}))
    client.cookies.clear()
    answer = await client.get("/login")
    assert "max-age" in answer.headers["strict-transport-security"]
    assert "Secure" in answer.headers["set-cookie"]


async def test_pages_hold_nothing_inline(visit: Visit) -> None:
    async with visit("administrator") as client:
        for path in (
            "/login",
            "/me",
            "/me/tokens",
            "/admin/status",
            "/admin/people/new",
            "/accounts/new?platform=sandbox",
        ):
            text = (await client.get(path)).text
            assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text), path
            scripts = re.findall(r"<script(?![^>]*(?:src=|application/json))[^>]*>", text)
            assert not scripts, (path, scripts)


@pytest.mark.parametrize("token", [None, "", "wrong", "错"])
async def test_writes_need_the_token(visit: Visit, token: str | None) -> None:
    async with visit("dispatcher", csrf=False) as client:
        form = {"theme": "dark"} | ({"csrf": token} if token is not None else {})
        done = await client.post("/me/preferences", data=form)
        assert done.status_code == 403
        assert "<h1>页面已过期</h1>" in done.text, "nothing is missing but a fresh page"
        assert 'data-theme="light"' in (await client.get("/me")).text


async def test_token_in_field_or_header(visit: Visit, world: Any) -> None:
    async with visit("dispatcher", csrf=False) as client:
        csrf = world.sessions["dispatcher", "own"].csrf
        assert (await client.post("/me/preferences", data={"theme": "dark", "csrf": csrf})).status_code == 303
        headers = {"X-CSRF-Token": csrf}
        assert (await client.post("/me/preferences", data={"theme": "light"}, headers=headers)).status_code == 303


async def test_another_persons_token_is_no_token(visit: Visit, world: Any) -> None:
    async with visit("dispatcher", csrf=False) as client:
        other = world.sessions["handler", "own"].csrf
        assert (await client.post("/me/preferences", data={"theme": "dark", "csrf": other})).status_code == 403


async def test_a_token_in_the_address_is_no_token(visit: Visit, world: Any) -> None:
    async with visit("dispatcher", csrf=False) as client:
        csrf = world.sessions["dispatcher", "own"].csrf
        assert (await client.post(f"/me/preferences?csrf={csrf}", data={"theme": "dark"})).status_code == 403


async def test_other_sites_are_refused_even_with_the_token(visit: Visit) -> None:
    async with visit("dispatcher") as client:
        done = await client.post("/me/preferences", data={"theme": "dark"}, headers={"Sec-Fetch-Site": "cross-site"})
        assert done.status_code == 403


async def test_sign_in_needs_the_visitors_token(client: httpx.AsyncClient) -> None:
    assert (await client.post("/login", data={"username": "a", "password": "b"})).status_code == 403
    await client.get("/login")
    assert (await client.post("/login", data={"username": "a", "password": "b", "csrf": "x"})).status_code == 403


async def test_method_cannot_be_overridden(visit: Visit) -> None:
    async with visit("administrator") as client:
        answer = await client.get("/me/preferences", headers={"X-HTTP-Method-Override": "POST"})
        assert answer.status_code == 405
        assert answer.headers["allow"] == "POST"
        answer = await client.request("DELETE", "/admin/people")
        assert answer.status_code == 405


async def test_oversized_body_by_its_announced_length(visit: Visit) -> None:
    async with visit("dispatcher") as client:
        done = await client.post("/me/preferences", content=b"x" * (security.SMALL_BODY + 1))
        assert done.status_code == 413
        assert "最多 1 MB" in done.text


async def test_oversized_body_without_announced_length(visit: Visit) -> None:
    async def drip() -> Any:
        for _ in range(70):
            yield b"a=" + b"x" * 16_384 + b"&"

    async with visit("dispatcher") as client:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        done = await client.post("/me/preferences", content=drip(), headers=headers)
        assert done.status_code == 413


async def test_nonsense_length(visit: Visit) -> None:
    async with visit("dispatcher") as client:
        assert (await client.post("/me/preferences", headers={"Content-Length": "-5"})).status_code == 413


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
        ("multipart/form-data; boundary=x", b"\xff\xfe\x00"),
        ("application/x-www-form-urlencoded", b"a=" + b"%" * 500),
        ("application/x-www-form-urlencoded; charset=nowhere", b"\xff=\xfe"),
        ("application/json", b"{broken"),
        ("text/plain", b"theme=dark"),
    ],
)
async def test_broken_bodies_are_refused_in_words(visit: Visit, kind: str, body: bytes) -> None:
    async with visit("dispatcher", csrf=False) as client:
        done = await client.post("/me/preferences", content=body, headers={"Content-Type": kind})
        assert 400 <= done.status_code < 500
        assert "Traceback" not in done.text


async def test_too_many_fields(visit: Visit) -> None:
    async with visit("dispatcher") as client:
        form = "&".join(f"a{n}=1" for n in range(3000))
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert (await client.post("/me/preferences", content=form, headers=headers)).status_code < 500


@pytest.mark.parametrize("path", ["/admin/people?q=%00", "/me%00", "/admin/audit?who=a%00b"])
async def test_nul_in_the_address(visit: Visit, path: str) -> None:
    async with visit("administrator") as client:
        assert (await client.get(path)).status_code == 400


async def test_nul_in_a_form(visit: Visit) -> None:
    async with visit("administrator") as client:
        form = {"code": "x", "name": "a\0b"}
        done = await client.post("/admin/departments", data=form)
        assert done.status_code == 422
        assert "控制字符" in done.text


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd", "/static/....//app.py",
     "/static/%2e%2e%2f%2e%2e%2fpyproject.toml"],
)  # fmt: skip
async def test_static_files_stay_in_their_folder(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code in {400, 404}
    assert "import" not in answer.text


async def test_static_files_are_kept_by_browsers_for_ever(
    client: httpx.AsyncClient, app: Starlette, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.js").write_text("1")
    files: Any = next(route for route in app.routes if getattr(route, "name", "") == "static")
    monkeypatch.setattr(files.app, "all_directories", [tmp_path])
    answer = await client.get("/static/a.js?v=1")
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    (tmp_path / "b.js").write_text("let a = 1;" * 1000)
    answer = await client.get("/static/b.js?v=1")
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.text) == 10_000
    assert templating.static("a.js").startswith("/static/a.js?v=")


async def test_headers_cannot_be_injected(client: httpx.AsyncClient, visit: Visit) -> None:
    answer = await client.get("/me/x%0d%0aSet-Cookie:%20a=b")
    assert "set-cookie" not in answer.headers or "a=b" not in answer.headers["set-cookie"]
    async with visit("dispatcher") as person:
        for htmx in ({}, {"HX-Request": "true"}):
            done = await person.post("/me/preferences", data={"next": "/a\r\nX-Evil: 1"}, headers=htmx)
            assert "x-evil" not in done.headers


@pytest.mark.parametrize(
    ("path", "onward"),
    [
        ("/me/", "/me"),
        ("/cases/?q=a", "/cases?q=a"),
        ("//evil.test/", "/"),
        ("/%5Cevil.test/", "/%5Cevil.test"),
        ("///", "/"),
    ],
)
async def test_a_slash_too_many_leads_nowhere_else(client: httpx.AsyncClient, path: str, onward: str) -> None:
    answer = await client.get(f"http://hub.test{path}", headers={"Host": "evil.test"})
    assert answer.status_code == 307
    assert answer.headers["location"] == onward
    assert (await client.post("/login/", data={})).status_code == 404
    assert (await client.get("/api/v1/me/")).status_code == 404


async def test_hostile_names_are_escaped(visit: Visit) -> None:
    async with visit("administrator") as client:
        name = "<script>alert(1)</script>\"'&"
        done = await client.post("/admin/departments", data={"code": "evil", "name": name, "short_name": name})
        assert done.status_code == 303
        pages = [await client.get(path) for path in ("/admin/departments", "/admin/people", "/admin/people/new")]
        for page in pages:
            assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert" in pages[0].text


@pytest.mark.parametrize(
    "text", ["𠮷野家😀" * 20, "\u202eabc\u2066", "a" * 10_000, "' OR 1=1 --", "%s%n", "{{ 7*7 }}", "\ud7ff\ufffe"]
)
async def test_odd_texts_are_stored_or_refused(visit: Visit, text: str) -> None:
    async with visit("administrator") as client:
        done = await client.post("/admin/departments", data={"code": "odd", "name": text, "short_name": "怪"})
        assert done.status_code in {303, 422}
        assert (await client.get("/admin/departments")).status_code == 200
        assert (await client.get("/admin/people", params={"q": text})).status_code == 200


@pytest.mark.parametrize(
    "query", ["before=abc", "before=99999999999999999999999", "before=-1", "what=%F0%9F%98%80", "part=nothing"]
)
async def test_odd_queries(visit: Visit, query: str) -> None:
    async with visit("auditor") as client:
        assert (await client.get(f"/admin/audit?{query}")).status_code == 200


async def test_odd_numbers_in_paths(visit: Visit) -> None:
    async with visit("administrator") as client:
        for path in ("/admin/people/0", "/admin/people/99999999999999999999999999", "/accounts/９", "/admin/people/-1"):
            assert (await client.get(path)).status_code in {404, 422}, path


async def _fault(request: Request) -> Response:
    raise RuntimeError("secret-detail of the cause")


@pytest.fixture
def logged() -> Iterator[Callable[[], str]]:
    """What was logged since the last look, as a running hub writes it."""
    root, stream = logging.getLogger(), io.StringIO()
    before, level = root.handlers[:], root.level

    def look() -> str:
        said = stream.getvalue()
        stream.seek(0)
        stream.truncate()
        return said

    log.configure("INFO", "json")
    root.handlers[0].setStream(stream)  # type: ignore[attr-defined]
    yield look
    structlog.reset_defaults()
    root.handlers[:] = before
    root.setLevel(level)


async def test_a_fault_shows_a_number_that_stands_in_the_log(
    app: Starlette, visit: Visit, logged: Callable[[], str]
) -> None:
    app.router.routes.insert(0, as_route(PageRoute("/fault", _fault, Gate.signed_in)))
    async with visit("dispatcher") as client:
        page = await client.get("/fault")
        assert page.status_code == 500
        assert "secret-detail" not in page.text
        assert "Traceback" not in page.text
        found = re.search(r"data-incident>([^<]+)<", page.text)
        assert found
        assert found[1] == page.headers["x-request-id"]
        assert found[1] in logged()
        as_json = await client.get("/fault", headers={"Accept": "application/json"})
        assert as_json.json()["incident"] == as_json.headers["x-request-id"]
        toast = await client.get("/fault", headers={"HX-Request": "true"})
        assert toast.headers["hx-reswap"] == "none"
        assert "secret-detail" not in str(toast.headers)


async def test_log_lines_hold_no_query(client: httpx.AsyncClient, logged: Callable[[], str]) -> None:
    await client.get("/me?token=very-secret&q=%E7%BD%91%E6%B0%91")
    said = logged()
    assert "/me" in said
    assert "very-secret" not in said


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_log_lines_hold_no_secret_paths(
    client: httpx.AsyncClient, method: str, logged: Callable[[], str]
) -> None:
    """Push addresses and uploads are known by their last part alone."""
    for path in ("/hooks/1/0123456789abcdef", "/hooks/none/0123456789abcdef", "/imports/files/0123456789abcdef"):
        await client.request(method, path)
    said = logged()
    assert "/hooks/" in said
    assert "0123456789abcdef" not in said


async def test_errors_in_three_forms(visit: Visit) -> None:
    async with visit("handler") as client:
        page = await client.get("/admin/people")
        assert page.status_code == 403
        assert "<h1>没有权限</h1>" in page.text
        toast = await client.get("/admin/people", headers={"HX-Request": "true"})
        assert toast.status_code == 403
        assert "toast" in toast.headers["hx-trigger"]
        problem = await client.get("/admin/people", headers={"Accept": "application/json"})
        assert problem.json()["status"] == 403
