"""Bringing a video to a platform piece by piece: what is the same on every platform that takes it so.

The place of an upload is kept between its steps as short texts (:class:`connectors.base.Uploading`): what names it on
the platform, and how many pieces are there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from connectors.base import ConnectorError, ErrorKind, Uploading

# How the code begins of a publication that failed because the platform no longer has the video: to be brought anew.
GONE = "upload gone"
# An upload the platform has dropped begins anew, not at once: what is dropped at once each time would never end.
ANEW = timedelta(minutes=5)
DONE = "pieces"
# Refusals that speak of the upload, not of us, our rights or the video: nothing of it can be used any more.
_LOST = frozenset({ErrorKind.bug, ErrorKind.protocol, ErrorKind.not_found})


def pieces_of(state: Mapping[str, str]) -> int:
    """How many pieces are there, 0 where the state does not say."""
    said = state.get(DONE, "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 6 else 0


def anew(now: datetime) -> Uploading:
    """From the beginning, a little later."""
    return Uploading({}, again_at=now + ANEW)


def is_lost(error: ConnectorError) -> bool:
    """Whether joining the pieces was refused in a way that another try of it cannot mend.

    So it is when an upload was joined before and nobody had heard the answer.
    """
    return error.code.startswith(GONE) or error.kind in _LOST


def gone(error: ConnectorError, human: str) -> ConnectorError:
    """What a publication answers for a video the platform has forgotten: nothing went out, the upload begins anew."""
    return ConnectorError(ErrorKind.transient, human, code=f"{GONE} {error.code}"[:200])
