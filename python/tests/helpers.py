"""What several tests call."""

from __future__ import annotations

import signal
import subprocess
import time

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
