"""Training from Python: runs and their progress."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
import warnings
import weakref
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from mrdro import _mrdro
from mrdro._compare import scenario_of
from mrdro._errors import StoppedError
from mrdro._mrdro import Record, Scenario
from mrdro._settings import (
    StrPath,
    Training,
    check_scenario,
    path_of,
    progress_of,
    read_csv,
    record_path,
    seed_of,
    settings_of,
    threads_of,
    training_of,
    truth,
    whole_number,
)
from mrdro._table import Table

MOST_FLEETS = 10_000


class Report(NamedTuple):
    """How a training stands, at each of its reports.

    Attributes:
        phase: ``meta`` (Algorithm 1), ``drl`` (Algorithm 2), or ``fleet``.
        step: The steps of the phase that are done.
        steps: All steps of the phase.
        loss: The mean cross-entropy of the networks; ``None`` while the first steps of ``drl`` only fill the buffer.
        q1: How little the networks' answers still change: the mean ratio of the lower to the higher of the costs in the
            replay buffer and those that the networks obtain now. ``None`` in ``meta``, and while the buffer is filled.
        q2: The mean ratio of the optimal cost to the networks', on workloads that training never draws; 1 is the best.
        buffer_mean_cost: The mean cost of the samples in the replay buffer; ``None`` in ``meta``.
        share_of_missed_deadlines: The share of the tasks with a deadline that miss it; ``None`` if no task has one.
        seconds: The time since the call began.
    """

    phase: str
    step: int
    steps: int
    loss: float | None
    q1: float | None
    q2: float | None
    buffer_mean_cost: float | None
    share_of_missed_deadlines: float | None
    seconds: float


class Callback(Protocol):
    """What is called with each report. ``False`` stops the training; an exception stops it and comes out of the call.

    A callback may also have these methods:

    - ``begin(run)``: called once before training, with a `Beginning`.
    - ``end(run)``: called once with the `Run`, after a training that ended, or that a callback stopped by ``False``.
    - ``failed(error)``: called once in place of ``end``, with the exception that comes out of the call, after a
      training that failed or was interrupted. Callbacks whose ``begin`` was not called, or raised the exception, are
      not told.

    All callbacks are told, also if one of them raises an exception in ``end`` or ``failed``. The first exception of an
    ``end`` comes out of the call; the others become warnings.
    """

    def __call__(self, report: Report, /) -> object: ...


class Beginning(NamedTuple):
    """What a callback's method ``begin`` gets.

    Attributes:
        path: The run directory.
        configuration: All settings, as ``config.toml`` of the run directory holds them.
    """

    path: Path
    configuration: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Run:
    """A training run.

    Attributes:
        record: The trained networks.
        path: The run directory. Without ``out`` it is a temporary one, which is deleted when the run is no longer used.
        metrics: The progress of training: the columns of ``metrics.csv``. After `mrdro.adapt` a row for each number of
            steps.
        results: What ``results.json`` holds: settings, times, and in ``evaluations`` a row for each scheme. ``rows`` in
            their place after `mrdro.train_fleet`, ``points`` after `mrdro.adapt`. ``None`` if the training was stopped.
    """

    record: Record
    path: Path
    metrics: Table
    results: dict[str, Any] | None

    @property
    def is_finished(self) -> bool:
        """Whether the run trained to its end. `mrdro.resume` goes on with one that a callback stopped."""
        return self.results is not None

    def __repr__(self) -> str:
        state = "finished" if self.is_finished else "stopped"
        return f"<Run {self.path}: {state}, {self.record!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a Run belongs to its directory and cannot be pickled; send run.record or run.path instead")


def train(
    scenario: StrPath | Scenario,
    training: Training = "recommended",
    *,
    set: Mapping[str, Any] | None = None,
    seed: int = 1,
    start: StrPath | Record | None = None,
    out: StrPath | None = None,
    threads: int | None = None,
    callbacks: Iterable[Callback] = (),
    progress: bool | str = "auto",
    tensorboard: bool = False,
) -> Run:
    """Train networks for a scenario: Reptile (Algorithm 1), then deep reinforcement learning (Algorithm 2).

    Args:
        scenario: A scenario, its name or file.
        training: The settings: a name (see `mrdro.trainings`), a TOML file, or a dict like
            ``{"drl": {"steps": 5000}}``; what a dict leaves out is as in ``"recommended"``.
        set: Settings to change, by their paths: ``{"drl.steps": 5000, "network.hidden": [64]}``.
        seed: Equal seeds give equal networks, whatever the number of threads.
        start: A record whose networks training starts from, in place of Algorithm 1.
        out: The run directory, which must be new or empty; ``None``: a temporary one.
        threads: The number of threads; ``None``: those of mrdro (`mrdro.threads`).
        callbacks: Called with each `Report`; ``False`` stops the training. See `mrdro.callbacks`.
        progress: ``"auto"``: a bar in notebooks and terminals; ``True`` or ``False``.
        tensorboard: Whether to write event files for TensorBoard into the run directory.

    Returns:
        The finished `Run`, or the one that a callback stopped, with the networks of its last checkpoint.

    Raises:
        TrainingError: With all mistakes of the settings.
        DivergedError: If a number became infinite or no number.
        KeyboardInterrupt: On Ctrl-C, within a second. The run then has a checkpoint, from which `mrdro.resume` goes on.

    A run without ``out`` that ends with an exception after training began keeps its directory, which a note of the
    exception names.

    >>> run = train("paper", set={"drl.steps": 1500, "meta.outer_steps": 5}, progress=False)
    >>> run.record.decide([[20, 20, 20]] * 3).places.shape
    (3, 3)
    """
    return _train(scenario, training, set, seed, start, out, threads, callbacks, progress, tensorboard, meta_only=False)


def train_meta(
    scenario: StrPath | Scenario,
    training: Training = "recommended",
    *,
    set: Mapping[str, Any] | None = None,
    seed: int = 1,
    out: StrPath | None = None,
    threads: int | None = None,
    callbacks: Iterable[Callback] = (),
    progress: bool | str = "auto",
    tensorboard: bool = False,
) -> Run:
    """Run Algorithm 1 (Reptile) alone: first parameters that learn quickly. Arguments as of `mrdro.train`."""
    return _train(scenario, training, set, seed, None, out, threads, callbacks, progress, tensorboard, meta_only=True)


def _train(
    scenario: StrPath | Scenario,
    training: Training,
    set: Mapping[str, Any] | None,
    seed: int,
    start: StrPath | Record | None,
    out: StrPath | None,
    threads: int | None,
    callbacks: Iterable[Callback],
    progress: bool | str,
    tensorboard: bool,
    meta_only: bool,
) -> Run:
    check_scenario(scenario)
    options = _Options.of(out, threads, callbacks, progress, tensorboard)
    with ExitStack() as stack:
        began = None if start is None else record_path("start", start, stack)
        plan = _mrdro.RunPlan.scenario(
            scenario_of(scenario), training_of(training), settings_of(set), seed_of(seed), began, meta_only
        )
        return _run_plan(plan, options)


def train_fleet(
    training: Training = "fleet",
    *,
    set: Mapping[str, Any] | None = None,
    seed: int = 1,
    start: StrPath | Record | None = None,
    evaluated_fleets: int = 96,
    out: StrPath | None = None,
    threads: int | None = None,
    callbacks: Iterable[Callback] = (),
    progress: bool | str = "auto",
    tensorboard: bool = False,
) -> Run:
    """Train networks that decide for any fleet: any number of devices, tasks and servers. Takes some minutes.

    Args:
        evaluated_fleets: The number of fleets of each size on which the trained networks are evaluated.

    All others as of `mrdro.train`.
    """
    options = _Options.of(out, threads, callbacks, progress, tensorboard)
    fleets = whole_number("evaluated_fleets", evaluated_fleets, 1, MOST_FLEETS)
    with ExitStack() as stack:
        began = None if start is None else record_path("start", start, stack)
        plan = _mrdro.RunPlan.any_fleet(training_of(training), settings_of(set), seed_of(seed), began, fleets)
        return _run_plan(plan, options)


def resume(
    path: StrPath,
    *,
    threads: int | None = None,
    callbacks: Iterable[Callback] = (),
    progress: bool | str = "auto",
    tensorboard: bool = False,
) -> Run:
    """Continue a run that did not finish, from its last checkpoint.

    The files are the same, byte for byte but for times, as if it had never stopped. Runs of the program can be
    continued here, and the other way round. Arguments as of `mrdro.train`.
    """
    path = path_of("path", path)
    options = _Options.of(None, threads, callbacks, progress, tensorboard)
    resumed = lambda on_event: _mrdro.resume_run(path, options.threads, options.tensorboard, on_event)  # noqa: E731
    return _watched(path, {}, options, resumed)


@dataclass(frozen=True)
class _Options:
    """The arguments that all runs have, checked."""

    out: Path | None
    threads: int | None
    callbacks: list[Callback]
    progress: bool | None
    tensorboard: bool

    @staticmethod
    def of(
        out: StrPath | None,
        threads: int | None,
        callbacks: Iterable[Callback],
        progress: bool | str,
        tensorboard: bool,
    ) -> _Options:
        if not isinstance(callbacks, Iterable):
            raise TypeError(f"callbacks must be a list of functions of a report, is {callbacks!r}")
        callbacks = list(callbacks)
        if wrong := [callback for callback in callbacks if not callable(callback)]:
            raise TypeError(f"callbacks must hold functions of a report, holds {wrong[0]!r}")
        return _Options(
            None if out is None else path_of("out", out),
            threads_of(threads),
            callbacks,
            progress_of(progress),
            truth("tensorboard", tensorboard),
        )


def _run_plan(plan: _mrdro.RunPlan, options: _Options) -> Run:
    def work(path: Path) -> Run:
        started = lambda on_event: plan.train(path, options.threads, options.tensorboard, on_event)  # noqa: E731
        return _watched(path, plan.configuration, options, started)

    return in_directory(options.out, work)


def in_directory(out: StrPath | None, work: Callable[[Path], Run]) -> Run:
    """Does work that writes a directory. Without ``out`` it is a temporary one, which goes with the run.

    If the work fails, a temporary directory stays only if it holds a run, and a note of the exception names it.
    """
    if out is not None:
        return work(path_of("out", out))
    temporary = Path(tempfile.mkdtemp(prefix="mrdro-"))
    try:
        run = work(temporary)
    except BaseException as error:
        if (temporary / "checkpoints" / "run.toml").exists():
            _add_note(error, f"the run is kept: mrdro.resume({str(temporary)!r}) goes on with it")
        elif (temporary / "results.json").exists():
            _add_note(error, f"the finished run is kept in {temporary}")
        else:
            shutil.rmtree(temporary, ignore_errors=True)
        raise
    weakref.finalize(run, shutil.rmtree, temporary, ignore_errors=True)
    return run


def _add_note(error: BaseException, note: str) -> None:
    if hasattr(error, "add_note"):
        error.add_note(note)
    else:  # Python 3.10, which shows no notes
        warnings.warn(note, RuntimeWarning, stacklevel=2)


def _watched(
    path: Path,
    configuration: dict[str, Any],
    options: _Options,
    work: Callable[[Callable[[str, Any], bool]], None],
) -> Run:
    """Does the work of a run, tells the callbacks, and reads the run's directory."""
    from mrdro.callbacks import Progress

    callbacks = options.callbacks
    shown = Progress(enabled=options.progress)
    start = time.perf_counter()

    def on_event(kind: str, values: Any) -> bool:
        shown.event(kind, values)
        if kind != "report":
            return True
        report = Report._make((*values, time.perf_counter() - start))
        # All callbacks are told, also if one of them stops the training.
        answers = [callback(report) for callback in callbacks]
        return not any(isinstance(answer, bool | np.bool_) and not answer for answer in answers)

    begun: list[Callback] = []
    try:
        for callback in callbacks:
            if begin := getattr(callback, "begin", None):
                begin(Beginning(path, configuration))
            begun.append(callback)
        try:
            work(on_event)
            run = _finished(path)
        except StoppedError:
            run = _stopped(path)
    except BaseException as error:
        shown.close()
        _warn_of(_tell(begun, "failed", error))
        raise
    shown.close()
    if raised := _tell(callbacks, "end", run):
        _warn_of(raised[1:])
        raise raised[0][1]
    return run


def _tell(callbacks: list[Callback], method: str, argument: Any) -> list[tuple[str, BaseException]]:
    """Calls a method of every callback that has it. Returns what they raised."""
    raised: list[tuple[str, BaseException]] = []
    for callback in callbacks:
        if told := getattr(callback, method, None):
            try:
                told(argument)
            except BaseException as error:
                raised.append((f"the method {method} of {callback!r} raised {error!r}", error))
    return raised


def _warn_of(raised: list[tuple[str, BaseException]]) -> None:
    for text, _ in raised:
        warnings.warn(text, RuntimeWarning, stacklevel=3)


def _finished(path: Path) -> Run:
    results = json.loads((path / "results.json").read_text(encoding="utf-8"))
    return Run(Record.load(path / "record"), path, read_csv(path / "metrics.csv"), results)


def _stopped(path: Path) -> Run:
    checkpoints = sorted((path / "checkpoints").glob("*/manifest.toml"), key=lambda file: file.stat().st_mtime_ns)
    return Run(Record.load(checkpoints[-1].parent), path, read_csv(path / "metrics.csv"), None)
