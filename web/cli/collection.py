"""Every text a person may see, from the code: marked ones of the rooms above, plain sentences of the connectors, and
the sources of the limits in policy packs."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir

from hub.i18n import CATALOGUES

ROOT = CATALOGUES.parent.parent
ROOMS = ("hub", "workflows", "web")
METHODS = [
    ("**/assets/**", "ignore"),
    ("**/static/**", "ignore"),
    ("**/gallery/**", "ignore"),
    ("**.py", "python"),
    ("**/templates/**.html", "jinja2"),
]
OPTIONS = {"**/templates/**.html": {"trimmed": "true", "silent": "false", "extensions": "jinja2.ext.do"}}
KEYWORDS = {
    "_": None, "gettext": None, "N_": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2), "NP_": ((1, "c"), 2),
    "written": None,
}  # fmt: skip
# ``_(row["rule"])`` looks up a value; the extractor takes the key for a text.
KEY = re.compile(r"[a-z_]+")
# Connectors do not know the languages: they answer in Chinese sentences, and pages show them through ``said``.
LEAF = "connectors"
# Every limit says where it comes from, and cases show it.
PACKS = "hub/policy/packs"
# The pretend platform speaks for itself, and these read people's files instead of speaking to them.
SILENT = ("connectors/sandbox/server/", "connectors/sandbox/__main__.py", "connectors/files/moments.py",
          "connectors/weibo/simulator/", "connectors/wechat/simulator/")  # fmt: skip
HAN = re.compile(r"[\u4e00-\u9fff]")
# Patterns, and lists of words that column names are known by.
NOT_SAID = re.compile(r"\\|\.\*|[\u4e00-\u9fff] [\u4e00-\u9fff]")


def collected() -> Catalog:
    """The texts in use, with the files they stand in."""
    catalogue = Catalog(charset="utf-8")
    for room in ROOMS:
        found = extract_from_dir(
            str(ROOT / room), method_map=METHODS, options_map=OPTIONS, keywords=KEYWORDS, comment_tags=("Translators:",)
        )
        for file, _line, source, comments, context in found:
            if not (isinstance(source, str) and KEY.fullmatch(source)):
                catalogue.add(source, None, [(f"{room}/{file}", 0)], auto_comments=comments, context=context)
    for path in sorted((ROOT / LEAF).rglob("*.py")):
        file = path.relative_to(ROOT).as_posix()
        if not file.startswith(SILENT):
            for source in sentences(path):
                catalogue.add(source, None, [(file, 0)])
    for path in sorted((ROOT / PACKS).glob("*.toml")):
        for source in _sources(tomllib.loads(path.read_text(encoding="utf-8"))):
            catalogue.add(source, None, [(path.relative_to(ROOT).as_posix(), 0)])
    return catalogue


def _sources(table: dict[str, Any]) -> Iterator[str]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _sources(value)
        elif name == "source":
            yield str(value)


def sentences(path: Path) -> Iterator[str]:
    """The Chinese texts of a module; places of f-strings become ``%(v1)s``, ``%(v2)s`` …"""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    passed = {id(text) for text in _docstrings(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            passed.update(id(part) for part in ast.walk(node))
            source = _with_places(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in passed:
            source = node.value
        else:
            continue
        if HAN.search(source) and not NOT_SAID.search(source):
            yield source


def _docstrings(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            for statement in node.body:
                if isinstance(statement, ast.Expr):
                    yield statement.value


def _with_places(node: ast.JoinedStr) -> str:
    parts, places = [], 0
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value).replace("%", "%%"))
        else:
            places += 1
            parts.append(f"%(v{places})s")
    return "".join(parts)
