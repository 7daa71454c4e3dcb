"""Files people handed in for an import, kept in the data folder until a run has taken them or a day is over."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from sqlmodel import col, select

from hub.db import reading
from hub.errors import Invalid, NotFound
from hub.i18n import _
from hub.models import ImportRun, ImportState
from hub.rights import Actor
from workflows.house import House

FOLDER = "uploads"
KEPT_SECONDS = 2 * 86_400
KINDS = (".xlsx", ".xls", ".et", ".csv", ".tsv", ".txt")
_TOKEN = re.compile(r"[a-f0-9]{32}")
_OPEN = (ImportState.uploaded, ImportState.running)


@dataclass(frozen=True, slots=True)
class Upload:
    """One file. ``stored_as``: its path within the data folder; ``expected``: rows, as far as the file tells."""

    token: str
    file_name: str
    account_name: str
    by_id: int | None
    expected: int | None = None

    @property
    def stored_as(self) -> str:
        """Where a run finds it. The ending stays: readers of spreadsheets go by it."""
        return f"{FOLDER}/{self.token}{Path(self.file_name).suffix.lower()}"


async def keep(house: House, actor: Actor, file_name: str, account_name: str, content: BinaryIO) -> Upload:
    """Store what was handed in under a name nobody can guess. Invalid for a kind of file that is never a table."""
    name = Path(file_name.replace("\\", "/")).name[:200]
    if not name.lower().endswith(KINDS):
        raise Invalid({"file": _("请选择 .xlsx、.xls 或 .csv 文件。")})
    upload = Upload(secrets.token_hex(16), name, account_name.strip(), actor.user_id)
    await asyncio.to_thread(_store, house.ctx.settings.data, upload, content)
    return upload


def _store(data: Path, upload: Upload, content: BinaryIO) -> None:
    folder = data / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (data / upload.stored_as).open("wb") as file:
        shutil.copyfileobj(content, file)
    _note(data, upload)


def _note(data: Path, upload: Upload) -> None:
    (data / FOLDER / f"{upload.token}.json").write_text(
        json.dumps(asdict(upload), ensure_ascii=False), encoding="utf-8"
    )


def note_expected(house: House, upload: Upload, expected: int | None) -> None:
    """Remember how many rows the file seems to have, for the bar of a run."""
    if expected and expected != upload.expected:
        given = asdict(upload) | {"expected": expected}
        _note(house.ctx.settings.data, Upload(**given))


def find(house: House, actor: Actor, token: str) -> Upload:
    """The person's own upload; NotFound when it is gone, was never there, or is somebody else's."""
    upload = _read(house.ctx.settings.data, token)
    if upload is None or upload.by_id != actor.user_id or not (house.ctx.settings.data / upload.stored_as).is_file():
        raise NotFound(_("这个文件已经不在了，请重新上传。"))
    return upload


def of_run(house: House, run: ImportRun) -> Upload | None:
    """The upload behind a run; None once it is gone."""
    upload = _read(house.ctx.settings.data, Path(run.stored_as).stem)
    return upload if upload and (house.ctx.settings.data / upload.stored_as).is_file() else None


def path_of(house: House, upload: Upload) -> Path:
    """Where the file lies."""
    return house.ctx.settings.data / upload.stored_as


def drop(house: House, upload: Upload) -> None:
    """Remove a file with its note. Safe to run twice."""
    path_of(house, upload).unlink(missing_ok=True)
    (house.ctx.settings.data / FOLDER / f"{upload.token}.json").unlink(missing_ok=True)


def _read(data: Path, token: str) -> Upload | None:
    if not _TOKEN.fullmatch(token):
        return None
    try:
        return Upload(**json.loads((data / FOLDER / f"{token}.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


async def sweep(house: House) -> int:
    """Remove files nobody took within two days (mapping given up, run failed), and notes whose file a run has used up.

    How many files went. Files of runs under way stay, however old. Safe to run at any time.
    """
    open_runs = select(col(ImportRun.stored_as)).where(col(ImportRun.state).in_(_OPEN))
    async with reading(house.ctx) as unit:
        needed = {Path(stored_as).stem for stored_as in await unit.all(open_runs)}
    return await asyncio.to_thread(_remove_old, house.ctx.settings.data, needed)


def _remove_old(data: Path, needed: set[str]) -> int:
    removed, oldest = 0, time.time() - KEPT_SECONDS
    for path in (data / FOLDER).glob("*"):
        if path.stem not in needed and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
            removed += 1
    return removed
