"""A picture where a post has it: its content, what it shows, and where its middle is. Plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

LONGEST_DESCRIPTION = 1500
# Where the part that must stay stands when a picture is cut, as (share of the width, share of the height).
FOCUS: Mapping[str, tuple[float, float]] = {
    "": (0.5, 0.5),
    "middle": (0.5, 0.5),
    "top": (0.5, 0.0),
    "bottom": (0.5, 1.0),
    "left": (0.0, 0.5),
    "right": (1.0, 0.5),
}


@dataclass(frozen=True, slots=True)
class Placed:
    """One picture of a post. ``size``: in bytes; ``focus``: a key of :data:`FOCUS`."""

    id: int
    description: str = ""
    focus: str = ""
    sha256: str = ""
    mime: str = ""
    size: int = 0
    width: int = 0
    height: int = 0

    def kept(self) -> dict[str, Any]:
        """As it stands in a row."""
        return asdict(self)


def placed_of(kept: Iterable[Mapping[str, Any]]) -> tuple[Placed, ...]:
    """Pictures as they stand in a row; names that a later version may add are left out."""
    known = Placed.__dataclass_fields__
    return tuple(Placed(**{name: one[name] for name in known if name in one}) for one in kept)
