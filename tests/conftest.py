"""What every test stands on: no network beyond this machine, a clean environment, and real servers and databases.

- ``db_url``: a migrated SQLite database of its own; ``postgres_url``: the same on PostgreSQL; ``any_db_url``: both.
- ``ctx``, ``any_ctx``: the hub's context on such a database, with a silent bell.
- ``valkey``: a running server for this test process; ``queue_url``: its address, emptied before the test.
- ``shared_data``: the folder of the shared development data; the test is skipped where it is missing.
"""

from __future__ import annotations

import ipaddress
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import structlog

from hub.db import Context, make_engine
from hub.embedded import Postgres, Valkey
from hub.i18n import DEFAULT, speaking
from hub.settings import load

ROOT = Path(__file__).resolve().parent.parent
# Settings of the house's machinery; all other HUB_* variables belong to a hub of the person who runs the tests.
MACHINERY = {"HUB_SHARED_DATA", "HUB_CHROMIUM", "HUB_VENV", "HUB_PG_NO_USERNS"}
LANGUAGE_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES")
OWN_MACHINE = {"localhost", "localhost.localdomain", "ip6-localhost"}
MACHINE_KINDS = {"browser", "faults"}  # markers, given to everything below the folder of the same name

_numbers = count(1)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser and fault tests need the machine for themselves: one process runs them all, one after the other."""
    for item in items:
        for kind in MACHINE_KINDS & set(item.path.relative_to(ROOT).parts):
            item.add_marker(kind)
        if any(item.get_closest_marker(kind) for kind in MACHINE_KINDS):
            item.add_marker(pytest.mark.xdist_group("machine"))


_configure = structlog.configure


def _configure_anew(**given: Any) -> None:
    """Loggers that remember how logs were first set up would not be heard by tests that listen later."""
    _configure(**{**given, "cache_logger_on_first_use": False})


structlog.configure = _configure_anew


# --- no network beyond this machine -----------------------------------------------------------------------------------


def _refuse_outside(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: it sees what any library does, and its failure is not swallowed by ``except Exception``."""
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        host = arguments[1][0] if isinstance(arguments[1], tuple) else ""
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    if not _is_own(host):
        pytest.fail(f"a test reached for {host!r}: only this machine may be contacted ({event})")


def _is_own(host: str | bytes | None) -> bool:
    name = host.decode() if isinstance(host, bytes) else host or ""
    if name == "" or name in OWN_MACHINE or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


sys.addaudithook(_refuse_outside)


# --- a clean environment ----------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No settings and no language of the person who runs the tests; HOME stays as it is."""
    for name in [*os.environ]:
        if (name.startswith("HUB_") and name not in MACHINERY) or name in LANGUAGE_VARIABLES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("LANG", "C.UTF-8")
    with speaking(DEFAULT):
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The shared development data: ``$HUB_SHARED_DATA``, or ``shared/data`` beside the repository."""
    folder = Path(os.environ.get("HUB_SHARED_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no shared development data at {folder}; set HUB_SHARED_DATA")
    return folder


# --- servers, one per test process ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    with Valkey(tmp_path_factory.mktemp("valkey"), persist=False) as server:
        yield server


@pytest.fixture
def queue_url(valkey: Valkey) -> str:
    """An empty queue."""
    from redis import Redis

    with Redis(unix_socket_path=str(valkey.socket)) as client:
        client.flushall()
    return valkey.url


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with Postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


# --- databases: migrated once, copied for every test ------------------------------------------------------------------


def _migrate(url: str) -> None:
    """In a thread of its own: where a browser is open, this one has a running event loop already."""
    from hub.migrations import upgrade

    with ThreadPoolExecutor(1) as thread:
        thread.submit(upgrade, url).result()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "hub.db"
    _migrate(f"sqlite+aiosqlite:///{path}")
    assert not path.with_name("hub.db-wal").exists(), "a copy of the file alone would miss what is in the journal"
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> str:
    _migrate(postgres.create_database("migrated"))
    return "migrated"


@pytest.fixture
def db_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite database of the test's own."""
    path = tmp_path / "hub.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
def postgres_url(postgres: Postgres, postgres_template: str) -> Iterator[str]:
    """A migrated PostgreSQL database of the test's own."""
    name = f"test_{next(_numbers)}"
    yield postgres.create_database(name, postgres_template)
    postgres.drop_database(name)


@pytest.fixture(params=["sqlite", "postgres"])
def any_db_url(request: pytest.FixtureRequest) -> str:
    """The test runs twice: on SQLite and on PostgreSQL."""
    return str(request.getfixturevalue("db_url" if request.param == "sqlite" else "postgres_url"))


@pytest.fixture
def make_ctx(tmp_path: Path) -> Callable[[str], Context]:
    def make(url: str) -> Context:
        return Context(load(tmp_path, db_url=url), make_engine(url))

    return make


@pytest.fixture
async def ctx(db_url: str, make_ctx: Callable[[str], Context]) -> AsyncIterator[Context]:
    """The hub's context on SQLite."""
    context = make_ctx(db_url)
    yield context
    await context.close()


@pytest.fixture
async def any_ctx(any_db_url: str, make_ctx: Callable[[str], Context]) -> AsyncIterator[Context]:
    """The hub's context, on SQLite and on PostgreSQL."""
    context = make_ctx(any_db_url)
    yield context
    await context.close()
