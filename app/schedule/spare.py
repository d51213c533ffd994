"""The spare sheets «Запасной лист»: the schedule as PDFs in a folder, for the hour when nothing works.

A job looks every few minutes and writes anew what changed; what is there stays until the new one is whole. The time of
a file is when it was last compared with the database. Where next: `jobs.py`, `papers.py`, `views/spare.py`.
"""

import json
import logging
import os
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app import clock
from app.db import session
from app.schedule import papers, queries

log = logging.getLogger(__name__)

#: Whole to the next look of the job and then some: older than this, something is wrong.
STALE_MINUTES = 10
#: What we know of our own files: {branch: {file, version, made_at}}.
_STATE = "spare.json"
_ASIDE = ".spare-"
_UNSAFE = re.compile(r"[^\w .()№-]+")


@dataclass(frozen=True)
class SpareFile:
    """A sheet in the folder: composed at a moment, and last found to be the same as the database at another."""

    branch_id: int
    path: Path
    made_at: datetime
    checked_at: datetime
    size: int

    @property
    def minutes_old(self) -> int:
        """Minutes since it was last compared with the database."""
        return max(0, int((clock.now() - self.checked_at).total_seconds() // 60))

    @property
    def is_stale(self) -> bool:
        return self.minutes_old >= STALE_MINUTES


def file_name(branch_id: int, name: str) -> str:
    """What a person finds in the folder: «Расписание 2 Филиал на Лесной.pdf»."""
    told = " ".join(_UNSAFE.sub(" ", name).split())[:60].strip(" .")
    return f"Расписание {branch_id} {told}".strip() + ".pdf"


def is_open_to_others(folder: Path) -> bool:
    """May other accounts of this machine read the folder? An own folder is made closed; a given one is as it is."""
    try:
        return bool(folder.stat().st_mode & 0o077)
    except OSError:
        return False


def refresh(folder: Path) -> list[int]:
    """Bring the folder up to date; the branches whose sheets were written anew. Safe to run twice, and at once.

    A branch that cannot be drawn keeps its last good sheet, and does not keep the others from theirs.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _sweep(folder)
    known = _state(folder)
    written: list[int] = []
    kept: dict[str, dict[str, Any]] = {}
    branches = queries.spare_branches()
    for pk, name, phone in branches:
        before = known.get(str(pk))
        if before is not None:
            kept[str(pk)] = before
        try:
            fresh = _bring_up_to_date(folder, pk, name, phone, before)
        except Exception as error:
            session.rollback()
            # only its kind: the words of a printer's error are those of the paper, patients' names among them
            log.error("spare sheet of branch %s not made, the last good one stays: %s", pk, type(error).__name__)
            continue
        if fresh is not None:
            kept[str(pk)] = fresh
            written.append(pk)
            _write(folder, _STATE, json.dumps({**known, **kept}, ensure_ascii=False).encode())
    gone = {row["file"] for row in known.values()} - {row["file"] for row in kept.values()}
    if gone or known.keys() != kept.keys():
        _write(folder, _STATE, json.dumps(kept, ensure_ascii=False).encode())
    for name in gone:  # a branch that was renamed or closed
        (folder / name).unlink(missing_ok=True)
    return written


def _bring_up_to_date(
    folder: Path, pk: int, name: str, phone: str, before: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """Draw and write the sheet of a branch; None when the one that is there says the same."""
    looked = clock.now()
    sheet = queries.spare_sheet(pk, name, phone, today=clock.today())
    target = file_name(pk, name)
    if before and before.get("version") == sheet.version and before.get("file") == target:
        with suppress(FileNotFoundError):
            os.utime(folder / target, (looked.timestamp(), looked.timestamp()))
            return None
    _write(folder, target, papers.spare(sheet, chairs=queries.chair_names(pk)), at=looked)
    return {"file": target, "version": sheet.version, "made_at": looked.isoformat(timespec="seconds")}


def files(folder: Path) -> dict[int, SpareFile]:
    """The sheets that are there, by branch."""
    found = {}
    for key, row in _state(folder).items():
        path = folder / row["file"]
        with suppress(OSError):
            seen = path.stat()
            checked = datetime.fromtimestamp(seen.st_mtime, UTC)
            made = datetime.fromisoformat(row["made_at"])
            found[int(key)] = SpareFile(int(key), path, made, checked, seen.st_size)
    return found


def _state(folder: Path) -> dict[str, Any]:
    """What was written down of the files; nothing when it is not there or is not ours."""
    try:
        told = json.loads((folder / _STATE).read_bytes())
        return {
            str(int(key)): {name: str(row[name]) for name in ("file", "version", "made_at")}
            for key, row in told.items()
            if Path(row["file"]).name == row["file"] and datetime.fromisoformat(row["made_at"]).tzinfo
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _write(folder: Path, name: str, content: bytes, *, at: datetime | None = None) -> None:
    """Write aside, whole and onto the disk, then put it in the place of the old one: never half a file."""
    handle, aside = tempfile.mkstemp(prefix=_ASIDE, dir=folder)  # 0600
    try:
        with open(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if at is not None:
            os.utime(aside, (at.timestamp(), at.timestamp()))
        os.replace(aside, folder / name)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(aside)
        raise


def _sweep(folder: Path) -> None:
    """Throw away what a killed run left aside, but not what another one is writing now."""
    for path in folder.glob(f"{_ASIDE}*"):
        with suppress(OSError):
            if clock.now().timestamp() - path.stat().st_mtime > 600:
                path.unlink()
