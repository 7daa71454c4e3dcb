"""How mass messages did: the platform counts per article and day, known from the next morning on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.base import AccountRef, ConnectorError, ErrorKind, Metric, Published
from connectors.moments import BEIJING
from connectors.text import count
from connectors.wechat.publishing import MASS
from connectors.wechat.wire import Wire, text_of


async def read(wire: Wire, account: AccountRef, ids: Sequence[str]) -> list[Metric]:
    """Figures of the mass messages among ``ids`` (those in ``account.published``); one call per day of sending."""
    wanted = {one.external_id for one in account.published} & {i for i in ids if i.startswith(f"{MASS}:")}
    by_day: dict[str, list[Published]] = {}
    today = wire.now().astimezone(BEIJING).date()
    for one in account.published:
        sent_on = one.sent_at.astimezone(BEIJING).date()
        if one.external_id in wanted and sent_on < today and text_of(one.extra.get("msg_data_id")):
            by_day.setdefault(sent_on.isoformat(), []).append(one)
    found: list[Metric] = []
    for day, sent in by_day.items():
        rows = await _day(wire, account, day)
        found += [metric for one in sent if (metric := _metric(one, rows)) is not None]
    return found


async def _day(wire: Wire, account: AccountRef, day: str) -> Sequence[Any]:
    try:
        body = await wire.call(account, "/datacube/getarticletotal", {"begin_date": day, "end_date": day})
    except ConnectorError as error:
        if error.kind is ErrorKind.not_found:
            return ()
        raise
    rows = body.get("list")
    return rows if isinstance(rows, list) else ()


def _metric(sent: Published, rows: Sequence[Any]) -> Metric | None:
    """The newest standing of one message's first article; its rows are named ``<msg_data_id>_<position>``."""
    name = f"{sent.extra['msg_data_id']}_1"
    row = next((r for r in rows if isinstance(r, Mapping) and text_of(r.get("msgid")) == name), None)
    details = row.get("details") if row else None
    if not isinstance(details, list) or not details or not isinstance(details[-1], Mapping):
        return None
    last = details[-1]
    return Metric(
        sent.external_id, reads=count(last.get("int_page_read_count")), reposts=count(last.get("share_count"))
    )
