"""XML of pushes on WeChat and Weibo: read without entities, external parts or DTDs; written as their examples are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

DEEPEST = 6


def read(text: str | bytes) -> dict[str, Any] | None:
    """``<xml>`` as texts by tag, nested where tags are; None for anything that is no such XML or is dangerous."""
    try:
        root = fromstring(text, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError):
        return None
    return _children(root, DEEPEST) if root.tag == "xml" else None


def _children(element: Any, left: int) -> dict[str, Any]:
    """Of a tag that stands twice the last counts; what lies deeper than six levels is left out."""
    return {child.tag: _children(child, left - 1) if len(child) and left else (child.text or "") for child in element}


def written(values: Mapping[str, str | int]) -> str:
    """``<xml>`` with one tag per value; texts as CDATA."""
    return f"<xml>{''.join(f'<{tag}>{_value(value)}</{tag}>' for tag, value in values.items())}</xml>"


def _value(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    return f"<![CDATA[{value.replace(']]>', ']]]]><![CDATA[>')}]]>"
