"""What is wrong with a text, on every platform; with an answer, on those that take nothing but answers in words."""

from __future__ import annotations

from connectors.base import Outgoing, Problem

EMPTY = "内容为空，请填写后再提交"


def against_text(text: str, length: int, most: int) -> list[Problem]:
    """Empty, or longer than ``most``; ``length`` as the platform counts."""
    return ([] if text.strip() else [Problem("text", EMPTY)]) + against_length(length, most)


def against_length(length: int, most: int) -> list[Problem]:
    """Longer than ``most``, where an empty text is allowed."""
    over = length - most
    return [Problem("text", f"内容共 {length} 字，超过平台上限 {most} 字，请删减 {over} 字")] if over > 0 else []


def against_answer(out: Outgoing, longest: int, *, no_post: str, no_pictures: str) -> list[Problem]:
    """Empty, longer than ``longest`` characters, with pictures, or no answer at all; the sentences are the caller's."""
    problems = []
    if not out.text.strip():
        problems.append(Problem("text", EMPTY))
    if len(out.text) > longest:
        problems.append(Problem("text", f"内容超过 {longest} 字，请删减后再提交"))
    if out.attachments:
        problems.append(Problem("media", no_pictures))
    if out.target_kind is None:
        problems.append(Problem("account", no_post))
    return problems
