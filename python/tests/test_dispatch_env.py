"""The environments that place one task of a scenario over time as it arrives."""

from __future__ import annotations

import math
import pickle

import mrdro
import numpy as np
import pytest

gymnasium = pytest.importorskip("gymnasium")
import mrdro.gym  # noqa: E402

ID = "mrdro/Dispatch-v0"


@pytest.fixture(scope="module")
def scenarios():
    """The shipped one; radios that stay on, and deadlines; links that all share; nothing left to chance."""
    shipped = mrdro.StreamScenario.load("dispatch").with_(tasks_per_run=400)
    tails = shipped.with_(
        {
            "devices.tail_s": 10,
            "devices.power_w": {"send": 0.5, "tail": 0.2},
            "tasks.deadline_s": 120,
            "tasks.deadline_penalty": 10,
        }
    )
    shared = {"servers[0].link_mbps": 300, "servers[0].link_sharing": "shared", "servers[0].latency_ms": 20}
    even = {"devices.frequency_mhz": 100, "devices.arrivals.weight": 1}
    return {
        "shipped": shipped,
        "tails": tails,
        "shared": shipped.with_(shared),
        "even": shipped.with_(even),
    }


NAMES = ["shipped", "tails", "shared", "even"]


def make(scenario, count=None, **arguments):
    if count is None:
        return gymnasium.make(ID, scenario=scenario, **arguments).unwrapped
    return gymnasium.make_vec(
        ID, num_envs=count, vectorization_mode="vector_entry_point", scenario=scenario, **arguments
    )


@pytest.mark.parametrize("name", NAMES)
def test_gymnasium_accepts_the_environment(scenarios, name):
    from gymnasium.utils.env_checker import check_env

    env = make(scenarios[name])
    check_env(env)
    assert env.observation_space.dtype == np.float32
    assert np.isfinite(env.observation_space.low).all() and np.isfinite(env.observation_space.high).all()
    assert env.spec.kwargs == {"scenario": scenarios[name], "tasks": None, "site_seed": None}


@pytest.mark.parametrize("name", NAMES)
def test_an_episode_of_greedy_actions_is_the_run_of_greedy(scenarios, name):
    scenario = scenarios[name]
    env = make(scenario)
    for seed in (1, 2**40):
        wanted = scenario.run("greedy", seed=seed)
        _, info = env.reset(seed=seed)
        assert info["seed"] == seed
        rewards, places, truncated = [], [], False
        while not truncated:
            places.append(int(env.offer.cost.argmin()))
            _, reward, terminated, truncated, info = env.step(places[-1])
            assert not terminated and ("cost" in info) == truncated
            rewards.append(reward)
        assert places == wanted.tasks.place.tolist()
        assert info["cost"] == wanted.cost
        assert info["mean_energy_j"] == wanted.mean_energy_j and info["mean_delay_s"] == wanted.mean_delay_s
        assert info["place_shares"].tolist() == list(wanted.place_shares.values())
        total = math.fsum(wanted.tasks.cost)
        if name == "tails":
            # The energy of radios that stay on is in no task: it follows from the tasks of each radio.
            total += 0.5 * tail_energy(scenario, wanted)
        assert math.isclose(-math.fsum(rewards), total, rel_tol=1e-9 if name == "tails" else 1e-12)
        assert info["missed_share"] == wanted.missed / wanted.count


def tail_energy(scenario, run):
    """The energy of all radios that stay on, in J, from what is known of the tasks of a run.

    Energies of tasks say how long they were sent: 0.5 J/s for sending over the energy of computing.
    """
    per_mb = {1: 1.5e-9 * 1000 * 1e6, 2: 1.0e-9 * 1000 * 1e6}
    tasks, energy_j = run.tasks, 0.0
    ends = {}
    for index in np.argsort(tasks.time_s, kind="stable"):
        place, device = int(tasks.place[index]), int(tasks.device[index])
        if place == 0:
            continue
        sent_s = (tasks.energy_j[index] - per_mb[place] * tasks.size_mb[index]) / 0.5
        before = ends.get((device, place), 0.0)
        starts = max(before, tasks.time_s[index])
        if before > 0:
            energy_j += 0.2 * min(starts - before, 10)
        ends[device, place] = starts + sent_s
    return energy_j


@pytest.mark.parametrize("name", NAMES)
def test_observations_are_the_offers_in_units(scenarios, name):
    env = make(scenarios[name])
    rules = env._rules
    observation, info = env.reset(seed=3)
    env.action_space.seed(3)
    for _ in range(100):
        assert env.observation_space.contains(observation)
        offer, parts = env.offer, {key: observation[part] for key, part in env.entries.items()}
        usable = offer.is_usable
        assert np.array_equal(info["action_mask"], usable) and np.array_equal(env.action_masks(), usable)
        assert np.array_equal(parts["usable"], usable)
        wanted = np.where(usable, offer.cost / rules.cost_scale, 100)
        np.testing.assert_allclose(parts["costs"], np.minimum(wanted, 100), rtol=1e-6)
        for key, value in {
            "link_waits": offer.link_wait_s,
            "link_services": offer.link_service_s,
            "machine_waits": offer.machine_wait_s,
            "machine_services": offer.machine_service_s,
        }.items():
            np.testing.assert_allclose(parts[key], np.minimum(value / rules.time_scale_s, 100), rtol=1e-5)
        assert 0 < parts["size"][0] and 0 < parts["load"][0]
        observation, _, _, _, info = env.step(int(env.action_space.sample(info["action_mask"])))


def test_the_last_observation_is_that_of_a_task_of_the_mean_size(scenarios):
    env = make(scenarios["even"], tasks=20)
    observation, _ = env.reset(seed=1)
    truncated = False
    while not truncated:
        observation, _, _, truncated, info = env.step(0)
    parts = {key: observation[part] for key, part in env.entries.items()}
    assert env.observation_space.contains(observation) and parts["size"] == 1
    assert info["action_mask"].tolist() == [1, 1, 1]
    assert math.isclose(parts["machine_services"][0], 1, rel_tol=1e-6)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(0)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.offer  # noqa: B018


def test_episodes_go_on_and_can_be_repeated(scenarios):
    env = make(scenarios["shipped"], tasks=30)

    def episode(**arguments):
        first, info = env.reset(**arguments)
        return info["seed"], [first, *(env.step(index % 3)[0] for index in range(30))]

    (one, first), (two, second) = episode(seed=5), episode()
    (_, again), (_, again_second) = episode(seed=5), episode()
    assert one == 5 and two != 5
    assert np.array_equal(first, again) and np.array_equal(second, again_second)
    assert not np.array_equal(first, second)
    assert np.array_equal(episode(seed=two)[1], second)
    with pytest.raises(ValueError, match="takes no options, 'workload' was given"):
        env.reset(options={"workload": 1})


def test_the_site_can_be_the_same_in_all_episodes(scenarios):
    drawn, fixed = make(scenarios["shipped"]), make(scenarios["shipped"], site_seed=7)

    def loads(env):
        found = []
        for seed in range(4):
            observation, _ = env.reset(seed=seed)
            found.append({float(observation[env.entries["load"]][0])})
            for _ in range(100):
                found[-1].add(float(env.step(0)[0][env.entries["load"]][0]))
        return found

    assert len(set(map(frozenset, loads(drawn)))) == 4
    assert len(set.union(*loads(drawn))) == 40 and len(set.union(*loads(fixed))) == 10
    assert fixed._rules.has_one_site and not drawn._rules.has_one_site
    assert make(scenarios["even"])._rules.has_one_site


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [3, 200])
def test_many_environments_are_single_ones(scenarios, name, count):
    envs = make(scenarios[name], count, tasks=20)
    singles = {index: make(scenarios[name], tasks=20) for index in (0, 1, count - 1)}
    observations, infos = envs.reset(seed=11)
    for index, env in singles.items():
        observation, info = env.reset(seed=11 + index)
        assert np.array_equal(observation, observations[index])
        assert np.array_equal(info["action_mask"], infos["action_mask"][index])
        assert infos["seed"][index] == info["seed"]
    random = np.random.default_rng(1)
    for step in range(1, 46):
        actions = random.integers(3, size=count)
        kept = observations.copy()
        before = observations
        observations, rewards, terminations, truncations, infos = envs.step(actions)
        assert np.array_equal(before, kept)
        assert not terminations.any() and truncations.all() == truncations.any() == (step % 20 == 0)
        assert envs.observation_space.contains(observations)
        assert ("final_obs" in infos) == (step % 20 == 0)
        for index, env in singles.items():
            observation, reward, _, truncated, info = env.step(actions[index])
            assert reward == rewards[index] and truncated == truncations[index]
            if truncated:
                assert np.array_equal(infos["final_obs"][index], observation)
                for key in ("cost", "mean_energy_j", "mean_delay_s", "missed_share"):
                    assert infos["final_info"][key][index] == info[key]
                assert np.array_equal(infos["final_info"]["action_mask"][index], info["action_mask"])
                observation, info = env.reset()
                assert infos["seed"][index] == info["seed"]
            assert np.array_equal(observation, observations[index])
            assert np.array_equal(info["action_mask"], infos["action_mask"][index])
    assert np.array_equal(envs.action_masks(), infos["action_mask"])


def test_a_wrapper_of_gymnasium_counts_returns(scenarios):
    envs = make(scenarios["shipped"], 4, tasks=20)
    assert envs.metadata["autoreset_mode"] == gymnasium.vector.AutoresetMode.SAME_STEP
    recorded = gymnasium.wrappers.vector.RecordEpisodeStatistics(envs)
    recorded.reset(seed=1)
    total = np.zeros(4)
    for _ in range(20):
        _, rewards, _, truncations, infos = recorded.step(np.zeros(4, dtype=np.int64))
        total += rewards
    assert truncations.all()
    np.testing.assert_allclose(infos["episode"]["r"], total, rtol=1e-6)


def test_environments_can_be_pickled(scenarios):
    env = make(scenarios["shipped"], tasks=25, site_seed=2)
    again = pickle.loads(pickle.dumps(env))
    assert again.tasks == 25 and again.scenario == env.scenario
    assert np.array_equal(env.reset(seed=1)[0], again.reset(seed=1)[0])


def test_mistakes_are_told(scenarios):
    with pytest.raises(ValueError, match='scenario must be of kind "dispatch", commute is of kind "slots"'):
        make("commute")
    with pytest.raises(TypeError, match="scenario must be a StreamScenario, its name or its file, is 3"):
        make(3)
    with pytest.raises(ValueError, match="tasks must be a whole number from 20"):
        make("dispatch", tasks=5)
    with pytest.raises(ValueError, match="site_seed must be a whole number from 0"):
        make("dispatch", site_seed=-1)
    with pytest.raises(ValueError, match="num_envs must be a whole number from 1"):
        make("dispatch", 0)
    env, envs = make(scenarios["shipped"]), make(scenarios["shipped"], 3)
    for one in (env, envs):
        with pytest.raises(gymnasium.error.ResetNeeded):
            one.step(0 if one is env else [0, 0, 0])
        one.reset(seed=1)
    for wrong in (3, -1):
        with pytest.raises(ValueError, match="from 0 to 2"):
            env.step(wrong)
        with pytest.raises(ValueError, match="from 0 to 2"):
            envs.step([0, 0, wrong])
    with pytest.raises(ValueError, match="3 places, one for each environment"):
        envs.step([0, 0])
    with pytest.raises(ValueError, match="seed must be a whole number or 3 of them, has 2"):
        envs.reset(seed=[1, 2])
