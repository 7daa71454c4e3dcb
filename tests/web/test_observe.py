"""Health that is true, readiness, figures for machines, and the same in words."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from sqlmodel import select
from starlette.applications import Starlette

from hub import clock
from hub.db import Context, unit_of_work
from hub.embedded import Valkey
from hub.i18n import room
from hub.models import Heartbeat, Message, Stream
from tests.sims.sandbox import SandboxProcess
from tests.web.casework import words
from tests.web.conftest import Visit
from tests.web.world import World
from web.app import create_app
from web.observe import health
from workflows import vitals
from workflows.bell import ArqBell
from workflows.house import House
from workflows.tagging.jobs import retag_messages, tag_messages
from workflows.vitals import backlog


@pytest.fixture
def queue_settings(ctx: Context, queue_url: str) -> Context:
    """The context with a real queue."""
    ctx.settings = ctx.settings.model_copy(update={"redis_url": queue_url})
    ctx.settings.__dict__.pop("queue", None)
    return ctx


async def beat(ctx: Context, **data: object) -> None:
    async with unit_of_work(ctx) as unit:
        row = await unit.get(Heartbeat, "worker:1") or Heartbeat(name="worker:1", kind="worker")
        row.at, row.data = clock.now(), dict(data)
        unit.add(row)


async def test_health_is_200_only_while_everything_lives(
    queue_settings: Context, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "KEPT_SECONDS", 0.0)
    answer = await client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["web"]["ok"]
    assert answer.json()["queue"]["ok"]
    assert not answer.json()["worker"]["ok"]
    await beat(queue_settings)
    answer = await client.get("/healthz")
    assert answer.status_code == 200
    assert set(answer.json()) == {"ok", "web", "worker", "queue"}
    with clock.frozen(clock.now() + timedelta(seconds=11)):
        answer = await client.get("/healthz")
        assert answer.status_code == 503
        assert answer.json()["worker"]["age"] >= 11


async def test_a_killed_worker_is_missed_at_once(
    queue_settings: Context, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last sign of life is fresh, and still: its process is gone, even before its parent has noticed."""
    monkeypatch.setattr(health, "KEPT_SECONDS", 0.0)
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    await beat(queue_settings, **{**vitals.here(), "pid": process.pid})
    assert (await client.get("/healthz")).status_code == 200
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    answer = await client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["worker"]["why"] == "后台任务进程已经结束"
    process.wait()
    assert (await client.get("/healthz")).status_code == 503
    await beat(queue_settings, **{**vitals.here(), "pid": process.pid, "place": "another machine"})
    assert (await client.get("/healthz")).status_code == 200, "its numbers mean nothing here"


async def test_a_dead_queue_is_named(ctx: Context, tmp_path: Path, app: Starlette, client: httpx.AsyncClient) -> None:
    await beat(ctx)
    ctx.settings = ctx.settings.model_copy(update={"redis_url": f"unix://{tmp_path}/nobody.sock"})
    ctx.settings.__dict__.pop("queue", None)
    answer = await client.get("/healthz")
    assert answer.status_code == 503
    assert [part for part, sign in answer.json().items() if part != "ok" and not sign["ok"]] == ["queue"]


async def test_the_sandbox_counts_where_one_is_configured(
    queue_settings: Context, client: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "KEPT_SECONDS", 0.0)
    await beat(queue_settings)
    process = SandboxProcess(tmp_path / "sandbox")
    url = process.start()
    try:
        queue_settings.settings = queue_settings.settings.model_copy(update={"sandbox_url": url})
        answer = await client.get("/healthz")
        assert answer.json()["sandbox"]["ok"], answer.text
        assert answer.status_code == 200
    finally:
        process.kill()
    answer = await client.get("/healthz")
    assert answer.status_code == 503
    assert not answer.json()["sandbox"]["ok"]


async def test_answers_are_kept_for_a_moment(queue_settings: Context, client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).status_code == 503
    await beat(queue_settings)
    assert (await client.get("/healthz")).status_code == 503


async def test_ready_needs_the_newest_shape(ctx: Context, client: httpx.AsyncClient) -> None:
    assert (await client.get("/readyz")).json() == {"ok": True}
    async with unit_of_work(ctx) as unit:
        await unit.run(text("UPDATE alembic_version SET version_num = 'older'"))
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert "hub migrate" in answer.json()["why"]


async def test_a_database_that_is_away(app: Starlette, ctx: Context, client: httpx.AsyncClient, tmp_path: Path) -> None:
    await ctx.engine.dispose()
    for path in tmp_path.glob("hub.db*"):
        path.unlink()
    (tmp_path / "hub.db").mkdir()
    assert (await client.get("/readyz")).status_code == 503
    answer = await client.get("/healthz")
    assert answer.status_code == 503
    assert not answer.json()["web"]["ok"]
    # Threads of connections that were never made still answer to the loop, which ends with this test.
    for thread in [one for one in threading.enumerate() if "_connection_worker_thread" in one.name]:
        await asyncio.to_thread(thread.join, 2)


def values(exposition: str) -> dict[str, float]:
    return {
        sample.name + str(sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
    }


async def test_figures_are_those_of_the_rows(queue_settings: Context, client: httpx.AsyncClient, world: World) -> None:
    now = clock.now()
    await beat(
        queue_settings,
        deliveries={"at": (now - timedelta(seconds=7)).isoformat()},
        jobs={"tag_messages": {"error": "OSError"}},
    )
    async with unit_of_work(queue_settings) as unit:
        stream = await unit.one(select(Stream))
        stream.pulled_at, stream.failures = now - timedelta(seconds=90), 3
        for message in await unit.all(select(Message)):
            message.received_at = now - timedelta(seconds=600)
    bell = ArqBell(queue_settings.settings.queue)
    await bell.ring("tag_messages")
    await bell.close()
    await client.get("/login")
    found = values((await client.get("/metrics")).text)
    assert found["hub_deliveries[('state', 'unknown')]"] == 2
    assert found["hub_deliveries[('state', 'sent')]"] == 0
    assert found["hub_arrivals_quarantined[]"] == 2
    assert found["hub_messages_untagged[]"] == 2
    assert (found["hub_kept_files[]"], found["hub_kept_files_bytes[]"]) == (2, 16)
    assert 600 <= found["hub_messages_untagged_age_seconds[]"] < 660
    assert 7 <= found["hub_sweep_age_seconds[]"] < 60
    assert found["hub_queue_jobs[]"] == 1
    assert found["hub_job_failing[('job', 'tag_messages')]"] == 1
    labels = f"[('account', '{world.account_id}'), ('stream', 'mentions')]"
    assert 90 <= found[f"hub_pull_age_seconds{labels}"] < 150
    assert found[f"hub_pull_failures{labels}"] == 3
    assert found["hub_up[('part', 'worker')]"] == 1
    asked = "hub_http_request_seconds_count[('method', 'GET'), ('route', '/login'), ('status', '200')]"
    assert found[asked] == 1


async def test_the_queues_age_is_that_of_its_oldest_job(queue_settings: Context) -> None:
    bell = ArqBell(queue_settings.settings.queue)
    await bell.ring("pull_due")
    await bell.close()
    with clock.frozen(clock.now() + timedelta(seconds=40)):
        waiting = await backlog(queue_settings.settings)
    assert waiting
    assert 39 < waiting.age < 60


@pytest.fixture
async def stranger(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """A machine elsewhere."""
    transport = httpx.ASGITransport(app=app, client=("203.0.113.7", 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client:
        yield client


async def test_figures_are_for_this_machine_or_the_token(stranger: httpx.AsyncClient, ctx: Context) -> None:
    assert (await stranger.get("/metrics")).status_code == 403
    assert (await stranger.get("/metrics", headers={"Authorization": "Bearer "})).status_code == 403
    ctx.settings = ctx.settings.model_copy(update={"metrics_token": "let-me-in"})
    assert (await stranger.get("/metrics", headers={"Authorization": "Bearer wrong"})).status_code == 403
    assert (await stranger.get("/metrics", headers={"Authorization": "Bearer let-me-in"})).status_code == 200


async def test_figures_name_routes_not_addresses(client: httpx.AsyncClient) -> None:
    for number in range(30):
        await client.get(f"/nowhere/{number}")
        await client.get(f"/accounts/{number}")
    exposition = (await client.get("/metrics")).text
    assert "/nowhere/7" not in exposition
    assert "/accounts/7" not in exposition
    assert 'route="/accounts/{account_id:int}"' in exposition


async def test_the_status_page_says_it_in_words(queue_settings: Context, visit: Visit, valkey: Valkey) -> None:
    async with visit("administrator") as client:
        page = (await client.get("/admin/status")).text
        for words in (
            "后台任务进程从未启动",
            "hub worker",
            "隔离区",
            "澄江发布 · 提及",
            "从未读取",
            "处要留意",
            "2 个文件，占 16 B",
        ):
            assert words in page, words
        await beat(queue_settings, deliveries={"at": clock.now().isoformat()}, jobs={})
        part = (await client.get("/admin/status?part=figures")).text
        assert "<html" not in part
        assert "定时巡检" in part


@pytest.mark.parametrize(
    ("size", "said"), [(1023, "1023 B"), (2048, "2.0 KB"), (3_355_443, "3.2 MB"), (2**40, "1024.0 GB")]
)
def test_room_is_told_in_units_one_can_read(size: int, said: str) -> None:
    assert room(size) == said


async def test_the_app_is_made_from_a_house_and_gives_it_back(house: House) -> None:
    app = create_app(house)
    async with app.router.lifespan_context(app):
        assert not app.state.feed.streams


async def test_who_hangs_up_is_no_fault(app: Starlette) -> None:
    """The asker goes away in the middle of a body: nothing is answered, nothing counts as broken."""
    body = [{"type": "http.request", "body": b"username=a", "more_body": True}, {"type": "http.disconnect"}]
    answered: list[Any] = []

    async def receive() -> Any:
        return body.pop(0)

    async def send(message: Any) -> None:
        answered.append(message)

    headers = [
        (b"host", b"hub.test"), (b"content-type", b"application/x-www-form-urlencoded"),
        (b"cookie", b"hub_before=visitor"), (b"x-csrf-token", b"visitor"),
    ]  # fmt: skip
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "path": "/login",
        "raw_path": b"/login", "query_string": b"", "root_path": "", "scheme": "http", "headers": headers,
        "client": ("127.0.0.1", 1), "server": ("hub.test", 80),
    }  # fmt: skip
    with structlog.testing.capture_logs() as lines:
        await app(scope, receive, send)
    assert answered == []
    assert [(line["log_level"], line["status"]) for line in lines] == [("info", 499)]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub.test") as client:
        figures = (await client.get("/metrics")).text
    assert "hub_http_faults_total 0.0" in figures
    assert 'route="/login",status="499"' in figures


async def test_an_administrator_sees_and_starts_retagging(visit: Visit, house: House) -> None:
    async with visit("administrator") as client:
        before = words((await client.get("/admin/status")).text)
        answer = await client.post("/admin/status/retag")
        running = words((await client.get("/admin/status?part=figures")).text)
        await tag_messages(house)  # new messages come first
        await retag_messages(house)
        done = words((await client.get("/admin/status?part=figures")).text)
    assert "等待开始" in before
    assert answer.headers["location"] == "/admin/status#renewal"
    assert "正在重新打标" in running
    assert "全部留言都是最新的标签" in done
