"""The command line ``hub``: a face like the pages, for administrators and scripts.

Exit codes: 0 done · 1 refused or failed, with the reason · 2 wrong usage · 3 the machine or the settings stand in the
way (port, folder, database, queue) · 130 interrupted.
"""

from web.cli.frame import main

__all__ = ["main"]
