"""What runs of scenarios over time return."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class TaskColumns(NamedTuple):
    """The tasks of a run in the order of their arrivals, those of the warm-up included: arrays of shape ``(tasks,)``.

    Attributes:
        time_s: When each task arrived, in s.
        device: The device at which it arrived.
        size_mb: Its size in MB.
        place: The place where it ran: 0 is its device, 1 the first server.
        done_s: When it was done, in s.
        energy_j: Its energy in J, without that of a radio that stayed on after it.
        cost: alpha * energy in J + (1 - alpha) * response time in s, and what missing its deadline cost.
        missed: Whether it was done after its deadline.
    """

    time_s: NDArray[np.float64]
    device: NDArray[np.int64]
    size_mb: NDArray[np.float64]
    place: NDArray[np.uint8]
    done_s: NDArray[np.float64]
    energy_j: NDArray[np.float64]
    cost: NDArray[np.float64]
    missed: NDArray[np.bool_]

    @property
    def response_s(self) -> NDArray[np.float64]:
        """The time from the arrival of each task until it was done, in s."""
        return self.done_s - self.time_s


class SlotColumns(NamedTuple):
    """The slots of a run: arrays of shape ``(slots,)``, or ``(slots, links)`` where links differ.

    Attributes:
        time_s: When each slot began, in s.
        backlog_mb: The MB that waited before anything was sent.
        mbps: The rate of each link in Mbit/s.
        sent_mb: The MB that were sent over each link.
        fallback_mb: The MB that went over the fallback because their deadline had come.
        energy_j: The energy in J.
    """

    time_s: NDArray[np.float64]
    backlog_mb: NDArray[np.float64]
    mbps: NDArray[np.float64]
    sent_mb: NDArray[np.float64]
    fallback_mb: NDArray[np.float64]
    energy_j: NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class StreamRun:
    """One run of one scheme: what came of it, and what happened.

    Further members are `tasks`, `slots`, `places` and `links`.

    Attributes:
        scenario: The name of the scenario.
        scheme: The name of the scheme.
        seed: The seed from which the run was drawn.
        count: The number of tasks after the warm-up, which is the first tenth of the tasks; in slots of files.
        mean_power_w: The mean power in W.
        mean_energy_j: The mean energy of a task after the warm-up, or of a file, in J.
        mean_delay_s: The mean time until it was done or sent, in s: of a task, or of a byte.
        missed: The number of tasks after the warm-up, or of files, that missed their deadline.
        cost: The mean cost of a task after the warm-up, or of a file.
        evaluations: The number of decisions that priced places, or of slots.
        place_shares: The share of the tasks at each place, by its name; empty in slots.

    >>> run = StreamScenario.load("commute").run("at-once")
    >>> run.links, run.slots.mbps.shape
    (('cellular',), (3600, 1))
    """

    scenario: str
    scheme: str
    seed: int
    count: int
    mean_power_w: float
    mean_energy_j: float
    mean_delay_s: float
    missed: int
    cost: float
    evaluations: int
    place_shares: dict[str, float]
    names: tuple[str, ...] = field(repr=False)
    """The names of places, or in slots of links."""
    columns: TaskColumns | SlotColumns = field(repr=False)
    """What `tasks` is, or in slots what `slots` is."""

    @property
    def tasks(self) -> TaskColumns:
        """The tasks as arrays. Raises ``AttributeError`` for a run in slots."""
        if not isinstance(self.columns, TaskColumns):
            raise AttributeError("this run sends data in slots and has no tasks: see slots")
        return self.columns

    @property
    def slots(self) -> SlotColumns:
        """The slots as arrays. Raises ``AttributeError`` for a run that dispatches tasks."""
        if not isinstance(self.columns, SlotColumns):
            raise AttributeError("this run dispatches tasks and has no slots: see tasks")
        return self.columns

    @property
    def places(self) -> tuple[str, ...]:
        """The names of the places of `tasks`; empty in slots."""
        return self.names if isinstance(self.columns, TaskColumns) else ()

    @property
    def links(self) -> tuple[str, ...]:
        """The names of the links of `slots`; empty where tasks are dispatched."""
        return self.names if isinstance(self.columns, SlotColumns) else ()

    def to_dict(self) -> dict[str, Any]:
        """What came of the run, with the keys of the program's answers."""
        answer = {"scenario": self.scenario, "scheme": self.scheme, "seed": self.seed, "tasks": self.count}
        answer |= {"mean_power_w": self.mean_power_w, "mean_energy_j": self.mean_energy_j}
        answer |= {"mean_delay_s": self.mean_delay_s, "missed": self.missed, "cost": self.cost}
        answer |= {"evaluations": self.evaluations}
        return answer | {"place_shares": dict(self.place_shares)} if self.place_shares else answer

    def __repr__(self) -> str:
        what = "files" if isinstance(self.columns, SlotColumns) else "tasks"
        return f"<StreamRun of {self.scheme} on {self.scenario}: {self.count} {what}, cost {self.cost:.6g}>"
