"""The models that stand in for the shipped ones in this process. Cheap to import: no numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nlp.version import version

if TYPE_CHECKING:
    from nlp.linear import LinearModel


@dataclass(frozen=True, slots=True)
class Taught:
    """Models by name, and the mark of theirs in the version."""

    models: Mapping[str, LinearModel] = field(default_factory=dict)
    mark: str = ""

    @property
    def version(self) -> str:
        """What is written with every tagging: the shipped version, then ``+`` and the mark."""
        return f"{version()}+{self.mark}" if self.mark else version()


taught = [Taught()]  # one, replaced as a whole: a batch under way goes on with what it began with
