"""Deciding and comparing by the names of schemes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mrdro._mrdro import CostModel, Environment, EvaluationSet, Record, Scenario
from mrdro._results import Decisions, Workloads
from mrdro._settings import mapping_of, repeated, scenario_of, texts_of
from mrdro._table import Table

Function = Callable[[NDArray[np.float64], Environment], ArrayLike]
"""Decides one workload: gets its sizes in MB, ``(N, M)``, and its environment, and returns places, ``(N, M)``."""


def model_of(problem: str | PathLike[str] | Scenario | CostModel) -> CostModel:
    """The cost model of an argument ``problem``."""
    if isinstance(problem, CostModel):
        return problem
    if not isinstance(problem, str | PathLike | Scenario):
        raise TypeError(f"problem must be a CostModel, or a Scenario, its name or its file, is {problem!r}")
    return scenario_of(problem).cost_model()


def schemes(problem: str | PathLike[str] | Scenario | CostModel) -> list[str]:
    """The names of all classic schemes for a scenario, the exact optimum last.

    ``local-search``, ``annealing`` and ``genetic`` take a budget: ``local-search@16`` asks for at most 16 costs a task.

    >>> schemes("paper")[-3:]
    ['local-search', 'genetic', 'exact']
    """
    return model_of(problem).schemes()


def solve(
    problem: str | PathLike[str] | Scenario | CostModel,
    sizes_mb: ArrayLike | Workloads,
    scheme: str = "exact",
    *,
    seed: int = 1,
    environment: Environment | Sequence[Environment] | None = None,
) -> Decisions:
    """Decide workloads with a classic scheme.

    Args:
        problem: A scenario, its name or file, or a cost model.
        sizes_mb: Task sizes in MB, ``(…, N, M)``, or workloads that were drawn.
        scheme: One of `schemes`, such as ``"exact"``, ``"greedy"`` or ``"local-search@16"``.
        seed: For schemes that draw random numbers.
        environment: One for all workloads, or one for each; ``None``: the scenario's own.

    >>> solve("paper", [[20, 20, 20]] * 3).names[0].tolist()
    ['cloud', 'edge', 'cloud']
    """
    return model_of(problem).decide(sizes_mb, scheme, seed=seed, environment=environment)


def compare(
    scenario: str | PathLike[str] | Scenario,
    schemes: Iterable[str] | None = None,
    *,
    records: Mapping[str, Record | str | PathLike[str]] | None = None,
    functions: Mapping[str, Function] | None = None,
    any_rates: bool = False,
    workloads: Workloads | ArrayLike | None = None,
    seed: int = 1,
) -> Table:
    """Evaluate schemes on the same workloads: one row for each.

    Args:
        scenario: A scenario, its name or file.
        schemes: Names of classic schemes; ``None``: all that the scenario has.
        records: Records, or their directories, by name. Each way in which they can decide is a row: ``name``,
            ``name-explored``.
        functions: Your own: a function for each name that gets one workload's sizes in MB, ``(N, M)``, and its
            `Environment`, and returns places, ``(N, M)``.
        any_rates: Whether records may have been trained for other rates than the scenario's.
        workloads: Workloads, or sizes in MB, ``(count, N, M)``; ``None``: the scenario's standard set of 512.
        seed: For schemes that draw random numbers.

    Returns:
        Columns such as ``scheme``, ``mean_cost`` and ``q2``, the mean ratio of the optimal cost to the scheme's: 1 is
        the best, ``None`` that the optimum is not known. A scheme that cannot decide a scenario of this size is
        left out.

    >>> def local(sizes_mb, environment):
    ...     return 0 * sizes_mb.astype(int)
    >>> table = compare("paper", ["greedy", "exact"], functions={"all local": local})
    >>> [round(q2, 3) for q2 in table["q2"]]
    [0.98, 0.142, 1.0]
    """
    names = [] if schemes is None else texts_of("schemes", schemes)
    named = {
        name: record if isinstance(record, Record) else Record.load(record)
        for name, record in mapping_of("records", records, 'a dict such as {"mine": record}').items()
    }
    own = mapping_of("functions", functions, 'a dict such as {"mine": function}')
    if wrong := [name for name, function in own.items() if not callable(function)]:
        raise TypeError(f"functions must hold functions, holds {own[wrong[0]]!r} for {wrong[0]}")
    if twice := repeated([*names, *named, *own]):
        raise ValueError(f"schemes, records and functions must have different names, two are called {twice[0]!r}")
    scenario = scenario_of(scenario)
    if workloads is None:
        evaluated = EvaluationSet.standard(scenario)
    elif isinstance(workloads, Workloads):
        evaluated = EvaluationSet.of(scenario, workloads.sizes_mb, workloads.environments)
    else:
        evaluated = EvaluationSet.of(scenario, workloads)
    if schemes is None:
        names = evaluated.schemes()
    rows: list[dict[str, Any] | None] = [evaluated.evaluate(name, seed) for name in names if name != "exact"]
    for name, record in named.items():
        rows += evaluated.evaluate_record(name, record, any_rates)
    rows += [evaluated.evaluate_function(name, function) for name, function in own.items()]
    if "exact" in names:
        rows.append(evaluated.evaluate("exact", seed))
    return Table.of_rows(row for row in rows if row is not None).without_empty_columns()


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
