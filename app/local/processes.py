"""A server or a program as a child of ours: started, asked to stop, and what it said in its log.

Where next: `app/local/postgres.py`, `app/local/broker.py` and run.py, which start them.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil


class LocalServiceError(Exception):
    """A local server cannot run. The message is one sentence for the person at the terminal."""


def dies_with_parent(sign: int) -> Callable[[], None] | None:
    """What a child runs before its program, so that the kernel sends it `sign` when we are killed.

    Only Linux can. Elsewhere a kill -9 leaves the children running; the next start finds and stops them.
    """
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def ask() -> None:
        libc.prctl(1, sign)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:  # we died between fork and prctl
            os.kill(os.getpid(), sign)

    return ask


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    sign: int = signal.SIGTERM,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user: int | None = None,
    group: int | None = None,
    keep: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a child that writes to `log`, gets no Ctrl+C of the terminal and dies with us.

    `keep` are open files it inherits. Its own session keeps the terminal's Ctrl+C away: the parent decides the order
    in which things stop.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with _opened_log(log) as out:
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            user=user,
            group=group,
            extra_groups=[] if user is not None else None,
            pass_fds=tuple(keep),
            start_new_session=True,
            preexec_fn=dies_with_parent(sign),
        )


def end(process: psutil.Process | subprocess.Popen[bytes], *, sign: int = signal.SIGTERM, wait: float = 10) -> None:
    """Ask a process to stop, wait, and kill it when it does not. Quiet if it is gone already."""
    with suppress(psutil.NoSuchProcess, ProcessLookupError):
        process.send_signal(sign)
        if not _over(process, wait):
            process.kill()
            _over(process, 5)


def _over(process: psutil.Process | subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait until a process has ended. One that its parent has not collected yet (a zombie) has ended too."""
    deadline = time.monotonic() + seconds
    while True:
        if isinstance(process, subprocess.Popen):
            if process.poll() is not None:
                return True
        elif not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)


def _opened_log(log: Path) -> IO[bytes]:
    """A child's log, appended to; the last 5 MB are kept, the older part goes to .1."""
    if log.exists() and log.stat().st_size > 5_000_000:
        log.replace(log.with_suffix(log.suffix + ".1"))
    return log.open("ab")


def log_size(log: Path) -> int:
    """How far a log has been written: to ask later what was said since."""
    return log.stat().st_size if log.exists() else 0


def tail(log: Path, *, after: int = 0) -> str:
    """What a server complained about in its log since byte `after`, on one line, for an error message."""
    try:
        written = log.read_bytes()
    except OSError:
        return "причина не названа"
    # A log that became too long was begun anew meanwhile.
    lines = written[after if after <= len(written) else 0 :].decode("utf-8", "replace").splitlines()
    said = [line.strip() for line in lines if line.strip() and " LOG: " not in line]
    causes = [line for line in said if "FATAL" in line or "PANIC" in line or "error" in line.lower()]
    causes = [
        line for line in causes if "the database system is" not in line
    ]  # starting up, shutting down: our polling
    return " | ".join(causes[-2:] or said[-1:]) or "причина не названа"
