"""run.py: one command sets everything up, hands over to the hub, and says in one sentence what stands in the way.

A project in small stands in for ours, so that nothing is fetched: no dependency, and a package that needs nothing to
be built. Everything else is real: the virtual environment, pip, the processes and their signals.
"""

from __future__ import annotations

import ast
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

import run
from web.cli.serve import demo as demo_command

ROOT = Path(__file__).resolve().parent.parent
NAMESPACE = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--"]
CONTAINER = ["unshare", "--user", "--map-root-user", "--mount", "--"]

PROJECT = """
[build-system]
requires = []
build-backend = "hatch_build"
backend-path = ["."]
"""
BACKEND = """
import base64, hashlib, zipfile
from pathlib import Path

def build_editable(folder, settings=None, metadata=None):
    info = "small-1.dist-info/"
    files = {
        "small.pth": str(Path.cwd()),
        info + "METADATA": "Metadata-Version: 2.1\\nName: small\\nVersion: 1\\n",
        info + "WHEEL": "Wheel-Version: 1.0\\nGenerator: small\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        info + "entry_points.txt": "[console_scripts]\\nhub = small_hub:main\\n",
    }
    hashes = {n: base64.urlsafe_b64encode(hashlib.sha256(t.encode()).digest()).rstrip(b"=") for n, t in files.items()}
    files[info + "RECORD"] = "".join(f"{n},sha256={h.decode()},{len(files[n])}\\n" for n, h in hashes.items())
    with zipfile.ZipFile(Path(folder) / "small-1-py3-none-any.whl", "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    with open("builds.log", "a") as log:
        log.write("built\\n")
    return "small-1-py3-none-any.whl"
"""
HUB = """
import os, signal, sys, time

def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(8))
    print(os.getpid(), *sys.argv[1:], flush=True)
    if "--exit" in sys.argv:
        sys.exit(int(sys.argv[sys.argv.index("--exit") + 1]))
    time.sleep(60)
"""


class Small:
    """The project in small, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "locks").mkdir(parents=True)
        for name in ("run", "dev", "build"):
            self.lock(name, "")
        (folder / "pyproject.toml").write_text(PROJECT)
        (folder / "hatch_build.py").write_text(BACKEND)
        (folder / "small_hub.py").write_text(HUB)
        shutil.copyfile(ROOT / "run.py", folder / "run.py")

    def lock(self, name: str, text: str) -> None:
        (self.folder / "locks" / f"{name}.txt").write_text(text)

    def start(self, *arguments: str, prefix: list[str] | None = None, **environment: str) -> subprocess.Popen[str]:
        """run.py in nearly the environment of a fresh login."""
        env = {"PATH": os.defpath, "HOME": str(self.folder), "LANG": "C.UTF-8", "PIP_CONFIG_FILE": os.devnull}
        return subprocess.Popen(
            [*(prefix or []), sys.executable, str(self.folder / "run.py"), *arguments],
            env={**env, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, prefix: list[str] | None = None, **environment: str) -> tuple[int, str, str]:
        """Exit code, what it printed, what it complained about."""
        process = self.start(*arguments, prefix=prefix, **environment)
        out, err = process.communicate(timeout=120)
        assert "Traceback" not in err
        return process.returncode, out, err

    @property
    def builds(self) -> int:
        log = self.folder / "builds.log"
        return log.read_text().count("built") if log.exists() else 0


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """Set up once; what it printed is kept beside it."""
    small = Small(tmp_path_factory.mktemp("small") / "project")
    code, out, err = small.run("demo", "--port", free_port(), "--exit", "0")
    assert code == 0, err
    (small.folder / "first.txt").write_text(out)
    return small


@pytest.fixture
def small(tmp_path: Path) -> Small:
    """Nothing is set up."""
    return Small(tmp_path / "project")


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def works(prefix: list[str]) -> bool:
    return shutil.which(prefix[0]) is not None and subprocess.call([*prefix, "true"], stderr=subprocess.DEVNULL) == 0


# --- handing over -----------------------------------------------------------------------------------------------------


def test_the_first_start_tells_its_steps_and_the_second_does_nothing(ready: Small) -> None:
    first = (ready.folder / "first.txt").read_text()
    assert [line[:5] for line in first.splitlines() if line.startswith("[")] == ["[1/3]", "[2/3]", "[3/3]"]
    before = ready.builds
    code, out, err = ready.run("demo", "--port", free_port(), "--exit", "0")
    assert (code, err) == (0, "")
    assert out.count("\n") == 1
    assert ready.builds == before


def test_a_start_adds_less_than_a_third_of_a_second(ready: Small) -> None:
    """Of computing, best of five: the machine has other work."""

    def spent() -> float:
        used = os.times()
        return used.children_user + used.children_system

    def best(*command: str) -> float:
        times = []
        for _ in range(5):
            begun = spent()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            times.append(spent() - begun)
        return min(times)

    direct = best(str(ready.folder / ".venv/bin/hub"), "demo", "--exit", "0")
    through = best(sys.executable, str(ready.folder / "run.py"), "demo", "--port", free_port(), "--exit", "0")
    assert through - direct < 0.3


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 7), (signal.SIGINT, 8)])
def test_signals_reach_the_hub_and_its_exit_code_comes_back(ready: Small, number: signal.Signals, code: int) -> None:
    process = ready.start("demo", "--port", free_port())
    assert process.stdout is not None
    assert process.stdout.readline().split()[0] == str(process.pid)  # the very same process
    process.send_signal(number)
    process.communicate(timeout=10)
    assert process.returncode == code


def test_arguments_go_through_and_folders_are_where_the_person_stands(ready: Small, tmp_path: Path) -> None:
    port = free_port()
    out = subprocess.run(
        [sys.executable, ready.folder / "run.py", "demo", "--fresh", "--port", port, "--data", "here", "--exit", "0"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "demo --fresh --port" in out
    assert out.split()[-2:] == ["--data", str(tmp_path / "here")]


def test_only_what_changed_is_done_again(ready: Small) -> None:
    before, style = ready.builds, ready.folder / "web/assets/css/page.css"
    style.parent.mkdir(parents=True)
    style.write_text("a {}")
    modules = ready.folder / "web/assets/node_modules/thing"
    code, out, _ = ready.run("demo", "--port", free_port(), "--exit", "0")
    assert code == 0
    assert "[3/3]" in out
    assert "[2/3]" not in out
    assert ready.builds > before
    modules.mkdir(parents=True)
    (modules / "index.js").write_text("")
    assert "[3/3]" not in ready.run("demo", "--port", free_port(), "--exit", "0")[1]


def test_every_check_has_a_line_and_one_failure_fails_all(ready: Small) -> None:
    tools = ready.folder / ".venv/bin"
    for name, script in {"ruff": "exit 0", "mypy": "echo wrong type; exit 1", "lint-imports": "exit 0"}.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    (ready.folder / "small_hub.py").write_text("def main():\n    pass\n")
    code, out, _ = ready.run("check")
    (ready.folder / "small_hub.py").write_text(HUB)
    lines = {line[:14].strip(): line.split() for line in out.splitlines() if line.endswith(" s")}
    assert code == 1
    assert "wrong type" in out
    assert {name: words[-3] for name, words in lines.items() if not name.startswith("[")} == {
        "ruff check": "ok",
        "ruff format": "ok",
        "mypy": "failed",
        "lint-imports": "ok",
        "migrations": "ok",
        "catalogues": "ok",
        "tests": "failed",  # pytest is not installed in the small project
    }


def test_a_stopped_installation_leaves_no_process_behind(ready: Small) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection and never answers
        ready.lock("run", "absent==1 --hash=sha256:" + "0" * 64 + "\n")
        index = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
        process = ready.start("demo", "--port", free_port(), PIP_INDEX_URL=index)
        silent.settimeout(60)
        connection, _ = silent.accept()
        children = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        _, err = process.communicate(timeout=20)
        connection.close()
    ready.lock("run", "")
    assert process.returncode == 128 + signal.SIGTERM
    assert "Traceback" not in err
    assert children
    assert [child for child in psutil.wait_procs(children, timeout=5)[1] if child.is_running()] == []


def test_two_at_once_install_once(ready: Small) -> None:
    ready.lock("run", "# changed\n")
    both = [ready.start("demo", "--port", free_port(), "--exit", "0") for _ in range(2)]
    ends = [(process.communicate(timeout=120), process.returncode) for process in both]
    ready.lock("run", "")
    assert [code for _, code in ends] == [0, 0], ends
    assert sum("[2/3]" in out for (out, _), _ in ends) == 1


# --- what stands in the way -------------------------------------------------------------------------------------------


def assert_one_sentence(code: int, err: str, chinese: str, english: str) -> None:
    assert code not in (0, 2)
    assert chinese in err
    assert english in err
    assert err.count("\n") == 1


def test_a_port_in_use_is_said_before_anything_is_installed(small: Small) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        code, _, err = small.run("demo", f"--port={port}")
    assert_one_sentence(code, err, f"端口 {port} 已被占用", f"Port {port} is in use")
    assert not (small.folder / ".venv").exists()


@pytest.mark.parametrize("port", ["eighty", "0", "70000", "-1", ""])
def test_a_port_that_is_none(small: Small, port: str) -> None:
    code, _, err = small.run("demo", "--port", port)
    assert_one_sentence(code, err, "端口须是", "A port is a number")


def test_no_network(ready: Small) -> None:
    ready.lock("run", "absent==1 --hash=sha256:" + "0" * 64 + "\n")
    code, out, err = ready.run(
        "demo", "--port", free_port(), PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="0"
    )
    ready.lock("run", "")
    assert_one_sentence(code, err, "无法访问软件包源", "The package index cannot be reached")
    assert "[2/3]" in out
    assert (ready.folder / ".cache/install-2.log").read_text()
    assert str(ready.folder / ".cache/install-2.log") in err


def test_a_package_that_was_changed_on_the_way(ready: Small, tmp_path: Path) -> None:
    (tmp_path / "other-1-py3-none-any.whl").write_bytes(b"not what was locked")
    ready.lock("run", "other==1 --hash=sha256:" + "0" * 64 + "\n")
    code, _, err = ready.run("demo", "--port", free_port(), PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path))
    ready.lock("run", "")
    assert_one_sentence(code, err, "校验和不符", "does not match its checksum")


def test_no_right_to_write(small: Small) -> None:
    """Even root obeys the rights of a folder inside a namespace where it is somebody else."""
    prefix = NAMESPACE if os.geteuid() == 0 else []
    if prefix and not works(prefix):
        pytest.skip("root may write everywhere, and user namespaces are forbidden here")
    small.folder.chmod(0o555)
    code, _, err = small.run("demo", "--port", free_port(), prefix=prefix)
    small.folder.chmod(0o755)
    assert_one_sentence(code, err, "没有写入权限", "No right to write here")


def test_a_full_disk(small: Small, tmp_path: Path) -> None:
    if not works(CONTAINER):
        pytest.skip("no right to mount a tiny disk here")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = [*CONTAINER, "sh", "-c", f'mount -t tmpfs -o size=1m tiny {disk} && exec "$@"', "sh"]
    code, _, err = small.run("demo", "--port", free_port(), prefix=mount, HUB_VENV=str(disk / "venv"))
    assert_one_sentence(code, err, "磁盘已满", "The disk is full")


def test_a_folder_with_other_files_is_never_emptied(small: Small, tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    code, _, err = small.run("demo", "--port", free_port(), HUB_VENV=str(tmp_path))
    assert_one_sentence(code, err, "不会清空", "will not be emptied")
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_a_python_that_is_too_old(small: Small) -> None:
    pretended = (
        f"import runpy, sys; sys.version_info = (3, 9, 2); sys.argv = [{str(small.folder / 'run.py')!r}, 'demo']"
    )
    code, err = python(f"{pretended}; runpy.run_path(sys.argv[0], run_name='__main__')")
    assert_one_sentence(code, err, "需要 Python 3.11", "newer is needed, this is 3.9.2")


def test_an_old_python_can_read_the_file() -> None:
    ast.parse((ROOT / "run.py").read_text(), feature_version=(3, 6))


def test_a_python_without_venv(small: Small, tmp_path: Path) -> None:
    """Debian's own message, by a stand-in for its Python."""
    stand_in = tmp_path / "python3"
    message = "The virtual environment was not created successfully because ensurepip is not available."
    stand_in.write_text(f"#!/bin/sh\necho '{message}' >&2\nexit 1\n")
    stand_in.chmod(0o755)
    arguments = [str(small.folder / "run.py"), "demo", "--port", free_port()]
    code, err = python(
        f"import runpy, sys; sys.executable = {str(stand_in)!r}; sys.argv = {arguments!r}; "
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    assert_one_sentence(code, err, "缺少 venv 模块", "apt install python3-venv")


def python(code: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("npm error code ENOTFOUND", "无法访问软件包源"),
        ("npm error errno SELF_SIGNED_CERT_IN_CHAIN", "证书不受信任"),
        ("OSError: [Errno 28] No space left on device", "磁盘已满"),
        ("npm error code EINTEGRITY", "校验和不符"),
        ("something nobody has seen", "安装失败"),
    ],
)
def test_what_an_installer_wrote_becomes_a_sentence(tmp_path: Path, written: str, sentence: str) -> None:
    log = tmp_path / "install.log"
    log.write_text(f"Collecting …\n{written}\n")
    assert sentence in run.explained(log)
    assert str(log) in run.explained(log)


# --- smaller promises -------------------------------------------------------------------------------------------------


def test_unknown_commands_show_the_usage(small: Small) -> None:
    code, out, err = small.run("fly")
    assert (code, out) == (2, "")
    assert "python3 run.py demo" in err
    assert small.run("--help")[:2] == (0, textwrap.dedent(str(run.__doc__)) + "\n")


@pytest.mark.parametrize("command", ["demo", "test", "check", "bench", "screenshots"])
def test_help_is_shown_before_anything_is_installed(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "prepare", lambda _group: pytest.fail("nothing was to be installed"))
    for asked in ("-h", "--help"):
        assert run.main([command, asked]) == 0
        assert capsys.readouterr().out == f"{run.__doc__}\n"


def test_the_port_is_the_one_of_the_hub() -> None:
    default = next(option.default for option in demo_command.params if option.name == "port")
    assert default == run.PORT


@pytest.mark.parametrize(
    ("arguments", "parallel"),
    [([], True), (["-q"], True), (["tests/hub"], False), (["-n0"], False), (["-k", "x"], False), (["--pdb"], False)],
)
def test_everything_runs_side_by_side_and_one_file_alone(arguments: list[str], parallel: bool) -> None:
    assert bool(run.side_by_side(arguments)) is parallel


@pytest.mark.xdist_group("held")
def test_groups_of_tests_hold(request: pytest.FixtureRequest) -> None:
    """xdist writes a group into node ids: where that has no effect, tests that need the machine run side by side."""
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("one process runs everything")
    assert request.node.nodeid.endswith("@held"), "this pytest and this xdist do not go together"
