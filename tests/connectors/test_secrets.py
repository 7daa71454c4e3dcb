"""Nothing secret in logs, errors or what is printed of accounts, wherever a platform wants it to stand."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator

import pytest

from connectors.base import AccountRef, Renewed
from connectors.http import Http
from connectors.pool import Pool
from hub import log

SECRET = "tok3n-that-nobody-may-see"
ANSWERS = {
    "html": b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 15\r\n\r\n<h1>oh no!</h1>",
    "nothing": b"",
    "half": b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n{",
    "nonsense": b"\x00\x01\x02\r\n\r\n",
    "redirect": b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
}


@pytest.fixture(params=[*ANSWERS, "nobody"])
async def url(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        writer.write(ANSWERS[request.param])
        writer.close()

    if request.param == "nobody":
        yield "http://127.0.0.1:9"
        return
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


@pytest.mark.parametrize("pooled", [False, True])
async def test_a_call_that_fails_says_nothing_of_its_secrets(
    url: str, pooled: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    """In the address (as some platforms want it), in a form, in a header; every logger at its most talkative."""
    log.configure("DEBUG", "json")
    pool = Pool() if pooled else None
    http = Http(live=False, read=2.0, total=3.0, pool=pool)
    told = []
    try:
        for where in (
            {"params": {"access_token": SECRET}}, {"form": {"secret": SECRET}, "write": True},
            {"headers": {"Authorization": f"Bearer {SECRET}"}}, {"params": {"q": SECRET}, "write": True},
        ):  # fmt: skip
            method = "POST" if where.get("write") else "GET"
            try:
                answer = await http.call(method, url, **where)
                answer.json()
            except Exception as error:
                told += [repr(error), str(error), *traceback.format_exception(error)]
                logging.getLogger("somebody").error("it broke", exc_info=error)
                log.get("somebody").error("it broke", why=str(error), url=f"{url}?access_token={SECRET}")
    finally:
        if pool is not None:
            await pool.aclose()
        log.configure("WARNING", "console")
    printed = capfd.readouterr()
    assert told
    assert SECRET not in "".join(told)
    assert SECRET not in printed.out + printed.err


def test_what_is_printed_of_accounts_and_grants_is_without_secrets() -> None:
    ref = AccountRef(1, "numbers", "号", "1", "http://127.0.0.1", {"token": SECRET}, {"app_key": "k"})
    assert SECRET not in repr(ref)
    assert SECRET not in f"{ref}"
    assert SECRET not in repr(Renewed({"token": SECRET}))
