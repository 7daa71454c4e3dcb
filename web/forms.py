"""Reading what was typed or sent: plain values with problems collected per field."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from hub import clock
from hub.errors import Invalid
from hub.i18n import _
from web.faults import BadRequest, WrongFormat
from web.request import FORMS, fields


def whole(text: str) -> int | None:
    """A number of the hub as an address or a form carries it; None for anything else, also for what no id can be."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None


class Form:
    """Typed fields. Ask for values first, then :meth:`check` raises one :class:`Invalid` with every problem.

    ``values``: everything typed, for showing the form again.
    """

    def __init__(self, data: FormData) -> None:
        self._data = data
        self.problems: dict[str, str] = {}
        self.values: dict[str, str] = {name: value for name, value in data.items() if isinstance(value, str)}

    def text(self, name: str, *, required: bool = True, longest: int = 10_000) -> str:
        """One text, outer blanks removed, line ends as ``\\n``."""
        value = self._data.get(name, "")
        text = value.replace("\r\n", "\n").strip() if isinstance(value, str) else ""
        if required and not text:
            self.problems[name] = _("请填写。")
        elif len(text) > longest:
            self.problems[name] = _("最多 %(n)s 个字。", n=longest)
        return text

    def raw(self, name: str) -> str:
        """One text untouched: passwords."""
        value = self._data.get(name, "")
        return value if isinstance(value, str) else ""

    def number(self, name: str, *, required: bool = True) -> int:
        """A whole number; 0 where it is missing and need not be there."""
        text = self.text(name, required=required)
        size = whole(text.removeprefix("-"))
        if text and size is None:
            self.problems[name] = _("请填写数字。")
        return -(size or 0) if text.startswith("-") else size or 0

    def many(self, name: str) -> list[str]:
        """Every ticked value."""
        return [value for value in self._data.getlist(name) if isinstance(value, str)]

    def ticked(self, name: str) -> bool:
        """Whether the box is ticked."""
        return bool(self._data.get(name))

    def moment(self, name: str, *, required: bool = True) -> datetime | None:
        """An office-clock time (``datetime-local``), as aware UTC; None when missing or unreadable."""
        text = self.text(name, required=required)
        try:
            typed = datetime.fromisoformat(text) if text else None
            if typed is None or typed.tzinfo is not None:
                return typed
            return clock.at_local(typed.date(), typed.hour, typed.minute)
        except (ValueError, OverflowError):  # the first and last days of the calendar have no UTC
            self.problems[name] = _("请按「年-月-日 时:分」填写时间。")
            return None

    def day(self, name: str, *, required: bool = True) -> date | None:
        """An office day; None when missing or unreadable."""
        text = self.text(name, required=required)
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            self.problems[name] = _("请按「年-月-日」填写日期。")
            return None

    def file(self, name: str) -> UploadFile | None:
        """An uploaded file, spooled to disk; None when none was chosen."""
        value = self._data.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None

    def check(self) -> None:
        """Raise :class:`Invalid` when a value asked for could not be taken."""
        if self.problems:
            raise Invalid(self.problems)


async def read_form(request: Request) -> Form:
    """The form of this request; the gate has read it already, so this costs nothing."""
    return Form(await fields(request))


async def read_json(request: Request) -> dict[str, Any]:
    """The JSON object in the body; :class:`BadRequest` when it is none or holds what no database keeps,
    :class:`WrongFormat` for a form."""
    if request.headers.get("content-type", "").lower().startswith(FORMS):  # the gate has read it: nothing is left
        raise WrongFormat
    try:
        body = json.loads(await request.body())
        clean = "\0" not in (text := json.dumps(body, ensure_ascii=False)) and bool(text.encode())
    except (ValueError, RecursionError):
        raise BadRequest(_("内容不是正确的 JSON。")) from None
    if not isinstance(body, dict) or not clean or "\\u0000" in text:
        raise BadRequest(_("请发送一个 JSON 对象，其中不能有空字符。"))
    return body
