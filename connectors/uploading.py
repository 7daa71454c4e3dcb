"""Bringing a video to a platform piece by piece: what is the same on every platform that takes it so.

The place of an upload is kept between its steps as short texts (:class:`connectors.base.Uploading`): what names it on
the platform, and how many pieces are there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from connectors.base import ConnectorError, ErrorKind

# How the code begins where the platform no longer has what was brought: nothing went out, and it is brought anew.
GONE = "upload gone"
# No platform says how long it keeps what no post shows: what has waited longer is brought anew before it is needed.
KEPT = timedelta(hours=12)
DONE = "pieces"
FORGOTTEN = "平台不再保留已上传的视频，系统会重新上传"
# Refusals that speak of the upload, not of us, our rights or the video: nothing of it can be used any more.
_LOST = frozenset({ErrorKind.bug, ErrorKind.protocol, ErrorKind.not_found})


def pieces_of(state: Mapping[str, str]) -> int:
    """How many pieces are there, 0 where the state does not say."""
    said = state.get(DONE, "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 6 else 0


def gone(code: str) -> ConnectorError:
    """The platform does not know (any more) what was brought: the upload begins anew."""
    return ConnectorError(ErrorKind.not_found, FORGOTTEN, code=f"{GONE} {code}".strip()[:200])


def of_later_step(error: ConnectorError) -> ConnectorError:
    """What the refusal of a step means after others went well: where another try cannot mend it, they are done anew.

    So it is when the platform has dropped the upload, and when the pieces were joined and nobody had heard the answer.
    """
    return gone(error.code) if error.kind in _LOST and _is_of_platform(error.code) else error


def _is_of_platform(code: str) -> bool:
    """Whether a code is a platform's own: smaller numbers are statuses of HTTP, and may be a gateway's."""
    number = code.split(" ")[0]
    return number.isascii() and number.isdigit() and int(number[:12]) > 999
