"""Adaptation of records to another environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from mrdro import _mrdro
from mrdro._mrdro import Record, Scenario
from mrdro._settings import (
    MOST_STEPS,
    StrPath,
    Training,
    number_of,
    path_of,
    record_path,
    scenario_path,
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
    recording: StrPath | None = None,
    drive: str | None = None,
    at_s: float | None = None,
    window_s: float = 60.0,
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
        recording: In place of a scenario, the path of a recorded network whose uplinks the record is adapted to.
        drive, at_s, window_s: The drive of the recording, and the moment in it, in s; ``None``: the last.
        steps: The numbers of steps after which the networks are measured.
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
        raise ValueError(f"set may change settings of adaptation alone, as in adaptation.steps; found {found}")
    if drive is not None and not isinstance(drive, str):
        raise TypeError(f"drive must be the name of a drive, is {drive!r}")
    where = (
        drive,
        None if at_s is None else number_of("at_s", at_s, "a number of seconds"),
        number_of("window_s", window_s, "a number of seconds above 0"),
    )
    counts = whole_numbers("steps", steps, 0, MOST_STEPS, "[0, 1, 10]")
    seed = seed_of(seed)

    def work(path: Path) -> Run:
        with ExitStack() as stack:
            named = None if scenario is None else scenario_path(scenario, stack)
            recorded = None if recording is None else (path_of("recording", recording), *where)
            start = record_path("record", record, stack)
            results = _mrdro.adapt_record(start, named, recorded, training_of(training), changes, counts, seed, path)
        return Run(Record.load(path / "record"), path, Table.of_rows(results["points"]), results)

    return in_directory(out, work)
