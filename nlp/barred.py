"""Words of a monitoring rule that can never count, because a word the same rule leaves out stands in them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nlp.plans import All, Not, Rule, Some, Word, stands_free


def silenced(rule: Rule, barred: Sequence[Word] = ()) -> Iterator[tuple[Word, Word]]:
    """Words asked for that can never count, each with the word left out that stands in it: 路灯 without 路. ``barred``:
    words that must not stand here."""
    if isinstance(rule, Word):
        found = next((one for one in barred if _stands_in(one.form, rule.form)), None)
        if found is not None:
            yield rule, found
    elif isinstance(rule, Some):
        for part in rule.parts:
            yield from silenced(part, barred)
    elif isinstance(rule, All):
        here = [one for part in rule.parts if isinstance(part, Not) for one in _each_bars(part.part)]
        for part in rule.parts:
            yield from silenced(part, [*barred, *here])


def _each_bars(rule: Rule) -> list[Word]:
    """The words of a part left out of which one alone is enough."""
    parts = rule.parts if isinstance(rule, Some) else (rule,)
    return [part for part in parts if isinstance(part, Word)]


def _stands_in(wanted: str, whole: str) -> bool:
    at = whole.find(wanted)
    while at >= 0 and not stands_free(whole, at, at + len(wanted)):
        at = whole.find(wanted, at + 1)
    return at >= 0


__all__ = ["silenced"]
