"""What the shipped model files say about themselves, read without loading their weights."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Record:
    """One model file. ``meta``: trained_at, rows, sources (name → SHA-256), scores (set → figures); may be empty."""

    name: str
    size: int
    sha256: str
    labels: tuple[str, ...]
    meta: dict[str, Any]


def records() -> list[Record]:
    """Every shipped model file, by name."""
    folder = files("nlp").joinpath("models")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".npz"))
    return [record(name.removesuffix(".npz"), folder.joinpath(name).read_bytes()) for name in names]


def record(name: str, data: bytes) -> Record:
    """The record inside a model file."""
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        head = json.loads(stored["head"].tobytes()) if "head" in stored.files else {}
    digest = hashlib.sha256(data).hexdigest()
    return Record(name, len(data), digest, tuple(head.get("labels", ())), head.get("meta", {}))
