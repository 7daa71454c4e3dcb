"""From bytes to checked values; every refusal names the field and says in words what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from starlette.requests import Request

from hub.errors import Invalid
from hub.i18n import _
from web.api.schema import Body, Query
from web.faults import BadRequest, WrongFormat

Model = TypeVar("Model", bound=BaseModel)
JSON = "application/json"


def read_query(request: Request, kind: type[Query]) -> Query:
    """What stands behind the ``?``. :class:`Invalid` per name; a name given twice is refused too."""
    given = request.query_params.multi_items()
    twice = {name for name, _value in given if len(request.query_params.getlist(name)) > 1}
    if twice:
        raise Invalid({name: _("这一项给了不止一次。") for name in sorted(twice)})
    return _checked(lambda: kind.model_validate_strings(dict(given)))


async def read_body(request: Request, kind: type[Body]) -> Body:
    """The JSON object sent. BadRequest when it is none, WrongFormat for another content type, Invalid per field.

    Nothing at all counts as ``{}``: writes that need nothing said may stay silent.
    """
    is_json = _is_json(request.headers.get("content-type", ""))
    if not is_json and request.headers.get("content-length") == "0":
        return _checked(lambda: kind.model_validate_json(b"{}"))  # the gate may have read an empty form
    if not is_json and "content-type" in request.headers:
        raise WrongFormat
    content = await request.body()
    if content and not is_json:
        raise WrongFormat
    return _checked(lambda: kind.model_validate_json(content or b"{}"))


def _is_json(content_type: str) -> bool:
    """JSON is UTF-8; whoever announces another encoding would be misread."""
    kind, *parameters = content_type.lower().replace(" ", "").split(";")
    charsets = [one.partition("=")[2].strip('"') for one in parameters if one.startswith("charset=")]
    return kind == JSON and all(charset in {"utf-8", "utf8"} for charset in charsets)


def _checked(read: Callable[[], Model]) -> Model:
    try:
        return read()
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
    first = problems[0]
    if first["type"] == "json_invalid":
        raise BadRequest(_("内容不是正确的 JSON。"))
    if not first["loc"]:
        raise BadRequest(_("请发送一个 JSON 对象。"))
    raise Invalid({".".join(str(part) for part in one["loc"]): _words(one) for one in problems})


def _words(problem: ErrorDetails) -> str:
    """The sentence for one of pydantic's findings."""
    kind, facts = problem["type"], problem.get("ctx", {})
    if kind == "value_error":
        return _(str(facts["error"]))
    if kind.startswith(("datetime", "timezone")):
        return _("须是带时区的时间，例如 2026-11-23T09:00:00+08:00。")
    return _PHRASES.get(kind, _any)(facts)


def _any(_facts: Mapping[str, Any]) -> str:
    return _("不能接受这个值。")


def _whole(_facts: Mapping[str, Any]) -> str:
    return _("须是整数。")


def _truth(_facts: Mapping[str, Any]) -> str:
    return _("须是 true 或 false。")


def _text(_facts: Mapping[str, Any]) -> str:
    return _("须是文字。")


def _object(_facts: Mapping[str, Any]) -> str:
    return _("须是一个对象。")


_PHRASES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "missing": lambda _facts: _("缺少这一项。"),
    "extra_forbidden": lambda _facts: _("没有这一项。"),
    "string_type": _text,
    "string_unicode": _text,
    "int_type": _whole,
    "int_parsing": _whole,
    "int_parsing_size": _whole,
    "int_from_float": _whole,
    "bool_type": _truth,
    "bool_parsing": _truth,
    "list_type": lambda _facts: _("须是列表。"),
    "model_type": _object,
    "model_attributes_type": _object,
    "string_too_long": lambda facts: _("最多 %(n)s 个字。", n=facts["max_length"]),
    "string_too_short": lambda _facts: _("请填写。"),
    "too_long": lambda facts: _("最多 %(n)s 项。", n=facts["max_length"]),
    "greater_than_equal": lambda facts: _("不能小于 %(n)s。", n=facts["ge"]),
    "less_than_equal": lambda facts: _("不能大于 %(n)s。", n=facts["le"]),
    "enum": lambda facts: _("只能是：%(values)s。", values=facts["expected"]),
}
