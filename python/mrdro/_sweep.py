"""Sweeps: trainings over scenarios, settings and seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mrdro import _mrdro
from mrdro._settings import (
    MOST_SEED,
    StrPath,
    names_of,
    number,
    path_of,
    progress_of,
    read_csv,
    setting_path,
    settings_of,
    toml,
    whole_numbers,
)
from mrdro._table import Table


@dataclass(frozen=True, eq=False)
class Sweep:
    """The results of a sweep.

    Attributes:
        summary: Means over the seeds with 95 % intervals: one row for each combination, scheme and measure
            (``summary.csv``).
        runs: One row for each run and scheme (``runs.csv``).
        path: The directory; ``runs/`` in it holds the run directories.
    """

    summary: Table
    runs: Table
    path: Path

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
        scenarios, trainings: Names or TOML files. Scenarios of your own become files by `Scenario.to_toml`.
        seeds: The seeds of each combination.
        vary: Settings with the values that they take: ``{"network.dnns": [1, 4, 8]}``.
        set: Settings that are changed in every run.
        shard: ``"2/4"``: every fourth run, from the second on, for four machines that share the work. Each writes a
            directory of its own; ``trainer sweep merge`` puts them together.
        out: The directory. Runs that it holds already are not trained again, so that the same call goes on with a sweep
            that was interrupted.
        progress: As of `mrdro.train`.

    Returns:
        The tables of all runs that the directory holds.
    """
    from mrdro.callbacks import Progress

    if vary is not None and not isinstance(vary, Mapping):
        raise TypeError(f'vary must be a dict of settings such as {{"network.dnns": [1, 8]}}, is {vary!r}')
    if wrong := [
        key for key, values in (vary or {}).items() if isinstance(values, str) or not isinstance(values, Iterable)
    ]:
        raise TypeError(
            f"vary must map each setting to a list of values, has {(vary or {})[wrong[0]]!r} for {wrong[0]}"
        )
    if not isinstance(shard, str):
        raise TypeError(f'shard must be a text such as "2/4", is {shard!r}')
    varied = []
    for key, values in (vary or {}).items():
        path = setting_path("vary", key)
        varied.append(f"{path}=" + ",".join(toml(value, f'vary["{path}"]') for value in values))
    all_seeds = whole_numbers("seeds", seeds, 0, MOST_SEED, "range(1, 6)")
    directory = path_of("out", out)
    shown = Progress(enabled=progress_of(progress))
    try:
        cells = _mrdro.sweep_runs(
            names_of("scenarios", scenarios),
            names_of("trainings", trainings),
            settings_of(set),
            varied,
            all_seeds,
            shard,
            directory,
            lambda done, count: shown.event("runs", (done, count)),
        )
    finally:
        shown.close()
    header, *rows = cells
    texts = {"scenario", "training", "scheme", "measure"}
    summary = Table.of_rows(
        {name: number(cell, name in texts) for name, cell in zip(header, row, strict=True)} for row in rows
    )
    return Sweep(summary, read_csv(directory / "runs.csv"), directory)
