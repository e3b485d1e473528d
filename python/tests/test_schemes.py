"""Schemes, bounds and comparisons."""

from __future__ import annotations

import mrdro
import numpy as np
import pytest


def test_no_scheme_is_cheaper_than_the_optimum(paper, sizes_mb):
    optimum = mrdro.solve(paper, sizes_mb)
    model = paper.cost_model()
    np.testing.assert_allclose(model.cost(sizes_mb, optimum.places), optimum.cost, rtol=1e-12)
    for scheme in [*mrdro.schemes("paper"), "local-search@4", "genetic@8", "annealing@5"]:
        if scheme == "genetic":
            continue
        decided = model.decide(sizes_mb, scheme)
        assert (decided.cost >= optimum.cost * (1 - 1e-12)).all(), scheme
    best = np.min([model.cost(sizes_mb[0], np.array(list(np.ndindex(3, 3, 3)))[:, None, :] * [[1], [0], [0]])], axis=1)
    assert best.min() >= optimum.cost[0]


def test_the_optimum_is_that_of_all_decisions(paper, sizes_mb):
    single = paper.with_({"devices.count": 1})
    all_decisions = np.array(list(np.ndindex(3, 3, 3)), np.uint8).reshape(27, 1, 3)
    costs = single.cost_model().cost(sizes_mb[:50, None, :1], all_decisions)
    assert costs.shape == (50, 27)
    decided = single.cost_model().decide(sizes_mb[:50, :1])
    np.testing.assert_allclose(decided.cost, costs.min(axis=1), rtol=1e-12)


def test_decisions_are_the_same_alone_and_among_many(paper, sizes_mb):
    for scheme in ["random", "local-search", "exact", "annealing@5"]:
        together = mrdro.solve(paper, sizes_mb[:60], scheme, seed=5)
        alone = [mrdro.solve(paper, one, scheme, seed=5) for one in sizes_mb[:60]]
        np.testing.assert_array_equal(together.places, [one.places for one in alone])
        np.testing.assert_array_equal(together.evaluations, [one.evaluations for one in alone])
    one = mrdro.solve(paper, sizes_mb[0])
    assert isinstance(one.cost, float) and isinstance(one.evaluations, int)
    assert one.names.shape == (3, 3) and set(one.names.ravel()) <= set(paper.places)
    assert mrdro.solve(paper, sizes_mb[:0]).cost.shape == (0,)


def test_bounds_hold_where_servers_are_shared():
    shared = mrdro.Scenario.load("shared-edge")
    sizes_mb = shared.draw(10).sizes_mb
    bounds = shared.cost_model().bounds(sizes_mb)
    assert bounds.is_optimal.all()
    np.testing.assert_allclose(bounds.lower, bounds.cost)
    greedy = shared.cost_model().decide(sizes_mb, "greedy")
    assert (greedy.cost >= bounds.lower * (1 - 1e-12)).all()
    one = shared.cost_model().bounds(sizes_mb[0])
    assert isinstance(one.lower, float) and isinstance(one.is_optimal, bool)


def test_shared_bandwidth_is_used_up(paper, sizes_mb):
    shared = paper.cost_model().share_out(sizes_mb[0], 30.0)
    assert shared.environment.uplinks_mbps.sum() == pytest.approx(30)
    assert shared.decisions.cost <= shared.in_proportion.cost
    at = paper.cost_model(shared.environment)
    assert at.cost(sizes_mb[0], shared.decisions.places) == pytest.approx(shared.decisions.cost)
    with pytest.raises(ValueError, match="between 1e-8 and 1e12"):
        paper.cost_model().share_out(sizes_mb[0], -1.0)
    with pytest.raises(ValueError, match="workload 0: .*between 1e-8 and 1e12"):
        paper.cost_model().share_out(sizes_mb, -1.0)


def test_many_workloads_share_out_as_each_does_alone(paper, sizes_mb):
    model, sizes_mb = paper.cost_model(), sizes_mb[:40].reshape(2, 20, 3, 3)
    for scheme in ("exact", "random"):
        together = model.share_out(sizes_mb, 30.0, scheme, seed=4)
        alone = [model.share_out(one, 30.0, scheme, seed=4) for one in sizes_mb.reshape(40, 3, 3)]
        assert list(together.environment) == [one.environment for one in alone]
        assert together.decisions.cost.shape == together.in_proportion.time_s.shape == (2, 20)
        assert together.decisions.cost.ravel().tolist() == [one.decisions.cost for one in alone]
        assert together.in_proportion.cost.ravel().tolist() == [one.in_proportion.cost for one in alone]
    mobile = mrdro.Scenario.load("mobile")
    drawn = mobile.draw(3)
    each = [mobile.cost_model(at).share_out(one, 30.0) for one, at in zip(drawn.sizes_mb, drawn.environments)]
    shared = mobile.cost_model().share_out(drawn, 30.0)
    assert shared.decisions.cost.tolist() == [one.decisions.cost for one in each]


def test_rows_of_a_comparison_have_different_names(paper):
    def local(sizes_mb, environment):
        return [["local"] * 3] * 3

    record = mrdro.Record.shipped("paper")
    for arguments in (
        {"schemes": ["greedy"], "functions": {"greedy": local}},
        {"schemes": ["greedy", "greedy"]},
        {"schemes": [], "records": {"mine": record}, "functions": {"mine": local}},
    ):
        with pytest.raises(ValueError, match="must have different names, two are called '(greedy|mine)'"):
            mrdro.compare(paper, **arguments)


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({"records": ["models/paper"]}, r"records must be a dict such as .*, is \['models/paper'\]"),
        ({"records": {1: "models/paper"}}, "records must have names as keys, has 1"),
        ({"functions": print}, "functions must be a dict such as .*, is <built-in function print>"),
        ({"functions": {"mine": 3}}, "functions must hold functions, holds 3 for mine"),
        ({"schemes": 3}, "schemes must be texts, holds 3"),
        ({"schemes": [print]}, "schemes must be texts, holds <built-in"),
        ({"scenario": 3}, "scenario must be a Scenario, its name or its file, is 3"),
        ({"workloads": "x"}, "workloads must be an array of numbers"),
        ({"workloads": np.ones((0, 3, 3))}, "workloads must hold at least one workload, holds none"),
    ],
)
def test_arguments_of_comparisons_are_named(arguments, wanted):
    with pytest.raises((TypeError, ValueError), match=wanted):
        mrdro.compare(**{"scenario": "paper", **arguments})


def test_problems_are_models_and_scenarios(sizes_mb):
    for call in (mrdro.schemes, lambda problem: mrdro.solve(problem, sizes_mb)):
        with pytest.raises(TypeError, match="problem must be a CostModel, or a Scenario, its name or its file, is 3"):
            call(3)


def test_names_that_are_no_schemes_get_a_suggestion(paper, sizes_mb):
    with pytest.raises(mrdro.SchemeError, match="did you mean `greedy`"):
        mrdro.solve(paper, sizes_mb, "gredy")
    with pytest.raises(mrdro.SchemeError):
        mrdro.compare("paper", ["local-saerch"])


def test_what_is_too_large_for_exact_is_an_exception():
    large = mrdro.Scenario.load("shared-edges").with_({"devices.count": 60, "tasks.per_device": 8})
    sizes_mb = large.draw(1).sizes_mb
    with pytest.raises(mrdro.SchemeError, match="takes too long"):
        large.cost_model().decide(sizes_mb[0])


def test_comparisons_are_tables(paper):
    def cheapest_server(sizes_mb, environment):
        assert sizes_mb.shape == (3, 3) and environment.alpha == paper.alpha
        return [["cloud"] * 3] * 3

    table = mrdro.compare(paper, ["greedy", "cloud-only", "exact"], functions={"mine": cheapest_server})
    assert table["scheme"] == ["greedy", "cloud-only", "mine", "exact"]
    assert list(table)[:2] == ["scheme", "mean_energy_j"] and table.shape == (4, len(table))
    rows = {row["scheme"]: row for row in table.rows()}
    assert rows["mine"]["q2"] == rows["cloud-only"]["q2"] < rows["greedy"]["q2"] < rows["exact"]["q2"] == 1
    standard = paper.standard_set()
    assert rows["exact"]["mean_cost"] == pytest.approx(standard.optimal.mean())
    assert "<th>scheme</th>" in table._repr_html_() and "greedy" in str(table)
    some = mrdro.compare(paper, ["exact"], workloads=standard.sizes_mb[:10])
    assert some["mean_cost"][0] == pytest.approx(standard.optimal[:10].mean())
    mobile = mrdro.Scenario.load("mobile")
    assert mrdro.compare(mobile, ["exact"], workloads=mobile.draw(5))["q2"] == [1]


def test_tables_go_into_data_frames(paper):
    table = mrdro.compare(paper, ["greedy", "exact"])
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    for frame in (pandas.DataFrame(table), polars.DataFrame(table)):
        assert frame.shape == table.shape and list(frame.columns) == list(table)


def test_exceptions_of_functions_come_out_as_they_are(paper):
    with pytest.raises(ZeroDivisionError):
        mrdro.compare(paper, [], functions={"broken": lambda sizes_mb, environment: 1 / 0})
    with pytest.raises(ValueError, match=r"the answer of far\[0, 0\] must be a place from 0 to 2"):
        mrdro.compare(paper, [], functions={"far": lambda sizes_mb, environment: np.full((3, 3), 9)})
    with pytest.raises(ValueError, match="at least one workload"):
        mrdro.compare(paper, workloads=np.ones((0, 3, 3)))
