"""Comparisons of schemes on task graphs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike

from mrdro._graphs import GraphDecision
from mrdro._mrdro import Graph, GraphDecided, GraphEvaluationSet, GraphModel, GraphScenario
from mrdro._table import Table

GraphFunction = Callable[[Graph, GraphModel], ArrayLike | Mapping[str, str] | GraphDecision]
"""Decides one task graph: gets the graph and what decisions about it cost, and returns places, ``(tasks,)``, or a dict
from the names of tasks to those of places."""

REFERENCE = "exact"
"""The scheme whose decisions are compared with, also where it is no row."""


def compare_graphs(
    scenario: GraphScenario,
    schemes: Sequence[str] | None,
    functions: Mapping[str, GraphFunction],
    graphs: Graph | Sequence[Graph] | None,
    seed: int,
    on_progress: Callable[[int, int], None],
) -> Table:
    """What `mrdro.compare` returns for a scenario of task graphs."""
    evaluated = GraphEvaluationSet.of(scenario, [graphs] if isinstance(graphs, Graph) else graphs)
    names = scenario.schemes() if schemes is None else list(schemes)
    before = [name for name in names if name != REFERENCE]
    total = evaluated.count * (len(before) + len(functions) + 1)
    done = 0

    def decide(name: str) -> GraphDecided | None:
        nonlocal done
        on_progress(done, total)
        decided = evaluated.decide(name, seed, lambda made: on_progress(done + made, total))
        done += evaluated.count
        return decided

    rows = [decide(name) for name in before]
    for name, function in functions.items():
        on_progress(done, total)
        rows.append(evaluated.decide_function(name, function))
        done += evaluated.count
    reference = decide(REFERENCE)
    if REFERENCE in names:
        rows.append(reference)
    others = [] if reference is None else [reference]
    found: list[dict[str, Any]] = evaluated.compare([row for row in rows if row is not None], others)
    return Table.of_rows(found).without_empty_columns()
