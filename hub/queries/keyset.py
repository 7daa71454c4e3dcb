"""Where a page of a list by time begins: the moment and id of the row before it, as one mark for an address."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from hub.errors import Invalid
from hub.i18n import _


def older(mark: str, at: Any, key: Any) -> ColumnElement[bool]:
    """Rows behind ``mark`` (``moment~id``) in a list ordered by the columns ``at`` and ``key``, newest first.

    Invalid for a mark that is none."""
    moment, last = _read(mark)
    return or_(at < moment, and_(at == moment, key < last))


def newer(mark: str, at: Any, key: Any) -> ColumnElement[bool]:
    """The same for a list ordered oldest first."""
    moment, last = _read(mark)
    return or_(at > moment, and_(at == moment, key > last))


def _read(mark: str) -> tuple[datetime, int]:
    at, _tilde, number = mark.partition("~")
    try:
        moment, last = datetime.fromisoformat(at), int(number)
    except ValueError:
        moment, last = None, 0
    if moment is None or moment.tzinfo is None:
        raise Invalid({"after": _("页码无效，请从第一页开始")})
    return moment, last
