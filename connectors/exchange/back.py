"""What goes back about an order: its result, where it stands, and the receipt for either. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from connectors.base import ConnectorError, Effect, ErrorKind, Outgoing
from connectors.exchange.form import ANSWERED
from connectors.stages import word_of
from connectors.text import one_line

RECEIPT = "receipt"


def result_of(out: Outgoing, statuses: Mapping[str, str], now: datetime) -> dict[str, str]:
    """The result under the neutral names; ``statuses``: our words → their codes."""
    said = {"event_id": out.key, "order_id": out.target_id, "status": statuses.get(ANSWERED, "answered")}
    return said | {"result": out.text, "answered_at": now.isoformat()} | _in_charge(out)


def event_of(out: Outgoing, statuses: Mapping[str, str], now: datetime) -> dict[str, str]:
    """Where the order stands; why, where there is a reason."""
    assert out.stage is not None
    status = statuses.get(word_of(out.stage), out.stage.value)
    said = {"event_id": out.key, "order_id": out.target_id, "status": status, "at": (out.at or now).isoformat()}
    return said | ({"reason": out.text} if out.text else {}) | _in_charge(out)


def _in_charge(out: Outgoing) -> dict[str, str]:
    said = {"department": out.department, "department_code": out.department_code}
    return {name: value for name, value in said.items() if value}


def receipt_of(body: bytes, names: Mapping[str, str], key: str) -> dict[str, str]:
    """Their own number for what they took, to be kept; raises where their answer speaks of another event, or is a web
    page: something stands between us, and nobody knows whether they have it."""
    if body.lstrip()[:1] == b"<":
        raise _not_theirs("对方系统返回的是网页，不是回执，正在核实对方收到没有", "html")
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return {}  # "OK", or nothing: the status says it
    if not isinstance(told, dict):
        return {}
    number = told.get(names.get("event_id", "event_id"), key)
    if number is not None and str(number) != key:
        raise _not_theirs("对方系统的回执写的是另一个编号，正在核实对方收到没有", "receipt")
    receipt = told.get(names.get(RECEIPT, RECEIPT))
    return {RECEIPT: one_line(str(receipt))[:200]} if isinstance(receipt, (str, int)) and receipt else {}


def _not_theirs(human: str, code: str) -> ConnectorError:
    return ConnectorError(ErrorKind.protocol, human, code=code, effect=Effect.unknown)
