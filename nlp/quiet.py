"""The one place where the chatter of jieba and snownlp is silenced."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
import types
import warnings
from functools import cache
from pathlib import Path
from typing import Any


@cache
def load_jieba() -> Any:
    """The jieba module: no log lines, no warnings about its old-style patterns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = importlib.import_module("jieba")
    module.setLogLevel(logging.CRITICAL)
    return module


@cache
def load_bayes() -> Any:
    """snownlp's Bayes class without importing snownlp itself, whose start costs 370 MB and seconds."""
    name = "snownlp.classification.bayes"
    if "snownlp" not in sys.modules:
        _hollow("snownlp")
        try:
            return importlib.import_module(name).Bayes
        finally:
            for known in [key for key in sys.modules if key == "snownlp" or key.startswith("snownlp.")]:
                del sys.modules[known]
    return importlib.import_module(name).Bayes


def _hollow(package: str) -> None:
    """Register ``package`` as a bare folder, so that its parts can be imported without running its start."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(package)
    root = Path(next(iter(spec.submodule_search_locations)))
    for name, folder in ((package, root), (f"{package}.classification", root / "classification")):
        module = types.ModuleType(name)
        module.__path__ = [str(folder)]
        sys.modules[name] = module
