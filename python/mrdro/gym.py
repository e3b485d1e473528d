"""Environments for Gymnasium, stepped in Rust. Importing this module registers them.

>>> import gymnasium, mrdro.gym
>>> env = gymnasium.make("mrdro/Offloading-v0", scenario="paper-wan")
>>> observation, info = env.reset(seed=1)
>>> observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
>>> terminated, sorted(info)
(True, ['cost', 'energy_j', 'missed_deadlines', 'optimal', 'q2', 'time_s'])

`docs/python/environments.md` says what the entries of observations are, and what rewards mean;
`docs/python/over-time.md` says it of ``mrdro/Dispatch-v0``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

try:
    import gymnasium
    from gymnasium.utils import EzPickle
    from gymnasium.vector import AutoresetMode, VectorEnv
    from gymnasium.vector.utils import batch_space
except ImportError as error:
    raise ImportError("mrdro.gym needs Gymnasium 1.1 or later: pip install 'mrdro[gym]'") from error

from mrdro import Environment
from mrdro._dispatch_env import DispatchEnv, DispatchVectorEnv
from mrdro._episodes import (
    MAX_SEED,
    Kind,
    Optimum,
    Part,
    Recorded,
    Reward,
    Source,
    actions,
    box,
    given,
    rules_of,
    slices,
)
from mrdro._settings import scenario_of

__all__ = [
    "DispatchEnv",
    "DispatchVectorEnv",
    "DriveEnv",
    "DriveVectorEnv",
    "OffloadingEnv",
    "OffloadingTasksEnv",
    "OffloadingTasksVectorEnv",
    "OffloadingVectorEnv",
]

Observation = NDArray[np.float32]
Info = dict[str, Any]


class _SingleEnv(gymnasium.Env[Observation, Any], EzPickle):
    """One environment over `mrdro._mrdro.SingleEpisode`."""

    metadata: dict[str, Any] = {"render_modes": []}
    _kind: ClassVar[Kind]

    def __init__(self, scenario: Source, reward: Reward, optimum: Optimum, part: Part, **recorded: Any) -> None:
        self.scenario = scenario_of(scenario)
        self._rules = rules_of(self.scenario, self._kind, reward, optimum, part, **recorded)
        self._episode = self._rules.single()
        self.observation_space = box(self._rules.entries)
        self.action_space = actions(self.scenario, self._kind)
        self.entries: dict[str, slice] = slices(self._rules.entries)
        """The position of each part of an observation, such as ``entries["sizes"]``."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Observation, Info]:
        """Begin an episode.

        Args:
            seed: Equal seeds give equal episodes from here on. Without one, the episodes go on.
            options: ``"workload"``, the sizes of the tasks in MB of shape ``(N, M)`` or an `mrdro.Workloads` of one,
                and ``"environment"``, an `mrdro.Environment`; what is missing is drawn. For drives ``"workload"`` and
                ``"drive"``, a name or an index.

        Returns:
            The observation, and a dict with ``action_mask``.
        """
        episode = self._episode
        if seed is None and not options and episode.is_seeded:
            return episode.reset()
        super().reset(seed=seed)
        if seed is None and not episode.is_seeded:
            seed = int(self.np_random.integers(MAX_SEED))
        return episode.reset(seed=seed, **given(self._rules, self._kind, options, is_single=True))

    def step(self, action: Any) -> tuple[Observation, float, bool, bool, Info]:
        """Decide.

        Args:
            action: Places: 0 is the device, 1 the first server. See `action_space`.

        Returns:
            Observation, reward, terminated, truncated and info.
        """
        return self._episode.step(action)

    def action_masks(self) -> NDArray[np.bool_]:
        """Which places the next action may name, as MaskablePPO of sb3-contrib asks: all tasks in one row."""
        return self._episode.action_mask().reshape(-1).astype(np.bool_)

    @property
    def sizes_mb(self) -> NDArray[np.float64]:
        """The sizes of the current workload in MB, of shape ``(N, M)``; 0 is a task that its device does not have."""
        return self._episode.sizes_mb()

    @property
    def environment(self) -> Environment:
        """The environment of the current workload."""
        return self._episode.environment()


class OffloadingEnv(_SingleEnv):
    """``mrdro/Offloading-v0``: one step decides a whole workload and ends the episode.

    Args:
        scenario: A `mrdro.Scenario`, the name of a shipped one, or the path of a TOML file.
        reward: ``"saving"``, ``"cost"`` or ``"q2"``.
        optimum: Whether ``info`` holds the optimal cost; ``"auto"``: if the reward is ``"q2"``, and where the search
            takes about a microsecond.
        part: The part of recorded sizes and uplinks to draw from: ``"training"`` or ``"held-out"``.
    """

    _kind = "workload"

    def __init__(
        self,
        scenario: Source = "paper",
        *,
        reward: Reward = "saving",
        optimum: Optimum = "auto",
        part: Part = "training",
    ) -> None:
        EzPickle.__init__(self, scenario, reward=reward, optimum=optimum, part=part)
        super().__init__(scenario, reward, optimum, part)


class OffloadingTasksEnv(_SingleEnv):
    """``mrdro/OffloadingTasks-v0``: each step decides one task of a workload; rewards sum to that of ``Offloading-v0``.

    Takes the arguments of `OffloadingEnv`.
    """

    _kind = "tasks"

    def __init__(
        self,
        scenario: Source = "paper",
        *,
        reward: Reward = "saving",
        optimum: Optimum = "auto",
        part: Part = "training",
    ) -> None:
        EzPickle.__init__(self, scenario, reward=reward, optimum=optimum, part=part)
        super().__init__(scenario, reward, optimum, part)


class DriveEnv(_SingleEnv):
    """``mrdro/Drive-v0``: each step decides a workload in one window of a recorded drive; truncated at its end.

    Args:
        scenario, reward, optimum, part: As for `OffloadingEnv`.
        recording: A `mrdro.Recording`, or the path of a file or folder with one.
        drive: The name of the only drive to use; ``None``: each episode draws one.
        window_s: The length of a window in seconds. Uplinks are the mean rates of a window.
    """

    _kind = "drive"

    def __init__(
        self,
        scenario: Source = "paper",
        *,
        recording: Recorded | None = None,
        drive: str | None = None,
        window_s: float = 60.0,
        reward: Reward = "saving",
        optimum: Optimum = "auto",
        part: Part = "training",
    ) -> None:
        recorded = _recorded(recording, drive, window_s)
        EzPickle.__init__(self, scenario, **recorded, reward=reward, optimum=optimum, part=part)
        super().__init__(scenario, reward, optimum, part, **recorded)

    @property
    def drives(self) -> list[tuple[str, int]]:
        """Name and number of windows of each drive."""
        return self._rules.drives


def _recorded(recording: Recorded | None, drive: str | None, window_s: float) -> dict[str, Any]:
    if recording is None:
        raise TypeError("mrdro/Drive-v0 needs recording, the path of a recording of a network or of a folder of them")
    return {"recording": recording, "drive": drive, "window_s": window_s}


class _VectorEnv(VectorEnv[Observation, NDArray[np.int64], Any]):
    """Many environments over `mrdro._mrdro.ParallelEpisodes`: the step that ends an episode begins the next one."""

    metadata: dict[str, Any] = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}
    _kind: ClassVar[Kind]

    def __init__(
        self, num_envs: int, scenario: Source, reward: Reward, optimum: Optimum, part: Part, **recorded: Any
    ) -> None:
        self.num_envs = num_envs
        self.scenario = scenario_of(scenario)
        if optimum == "auto":
            optimum = reward == "q2"
        self._rules = rules_of(self.scenario, self._kind, reward, optimum, part, **recorded)
        self._episodes = self._rules.parallel(num_envs)
        self.single_observation_space = box(self._rules.entries)
        self.single_action_space = actions(self.scenario, self._kind)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.entries: dict[str, slice] = slices(self._rules.entries)
        """The position of each part of an observation, such as ``entries["sizes"]``."""

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        """Begin an episode in every environment.

        Args:
            seed: Environment i gets ``seed + i``, or ``seed[i]`` of a list. Each then has the episodes of a single
                environment with that seed. Without a seed, the episodes go on.
            options: As for single environments; ``"workload"`` can also have the shape ``(num_envs, N, M)`` or be
                an `mrdro.Workloads` of ``num_envs``, and ``"environment"`` can be a list of ``num_envs``.

        Returns:
            Observations of shape ``(num_envs, entries)``, and a dict with ``action_mask``.
        """
        if seed is None or isinstance(seed, (int, np.integer)):
            super().reset(seed=None if seed is None else int(seed))
        if seed is None and not self._episodes.is_seeded:
            seed = int(self.np_random.integers(MAX_SEED))
        if isinstance(seed, (int, np.integer)):
            self._episodes.seed([int(seed) + index for index in range(self.num_envs)])
        elif seed is not None:
            draw = self.np_random.integers
            self._episodes.seed([int(draw(MAX_SEED)) if one is None else int(one) for one in seed])
        observations, masks = self._episodes.reset(**given(self._rules, self._kind, options))
        return observations, {"action_mask": masks, "_action_mask": np.ones(self.num_envs, dtype=np.bool_)}

    def step(
        self, actions: NDArray[np.int64]
    ) -> tuple[Observation, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], Info]:
        """Decide in every environment.

        Args:
            actions: Places, of shape ``(num_envs, N * M)``, or ``(num_envs,)`` where one task is decided at a time.

        Returns:
            Observations, rewards, terminations, truncations and infos. Where an episode ended, the observation is the
            first of the next one; its last one is in ``infos["final_obs"]``, and what its decision cost is in
            ``infos["final_info"]``.
        """
        return self._episodes.step(actions)

    def action_masks(self) -> NDArray[np.bool_]:
        """Which places the next actions may name, of shape ``(num_envs, all places of all tasks of an action)``."""
        return self._episodes.action_masks().reshape(self.num_envs, -1).astype(np.bool_)

    @property
    def sizes_mb(self) -> NDArray[np.float64]:
        """The sizes of the current workloads in MB, of shape ``(num_envs, N, M)``."""
        return self._episodes.sizes_mb()


class OffloadingVectorEnv(_VectorEnv):
    """`OffloadingEnv` many times. ``optimum="auto"`` means ``False`` here, unless the reward is ``"q2"``."""

    _kind = "workload"

    def __init__(
        self,
        num_envs: int = 1,
        scenario: Source = "paper",
        *,
        reward: Reward = "saving",
        optimum: Optimum = "auto",
        part: Part = "training",
    ) -> None:
        super().__init__(num_envs, scenario, reward, optimum, part)


class OffloadingTasksVectorEnv(_VectorEnv):
    """`OffloadingTasksEnv` many times. ``optimum="auto"`` means ``False`` here, unless the reward is ``"q2"``."""

    _kind = "tasks"

    def __init__(
        self,
        num_envs: int = 1,
        scenario: Source = "paper",
        *,
        reward: Reward = "saving",
        optimum: Optimum = "auto",
        part: Part = "training",
    ) -> None:
        super().__init__(num_envs, scenario, reward, optimum, part)


class DriveVectorEnv(_VectorEnv):
    """`DriveEnv` many times. ``optimum="auto"`` means ``False`` here, unless the reward is ``"q2"``."""

    _kind = "drive"

    def __init__(
        self,
        num_envs: int = 1,
        scenario: Source = "paper",
        *,
        recording: Recorded | None = None,
        drive: str | None = None,
        window_s: float = 60.0,
        reward: Reward = "saving",
        optimum: Optimum = "auto",
        part: Part = "training",
    ) -> None:
        super().__init__(num_envs, scenario, reward, optimum, part, **_recorded(recording, drive, window_s))


def _register() -> None:
    """Register the environments, with defaults: ``env.spec.kwargs`` then tells all that an agent was trained in."""
    defaults = {"scenario": "paper", "reward": "saving", "optimum": "auto"}
    for name in ("Offloading", "OffloadingTasks", "Drive"):
        if f"mrdro/{name}-v0" not in gymnasium.registry:
            gymnasium.register(
                id=f"mrdro/{name}-v0",
                entry_point=f"mrdro.gym:{name}Env",
                vector_entry_point=f"mrdro.gym:{name}VectorEnv",
                kwargs=defaults,
            )
    if "mrdro/Dispatch-v0" not in gymnasium.registry:
        gymnasium.register(
            id="mrdro/Dispatch-v0",
            entry_point="mrdro.gym:DispatchEnv",
            vector_entry_point="mrdro.gym:DispatchVectorEnv",
            kwargs={"scenario": "dispatch", "tasks": None, "site_seed": None},
        )


_register()
