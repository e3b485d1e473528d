"""Comparisons of schemes on scenarios over time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mrdro._mrdro import Offer, StreamScenario
from mrdro._settings import mapping_of, repeated, texts_of
from mrdro._table import Table

StreamFunction = Callable[[Offer], Any]
"""Places one task: gets an `Offer`, and returns the number or the name of a place."""


class StreamTable(Table):
    """A comparison of schemes over time: a row for each, and what no scheme can cost less than.

    Attributes:
        bound: A mean cost that no scheme can undercut: where tasks are dispatched over a long time, in slots on these
            courses.
        is_optimum: Whether a scheme that knows the course reaches the bound, so that it is the optimum; only in slots.

    >>> table = StreamScenario.load("dispatch").with_(tasks_per_run=1000).compare(["greedy"], runs=1)
    >>> table.bound < table["mean_cost"][0], table.is_optimum
    (True, False)
    """

    def __init__(self, columns: Mapping[str, list[Any]], bound: float, is_optimum: bool) -> None:
        super().__init__(columns)
        self.bound = bound
        self.is_optimum = is_optimum

    def __reduce__(self) -> tuple[Any, ...]:
        return StreamTable, (dict(self), self.bound, self.is_optimum)


def functions_of(functions: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The functions of an argument ``functions``, by their names."""
    own = mapping_of("functions", functions, 'a dict such as {"mine": function}')
    if wrong := [name for name, function in own.items() if not callable(function)]:
        raise TypeError(f"functions must hold functions, holds {own[wrong[0]]!r} for {wrong[0]}")
    return own


def compare_streams(
    scenario: StreamScenario,
    schemes: Iterable[str] | None,
    functions: Mapping[str, StreamFunction] | None,
    runs: int,
    seed: int,
    on_progress: Callable[[int, int], None] | None = None,
) -> StreamTable:
    """What `StreamScenario.compare` and, for a scenario over time, `mrdro.compare` return."""
    names = scenario.schemes() if schemes is None else texts_of("schemes", schemes)
    own = functions_of(functions)
    if twice := repeated([*names, *own]):
        raise ValueError(f"schemes and functions must have different names, two are called {twice[0]!r}")
    if own and scenario.kind == "slots":
        raise ValueError(
            "functions decide where tasks run, and this scenario sends data in slots: give the names of schemes"
        )
    base = "greedy" if scenario.kind == "dispatch" else "at-once"
    total = runs * len({*names, base})

    def told(done: int) -> None:
        if on_progress is not None:
            on_progress(done, total)

    told(0)
    rows, (bound, is_optimum) = scenario._rows(names, list(own.items()), runs, seed, told)
    return StreamTable(Table.of_rows(rows).without_empty_columns(), bound, is_optimum)
