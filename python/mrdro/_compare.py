"""Deciding and comparing by the names of schemes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, cast, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mrdro._graph_compare import GraphFunction, compare_graphs
from mrdro._graphs import GraphDecision, GraphDecisions
from mrdro._mrdro import (
    CostModel,
    Environment,
    EvaluationSet,
    Graph,
    GraphModel,
    GraphScenario,
    Record,
    Scenario,
    StreamScenario,
    load_scenario,
)
from mrdro._results import Decisions, Workloads
from mrdro._settings import mapping_of, progress_of, repeated, scenario_of, texts_of, whole_number
from mrdro._stream_compare import StreamFunction, compare_streams, functions_of
from mrdro._table import Table

Function = Callable[[NDArray[np.float64], Environment], ArrayLike]
"""Decides one workload: gets its sizes in MB, ``(N, M)``, and its environment, and returns places, ``(N, M)``."""


def any_scenario_of(
    argument: str, given: str | PathLike[str] | Scenario | GraphScenario | StreamScenario, more: str = ""
) -> Scenario | GraphScenario | StreamScenario:
    """A scenario of any kind from its name, its file, or itself."""
    if isinstance(given, Scenario | GraphScenario | StreamScenario):
        return given
    if not isinstance(given, str | PathLike):
        raise TypeError(f"{argument} must be {more}a Scenario, its name or its file, is {given!r}")
    return load_scenario(given)


def problem_of(
    problem: str | PathLike[str] | Scenario | CostModel | GraphScenario,
) -> CostModel | GraphScenario:
    """What decides for an argument ``problem``."""
    if isinstance(problem, CostModel):
        return problem
    scenario = any_scenario_of("problem", problem, "a CostModel, or ")
    if isinstance(scenario, StreamScenario):
        raise ValueError(
            f"{scenario.name} is a scenario over time, in which tasks are decided as they arrive: "
            "use mrdro.StreamScenario.load(name).run(scheme)"
        )
    return scenario if isinstance(scenario, GraphScenario) else scenario.cost_model()


def schemes(
    problem: str | PathLike[str] | Scenario | CostModel | GraphScenario | GraphModel | StreamScenario,
) -> list[str]:
    """The names of all classic schemes for a scenario, the exact optimum last where there is one.

    ``local-search``, ``annealing`` and ``genetic`` take a budget: ``local-search@16`` asks for at most 16 costs a task,
    and for task graphs for at most 16 costs. There, ``randomised-greedy`` takes one, too; ``larac-m@16`` tries 16
    multipliers, ``larac-k@16`` ranks 16 decisions.

    >>> schemes("paper")[-3:]
    ['local-search', 'genetic', 'exact']
    >>> schemes("graph")[:4]
    ['random', 'local-only', 'edge-only', 'greedy']
    """
    if isinstance(problem, GraphModel | CostModel):
        return problem.schemes()
    scenario = any_scenario_of("problem", problem, "a CostModel, or ")
    return scenario.cost_model().schemes() if isinstance(scenario, Scenario) else scenario.schemes()


@overload
def solve(
    problem: GraphScenario | str | PathLike[str], sizes_mb: Graph, scheme: str = "exact", *, seed: int = 1
) -> GraphDecision: ...
@overload
def solve(
    problem: GraphScenario | str | PathLike[str], sizes_mb: Sequence[Graph], scheme: str = "exact", *, seed: int = 1
) -> GraphDecisions: ...
@overload
def solve(
    problem: str | PathLike[str] | Scenario | CostModel,
    sizes_mb: ArrayLike | Workloads,
    scheme: str = "exact",
    *,
    seed: int = 1,
    environment: Environment | Sequence[Environment] | None = None,
) -> Decisions: ...
def solve(
    problem: str | PathLike[str] | Scenario | CostModel | GraphScenario,
    sizes_mb: Any,
    scheme: str = "exact",
    *,
    seed: int = 1,
    environment: Environment | Sequence[Environment] | None = None,
) -> Decisions | GraphDecision | GraphDecisions:
    """Decide workloads or task graphs with a classic scheme.

    Args:
        problem: A scenario, its name or file, or a cost model.
        sizes_mb: Task sizes in MB, ``(…, N, M)``, or workloads that were drawn; for a scenario of task graphs a
            `Graph`, or a list of them.
        scheme: One of `schemes`, such as ``"exact"``, ``"greedy"`` or ``"local-search@16"``.
        seed: For schemes that draw random numbers.
        environment: One for all workloads, or one for each; ``None``: the scenario's own. Not for task graphs.

    >>> solve("paper", [[20, 20, 20]] * 3).names[0].tolist()
    ['cloud', 'edge', 'cloud']
    """
    decider = problem_of(problem)
    if isinstance(decider, GraphScenario):
        if environment is not None:
            raise ValueError(
                "environment is for scenarios of independent tasks, and this is one of task graphs: leave it out"
            )
        decided: GraphDecision | GraphDecisions = decider.decide(sizes_mb, scheme, seed=seed)
        return decided
    return decider.decide(sizes_mb, scheme, seed=seed, environment=environment)


class ComparisonProgress:
    """Shows how far a comparison is, once it has taken half a second."""

    def __init__(self, kind: str, progress: bool | str) -> None:
        from mrdro.callbacks import Progress

        self._shown = Progress(enabled=progress_of(progress))
        self._kind = kind
        self._begins = time.monotonic() + 0.5
        self._has_begun = False

    def __call__(self, done: int, count: int) -> None:
        if not self._has_begun:
            if time.monotonic() < self._begins:
                return
            self._has_begun = True
            self._shown.event(self._kind, (0, count))
        self._shown.event(self._kind, (done, count))

    def close(self) -> None:
        """Removes what is shown."""
        self._shown.close()


def compare(
    scenario: str | PathLike[str] | Scenario | GraphScenario | StreamScenario,
    schemes: Iterable[str] | None = None,
    *,
    records: Mapping[str, Record | str | PathLike[str]] | None = None,
    functions: Mapping[str, Function | GraphFunction | StreamFunction] | None = None,
    any_rates: bool = False,
    workloads: Workloads | ArrayLike | Graph | Sequence[Graph] | None = None,
    runs: int | None = None,
    seed: int = 1,
    progress: bool | str = "auto",
) -> Table:
    """Evaluate schemes on the same workloads or task graphs: one row for each.

    Args:
        scenario: A scenario, its name or file.
        schemes: Names of classic schemes; ``None``: all that the scenario has.
        records: Records, or their directories, by name. Each way in which they can decide is a row: ``name``,
            ``name-explored``.
        functions: Your own: a function for each name that gets one workload's sizes in MB, ``(N, M)``, and its
            `Environment`, and returns places, ``(N, M)``. For task graphs it gets a `Graph` and its `GraphModel`, and
            returns places, ``(tasks,)``, or a dict of names. Over time it gets an `Offer`, and returns a place.
        any_rates: Whether records may have been trained for other rates than the scenario's.
        workloads: Workloads, or sizes in MB, ``(count, N, M)``; for task graphs a list of `Graph`; ``None``: the
            scenario's standard set.
        runs: For scenarios over time, the number of courses of arrivals and rates; ``None``: 5.
        seed: For schemes that draw random numbers. Over time, run r draws its course from ``seed + r``.
        progress: As of `mrdro.train`; it is shown from half a second on.

    Returns:
        Columns such as ``scheme``, ``mean_cost`` and ``q2``, the mean ratio of the optimal cost to the scheme's: 1 is
        the best, ``None`` that the optimum is not known. A scheme that cannot decide a scenario of this size is
        left out. For task graphs ``q2`` compares with the best decision known, of all rows and of the exact search, and
        ``share_proved`` is the share of graphs for which the scheme proved its decision to be the best. For scenarios
        over time the columns are those of `StreamScenario.compare`.

    >>> def local(sizes_mb, environment):
    ...     return 0 * sizes_mb.astype(int)
    >>> table = compare("paper", ["greedy", "exact"], functions={"all local": local})
    >>> [round(q2, 3) for q2 in table["q2"]]
    [0.98, 0.142, 1.0]
    """
    names = None if schemes is None else texts_of("schemes", schemes)
    own = functions_of(functions)
    given_records = mapping_of("records", records, 'a dict such as {"mine": record}')
    if twice := repeated([*(names or []), *given_records, *own]):
        raise ValueError(f"schemes, records and functions must have different names, two are called {twice[0]!r}")
    problem = any_scenario_of("scenario", scenario)
    if isinstance(problem, StreamScenario):
        _refuse("one over time", records=bool(given_records), any_rates=any_rates, workloads=workloads is not None)
        shown = ComparisonProgress("runs", progress)
        try:
            count = 5 if runs is None else whole_number("runs", runs, 1, 1_000_000)
            return compare_streams(problem, names, own, count, seed, shown)
        finally:
            shown.close()
    if runs is not None:
        raise ValueError("runs is for scenarios over time: leave it out")
    if isinstance(problem, GraphScenario):
        _refuse("one of task graphs", records=bool(given_records), any_rates=any_rates)
        shown = ComparisonProgress("decisions", progress)
        try:
            return compare_graphs(problem, names, own, cast(Any, workloads), seed, shown)
        finally:
            shown.close()
    named = {
        name: record if isinstance(record, Record) else Record.load(record) for name, record in given_records.items()
    }
    if workloads is None:
        evaluated = EvaluationSet.standard(problem)
    elif isinstance(workloads, Workloads):
        evaluated = EvaluationSet.of(problem, workloads.sizes_mb, workloads.environments)
    else:
        evaluated = EvaluationSet.of(problem, cast(ArrayLike, workloads))
    if names is None:
        names = evaluated.schemes()
    steps: list[Callable[[], list[dict[str, Any] | None]]] = [
        *(lambda name=name: [evaluated.evaluate(name, seed)] for name in names if name != "exact"),
        *(lambda name=name: evaluated.evaluate_record(name, named[name], any_rates) for name in named),
        *(lambda name=name: [evaluated.evaluate_function(name, own[name])] for name in own),
        *(lambda name=name: [evaluated.evaluate(name, seed)] for name in names if name == "exact"),
    ]
    rows: list[dict[str, Any] | None] = []
    shown = ComparisonProgress("schemes", progress)
    try:
        for done, step in enumerate(steps):
            shown(done, len(steps))
            rows += step()
    finally:
        shown.close()
    return Table.of_rows(row for row in rows if row is not None).without_empty_columns()


def _refuse(kind: str, **given: bool) -> None:
    """Refuses arguments that are given although they are for scenarios of independent tasks."""
    for argument, is_given in given.items():
        if is_given:
            raise ValueError(f"{argument} is for scenarios of independent tasks, and this is {kind}: leave it out")


def evaluate(
    record: Record,
    scenario: str | PathLike[str] | Scenario | None,
    any_rates: bool,
    workloads: Workloads | ArrayLike | None,
) -> Table:
    """What `Record.evaluate` returns."""
    own = record.scenario if scenario is None else scenario_of(scenario)
    if own is None:
        raise ValueError("this record decides for any fleet and has no scenario of its own: give a scenario")
    schemes = ["greedy", "greedy-largest-first", "exact"]
    return compare(own, schemes, records={"mr-dro": record}, any_rates=any_rates, workloads=workloads)
