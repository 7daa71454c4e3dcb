"""The video of a post where the post has it: its content and what it shows. Plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from connectors.base import Video

LONGEST_DESCRIPTION = 1500


@dataclass(frozen=True, slots=True)
class PlacedVideo:
    """``size`` in bytes, ``seconds`` its length, ``width`` and ``height`` as it is seen."""

    id: int
    description: str = ""
    name: str = ""
    sha256: str = ""
    mime: str = ""
    size: int = 0
    seconds: float = 0.0
    width: int = 0
    height: int = 0

    def kept(self) -> dict[str, Any]:
        """As it stands in a row."""
        return asdict(self)

    def going_out(self, path: Path = Path()) -> Video:
        """As a platform's rules see it; ``path``: where its bytes lie, where they are needed."""
        return Video(
            self.name, self.mime, path, self.sha256, self.size, self.seconds, self.width, self.height, self.description
        )

    def described(self, description: str) -> PlacedVideo:
        """With these words, on one line."""
        return replace(self, description=" ".join(description.replace("\x00", "").split())[:LONGEST_DESCRIPTION])


def placed_video(kept: Mapping[str, Any] | None) -> PlacedVideo | None:
    """The video as it stands in a row; names that a later version may add are left out."""
    if not kept:
        return None
    known = PlacedVideo.__dataclass_fields__
    return PlacedVideo(**{name: kept[name] for name in known if name in kept})
