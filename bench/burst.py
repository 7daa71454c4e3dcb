"""Everything at once: 200 posts due in the same second on 20 accounts of a platform that takes 100 ms for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from bench import ground, outbox
from bench.figures import Figure, quantile

POSTS, ACCOUNTS = 200, 20
PLATFORM_SECONDS = 0.1
MARK_LAST = 6.0


def run() -> Iterator[Figure]:
    """Seconds until the platform took half of them and the last one; each account's posts stay in order."""
    with ground.folder() as data:
        gone = outbox.send_all(data, [0.0] * POSTS, ACCOUNTS, platform_seconds=PLATFORM_SECONDS)
    late = [one.late for one in gone]
    assert len(late) == POSTS, f"{len(late)} of {POSTS} went out"
    assert min(late) >= -0.01, f"{-min(late):.3f} s early"
    by_account: dict[str, list[int]] = defaultdict(list)
    for one in gone:
        by_account[one.account].append(one.number)
    assert all(numbers == sorted(numbers) for numbers in by_account.values()), "out of order within an account"
    what = f"{POSTS} posts due at once on {ACCOUNTS} accounts, {PLATFORM_SECONDS * 1000:.0f} ms a call"
    yield Figure("delivery_burst_p50", round(quantile(late, 0.5), 3), "s", None, None, what)
    last = max(late)
    yield Figure(
        "delivery_burst_last", round(last, 3), "s", MARK_LAST, round(last / MARK_LAST, 3), f"{what}; mark: at most"
    )
