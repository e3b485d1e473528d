"""Scenarios, environments, workloads and costs."""

from __future__ import annotations

import pickle

import mrdro
import numpy as np
import pytest

SCENARIOS = mrdro.presets()


def by_hand(model: mrdro.CostModel, scenario: mrdro.Scenario, sizes_mb, places):
    """The cost of one decision for the paper's scenario, from equations (1) to (18) in NumPy."""
    own = scenario.to_dict()
    devices, servers = own["devices"], own["servers"]
    rate = np.broadcast_to
    count = scenario.devices
    instructions = rate(own["instructions_per_byte"], count)
    total_energy = total_time = 0.0
    for device in range(count):
        times = np.zeros(len(servers) + 1)
        for mb, place in zip(sizes_mb[device], places[device]):
            load = mb * 1e6
            if place == 0:
                times[0] += load * instructions[device] / (rate(devices["frequency_mhz"], count)[device] * 1e6)
                energy = load * instructions[device] * rate(devices["energy_per_instruction_nj"], count)[device] * 1e-9
            else:
                server = servers[place - 1]
                link = server.get("link_mbps", rate(devices["uplink_mbps"], count)[device])
                times[place] += load / (link * 1e6 / 8) + load * instructions[device] / (server["frequency_mhz"] * 1e6)
                energy = load * rate(own["transmit_energy_nj_per_byte"], count)[device] * 1e-9
                energy += load * instructions[device] * server["energy_per_instruction_nj"] * 1e-9
            total_energy += energy
        total_time += times.max()
    return model.alpha * total_energy + (1 - model.alpha) * total_time


@pytest.mark.parametrize("name", ["paper", "paper-wan"])
def test_costs_are_those_of_the_equations(name):
    scenario = mrdro.Scenario.load(name)
    model, sizes_mb = scenario.cost_model(), scenario.draw(20).sizes_mb
    places = np.random.default_rng(1).integers(0, len(scenario.places), sizes_mb.shape)
    wanted = [by_hand(model, scenario, *one) for one in zip(sizes_mb, places)]
    np.testing.assert_allclose(model.cost(sizes_mb, places), wanted, rtol=1e-9)


@pytest.mark.parametrize("name", SCENARIOS)
def test_one_by_one_and_together_cost_the_same(name):
    scenario = mrdro.Scenario.load(name)
    model, sizes_mb = scenario.cost_model(), scenario.draw(100).sizes_mb
    places = model.decide(sizes_mb, "greedy").places
    costs = model.cost(sizes_mb, places)
    singly = [model.cost(*one) for one in zip(sizes_mb, places)]
    np.testing.assert_allclose(costs, singly, rtol=1e-12)
    outcome = model.outcome(sizes_mb, places)
    np.testing.assert_allclose(outcome.cost, costs, rtol=1e-9)
    plain = model.alpha * outcome.energy_j + (1 - model.alpha) * outcome.time_s
    assert (outcome.cost >= plain * (1 - 1e-9)).all()
    times = model.place_times(sizes_mb, places)
    assert times.shape == (100, scenario.devices, len(scenario.places))
    np.testing.assert_allclose(times.max(axis=2).sum(axis=1), outcome.time_s, rtol=1e-9)


def test_whatever_numpy_takes_is_taken(paper, sizes_mb):
    model = paper.cost_model()
    places = np.random.default_rng(2).integers(0, 3, sizes_mb.shape)
    wanted = model.cost(sizes_mb, places)
    for dtype in (np.uint8, np.int8, np.int32, np.uint64):
        np.testing.assert_array_equal(model.cost(sizes_mb, places.astype(dtype)), wanted)
    np.testing.assert_array_equal(model.cost(sizes_mb.tolist(), places.tolist()), wanted)
    np.testing.assert_array_equal(model.cost(sizes_mb, np.array(paper.places)[places]), wanted)
    np.testing.assert_allclose(model.cost(sizes_mb.astype(np.float32), places), wanted, rtol=1e-6)
    np.testing.assert_array_equal(model.cost(sizes_mb[::-1], places[::-1]), wanted[::-1])
    fortran = np.asfortranarray(sizes_mb)
    np.testing.assert_array_equal(model.cost(fortran, np.asfortranarray(places)), wanted)
    np.testing.assert_array_equal(model.cost(sizes_mb.astype(object), places), wanted)
    for objects in (np.array(paper.places)[places].astype(object), places.astype(object)):
        np.testing.assert_array_equal(model.cost(sizes_mb, objects), wanted)
    reshaped = model.cost(sizes_mb.reshape(3, 10, 10, 3, 3), places.reshape(3, 10, 10, 3, 3))
    np.testing.assert_array_equal(reshaped, wanted.reshape(3, 10, 10))
    assert isinstance(model.cost(sizes_mb[0], places[0]), float)
    assert model.cost(sizes_mb[:0], places[:0]).shape == (0,)


def test_the_axes_in_front_are_broadcast(paper, sizes_mb):
    model = paper.cost_model()
    places = np.random.default_rng(3).integers(0, 3, (5, 1, 3, 3))
    costs = model.cost(sizes_mb[:7], places)
    assert costs.shape == (5, 7)
    for row, one in zip(costs, places):
        np.testing.assert_array_equal(row, model.cost(sizes_mb[:7], np.broadcast_to(one, (7, 3, 3))))
    np.testing.assert_array_equal(model.cost(sizes_mb[0], places[:, 0]), costs[:, 0])


@pytest.mark.parametrize(
    ("sizes", "places", "wanted"),
    [
        (np.ones((3, 2)), np.zeros((3, 3)), r"sizes_mb must have the shape \(…, 3, 3\).*its shape is \(3, 2\)"),
        (np.ones(9), np.zeros((3, 3)), r"sizes_mb must have the shape.*\(9,\)"),
        (-np.ones((3, 3)), np.zeros((3, 3), int), r"sizes_mb\[0, 0\] must be a size in MB from 0 to 1e12, is -1"),
        ([[1, 1, 1], [1, np.nan, 1], [1, 1, 1]], np.zeros((3, 3), int), r"sizes_mb\[1, 1\].*is NaN"),
        (np.full((2, 3, 3), np.inf), np.zeros((3, 3), int), r"sizes_mb\[0, 0, 0\].*is inf"),
        (
            np.ones((3, 3)),
            np.full((3, 3), 3),
            r"decisions\[0, 0\] must be a place from 0 to 2 \(local, edge, cloud\), is 3",
        ),
        (np.ones((3, 3)), np.full((3, 3), -1), r"decisions\[0, 0\].*is -1"),
        (np.ones((3, 3)), np.full((3, 3), 256), r"decisions\[0, 0\].*is 256"),
        (np.ones((3, 3)), np.full((3, 3), 2**63), r"decisions\[0, 0\].*is 9223372036854775808"),
        (np.ones((3, 3)), [["edge", "moon", "edge"]] * 3, r'decisions\[0, 1\].*is "moon"'),
        (np.ones((3, 3)), np.array([["edge", "moon", "edge"]] * 3, object), r'decisions\[0, 1\].*is "moon"'),
        (np.ones((3, 3)), np.array([["edge", None, "edge"]] * 3, object), "or names; its dtype is object"),
        (np.ones((3, 3)), np.full((3, 3), 1.0, object), "or names; its dtype is object"),
        (np.ones((3, 3)), np.zeros((3, 3)), "whole numbers from 0 to 2 or names; its dtype is float64"),
        (np.ones((4, 3, 3)), np.zeros((5, 3, 3), int), "do not fit together"),
        ("20", np.zeros((3, 3), int), "sizes_mb must be an array of numbers.*is of type str"),
        (None, np.zeros((3, 3), int), "sizes_mb must be an array of numbers.*is of type NoneType"),
        ([[1], [1, 2]], np.zeros((3, 3), int), "rows of equal length"),
        (np.ma.array(np.ones((3, 3)), mask=True), np.zeros((3, 3), int), "sizes_mb must not be a masked array"),
        (np.array([["a"] * 3] * 3, object), np.zeros((3, 3), int), "sizes_mb must be an array of numbers"),
        (np.ones((3, 3), complex), np.zeros((3, 3), int), "sizes_mb must be an array of numbers"),
    ],
)
def test_wrong_arrays_are_named(paper, sizes, places, wanted):
    with pytest.raises(ValueError, match=wanted):
        paper.cost_model().cost(sizes, places)


def test_absent_tasks_have_no_size():
    ragged = mrdro.Scenario.load("paper").with_({"tasks.per_device": [3, 1, 2]})
    workloads = ragged.draw(4)
    assert (workloads.sizes_mb[:, ~ragged.cost_model().has_task] == 0).all()
    with pytest.raises(ValueError, match=r"sizes_mb\[1, 1\] must be 0: device 1 has only 1"):
        ragged.cost_model().decide(np.ones((3, 3)))


def test_scenarios_are_values(paper):
    assert mrdro.Scenario.from_toml(paper.to_toml()) == paper
    assert mrdro.Scenario.from_dict(paper.to_dict()) == paper
    assert pickle.loads(pickle.dumps(paper)) == paper
    assert hash(paper) == hash(mrdro.Scenario.load("paper"))
    changed = paper.with_({"devices.count": 5, "servers[0].frequency_mhz": 1234.0}, alpha=np.float32(0.25))
    assert (changed.devices, changed.alpha) == (5, 0.25)
    assert changed.to_dict()["servers"][0]["frequency_mhz"] == 1234.0
    assert changed != paper and paper.devices == 3
    assert paper.with_(devices={"count": 4}).devices == 4
    assert paper.with_({"devices.uplink_mbps": np.array([10.0, 20.0, 30.0])}).to_dict()["devices"]["uplink_mbps"] == [
        10,
        20,
        30,
    ]
    assert "<table>" in paper._repr_html_() and "paper" in repr(paper)


def test_another_distribution_replaces_the_old_one(paper, tmp_path):
    (tmp_path / "sizes.txt").write_text("5\n7\n")
    recorded = {"distribution": "file", "path": str(tmp_path / "sizes.txt")}
    uniform = paper.to_dict()["tasks"]["size_mb"]
    assert uniform["distribution"] != "file"
    for changes in ({"tasks.size_mb": recorded}, {"tasks": {"size_mb": recorded}}):
        changed = paper.with_(changes)
        assert changed.to_dict()["tasks"]["size_mb"].items() >= recorded.items()
        assert set(changed.draw(20).sizes_mb.ravel()) <= {5, 7}
        assert changed.with_({"tasks.size_mb": uniform}) == paper
    wider = paper.with_({"tasks.size_mb": {"distribution": uniform["distribution"], "max": 99}})
    assert wider.to_dict()["tasks"]["size_mb"] == {**uniform, "max": 99}
    assert paper.with_({"tasks.size_mb": {"max": 99}}) == wider


def test_none_removes_a_key(paper):
    fast = paper.with_({"servers[1].link_mbps": 77, "tasks.deadline_s": 60})
    assert fast.to_dict()["servers"][1]["link_mbps"] == 77
    assert fast.with_({"servers[1].link_mbps": None, "tasks.deadline_s": None}) == paper.with_(
        {"servers[1].link_mbps": None}
    )
    assert fast.with_(tasks={"deadline_s": None}).to_dict()["tasks"] == paper.to_dict()["tasks"]
    assert paper.with_({"tasks.deadline_s": None, "devices": {"count": 3}}) == paper
    assert len(paper.with_({"servers[0]": None}).places) == 2
    with pytest.raises(mrdro.ScenarioError, match="alpha: "):
        paper.with_(alpha=None)
    for wrong in ({"tasks.deadline_ss": None}, {"tasks": {"deadline_ss": None}}):
        with pytest.raises(mrdro.ScenarioError, match="tasks.deadline_ss: unknown key; did you mean `deadline_s`"):
            paper.with_(wrong)


def test_all_mistakes_of_a_scenario_come_at_once(paper):
    text = paper.to_toml().replace("alpha = 0.5", "alpha = 5").replace("count = 3", "cuont = 3")
    with pytest.raises(mrdro.ScenarioError) as raised:
        mrdro.Scenario.from_toml(text)
    keys = {problem.key: problem for problem in raised.value.problems}
    assert {"alpha", "devices.cuont", "devices.count"} <= keys.keys()
    line = keys["alpha"].line
    assert text.splitlines()[line - 1] == "alpha = 5" and "did you mean" in keys["devices.cuont"].message
    copied = pickle.loads(pickle.dumps(raised.value))
    assert copied.problems == raised.value.problems and str(copied) == str(raised.value)
    with pytest.raises(mrdro.ScenarioError, match="alpha: must lie between 0"):
        paper.with_(alpha=3)
    with pytest.raises(ValueError, match="so that there is no `servers"):
        paper.with_({"servers[9].name": "x"})
    with pytest.raises(mrdro.ScenarioError, match="there is no scenario called `papper`"):
        mrdro.Scenario.load("papper")
    with pytest.raises(FileNotFoundError, match="no/such.toml"):
        mrdro.Scenario.load("no/such.toml")
    with pytest.raises(TypeError, match="servers.* of type object"):
        mrdro.Scenario.from_dict({"servers": [object()]})


def test_drawn_workloads_are_the_same_for_a_seed(paper):
    first, again, other = paper.draw(5, seed=3), paper.draw(5, seed=3), paper.draw(5, seed=4)
    np.testing.assert_array_equal(first.sizes_mb, again.sizes_mb)
    assert (first.sizes_mb != other.sizes_mb).all()
    np.testing.assert_array_equal(paper.draw(9, seed=3).sizes_mb[:5], first.sizes_mb)
    assert len(first[1:3]) == 2
    with pytest.raises(ValueError, match='part must be "training" or "held-out", is "test"'):
        paper.draw(1, part="test")
    with pytest.raises(ValueError, match="count must be at most"):
        paper.draw(10**12)


def test_environments_change_the_cost():
    mobile = mrdro.Scenario.load("mobile")
    workloads = mobile.draw(50)
    assert len(workloads.environments) == 50 and mobile.changes_environment
    decided = mrdro.solve(mobile, workloads)
    each = [mobile.cost_model(one).decide(sizes).cost for one, sizes in zip(workloads.environments, workloads.sizes_mb)]
    np.testing.assert_array_equal(decided.cost, each)
    own = mobile.cost_model().environment
    assert pickle.loads(pickle.dumps(own)) == own and hash(own) == hash(mobile.cost_model().environment)


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({"alpha": 7}, "alpha must lie between 0 and 1, is 7"),
        ({"uplinks_mbps": [1, -2, 3]}, "uplinks_mbps: an uplink must lie between 0 and 1e12 Mbit/s, is -2"),
        ({"capacities": [1, 1e7]}, "capacities: a capacity must lie between 0 and 1e6, is 10000000"),
        ({"uplinks_mbps": [1, 2]}, "uplinks_mbps of the environment must hold 3 uplinks in this scenario, holds 2"),
        ({"capacities": [1]}, "^capacities of the environment must hold 2 capacities in this scenario, holds 1"),
    ],
)
def test_values_of_environments_are_named(paper, arguments, wanted):
    with pytest.raises(ValueError, match=wanted):
        paper.cost_model().at(environment(**arguments))
    at = environment()
    with pytest.raises(ValueError, match=r"^environment\[1\]: uplinks_mbps of the environment must hold 3 uplinks"):
        paper.cost_model().decide([[[1] * 3] * 3] * 2, environment=[at, environment(uplinks_mbps=[1])])


def environment(**changed):
    return mrdro.Environment(**{"alpha": 0.5, "uplinks_mbps": [1, 2, 3], "capacities": [1, 1], **changed})


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({"deadline_s": -1}, r"deadline_s\[0, 0\] must lie between 1e-12 and 1e12 s, is -1"),
        ({"deadline_s": [[1, 1, 1], [1, 1, 0], [1, 1, 1]]}, r"deadline_s\[1, 2\] must lie between"),
        ({"instructions_per_byte": np.nan}, r"instructions_per_byte\[0, 0\] must lie between"),
        ({"deadline_penalty": -1}, "deadline_penalty must lie between 0 and 1e12, is -1"),
    ],
)
def test_arguments_of_deadlines_are_named(paper, arguments, wanted):
    with pytest.raises(ValueError, match=wanted):
        paper.cost_model().with_tasks(**arguments)


WHOLE = "must be a whole number from "


@pytest.mark.parametrize(
    ("call", "error", "wanted"),
    [
        (lambda paper: paper.draw(3, seed=-1), ValueError, f"seed {WHOLE}0 to 18446744073709551615, is -1"),
        (lambda paper: paper.draw(3, seed=2**64), ValueError, f"seed {WHOLE}.*, is 18446744073709551616"),
        (lambda paper: paper.draw(3, seed=True), TypeError, f"seed {WHOLE}.*, is True"),
        (lambda paper: paper.draw(3, seed=np.True_), TypeError, f"seed {WHOLE}.*, is (np.)?True"),
        (lambda paper: paper.draw(3, seed=1.5), TypeError, f"seed {WHOLE}.*, is 1.5"),
        (lambda paper: paper.draw(-1), ValueError, f"count {WHOLE}0 to .*, is -1"),
        (lambda paper: paper.draw("3"), TypeError, f"count {WHOLE}.*, is '3'"),
        (lambda paper: mrdro.solve(paper, [[1] * 3] * 3, "random", seed=-1), ValueError, f"seed {WHOLE}"),
        (lambda paper: paper.cost_model().share_out([[1] * 3] * 3, 9, seed=-1), ValueError, f"seed {WHOLE}"),
        (lambda paper: mrdro.compare(paper, ["random"], seed=-1), ValueError, f"seed {WHOLE}"),
        (lambda paper: mrdro.set_threads(-1), ValueError, f"count {WHOLE}1 to 4096, is -1"),
    ],
)
def test_whole_numbers_out_of_range_are_named(paper, call, error, wanted):
    with pytest.raises(error, match=wanted):
        call(paper)


def test_whole_numbers_can_be_those_of_numpy(paper):
    for number in (np.int8(3), np.uint64(3), np.array(3)):
        np.testing.assert_array_equal(paper.draw(number, seed=number).sizes_mb, paper.draw(3, seed=3).sizes_mb)


def test_workloads_stand_for_their_sizes_in_their_environments():
    for scenario in map(mrdro.Scenario.load, ("paper", "mobile", "shared-edge")):
        drawn, model = scenario.draw(40), scenario.cost_model()
        own = drawn.environments or [model.environment] * 40
        places = model.decide(drawn, "greedy").places
        every = np.stack([places, 0 * places])[:, :, :, :]
        for call in ("cost", "outcome", "place_times"):
            found = np.asarray(getattr(model, call)(drawn, places))
            each = [getattr(model.at(at), call)(*one) for *one, at in zip(drawn.sizes_mb, places, own)]
            np.testing.assert_allclose(np.moveaxis(found, -1, 0) if call == "outcome" else found, each, rtol=1e-12)
        costs = model.cost(drawn, every)
        assert costs.shape == (2, 40)
        np.testing.assert_allclose(costs, [model.cost(drawn, one) for one in every], rtol=1e-12)
        np.testing.assert_allclose(model.cost(drawn[:5], every[:, :5]), costs[:, :5], rtol=1e-12)


def test_deadlines(paper, sizes_mb):
    model = paper.cost_model()
    hard = model.with_tasks(deadline_s=np.full((3, 3), 60.0), deadline_rule="hard")
    late = hard.outcome(sizes_mb, np.zeros((3, 3), np.uint8)).missed_deadlines
    assert (late > 0).all() and (hard.decide(sizes_mb).missed_deadlines <= late).all()
    dear = model.with_tasks(deadline_s=1e-6, deadline_penalty=1000.0)
    np.testing.assert_allclose(dear.cost(sizes_mb, [[0] * 3] * 3), model.cost(sizes_mb, [[0] * 3] * 3) + 9000)
    copied = pickle.loads(pickle.dumps(dear))
    np.testing.assert_array_equal(copied.cost(sizes_mb, [[0] * 3] * 3), dear.cost(sizes_mb, [[0] * 3] * 3))
    with pytest.raises(ValueError, match="deadline_penalty is only for"):
        model.with_tasks(deadline_rule="hard", deadline_penalty=1)
    with pytest.raises(ValueError, match=r"deadline_s must be one number or have the shape \(3, 3\)"):
        model.with_tasks(deadline_s=[1, 2])


def test_unreachable_places_are_told():
    offline = mrdro.Scenario.load("paper").with_({"devices.uplink_mbps": [0, 10, 10]})
    assert offline.cost_model().reachable.tolist() == [[True, False, False], [True, True, True], [True, True, True]]
