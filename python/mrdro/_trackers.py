"""Callbacks that write the progress of a training for TensorBoard, Weights & Biases and MLflow.

A callback is called with each report of a training. It may also have methods ``begin(run)``, ``end(run)`` and
``failed(error)``, which are called before the first report and when the training has ended or failed.
"""

from __future__ import annotations

import importlib
from os import PathLike
from pathlib import Path
from typing import Any, Protocol

from mrdro._mrdro import EventFile

VALUES = ("loss", "q1", "q2", "buffer_mean_cost", "share_of_missed_deadlines")
"""The values of a report that are written; each of them may be ``None``."""


class ReportLike(Protocol):
    """What the callbacks read of a report."""

    @property
    def phase(self) -> str: ...
    @property
    def step(self) -> int: ...


class RunLike(Protocol):
    """What the callbacks read of a run."""

    @property
    def path(self) -> Path: ...


def values_of(report: ReportLike) -> dict[str, float]:
    """The values that a report has, under tags such as ``drl/loss`` and ``meta/q2``."""
    named = {f"{report.phase}/{name}": getattr(report, name, None) for name in VALUES}
    return {tag: float(value) for tag, value in named.items() if value is not None}


def _imported(module: str, callback: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"mrdro.callbacks.{callback} needs {module}: pip install {module}") from error


class TensorBoard:
    """Writes an event file for TensorBoard, which draws it while the training goes on.

    Args:
        directory: Where to write. ``None``: the directory of the run. Give each training a directory of its own, as in
            ``TensorBoard("logs/first")``; ``tensorboard --logdir logs`` then shows each as one run.

    The file needs nothing to be installed. Tags are ``drl/loss``, ``meta/q2`` and so on. In the directory of the run, a
    training that is resumed goes on where it was resumed, and no step is there twice.

    >>> import mrdro
    >>> mrdro.train("paper", callbacks=[mrdro.callbacks.TensorBoard("logs/paper")])  # doctest: +SKIP
    """

    def __init__(self, directory: str | PathLike[str] | None = None) -> None:
        self.directory = None if directory is None else Path(directory)
        self._run: Path | None = None
        self._file: EventFile | None = None

    def begin(self, run: RunLike) -> None:
        """Remembers the directory of the run. The next report begins a new file."""
        self._run, self._file = Path(run.path), None

    def __call__(self, report: ReportLike) -> None:
        """Writes the values of the report."""
        if self._file is None:
            self._file = self._new_file(report)
        self._file.add(report.step, values_of(report))

    def end(self, run: RunLike) -> None:
        """Makes sure that everything is on the disk."""
        if self._file is not None:
            self._file.sync()
            self._file = None

    def failed(self, error: BaseException) -> None:
        """Closes the file."""
        self._file = None

    def _new_file(self, report: ReportLike) -> EventFile:
        directory = self.directory or self._run
        if directory is None:
            raise ValueError("directory must be given, as in TensorBoard('logs'), where there is no run")
        if self.directory is None:
            # Only there, all event files are of this training.
            EventFile.remove_from(directory, report.phase, report.step)  # type: ignore[arg-type]
        return EventFile(directory)


class WandB:
    """Logs each report to Weights & Biases with ``wandb.log``.

    Args:
        project: The project; ``None``: wandb's default.
        **init: Arguments of ``wandb.init``, such as ``name`` or ``mode="offline"``. ``config`` is the configuration
            of the training if it is not given.

    If a run of wandb is active, it is used and left open; otherwise one is begun and finished with the training. Each
    phase has a step axis of its own, such as ``drl/step``. Needs ``pip install wandb``.

    >>> import mrdro
    >>> mrdro.train("paper", callbacks=[mrdro.callbacks.WandB("offloading", mode="offline")])  # doctest: +SKIP
    """

    def __init__(self, project: str | None = None, **init: Any) -> None:
        self.init = {"project": project, **init}
        self._wandb: Any = None
        self._is_own = False
        self._phases: set[str] = set()

    def begin(self, run: RunLike | None = None) -> None:
        """Begins a run of wandb if none is active."""
        self._wandb = _imported("wandb", "WandB")
        self._is_own, self._phases = self._wandb.run is None, set()
        if self._is_own:
            configuration = getattr(run, "configuration", None)
            self._wandb.init(**{**({"config": configuration} if configuration else {}), **self.init})

    def __call__(self, report: ReportLike) -> None:
        """Logs the values of the report."""
        if self._wandb is None:
            self.begin()
        if report.phase not in self._phases:
            self._phases.add(report.phase)
            self._wandb.define_metric(f"{report.phase}/*", step_metric=f"{report.phase}/step")
        self._wandb.log({f"{report.phase}/step": report.step, **values_of(report)})

    def end(self, run: RunLike | None = None) -> None:
        """Finishes the run of wandb if it was begun here."""
        self._finish(0)

    def failed(self, error: BaseException) -> None:
        """Marks the run of wandb as failed if it was begun here."""
        self._finish(1)

    def _finish(self, exit_code: int) -> None:
        if self._is_own and self._wandb is not None:
            self._wandb.finish(exit_code=exit_code)
        self._wandb = None


class MLflow:
    """Logs each report to MLflow, and at the end the files of the run as artifacts.

    Args:
        experiment: The name of the experiment; ``None``: MLflow's default.
        run_name: The name of the run in MLflow; ``None``: MLflow makes one.
        tracking_uri: Where MLflow keeps its data, such as ``"sqlite:///mlflow.db"`` or ``"http://localhost:5000"``;
            ``None``: as MLflow is set up.
        artifacts: Whether the files of the run are logged at the end.

    If a run of MLflow is active, it is used and left open; otherwise one is begun and ended with the training. Needs
    ``pip install mlflow``; where a server keeps the data, the smaller ``mlflow-skinny`` is enough.

    >>> import mrdro
    >>> mrdro.train("paper", callbacks=[mrdro.callbacks.MLflow("offloading")])  # doctest: +SKIP
    """

    def __init__(
        self,
        experiment: str | None = None,
        *,
        run_name: str | None = None,
        tracking_uri: str | None = None,
        artifacts: bool = True,
    ) -> None:
        self.experiment, self.run_name, self.tracking_uri, self.artifacts = (
            experiment,
            run_name,
            tracking_uri,
            artifacts,
        )
        self._mlflow: Any = None
        self._is_own = False

    def begin(self, run: RunLike | None = None) -> None:
        """Begins a run of MLflow if none is active."""
        self._mlflow = _imported("mlflow", "MLflow")
        self._is_own = self._mlflow.active_run() is None
        if self.tracking_uri is not None:
            self._mlflow.set_tracking_uri(self.tracking_uri)
        if self._is_own:
            if self.experiment is not None:
                self._mlflow.set_experiment(self.experiment)
            self._mlflow.start_run(run_name=self.run_name)

    def __call__(self, report: ReportLike) -> None:
        """Logs the values of the report."""
        if self._mlflow is None:
            self.begin()
        self._mlflow.log_metrics(values_of(report), step=report.step)

    def end(self, run: RunLike) -> None:
        """Logs the files of the run, and ends the run of MLflow if it was begun here."""
        if self._mlflow is not None and self.artifacts:
            self._mlflow.log_artifacts(str(run.path))
        self._finish("FINISHED")

    def failed(self, error: BaseException) -> None:
        """Marks the run of MLflow as failed if it was begun here."""
        self._finish("FAILED")

    def _finish(self, status: str) -> None:
        if self._is_own and self._mlflow is not None:
            self._mlflow.end_run(status)
        self._mlflow = None
