"""An environment for PettingZoo in which every device decides its own tasks, stepped in Rust.

>>> from mrdro.pettingzoo import Fleet
>>> env = Fleet("shared-edge", rounds=10)
>>> observations, infos = env.reset(seed=1)
>>> actions = {agent: env.action_space(agent).sample() for agent in env.agents}
>>> observations, rewards, terminations, truncations, infos = env.step(actions)
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

try:
    from gymnasium import spaces
    from gymnasium.utils import EzPickle, seeding
    from pettingzoo import ParallelEnv
except ImportError as error:
    raise ImportError("mrdro.pettingzoo needs PettingZoo and Gymnasium: pip install 'mrdro[pettingzoo]'") from error

from mrdro import Environment
from mrdro._episodes import MAX_SEED, Part, Source, box, rules_of, scenario_of, slices

__all__ = ["Fleet"]

Observations = dict[str, NDArray[np.float32]]
Infos = dict[str, dict[str, Any]]


class Fleet(ParallelEnv[str, NDArray[np.float32], NDArray[np.int64]], EzPickle):
    """Every device decides its own tasks, all at the same time; at shared servers they wait for each other.

    An episode has ``rounds`` rounds. In each, all devices get a new workload, see their own part of it and the loads of
    the last round, and decide. Devices without a task stay agents that may only name place 0.

    Args:
        scenario: A `mrdro.Scenario`, the name of a shipped one, or the path of a TOML file.
        rounds: The number of rounds of an episode, after which all devices are truncated.
        reward: ``"saving"`` or ``"cost"``.
        rewarded: ``"own"``: each device for what it pays itself; ``"team"``: all devices for what the fleet pays.
        part: The part of recorded sizes and uplinks to draw from: ``"training"`` or ``"held-out"``.
    """

    metadata: ClassVar[dict[str, Any]] = {"name": "mrdro_fleet_v0", "render_modes": [], "is_parallelizable": True}

    def __init__(
        self,
        scenario: Source = "shared-edge",
        *,
        rounds: int = 10,
        reward: Literal["saving", "cost"] = "saving",
        rewarded: Literal["own", "team"] = "own",
        part: Part = "training",
    ) -> None:
        EzPickle.__init__(self, scenario, rounds=rounds, reward=reward, rewarded=rewarded, part=part)
        if reward not in ("saving", "cost"):
            raise ValueError(f'reward must be "saving" or "cost", is {reward!r}')
        if rewarded not in ("own", "team"):
            raise ValueError(f'rewarded must be "own" or "team", is {rewarded!r}')
        self.scenario = scenario_of(scenario)
        rules = rules_of(self.scenario, "workload", reward, False, part)
        self._episode = rules.fleet(rounds, rewarded == "team")
        self._tasks = self.scenario.tasks
        self._np_random: np.random.Generator | None = None
        self.render_mode: str | None = None
        self.possible_agents = [f"device_{device}" for device in range(self.scenario.devices)]
        self.agents: list[str] = []
        self.entries: dict[str, slice] = slices(rules.device_entries)
        """The position of each part of an observation, such as ``entries["sizes"]``."""
        places = len(self.scenario.places)
        self.observation_spaces = {agent: box(rules.device_entries) for agent in self.possible_agents}
        self.action_spaces = {agent: spaces.MultiDiscrete([places] * self._tasks) for agent in self.possible_agents}

    def observation_space(self, agent: str) -> spaces.Space[NDArray[np.float32]]:
        """The space of a device's observations."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.MultiDiscrete:
        """The space of a device's actions: a place for each of its tasks."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Observations, Infos]:
        """Begin an episode.

        Args:
            seed: Equal seeds give equal episodes from here on. Without one, the episodes go on.
            options: ``"workload"``, the sizes of all tasks of the first round in MB of shape ``(N, M)``, and
                ``"environment"``, an `mrdro.Environment`; what is missing is drawn, other keys mean nothing.

        Returns:
            Observations and infos with ``action_mask`` of shape ``(M, places)``, by device.
        """
        if seed is not None or self._np_random is None:
            self._np_random, _ = seeding.np_random(seed)
        if seed is None and not self._episode.is_seeded:
            seed = int(self._np_random.integers(MAX_SEED))
        known = {key: value for key, value in (options or {}).items() if key in ("workload", "environment")}
        rows = self._episode.reset(seed=seed, **known)
        self.agents = list(self.possible_agents)
        return dict(zip(self.agents, rows, strict=True)), self._infos(self.agents, {})

    def step(
        self, actions: dict[str, NDArray[np.int64]]
    ) -> tuple[Observations, dict[str, float], dict[str, bool], dict[str, bool], Infos]:
        """Decide one round.

        Args:
            actions: The places of the tasks of each device, of shape ``(M,)``.

        Returns:
            Observations, rewards, terminations, truncations and infos by device. Infos hold energy_j, time_s, cost and
            missed_deadlines of the device, and the ``action_mask`` of its next action.
        """
        agents = self.agents
        missing = [agent for agent in agents if agent not in actions]
        if missing:
            raise ValueError(f"actions must hold an action for every device, none for {', '.join(missing)}")
        decisions = np.array([actions[agent] for agent in agents], dtype=np.int64)
        rows, rewards, is_over, columns = self._episode.step(decisions)
        infos = self._infos(agents, columns)
        if is_over:
            self.agents = []
        return (
            dict(zip(agents, rows, strict=True)),
            dict(zip(agents, rewards, strict=True)),
            dict.fromkeys(agents, False),
            dict.fromkeys(agents, is_over),
            infos,
        )

    def _infos(self, agents: list[str], columns: dict[str, list[Any]]) -> Infos:
        masks = self._episode.action_masks().reshape(len(self.possible_agents), self._tasks, -1)
        infos: Infos = {}
        for device, agent in enumerate(agents):
            infos[agent] = {key: values[device] for key, values in columns.items()}
            infos[agent]["action_mask"] = masks[device]
        return infos

    @property
    def sizes_mb(self) -> NDArray[np.float64]:
        """The sizes of the current workload in MB, of shape ``(N, M)``; 0 is a task that its device does not have."""
        return self._episode.sizes_mb()

    @property
    def environment(self) -> Environment:
        """The environment of the current workload."""
        return self._episode.environment()

    def render(self) -> None:
        """There is nothing to show."""

    def close(self) -> None:
        """Nothing is to be closed."""
