"""Signing in, out, and everything that must not work around it."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import select
from starlette.applications import Starlette

from hub import clock, crypto, people
from hub.db import Context, reading, unit_of_work
from hub.models import AuditEntry, SignIn, User
from tests.web.conftest import Visit
from tests.web.world import PASSWORD, World
from web.auth import COOKIE, Brake, local_path
from web.faults import TooMany
from workflows.tally import Count, Tally


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
    cookie = next(line for line in done.headers.get_list("set-cookie") if line.startswith(COOKIE))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert (await client.get("/me")).status_code == 200


async def test_user_name_is_taken_in_any_case(client: httpx.AsyncClient) -> None:
    assert (await sign_in(client, " Dispatcher.OWN ")).status_code == 303


@pytest.mark.parametrize(("username", "password"), [("dispatcher.own", "wrong"), ("nobody", PASSWORD), ("", "")])
async def test_wrong_ones_get_the_same_words(client: httpx.AsyncClient, username: str, password: str) -> None:
    done = await sign_in(client, username, password)
    assert done.status_code == 422
    assert "登录名或密码不对" in done.text
    assert COOKIE not in client.cookies


async def test_only_the_digest_of_the_token_is_kept(client: httpx.AsyncClient, ctx: Context) -> None:
    await sign_in(client)
    token = client.cookies[COOKIE]
    async with reading(ctx) as unit:
        kept = await unit.all(select(SignIn).order_by(SignIn.id.desc()).limit(1))  # type: ignore[union-attr]
    assert kept[0].token_hash == crypto.digest(token)
    assert token not in str(kept[0].model_dump())


async def test_lock_out_after_five_and_a_way_out(
    client: httpx.AsyncClient, ctx: Context, visit: Visit, world: World
) -> None:
    for _ in range(5):
        await sign_in(client, password="wrong")
    done = await sign_in(client)
    assert done.status_code == 422, "locked: even the right password does not open"
    async with visit("administrator") as admin:
        user_id = world.sessions["dispatcher", "own"].user_id
        assert "现在解锁" in (await admin.get(f"/admin/people/{user_id}")).text
        await admin.post(f"/admin/people/{user_id}/unlock")
    assert (await sign_in(client)).status_code == 303
    async with reading(ctx) as unit:
        deeds = [entry.what for entry in await unit.all(select(AuditEntry).order_by(AuditEntry.id))]  # type: ignore[arg-type]
    assert deeds == ["session.lock_out", "user.unlock", "session.sign_in"]


async def test_lock_out_ends_by_itself(client: httpx.AsyncClient) -> None:
    with clock.frozen(clock.now()) as move:
        for _ in range(5):
            await sign_in(client, password="wrong")
        move(clock.now() + timedelta(minutes=14))
        assert (await sign_in(client)).status_code == 422
        move(clock.now() + timedelta(minutes=2))
        assert (await sign_in(client)).status_code == 303


async def test_brake_counts_per_address_and_forgets_the_oldest() -> None:
    brake = Brake(tries=2, seconds=60, addresses=2)
    for _ in range(2):
        await brake.press("1.1.1.1")
    with pytest.raises(TooMany):
        await brake.press("1.1.1.1")
    await brake.press("2.2.2.2")
    await brake.press("3.3.3.3")
    await brake.press("1.1.1.1")


def counted_at(ctx: Context, url: str) -> Tally:
    settings = ctx.settings.model_copy(update={"redis_url": url})
    settings.__dict__.pop("queue", None)
    return Tally(settings)


async def test_several_processes_count_together(ctx: Context, queue_url: str) -> None:
    tallies = [counted_at(ctx, queue_url) for _ in range(3)]
    brakes = [Brake(tries=4, seconds=60, name="x", tally=tally) for tally in tallies]
    for brake in (*brakes, brakes[0]):
        await brake.press("1.1.1.1")
    for brake in brakes:
        with pytest.raises(TooMany) as caught:
            await brake.press("1.1.1.1")
        assert 0 < caught.value.wait <= 60
        await brake.press("2.2.2.2")
    await Brake(tries=4, name="y", tally=tallies[0]).press("1.1.1.1")
    await brakes[1].forgive("2.2.2.2")
    await brakes[1].forgive("3.3.3.3")
    assert await tallies[0].add("x/2.2.2.2", 60) == Count(3, 60)
    assert await tallies[0].add("x/3.3.3.3", 60) == Count(1, 60), "what was never counted is not less than nothing"
    for tally in tallies:
        await tally.close()


async def test_a_queue_that_is_away_leaves_the_own_count(tmp_path: Path, ctx: Context) -> None:
    tally = counted_at(ctx, f"unix://{tmp_path}/nobody.sock")
    brake = Brake(tries=2, name="x", tally=tally)
    for _ in range(2):
        await brake.press("1.1.1.1")
    with pytest.raises(TooMany):
        await brake.press("1.1.1.1")
    await brake.forgive("1.1.1.1")
    await brake.press("1.1.1.1")
    await tally.close()


async def test_too_many_failures_from_one_address_are_slowed(app: Starlette, client: httpx.AsyncClient) -> None:
    app.state.brake = Brake(tries=3)
    for number in range(3):
        await sign_in(client, f"guess{number}", "wrong")
    done = await sign_in(client)
    assert done.status_code == 429
    assert int(done.headers["retry-after"]) > 0


async def test_guesses_at_once_are_slowed_too(app: Starlette, client: httpx.AsyncClient) -> None:
    """Each for another name, so that no account locks: what slows them down is the address."""
    app.state.brake = Brake(tries=5)
    csrf = await csrf_of(client)
    done = await asyncio.gather(
        *(client.post("/login", data={"username": f"u{n}", "password": "wrong", "csrf": csrf}) for n in range(20))
    )
    assert [answer.status_code for answer in done].count(422) == 5
    assert [answer.status_code for answer in done].count(429) == 15


async def test_right_passwords_are_never_slowed(app: Starlette, client: httpx.AsyncClient) -> None:
    app.state.brake = Brake(tries=2)
    for _ in range(5):
        client.cookies.clear()
        assert (await sign_in(client)).status_code == 303


async def test_an_open_session_is_no_place_to_guess_the_password(app: Starlette, visit: Visit) -> None:
    app.state.brake = Brake(tries=3)
    new = {"password": "另一句很长的密码-2026", "again": "另一句很长的密码-2026"}
    async with visit("handler") as client:
        for number in range(3):
            done = await client.post("/me/password", data={"old": f"guess-{number}", **new})
            assert done.status_code == 422
        assert (await client.post("/me/password", data={"old": PASSWORD, **new})).status_code == 429


async def test_unknown_names_take_as_long_as_known_ones(ctx: Context, world: World) -> None:
    """The hash is computed in either case: medians differ by less than half."""

    async def median(username: str) -> float:
        times = []
        for _ in range(7):
            begun = time.perf_counter()
            await people.sign_in(ctx, username, "wrong", address="", agent="")
            times.append(time.perf_counter() - begun)
        return sorted(times)[3]

    await people.sign_in(ctx, "nobody", "wrong", address="", agent="")  # the stand-in is hashed once
    known, unknown = await median("handler.own"), await median("nobody")
    assert 0.5 < known / unknown < 2.0, (known, unknown)


async def test_a_token_from_before_is_worth_nothing_after(client: httpx.AsyncClient) -> None:
    client.cookies.set(COOKIE, "planted-by-somebody")
    await sign_in(client)
    assert client.cookies.get(COOKIE, domain="hub.test") not in {None, "planted-by-somebody"}


async def test_sign_out_ends_the_session_on_the_server(visit: Visit) -> None:
    async with visit("dispatcher") as client:
        token = client.cookies[COOKIE]
        await client.post("/logout")
        client.cookies.set(COOKIE, token)
        assert (await client.get("/me")).headers["location"].startswith("/login")


async def test_idle_and_absolute_end(visit: Visit) -> None:
    start = clock.now()
    with clock.frozen(start) as move:
        async with visit("dispatcher") as client:
            for minutes in range(0, 100, 20):  # somebody works
                move(start + timedelta(minutes=minutes))
                assert (await client.get("/me")).status_code == 200
            move(start + timedelta(minutes=80 + 31))
            assert (await client.get("/me")).status_code == 303


async def test_a_session_ends_in_any_case(client: httpx.AsyncClient) -> None:
    start = clock.now()
    with clock.frozen(start) as move:
        await sign_in(client)
        for minutes in range(0, 12 * 60, 20):
            move(start + timedelta(minutes=minutes))
            assert (await client.get("/me")).status_code == 200
        move(start + timedelta(hours=12, seconds=1))
        assert (await client.get("/me")).status_code == 303


@pytest.mark.parametrize(("path", "headers"), [("/poll", {}), ("/admin/status?part=figures", {"X-Background": "1"})])
async def test_what_pages_ask_by_themselves_keeps_no_session(visit: Visit, path: str, headers: dict[str, str]) -> None:
    start = clock.now()
    with clock.frozen(start) as move:
        async with visit("administrator") as client:
            for minutes in range(0, 30, 5):
                move(start + timedelta(minutes=minutes))
                assert (await client.get(path, headers=headers)).status_code == 200
            move(start + timedelta(minutes=31))
            assert (await client.get("/me")).status_code == 303


async def test_deactivated_person_is_out_at_once(visit: Visit, world: World) -> None:
    user_id = world.sessions["handler", "own"].user_id
    async with visit("handler") as client, visit("administrator") as admin:
        assert (await client.get("/me")).status_code == 200
        await admin.post(f"/admin/people/{user_id}/active", data={"active": "0", "version": "1"})
        assert (await client.get("/me")).status_code == 303


async def test_sessions_elsewhere_can_be_ended(visit: Visit, client: httpx.AsyncClient) -> None:
    await sign_in(client)
    async with visit("dispatcher") as elsewhere:
        assert "结束其他全部登录" in (await elsewhere.get("/me")).text
        await elsewhere.post("/me/sessions/end-others")
        assert (await elsewhere.get("/me")).status_code == 200
    assert (await client.get("/me")).status_code == 303


async def test_initial_password_must_be_changed_first(client: httpx.AsyncClient, ctx: Context, world: World) -> None:
    async with unit_of_work(ctx) as unit:
        user = await unit.get(User, world.sessions["dispatcher", "own"].user_id)
        assert user is not None
        user.must_change_password = True
    assert (await sign_in(client)).headers["location"] == "/me/password"
    assert (await client.get("/me")).headers["location"] == "/me/password"
    page = await client.get("/me/password")
    assert "请换成只有您自己知道的密码" in page.text
    csrf = await csrf_of(client, "/me/password")
    new = "新的密码也很长-2026"
    bad = await client.post("/me/password", data={"csrf": csrf, "old": "wrong", "password": new, "again": new})
    assert bad.status_code == 422
    done = await client.post("/me/password", data={"csrf": csrf, "old": PASSWORD, "password": new, "again": new})
    assert done.headers["location"] == "/"
    assert (await client.get("/me")).status_code == 200


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("short", "至少 10"),
        ("dispatcher.own1", "登录名"),
        ("1234567890", "太常见"),
        ("ababababab", "太常见"),
        (PASSWORD, "相同"),
    ],
)
async def test_weak_passwords_are_refused(visit: Visit, password: str, words: str) -> None:
    async with visit("dispatcher") as client:
        form = {"old": PASSWORD, "password": password, "again": password}
        done = await client.post("/me/password", data=form)
        assert done.status_code == 422
        assert words in done.text


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.test/", "//evil.test/", "/\\evil.test", "\\\\evil.test", "javascript:alert(1)",
        "/x\r\nSet-Cookie: a=b",
        "/\t/evil.test", "evil.test", "", "/login?next=/login", "///evil.test", "http:/evil.test",
    ],
)  # fmt: skip
async def test_sign_in_leads_nowhere_else(client: httpx.AsyncClient, wanted: str) -> None:
    assert local_path(wanted) == "/"
    done = await sign_in(client, next=wanted)
    assert done.headers["location"] == "/"


async def test_sign_in_leads_back(client: httpx.AsyncClient) -> None:
    sent = await client.get("/me/tokens?x=1&y=2")
    assert sent.headers["location"] == "/login?next=%2Fme%2Ftokens%3Fx%3D1%26y%3D2"
    done = await sign_in(client, next="/me/tokens?x=1&y=2")
    assert done.headers["location"] == "/me/tokens?x=1&y=2"


async def test_programs_and_fragments_are_told_401(client: httpx.AsyncClient) -> None:
    answer = await client.get("/me", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    answer = await client.get("/poll")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


async def test_language_by_header_cookie_and_person(client: httpx.AsyncClient, visit: Visit) -> None:
    page = await client.get("/login", headers={"Accept-Language": "zh-TW,zh;q=0.8"})
    assert 'lang="zh-TW"' in page.text
    assert "登錄" in page.text
    await client.post("/language", data={"csrf": await csrf_of(client), "language": "zh_TW", "next": "/login"})
    assert "登錄" in (await client.get("/login", headers={"Accept-Language": "zh-CN"})).text
    odd = await client.post("/language", data={"csrf": await csrf_of(client), "language": "xx", "next": "/login"})
    assert odd.status_code == 422
    assert "沒有這種語言" in odd.text
    async with visit("dispatcher") as person:
        await person.post("/me/preferences", data={"language": "zh_TW", "next": "/me"})
        assert 'lang="zh-TW"' in (await person.get("/me", headers={"Accept-Language": "en"})).text


async def test_theme_is_kept_with_the_person(visit: Visit) -> None:
    async with visit("dispatcher") as client:
        await client.post("/me/preferences", data={"theme": "dark", "next": "/me"})
        assert 'data-theme="dark"' in (await client.get("/me")).text
        assert (await client.post("/me/preferences", data={"theme": "nowhere"})).status_code == 422


async def test_demo_logins_stand_on_the_page_in_demo_mode_only(
    client: httpx.AsyncClient, ctx: Context, monkeypatch: Any
) -> None:
    note = ctx.settings.data / "demo-logins.json"
    note.write_text('{"password": "demo-pass", "logins": [{"username": "press", "name": "林晓", "role": "宣传专员"}]}')
    assert "demo-pass" not in (await client.get("/login")).text
    monkeypatch.setattr(ctx, "settings", ctx.settings.model_copy(update={"demo": True}))
    page = (await client.get("/login")).text
    assert "demo-pass" in page
    assert "林晓" in page


@pytest.mark.parametrize(
    ("referer", "expected"),
    [
        ("http://hub.test/cases/20261123-000192?which=mine", "/login?next=%2Fcases%2F20261123-000192%3Fwhich%3Dmine"),
        ("https://elsewhere.example/cases/20261123-000192", "/login"),
        ("http://hub.test//elsewhere.example/", "/login"),
        ("", "/login"),
    ],
)
async def test_a_form_sent_after_the_session_ended_leads_back_to_its_page(
    client: httpx.AsyncClient, referer: str, expected: str
) -> None:
    form = {"csrf": await csrf_of(client), "text": "写好的答复"}
    base = str(client.base_url).rstrip("/")
    lost = await client.post(
        "/cases/20261123-000192/draft", data=form, headers={"Referer": referer.replace("http://hub.test", base)}
    )
    assert (lost.status_code, lost.headers["location"]) == (303, expected)


async def test_keys_that_are_no_pages_or_not_this_persons_are_not_told(visit: Visit) -> None:
    """What a page has of its own is told by its script, from its buttons."""
    async with visit("handler") as client:
        page = (await client.get("/cases")).text
    keys = page.split('id="keys"')[1].split("</dialog>")[0]
    assert "派单" not in keys
    assert "<kbd>e</kbd>" not in keys
    assert "<kbd>j</kbd>" in keys
