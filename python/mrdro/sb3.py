"""Environments for Stable-Baselines3, stepped in Rust.

>>> from stable_baselines3 import PPO
>>> from mrdro.sb3 import VecEnv
>>> model = PPO("MlpPolicy", VecEnv("paper", 64), n_steps=32).learn(200_000)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

try:
    from stable_baselines3.common.vec_env import VecEnv as _VecEnv
except ImportError as error:
    raise ImportError("mrdro.sb3 needs Stable-Baselines3: pip install stable-baselines3 'mrdro[gym]'") from error

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
)
from mrdro._settings import scenario_of, whole_number

__all__ = ["VecEnv"]

MOST_ENVIRONMENTS = 1_000_000


class VecEnv(_VecEnv):
    """Many environments as Stable-Baselines3 wants them, of what ``mrdro/Offloading-v0`` and its siblings decide.

    Args:
        scenario: A `mrdro.Scenario`, the name of a shipped one, or the path of a TOML file.
        n: The number of environments.
        tasks: Whether a step decides one task instead of a whole workload.
        recording: A `mrdro.Recording` or the path of one; each step then decides a workload in one window of a drive.
        drive, window_s: As for `mrdro.gym.DriveEnv`.
        reward: ``"saving"``, ``"cost"`` or ``"q2"``.
        optimum: Whether infos hold the optimal cost; ``"auto"``: only if the reward is ``"q2"``.
        part: The part of recorded sizes and uplinks to draw from: ``"training"`` or ``"held-out"``.
        seed: Environment i gets ``seed + i``, as with ``seed()``.
    """

    def __init__(
        self,
        scenario: Source = "paper",
        n: int = 64,
        *,
        tasks: bool = False,
        recording: Recorded | None = None,
        drive: str | None = None,
        window_s: float | None = None,
        reward: Reward = "saving",
        optimum: Optimum = "auto",
        part: Part = "training",
        seed: int | None = None,
    ) -> None:
        if tasks and recording is not None:
            raise ValueError("tasks=True cannot be combined with recording: a step in a drive decides a whole workload")
        if recording is None and (drive is not None or window_s is not None):
            raise ValueError("drive and window_s are for the drives of a recording: give recording, too")
        n = whole_number("n", n, 1, MOST_ENVIRONMENTS)
        self._kind: Kind = "tasks" if tasks else "workload" if recording is None else "drive"
        if optimum == "auto":
            optimum = reward == "q2"
        self.scenario = scenario_of(scenario)
        length_s = 60.0 if window_s is None else window_s
        self._rules = rules_of(self.scenario, self._kind, reward, optimum, part, recording, drive, length_s)
        self._episodes = self._rules.parallel(n)
        self._actions: NDArray[np.int64] | None = None
        self.render_mode: str | None = None
        super().__init__(n, box(self._rules.entries), actions(self.scenario, self._kind))
        if seed is not None:
            self.seed(seed)

    def reset(self) -> NDArray[np.float32]:
        """Begin an episode in every environment. Returns observations of shape ``(n, entries)``."""
        if any(seed is not None for seed in self._seeds):
            self._episodes.seed(self._seeds)
        if not self._episodes.is_seeded:
            first = int(np.random.default_rng().integers(MAX_SEED))
            self._episodes.seed([first + index for index in range(self.num_envs)])
        observations, masks = self._episodes.reset(**given(self._rules, self._kind, self._options_of_all()))
        self.reset_infos = [{"action_mask": mask} for mask in masks]
        self._reset_seeds()
        self._reset_options()
        return observations

    def _options_of_all(self) -> dict[str, Any]:
        """The options that `set_options` left, of all environments together."""
        options = [one for one in self._options if one]
        if not options:
            return {}
        if len(options) < self.num_envs or any(one.keys() != options[0].keys() for one in options):
            raise ValueError("options must be one dict, or one with the same keys for each environment")
        together: dict[str, Any] = {}
        for key in options[0]:
            values = [one[key] for one in options]
            together[key] = np.stack(values) if key == "workload" else values[0] if key == "drive" else values
        return together

    def step_async(self, actions: NDArray[np.int64]) -> None:
        """Take the actions for `step_wait`."""
        self._actions = actions

    def step_wait(
        self,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]:
        """Decide in every environment. Returns observations, rewards, dones and infos."""
        return self._episodes.step_sb3(self._actions)

    def close(self) -> None:
        """Nothing is to be closed."""

    def action_masks(self) -> NDArray[np.bool_]:
        """Which places the next actions may name, of shape ``(n, all places of all tasks of an action)``."""
        return self._episodes.action_masks().reshape(self.num_envs, -1).astype(np.bool_)

    def get_attr(self, attr_name: str, indices: int | Sequence[int] | None = None) -> list[Any]:
        """An attribute of this object, once for each environment."""
        return [getattr(self, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: int | Sequence[int] | None = None) -> None:
        """Set an attribute of this object."""
        setattr(self, attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: int | Sequence[int] | None = None, **method_kwargs: Any
    ) -> list[Any]:
        """Call ``action_masks``, as MaskablePPO of sb3-contrib does. Single environments have no other method."""
        if method_name != "action_masks":
            raise AttributeError(f"single environments of {type(self).__name__} have no method {method_name!r}")
        masks = self.action_masks()
        return [masks[index] for index in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: type, indices: int | Sequence[int] | None = None) -> list[bool]:
        """Single environments are never wrapped."""
        return [False for _ in self._get_indices(indices)]
