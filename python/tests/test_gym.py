"""Environments for Gymnasium."""

from __future__ import annotations

import pickle
import subprocess
import sys

import mrdro
import numpy as np
import pytest

gymnasium = pytest.importorskip("gymnasium")
import mrdro.gym  # noqa: E402

IDS = ["mrdro/Offloading-v0", "mrdro/OffloadingTasks-v0", "mrdro/Drive-v0"]
SCENARIOS = ["paper", "paper-wan", "shared-edge", "shared-edges", "mobile", "deadlines", "ragged", "offline"]


def scenario_of(name):
    """A scenario by name: those that ship, one with different numbers of tasks, one in which a device is offline."""
    if name == "ragged":
        return mrdro.Scenario.load("paper-wan").with_({"tasks.per_device": [3, 0, 2]})
    if name == "offline":
        return mrdro.Scenario.load("paper").with_({"devices.uplink_mbps": [500, 0, 20]})
    return mrdro.Scenario.load(name)


@pytest.fixture(scope="session")
def recording(tmp_path_factory):
    """Two drives of three devices, of 5 and 3 minutes; device 2 is offline in the second minute."""
    folder = tmp_path_factory.mktemp("recording")
    for name, minutes in (("long", 5), ("short", 3)):
        rate = lambda t, d: 0 if d == 2 and 60 <= t < 120 else 1 + 7 * d + t // 60  # noqa: E731
        rows = [f"{t},{d},{rate(t, d)}\n" for t in range(0, 60 * minutes, 5) for d in (1, 2, 3)]
        (folder / f"{name}.csv").write_text("t_s,device,mbps\n" + "".join(rows))
    return folder


@pytest.fixture
def make(recording):
    def make(id, scenario, count=None, **arguments):
        if "Drive" in id:
            arguments["recording"] = recording
        if count is None:
            return gymnasium.make(id, scenario=scenario, **arguments).unwrapped
        return gymnasium.make_vec(
            id, num_envs=count, vectorization_mode="vector_entry_point", scenario=scenario, **arguments
        )

    return make


def legal(mask, random):
    """Places at random among those that a mask allows."""
    rows = np.atleast_2d(mask)
    places = np.array([random.choice(np.flatnonzero(row)) for row in rows])
    return places if np.ndim(mask) == 2 else int(places[0])


@pytest.mark.parametrize("id", IDS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_gymnasium_accepts_every_environment(make, id, name):
    from gymnasium.utils.env_checker import check_env

    env = make(id, scenario_of(name))
    check_env(env)
    assert env.observation_space.dtype == np.float32
    assert np.isfinite(env.observation_space.low).all() and np.isfinite(env.observation_space.high).all()
    assert env.spec.kwargs["reward"] == "saving"


@pytest.mark.parametrize("id", IDS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_observations_stay_in_their_space_and_rewards_are_finite(make, id, name):
    env = make(id, scenario_of(name), optimum=False)
    env.action_space.seed(1)
    observation, info = env.reset(seed=1)
    for _ in range(200):
        assert env.observation_space.contains(observation)
        observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
        assert isinstance(reward, float) and -10 <= reward <= 10
        if terminated or truncated:
            assert env.observation_space.contains(observation)
            observation, info = env.reset()


@pytest.mark.parametrize("id", IDS)
@pytest.mark.parametrize(
    ("name", "reward", "count"),
    [
        ("paper", "q2", 5),
        ("mobile", "saving", 270),  # enough for several threads
        ("shared-edge", "cost", 3),
        ("deadlines", "saving", 4),
        ("ragged", "cost", 270),
    ],
)
def test_a_vector_of_environments_is_as_many_single_ones(make, id, name, reward, count):
    scenario, random = scenario_of(name), np.random.default_rng(5)
    optimum = name not in ("shared-edge", "deadlines")
    many = make(id, scenario, count, reward=reward, optimum=optimum)
    singles = [make(id, scenario, reward=reward, optimum=optimum) for _ in range(count)]
    observations, infos = many.reset(seed=7)
    first = [env.reset(seed=7 + index) for index, env in enumerate(singles)]
    np.testing.assert_array_equal(observations, [observation for observation, _ in first])
    for _ in range(25 if count < 100 else 9):
        actions = [legal(mask, random) for mask in infos["action_mask"]]
        observations, rewards, terminations, truncations, infos = many.step(np.array(actions))
        for index, env in enumerate(singles):
            observation, reward, terminated, truncated, info = env.step(actions[index])
            assert (rewards[index], terminations[index], truncations[index]) == (reward, terminated, truncated)
            ends = terminated or truncated
            if ends:
                np.testing.assert_array_equal(infos["final_obs"][index], observation)
                check_columns(infos["final_info"], index, info)
                observation, info = env.reset()
            if "final_obs" in infos:
                assert infos["_final_obs"][index] == ends == infos["_final_info"][index]
            np.testing.assert_array_equal(observations[index], observation)
            check_columns(infos, index, info)


def check_columns(infos, index, info):
    """Every entry of a single info stands in its column, and no other entry is marked."""
    for key, value in info.items():
        assert infos[f"_{key}"][index], key
        np.testing.assert_array_equal(infos[key][index], value)
    others = {key for key in infos if not key.startswith(("_", "final_"))} - info.keys()
    assert not any(infos[f"_{key}"][index] for key in others)


def test_a_vector_has_the_shape_of_gymnasiums_own(make):
    same_step = {"autoreset_mode": gymnasium.vector.AutoresetMode.SAME_STEP}
    own = gymnasium.make_vec("mrdro/Offloading-v0", num_envs=3, vectorization_mode="sync", vector_kwargs=same_step)
    ours = make("mrdro/Offloading-v0", "paper", 3, optimum=True)
    assert ours.metadata["autoreset_mode"] is gymnasium.vector.AutoresetMode.SAME_STEP
    assert ours.observation_space == own.observation_space and ours.action_space == own.action_space
    own.reset(seed=3), ours.reset(seed=3)
    actions = np.ones((3, 9), dtype=np.int64)
    (*theirs, their_infos), (*results, infos) = own.step(actions), ours.step(actions)
    for their, result in zip(theirs, results, strict=True):
        np.testing.assert_array_equal(their, result)
        assert their.dtype == result.dtype
    assert their_infos.keys() == infos.keys() and their_infos["final_info"].keys() == infos["final_info"].keys()
    for key, column in their_infos["final_info"].items():
        np.testing.assert_array_equal(column, infos["final_info"][key])


def test_every_step_of_a_vector_gives_fresh_arrays(make):
    env = make("mrdro/Offloading-v0", "paper", 4)
    first, _ = env.reset(seed=1)
    kept = first.copy()
    second, rewards, *_ = env.step(np.zeros((4, 9), dtype=int))
    kept_second, kept_rewards = second.copy(), rewards.copy()
    env.step(np.ones((4, 9), dtype=int))
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(second, kept_second)
    np.testing.assert_array_equal(rewards, kept_rewards)


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("reward", ["saving", "cost", "q2"])
def test_rewards_task_by_task_sum_to_that_of_the_whole_decision(make, name, reward):
    if reward == "q2" and name == "shared-edges":
        pytest.skip("its exact search takes long")
    scenario, random = scenario_of(name), np.random.default_rng(3)
    whole, tasks = (make(id, scenario, reward=reward) for id in IDS[:2])
    for episode in range(4 if reward == "q2" else 20):
        seed = 11 if episode == 0 else None
        _, info = whole.reset(seed=seed)
        _, info_of_task = tasks.reset(seed=seed)
        np.testing.assert_array_equal(whole.sizes_mb, tasks.sizes_mb)
        action, total, ended = legal(info["action_mask"], random), 0.0, False
        there = np.flatnonzero(whole.sizes_mb)
        for place in action[there]:
            assert not ended and info_of_task["action_mask"][place] == 1
            _, step_reward, ended, _, info_of_task = tasks.step(place)
            total += step_reward
        assert ended
        _, expected, _, _, info = whole.step(action)
        assert total == pytest.approx(expected, abs=1e-12)
        assert info_of_task == info


@pytest.mark.parametrize("name", ["paper", "paper-wan", "shared-edge", "mobile", "deadlines", "ragged", "offline"])
def test_q2_of_the_exact_decision_is_1(make, name):
    env = make("mrdro/Offloading-v0", scenario_of(name), reward="q2", optimum=True)
    for episode in range(5):
        env.reset(seed=2 if episode == 0 else None)
        model = env.scenario.cost_model(env.environment)
        best = model.decide(env.sizes_mb, "exact")
        _, reward, _, _, info = env.step(best.places.reshape(-1))
        assert reward == info["q2"] == 1.0
        assert info["cost"] == pytest.approx(best.cost) == info["optimal"]
        env.reset(options={"workload": best.places * 0 + 1.0 if name != "ragged" and name != "deadlines" else None})
        _, reward, *_ = env.step(np.zeros(env.action_space.shape, dtype=int))
        assert 0.0 <= reward < 1.0


def test_infos_hold_what_the_cost_model_says(make):
    env = make("mrdro/Offloading-v0", "mobile")
    random = np.random.default_rng(1)
    env.reset(seed=4)
    for _ in range(5):
        model, sizes_mb = env.scenario.cost_model(env.environment), env.sizes_mb
        action = random.integers(0, 3, 9)
        outcome = model.outcome(sizes_mb, action.reshape(3, 3))
        local = model.cost(sizes_mb, np.zeros((3, 3), dtype=int))
        _, reward, _, _, info = env.step(action)
        assert (info["energy_j"], info["time_s"], info["cost"]) == (outcome.energy_j, outcome.time_s, outcome.cost)
        assert info["missed_deadlines"] == 0
        assert reward == pytest.approx(max(-1.0, 1 - outcome.cost / local))
        env.reset()


def test_the_optimum_is_there_where_it_is_quick_or_asked_for(make):
    def keys(scenario, **arguments):
        env = make("mrdro/Offloading-v0", scenario, **arguments)
        env.reset(seed=1)
        return env.step(np.zeros(9, dtype=int))[4].keys()

    assert {"q2", "optimal"} <= keys("paper")
    assert "q2" not in keys("paper", optimum=False) and "q2" not in keys("shared-edge")
    assert "q2" in keys("shared-edge", optimum=True) and "q2" in keys("shared-edge", reward="q2")


def test_an_optimum_that_cannot_be_found_is_told(make):
    servers = [{"frequency_mhz": 310}, {"frequency_mhz": 300, "energy_per_instruction_nj": 1.45}]
    changes = {f"servers[{index}].{key}": value for index in (0, 1) for key, value in servers[index].items()}
    hard = mrdro.Scenario.load("paper").with_({"tasks.per_device": 40, "devices.count": 1, **changes})
    single = make("mrdro/Offloading-v0", hard, optimum=True)
    single.reset(seed=1)
    with pytest.raises(mrdro.SchemeError, match="more than 3000000 search nodes"):
        single.step(np.arange(40) % 3)
    many = make("mrdro/Offloading-v0", hard, 3, optimum=True)
    many.reset(seed=1)
    with pytest.raises(mrdro.SchemeError, match="more than 3000000 search nodes"):
        many.step(np.zeros((3, 40), dtype=int))
    with pytest.raises(gymnasium.error.ResetNeeded):
        many.step(np.zeros((3, 40), dtype=int))


def test_missed_hard_deadlines_cost_1_each(make):
    env = make("mrdro/Offloading-v0", "deadlines", optimum=True)
    workload = np.array([[30.0, 30, 30], [30, 30, 0], [30, 30, 30]])
    env.reset(seed=1, options={"workload": workload})
    _, reward, _, _, info = env.step(np.zeros(9, dtype=int))
    assert info["missed_deadlines"] == 8 and reward == pytest.approx(-8) and info["q2"] == 0


def test_masks_leave_out_absent_tasks_and_places_out_of_reach(make):
    env = make("mrdro/Offloading-v0", scenario_of("ragged"))
    _, info = env.reset(seed=1)
    allowed = info["action_mask"].reshape(3, 3, 3)
    assert allowed[1].tolist() == [[1, 0, 0]] * 3 and allowed[2, 2].tolist() == [1, 0, 0]
    assert allowed[0].all() and allowed[2, :2].all()
    env = make("mrdro/Offloading-v0", scenario_of("offline"))
    _, info = env.reset(seed=1)
    assert info["action_mask"].reshape(3, 3, 3)[1].tolist() == [[1, 0, 0]] * 3
    assert env.action_masks().shape == (27,) and env.action_masks().dtype == np.bool_
    np.testing.assert_array_equal(env.action_masks(), info["action_mask"].reshape(-1))
    assert env.action_space.contains(env.action_space.sample(mask=tuple(info["action_mask"])))
    _, reward, _, _, info = env.step(np.full(9, 2))
    assert reward == -1.0 and np.isfinite(info["cost"]) and info["cost"] > 1e6
    tasks = make("mrdro/OffloadingTasks-v0", scenario_of("offline"))
    _, info = tasks.reset(seed=1)
    masks = [info["action_mask"]]
    for _ in range(8):
        *_, info = tasks.step(0)
        masks.append(info["action_mask"])
    assert np.array(masks).tolist() == [[1, 1, 1]] * 3 + [[1, 0, 0]] * 3 + [[1, 1, 1]] * 3
    assert tasks.action_masks().shape == (3,)


def test_absent_tasks_are_not_asked_for(make):
    env = make("mrdro/OffloadingTasks-v0", scenario_of("ragged"))
    env.reset(seed=1)
    turns = []
    for step in range(5):
        observation, _, terminated, _, _ = env.step(1)
        turns.append(np.flatnonzero(observation[env.entries["turn"]]).tolist())
        assert terminated == (step == 4)
    assert turns == [[1], [2], [6], [7], []]


def test_episodes_are_the_workloads_of_their_seed(make):
    workloads = mrdro.Scenario.load("mobile").draw(5, seed=9)
    env = make("mrdro/Offloading-v0", "mobile")
    for index in range(5):
        env.reset(seed=9 if index == 0 else None)
        np.testing.assert_array_equal(env.sizes_mb, workloads.sizes_mb[index])
        assert env.environment == workloads.environments[index]


def test_the_same_seeds_however_they_are_given(make):
    many = make("mrdro/Offloading-v0", "paper", 3)
    by_number, _ = many.reset(seed=5)
    by_list, _ = many.reset(seed=[5, 6, 7])
    np.testing.assert_array_equal(by_number, by_list)
    assert not np.array_equal(by_number, many.reset()[0])
    assert not np.array_equal(by_number[:1], many.reset(seed=[None, 6, 7])[0][:1])
    single = make("mrdro/Offloading-v0", "paper")
    np.testing.assert_array_equal(single.reset(seed=2**64 + 5)[0], single.reset(seed=5)[0])
    unseeded = [make("mrdro/Offloading-v0", "paper").reset()[0] for _ in range(2)]
    assert not np.array_equal(*unseeded)
    with pytest.raises(ValueError, match="seed must be a whole number or 3 of them, has 2"):
        many.reset(seed=[1, 2])


def test_given_workloads_and_environments_are_decided(make):
    scenario = mrdro.Scenario.load("mobile")
    workloads = scenario.draw(6, seed=3, part="held-out")
    many = make("mrdro/Offloading-v0", scenario, 6)
    options = {"workload": workloads.sizes_mb, "environment": workloads.environments}
    observations, _ = many.reset(seed=1, options=options)
    np.testing.assert_array_equal(many.sizes_mb, workloads.sizes_mb)
    uplinks = [environment.uplinks_mbps for environment in workloads.environments]
    np.testing.assert_allclose(observations[:, many.entries["uplinks"]], np.log10(uplinks), rtol=1e-6)
    *_, infos = many.step(np.ones((6, 9), dtype=int))
    for index, environment in enumerate(workloads.environments):
        cost = scenario.cost_model(environment).cost(workloads.sizes_mb[index], np.ones((3, 3), dtype=int))
        assert infos["final_info"]["cost"][index] == pytest.approx(cost)
    single = make("mrdro/Offloading-v0", "paper")
    slow = mrdro.Environment(alpha=0.0, uplinks_mbps=[1.0, 1.0, 0.0], capacities=[1.0, 1.0])
    _, info = single.reset(options={"workload": np.full((3, 3), 20.0), "environment": slow})
    assert info["action_mask"].reshape(3, 3, 3)[2].tolist() == [[1, 0, 0]] * 3 and single.environment == slow
    single.reset()
    assert single.environment != slow


def test_workloads_are_decided_in_their_environments(make):
    workloads = mrdro.Scenario.load("mobile").draw(6, seed=3)
    many = make("mrdro/Offloading-v0", "mobile", 6)
    wanted, _ = many.reset(options={"workload": workloads.sizes_mb, "environment": workloads.environments})
    found, _ = many.reset(options={"workload": workloads})
    np.testing.assert_array_equal(found, wanted)
    for id in ("mrdro/Offloading-v0", "mrdro/OffloadingTasks-v0"):
        single = make(id, "mobile")
        single.reset(options={"workload": workloads[2:3]})
        np.testing.assert_array_equal(single.sizes_mb, workloads.sizes_mb[2])
        assert single.environment == workloads.environments[2]
        other = workloads.environments[4]
        single.reset(options={"workload": workloads[2:3], "environment": other})
        assert single.environment == other
    drive = make("mrdro/Drive-v0", "mobile")
    drive.reset(options={"workload": workloads[2:3]})
    np.testing.assert_array_equal(drive.sizes_mb, workloads.sizes_mb[2])
    with pytest.raises(ValueError, match=r"must be one workload, as in workloads\[:1\]; there are 6"):
        single.reset(options={"workload": workloads})


def test_observations_are_what_the_documentation_says(make):
    env = make("mrdro/OffloadingTasks-v0", "deadlines")
    workload = np.array([[30.0, 15, 10], [30, 20, 0], [12, 12, 12]])
    observation, _ = env.reset(seed=1, options={"workload": workload})
    np.testing.assert_allclose(observation[env.entries["sizes"]], workload.reshape(-1) / 30, rtol=1e-6)
    # Three tasks of 20 MB * 1000 instructions/B at 100 MHz take 600 s, two take 400 s.
    deadlines = [80 / 680] * 3 + [60 / 460] * 2 + [1] + [100 / 700] * 3
    np.testing.assert_allclose(observation[env.entries["deadlines"]], deadlines, rtol=1e-6)
    assert observation[env.entries["turn"]].tolist() == [1] + [0] * 8 and not observation[env.entries["placed"]].any()
    observation, *_ = env.step(2)
    placed, loads = observation[env.entries["placed"]].reshape(9, 3), observation[env.entries["loads"]].reshape(3, 3)
    assert placed[0].tolist() == [0, 0, 1] and placed.sum() == 1
    assert loads[0, 2] == pytest.approx(30 / workload.sum()) and loads.sum() == loads[0, 2]
    huge, _ = env.reset(options={"workload": workload * 1000})
    assert env.observation_space.contains(huge) and huge[0] == 10


def test_a_drive_runs_through_its_windows(make):
    env = make("mrdro/Drive-v0", "paper")
    assert [count for _, count in env.drives] == [5, 3]
    name = env.drives[0][0]
    observation, info = env.reset(seed=1, options={"drive": name})
    seen, masks = [], []
    for window in range(5):
        seen.append(observation[env.entries["uplinks"]])
        masks.append(info["action_mask"].reshape(3, 3, 3))
        observation, _, terminated, truncated, info = env.step(np.zeros(9, dtype=int))
        assert not terminated and truncated == (window == 4) and "cost" in info
    rates = np.array([[8 + t, 15 + t if t != 1 else 0.01, 22 + t] for t in range(5)])
    np.testing.assert_allclose(seen, np.log10(rates), rtol=1e-6)
    assert [mask[1, 0].tolist() for mask in masks] == [[1, 1, 1], [1, 0, 0], [1, 1, 1], [1, 1, 1], [1, 1, 1]]
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(np.zeros(9, dtype=int))
    env.reset(options={"drive": 1})
    lengths = {env.reset()[0][env.entries["sizes"]].tobytes() and len(list(run(env))) for _ in range(20)}
    assert lengths == {3, 5}
    only = make("mrdro/Drive-v0", "paper", drive="short", window_s=30.0)
    assert [count for _, count in only.drives] == [6]


def run(env):
    """Steps an episode to its end."""
    truncated = False
    while not truncated:
        _, reward, _, truncated, _ = env.step(np.zeros(9, dtype=int))
        yield reward


def test_mistakes_are_named(make, tmp_path):
    wrong = [
        ({"reward": "money"}, ValueError, 'reward must be "saving", "cost" or "q2", is "money"'),
        ({"optimum": "yes"}, ValueError, "optimum must be"),
        ({"part": "test"}, ValueError, 'part must be "training" or "held-out"'),
        ({"reward": "q2", "optimum": False}, ValueError, "needs the optimum"),
    ]
    for arguments, kind, text in wrong:
        with pytest.raises(kind, match=text):
            make("mrdro/Offloading-v0", "paper", **arguments)
    with pytest.raises(mrdro.ScenarioError, match="no scenario called `papr`"):
        make("mrdro/Offloading-v0", "papr")
    with pytest.raises(TypeError, match="needs recording"):
        gymnasium.make("mrdro/Drive-v0")
    with pytest.raises(mrdro.RecordingError, match="no drive called `night`"):
        make("mrdro/Drive-v0", "paper", drive="night")
    apart = tmp_path / "apart.csv"
    apart.write_text("t_s,device,mbps\n0,1,5\n1,1,5\n100,2,5\n101,2,5\n")
    with pytest.raises(mrdro.RecordingError, match="no window of 10 s in which all devices have data"):
        gymnasium.make("mrdro/Drive-v0", recording=apart, window_s=10)
    with pytest.raises(ValueError, match="window_s must be a number of seconds above 0, is 0"):
        make("mrdro/Drive-v0", "paper", window_s=0)
    for count in (0, -1):
        with pytest.raises(ValueError, match=f"num_envs must be a whole number from 1 to 1000000, is {count}"):
            make("mrdro/Offloading-v0", "paper", count)
    with pytest.raises(TypeError, match="scenario must be a Scenario, its name or its file, is 3"):
        make("mrdro/Offloading-v0", 3)


@pytest.mark.parametrize(
    ("action", "text"),
    [
        (np.full(9, 3), "places from 0 to 2, holds 3"),
        (np.full(9, -1), "places from 0 to 2, holds -1"),
        (np.full(9, 256), "places from 0 to 2, holds 256"),
        (np.zeros(8, dtype=int), "places of all tasks"),
        (np.zeros(9), "its dtype is float64"),
        ("local", "its dtype is"),
    ],
)
def test_wrong_actions_are_named(make, action, text):
    env = make("mrdro/Offloading-v0", "paper")
    env.reset(seed=1)
    with pytest.raises(ValueError, match=text):
        env.step(action)
    env.step([0, 1, 2] * 3)


def test_wrong_options_and_steps_without_reset_are_named(make):
    env = make("mrdro/OffloadingTasks-v0", "paper")
    with pytest.raises(gymnasium.error.ResetNeeded, match="call reset before step"):
        env.step(0)
    with pytest.raises(ValueError, match="not 'workloads'"):
        env.reset(options={"workloads": 1})
    with pytest.raises(ValueError, match=r"workload\"\] must have the shape"):
        env.reset(options={"workload": np.ones((3, 4))})
    with pytest.raises(ValueError, match="one workload; it holds 2"):
        env.reset(options={"workload": np.ones((2, 3, 3))})
    with pytest.raises(ValueError, match="uplinks"):
        env.reset(options={"environment": mrdro.Environment(alpha=0.5, uplinks_mbps=[1], capacities=[1, 1])})
    env.reset(seed=1)
    for place, text in ((3, "from 0 to 2, is 3"), (-1, "is -1"), (0.5, "dtype")):
        with pytest.raises(ValueError, match=text):
            env.step(place)
    drive = make("mrdro/Drive-v0", "paper")
    with pytest.raises(ValueError, match="drives"):
        drive.reset(options={"drive": "night"})
    with pytest.raises(ValueError, match="not 'environment'"):
        drive.reset(options={"environment": env.environment})
    many = make("mrdro/Offloading-v0", "paper", 3)
    with pytest.raises(gymnasium.error.ResetNeeded):
        many.step(np.zeros((3, 9), dtype=int))
    with pytest.raises(ValueError, match=r"shape \(3, 3\) or \(3, 3, 3\); it holds 2"):
        many.reset(options={"workload": np.ones((2, 3, 3))})
    with pytest.raises(ValueError, match="list of 3 of them"):
        many.reset(options={"environment": [env.environment]})
    many.reset(seed=1)
    with pytest.raises(ValueError, match=r"shape \(3, 9\)"):
        many.step(np.zeros((2, 9), dtype=int))


def test_environments_survive_pickle(make):
    env = make("mrdro/Offloading-v0", "shared-edge", reward="cost")
    twin = pickle.loads(pickle.dumps(env))
    np.testing.assert_array_equal(env.reset(seed=1)[0], twin.reset(seed=1)[0])
    assert env.step([1] * 9)[1] == twin.step([1] * 9)[1]


def test_gymnasium_finds_the_environments_by_module():
    code = 'import gymnasium; print(gymnasium.make("mrdro.gym:mrdro/OffloadingTasks-v0", scenario="paper-wan"))'
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "OffloadingTasksEnv<mrdro/OffloadingTasks-v0>" in found.stdout


def test_vectors_count_their_episodes(make):
    from gymnasium.wrappers.vector import RecordEpisodeStatistics

    env = RecordEpisodeStatistics(make("mrdro/Offloading-v0", "paper", 4))
    env.reset(seed=1)
    _, rewards, _, _, infos = env.step(np.ones((4, 9), dtype=int))
    np.testing.assert_allclose(infos["episode"]["r"], rewards)
