"""How late a post goes out: 200 posts over five minutes through a real worker, judged by the sandbox's clock."""

from __future__ import annotations

from collections.abc import Iterator

from bench import ground, outbox
from bench.figures import Figure, quantile

POSTS, SPAN = 200, 300.0
ACCOUNTS = 8
MARK_P99 = 2.0


def run() -> Iterator[Figure]:
    """Seconds between the planned time and the platform's acceptance; nothing may go out early."""
    with ground.folder() as data:
        gone = outbox.send_all(data, [number * SPAN / POSTS for number in range(POSTS)], ACCOUNTS)
    late = [one.late for one in gone]
    assert len(late) == POSTS, f"{len(late)} of {POSTS} went out"
    assert min(late) >= -0.01, f"{-min(late):.3f} s early"
    for share, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99")):
        value = quantile(late, share)
        against = MARK_P99 if name == "p99" else None
        ratio = None if against is None else round(value / against, 3)
        what = f"{POSTS} posts in {SPAN:.0f} s" + ("; mark: at most" if against else "")
        yield Figure(f"delivery_lateness_{name}", round(value, 3), "s", against, ratio, what)
