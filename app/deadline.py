"""A time limit that really interrupts: the printer of papers looks at the clock only between its paragraphs.

Works in any thread, of the web as of a job, and leaves the alarm of the process to whoever owns it.
"""

import contextlib
import ctypes
import threading
from collections.abc import Iterator

_raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc
#: Once more until it is heard: a library may catch whatever comes.
_AGAIN = 0.2


class OutOfTime(BaseException):
    """The time is over. No `Exception`, so that no library takes it for a mistake of its own and goes on."""


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Let the body run so long at most; a single call into C is not interrupted before it returns.

    Raises:
        OutOfTime
    """
    thread, lock, over = ctypes.c_ulong(threading.get_ident()), threading.Lock(), threading.Event()

    def watch() -> None:
        wait = seconds
        while not over.wait(wait):
            wait = _AGAIN
            with lock:
                if not over.is_set():
                    _raise_in(thread, ctypes.py_object(OutOfTime))

    watcher = threading.Thread(target=watch, name="deadline", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        with lock:
            over.set()
        _raise_in(thread, None)  # what was thrown a moment too late is not heard by others
