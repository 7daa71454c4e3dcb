"""How a platform counts lengths, by the name under which pages know the rule."""

from __future__ import annotations

from connectors.base import Connector

_LINK = "https://example.cn/" + "a" * 60
# A connector is asked about samples, so that no platform has to be known by name: what it says of two Latin letters
# and of a long link tells the rules apart.
_TOLD_BY = {(1, 10): "weibo", (2, 23): "mastodon"}


def rule_of(connector: Connector | None) -> str:
    """``weibo``, ``mastodon`` or ``plain``: the counter of ``web/assets/js/length.js`` that counts as it does."""
    if connector is None:
        return "plain"
    return _TOLD_BY.get((connector.measure("ab"), connector.measure(_LINK)), "plain")
