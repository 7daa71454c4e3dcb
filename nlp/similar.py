"""How alike two texts are by the words and character pairs they share, rare ones above all. Pure; no text is cut here:
tokens are those of the search index."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping

MILLION = 1_000_000
RAREST = 20  # per million: what was not met while counting is taken for this rare
# Looking into the index costs by the rows it gives: the rarest tokens first, as many as stay below.
MOST_ROWS, MOST_TOKENS = 2_000, 40
_EVERYDAY = 100_000  # per million: in every tenth message; says nothing


def weights(tokens: Iterable[str], shares: Mapping[str, int]) -> dict[str, float]:
    """How much each token of a text says: the logarithm of how rare it is. ``shares``: token → messages per million;
    a token without a share is rare. Everyday tokens and single characters are left out."""
    found = {}
    for token in tokens:
        share = max(shares.get(token, 0), RAREST)
        if len(token) > 1 and share < _EVERYDAY:
            found[token] = math.log(MILLION / share)
    return found


def chosen(weighed: Mapping[str, float], messages: int, most: int = MOST_ROWS) -> list[str]:
    """The tokens to look up, rarest first, so that about ``most`` of ``messages`` rows are met; one at least.

    Longer words before pairs of characters that are as rare: pairs across two words are rare and say little."""
    ordered = sorted(weighed, key=lambda token: (-weighed[token], -len(token), token))
    found: list[str] = []
    rows = 0.0
    for token in ordered:
        rows += messages * math.exp(-weighed[token])
        if found and (rows > most or len(found) == MOST_TOKENS):
            break
        found.append(token)
    return found


def likeness(weighed: Mapping[str, float], other: Collection[str]) -> float:
    """0..1: the cosine of the text and ``other``'s tokens, where what only ``other`` says counts as rare as the mean.

    0 when they share nothing; the text itself is 1."""
    whole = sum(weight * weight for weight in weighed.values())
    if not whole:
        return 0.0
    shared = [weighed[token] for token in other if token in weighed]
    both = sum(weight * weight for weight in shared)
    alone = sum(1 for token in other if len(token) > 1) - len(shared)
    return both / math.sqrt(whole * (both + max(alone, 0) * whole / len(weighed))) if both else 0.0
