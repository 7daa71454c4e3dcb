"""Memory of the whole demo: proportional set size of the whole process tree, after people have worked on it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil

from bench import ground, running
from bench.figures import Figure
from web.demo.city import LOGINS

MARK_MB = 500.0
PEOPLE = ("press", "dispatch", "leader", "admin")
PAGES = (
    "/", "/desk", "/messages", "/cases", "/search?q=路灯", "/opinion", "/posts", "/posts/1", "/posts/new",
    "/calendar", "/deliveries", "/reviews", "/plans", "/rules", "/words", "/accounts", "/learning", "/learning/report",
    "/admin",
)  # fmt: skip
TEXT = "关于临时停水的通告\n因管道检修，11月30日8时至18时城东片区停水，请市民提前储水。咨询电话：0731-88880000。"


def run() -> Iterator[Figure]:
    """Of the tree, and of its largest process."""
    with ground.folder() as data, running.demo(data) as (pid, port):
        read, checked = _work(f"http://127.0.0.1:{port}", data)
        time.sleep(5)
        tree = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        sizes = [process.memory_full_info().pss / 2**20 for process in tree]
    total = sum(sizes)
    what = (
        f"{len(sizes)} processes, the largest {max(sizes):.0f} MB; {read} pages read, {checked} texts checked; "
        "mark: at most"
    )
    yield Figure("demo_memory", round(total), "MB", MARK_MB, round(total / MARK_MB, 2), what)


def _work(address: str, data: Path) -> tuple[int, int]:
    """Sign in as PEOPLE, read PAGES and check a text as far as each of them may; how many answered."""
    known = json.loads((data / LOGINS).read_text(encoding="utf-8"))
    read = checked = 0
    for name in PEOPLE:
        with httpx.Client(base_url=address, follow_redirects=True, timeout=30) as client:
            form = {"csrf": _csrf(client.get("/login").text), "username": name, "password": known["password"]}
            client.post("/login", data=form).raise_for_status()
            read += sum(client.get(page).is_success for page in PAGES)
            read += sum(client.get(case).is_success for case in _CASE.findall(client.get("/cases").text)[:5])
            form = {"csrf": _csrf(client.get("/posts/new").text), "title": "", "body": TEXT}
            checked += client.post("/posts/check", data=form).is_success
    assert checked, "no text was checked"
    return read, checked


_CASE = re.compile(r'href="(/cases/\d{8}-\d+)"')


def _csrf(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    return found[1] if found else ""
