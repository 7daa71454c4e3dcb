"""Texts of files, accounts and platforms for a terminal: nothing in them may steer it."""

from __future__ import annotations


def plain(text: str) -> str:
    """The text with everything that is not seen (escape sequences, reversed direction, NUL) shown as �."""
    return "".join(one if one.isprintable() or one == "\n" else "\ufffd" for one in text)
