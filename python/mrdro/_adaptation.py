"""Adaptation of records to another environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import fspath
from pathlib import Path
from typing import Any

from mrdro import _mrdro
from mrdro._mrdro import Record, Recording, Scenario
from mrdro._settings import (
    MOST_STEPS,
    StrPath,
    Training,
    check_scenario,
    number_of,
    record_of,
    recording_of,
    seed_of,
    settings_of,
    training_of,
    whole_numbers,
)
from mrdro._table import Table
from mrdro._training import Run, in_directory


def adapt(
    record: StrPath | Record,
    scenario: StrPath | Scenario | None = None,
    *,
    recording: StrPath | Recording | None = None,
    drive: str | None = None,
    at_s: float | None = None,
    window_s: float | None = None,
    steps: Sequence[int] = (0, 1, 2, 3, 4, 5, 10, 20, 50, 100, 200),
    training: Training = "recommended",
    set: Mapping[str, Any] | None = None,
    seed: int = 1,
    out: StrPath | None = None,
) -> Run:
    """Adapt a record to another environment by a few steps of Algorithm 2.

    Args:
        record: A record for one scenario, or its directory.
        scenario: The scenario to adapt to: the record's devices and servers with other rates or another alpha.
        recording: In place of a scenario, a recorded network whose uplinks the record is adapted to: a `Recording` or
            its path.
        drive, at_s: The drive of the recording, and the moment in it, in s; ``None``: the last.
        window_s: The length of the windows over which rates are averaged, in s; ``None``: 60.
        steps: The numbers of steps after which the networks are measured; the largest is the number of steps.
        training, set: Settings; only those of ``adaptation`` are used, as in ``{"adaptation.learning_rate": 0.005}``.
        seed, out: As of `mrdro.train`.

    Returns:
        A `Run` with the adapted record. ``metrics`` has a row for each number of steps, ``results`` everything.

    Raises:
        KeyboardInterrupt: On Ctrl-C, within a second. Nothing is kept of an adaptation that did not finish.
    """
    changes = settings_of(set)
    if wrong := [change for change in changes if not change.startswith("adaptation.")]:
        found = wrong[0].split("=")[0]
        raise ValueError(f"set may change settings of adaptation alone, as in adaptation.learning_rate; found {found}")
    if any(change.startswith("adaptation.steps=") for change in changes):
        raise ValueError("set must not change adaptation.steps: give the numbers of steps as steps=[0, 10]")
    record = record_of("record", record)
    if scenario is not None:
        check_scenario(scenario)
    if recording is None:
        of_recording = {"drive": drive, "at_s": at_s, "window_s": window_s}
        if given := [name for name, value in of_recording.items() if value is not None]:
            raise ValueError(f"{given[0]} is for adaptation to a recording: give recording, too")
    elif scenario is not None:
        raise ValueError("give either a scenario or a recording to adapt to, not both")
    if drive is not None and not isinstance(drive, str):
        raise TypeError(f"drive must be the name of a drive, is {drive!r}")
    where = (
        drive,
        None if at_s is None else number_of("at_s", at_s, "a number of seconds"),
        number_of("window_s", 60.0 if window_s is None else window_s, "a number of seconds above 0"),
    )
    counts = whole_numbers("steps", steps, 0, MOST_STEPS, "[0, 1, 10]")
    if not counts:
        raise ValueError("steps must hold at least one number of steps, holds none")
    seed = seed_of(seed)
    settings = training_of(training)
    named = scenario if scenario is None or isinstance(scenario, Scenario) else fspath(scenario)
    recorded = None if recording is None else (recording_of(recording), *where)

    def work(path: Path) -> Run:
        results = _mrdro.adapt_record(record, named, recorded, settings, changes, counts, seed, path)
        return Run(Record.load(path / "record"), path, Table.of_rows(results["points"]), results)

    return in_directory(out, work)
