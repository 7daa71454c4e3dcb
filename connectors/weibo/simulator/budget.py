"""How often the platform lets itself be called, and what it says when that is used up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from connectors.moments import BEIJING
from connectors.sandbox.server import clock
from connectors.sandbox.server.faults import Refusal
from connectors.weibo.simulator.state import WeiboStore, began_at

DAY, HOUR = 86_400.0, 3_600.0
HERE = "127.0.0.1"
# Asking what is left costs nothing.
FREE = frozenset({"/2/account/rate_limit_status.json"})


# Which operations have a window of their own, and the setting with its number.
WRITES = {"publish": "writes_per_hour", "comment": "comments_per_hour"}


def charge(store: WeiboStore, uid: str, path: str, operation: str) -> None:
    """Count one call; :class:`Refusal` when a window is used up."""
    if path in FREE:
        return
    if not store.spend(HERE, "ip", store.setting("calls_per_hour_from_one_address"), HOUR):
        raise Refusal(10022, 403)
    if not store.spend(uid, "all", store.setting("calls_per_day"), DAY):
        raise Refusal(10023, 403)
    if operation in WRITES and not store.spend(uid, operation, store.setting(WRITES[operation]), HOUR):
        raise Refusal(20016, 403)


def standing(store: WeiboStore, uid: str) -> dict[str, Any]:
    """The answer of ``account/rate_limit_status``."""
    now = clock.now()
    day, hour = began_at(now, DAY), began_at(now, HOUR)
    most = int(store.setting("calls_per_day"))
    ip = int(store.setting("calls_per_hour_from_one_address"))
    seconds = int(day + DAY - now)
    return {
        "ip_limit": ip,
        "limit_time_unit": "DAYS",
        "remaining_ip_hits": max(0, ip - store.used(HERE, "ip", hour)),
        "remaining_user_hits": max(0, most - store.used(uid, "all", day)),
        "reset_time": clock_text(day + DAY),
        "reset_time_in_seconds": seconds,
        "user_limit": most,
        "api_rate_limits": [
            {
                "api": api,
                "limit": int(store.setting(WRITES[operation])),
                "limit_time_unit": "HOURS",
                "remaining_hits": max(0, int(store.setting(WRITES[operation])) - store.used(uid, operation, hour)),
            }
            for api, operation in (("/statuses/share", "publish"), ("/comments/create", "comment"))
        ],
    }


def clock_text(seconds: float) -> str:
    """``2026-11-28 00:00:00`` in Beijing."""
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"
