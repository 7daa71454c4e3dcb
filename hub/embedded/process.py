"""What the embedded servers share: children that never outlive their parent, and socket paths short enough."""

from __future__ import annotations

import ctypes
import hashlib
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from hub.errors import Unavailable
from hub.i18n import gettext as _

LONGEST_SOCKET = 100  # bytes; the kernel takes 107 on Linux and 103 on macOS
PR_SET_PDEATHSIG = 1


def dying_with_parent(by: signal.Signals = signal.SIGTERM) -> Callable[[], None] | None:
    """For ``preexec_fn``: on Linux the child gets the signal when the thread that started it ends, however it ends.

    Start servers from a thread that lives as long as the process. Elsewhere than on Linux there is no such call.
    """
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None, use_errno=True).prctl, os.getpid()

    def arrange() -> None:
        prctl(PR_SET_PDEATHSIG, int(by))
        if os.getppid() != parent:  # it ended before we asked
            os.kill(os.getpid(), by)

    return arrange


def socket_folder(folder: Path, name: str) -> Path:
    """The folder itself while ``folder/name`` fits into a socket address, else a short private one.

    The short one is the same for the same folder, so that a restarted server is found again under the old address.
    Raises :class:`hub.errors.Unavailable` when another person of this machine has taken that place.
    """
    if len(os.fsencode(folder / name)) <= LONGEST_SOCKET:
        return folder
    mark = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    short = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / f"zhengsheng-{mark}"
    short.mkdir(mode=0o700, exist_ok=True)
    found = short.lstat()
    if found.st_uid != os.geteuid() or found.st_mode & 0o077 or short.is_symlink():
        raise Unavailable(_("临时目录 %(folder)s 属于别人，请换一个较短的数据目录", folder=short))
    return short
