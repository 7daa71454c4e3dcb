"""The version that is stored with every tagging: the rules' number and the models' fingerprint."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

RULES = 7  # raise when code or a lexicon changes what analyse() answers


@cache
def version() -> str:
    """``RULES-fingerprint``, where the fingerprint is taken over the shipped model files."""
    folder = files("nlp").joinpath("models")
    digest = hashlib.sha256()
    for entry in sorted((item for item in folder.iterdir() if item.name.endswith(".npz")), key=lambda item: item.name):
        digest.update(entry.name.encode() + entry.read_bytes())
    return f"{RULES}-{digest.hexdigest()[:8]}"


@cache
def shipped(name: str) -> str:
    """The fingerprint of one shipped model file, by name: what was learnt belongs to it."""
    return hashlib.sha256(files("nlp").joinpath("models", f"{name}.npz").read_bytes()).hexdigest()[:16]
