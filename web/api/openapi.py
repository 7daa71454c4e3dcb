"""The OpenAPI 3.1 document, made from the declarations the routes are made from."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from hub import idempotency
from hub.i18n import N_, _, language, speaking
from web.api.doorway import KEY_HEADER, REPLAYED_HEADER
from web.api.operation import Operation
from web.api.problems import MEDIA_TYPE, Problem
from web.api.reading import JSON

Json = dict[str, Any]
VERSION = "1.0.0"
_REFS = "#/components/schemas/{model}"
_ABOUT = N_("政声的读写接口。令牌在「我的设置 → 接口令牌」里申请；时间带时区；平台上的编号一律是文字。")


def document(operations: Sequence[Operation]) -> Json:
    """The document in the language in force."""
    return _document(tuple(operations), language())


@lru_cache(maxsize=8)
def _document(operations: tuple[Operation, ...], code: str) -> Json:
    with speaking(code):
        schemas = _Schemas(operations)
        paths: Json = {}
        for op in operations:
            paths.setdefault(op.plain_path, {})[op.method.lower()] = _operation(op, schemas)
        return {
            "openapi": "3.1.0",
            "info": {"title": _("政声接口"), "version": VERSION, "description": _(_ABOUT)},
            "servers": [{"url": "/"}],
            "security": [{"token": []}],
            "paths": paths,
            "components": {
                "schemas": schemas.components,
                "responses": _shared_answers(operations, schemas),
                "securitySchemes": {"token": _security()},
            },
        }


def _security() -> Json:
    return {"type": "http", "scheme": "bearer", "description": _("个人令牌。")}


class _Schemas:
    """JSON schemas of every model: bodies as they come in, answers as they go out."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        incoming: list[type[BaseModel]] = [op.body for op in operations if op.body]
        outgoing: list[type[BaseModel]] = [op.answer for op in operations]
        wanted: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "validation") for model in incoming]
        outgoing.append(Problem)
        wanted += [(model, "serialization") for model in outgoing]
        self._refs, found = models_json_schema(list(dict.fromkeys(wanted)), ref_template=_REFS)
        self.components: Json = {name: _plain(schema) for name, schema in found["$defs"].items()}

    def of(self, model: type[BaseModel], mode: JsonSchemaMode) -> Json:
        """A reference to the model's schema."""
        found: Json = copy.deepcopy(self._refs[model, mode])
        return found


def _plain(schema: Json) -> Json:
    """Without the titles pydantic invents and the docstrings it copies; descriptions in the reader's language."""
    kept = {name: value for name, value in schema.items() if name not in {"title", "description"}}
    if "properties" in kept:
        kept["properties"] = {name: _described(value) for name, value in kept["properties"].items()}
    return kept


def _described(schema: Json) -> Json:
    kept = {name: value for name, value in schema.items() if name != "title"}
    if "description" in kept:
        kept["description"] = _(kept["description"])
    return kept


def _operation(op: Operation, schemas: _Schemas) -> Json:
    said: Json = {
        "operationId": op.name,
        "tags": [op.path.split("/")[1]],
        "summary": _(op.summary),
        "security": [{"token": [op.scope] if op.scope else []}],
        "parameters": [*_places(op), *_query(op), *([_key_header()] if op.takes_key else [])],
        "responses": {str(op.status): _success(op, schemas), **_refusals(op)},
    }
    if op.scope:
        said["description"] = _("令牌须有范围 %(scope)s。", scope=op.scope)
    if op.raw:
        content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        said["requestBody"] = {"required": True, "content": content}
    elif op.body:
        content = {JSON: {"schema": schemas.of(op.body, "validation")}}
        said["requestBody"] = {"required": True, "content": content}
    return said


def _places(op: Operation) -> list[Json]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "integer" if is_number else "string"}}
        for name, is_number in op.places.items()
    ]


def _query(op: Operation) -> list[Json]:
    schema = op.query.model_json_schema(ref_template=_REFS)
    shared = schema.get("$defs", {})
    found = []
    for name, value in schema.get("properties", {}).items():
        said = _resolved(_given(_described(value)), shared)
        parameter = {"name": name, "in": "query", "required": name in schema.get("required", [])}
        if "description" in said:
            parameter["description"] = said.pop("description")
        found.append(parameter | {"schema": said})
    return found


def _given(schema: Json) -> Json:
    """A filter that is left out is null inside the hub; in an address there is no null."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    rest = {name: value for name, value in schema.items() if name not in {"anyOf", "default"}}
    found: Json = kinds[0] | rest
    return found


def _resolved(value: Any, shared: Json) -> Any:
    if isinstance(value, list):
        return [_resolved(one, shared) for one in value]
    if not isinstance(value, dict):
        return value
    ref = value.get("$ref", "")
    if ref:
        rest = {name: one for name, one in value.items() if name != "$ref"}
        return _plain(shared[ref.rpartition("/")[2]]) | rest
    return {name: _resolved(one, shared) for name, one in value.items()}


def _key_header() -> Json:
    words = _("同一个键和同样的内容只办一次，24 小时内重复就得到原来的回答。")
    schema = {"type": "string", "minLength": 1, "maxLength": idempotency.LONGEST}
    return {"name": KEY_HEADER, "in": "header", "required": False, "description": words, "schema": schema}


def _success(op: Operation, schemas: _Schemas) -> Json:
    said: Json = {
        "description": HTTPStatus(op.status).phrase,
        "content": {JSON: {"schema": schemas.of(op.answer, "serialization")}},
    }
    headers = {REPLAYED_HEADER: _("true：这是以前的回答。")} if op.takes_key else {"ETag": _("内容的标记。")}
    if op.location:
        headers["Location"] = _("新建的内容的地址。")
    said["headers"] = {name: {"description": words, "schema": {"type": "string"}} for name, words in headers.items()}
    return said


def _refusals(op: Operation) -> Json:
    """References: every operation refuses in the same way, only not for the same reasons."""
    statuses = [*map(str, op.errors), "default"] if op.is_write else ["304", *map(str, op.errors), "default"]
    return {status: {"$ref": f"#/components/responses/{_answer_name(status)}"} for status in statuses}


def _answer_name(status: str) -> str:
    return f"answer-{status}"


def _shared_answers(operations: Sequence[Operation], schemas: _Schemas) -> Json:
    content = {MEDIA_TYPE: {"schema": schemas.of(Problem, "serialization")}}
    statuses = sorted({status for op in operations for status in op.errors})
    found: Json = {
        _answer_name(str(status)): {"description": HTTPStatus(status).phrase, "content": content} for status in statuses
    }
    found[_answer_name("304")] = {"description": HTTPStatus(304).phrase}
    return found | {_answer_name("default"): {"description": _("其他问题。"), "content": content}}
