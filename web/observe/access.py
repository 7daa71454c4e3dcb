"""The outermost layer: a number for every request, one log line, counted times, and no fault without an answer."""

from __future__ import annotations

import time
import traceback
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from sqlalchemy.exc import StatementError
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub import crypto, log
from web.errors import crashed

_log = log.get("web")
BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0)
# What servers write down when the asker hung up before the request was read: nobody is there to be answered.
HUNG_UP = 499
# Asked every few seconds by machines: not worth a line each.
# Paths whose last part nobody but the holder may know.
SECRET = ("/hooks/", "/imports/files/")
LONGEST = 300
QUIET = ("/static/", "/healthz", "/readyz", "/metrics", "/poll")


class Counted:
    """Request counts and times by route and status."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.seconds = Histogram(
            "hub_http_request_seconds", "Time to answer, seconds", ("method", "route", "status"),
            buckets=BUCKETS, registry=registry,
        )  # fmt: skip
        self.faults = Counter("hub_http_faults_total", "Requests that ended in a fault of the hub", registry=registry)


class Access:
    """Wraps everything. The route's pattern, not the address, goes into the figures: addresses have no end."""

    def __init__(self, app: ASGIApp, counted: Counted) -> None:
        self.app, self.counted = app, counted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        number, begun, status = crypto.new_token()[:12], time.perf_counter(), 0
        scope.setdefault("state", {})["request_id"] = number
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=number)

        async def send_numbered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = number
            await send(message)

        try:
            await self.app(scope, receive, send_numbered)
        except ClientDisconnect:
            status = status or HUNG_UP
        except Exception as error:  # noqa: BLE001 -- the last net: whatever it is, the person gets words and a number
            self.counted.faults.inc()
            _log.error("request failed", path=_place(scope), method=scope["method"], **what_happened(error))
            if not status:
                response = await crashed(Request(scope), number)
                await response(scope, receive, send_numbered)
        finally:
            self._note(scope, status, time.perf_counter() - begun)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = scope["route"].path if "route" in scope else "none"
        self.counted.seconds.labels(scope["method"], route, str(status)).observe(seconds)
        if scope["path"].startswith(QUIET) and status < 500:
            return
        who: Any = scope["state"].get("actor")
        _log.info(
            "request", method=scope["method"], path=_place(scope), status=status, ms=round(seconds * 1000, 1),
            user=who.user_id if who else None,
        )  # fmt: skip


def _place(scope: Scope) -> str:
    """The path, or the route's pattern where the path itself is the secret: push addresses, files being imported."""
    path: str = scope["path"]
    if not path.startswith(SECRET):
        return path[:LONGEST]
    return scope["route"].path if "route" in scope else path.rpartition("/")[0] + "/…"


def what_happened(error: BaseException) -> dict[str, str]:
    """Kind and place of a fault. Database errors carry row values in their text: only their kind is kept."""
    silent = isinstance(error, StatementError)
    frames = "".join(traceback.format_tb(error.__traceback__)[-12:])
    return {"kind": type(error).__name__, "said": "" if silent else log.outline(str(error))[:300], "frames": frames}
