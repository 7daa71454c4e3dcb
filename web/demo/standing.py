"""What the supervisor must know of a data folder before anything is started. Standard library only: it stays small."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import hub

# Stands in the folder while the city is being built.
UNFINISHED = "demo-unfinished"
_NAMED = re.compile(r"""^(down_)?revision\b[^=\n]*= ["'](\w+)["']""", re.M)


def stands(data: Path) -> bool:
    """Whether the whole city is there with the newest tables: then everything may start at once."""
    if (data / UNFINISHED).exists() or not (data / "hub.db").is_file():
        return False
    try:
        with closing(sqlite3.connect(data / "hub.db")) as database:
            found = database.execute("SELECT version_num FROM alembic_version").fetchall()
            built = database.execute("SELECT 1 FROM account LIMIT 1").fetchone()
    except sqlite3.Error:
        return False
    return bool(built) and {row[0] for row in found} == newest()


def newest() -> set[str]:
    """The revision no other follows, read from the files of the migrations without loading them."""
    texts = [path.read_text("utf-8") for path in Path(hub.__file__).parent.glob("migrations/versions/*.py")]
    named = [found for text in texts for found in _NAMED.findall(text)]
    return {name for down, name in named if not down} - {name for down, name in named if down}
