"""What calls about task graphs return."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from mrdro._mrdro import Graph, GraphModel, GraphScenario
from mrdro._results import Floats
from mrdro._table import Table


class GraphOutcome(NamedTuple):
    """Energy, time, cost and price of decisions about a task graph: numbers for one decision, arrays for many.

    Attributes:
        energy_j: Energy in J.
        time_s: Time until the last result, in s.
        cost: alpha * energy_j + (1 - alpha) * time_s.
        price: The price of what is sent and received, where servers have prices.
        exceeds_limits: Whether energy, time or price exceeds a limit of the scenario.
    """

    energy_j: Floats
    time_s: Floats
    cost: Floats
    price: Floats
    exceeds_limits: bool | NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class GraphDecision:
    """A decision about a task graph.

    Further members are `graph`, `cost`, `energy_j`, `time_s`, `price`, `exceeds_limits`, `names` and `placements`.

    Attributes:
        model: The `GraphModel` that was decided.
        places: The place of each task, ``(tasks,)``: 0 is the device, 1 the first server.
        outcome: Energy, time, cost, price, and whether a limit is exceeded.
        evaluations: The number of decisions, complete or not, whose cost was computed.
        bound: A cost that no decision can undercut; ``None`` if the scheme knows none. With scheduled timing it holds
            for the order in which tasks are scheduled; that of ``any-order`` holds for every order.
        is_optimal: Whether the decision is proved to be the best, with scheduled timing in this order.
    """

    model: GraphModel
    places: NDArray[np.uint8]
    outcome: GraphOutcome
    evaluations: int
    bound: float | None
    is_optimal: bool

    @property
    def graph(self) -> Graph:
        """The graph that was decided."""
        return self.model.graph

    @property
    def cost(self) -> float:
        """The cost: alpha * energy in J + (1 - alpha) * time in s."""
        return float(self.outcome.cost)

    @property
    def energy_j(self) -> float:
        """The energy in J."""
        return float(self.outcome.energy_j)

    @property
    def time_s(self) -> float:
        """The time until the last result, in s."""
        return float(self.outcome.time_s)

    @property
    def price(self) -> float:
        """The price of what is sent and received."""
        return float(self.outcome.price)

    @property
    def exceeds_limits(self) -> bool:
        """Whether energy, time or price exceeds a limit of the scenario."""
        return bool(self.outcome.exceeds_limits)

    @property
    def names(self) -> NDArray[np.str_]:
        """The name of the place of each task, ``(tasks,)``."""
        return np.array(self.model.places, dtype=np.str_)[self.places]

    @property
    def placements(self) -> dict[str, str]:
        """The name of each task with the name of its place."""
        return dict(zip(self.graph.names, self.names.tolist(), strict=True))

    def schedule(self) -> Table:
        """Everything that the decision makes happen, as `GraphModel.schedule` gives it."""
        return self.model.schedule(self.places)

    def to_dict(self) -> dict[str, Any]:
        """The decision as a dict of texts and numbers, with the keys of the program's answers."""
        answer = {} if self.graph.id is None else {"id": self.graph.id}
        answer |= {"placements": self.placements, "energy_j": self.energy_j, "time_s": self.time_s}
        if self.model.scenario.has_prices:
            answer["price"] = self.price
        answer |= {"cost": self.cost, "evaluations": self.evaluations}
        if self.bound is not None:
            answer |= {"bound": self.bound, "optimal": self.cost <= self.bound * (1 + 1e-9)}
        if self.model.order != self.model.scenario.cost_model(self.graph).order:
            answer["order"] = self.model.order
        return answer

    def __repr__(self) -> str:
        known = ", optimal" if self.is_optimal else ""
        return f"<GraphDecision of {len(self.graph)} tasks, cost {self.cost:.6g}{known}>"


class GraphDecisions(Sequence[GraphDecision]):
    """Decisions about several task graphs: a sequence of `GraphDecision`, with arrays of their numbers.

    >>> scenario = GraphScenario.load("graph")
    >>> decisions = scenario.decide(scenario.draw(3), "greedy")
    >>> decisions.cost.shape, decisions[0].places.shape
    ((3,), (20,))
    """

    def __init__(self, decisions: Iterable[GraphDecision]) -> None:
        self._decisions = tuple(decisions)

    def _floats(self, values: Iterable[float | None]) -> NDArray[np.float64]:
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)

    @property
    def cost(self) -> NDArray[np.float64]:
        """The cost of each decision."""
        return self._floats(decision.cost for decision in self)

    @property
    def energy_j(self) -> NDArray[np.float64]:
        """The energy of each decision in J."""
        return self._floats(decision.energy_j for decision in self)

    @property
    def time_s(self) -> NDArray[np.float64]:
        """The time of each decision in s."""
        return self._floats(decision.time_s for decision in self)

    @property
    def price(self) -> NDArray[np.float64]:
        """The price of each decision."""
        return self._floats(decision.price for decision in self)

    @property
    def exceeds_limits(self) -> NDArray[np.bool_]:
        """Whether each decision exceeds a limit of the scenario."""
        return np.array([decision.exceeds_limits for decision in self], dtype=np.bool_)

    @property
    def evaluations(self) -> NDArray[np.int64]:
        """The number of cost evaluations that each decision took."""
        return np.array([decision.evaluations for decision in self], dtype=np.int64)

    @property
    def bound(self) -> NDArray[np.float64]:
        """A cost that no decision can undercut, for each graph; ``nan`` where the scheme knows none."""
        return self._floats(decision.bound for decision in self)

    @property
    def is_optimal(self) -> NDArray[np.bool_]:
        """Whether each decision is proved to be the best."""
        return np.array([decision.is_optimal for decision in self], dtype=np.bool_)

    def __len__(self) -> int:
        return len(self._decisions)

    @overload
    def __getitem__(self, index: int) -> GraphDecision: ...
    @overload
    def __getitem__(self, index: slice) -> GraphDecisions: ...
    def __getitem__(self, index: int | slice) -> GraphDecision | GraphDecisions:
        """One of the decisions, or a part of them."""
        if isinstance(index, slice):
            return GraphDecisions(self._decisions[index])
        return self._decisions[index]

    def __iter__(self) -> Iterator[GraphDecision]:
        return iter(self._decisions)

    def __repr__(self) -> str:
        return f"<GraphDecisions of {len(self)} graphs>"


def model(scenario: GraphScenario, graph: Graph, order: list[int] | None) -> GraphModel:
    """A model from positional arguments, for pickle."""
    own = scenario.cost_model(graph)
    return own if order is None else own.with_order(order)
