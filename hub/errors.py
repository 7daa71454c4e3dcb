"""What can go wrong in the house, in words for the person who asked.

::

    HubError
    ├── Refused      the rules say no: every reason, in words          (409)
    ├── Stale        somebody else changed it meanwhile                 (409)
    ├── NotFound     it is not there, or not for this person to see     (404)
    ├── NotAllowed   the person may not do this                         (403)
    ├── Invalid      what was typed or sent cannot be taken, per field  (422)
    └── Unavailable  something the hub needs is away for now            (503)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class HubError(Exception):
    """Base of all errors people may see."""

    status = 500

    @property
    def texts(self) -> list[str]:
        """The sentences to show."""
        return [str(self)]


class Refused(HubError):
    """The rules say no; ``reasons`` holds every reason why."""

    status = 409

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("；".join(reasons))
        self.reasons = list(reasons)

    @property
    def texts(self) -> list[str]:
        return self.reasons


class Stale(Refused):
    """The row changed since it was read."""


class NotFound(HubError):
    """Not there, or not visible to the person: the two are not told apart."""

    status = 404


class NotAllowed(HubError):
    """A right is missing."""

    status = 403


class Invalid(HubError):
    """Input that cannot be taken: field name → what is wrong and what to do."""

    status = 422

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("；".join(problems.values()))
        self.problems = dict(problems)

    @property
    def texts(self) -> list[str]:
        return list(self.problems.values())


class Unavailable(HubError):
    """Something the hub needs is away for now; trying again later is right."""

    status = 503
