"""What several tests call."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

INTERRUPTIBLE = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
"""The first line of a program to be interrupted: what a shell starts in the background ignores the signal otherwise."""


def interrupted(process: subprocess.Popen[bytes]) -> tuple[bytes, float]:
    """Presses Ctrl-C. Returns what the process wrote as errors, and the seconds until it ended."""
    began = time.perf_counter()
    process.send_signal(signal.SIGINT)
    try:
        _, error = process.communicate(timeout=30)
    finally:
        process.kill()
    return error, time.perf_counter() - began


class AlarmError(Exception):
    """What the alarm of `alarms` raises."""


@contextlib.contextmanager
def alarms() -> Iterator[Any]:
    """Gives a function whose first call makes a signal come after some seconds.

    The handler of the signal raises `AlarmError`, as that of Ctrl-C raises an exception.
    """
    rings = False

    def ring_after(seconds: float) -> None:
        nonlocal rings
        if not rings:
            rings = True
            signal.setitimer(signal.ITIMER_REAL, seconds)

    def ring(*_: object) -> None:
        raise AlarmError

    before = signal.signal(signal.SIGALRM, ring)
    try:
        yield ring_after
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
