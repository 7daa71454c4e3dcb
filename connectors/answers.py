"""What is wrong with an answer on platforms that take nothing but answers in words: mail, letter pages, work orders."""

from __future__ import annotations

from connectors.base import Outgoing, Problem


def against_answer(out: Outgoing, longest: int, *, no_post: str, no_pictures: str) -> list[Problem]:
    """Empty, longer than ``longest`` characters, with pictures, or no answer at all; the sentences are the caller's."""
    problems = []
    if not out.text.strip():
        problems.append(Problem("text", "内容为空，请填写后再提交"))
    if len(out.text) > longest:
        problems.append(Problem("text", f"内容超过 {longest} 字，请删减后再提交"))
    if out.attachments:
        problems.append(Problem("media", no_pictures))
    if out.target_kind is None:
        problems.append(Problem("account", no_post))
    return problems
