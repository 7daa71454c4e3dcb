#!/usr/bin/env python3
"""python3 run.py demo [--port P] [--data DIR] [--fresh]   演示系统 / the whole hub with sample data
python3 run.py test [pytest arguments]                  全部测试 / all tests
python3 run.py check                                    全部检查 / every check, one line each
python3 run.py bench [NAME…] [--json]                   性能对比 / measurements side by side
python3 run.py screenshots                              界面截图 / pictures of the main pages

Needs Python 3.11 or newer and a package index; makes .venv (or $HUB_VENV) and installs the locked versions there.
"""
# Standard library only, and readable by Python 3.6: a person with an old Python must get a sentence, not a SyntaxError.

import contextlib
import errno
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, Iterator, List, NoReturn, Optional

ROOT = Path(__file__).resolve().parent
VENV = Path(os.path.abspath(os.environ.get("HUB_VENV") or ROOT / ".venv"))
BIN = VENV / "bin"
CACHE = ROOT / ".cache"
STAMP = VENV / "zhengsheng-installed.json"
PORT = 8000

CHECKS = [
    ("ruff check", ["ruff check ."]),
    ("ruff format", ["ruff format --check ."]),
    ("mypy", ["mypy"]),
    ("lint-imports", ["lint-imports"]),
    ("migrations", ["hub migrate", "hub migrate --check"]),  # of an empty database
    ("catalogues", ["hub i18n check"]),
]

DISK_FULL = "磁盘已满，请先腾出至少 1 GB 空间 / The disk is full: free at least 1 GB first"
NO_RIGHT = "没有写入权限 / No right to write here"

# What pip and npm write when a step fails, and the sentence a person can act on. The first match wins.
REASONS = [
    (r"No space left on device|ENOSPC|Errno 28", DISK_FULL),
    (
        r"DO NOT MATCH THE HASHES|EINTEGRITY",
        "下载的软件包与 locks/ 中的校验和不符，已拒绝安装 / "
        "A downloaded package does not match its checksum in locks/ and was refused",
    ),
    (r"EACCES|Errno 13|Permission denied|Read-only file system", NO_RIGHT),
    (
        r"CERTIFICATE_VERIFY_FAILED|SELF_SIGNED_CERT|UNABLE_TO_(GET|VERIFY)_",
        "软件包源的证书不受信任，请检查代理或系统证书 / "
        "The package index shows a certificate that is not trusted: check the proxy or the system's certificates",
    ),
    (
        r"NewConnectionError|Max retries exceeded|ConnectTimeout|ReadTimeout|Name or service not known|"
        r"Temporary failure in name resolution|Connection refused|Connection reset|ProxyError|SSLError|"
        r"Network is unreachable|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|"
        r"No matching distribution found",
        "无法访问软件包源，请检查网络、代理或 pip 镜像设置 / "
        "The package index cannot be reached: check the network, the proxy or pip's mirror setting",
    ),
    (
        r"No module named '?(ensurepip|venv)|ensurepip is not available",
        "这个 Python 缺少 venv 模块，请先安装（Debian/Ubuntu：apt install python3-venv） / "
        "This Python has no venv module: install it first (Debian/Ubuntu: apt install python3-venv)",
    ),
]


class Stop(Exception):
    """Ends the run with one plain sentence for the person at the console."""


def main(arguments: List[str]) -> int:
    refuse_old_python()
    refuse_windows()
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    commands = {"demo": demo, "test": test, "check": check, "bench": bench, "screenshots": screenshots}
    chosen = commands.get(arguments[0]) if arguments else None
    asked = any(argument in ("-h", "--help") for argument in arguments)
    if chosen is None or asked:  # whoever asks what a command does has not asked for anything to be installed
        print(__doc__, file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    return chosen(arguments[1:])


# --- the commands -----------------------------------------------------------------------------------------------------


def demo(arguments: List[str]) -> int:
    port = option(arguments, "--port")
    refuse_taken_port(str(PORT) if port is None else port)
    prepare("run")
    data = option(arguments, "--data")
    if data is not None:  # given relative to where the person stands, and hub runs in the project's folder
        arguments = [*arguments, "--data", os.path.abspath(data)]
    become("hub", "demo", *arguments)


def test(arguments: List[str]) -> int:
    prepare("dev")
    become("python", "-m", "pytest", *side_by_side(arguments), *arguments)


def check(arguments: List[str]) -> int:
    """Every check, also after one has failed; exit 1 when any has."""
    prepare("dev")
    tests = " ".join(["python -m pytest -q", *side_by_side(arguments), *map(shlex.quote, arguments)])
    good = [passes(name, commands) for name, commands in [*CHECKS, ("tests", [tests])]]
    return int(not all(good))


def bench(arguments: List[str]) -> int:
    prepare("dev")
    become("python", "-m", "bench", *arguments)


def screenshots(arguments: List[str]) -> int:
    prepare("dev")
    become("python", "-m", "tests.browser.screenshots", *arguments)


def side_by_side(arguments: List[str]) -> List[str]:
    """Two test processes for a run of everything; a chosen file or test starts faster in one."""
    chosen = any(not a.startswith("-") or a.startswith(("-n", "-k", "-m", "--pdb", "--dist")) for a in arguments)
    return [] if chosen else ["-n", str(min(4, max(2, os.cpu_count() or 2))), "--dist", "loadgroup"]


def passes(name: str, commands: List[str]) -> bool:
    """Run the commands of one check and print its line; what they said follows when one fails."""
    begun, said, code = time.monotonic(), b"", 0
    with tempfile.TemporaryDirectory() as data:
        for command in commands:
            if code != 0:
                break
            program, *rest = shlex.split(command)
            env = {**environment(), "HUB_DATA": data}
            done = subprocess.run(  # noqa: PLW1510 - its exit code is the answer
                [str(BIN / program), *rest], cwd=str(ROOT), env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            said, code = said + done.stdout, done.returncode
    print("%-14s %-6s %6.1f s" % (name, "failed" if code else "ok", time.monotonic() - begun), flush=True)
    if code:
        print(said.decode("utf-8", "replace"), flush=True)
    return code == 0


def become(program: str, *arguments: str) -> NoReturn:
    """Go on as this program: same process, so that every signal reaches it and its exit code is ours."""
    os.chdir(str(ROOT))
    sys.stdout.flush()
    os.execve(str(BIN / program), [str(BIN / program), *arguments], environment())


def environment() -> Dict[str, str]:
    """Ours, without what would load somebody else's packages or compile the same ones at each start."""
    left_out = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    kept["PATH"] = os.pathsep.join([str(BIN), kept.get("PATH", os.defpath)])
    return kept


# --- what is refused before anything is done --------------------------------------------------------------------------


def refuse_old_python() -> None:
    if sys.version_info < (3, 11):
        found = "%d.%d.%d" % sys.version_info[:3]
        raise Stop(f"需要 Python 3.11 或更高版本，当前是 {found} / Python 3.11 or newer is needed, this is {found}")


def refuse_windows() -> None:
    if os.name != "posix":
        raise Stop("请在 Linux、macOS 或 WSL 中运行 / Please run this on Linux, macOS or WSL")


def refuse_taken_port(port: str) -> None:
    if not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise Stop(f"端口须是 1 到 65535 的整数，而不是 {port} / A port is a number from 1 to 65535, not {port}")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port just left is free, a listening one is not
        try:
            probe.bind(("127.0.0.1", int(port)))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            why = ("已被占用", "is in use") if taken else ("不能使用", "cannot be used")
            raise Stop(
                f"端口 {port} {why[0]}，请用 --port 另选一个 / Port {port} {why[1]}: choose another with --port"
            ) from None


def option(arguments: List[str], name: str) -> Optional[str]:
    """The value of `--name VALUE` or `--name=VALUE`; the last one counts, as in hub itself."""
    found = None
    for index, argument in enumerate(arguments):
        if argument == name:
            found = "".join(arguments[index + 1 : index + 2])
        elif argument.startswith(name + "="):
            found = argument[len(name) + 1 :]
    return found


# --- setting up -------------------------------------------------------------------------------------------------------


def prepare(kind: str) -> None:
    """Make the environment hold the lock `kind` and this project. Quick when it already does; safe to run twice."""
    if missing(kind):
        CACHE.mkdir(parents=True, exist_ok=True)
        with alone():
            install(kind)


def missing(kind: str) -> List[str]:
    """What has to be installed: the locked packages (named after their lock), the project with its front end."""
    installed, wanted = stamped(), fingerprints()
    left = [part for part in (kind, "project") if installed.get(part) != wanted[part]]
    unbuilt = (ROOT / "web/assets/package.json").is_file() and not (ROOT / "web/static").is_dir()
    return [*left, "project"] if unbuilt and "project" not in left else left


def fingerprints() -> Dict[str, str]:
    return {
        "run": digest([ROOT / "locks/run.txt"]),
        "dev": digest([ROOT / "locks/dev.txt"]),
        "project": digest([ROOT / "pyproject.toml", ROOT / "hatch_build.py", *front_end_sources()]),
    }


def front_end_sources() -> List[Path]:
    found = []
    for folder, inner, names in os.walk(str(ROOT / "web/assets")):
        inner[:] = [name for name in inner if name != "node_modules"]  # thousands of files: not even looked at
        found += [Path(folder, name) for name in names]
    return sorted(found)


def digest(paths: List[Path]) -> str:
    found = hashlib.sha256()
    for path in paths:
        found.update(str(path).encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def stamped() -> Dict[str, str]:
    """What an earlier run installed; nothing when the Python underneath has gone or become another version."""
    try:
        found = dict(json.loads(STAMP.read_text()))
    except (OSError, ValueError):
        return {}
    return found if found.get("python") == os.path.realpath(str(BIN / "python")) else {}


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Only one run.py installs at a time; a second one waits, and then finds everything done."""
    import fcntl

    with open(str(CACHE / "install.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install(kind: str) -> None:
    """Packages and front end at the same time: one waits for the network while the other computes."""
    parts, wanted = missing(kind), fingerprints()
    if not parts:
        return
    if not usable():
        make_environment()
    kept = {part: value for part, value in stamped().items() if part not in parts}
    STAMP.write_text(json.dumps(kept))  # incomplete from here on, should we be stopped half way
    with contextlib.ExitStack() as running:
        for step in [running.enter_context(install_step(part)) for part in parts]:
            step.wait()
    done = {**kept, **{part: wanted[part] for part in parts}, "python": os.path.realpath(str(BIN / "python"))}
    if kind == "dev":
        done["run"] = wanted["run"]  # dev.txt holds every line of run.txt
    STAMP.write_text(json.dumps(done))


def make_environment() -> None:
    refuse_foreign_folder()
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    with Step("[1/3] 建立 Python 环境 / making the Python environment", command) as step:
        step.wait()


def install_step(part: str) -> "Step":
    pip = [str(BIN / "python"), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    if part == "project":
        project = [*pip, "--no-deps", "--no-warn-conflicts", "--editable", str(ROOT)]
        return Step("[3/3] 构建界面 / building the front end", project)
    lock = ROOT / "locks" / (part + ".txt")
    count = len(re.findall("^[a-z0-9]", lock.read_text(), re.MULTILINE))
    title = f"[2/3] 安装 {count} 个软件包 / installing {count} packages"
    # Not compiled: that takes as long as the rest, and Python compiles the fifth that is used when it is used.
    return Step(title, [*pip, "--no-compile", "--require-hashes", "--requirement", str(lock)])


def usable() -> bool:
    """Whether the environment's own Python still starts with its pip: an upgraded system Python breaks the link."""
    probe = [str(BIN / "python"), "-c", "import pip"]
    return (BIN / "python").exists() and subprocess.call(probe, stderr=subprocess.DEVNULL) == 0


def refuse_foreign_folder() -> None:
    """The folder is emptied before use: never one that holds something else."""
    if VENV.exists() and any(VENV.iterdir()) and not (VENV / "pyvenv.cfg").is_file():
        raise Stop(
            f"{VENV} 里有其他文件，不会清空它，请换一个 HUB_VENV / "
            f"{VENV} holds other files and will not be emptied: choose another HUB_VENV"
        )


class Step:
    """One installing process with a line on the console; what it says goes to a log of its own."""

    def __init__(self, title: str, command: List[str]) -> None:
        self.title, self.command = title, command
        self.log = CACHE / ("install-%s.log" % re.sub(r"[^0-9]", "", title[:3]))

    def __enter__(self) -> "Step":
        constraint = str(ROOT / "locks/build.txt")  # isolated builds do not see the lock
        env = {**environment(), "PIP_USER": "0", "PIP_CONSTRAINT": constraint, "PIP_BUILD_CONSTRAINT": constraint}
        self.begun = time.monotonic()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=str(ROOT),
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # so that __exit__ reaches what it started, too
            )
        return self

    def wait(self) -> None:
        print(self.title + " …", end="", flush=True)
        code = self.process.wait()
        print(" %.0f s" % (time.monotonic() - self.begun), flush=True)
        if code != 0:
            raise Stop(explained(self.log))

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait()


def explained(log: Path) -> str:
    """The sentence for what an installer wrote before it failed, with the place where the rest stands."""
    text = log.read_bytes().decode("utf-8", "replace")
    known = [sentence for pattern, sentence in REASONS if re.search(pattern, text)]
    if shutil.disk_usage(str(VENV if VENV.exists() else ROOT)).free < 50_000_000:
        known.insert(0, DISK_FULL)  # venv does not pass on why its pip could not be unpacked
    return "%s（详见 / details: %s）" % ((known or ["安装失败 / The installation failed"])[0], log)


# --- the way out ------------------------------------------------------------------------------------------------------


def broken(error: OSError) -> str:
    """The sentence for a file or folder that could not be read or written."""
    where = error.filename or ROOT
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{NO_RIGHT}: {where}"
    if error.errno == errno.ENOSPC:
        return f"{DISK_FULL}: {where}"
    return f"{error.strerror}: {where}"


def entry() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        return main(sys.argv[1:])
    except Stop as stop:
        print(stop, file=sys.stderr)
    except OSError as error:
        print(broken(error), file=sys.stderr)
    except KeyboardInterrupt:
        print("已中断 / interrupted", file=sys.stderr)
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(entry())
