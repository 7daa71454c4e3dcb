"""Signs of life of what the hub stands on: asked by health checks, never by pages."""

from __future__ import annotations

from redis.asyncio import Redis
from redis.exceptions import RedisError

from connectors.base import AccountRef, ConnectorError, ErrorKind
from hub.settings import Settings
from workflows.house import House


async def queue_answers(settings: Settings) -> bool:
    """Whether the queue answers a PING. Never raises."""
    client = Redis.from_url(settings.queue, socket_timeout=1.0, socket_connect_timeout=1.0)
    try:
        return bool(await client.ping())
    except (RedisError, OSError):
        return False
    finally:
        await client.aclose()


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
