"""``python -m bench [NAME…] [--json]``; the names are those of BENCHES."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping

from bench import burst, checking, intake, language, lateness, matters, memory, month, plans, polling, pushes, similar
from bench.figures import Bench, Figure, show

BENCHES: Mapping[str, Bench] = {
    "intake": intake.run,
    "month": month.run,
    "memory": memory.run,
    "burst": burst.run,
    "lateness": lateness.run,
    "checking": checking.run,
    "plans": plans.run,
    "language": language.run,
    "matters": matters.run,
    "similar": similar.run,
    "polling": polling.run,
    "pushes": pushes.run,
}


def main() -> None:
    """Run the named benches, or all of them."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHES))
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    given = parser.parse_args()
    if unknown := set(given.names) - set(BENCHES):
        parser.error(f"no bench named {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    show(_figures(given.names or list(BENCHES)), as_json=given.json)


def _figures(names: list[str]) -> Iterator[Figure]:
    for name in names:
        yield from BENCHES[name]()


if __name__ == "__main__":
    main()
