"""Signs of life of what the hub stands on: asked by health checks and the status page, never by other pages."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from connectors.base import AccountRef, ConnectorError, ErrorKind
from hub import clock
from hub.settings import Settings
from workflows.bell import QUEUE
from workflows.house import House


def here() -> dict[str, str | int]:
    """Where this process runs: its number, and what the number is counted in (machine and, on Linux, container)."""
    try:
        counted_in = os.readlink("/proc/self/ns/pid")
    except OSError:
        counted_in = ""
    return {"pid": os.getpid(), "place": f"{socket.gethostname()} {counted_in}"}


def has_ended(told: Mapping[str, Any]) -> bool:
    """Whether the process that told where it runs (:func:`here`) is gone. False where we cannot know."""
    pid = told.get("pid")
    if not isinstance(pid, int) or told.get("place") != here()["place"]:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _is_husk(pid)


def _is_husk(pid: int) -> bool:
    """Whether the process has ended and only waits for its parent to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (OSError, IndexError):
        return False


@dataclass(frozen=True, slots=True)
class Backlog:
    """Jobs rung for and not yet taken; ``age``: seconds the oldest of them waits."""

    jobs: int
    age: float


async def queue_answers(settings: Settings) -> bool:
    """Whether the queue answers a PING. Never raises."""
    client = _client(settings)
    try:
        return bool(await client.ping())
    except (RedisError, OSError):
        return False
    finally:
        await client.aclose()


async def backlog(settings: Settings) -> Backlog | None:
    """What waits in the queue; None when it does not answer. Never raises."""
    client, now = _client(settings), clock.now()
    try:
        due = await client.zrangebyscore(QUEUE, "-inf", int(now.timestamp() * 1000), 0, 1, withscores=True)
        jobs = int(await client.zcard(QUEUE))
    except (RedisError, OSError):
        return None
    finally:
        await client.aclose()
    oldest = datetime.fromtimestamp(float(due[0][1]) / 1000, UTC) if due else now
    return Backlog(jobs, max(0.0, (now - oldest).total_seconds()))


def _client(settings: Settings) -> Redis:
    client: Redis = Redis.from_url(settings.queue, socket_timeout=1.0, socket_connect_timeout=1.0)
    return client


async def sandbox_answers(house: House) -> bool:
    """Whether the sandbox platform answers at all; being refused without a token is an answer too."""
    url = house.ctx.settings.sandbox_url
    connector = house.platforms.get("sandbox")
    if connector is None or not url:
        return False
    nobody = AccountRef(id=0, platform="sandbox", name="", external_id="", base_url=url)
    try:
        await connector.check(nobody)
    except ConnectorError as error:
        return error.kind is not ErrorKind.transient
    return True
