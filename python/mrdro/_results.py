"""What calls return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mrdro._mrdro import CostModel, Environment, Recording, Scenario

Floats = float | NDArray[np.float64]
Ints = int | NDArray[np.int64]


class Outcome(NamedTuple):
    """Energy, time and cost of decisions: numbers for one workload, arrays for many."""

    energy_j: Floats
    """Energy of all devices in J."""
    time_s: Floats
    """Sum over the devices of the time until their last task is done, in s."""
    cost: Floats
    """alpha * energy_j + (1 - alpha) * time_s, and the penalties of missed deadlines where they have penalties."""
    missed_deadlines: Ints
    """The number of tasks that are done after their deadline."""


@dataclass(frozen=True, eq=False)
class Workloads:
    """Workloads, each in its environment."""

    sizes_mb: NDArray[np.float64]
    """Task sizes in MB, ``(count, N, M)``: N devices with M tasks each. 0 is a task that its device does not have."""
    environments: Sequence[Environment] | None = None
    """The environment of each workload; ``None``: the scenario's own for all."""
    optimal: NDArray[np.float64] | None = None
    """The optimal cost of each workload, of shape ``(count,)``; ``None`` if it is not known."""

    def __len__(self) -> int:
        return len(self.sizes_mb)

    def __getitem__(self, part: slice) -> Workloads:
        """A part of the workloads, such as ``workloads[:10]``."""
        if not isinstance(part, slice):
            raise TypeError(
                f"workloads take slices such as [:10], not {part!r}; sizes_mb and environments take an index"
            )
        environments = None if self.environments is None else list(self.environments)[part]
        optimal = None if self.optimal is None else self.optimal[part]
        return Workloads(self.sizes_mb[part], environments, optimal)

    def __repr__(self) -> str:
        count, devices, tasks = self.sizes_mb.shape
        own = "" if self.environments is None else ", each in its environment"
        return f"<Workloads: {count} of {devices} × {tasks} tasks{own}>"


@dataclass(frozen=True, eq=False)
class Decisions:
    """Decisions of one workload or of many."""

    places: NDArray[np.uint8]
    """The place of each task, of shape ``(…, N, M)``: 0 is the device itself, 1 the first server."""
    outcome: Outcome
    """Energy, time, cost and missed deadlines, each of shape ``(…)``."""
    evaluations: Ints
    """The number of cost evaluations that each decision took."""
    place_names: tuple[str, ...]
    """The names of the places."""

    @property
    def cost(self) -> Floats:
        """The cost of each decision: alpha * energy in J + (1 - alpha) * time in s."""
        return self.outcome.cost

    @property
    def energy_j(self) -> Floats:
        """The energy of each decision in J."""
        return self.outcome.energy_j

    @property
    def time_s(self) -> Floats:
        """The time of each decision in s."""
        return self.outcome.time_s

    @property
    def missed_deadlines(self) -> Ints:
        """The number of deadlines that each decision misses."""
        return self.outcome.missed_deadlines

    @property
    def names(self) -> NDArray[np.str_]:
        """The names of the places of all tasks, of the shape of `places`."""
        return np.array(self.place_names, dtype=np.str_)[self.places]

    def __repr__(self) -> str:
        *lead, devices, tasks = self.places.shape
        count = int(np.prod(lead, dtype=int))
        what = f"one workload, cost {self.cost:.6g}" if not lead else f"{count} workloads"
        return f"<Decisions of {what}, {devices} × {tasks} tasks>"


class Bounds(NamedTuple):
    """What the exact search knows of the optimum: single values for one workload, arrays for many."""

    lower: Floats
    """No decision costs less."""
    cost: Floats
    """The cost of the best decision that was found."""
    is_optimal: bool | NDArray[np.bool_]
    """Whether this decision is proved to be the best."""
    places: NDArray[np.uint8]
    """The decision, of shape ``(…, N, M)``."""
    evaluations: Ints
    """The number of cost evaluations."""


def environment(alpha: float, uplinks_mbps: Any, capacities: Any) -> Environment:
    """An environment from positional arguments, for pickle."""
    return Environment(alpha=alpha, uplinks_mbps=uplinks_mbps, capacities=capacities)


def cost_model(scenario: Scenario, environment: Environment, demands: tuple[Any, Any, Any, Any] | None) -> CostModel:
    """A cost model from positional arguments, for pickle."""
    model = scenario.cost_model(environment)
    if demands is None:
        return model
    instructions_per_byte, deadline_s, rule, penalty = demands
    return model.with_tasks(
        instructions_per_byte=instructions_per_byte, deadline_s=deadline_s, deadline_rule=rule, deadline_penalty=penalty
    )


def recording(path: str, columns: str | None, format: str | None) -> Recording:
    """A recording from positional arguments, for pickle."""
    return Recording.open(path, columns=columns, format=format)


@dataclass(frozen=True, eq=False)
class SharedOut:
    """A decision together with uplinks that share one bandwidth."""

    environment: Environment
    """The environment with the uplinks that each device gets."""
    decisions: Decisions
    """The decision, with its cost in this environment."""
    in_proportion: Outcome
    """What the scheme's decision costs with the bandwidth shared out in proportion to the scenario's uplinks."""
