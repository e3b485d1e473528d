"""Task graphs as values: made from Python, read from files and other tools, and written."""

from __future__ import annotations

import gzip
import json
import pickle

import mrdro
import numpy as np
import pytest
from mrdro import Graph, GraphScenario

TASKS = [
    {"name": "read", "megacycles": 400, "send_mb": 2.5, "pinned": "local"},
    {"name": "solve", "megacycles": 9000.5, "send_mb": 1, "result_mb": 0.1, "weights_mb": 3},
    {"name": "show", "megacycles": 0, "send_mb": 0},
]
EDGES = [{"from": "solve", "to": "show", "mb": 0.3}, {"from": "read", "to": "solve", "mb": 3.5}]


@pytest.fixture(scope="module")
def graph() -> Graph:
    return Graph(TASKS, EDGES, order=["read", "solve", "show"], id="first")


def test_tasks_and_edges_are_arrays(graph):
    assert len(graph) == 3 and graph.names == ["read", "solve", "show"] and graph.id == "first"
    assert graph.megacycles.tolist() == [400, 9000.5, 0]
    assert graph.send_mb.tolist() == [2.5, 1, 0]
    np.testing.assert_array_equal(graph.result_mb, [np.nan, 0.1, np.nan])
    assert graph.weights_mb.tolist() == [0, 3, 0]
    assert graph.pinned == ["local", None, None]
    assert graph.edges.tolist() == [[1, 2], [0, 1]] and graph.edges.dtype == np.int64
    assert graph.edge_mb.tolist() == [0.3, 3.5]
    assert graph.order == ["read", "solve", "show"]
    assert repr(graph) == '<Graph "first": 3 tasks, 2 edges>'
    assert graph.tasks["name"] == graph.names and graph.tasks.shape == (3, 6)


def test_every_form_of_arguments_gives_the_same_graph(graph):
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    columns = {
        "name": graph.names,
        "megacycles": graph.megacycles,
        "send_mb": graph.send_mb.astype(np.float32),
        "result_mb": graph.result_mb,
        "weights_mb": graph.weights_mb,
        "pinned": ["local", None, None],
    }
    numbered = np.column_stack([graph.edges, graph.edge_mb])
    named = [("solve", "show", 0.3), ("read", "solve", np.float64(3.5))]
    for tasks in (TASKS, graph.tasks, columns, pandas.DataFrame(TASKS), polars.DataFrame(TASKS, strict=False)):
        for edges in (EDGES, numbered, named, [(1, 2, 0.3), (0, np.int8(1), 3.5)], pandas.DataFrame(EDGES)):
            assert Graph(tasks, edges, order=[0, "solve", np.int64(2)], id="first") == graph


def test_tasks_without_names_have_numbers_as_names():
    graph = Graph({"megacycles": np.arange(4.0)}, np.array([[0, 1], [1, 3]]))
    assert graph.names == ["0", "1", "2", "3"] and graph.edges.tolist() == [[0, 1], [1, 3]]
    assert np.isnan(graph.edge_mb).all() and np.isnan(graph.send_mb).all()
    assert Graph([{"megacycles": 1}]).edges.shape == (0, 2)


def test_graphs_are_values(graph):
    other = Graph(TASKS, EDGES[::-1], order=graph.order, id="first")
    assert other == graph and hash(other) == hash(graph)
    assert Graph(TASKS, EDGES, id="first") != graph and Graph(TASKS, EDGES, order=graph.order) != graph
    assert Graph(TASKS[::-1], EDGES) != Graph(TASKS, EDGES) and graph != 3
    for copied in (
        pickle.loads(pickle.dumps(graph)),
        Graph.from_dict(graph.to_dict()),
        Graph.from_json(graph.to_json()),
        Graph.from_json(graph.to_json().encode()),
        Graph.from_dict({**graph.to_dict()["graph"], "order": graph.order, "id": "first"}),
    ):
        assert copied == graph and hash(copied) == hash(graph)
        assert copied.to_dict() == graph.to_dict()
    with pytest.raises(AttributeError):
        graph.id = "second"


@pytest.mark.parametrize("name", mrdro.presets("graph"))
def test_drawn_graphs_survive_every_copy(name):
    scenario = GraphScenario.load(name)
    for graph in scenario.draw(5, seed=2):
        pickled = pickle.loads(pickle.dumps(graph))
        assert pickled == graph and Graph.from_json(graph.to_json()) == graph
        cost = scenario.decide(graph, "greedy").cost
        assert scenario.decide(pickled, "greedy").cost == cost  # to the last bit
        assert scenario.decide(Graph.from_json(graph.to_json()), "greedy").cost == pytest.approx(cost, rel=1e-12)


def test_sizes_in_mb_are_what_was_given():
    given = np.random.default_rng(1).uniform(1e-6, 1e3, 2000)
    graph = Graph({"megacycles": given, "send_mb": given})
    np.testing.assert_allclose(graph.send_mb, given, rtol=1e-15)
    assert Graph({"megacycles": graph.megacycles, "send_mb": graph.send_mb}) == graph


TWO = [{"name": "a", "megacycles": 1}, {"name": "b", "megacycles": 1}]


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({"edges": [("a", "b"), ("b", "a")]}, "the tasks wait for each other: a → b → a; remove one of these edges"),
        ({"edges": [("a", "a")]}, "the task a waits for itself"),
        ({"edges": [("a", "b"), (0, 1)]}, "the edge a → b is given twice"),
        ({"edges": [("a", "bb")]}, "the edge a → bb names the task bb, which does not exist; did you mean b"),
        ({"edges": [("a", 2)]}, r"edges\[0\].to must be a task from 0 to 1, is 2"),
        ({"edges": [("a", 1.5)]}, r"edges\[0\].to must be the name or number of a task, is 1.5"),
        ({"edges": [("a", True)]}, r"edges\[0\].to must be the name or number of a task, is True"),
        ({"edges": [("a", "b", -1)]}, r"graph.edges\[0\].mb of the edge a → b must lie between 0 and 1e12 MB, is -1"),
        ({"edges": [("a", "b", 1, 2)]}, r"edges\[0\] must be \(from, to\) or \(from, to, mb\), has 4 parts"),
        ({"edges": ["ab"]}, r"edges\[0\] must be a dict, \(from, to\) or"),
        ({"edges": [{"from": "a"}]}, r"edges\[0\].to is missing"),
        ({"edges": [{"from": "a", "to": "b", "size": 1}]}, r"edges\[0\] has the unknown key 'size'"),
        ({"edges": "ab"}, "edges must be a list such as"),
        ({"tasks": []}, "there is no task"),
        ({"tasks": 3}, "tasks must be a list such as .*, is 3"),
        ({"tasks": ["a"]}, r"tasks\[0\] must be a dict, is 'a'"),
        ({"tasks": [TWO[0], TWO[0]]}, "two tasks are called a; give each task a name of its own"),
        ({"tasks": [TWO[0], {"megacycles": 1}]}, r"tasks\[1\].name is missing"),
        ({"tasks": [{"name": 3, "megacycles": 1}]}, r"tasks\[0\].name must be a text, is 3"),
        ({"tasks": [{"name": " ", "megacycles": 1}]}, "task 1 has an empty name"),
        ({"tasks": [{"name": "a"}]}, r"tasks\[0\].megacycles is missing: the task a needs its work"),
        (
            {"tasks": [{"name": "a", "megacyles": 1}]},
            r"tasks\[0\] has the unknown key 'megacyles'; did you mean megacycles",
        ),
        ({"tasks": [{"name": "a", "megacycles": "1"}]}, r"tasks\[0\].megacycles must be a number, is '1'"),
        ({"tasks": [{"name": "a", "megacycles": 10**400}]}, r"tasks\[0\].megacycles is too large a number"),
        ({"tasks": [{"name": "a", "megacycles": np.ones(2)}]}, r"tasks\[0\].megacycles must be a number, is array"),
        ({"tasks": [{"name": "a", "megacycles": -1}]}, r"graph.tasks\[0\].megacycles of the task a must lie between 0"),
        ({"tasks": [{"name": "a", "megacycles": np.nan}]}, "megacycles of the task a must lie between 0 .*, is NaN"),
        ({"tasks": [{"name": "a", "megacycles": 1, "send_mb": np.inf}]}, "send_mb of the task a must lie between 0"),
        ({"tasks": [{"name": "a", "megacycles": 1, "pinned": 0}]}, r"tasks\[0\].pinned must be the name of a place"),
        ({"tasks": {"name": ["a"], "megacycles": [1, 2]}}, "columns of one length, has name 1, megacycles 2"),
        ({"tasks": {"name": "a", "megacycles": 1}}, "tasks.name must be a list with a value for each"),
        ({"order": ["b"]}, "order: the order leaves out the task a"),
        ({"order": ["a", "a"]}, "order: the order names the task a twice"),
        ({"edges": [("a", "b")], "order": ["b", "a"]}, "the order has b before a, but b waits for a"),
        ({"order": "ab"}, "order must be a list of the names or numbers of tasks, is 'ab'"),
        ({"id": [1]}, r"id must be a text or a number, is \[1\]"),
    ],
)
def test_mistakes_are_named(arguments, wanted):
    with pytest.raises((TypeError, ValueError), match=wanted) as raised:
        Graph(**{"tasks": TWO, **arguments})
    copied = pickle.loads(pickle.dumps(raised.value))
    assert type(copied) is type(raised.value) and str(copied) == str(raised.value)


def test_what_makes_no_application_is_a_graph_error():
    with pytest.raises(mrdro.GraphError) as raised:
        Graph(TWO, [("a", "b"), ("b", "a")])
    assert isinstance(raised.value, ValueError) and isinstance(raised.value, mrdro.Error)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "the text holds no application"),
        ("[]", "the text must hold one application, holds none"),
        ('{"graph": {"tasks": [{"name": "a", "megacycles": 1}]}}\n' * 2, "holds 2; read_graphs reads files of several"),
        ('{"graph": {"tasks": [{"name": "a"}]}}', "line 1: missing field `megacycles` at column"),
        ('{"graph": {"tasks": [{"name": "a", "megacycle": 1}]}}', "unknown field `megacycle`, expected one of"),
        (
            '\n\n{"graph": {"tasks": [{"name": "a", "megacycles": 1}],\n"edges": [{"from": "a", "to": "b"}]}}',
            "line 3: graph",
        ),
        ('{"graph": {"tasks": [{"name": "a", "megacycles": -2}]}}', r"graph.tasks\[0\].megacycles of the task a"),
        ('{"graph": {"tasks": [', "the text: line 1: EOF while parsing"),
        ("digraph { a -> b }", "the text is DOT, not JSON: write it into a file, which read_graphs reads"),
        (3, "text must be JSON in a str or bytes, is of type int"),
    ],
)
def test_mistakes_in_json_have_their_line(text, wanted):
    with pytest.raises((TypeError, ValueError), match=wanted):
        Graph.from_json(text)


@pytest.mark.parametrize(
    ("dictionary", "wanted"),
    [
        (3, "a graph must be a dict such as"),
        ({"graph": 3}, "graph must be a dict such as"),
        ({"edges": []}, 'a graph must have "tasks"'),
        ({"graph": {"tasks": TWO}, "tasks": []}, "the dict has the unknown key 'tasks'"),
        ({"graph": {"tasks": TWO, "order": ["a", "b"]}, "order": ["a", "b"]}, "order stands twice"),
    ],
)
def test_mistakes_in_dicts_are_named(dictionary, wanted):
    with pytest.raises((TypeError, ValueError), match=wanted):
        Graph.from_dict(dictionary)


WORKFLOW = {
    "workflow": {
        "specification": {
            "tasks": [
                {"id": "a", "inputFiles": ["in"], "outputFiles": ["mid"], "children": ["b"]},
                {"id": "b", "inputFiles": ["mid"], "outputFiles": ["out"], "parents": ["a"]},
            ],
            "files": [{"id": name, "sizeInBytes": 2e6} for name in ("in", "mid", "out")],
        },
        "execution": {"tasks": [{"id": "a", "runtimeInSeconds": 3}, {"id": "b", "runtimeInSeconds": 4}]},
    }
}


def test_files_of_every_format_are_read(tmp_path, graph):
    lines = tmp_path / "graphs.jsonl"
    lines.write_text(graph.to_json() + "\n" + Graph(TWO).to_json() + "\n")
    assert mrdro.read_graphs(lines) == [graph, Graph(TWO)]
    (tmp_path / "list.json.gz").write_bytes(gzip.compress(json.dumps([graph.to_dict()]).encode()))
    assert mrdro.read_graphs(tmp_path / "list.json.gz") == [graph]
    (tmp_path / "a.gv").write_text("digraph { a [megacycles=5, send_mb=1] b [megacycles=7] a -> b [mb=3.5] }")
    (dot,) = mrdro.read_graphs(tmp_path / "a.gv")
    assert dot.names == ["a", "b"] and dot.megacycles.tolist() == [5, 7] and dot.edge_mb.tolist() == [3.5]
    (tmp_path / "mrlco.gv").write_text('digraph { a [size="2097152", expect_size="1000000"] }')
    with pytest.raises(mrdro.GraphError, match="mrlco.gv: the node a needs the attribute megacycles"):
        mrdro.read_graphs(tmp_path / "mrlco.gv")
    (mrlco,) = mrdro.read_graphs(tmp_path / "mrlco.gv", "graph")
    assert mrlco.megacycles[0] == pytest.approx(2000) and mrlco.result_mb.tolist() == [1]


def test_workflows_are_read_as_scenarios_send(tmp_path):
    path = tmp_path / "workflow.json"
    path.write_text(json.dumps(WORKFLOW))
    (tasks,) = mrdro.read_graphs(path, scenario="graph")
    (edges,) = mrdro.read_graphs(path, scenario=GraphScenario.load("graph-serial"))
    assert tasks.names == ["a", "b"] and tasks.send_mb.tolist() == [2, 2] and tasks.megacycles.tolist() == [3000, 4000]
    assert edges.names == ["a", "b", "workflow-input", "workflow-output"] and len(edges.edges) == 3
    with pytest.raises(ValueError, match="give scenario, too"):
        mrdro.read_graphs(path)


def test_files_that_cannot_be_read_are_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="no/such.json"):
        mrdro.read_graphs("no/such.json")
    path = tmp_path / "graphs.jsonl"
    for text, wanted in [
        ("\n", "graphs.jsonl holds no application"),
        ("[]", "graphs.jsonl holds no application"),
        ("name,mb\na,3\n", "graphs.jsonl has no known format of task graphs"),
        (Graph(TWO).to_json() + '\n{"graph": {"tasks": []}}', "graphs.jsonl: line 2: graph: there is no task"),
    ]:
        path.write_text(text)
        with pytest.raises(mrdro.GraphError, match=wanted):
            mrdro.read_graphs(path)
    path.write_text(Graph(TWO).to_json())
    with pytest.raises(
        mrdro.GraphError, match=r"line 1: graph.tasks\[0\].send_mb is missing: the scenario sends whole"
    ):
        mrdro.read_graphs(path, "graph")
    with pytest.raises(TypeError, match="scenario must be a GraphScenario, its name or its file, is 3"):
        mrdro.read_graphs(path, 3)
    with pytest.raises(mrdro.ScenarioError, match="mrdro.Scenario reads scenarios of independent tasks"):
        mrdro.read_graphs(path, "paper")


def test_graphs_of_networkx_go_to_and_fro(graph):
    networkx = pytest.importorskip("networkx")
    made = graph.to_networkx()
    assert isinstance(made, networkx.DiGraph) and list(made) == graph.names
    assert made.nodes["solve"] == {"megacycles": 9000.5, "send_mb": 1, "result_mb": 0.1, "weights_mb": 3}
    assert made.edges["read", "solve"] == {"mb": 3.5} and made.graph == {"id": "first", "order": graph.order}
    assert Graph.from_networkx(made) == graph
    for drawn in [*GraphScenario.load("graph").draw(3), *GraphScenario.load("layers").draw(1)]:
        assert Graph.from_networkx(drawn.to_networkx()) == drawn


def test_graphs_of_networkx_may_have_names_of_their_own():
    networkx = pytest.importorskip("networkx")
    tree = networkx.DiGraph([((0, 0), (0, 1)), ((0, 0), (1, 1))])
    networkx.set_node_attributes(tree, {node: 100 + index for index, node in enumerate(tree)}, "work")
    networkx.set_edge_attributes(tree, 2, "weight")
    made = Graph.from_networkx(tree, {"megacycles": "work", "mb": "weight"})
    assert made.names == ["(0, 0)", "(0, 1)", "(1, 1)"] and made.megacycles.tolist() == [100, 101, 102]
    assert made.edges.tolist() == [[0, 1], [0, 2]] and made.edge_mb.tolist() == [2, 2]
    with pytest.raises(ValueError, match=r"tasks\[0\].megacycles is missing: the task \(0, 0\)"):
        Graph.from_networkx(tree)
    networkx.set_node_attributes(tree, 1, "result_Mb")
    with pytest.raises(ValueError, match="has the attribute 'result_Mb'; did you mean result_mb"):
        Graph.from_networkx(tree, {"megacycles": "work"})
    ring = networkx.DiGraph([("a", "b"), ("b", "c"), ("c", "a")])
    networkx.set_node_attributes(ring, 1, "megacycles")
    with pytest.raises(mrdro.GraphError, match="the tasks wait for each other: a → b → c → a"):
        Graph.from_networkx(ring)
    with pytest.raises(ValueError, match="graph must be directed, as a networkx.DiGraph is"):
        Graph.from_networkx(ring.to_undirected())
    with pytest.raises(TypeError, match="graph must be a networkx.DiGraph, is 3"):
        Graph.from_networkx(3)
    with pytest.raises(ValueError, match="attributes has the unknown key 'work'"):
        Graph.from_networkx(ring, {"work": "megacycles"})


def test_a_missing_networkx_is_told(graph, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "networkx", None)
    with pytest.raises(ImportError, match="Graph.to_networkx needs networkx: pip install networkx"):
        graph.to_networkx()
