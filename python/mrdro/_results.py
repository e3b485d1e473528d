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
    """Energy, time and cost of decisions: numbers for one workload, arrays for many.

    Attributes:
        energy_j: Energy of all devices in J.
        time_s: Sum over the devices of the time until their last task is done, in s.
        cost: alpha * energy_j + (1 - alpha) * time_s, and the penalties of missed deadlines where a penalty is set.
        missed_deadlines: The number of tasks that are done after their deadline.
    """

    energy_j: Floats
    time_s: Floats
    cost: Floats
    missed_deadlines: Ints


@dataclass(frozen=True, eq=False)
class Workloads:
    """Workloads, each in its environment.

    Attributes:
        sizes_mb: Task sizes in MB, ``(count, N, M)``: N devices with M tasks each. 0 is a task that its device does not
            have.
        environments: The environment of each workload; ``None``: the scenario's own for all.
        optimal: The optimal cost of each workload of a standard set, ``(count,)``; ``None`` if it is not known.
    """

    sizes_mb: NDArray[np.float64]
    environments: Sequence[Environment] | None = None
    optimal: NDArray[np.float64] | None = None

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
    """Decisions of one workload or of many.

    Further members are `cost`, `energy_j`, `time_s`, `missed_deadlines` and `names`.

    Attributes:
        places: The place of each task, of shape ``(…, N, M)``: 0 is the device itself, 1 the first server.
        outcome: Energy, time, cost and missed deadlines, each of shape ``(…)``.
        evaluations: The number of cost evaluations that each decision took.
        place_names: The names of the places.
    """

    places: NDArray[np.uint8]
    outcome: Outcome
    evaluations: Ints
    place_names: tuple[str, ...]

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
    """What the exact search knows of the optimum: single values for one workload, arrays for many.

    Attributes:
        lower: No decision costs less.
        cost: The cost of the best decision that was found.
        is_optimal: Whether this decision is proved to be the best.
        places: The decision, of shape ``(…, N, M)``.
        evaluations: The number of cost evaluations.
    """

    lower: Floats
    cost: Floats
    is_optimal: bool | NDArray[np.bool_]
    places: NDArray[np.uint8]
    evaluations: Ints


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
    """A decision together with uplinks that share one bandwidth.

    Attributes:
        environment: The environment with the uplinks that each device gets.
        decisions: The decision, with its cost in this environment.
        in_proportion: What the scheme's decision costs with the bandwidth shared out in proportion to the scenario's
            uplinks.
    """

    environment: Environment
    decisions: Decisions
    in_proportion: Outcome
