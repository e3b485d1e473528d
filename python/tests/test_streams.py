"""Scenarios over time: values, runs, comparisons, functions."""

from __future__ import annotations

import json
import math
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import mrdro
import numpy as np
import pytest
from helpers import INTERRUPTIBLE, interrupted

PRESETS = mrdro.presets("stream")
TRAINER = Path(__file__).parents[2] / "target" / "debug" / "trainer"


def short(name="dispatch", **changes):
    """A shipped scenario with short runs."""
    length = {"tasks_per_run": 2000} if name == "dispatch" else {"slots": 1200}
    return mrdro.StreamScenario.load(name).with_(length, **changes)


@pytest.fixture(scope="module")
def dispatch():
    return short()


@pytest.fixture(scope="module")
def with_tails():
    """A scenario with deadlines, and radios that stay on."""
    return short().with_(
        {
            "devices.tail_s": 10,
            "devices.power_w": {"send": 0.5, "tail": 0.2},
            "tasks.deadline_s": 120,
            "tasks.deadline_penalty": 10,
        }
    )


def test_the_shipped_scenarios_are_named():
    assert PRESETS == ["dispatch", "commute"]
    with pytest.raises(ValueError, match='kind must be "tasks", "graph" or "stream", is "flow"'):
        mrdro.presets("flow")


@pytest.mark.parametrize("name", PRESETS)
def test_a_scenario_is_equal_to_what_it_is_written_as(name):
    scenario = mrdro.StreamScenario.load(name)
    for other in (
        mrdro.StreamScenario.from_toml(scenario.to_toml()),
        mrdro.StreamScenario.from_dict(scenario.to_dict()),
        pickle.loads(pickle.dumps(scenario)),
        scenario.with_(),
    ):
        assert other == scenario and hash(other) == hash(scenario)
    assert scenario != scenario.with_(alpha=0.25)
    assert scenario != scenario.to_toml()
    assert scenario.with_(alpha=0.25).alpha == 0.25


def test_what_a_scenario_says():
    dispatch, commute = (mrdro.StreamScenario.load(name) for name in PRESETS)
    assert (dispatch.name, dispatch.alpha, dispatch.kind) == ("dispatch", 0.5, "dispatch")
    assert (dispatch.places, dispatch.links) == (["local", "edge", "cloud"], [])
    assert (commute.name, commute.alpha, commute.kind) == ("commute", 0.99, "slots")
    assert (commute.places, commute.links) == ([], ["cellular"])
    assert repr(dispatch) == "<StreamScenario dispatch: 30000 tasks of 10 devices, places local, edge, cloud>"
    assert repr(commute) == "<StreamScenario commute: 3600 slots of 1 s, links cellular>"
    assert {"greedy", "one-step", "static-split"} < set(dispatch.schemes()) == set(mrdro.schemes("dispatch"))
    assert "at-once" in commute.schemes()


def test_loads_are_those_that_the_scenario_asks_for():
    dispatch, commute = (mrdro.StreamScenario.load(name) for name in PRESETS)
    for seed in (1, 2):
        assert math.isclose(dispatch.load_of(seed), 0.8, rel_tol=1e-9)
    # 6 files a minute of 9 MB / ln 10, at states of 2, 8 and 30 Mbit/s for 40, 30 and 20 s.
    wanted = 6 / 60 * (9 / math.log(10)) / ((2 * 40 + 8 * 30 + 30 * 20) / 90 / 8)
    assert math.isclose(commute.load_of(1), wanted, rel_tol=1e-9)


def test_any_scenario_can_be_loaded_by_its_name():
    assert mrdro.schemes("commute") == mrdro.StreamScenario.load("commute").schemes()
    with pytest.raises(ValueError, match="dispatch is a scenario over time.*run"):
        mrdro.solve("dispatch", [[1.0]])


@pytest.mark.parametrize("name", PRESETS)
def test_runs_are_those_of_the_program(name, tmp_path):
    if not TRAINER.exists():
        pytest.skip("the program is not built")
    trace = tmp_path / "trace.csv"
    command = [TRAINER, "solve", "--scenario", name, "--seed", "3", "--trace", trace]
    for scheme in ("greedy", "one-step") if name == "dispatch" else ("at-once",):
        run = mrdro.StreamScenario.load(name).run(scheme, seed=3)
        done = subprocess.run([*command, "--scheme", scheme], capture_output=True, check=True)
        assert run.to_dict() == json.loads(done.stdout)
        header, *rows = trace.read_text().splitlines()
        columns = dict(zip(header.split(","), zip(*(row.split(",") for row in rows))))
        own = run.tasks if name == "dispatch" else run.slots
        for column in ("time_s", "energy_j"):
            assert np.array_equal(np.array(columns[column], dtype=float), getattr(own, column))
        if name == "dispatch":
            assert [run.places[place] for place in own.place] == list(columns["place"])
            assert np.array_equal(np.array(columns["done_s"], dtype=float), own.done_s)


# What the program answers to `trainer solve --scenario dispatch --scheme greedy --seed 3`, and so on.
GOLDEN = {
    ("dispatch", "greedy"): 59.698113936512435,
    ("dispatch", "one-step"): 55.281074592804984,
    ("commute", "at-once"): 7.08803839859699,
    ("commute", "threshold"): 2.0710554419968354,
}


@pytest.mark.parametrize("case", GOLDEN)
def test_costs_are_those_of_the_program(case):
    name, scheme = case
    assert math.isclose(mrdro.StreamScenario.load(name).run(scheme, seed=3).cost, GOLDEN[case], rel_tol=1e-12)


def test_a_run_follows_from_its_tasks(with_tails):
    run = with_tails.run("greedy", seed=2)
    tasks = run.tasks
    assert tasks.place.dtype == np.uint8 and tasks.missed.dtype == np.bool_
    assert {len(column) for column in tasks} == {2000}
    assert (np.diff(tasks.time_s) >= 0).all() and (tasks.response_s > 0).all()
    assert set(np.unique(tasks.device)) == set(range(10))
    wanted = 0.5 * tasks.energy_j + 0.5 * tasks.response_s + 10 * tasks.missed
    np.testing.assert_allclose(tasks.cost, wanted, rtol=1e-12)
    assert np.array_equal(tasks.missed, tasks.response_s > 120)
    counted = slice(200, None)  # without the warm-up
    assert run.count == 1800 and run.missed == tasks.missed[counted].sum()
    assert math.isclose(run.mean_delay_s, tasks.response_s[counted].mean(), rel_tol=1e-9)
    # Radios that stay on take energy that no task has.
    assert run.cost > tasks.cost[counted].mean()
    shares = [float((tasks.place[counted] == place).mean()) for place in range(3)]
    assert list(run.place_shares) == list(run.places) == ["local", "edge", "cloud"]
    np.testing.assert_allclose(list(run.place_shares.values()), shares, rtol=1e-12)
    with pytest.raises(AttributeError, match="has no slots: see tasks"):
        run.slots  # noqa: B018
    again = pickle.loads(pickle.dumps(run))
    assert again.to_dict() == run.to_dict() and np.array_equal(again.tasks.done_s, tasks.done_s)


def test_a_run_follows_from_its_slots():
    scenario = short("commute")
    run = scenario.run("at-once")
    slots = run.slots
    assert slots.mbps.shape == slots.sent_mb.shape == (1200, 1)
    assert np.array_equal(slots.time_s, np.arange(1200.0))
    assert slots.mbps.min() >= 2 and slots.mbps.max() < 30 + 1e-9  # means of the slots
    assert (slots.sent_mb <= slots.mbps / 8 + 1e-12).all() and not slots.fallback_mb.any()
    arrived = np.diff(slots.backlog_mb) + slots.sent_mb[:-1, 0]
    assert arrived.min() > -1e-9 and (arrived > 0.1).sum() > 50
    assert math.isclose(run.mean_energy_j * run.count, slots.energy_j.sum(), rel_tol=1e-9)
    assert run.place_shares == {} and run.places == () and run.links == ("cellular",)
    assert "place_shares" not in run.to_dict()
    with pytest.raises(AttributeError, match="has no tasks: see slots"):
        run.tasks  # noqa: B018


def test_columns_make_a_data_frame(dispatch):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(dispatch.run("greedy").tasks._asdict())
    assert frame.shape == (2000, 8)
    assert frame.groupby("place")["cost"].mean().gt(0).all()


def test_a_function_that_is_greedy_gives_the_run_of_greedy(dispatch, with_tails):
    for scenario in (dispatch, with_tails):
        wanted = scenario.run("greedy", seed=4)

        def cheapest(offer):
            return offer.cost.argmin()

        run = scenario.run(cheapest, seed=4)
        assert run.scheme == "cheapest" and wanted.scheme == "greedy"
        assert {**run.to_dict(), "scheme": "greedy"} == wanted.to_dict()
        for own, other in zip(run.tasks, wanted.tasks):
            assert np.array_equal(own, other)


def test_an_offer_says_what_each_place_would_do(with_tails):
    offers = []

    def look(offer):
        offers.append(offer)
        return "local" if offer.index % 2 else 1

    run = with_tails.run(look)
    assert run.tasks.place.tolist() == [1, 0] * 1000
    tasks = run.tasks
    assert [offer.time_s for offer in offers] == tasks.time_s.tolist()
    assert [offer.device for offer in offers] == tasks.device.tolist()
    assert [offer.size_mb for offer in offers] == tasks.size_mb.tolist()
    for offer in offers[::100]:
        assert offer.is_usable.tolist() == [True] * 3
        parts = [offer.link_wait_s, offer.link_service_s, offer.machine_wait_s, offer.machine_service_s]
        np.testing.assert_allclose(offer.response_s, sum(parts), rtol=1e-12)
        np.testing.assert_allclose(offer.wait_s, parts[0] + parts[2], rtol=1e-12)
        np.testing.assert_allclose(offer.service_s, parts[1] + parts[3], rtol=1e-12)
        late = 10 * (offer.response_s > 120)
        np.testing.assert_allclose(offer.cost, 0.5 * offer.energy_j + 0.5 * offer.response_s + late, rtol=1e-12)
        # What is expected of the device is what happens there: nothing changes over time.
        if offer.index % 2:
            assert math.isclose(offer.cost[0], tasks.cost[offer.index], rel_tol=1e-9)
    assert repr(offers[0]).startswith("<Offer of 3 places for task 0: ")


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (3, ValueError, "must return a place, 0 to 2 or one of local, edge, cloud; it returned 3"),
        (-1, ValueError, "it returned -1"),
        ("edgy", ValueError, "it returned 'edgy'"),
        (None, TypeError, "it returned None"),
        (0.5, TypeError, "it returned 0.5"),
    ],
)
def test_what_is_no_place_is_refused(dispatch, answer, error, message):
    with pytest.raises(error, match=message):
        dispatch.run(lambda offer: answer)
    with pytest.raises(error, match=message):
        dispatch.compare([], functions={"mine": lambda offer: answer}, runs=1)


def test_what_a_function_raises_comes_out(dispatch):
    calls = []

    def fails(offer):
        calls.append(offer.index)
        if offer.index == 7:
            raise KeyError("mine")
        return 0

    with pytest.raises(KeyError, match="mine"):
        dispatch.run(fails)
    assert calls == list(range(8))


def test_a_comparison_has_a_row_for_each(dispatch):
    table = dispatch.compare(
        ["one-step", "greedy"], functions={"mine": lambda offer: offer.cost.argmin(), "local": lambda _: 0}, runs=3
    )
    assert table["scheme"] == ["one-step", "greedy", "mine", "local"]
    greedy, mine = table.rows()[1:3]
    for column in set(greedy) - {"scheme", "seconds_per_decision"}:
        assert greedy[column] == mine[column], column
    assert greedy["change"] == 0 and table["change"][3] > 0
    assert table["is_overloaded"][3]
    assert table["share_local"][3] == 1 and table["share_cloud"][3] == 0
    costs = [dispatch.run("one-step", seed=seed).cost for seed in (1, 2, 3)]
    assert math.isclose(table["mean_cost"][0], np.mean(costs), rel_tol=1e-12)
    changes = [cost / dispatch.run("greedy", seed=seed).cost - 1 for seed, cost in zip((1, 2, 3), costs)]
    assert math.isclose(table["change"][0], np.mean(changes), rel_tol=1e-9)
    # Student's t with 2 degrees of freedom.
    half = 4.303 * np.std(changes, ddof=1) / math.sqrt(3)
    assert math.isclose(table["change_high"][0] - table["change"][0], half, rel_tol=1e-3)
    assert math.isclose(table["change"][0] - table["change_low"][0], half, rel_tol=1e-3)


def test_a_comparison_says_what_no_scheme_can_undercut(dispatch):
    table = dispatch.compare(["greedy", "one-step"], runs=2)
    assert isinstance(table, mrdro.StreamTable) and not table.is_optimum
    assert 0 < table.bound < min(table["mean_cost"])
    only = dispatch.compare([], functions={"mine": lambda offer: offer.cost.argmin()}, runs=2)
    assert (only["scheme"], only.bound) == (["mine"], table.bound)
    slots = short("commute").compare(["at-once", "hindsight"], runs=2)
    assert slots.is_optimum and math.isclose(slots.bound, slots["mean_cost"][1], rel_tol=1e-9)
    again = pickle.loads(pickle.dumps(slots))
    assert again == slots and (again.bound, again.is_optimum) == (slots.bound, True)


def test_the_bound_is_that_of_the_program():
    if not TRAINER.exists():
        pytest.skip("the program is not built")
    command = [TRAINER, "compare", "--scenario", "commute", "--runs", "2"]
    said = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert f"hindsight is the optimum, {mrdro.StreamScenario.load('commute').compare(runs=2).bound:.3f}" in said


@pytest.mark.parametrize(("name", "scheme"), [("dispatch", "drift-plus-penalty"), ("commute", "threshold")])
def test_tuned_schemes_are_those_of_the_program(name, scheme):
    scenario = short(name)
    tuned = scenario.tune(scheme)
    assert tuned.startswith(f"{scheme}@") and tuned == scenario.tune(scheme, seed=1)
    table = scenario.compare([scheme, tuned], runs=3)
    assert table["mean_cost"][1] < 1.02 * table["mean_cost"][0]
    if TRAINER.exists():
        command = [TRAINER, "tune", "--scenario", name, "--scheme", scheme, "--runs", "1", "--format", "json"]
        rows = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        assert mrdro.StreamScenario.load(name).tune(scheme) == rows[-1]["scheme"]


def test_what_cannot_be_tuned_is_refused(dispatch):
    with pytest.raises(mrdro.SchemeError, match="greedy has no numbers to tune; these have some: drift-plus-penalty"):
        dispatch.tune("greedy")
    with pytest.raises(mrdro.SchemeError, match="`threshold` is a scheme for scenarios in slots"):
        dispatch.tune("threshold")
    with pytest.raises(mrdro.SchemeError, match="`priced` is a scheme for scenarios that dispatch tasks"):
        short("commute").run("priced")


def test_one_comparison_is_the_other(dispatch):
    told = {"progress": False, "runs": 2, "seed": 5}
    functions = {"mine": lambda offer: 0}
    own = dispatch.compare(["greedy"], functions=functions, runs=2, seed=5)
    other = mrdro.compare(dispatch, ["greedy"], functions=functions, **told)
    for table in (own, other):
        del table["seconds_per_decision"]
    assert own == other
    one = mrdro.compare(short("commute"), progress=False, runs=1)
    assert one["scheme"] == short("commute").schemes() or len(one["scheme"]) >= 3
    assert "change_low" not in one and "share_local" not in one
    assert one["change"][one["scheme"].index("at-once")] == 0


def test_arguments_of_another_kind_of_scenario_are_refused(dispatch):
    for argument in (
        {"records": {"mine": mrdro.Record.shipped("paper")}},
        {"any_rates": True},
        {"workloads": [[[1.0]]]},
    ):
        with pytest.raises(
            ValueError, match=f"{next(iter(argument))} is for scenarios of independent tasks.*over time"
        ):
            mrdro.compare(dispatch, **argument)
    with pytest.raises(ValueError, match="runs is for scenarios over time"):
        mrdro.compare("paper", ["greedy"], runs=2)
    with pytest.raises(ValueError, match="this scenario sends data in slots: give the names"):
        short("commute").compare(functions={"mine": lambda offer: 0})
    with pytest.raises(ValueError, match="this scenario sends data in slots: give the names"):
        short("commute").run(lambda offer: 0)
    with pytest.raises(ValueError, match="two are called 'greedy'"):
        dispatch.compare(["greedy"], functions={"greedy": lambda offer: 0})
    with pytest.raises(TypeError, match="functions must hold functions"):
        dispatch.compare(["greedy"], functions={"mine": 3})


def test_mistakes_are_told(dispatch, tmp_path):
    with pytest.raises(mrdro.SchemeError, match="did you mean `greedy`"):
        dispatch.run("gredy")
    with pytest.raises(mrdro.SchemeError, match="did you mean `at-once`"):
        short("commute").run("at-onc")
    with pytest.raises(mrdro.SchemeError, match="greedy"):
        dispatch.compare(["gredy"], runs=1)
    with pytest.raises(TypeError, match="scheme must be the name of a scheme or a function, is 3"):
        dispatch.run(3)
    for runs in (0, -1):
        with pytest.raises(ValueError, match="runs must be a whole number from 1"):
            dispatch.compare(["greedy"], runs=runs)
    with pytest.raises(mrdro.ScenarioError) as raised:
        dispatch.with_({"alpha": 2, "devices.count": 0})
    assert {problem.key for problem in raised.value.problems} == {"alpha", "devices.count"}
    with pytest.raises(mrdro.ScenarioError, match="mrdro.Scenario reads scenarios of independent tasks"):
        mrdro.StreamScenario.load("paper")
    with pytest.raises(mrdro.ScenarioError, match="mrdro.StreamScenario"):
        mrdro.Scenario.load("dispatch")
    with pytest.raises(mrdro.ScenarioError, match="cannot carry its tasks"):
        dispatch.with_({"devices.arrivals": {"process": "poisson", "per_minute": 600, "load": None, "weight": None}})
    with pytest.raises(FileNotFoundError):
        mrdro.StreamScenario.load(tmp_path / "none.toml")


def recorded(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content)
    return str(path)


def test_recorded_arrivals_are_read(tmp_path):
    rows = [f"{10 * index},{1 + index % 7},{'ab'[index % 2]}\n" for index in range(60)]
    path = recorded(tmp_path, "log.csv", "time_s,size_mb,device\n" + "".join(rows))
    changes = {
        "devices.count": 2,
        "tasks.size_mb": None,
        "devices.arrivals": {"process": "recorded", "path": path, "load": None, "weight": None},
    }
    scenario = mrdro.StreamScenario.load("dispatch").with_(changes)
    tasks = scenario.run("greedy").tasks
    assert tasks.time_s.tolist() == [10.0 * index for index in range(60)]
    np.testing.assert_allclose(tasks.size_mb, [1 + index % 7 for index in range(60)])
    assert tasks.device.tolist() == [0, 1] * 30
    assert pickle.loads(pickle.dumps(scenario)) == scenario
    missing = {"devices.arrivals": {"process": "recorded", "path": str(tmp_path / "none.csv")}}
    with pytest.raises(FileNotFoundError, match="none.csv"):
        scenario.with_(missing)
    wrong = recorded(tmp_path, "wrong.csv", "time_s,size_mb,device\n0,1,a\n1,x,b\n")
    with pytest.raises(mrdro.RecordingError, match="line 3: `size_mb` must be a number"):
        scenario.with_({"devices.arrivals.path": wrong})


def test_recorded_rates_are_read(tmp_path):
    rows = "".join(f"{t},{2 + t // 300}\n" for t in range(1200))
    path = recorded(tmp_path, "drive.csv", "t_s,mbps\n" + rows)
    settings = mrdro.StreamScenario.load("commute").to_dict()
    settings["links"][0]["mbps"] = {"traces": path, "window_s": 1}
    scenario = mrdro.StreamScenario.from_dict(settings)
    slots = scenario.run("at-once").slots
    assert slots.mbps[0, 0] == 2 and slots.mbps[301, 0] == 3 and len(slots.mbps) == 1200
    settings["links"][0]["mbps"]["window_s"] = 3000
    with pytest.raises(mrdro.RecordingError, match=r"links\[0\].mbps of the scenario.*one window of 3000 s"):
        mrdro.StreamScenario.from_dict(settings)


def test_a_scenario_file_names_its_recordings_beside_it(tmp_path):
    recorded(tmp_path, "drive.csv", "t_s,mbps\n" + "".join(f"{t},8\n" for t in range(600)))
    settings = mrdro.StreamScenario.load("commute").to_toml()
    start = settings.index("mbps")
    text = settings[:start].rstrip()
    text = text.removesuffix("[links.mbps]").removesuffix("[links.").rstrip() + '\nmbps = { traces = "drive.csv" }\n'
    (tmp_path / "own.toml").write_text(text)
    scenario = mrdro.StreamScenario.load(tmp_path / "own.toml")
    assert (scenario.run("at-once").slots.mbps == 8).all()


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
@pytest.mark.parametrize(
    "call",
    [
        "scenario.compare(['rollout@4'], runs=1000)",
        "mrdro.compare(scenario, [], functions={'mine': lambda offer: time.sleep(9)})",
        "scenario.run(lambda offer: time.sleep(9))",
    ],
)
def test_ctrl_c_ends_long_calls(call):
    program = (
        "import mrdro, time\n"
        "scenario = mrdro.StreamScenario.load('dispatch').with_(tasks_per_run=50)\n"
        f"print('ready', flush=True)\n{call}\nprint('ended')\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE + program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        time.sleep(1.5)
        error, seconds = interrupted(process)
        assert b"KeyboardInterrupt" in error and seconds < 5
        assert b"panicked" not in error
