"""Training from Python: runs, their progress, adaptation and sweeps."""

from __future__ import annotations

import csv
import json
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from mrdro import _mrdro
from mrdro._compare import scenario_of
from mrdro._errors import StoppedError
from mrdro._mrdro import Record, Scenario
from mrdro._table import Table

StrPath = str | PathLike[str]
Training = StrPath | dict[str, Any]


class Report(NamedTuple):
    """How a training stands, at each of its reports."""

    phase: str
    """``meta`` (Algorithm 1), ``drl`` (Algorithm 2), or ``fleet``."""
    step: int
    """The steps of the phase that are done."""
    steps: int
    """All steps of the phase."""
    loss: float | None
    """The mean cross-entropy of the networks."""
    q1: float | None
    """How often the networks' cheapest proposal is cheaper than the mean of the replay buffer; ``None`` in ``meta``."""
    q2: float | None
    """The mean ratio of the optimal cost to the networks', on workloads that training never draws; 1 is the best."""
    buffer_mean_cost: float | None
    """The mean cost of the samples in the replay buffer; ``None`` in ``meta``."""
    share_of_missed_deadlines: float | None
    """The share of the tasks with a deadline that miss it; ``None`` if no task has one."""
    seconds: float
    """The time since the call began."""


class Callback(Protocol):
    """What is called with each report. ``False`` stops the training; an exception stops it and comes out of the call.

    A callback may also have methods ``begin(run)``, which is called before training, ``end(run)``, which is called with
    the finished `Run`, and ``failed(error)``, which is called in its place when the training ends with an exception.
    """

    def __call__(self, report: Report, /) -> object: ...


class Beginning(NamedTuple):
    """What a callback's method ``begin`` gets."""

    path: Path
    """The run directory."""
    configuration: dict[str, Any]
    """All settings, as ``config.toml`` of the run directory holds them."""
    phases: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Run:
    """A training run."""

    record: Record
    """The trained networks."""
    path: Path
    """The run directory. A run without ``out`` has a temporary one, which goes when the run is no longer used."""
    metrics: Table
    """The progress of training: the columns of ``metrics.csv``."""
    results: dict[str, Any] | None
    """The evaluation, as ``results.json`` holds it; ``None`` if a callback stopped the training."""

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
        KeyboardInterrupt: On Ctrl-C, within a second. `mrdro.resume` goes on if the run has an ``out``.

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
    with ExitStack() as stack:
        began = None if start is None else _record_path(start, stack)
        plan = _mrdro.RunPlan.scenario(
            scenario_of(scenario), _training(training), settings_of(set), seed, began, meta_only
        )
        return _run_plan(plan, out, threads, callbacks, progress, tensorboard)


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
    with ExitStack() as stack:
        began = None if start is None else _record_path(start, stack)
        plan = _mrdro.RunPlan.any_fleet(_training(training), settings_of(set), seed, began, evaluated_fleets)
        return _run_plan(plan, out, threads, callbacks, progress, tensorboard)


def resume(
    path: StrPath,
    *,
    threads: int | None = None,
    callbacks: Iterable[Callback] = (),
    progress: bool | str = "auto",
    tensorboard: bool = False,
) -> Run:
    """Continue a run that did not finish, from its last checkpoint.

    The files are the same, byte for byte but for times, as if it had never stopped. Runs of the program can be continued here,
    and the other way round. Arguments as of `mrdro.train`.
    """
    path = Path(path)
    return _watched(path, {}, callbacks, progress, lambda on_event: _mrdro.resume_run(path, threads, tensorboard, on_event))


def _run_plan(
    plan: _mrdro.RunPlan,
    out: StrPath | None,
    threads: int | None,
    callbacks: Iterable[Callback],
    progress: bool | str,
    tensorboard: bool,
) -> Run:
    temporary = None if out is not None else Path(tempfile.mkdtemp(prefix="mrdro-"))
    path = Path(out) if out is not None else temporary or Path()
    try:
        run = _watched(
            path,
            plan.configuration,
            callbacks,
            progress,
            lambda on_event: plan.train(path, threads, tensorboard, on_event),
        )
    except BaseException:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
        raise
    if temporary is not None:
        weakref.finalize(run, shutil.rmtree, temporary, ignore_errors=True)
    return run


def _watched(
    path: Path,
    configuration: dict[str, Any],
    callbacks: Iterable[Callback],
    progress: bool | str,
    work: Callable[[Callable[[str, Any], bool]], None],
) -> Run:
    """Does the work of a run, tells the callbacks, and reads the run's directory."""
    from mrdro.callbacks import Progress

    callbacks = list(callbacks)
    shown = Progress(enabled=None if progress == "auto" else bool(progress))
    start = time.perf_counter()

    def on_event(kind: str, values: Any) -> bool:
        shown.event(kind, values)
        if kind != "report":
            return True
        report = Report._make((*values, time.perf_counter() - start))
        # All callbacks are told, also if one of them stops the training.
        answers = [callback(report) for callback in callbacks]
        return not any(answer is False for answer in answers)

    for callback in callbacks:
        if begin := getattr(callback, "begin", None):
            begin(Beginning(path, configuration))
    try:
        work(on_event)
        run = _finished(path)
    except StoppedError:
        run = _stopped(path)
    except BaseException as error:
        for callback in callbacks:
            if failed := getattr(callback, "failed", None):
                failed(error)
        raise
    finally:
        shown.close()
    for callback in callbacks:
        if end := getattr(callback, "end", None):
            end(run)
    return run


def _finished(path: Path) -> Run:
    results = json.loads((path / "results.json").read_text(encoding="utf-8"))
    return Run(Record.load(path / "record"), path, read_csv(path / "metrics.csv"), results)


def _stopped(path: Path) -> Run:
    checkpoints = sorted((path / "checkpoints").glob("*/manifest.toml"), key=lambda file: file.stat().st_mtime_ns)
    return Run(Record.load(checkpoints[-1].parent), path, read_csv(path / "metrics.csv"), None)


def adapt(
    record: StrPath | Record,
    scenario: StrPath | Scenario | None = None,
    *,
    recording: StrPath | None = None,
    drive: str | None = None,
    at_s: float | None = None,
    window_s: float = 60.0,
    steps: Sequence[int] = (0, 1, 2, 3, 4, 5, 10, 20, 50, 100, 200),
    training: StrPath = "recommended",
    set: Mapping[str, Any] | None = None,
    seed: int = 1,
    out: StrPath | None = None,
) -> Run:
    """Adapt a record to another environment by a few steps of Algorithm 2.

    Args:
        record: A record for one scenario, or its directory.
        scenario: The scenario to adapt to: the record's devices and servers with other rates or another alpha.
        recording: In place of a scenario, a recorded network whose uplinks the record is adapted to.
        drive, at_s, window_s: The drive of the recording, and the moment in it, in s; ``None``: the last.
        steps: The numbers of steps after which the networks are measured.
        training, set: Settings; only those of ``adaptation`` are used, as in ``{"adaptation.learning_rate": 0.005}``.
        seed, out: As of `mrdro.train`.

    Returns:
        A `Run` with the adapted record. ``metrics`` has a row for each number of steps, ``results`` all that was measured.
    """
    if wrong := [key for key in set or {} if not key.startswith("adaptation.")]:
        raise ValueError(f"set may change settings of adaptation alone, as in adaptation.steps; found {wrong[0]}")
    temporary = None if out is not None else Path(tempfile.mkdtemp(prefix="mrdro-"))
    path = Path(out) if out is not None else temporary or Path()
    with ExitStack() as stack:
        named = None if scenario is None else _scenario_path(scenario, stack)
        recorded = None if recording is None else (Path(recording), drive, at_s, window_s)
        start = _record_path(record, stack)
        try:
            results = _mrdro.adapt_record(
                start, named, recorded, fspath(training), settings_of(set), list(steps), seed, path
            )
        except BaseException:
            if temporary is not None:
                shutil.rmtree(temporary, ignore_errors=True)
            raise
    run = Run(Record.load(path / "record"), path, Table.of_rows(results["points"]), results)
    if temporary is not None:
        weakref.finalize(run, shutil.rmtree, temporary, ignore_errors=True)
    return run


@dataclass(frozen=True, eq=False)
class Sweep:
    """The results of a sweep."""

    summary: Table
    """Means over the seeds with 95 % intervals: one row for each combination, scheme and measure (``summary.csv``)."""
    runs: Table
    """One row for each run and scheme (``runs.csv``)."""
    path: Path
    """The directory; ``runs/`` in it holds the run directories."""

    def _repr_html_(self) -> str:
        return self.summary._repr_html_()

    def __repr__(self) -> str:
        return f"<Sweep {self.path}>\n{self.summary}"


def sweep(
    scenarios: StrPath | Sequence[StrPath],
    trainings: StrPath | Sequence[StrPath] = "recommended",
    *,
    seeds: Iterable[int] = range(1, 6),
    vary: Mapping[str, Sequence[Any]] | None = None,
    set: Mapping[str, Any] | None = None,
    shard: str = "1/1",
    out: StrPath,
    progress: bool | str = "auto",
) -> Sweep:
    """Train every combination of scenarios, trainings, varied settings and seeds, one run on each thread at a time.

    Args:
        scenarios, trainings: Names or files.
        seeds: The seeds of each combination.
        vary: Settings with the values that they take: ``{"network.dnns": [1, 4, 8]}``.
        set: Settings that are changed in every run.
        shard: ``"2/4"``: every fourth run, from the second on, for four machines that share the work.
        out: The directory. Runs that it holds already are kept, so that an interrupted sweep goes on.
        progress: As of `mrdro.train`.

    Returns:
        The tables of all runs that the directory holds.
    """
    from mrdro.callbacks import Progress

    varied = [f"{key}={','.join(_toml(value) for value in values)}" for key, values in (vary or {}).items()]
    shown = Progress(enabled=None if progress == "auto" else bool(progress))
    try:
        cells = _mrdro.sweep_runs(
            _names(scenarios),
            _names(trainings),
            settings_of(set),
            varied,
            list(seeds),
            shard,
            Path(out),
            lambda done, count: shown.event("runs", (done, count)),
        )
    finally:
        shown.close()
    header, *rows = cells
    texts = {"scenario", "training", "scheme", "measure"}
    summary = Table.of_rows({name: _number(cell, name in texts) for name, cell in zip(header, row)} for row in rows)
    return Sweep(summary, read_csv(Path(out) / "runs.csv"), Path(out))


def read_csv(path: StrPath) -> Table:
    """A CSV file as a table. Numbers become numbers, empty cells ``None``."""
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        rows = list(reader)
    return Table({name: [_number(row[index]) for row in rows] for index, name in enumerate(header)})


def _number(text: str, is_text: bool = False) -> Any:
    if is_text:
        return text
    if text == "":
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def settings_of(changes: Mapping[str, Any] | None) -> list[str]:
    """Changed settings as the program takes them, ``key=value``."""
    return [f"{key}={_toml(value)}" for key, value in (changes or {}).items()]


def _toml(value: Any) -> str:
    """A value in TOML."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Sequence):
        return "[" + ",".join(map(_toml, value)) + "]"
    raise TypeError(f"a setting must be a number, a text, a truth value or a list, is of type {type(value).__name__}")


def _names(given: StrPath | Sequence[StrPath]) -> list[str]:
    return [fspath(given)] if isinstance(given, str | PathLike) else [fspath(one) for one in given]


def _training(training: Training) -> str | dict[str, Any]:
    return training if isinstance(training, dict) else fspath(training)


def _record_path(record: StrPath | Record, stack: ExitStack) -> Path:
    """The directory of a record; one that is in memory alone is saved until the call ends."""
    if not isinstance(record, Record):
        return Path(record)
    path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mrdro-"))) / "record"
    record.save(path)
    return path


def _scenario_path(scenario: StrPath | Scenario, stack: ExitStack) -> str:
    """The name or file of a scenario; one that is in memory alone is saved until the call ends."""
    if not isinstance(scenario, Scenario):
        return fspath(scenario)
    path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mrdro-"))) / "scenario.toml"
    path.write_text(scenario.to_toml(), encoding="utf-8")
    return str(path)
