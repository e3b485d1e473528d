"""Environments for Stable-Baselines3. Where it is not installed, a small class stands for its `VecEnv`."""

from __future__ import annotations

import subprocess
import sys
import types

import mrdro
import numpy as np
import pytest

gymnasium = pytest.importorskip("gymnasium")


class StandIn:
    """The parts of `stable_baselines3.common.vec_env.VecEnv` that its algorithms call."""

    def __init__(self, num_envs, observation_space, action_space):
        self.num_envs, self.observation_space, self.action_space = num_envs, observation_space, action_space
        self._reset_seeds()
        self._reset_options()
        self.get_attr("render_mode")

    def _reset_seeds(self):
        self._seeds = [None] * self.num_envs

    def _reset_options(self):
        self._options = [{} for _ in range(self.num_envs)]

    def set_options(self, options):
        self._options = [dict(options)] * self.num_envs if isinstance(options, dict) else list(options)

    def seed(self, seed):
        self._seeds = [seed + index for index in range(self.num_envs)]

    def step(self, actions):
        self.step_async(actions)
        return self.step_wait()

    def _get_indices(self, indices):
        return range(self.num_envs) if indices is None else [indices] if isinstance(indices, int) else indices


@pytest.fixture(scope="module")
def vec_env():
    try:
        import stable_baselines3  # noqa: F401
    except ImportError:
        for name in ("stable_baselines3", "stable_baselines3.common", "stable_baselines3.common.vec_env"):
            sys.modules[name] = types.ModuleType(name)
        sys.modules["stable_baselines3.common.vec_env"].VecEnv = StandIn
        yield __import__("mrdro.sb3", fromlist=["VecEnv"]).VecEnv
        for name in ("stable_baselines3", "stable_baselines3.common", "stable_baselines3.common.vec_env", "mrdro.sb3"):
            del sys.modules[name]
    else:
        yield __import__("mrdro.sb3", fromlist=["VecEnv"]).VecEnv


@pytest.mark.parametrize("scenario", ["paper", "mobile", "deadlines", "shared-edge"])
@pytest.mark.parametrize("tasks", [False, True])
def test_it_is_what_stable_baselines3_asks_for(vec_env, scenario, tasks):
    env = vec_env(scenario, 6, tasks=tasks, seed=1)
    space = env.observation_space
    assert space.dtype == np.float32 and np.isfinite(space.low).all() and np.isfinite(space.high).all()
    if not tasks:
        assert len(env.action_space.shape) == 1
    observations = env.reset()
    assert observations.dtype == np.float32 and observations.shape == (6, *space.shape)
    assert len(env.reset_infos) == 6 and "action_mask" in env.reset_infos[0]
    ended = 0
    for _ in range(12):
        actions = np.array([env.action_space.sample() for _ in range(6)])
        observations, rewards, dones, infos = env.step(actions)
        assert observations.dtype == np.float32 and rewards.dtype == np.float32 and dones.dtype == np.bool_
        assert isinstance(infos, list) and len(infos) == 6
        for done, info in zip(dones, infos, strict=True):
            assert info["TimeLimit.truncated"] is False
            assert ("terminal_observation" in info) == bool(done)
            if done:
                assert space.contains(info["terminal_observation"]) and "cost" in info
        assert all(space.contains(observation) for observation in observations)
        ended += dones.sum()
    assert ended > 0


def test_it_steps_like_gymnasiums_vector(vec_env):
    import mrdro.gym  # noqa: F401

    own = vec_env("paper", 4)
    own.seed(5)
    other = gymnasium.make_vec("mrdro/Offloading-v0", num_envs=4, vectorization_mode="vector_entry_point")
    np.testing.assert_array_equal(own.reset(), other.reset(seed=5)[0])
    actions = np.arange(36).reshape(4, 9) % 3
    observations, rewards, dones, infos = own.step(actions)
    expected, expected_rewards, terminations, _, expected_infos = other.step(actions)
    np.testing.assert_array_equal(observations, expected)
    np.testing.assert_allclose(rewards, expected_rewards, rtol=1e-6)
    assert dones.all() and terminations.all()
    terminal = np.stack([info["terminal_observation"] for info in infos])
    np.testing.assert_array_equal(terminal, expected_infos["final_obs"])
    np.testing.assert_array_equal([info["cost"] for info in infos], expected_infos["final_info"]["cost"])
    assert not np.array_equal(own.reset(), expected)


def test_drives_are_truncated_not_terminated(vec_env, tmp_path):
    path = tmp_path / "bus.csv"
    path.write_text("t_s,device,mbps\n" + "".join(f"{t},{d},{d}\n" for t in range(180) for d in (1, 2, 3)))
    env = vec_env("paper", 3, recording=path, seed=1)
    env.reset()
    for window in range(3):
        _, _, dones, infos = env.step(np.zeros((3, 9), dtype=int))
        assert dones.tolist() == [window == 2] * 3
        assert infos[0]["TimeLimit.truncated"] is (window == 2)
    with pytest.raises(ValueError, match="cannot be combined"):
        vec_env("paper", 3, recording=path, tasks=True)


def test_masks_come_as_maskable_ppo_asks_for_them(vec_env):
    ragged = mrdro.Scenario.load("paper").with_({"tasks.per_device": [3, 0, 2]})
    env = vec_env(ragged, 4, seed=1)
    env.reset()
    masks = env.env_method("action_masks")
    assert len(masks) == 4 and masks[0].shape == (27,) and masks[0].dtype == np.bool_
    assert masks[0].reshape(3, 3, 3)[1].tolist() == [[True, False, False]] * 3
    assert env.env_is_wrapped(object) == [False] * 4 and env.get_attr("num_envs", [0, 1]) == [4, 4]
    with pytest.raises(AttributeError, match="no method 'fly'"):
        env.env_method("fly")


def test_options_give_the_workloads_to_decide(vec_env):
    workloads = mrdro.Scenario.load("paper").draw(3, seed=8).sizes_mb
    env = vec_env("paper", 3, seed=1)
    env.set_options([{"workload": sizes} for sizes in workloads])
    observations = env.reset()
    np.testing.assert_allclose(observations, workloads.reshape(3, 9) / 30, rtol=1e-6)
    assert not np.array_equal(env.reset(), observations)


def test_arguments_that_would_have_no_effect_are_refused(vec_env):
    for arguments in ({"drive": "night"}, {"window_s": 60}):
        with pytest.raises(ValueError, match="drive and window_s are for the drives of a recording"):
            vec_env("paper", 2, **arguments)
    with pytest.raises(ValueError, match="n must be a whole number from 1 to 1000000, is 0"):
        vec_env("paper", 0)


def test_what_is_missing_is_named():
    code = "import sys; sys.modules['stable_baselines3'] = None; import mrdro.sb3"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "mrdro.sb3 needs Stable-Baselines3: pip install" in found.stderr
    for module, wanted in (("gymnasium", "mrdro.gym needs Gymnasium"), ("pettingzoo", "mrdro.pettingzoo needs")):
        name = "gym" if module == "gymnasium" else module
        code = f"import sys; sys.modules['{module}'] = None; import mrdro.{name}"
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert wanted in found.stderr
