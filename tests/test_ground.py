"""The ground the tests stand on holds: no outside network, no leaking settings, databases of one's own."""

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from hub.db import Context
from hub.embedded import Valkey
from hub.migrations import differences

OUTSIDE = "192.0.2.1"  # set aside for documentation: nobody answers there


@pytest.mark.parametrize("host", [OUTSIDE, "10.0.0.1", "example.invalid", "2001:db8::1"])
def test_nothing_beyond_this_machine_is_contacted(host: str) -> None:
    with pytest.raises(pytest.fail.Exception, match="only this machine"):
        socket.create_connection((host, 80), timeout=0.2)


async def test_not_through_a_library_either() -> None:
    with pytest.raises(BaseExceptionGroup) as caught:  # the library's own wrapping; not one of its error types
        async with httpx.AsyncClient() as client:
            await client.get(f"http://{OUTSIDE}/", timeout=0.2)
    assert caught.group_contains(pytest.fail.Exception, match="only this machine")


def test_not_by_datagram_either() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line, pytest.raises(pytest.fail.Exception):
        line.sendto(b"?", (OUTSIDE, 53))


async def test_this_machine_answers() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection("localhost", port)
        writer.close()
        await writer.wait_closed()


@pytest.fixture(scope="module", autouse=True)
def _somebody_has_settings() -> Iterator[None]:
    os.environ["HUB_OFFICE_NAME"] = "不是测试用的"
    yield
    del os.environ["HUB_OFFICE_NAME"]


def test_settings_of_the_person_do_not_leak_in(ctx: Context) -> None:
    assert not [name for name in os.environ if name == "HUB_OFFICE_NAME"]
    assert ctx.settings.office_name == ""


@pytest.mark.parametrize("turn", [1, 2])
async def test_every_test_has_a_database_of_its_own(any_ctx: Context, turn: int) -> None:
    async with any_ctx.engine.begin() as connection:
        await connection.execute(text("CREATE TABLE mine (turn int)"))
        await connection.execute(text("INSERT INTO mine VALUES (:turn)"), {"turn": turn})
    async with any_ctx.engine.connect() as connection:
        assert (await connection.execute(text("SELECT turn FROM mine"))).scalars().all() == [turn]
        assert (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar_one()


def test_the_database_is_the_one_the_models_describe(any_db_url: str) -> None:
    assert differences(any_db_url) == []


def test_the_queue_is_empty_and_answers(queue_url: str, valkey: Valkey) -> None:
    assert queue_url == valkey.url
    assert valkey.answers()


@pytest.mark.real_data
def test_the_shared_data_is_where_it_is_said_to_be(shared_data: Path) -> None:
    assert (shared_data / "README.md").is_file()
