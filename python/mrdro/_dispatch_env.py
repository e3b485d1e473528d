"""Environments in which each step places one task of a scenario over time as it arrives."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import EzPickle
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from mrdro._episodes import MAX_SEED, box, slices
from mrdro._mrdro import DispatchRules, Offer, StreamScenario
from mrdro._settings import whole_number

StreamSource = StreamScenario | str | PathLike[str]
"""A scenario over time, the name of a shipped one, or the path of a TOML file."""

Observation = NDArray[np.float32]
Info = dict[str, Any]

LEAST_TASKS, MOST_TASKS = 20, 100_000_000
"""What a scenario may have as its `tasks_per_run`."""


def _rules_of(source: StreamSource, tasks: int | None, site_seed: int | None) -> tuple[StreamScenario, DispatchRules]:
    if not isinstance(source, StreamScenario | str | PathLike):
        raise TypeError(f"scenario must be a StreamScenario, its name or its file, is {source!r}")
    scenario = source if isinstance(source, StreamScenario) else StreamScenario.load(source)
    if tasks is not None:
        tasks = whole_number("tasks", tasks, LEAST_TASKS, MOST_TASKS)
    if site_seed is not None:
        site_seed = whole_number("site_seed", site_seed, 0, 2**64 - 1)
    return scenario, DispatchRules(scenario, tasks, site_seed)


def _refuse(options: dict[str, Any] | None) -> None:
    if options:
        raise ValueError(f"this environment takes no options, {next(iter(options))!r} was given")


class DispatchEnv(gymnasium.Env[Observation, Any], EzPickle):
    """``mrdro/Dispatch-v0``: each step places one task as it arrives; truncated after the last task.

    The reward of a step is less the cost of all tasks of which it has become known since the last step when they are
    done, and less alpha times the energy of radios that stayed on. For most places that is known when a task is placed;
    for a machine to which several links lead, when the task has come there. So the rewards of an episode sum to less
    the cost of all its tasks, exactly.

    A place that the device of the task cannot use means the device itself; masks say which places can be used.

    Args:
        scenario: A `mrdro.StreamScenario` of kind ``"dispatch"``, the name of a shipped one, or the path of a file.
        tasks: The number of tasks of an episode; ``None``: that of a run of the scenario.
        site_seed: The seed from which what the scenario leaves to chance of its devices and links is drawn, once for
            all episodes; ``None``: each episode draws its own, as the run of its seed does.
    """

    metadata: dict[str, Any] = {"render_modes": []}

    def __init__(
        self, scenario: StreamSource = "dispatch", *, tasks: int | None = None, site_seed: int | None = None
    ) -> None:
        EzPickle.__init__(self, scenario, tasks=tasks, site_seed=site_seed)
        self.scenario, self._rules = _rules_of(scenario, tasks, site_seed)
        self._episode = self._rules.single()
        self.observation_space = box(self._rules.entries)
        self.action_space = spaces.Discrete(len(self.scenario.places))
        self.entries: dict[str, slice] = slices(self._rules.entries)
        """The position of each part of an observation, such as ``entries["costs"]``."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Observation, Info]:
        """Begin an episode.

        Args:
            seed: The episode has the course of the run that `mrdro.StreamScenario.run` draws from this seed. Equal
                seeds give equal episodes from here on. Without one, the episodes go on.
            options: None are taken.

        Returns:
            The observation, and a dict with ``action_mask`` and ``seed``, the seed of this episode.
        """
        _refuse(options)
        if seed is None and self._episode.is_seeded:
            return self._episode.reset()
        super().reset(seed=seed)
        return self._episode.reset(int(self.np_random.integers(MAX_SEED)) if seed is None else seed)

    def step(self, action: Any) -> tuple[Observation, float, bool, bool, Info]:
        """Place the task.

        Args:
            action: A place: 0 is the device, 1 the first server.

        Returns:
            Observation, reward, terminated (always ``False``), truncated and info. The last observation of an episode
            is what a task of the mean size would meet at the same device; its info holds ``cost``, ``mean_energy_j``,
            ``mean_delay_s``, ``missed_share`` and ``place_shares``, the means over the tasks after the warm-up.
        """
        return self._episode.step(action)

    def action_masks(self) -> NDArray[np.bool_]:
        """Which places the next action may name, as MaskablePPO of sb3-contrib asks."""
        return self._episode.action_mask()

    @property
    def offer(self) -> Offer:
        """The task that is to be placed, and what each place is expected to do with it, in units and not rounded."""
        return self._episode.offer()

    @property
    def tasks(self) -> int:
        """The number of tasks of an episode."""
        return self._rules.tasks


class DispatchVectorEnv(VectorEnv[Observation, NDArray[np.int64], Any]):
    """`DispatchEnv` many times: the step that ends an episode begins the next one.

    Takes the arguments of `DispatchEnv`. Each environment keeps the course of its episode in memory, about 50 bytes for
    each task, so that many environments are best made with a small ``tasks``.
    """

    metadata: dict[str, Any] = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(
        self,
        num_envs: int = 1,
        scenario: StreamSource = "dispatch",
        *,
        tasks: int | None = None,
        site_seed: int | None = None,
    ) -> None:
        self.num_envs = num_envs
        self.scenario, self._rules = _rules_of(scenario, tasks, site_seed)
        self._episodes = self._rules.parallel(num_envs)
        self.single_observation_space = box(self._rules.entries)
        self.single_action_space = spaces.Discrete(len(self.scenario.places))
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.entries: dict[str, slice] = slices(self._rules.entries)
        """The position of each part of an observation, such as ``entries["costs"]``."""

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        """Begin an episode in every environment.

        Args:
            seed: Environment i gets ``seed + i``, or ``seed[i]`` of a list. Each then has the episodes of a single
                environment with that seed. Without a seed, the episodes go on.
            options: None are taken.

        Returns:
            Observations of shape ``(num_envs, entries)``, and a dict with ``action_mask`` and ``seed``.
        """
        _refuse(options)
        if seed is None or isinstance(seed, (int, np.integer)):
            super().reset(seed=None if seed is None else int(seed))
        if seed is None and not self._episodes.is_seeded:
            seed = int(self.np_random.integers(MAX_SEED))
        if isinstance(seed, (int, np.integer)):
            self._episodes.seed([int(seed) + index for index in range(self.num_envs)])
        elif seed is not None:
            draw = self.np_random.integers
            self._episodes.seed([int(draw(MAX_SEED)) if one is None else int(one) for one in seed])
        observations, masks, seeds = self._episodes.reset()
        every = np.ones(self.num_envs, dtype=np.bool_)
        return observations, {"action_mask": masks, "_action_mask": every, "seed": seeds, "_seed": every.copy()}

    def step(
        self, actions: NDArray[np.int64]
    ) -> tuple[Observation, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], Info]:
        """Place a task in every environment.

        Args:
            actions: Places, of shape ``(num_envs,)``.

        Returns:
            Observations, rewards, terminations, truncations and infos. Where an episode ended, the observation is the
            first of the next one; its last one is in ``infos["final_obs"]``, what came of it in
            ``infos["final_info"]``, and the seed of the next one in ``infos["seed"]``.
        """
        return self._episodes.step(actions)

    def action_masks(self) -> NDArray[np.bool_]:
        """Which places the next actions may name, of shape ``(num_envs, places)``."""
        return self._episodes.action_masks().astype(np.bool_)

    @property
    def tasks(self) -> int:
        """The number of tasks of an episode."""
        return self._rules.tasks
