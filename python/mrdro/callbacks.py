"""Callbacks for `mrdro.train`: what is called with each report of a training.

A callback is anything that can be called with a `mrdro.Report`. If it returns ``False``, the training stops, and
`mrdro.train` returns the networks of that moment. It may also have methods ``begin(run)``, ``end(run)`` and
``failed(error)``.

>>> import mrdro
>>> run = mrdro.train("paper", set={"drl.steps": 1500, "meta.outer_steps": 5}, progress=False,
...                   callbacks=[mrdro.callbacks.StopAt(q2=0.5)])
>>> run.is_finished
False
"""

from __future__ import annotations

import csv
import sys
from os import PathLike
from pathlib import Path
from typing import IO, Any

from mrdro._trackers import MLflow, TensorBoard, WandB
from mrdro._training import Report, Run

__all__ = ["Csv", "MLflow", "Progress", "StopAt", "TensorBoard", "WandB"]


class StopAt:
    """Stops the training when a measure is good enough.

    It waits until the networks of the phase have learned: before that, measures are those of the phase before.

    Args:
        q2: The least mean ratio of the optimal cost to the networks'.
        loss: The greatest cross-entropy.
        phase: The phase to look at: ``"meta"``, ``"drl"`` or ``"fleet"``; ``None``: all but ``"meta"``.
    """

    def __init__(self, *, q2: float | None = None, loss: float | None = None, phase: str | None = None) -> None:
        if q2 is None and loss is None:
            raise ValueError("give q2 or loss, at which the training stops")
        if phase not in (None, "meta", "drl", "fleet"):
            raise ValueError(f'phase must be "meta", "drl" or "fleet", is {phase!r}')
        self.q2, self.loss, self.phase = q2, loss, phase

    def __call__(self, report: Report) -> bool:
        """Whether to go on."""
        if report.phase != (self.phase or report.phase) or (self.phase is None and report.phase == "meta"):
            return True
        if report.loss is None:
            return True
        is_good = self.q2 is None or (report.q2 is not None and report.q2 >= self.q2)
        is_low = self.loss is None or report.loss <= self.loss
        return not (is_good and is_low)


class Csv:
    """Writes each report as a row of a CSV file, times included."""

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)
        self._file: IO[str] | None = None

    def begin(self, run: Any) -> None:
        """Begins the file anew."""
        self._file = open(self.path, "w", newline="", encoding="utf-8")
        csv.writer(self._file).writerow(Report._fields)

    def __call__(self, report: Report) -> None:
        """Writes a row."""
        if self._file is None:
            self.begin(None)
        assert self._file is not None
        csv.writer(self._file).writerow("" if value is None else value for value in report)
        self._file.flush()

    def end(self, run: Run | None) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def failed(self, error: BaseException) -> None:
        """Closes the file."""
        self.end(None)

    def __del__(self) -> None:
        if getattr(self, "_file", None) is not None:
            self.end(None)


class Progress:
    """Shows how far a training is: a bar of tqdm where it is installed, else a line on standard error.

    `mrdro.train` makes one itself; ``progress=False`` turns it off.

    Args:
        enabled: ``None``: where standard error is a terminal, and in notebooks if tqdm is installed.
    """

    def __init__(self, enabled: bool | None = None) -> None:
        self._tqdm = _tqdm() if enabled is not False else None
        is_shown = sys.stderr.isatty() or (_is_notebook() and self._tqdm is not None)
        self._enabled = is_shown if enabled is None else enabled
        self._bar: Any = None
        self._has_line = False

    def event(self, kind: str, values: Any) -> None:
        """Shows an event of a run."""
        if not self._enabled:
            return
        if kind == "phase":
            phase, done, steps = values
            self._begin(phase, done, steps)
        elif kind == "report":
            phase, step, steps, loss, _, q2, *_ = values
            measures = {"loss": loss, "Q2": q2}
            self._show(phase, step, steps, {name: value for name, value in measures.items() if value is not None})
        elif kind == "activity":
            name, parts = values
            self._begin(name, 0, parts)
        elif kind in ("runs", "schemes", "decisions"):
            done, count = values
            if done == 0:
                self._begin(kind, 0, count)
            self._show(kind, done, count, {})
        elif kind == "parts":
            self._show("", values[0], None, {})
        elif kind == "note":
            self._clear()
            print(f"note: {values[0]}", file=sys.stderr)

    def _begin(self, name: str, done: int, steps: int | None) -> None:
        self._clear()
        if self._tqdm is not None and steps:
            self._bar = self._tqdm(total=steps, initial=done, desc=name, leave=False)
        else:
            self._line(f"{name} …")

    def _show(self, name: str, step: int, steps: int | None, measures: dict[str, float]) -> None:
        if self._bar is not None:
            self._bar.n = step
            self._bar.set_postfix({key: f"{value:.4g}" for key, value in measures.items()}, refresh=False)
            self._bar.refresh()
        else:
            of = f"{step} of {steps}" if steps else str(step)
            self._line(" ".join([name, of, *(f"{key} {value:.4g}" for key, value in measures.items())]))

    def _line(self, text: str) -> None:
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
        self._has_line = True

    def _clear(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        if self._has_line:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
            self._has_line = False

    def close(self) -> None:
        """Removes what is shown."""
        if self._enabled:
            self._clear()


def _tqdm() -> Any:
    """tqdm's bar for terminals and notebooks; ``None`` if it is not installed."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm


def _is_notebook() -> bool:
    shell = sys.modules.get("IPython")
    running = shell.get_ipython() if shell is not None else None
    return running is not None and "IPKernelApp" in running.config
