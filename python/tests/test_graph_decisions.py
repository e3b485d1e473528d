"""Scenarios of task graphs, what decisions about them cost, schemes and comparisons."""

from __future__ import annotations

import itertools
import json
import os
import pickle
import subprocess
import sys
import threading
import time

import mrdro
import numpy as np
import pytest
from helpers import INTERRUPTIBLE, interrupted
from mrdro import Graph, GraphScenario

PRESETS = mrdro.presets("graph")


@pytest.fixture(scope="module")
def serial() -> GraphScenario:
    return GraphScenario.load("graph-serial").with_({"application.graph.tasks": 9})


@pytest.fixture(scope="module")
def scheduled() -> GraphScenario:
    return GraphScenario.load("graph").with_({"application.graph.tasks": 9}, alpha=0.4)


def all_decisions(model: mrdro.GraphModel) -> np.ndarray:
    """Every decision whose tasks may run where they are, (decisions, tasks)."""
    return np.array(list(itertools.product(*(np.flatnonzero(row) for row in model.allowed))), np.uint8)


def serial_by_hand(scenario: GraphScenario, graph: Graph, places: np.ndarray) -> np.ndarray:
    """Energy and time of decisions where one thing happens at a time and edges are sent, (…, 2)."""
    own = scenario.to_dict()
    device, server = own["devices"], own["servers"][0]
    power = device["power_w"]
    here, there = graph.megacycles / device["frequency_mhz"], graph.megacycles / server["frequency_mhz"]
    run_s = np.where(places == 0, here, there)
    energy = np.where(places == 0, power["compute"] * here, power["idle"] * there).sum(axis=-1)
    time = run_s.sum(axis=-1)
    for (tail, head), mb in zip(graph.edges, graph.edge_mb):
        up = (places[..., tail] == 0) & (places[..., head] == 1)
        down = (places[..., tail] == 1) & (places[..., head] == 0)
        up_s, down_s = 8 * mb / device["uplink_mbps"], 8 * mb / device["downlink_mbps"]
        time = time + up * up_s + down * down_s
        energy = energy + up * up_s * power["send"] + down * down_s * power["receive"]
    return np.stack([energy, time], axis=-1)


def scheduled_by_hand(model: mrdro.GraphModel, places: np.ndarray) -> float:
    """The time of one decision where everything runs as soon as it can and whole tasks are sent to one server."""
    graph, cpu, uplink, server = model.graph, 0.0, 0.0, 0.0
    here, sent, done = np.zeros((3, len(graph)))
    before = {task: [tail for tail, head in graph.edges if head == task] for task in range(len(graph))}
    for name in model.order:
        task = graph.names.index(name)
        if places[task] == 0:
            cpu = max([cpu, *(here[other] for other in before[task])]) + model.run_s[task, 0]
            here[task] = sent[task] = done[task] = cpu
            continue
        sends = max([uplink, *(sent[other] if places[other] else here[other] for other in before[task])])
        sent[task] = uplink = sends + model.send_s[task, 1]
        runs = max([server, uplink, *(done[other] for other in before[task] if places[other])])
        done[task] = server = runs + model.run_s[task, 1]
        here[task] = server + model.return_s[task, 1]
    return here.max()


def test_serial_costs_are_those_by_hand_and_the_optimum_is_the_least(serial):
    for graph in serial.draw(10):
        model = serial.cost_model(graph)
        every = all_decisions(model)
        energy, time = np.moveaxis(serial_by_hand(serial, graph, every), -1, 0)
        outcome = model.outcome(every)
        np.testing.assert_allclose(outcome.energy_j, energy, rtol=1e-9)
        np.testing.assert_allclose(outcome.time_s, time, rtol=1e-9)
        costs = serial.alpha * energy + (1 - serial.alpha) * time
        np.testing.assert_allclose(model.cost(every), costs, rtol=1e-9)
        best = serial.decide(graph)
        assert best.is_optimal and best.cost == pytest.approx(costs.min(), rel=1e-9) == pytest.approx(best.bound)
        assert serial.decide(graph, "min-cut").cost == pytest.approx(costs.min(), rel=1e-9)


def test_scheduled_costs_are_those_by_hand_and_the_optimum_is_the_least(scheduled):
    for graph in scheduled.draw(5, seed=3):
        model = scheduled.cost_model(graph)
        every = all_decisions(model)
        assert every.shape == (512, 9)
        outcome = model.outcome(every)
        np.testing.assert_allclose(outcome.time_s, [scheduled_by_hand(model, places) for places in every], rtol=1e-9)
        np.testing.assert_allclose(outcome.cost, 0.4 * outcome.energy_j + 0.6 * outcome.time_s, rtol=1e-9)
        np.testing.assert_array_equal(model.cost(every), outcome.cost)
        best = model.decide()
        assert best.is_optimal and best.cost == pytest.approx(outcome.cost.min(), rel=1e-9)
        assert model.bounds().lower == model.bounds().cost == best.cost and model.bounds().is_optimal
        for scheme in scheduled.schemes():
            decided = scheduled.decide(graph, scheme)
            assert decided.cost >= outcome.cost.min() * (1 - 1e-9), scheme
            assert model.cost(decided) == decided.cost == model.cost(decided.placements)


def test_one_decision_and_many_cost_the_same(scheduled):
    model = scheduled.cost_model(scheduled.draw(1)[0])
    decisions = np.random.default_rng(1).integers(0, 2, (40, 50, 9))
    costs = model.cost(decisions)
    assert costs.shape == (40, 50)
    np.testing.assert_array_equal(costs[3], [model.cost(one) for one in decisions[3]])
    np.testing.assert_array_equal(model.cost(np.array(scheduled.places)[decisions]), costs)
    for dtype in (np.uint8, np.int8, np.uint64, bool, object):
        np.testing.assert_array_equal(model.cost(decisions.astype(dtype)), costs)
    np.testing.assert_array_equal(model.cost(decisions[::-1, ::2]), costs[::-1, ::2])
    outcome = model.outcome(decisions)
    assert outcome.energy_j.shape == outcome.exceeds_limits.shape == (40, 50)
    assert isinstance(model.cost(decisions[0, 0]), float)
    single = model.outcome(decisions[0, 0].tolist())
    assert isinstance(single.exceeds_limits, bool) and single.cost == costs[0, 0]
    assert model.cost(decisions[:0]).shape == (0, 50)


def test_wrong_decisions_are_named(serial):
    graph = serial.draw(1)[0]
    model = serial.cost_model(graph)
    placements = dict.fromkeys(graph.names, "local")
    first = graph.names[0]
    for decisions, wanted in [
        (
            np.zeros(8, int),
            r"decisions must have the shape \(…, 9\): a place for each of the 9 tasks; its shape is \(8,\)",
        ),
        (np.full((2, 9), 2), r"decisions\[0, 0\] must be a place from 0 to 1 \(local, edge\), is 2"),
        (np.full(9, -1), r"decisions\[0\] must be a place from 0 to 1 \(local, edge\), is -1"),
        (np.full(9, 2**64 - 1, np.uint64), "is 18446744073709551615"),
        (["moon"] * 9, r'decisions\[0\] must be a place .*, is "moon"'),
        (np.zeros(9), "decisions must hold places: whole numbers from 0 to 1 or names; its dtype is float64"),
        ({**placements, "x": "local"}, "decisions names the task 'x', which the graph does not have"),
        ({}, f"decisions has no place for the task {first}"),
        (None, "decisions must have the shape"),
    ]:
        with pytest.raises(ValueError, match=wanted):
            model.cost(decisions)
    pinned = np.flatnonzero(model.allowed.sum(axis=1) == 1)
    assert pinned.size and model.cost(np.ones(9, int)) == np.inf
    assert model.outcome(np.ones(9, int)).exceeds_limits
    with pytest.raises(ValueError, match="decision has the task .* at edge: it is pinned to local"):
        model.schedule(np.ones(9, int))
    with pytest.raises(ValueError, match="decision must be one decision, there are 2"):
        model.schedule(np.zeros((2, 9), int))


def test_the_schedule_of_a_decision_is_a_table(scheduled):
    decision = scheduled.decide(scheduled.draw(1, seed=5)[0])
    table = decision.schedule()
    assert list(table) == ["activity", "task", "place", "start_s", "end_s"]
    assert set(table["activity"]) <= {"run", "send", "receive"} and set(table["place"]) <= set(scheduled.places)
    assert max(table["end_s"]) == decision.time_s
    runs = [row for row in table.rows() if row["activity"] == "run"]
    assert {row["task"]: row["place"] for row in runs} == decision.placements
    model = decision.model
    for row in runs:
        task = decision.graph.names.index(row["task"])
        took = model.run_s[task, scheduled.places.index(row["place"])]
        assert row["end_s"] - row["start_s"] == pytest.approx(took)
    for place in scheduled.places:
        own = sorted((row["start_s"], row["end_s"]) for row in runs if row["place"] == place)
        assert all(later[0] >= earlier[1] - 1e-9 for earlier, later in itertools.pairwise(own))
    assert model.schedule(decision) == table == model.schedule(decision.placements)


def test_the_order_of_tasks_can_be_another(scheduled):
    graph = scheduled.draw(1, seed=6)[0]
    model = scheduled.cost_model(graph)
    assert sorted(model.order) == sorted(graph.names)
    given = scheduled.with_({"application.order": "given"}).cost_model(graph)
    places = model.decide().places
    for order in (given.order, [graph.names.index(name) for name in given.order]):
        changed = model.with_order(order)
        assert changed.order == given.order and changed.cost(places) == given.cost(places)
        assert pickle.loads(pickle.dumps(changed)).order == given.order
    own = Graph(graph.tasks, np.column_stack([graph.edges, graph.edge_mb]), order=given.order)
    assert scheduled.cost_model(own).order == given.order
    for order, wanted in [
        (given.order[::-1], "order must list each task once and after those it waits for"),
        (given.order[1:], "order must list each task once and after those it waits for"),
        (["x"], "order must list the names or numbers of tasks, holds x"),
        ([9], "order must list the names or numbers of tasks, holds 9"),
        ("abc", "order must be a list of the names or numbers of tasks, is a text"),
    ]:
        with pytest.raises((TypeError, ValueError), match=wanted):
            model.with_order(order)


def test_scenarios_are_values():
    scenario = GraphScenario.load("graph")
    assert (scenario.name, scenario.alpha, scenario.places) == ("graph", 0, ["local", "edge"])
    assert (scenario.timing, scenario.transfer, scenario.has_prices) == ("scheduled", "task", False)
    assert GraphScenario.load("call-graph").has_prices
    for copied in (
        GraphScenario.from_toml(scenario.to_toml()),
        GraphScenario.from_dict(scenario.to_dict()),
        pickle.loads(pickle.dumps(scenario)),
    ):
        assert copied == scenario and hash(copied) == hash(scenario)
    faster = scenario.with_({"servers[0].frequency_mhz": 20000}, alpha=0.5, name="faster")
    assert faster != scenario and faster.to_dict()["servers"][0]["frequency_mhz"] == 20000
    assert "faster" in repr(faster) and "<table>" in faster._repr_html_()
    assert scenario != mrdro.Scenario.load("paper")


def test_a_source_of_applications_replaces_the_old_one(tmp_path):
    scenario = GraphScenario.load("graph-serial")
    graphs = scenario.draw(3)
    (tmp_path / "graphs.jsonl").write_text("".join(graph.to_json() + "\n" for graph in graphs))
    file = scenario.with_(
        {"application.graph": {"file": str(tmp_path / "graphs.jsonl")}, "instructions_per_byte": None}
    )
    assert file.standard_set() == graphs
    drawn = file.draw(20)
    assert set(drawn) == set(graphs) and file.draw(20) == drawn
    layers = GraphScenario.load("layers").with_({"application.graph": {"layers": "vgg-16"}})
    assert len(layers.draw(1)[0]) > len(GraphScenario.load("layers").draw(1)[0])
    fixed = GraphScenario.load("graph").with_({"application.graph.ratio": {"values": [0.25]}})
    assert fixed.to_dict()["application"]["graph"]["ratio"] == {"values": [0.25]}
    assert fixed.with_({"application.graph.ratio": {"distribution": "uniform", "min": 0.2, "max": 0.3}}).draw(1)
    limited = scenario.with_({"application.deadline_s": 5})
    assert limited.with_({"application.deadline_s": None}) == scenario
    with pytest.raises(mrdro.ScenarioError, match="application.deadlines_s: unknown key; did you mean `deadline_s`"):
        scenario.with_({"application.deadlines_s": None})


def test_mistakes_of_scenarios_say_where_and_of_which_kind():
    text = (
        GraphScenario.load("graph")
        .to_toml()
        .replace("alpha = 0.0", "alpha = 7")
        .replace("[devices]", "[devices]\nram = 1")
    )
    with pytest.raises(mrdro.ScenarioError) as raised:
        GraphScenario.from_toml(text)
    keys = {problem.key: problem for problem in raised.value.problems}
    assert {"alpha", "devices.ram"} <= keys.keys()
    assert text.splitlines()[keys["alpha"].line - 1] == "alpha = 7"
    for load in (mrdro.Scenario.load, lambda name: mrdro.Scenario.from_toml(GraphScenario.load(name).to_toml())):
        with pytest.raises(mrdro.ScenarioError, match="a scenario of task graphs.*mrdro.GraphScenario reads"):
            load("graph")
    paper = mrdro.Scenario.load("paper")
    for call in (lambda: GraphScenario.load("paper"), lambda: GraphScenario.from_dict(paper.to_dict())):
        with pytest.raises(mrdro.ScenarioError, match="independent tasks.*mrdro.Scenario reads"):
            call()
    with pytest.raises(mrdro.ScenarioError, match="there is no scenario called `grahp`"):
        GraphScenario.load("grahp")
    with pytest.raises(ValueError, match='kind must be "tasks", "graph" or "stream", is "flow"'):
        mrdro.presets("flow")


def test_draws_are_the_same_for_a_seed(serial):
    assert serial.draw(5, seed=3) == serial.draw(9, seed=3)[:5]
    assert serial.draw(3, seed=3) != serial.draw(3, seed=4) != serial.draw(3, seed=4, stream="other")
    assert serial.draw(0) == [] and len(serial.standard_set()) == 100
    assert all(place is None for graph in serial.draw(3) for place in graph.pinned)
    with pytest.raises(ValueError, match="count must be at most 1000000 applications"):
        serial.draw(10**7)


@pytest.mark.parametrize("name", PRESETS)
def test_every_scheme_decides_alone_as_among_many(name):
    scenario = GraphScenario.load(name)
    graphs = scenario.draw(4, seed=9)
    for scheme in scenario.schemes():
        if scheme == "exact" and name == "workflow":
            continue  # takes some seconds for each
        together = scenario.decide(graphs, scheme, seed=2)
        assert len(together) == 4
        for graph, decision in zip(graphs, together):
            alone = scenario.decide(graph, scheme, seed=2)
            np.testing.assert_array_equal(alone.places, decision.places)
            assert (alone.outcome, alone.evaluations) == (decision.outcome, decision.evaluations)
        np.testing.assert_array_equal(together.cost, [decision.cost for decision in together])
        for column in (together.energy_j, together.time_s, together.price, together.exceeds_limits, together.bound):
            assert column.shape == (4,)
    assert together[1:].cost.tolist() == together.cost[1:].tolist() and together[-1] is list(together)[3]


def test_decisions_are_the_same_on_any_number_of_threads():
    program = (
        "import mrdro\n"
        "scenario = mrdro.GraphScenario.load('graph')\n"
        "graphs = scenario.draw(40)\n"
        "for scheme in ('random', 'annealing@64', 'exact'):\n"
        "    print(scenario.decide(graphs, scheme, seed=3).cost.tolist())\n"
        "model = scenario.cost_model(graphs[0])\n"
        "import numpy as np\n"
        "print(model.cost(np.random.default_rng(1).integers(0, 2, (5000, 20))).tolist())\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "MRDRO_THREADS": threads},
        ).stdout
        for threads in ("1", "2", "5")
    }
    assert len(outputs) == 1


def test_other_threads_go_on_while_one_decides():
    scenario = GraphScenario.load("graph")
    graphs, found = scenario.draw(60), []
    wanted = scenario.decide(graphs, "local-search").cost
    threads = [
        threading.Thread(target=lambda: found.append(scenario.decide(graphs, "local-search").cost)) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6 and all((costs == wanted).all() for costs in found)


def test_answers_are_those_of_the_program():
    scenario = GraphScenario.load("graph-serial").with_({"application.pinned": "none"})
    text = (
        '{"id": 1, "graph": {"tasks": [{"name": "a", "megacycles": 4000}, {"name": "b", "megacycles": 1000}], '
        '"edges": [{"from": "a", "to": "b", "mb": 3.5}]}}'
    )
    answer = scenario.with_(alpha=0).with_({"servers[0].frequency_mhz": 500}).decide(Graph.from_json(text)).to_dict()
    evaluations = answer.pop("evaluations")
    assert evaluations > 0 and json.loads(json.dumps(answer)) == {
        "id": 1,
        "placements": {"a": "local", "b": "local"},
        "energy_j": 4.5,
        "time_s": 5.0,
        "cost": 5.0,
        "bound": 5.0,
        "optimal": True,
    }
    priced = GraphScenario.load("call-graph")
    assert priced.decide(priced.draw(1)[0], "cellular-only").to_dict()["price"] > 0


def test_decisions_and_models_can_be_pickled(scheduled):
    decision = scheduled.decide(scheduled.draw(1)[0])
    copied = pickle.loads(pickle.dumps(decision))
    assert copied.outcome == decision.outcome and copied.graph == decision.graph
    assert copied.model.cost(copied.places) == decision.cost
    assert repr(copied) == f"<GraphDecision of 9 tasks, cost {decision.cost:.6g}, optimal>"
    many = pickle.loads(pickle.dumps(scheduled.decide(scheduled.draw(3), "greedy")))
    assert len(many) == 3 and repr(many) == "<GraphDecisions of 3 graphs>"


def test_graphs_that_do_not_fit_are_named(serial):
    task = {"name": "a", "megacycles": 1}
    good, lacks = (
        serial.draw(1)[0],
        Graph([{"name": "a", "megacycles": 1}, {"name": "b", "megacycles": 1}], [("a", "b")]),
    )
    with pytest.raises(mrdro.GraphError, match=r"^graph.edges\[0\].mb is missing: the scenario sends what edges carry"):
        serial.decide(lacks)
    with pytest.raises(mrdro.GraphError, match=r"^graphs\[1\]: graph.edges\[0\].mb is missing"):
        serial.decide([good, lacks])
    with pytest.raises(mrdro.GraphError, match="send_mb is missing: the scenario sends whole tasks"):
        GraphScenario.load("graph").cost_model(lacks)
    with pytest.raises(mrdro.GraphError, match='the task a is pinned to "moon", which does not exist; the places are'):
        serial.with_({"application.pinned": "none"}).decide(Graph([{**task, "pinned": "moon"}]))
    named = serial.with_(
        {"application.pinned": ["main"], "application.graph": {"file": "none.json"}, "instructions_per_byte": None}
    )
    with pytest.raises(mrdro.GraphError, match="the list of pinned tasks names the task main, which does not exist"):
        named.decide(Graph([task]))
    with pytest.raises(FileNotFoundError, match="none.json"):
        named.draw(1)
    for given in (3, "graph", {"tasks": []}, None):
        with pytest.raises(TypeError, match="graphs must be a Graph or a list of Graphs, is of type"):
            serial.decide(given)
    with pytest.raises(TypeError, match=r"graphs\[1\] must be a Graph, is of type int; Graph.from_dict"):
        serial.decide([good, 3])
    with pytest.raises(TypeError, match="graph must be a Graph, is of type list"):
        serial.cost_model([good])
    assert len(serial.decide([])) == 0 and serial.decide([]).cost.shape == (0,)


def test_names_that_are_no_schemes_get_a_suggestion(serial):
    graph = serial.draw(1)[0]
    for graphs in (graph, [graph], []):
        with pytest.raises(mrdro.SchemeError, match="did you mean `greedy`"):
            serial.decide(graphs, "gredy")
    with pytest.raises(mrdro.SchemeError, match=r"graphs\[0\]: min-cut decides applications with timing"):
        GraphScenario.load("graph").decide(GraphScenario.load("graph").draw(2), "min-cut")
    with pytest.raises(ValueError, match="seed must be a whole number from 0 to"):
        serial.decide(graph, seed=-1)


def test_solve_and_schemes_take_scenarios_of_task_graphs(serial):
    graphs = serial.draw(2)
    assert mrdro.solve(serial, graphs).cost.tolist() == serial.decide(graphs).cost.tolist()
    assert mrdro.solve("graph", GraphScenario.load("graph").draw(1)[0], "greedy").places.shape == (20,)
    assert mrdro.schemes("graph") == GraphScenario.load("graph").schemes() and mrdro.schemes("graph")[-1] == "exact"
    assert mrdro.schemes(serial.cost_model(graphs[0])) == serial.schemes()
    with pytest.raises(ValueError, match="environment is for scenarios of independent tasks"):
        mrdro.solve(serial, graphs, environment=[])


def test_comparisons_have_functions_beside_schemes(scheduled):
    graphs = scheduled.draw(6)

    def fastest(graph, model):
        assert isinstance(graph, Graph) and model.graph is graph
        return dict(zip(graph.names, np.array(model.places)[model.run_s.argmin(axis=1)]))

    def least(graph, model):
        every = np.array(list(np.ndindex(*[2] * len(graph))))
        return every[model.cost(every).argmin()]

    table = mrdro.compare(
        scheduled, ["greedy", "edge-only", "exact"], functions={"fastest": fastest, "least": least}, workloads=graphs
    )
    rows = {row["scheme"]: row for row in table.rows()}
    assert table["scheme"] == ["greedy", "edge-only", "fastest", "least", "exact"]
    assert rows["fastest"]["mean_cost"] == rows["edge-only"]["mean_cost"]
    assert rows["least"]["q2"] == rows["exact"]["q2"] == 1 and rows["least"]["share_best"] == 1
    assert rows["edge-only"]["q2"] < 1 and rows["exact"]["share_proved"] == 1 and rows["least"]["share_proved"] == 0
    assert rows["exact"]["mean_cost"] == pytest.approx(scheduled.decide(graphs).cost.mean())
    alone = mrdro.compare(scheduled, ["greedy"], workloads=graphs)
    assert alone["q2"] == [rows["greedy"]["q2"]]  # also where the optimum is no row
    assert mrdro.compare(scheduled, ["greedy"], workloads=graphs[0])["scheme"] == ["greedy"]


def test_comparisons_use_the_standard_set_and_the_seed():
    table = mrdro.compare("graph-serial")
    assert table["scheme"] == mrdro.schemes("graph-serial") and table["q2"][-1] == 1
    assert table["q2"][table["scheme"].index("min-cut")] == pytest.approx(1)
    again, other = (mrdro.compare("graph-serial", ["random"], seed=seed)["mean_cost"] for seed in (1, 2))
    assert again == [table["mean_cost"][table["scheme"].index("random")]] != other
    limited = mrdro.compare("call-graph", ["local-only", "exact"])
    assert limited["share_beyond_limits"][0] > limited["share_beyond_limits"][1] == 0


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({"records": {"mine": "models/paper"}}, "records is for scenarios of independent tasks"),
        ({"any_rates": True}, "any_rates is for scenarios of independent tasks"),
        ({"workloads": []}, "workloads must hold at least one Graph, holds none"),
        ({"workloads": np.ones((2, 3, 3))}, r"workloads\[0\] must be a Graph, is of type ndarray"),
        ({"workloads": 3}, "workloads must be a Graph or a list of Graphs"),
        ({"schemes": ["gredy"]}, "did you mean `greedy`"),
        ({"schemes": ["greedy"], "functions": {"greedy": print}}, "two are called 'greedy'"),
        ({"functions": {"mine": lambda graph, model: ["edge"]}}, r"the answer of mine must have the shape \(…, 9\)"),
        (
            {"functions": {"mine": lambda graph, model: np.ones((2, 9), int)}},
            "the answer of mine must be one decision, is 2",
        ),
        (
            {"functions": {"mine": lambda graph, model: np.ones(9, int)}},
            "the answer of mine has the task .* it is pinned to local",
        ),
        ({"functions": {"mine": lambda graph, model: 1 / 0}}, "division by zero"),
        ({"progress": "yes"}, 'progress must be "auto", True or False'),
    ],
)
def test_arguments_of_comparisons_are_named(serial, arguments, wanted):
    with pytest.raises((TypeError, ValueError, ZeroDivisionError), match=wanted):
        mrdro.compare(**{"scenario": serial, "schemes": [], "workloads": serial.draw(2), **arguments})


def test_the_progress_of_a_comparison_is_shown(serial, monkeypatch):
    from mrdro import callbacks

    events = []
    monkeypatch.setattr(callbacks.Progress, "event", lambda self, kind, values: events.append((kind, values)))

    def slow(graph, model):
        time.sleep(0.2)
        return np.zeros(9, int)

    mrdro.compare(serial, ["greedy"], functions={"slow": slow}, workloads=serial.draw(4), progress=True)
    assert events[0] == ("decisions", (0, 12)) and events[-1] == ("decisions", (8, 12))


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
@pytest.mark.parametrize(
    "call",
    [
        "scenario.decide(graphs * 40, 'genetic')",
        "mrdro.compare(scenario, ['genetic'], workloads=graphs * 40)",
        "mrdro.compare(scenario, [], functions={'mine': lambda graph, model: time.sleep(9)}, workloads=graphs)",
        "scenario.cost_model(graphs[0]).outcome(np.zeros((5_000_000, 20), np.uint8))",
    ],
)
def test_ctrl_c_ends_long_calls(call):
    program = (
        "import mrdro, time, numpy as np\n"
        "scenario = mrdro.GraphScenario.load('graph')\n"
        "graphs = scenario.draw(100)\n"
        f"print('ready', flush=True)\n{call}\nprint('ended')\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE + program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        time.sleep(0.7)
        error, seconds = interrupted(process)
        assert b"KeyboardInterrupt" in error and seconds < 5
