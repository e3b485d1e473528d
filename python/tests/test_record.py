"""Records: loading, deciding, pickling."""

from __future__ import annotations

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mrdro
import numpy as np
import pytest

MODELS = Path(__file__).parents[2] / "models"


@pytest.fixture(scope="module")
def record() -> mrdro.Record:
    return mrdro.Record.shipped("paper")


def test_shipped_records_are_those_of_the_project(record, sizes_mb):
    loaded = mrdro.Record.load(MODELS / "paper")
    assert loaded.manifest == record.manifest and loaded.kind == "dnn"
    np.testing.assert_array_equal(loaded.decide(sizes_mb).places, record.decide(sizes_mb).places)
    assert record.scenario == mrdro.Scenario.load("paper")
    assert record.provenance and record.measures and "paper" in repr(record)
    with pytest.raises(ValueError, match='the shipped records are "paper" and "any-fleet", not "papper"'):
        mrdro.Record.shipped("papper")


def test_decisions_are_nearly_optimal_and_the_same_alone(record, paper, sizes_mb):
    together = record.decide(sizes_mb)
    optimal = mrdro.solve(paper, sizes_mb)
    assert (optimal.cost / together.cost).mean() > 0.9995
    assert (optimal.cost <= together.cost * (1 + 1e-12)).all()
    alone = [record.decide(one) for one in sizes_mb[:40]]
    np.testing.assert_array_equal(together.places[:40], [one.places for one in alone])
    np.testing.assert_array_equal(together.evaluations[:40], [one.evaluations for one in alone])
    np.testing.assert_array_equal(record.decide(sizes_mb.reshape(3, 100, 3, 3)).cost, together.cost.reshape(3, 100))
    np.testing.assert_allclose(paper.cost_model().cost(sizes_mb, together.places), together.cost, rtol=1e-12)
    assert record.decide(sizes_mb[:0]).places.shape == (0, 3, 3)


def test_exploring_costs_evaluations_and_is_no_worse(record, sizes_mb):
    plain, explored = record.decide(sizes_mb), record.decide(sizes_mb, explore=9)
    assert explored.cost.mean() <= plain.cost.mean()
    assert explored.evaluations.mean() > plain.evaluations.mean()


def test_environments(record, sizes_mb):
    mobile = mrdro.Record.load(MODELS / "mobile")
    workloads = mobile.scenario.draw(50)
    decided = mobile.decide(workloads)
    each = [mobile.decide(one, environment=at) for one, at in zip(workloads.sizes_mb, workloads.environments)]
    np.testing.assert_array_equal(decided.places, [one.places for one in each])
    assert (mrdro.solve(mobile.scenario, workloads).cost / decided.cost).mean() > 0.99
    with pytest.raises(ValueError, match="one for each of 300 workloads, holds 2"):
        record.decide(sizes_mb, environment=[record.scenario.cost_model().environment] * 2)


def test_records_for_any_fleet_need_a_scenario():
    record = mrdro.Record.shipped("any-fleet")
    fleet = mrdro.Scenario.load("shared-edge").with_({"devices.count": 4})
    sizes_mb = fleet.draw(40).sizes_mb
    decided, greedy = record.decide(sizes_mb, scenario=fleet), mrdro.solve(fleet, sizes_mb, "greedy-largest-first")
    assert (decided.cost <= greedy.cost * (1 + 1e-12)).all() and decided.cost.mean() < greedy.cost.mean()
    searched = record.decide(sizes_mb, scenario=fleet, budget=16)
    assert searched.cost.mean() <= decided.cost.mean()
    assert (searched.evaluations <= 16 * 12).all()
    with pytest.raises(ValueError, match="has no scenario of its own"):
        record.decide(sizes_mb)
    with pytest.raises(ValueError, match="exclude each other"):
        record.decide(sizes_mb, scenario=fleet, budget=3, search_free=True)
    table = record.evaluate(fleet, workloads=sizes_mb)
    assert table["scheme"][-1] == "exact" and "mr-dro-fleet" in table["scheme"]


def test_other_scenarios_are_refused(record, sizes_mb):
    with pytest.raises(mrdro.RecordError, match="other rates or another α"):
        record.decide(sizes_mb, scenario=mrdro.Scenario.load("paper-wan"))
    record.decide(sizes_mb, scenario=mrdro.Scenario.load("paper-wan"), any_rates=True)
    with pytest.raises(mrdro.RecordError, match="3 devices"):
        record.decide(np.ones((4, 3)), scenario=mrdro.Scenario.load("paper").with_({"devices.count": 4}))
    with pytest.raises(ValueError, match=r"sizes_mb must have the shape \(…, 3, 3\)"):
        record.decide(np.ones((4, 3)))


def test_what_permits_another_scenario_is_told(record, sizes_mb, paper):
    hint = "Give any_rates=True to decide with it all the same"
    calls = [
        lambda **more: record.decide(sizes_mb, scenario="paper-wan", **more),
        lambda **more: record.evaluate("paper-wan", workloads=sizes_mb, **more),
        lambda **more: mrdro.compare("paper-wan", [], records={"mine": record}, workloads=sizes_mb, **more),
    ]
    for call in calls:
        with pytest.raises(mrdro.RecordError, match=f"^the record (mr-dro |mine |)is for another scenario: .*{hint}$"):
            call()
        call(any_rates=True)
    with pytest.raises(mrdro.RecordError, match="3 devices") as raised:
        record.decide(np.ones((4, 3)), scenario=paper.with_({"devices.count": 4}))
    assert "any_rates" not in str(raised.value)


def test_arguments_for_another_kind_of_networks_are_named(record, sizes_mb, paper):
    fleet = mrdro.Record.shipped("any-fleet")
    for arguments, argument in [({"budget": 3}, "budget"), ({"search_free": True}, "search_free")]:
        with pytest.raises(
            ValueError, match=f"^{argument} is for records of networks for any fleet; this is a record of"
        ):
            record.decide(sizes_mb, **arguments)
    with pytest.raises(ValueError, match="^explore is for records of DNNs for one scenario; this is a record of"):
        fleet.decide(sizes_mb, scenario=paper, explore=3)
    for arguments in ({"explore": -1}, {"explore": 2**64}):
        with pytest.raises(ValueError, match="explore must be a whole number from 0 to"):
            record.decide(sizes_mb, **arguments)
    with pytest.raises(TypeError, match="budget must be a whole number from 0 to .*, is 'many'"):
        fleet.decide(sizes_mb, scenario=paper, budget="many")


def test_scenarios_are_named_by_names_and_files(sizes_mb, paper, tmp_path):
    fleet = mrdro.Record.shipped("any-fleet")
    wanted = fleet.decide(sizes_mb, scenario=paper).places
    (tmp_path / "own.toml").write_text(paper.to_toml())
    for scenario in ("paper", tmp_path / "own.toml", mrdro.Scenario.load("paper")):
        np.testing.assert_array_equal(fleet.decide(sizes_mb, scenario=scenario).places, wanted)
    with pytest.raises(mrdro.ScenarioError, match="there is no scenario called `papper`"):
        fleet.decide(sizes_mb, scenario="papper")
    with pytest.raises(TypeError, match="scenario must be a Scenario, its name or its file, is 3"):
        fleet.decide(sizes_mb, scenario=3)


def test_many_threads_decide_at_once(record, sizes_mb):
    wanted = record.decide(sizes_mb).places
    with ThreadPoolExecutor(8) as threads:
        for found in threads.map(lambda _: record.decide(sizes_mb).places, range(24)):
            np.testing.assert_array_equal(found, wanted)
    counted = []
    ends = threading.Event()
    other = threading.Thread(target=lambda: [counted.append(1) for _ in iter(lambda: ends.wait(0.001), True)])
    other.start()
    record.decide(np.broadcast_to(sizes_mb, (600, *sizes_mb.shape)))
    ends.set()
    other.join()
    assert len(counted) > 10  # other Python threads ran while the record decided


def test_pickled_and_saved_records_are_the_same(record, sizes_mb, tmp_path):
    copied = pickle.loads(pickle.dumps(record))
    np.testing.assert_array_equal(copied.decide(sizes_mb).places, record.decide(sizes_mb).places)
    assert copied.__reduce__()[1] == record.__reduce__()[1]
    record.save(tmp_path / "saved")
    assert mrdro.Record.load(tmp_path / "saved").decide(sizes_mb[0]).cost == record.decide(sizes_mb[0]).cost
    with pytest.raises(mrdro.RecordError, match="exists"):
        record.save(tmp_path / "saved")


def test_damaged_and_missing_records_are_told(record, tmp_path):
    with pytest.raises(FileNotFoundError, match="manifest.toml"):
        mrdro.Record.load(tmp_path / "none")
    record.save(tmp_path / "damaged")
    weights = tmp_path / "damaged" / "weights.bpk"
    weights.write_bytes(weights.read_bytes()[:-9] + b"\1" * 9)
    with pytest.raises(mrdro.RecordError, match="checksum"):
        mrdro.Record.load(tmp_path / "damaged")


def test_parameters_are_arrays(record):
    arrays = record.state_dict()
    network = record.manifest["network"]
    widths = [network["inputs"], *network["hidden"], network["outputs"]]
    weights = [array for name, array in arrays.items() if name.endswith("weight")]
    assert sorted(array.shape for array in weights) == sorted(
        (network["dnns"], wide, out) for wide, out in zip(widths, widths[1:])
    )
    assert all(array.dtype == np.float32 for array in arrays.values())


def test_records_are_compared(record):
    table = mrdro.compare("paper", ["greedy", "exact"], records={"ours": record})
    assert table["scheme"] == ["greedy", "ours", "ours-explored", "exact"]
    assert table["q2"][1] > 0.999 > table["q2"][0]
    assert mrdro.compare("paper", "exact", records={"ours": MODELS / "paper"})["scheme"][0] == "ours"
    assert record.evaluate()["scheme"][2:4] == ["mr-dro", "mr-dro-explored"]
