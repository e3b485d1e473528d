"""What several tests call."""

from __future__ import annotations

import signal
import subprocess
import time

INTERRUPTIBLE = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
"""The first line of a program that is to be interrupted: in the background the signal may be ignored."""


def interrupted(process: subprocess.Popen[bytes]) -> tuple[bytes, float]:
    """Presses Ctrl-C, every two seconds until the process ends. Returns its errors and the seconds until it ended."""
    began = time.perf_counter()
    for _ in range(10):
        process.send_signal(signal.SIGINT)
        try:
            _, error = process.communicate(timeout=2)
            return error, time.perf_counter() - began
        except subprocess.TimeoutExpired:
            pass
    process.kill()
    return process.communicate()[1], time.perf_counter() - began
