"""The environment for PettingZoo, in which every device decides."""

from __future__ import annotations

import pickle

import mrdro
import numpy as np
import pytest

pytest.importorskip("pettingzoo")
import gymnasium  # noqa: E402
from mrdro.pettingzoo import Fleet  # noqa: E402

SCENARIOS = ["paper", "shared-edge", "shared-edges", "mobile", "deadlines", "ragged"]


def scenario_of(name):
    if name == "ragged":
        return mrdro.Scenario.load("shared-edge").with_({"tasks.per_device": [3, 0, 2]})
    return mrdro.Scenario.load(name)


def sample(env, infos):
    """Actions at random among those that the masks allow."""
    return {agent: env.action_space(agent).sample(mask=tuple(infos[agent]["action_mask"])) for agent in env.agents}


@pytest.mark.parametrize("name", SCENARIOS)
def test_pettingzoo_accepts_it(name):
    from pettingzoo.test import parallel_api_test, parallel_seed_test

    parallel_api_test(Fleet(scenario_of(name), rounds=7), num_cycles=30)
    parallel_seed_test(lambda: Fleet(scenario_of(name), rounds=7), num_cycles=5)


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_the_devices_pay_sums_to_what_the_fleet_pays(name):
    env = Fleet(scenario_of(name))
    _, infos = env.reset(seed=3)
    for _ in range(9):
        sizes_mb, masks = env.sizes_mb, infos
        environment = env.environment
        actions = sample(env, masks)
        _, rewards, _, _, infos = env.step(actions)
        model = env.scenario.cost_model(environment)
        decision = np.array([actions[agent] for agent in env.possible_agents])
        outcome = model.outcome(sizes_mb, decision)
        for key in ("energy_j", "time_s", "cost", "missed_deadlines"):
            total = sum(info[key] for info in infos.values())
            assert total == pytest.approx(getattr(outcome, key), rel=1e-9), key
        assert all(np.isfinite(reward) for reward in rewards.values())


def test_devices_wait_for_each_other_at_shared_servers():
    env = Fleet("shared-edge")
    workload = np.full((3, 3), 20.0)

    def cost(others):
        env.reset(seed=1, options={"workload": workload})
        actions = {agent: np.full(3, others) for agent in env.agents} | {"device_0": np.full(3, 1)}
        return env.step(actions)[4]["device_0"]["cost"]

    assert cost(1) > cost(0)


def test_rewards_are_the_devices_own_or_the_fleets():
    actions = {"device_0": np.full(3, 0), "device_1": np.full(3, 1), "device_2": np.full(3, 2)}
    own, team = Fleet("paper", rewarded="own"), Fleet("paper", rewarded="team")
    own.reset(seed=1), team.reset(seed=1)
    sizes_mb = own.sizes_mb
    _, own_rewards, *_ = own.step(actions)
    _, team_rewards, *_ = team.step(actions)
    model = own.scenario.cost_model()
    decision = np.array([[0] * 3, [1] * 3, [2] * 3])
    saved = 1 - model.cost(sizes_mb, decision) / model.cost(sizes_mb, decision * 0)
    assert own_rewards["device_0"] == pytest.approx(0) and own_rewards["device_1"] > 0.5
    assert set(team_rewards.values()) == {team_rewards["device_0"]} and team_rewards["device_0"] == pytest.approx(saved)


def test_devices_see_their_own_tasks_and_the_loads_of_the_last_round():
    env = Fleet("shared-edge", rounds=2)
    workload = np.array([[30.0, 15, 15], [30, 30, 30], [15, 15, 30]])
    observations, _ = env.reset(seed=1, options={"workload": workload})
    for row, agent in zip(workload, env.agents, strict=True):
        np.testing.assert_allclose(observations[agent][env.entries["sizes"]], row / 30, rtol=1e-6)
        assert not observations[agent][env.entries["loads"]].any()
    actions = {"device_0": np.array([1, 1, 0]), "device_1": np.array([1, 0, 0]), "device_2": np.array([2, 2, 2])}
    observations, _, terminations, truncations, _ = env.step(actions)
    assert not any(truncations.values()) and env.agents
    loads, shares = (observations["device_0"][env.entries[key]] for key in ("loads", "shares"))
    np.testing.assert_allclose(loads, np.array([15 + 60, 45 + 30, 60]) / 270, rtol=1e-6)
    np.testing.assert_allclose(shares, [15 / 75, 45 / 75, 0], rtol=1e-6)
    _, _, terminations, truncations, _ = env.step(actions)
    assert all(truncations.values()) and not any(terminations.values()) and env.agents == []


def test_masks_leave_out_absent_tasks():
    env = Fleet(scenario_of("ragged"))
    _, infos = env.reset(seed=1)
    assert infos["device_1"]["action_mask"].tolist() == [[1, 0, 0]] * 3
    assert infos["device_2"]["action_mask"].tolist() == [[1, 1, 1]] * 2 + [[1, 0, 0]]
    assert infos["device_0"]["action_mask"].dtype == np.int8


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="rounds must be a whole number from 1 to .*, is 0"):
        Fleet(rounds=0)
    with pytest.raises(ValueError, match='reward must be "saving" or "cost"'):
        Fleet(reward="q2")
    with pytest.raises(ValueError, match='rewarded must be "own" or "team"'):
        Fleet(rewarded="all")
    env = Fleet()
    env.reset(seed=1)
    with pytest.raises(ValueError, match="none for device_1, device_2"):
        env.step({"device_0": np.zeros(3, dtype=int)})
    with pytest.raises(ValueError, match="places from 0 to 2, holds 5"):
        env.step({agent: np.full(3, 5) for agent in env.agents})


def test_a_workload_is_decided_in_its_environment():
    workloads = mrdro.Scenario.load("mobile").draw(3)
    env = Fleet("mobile")
    env.reset(options={"workload": workloads[1:2]})
    np.testing.assert_array_equal(env.sizes_mb, workloads.sizes_mb[1])
    assert env.environment == workloads.environments[1]


def test_steps_outside_an_episode_ask_for_a_reset():
    env = Fleet(rounds=1)
    with pytest.raises(gymnasium.error.ResetNeeded, match="call reset before step"):
        env.step({})
    env.reset(seed=1)
    env.step({agent: np.zeros(3, dtype=int) for agent in env.agents})
    for actions in ({}, {"device_0": np.zeros(3, dtype=int)}):
        with pytest.raises(gymnasium.error.ResetNeeded, match="call reset before step"):
            env.step(actions)


def test_it_survives_pickle():
    env = Fleet("mobile", rounds=3)
    twin = pickle.loads(pickle.dumps(env))
    np.testing.assert_array_equal(env.reset(seed=1)[0]["device_1"], twin.reset(seed=1)[0]["device_1"])
