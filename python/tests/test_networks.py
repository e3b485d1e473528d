"""The networks of records outside mrdro: as modules of PyTorch and as ONNX files."""

from __future__ import annotations

import doctest
import importlib
import json
import re
import subprocess
import sys
import warnings
from pathlib import Path

import mrdro
import numpy as np
import pytest
from mrdro import networks

MODELS = Path(__file__).parents[2] / "models"
WORKLOADS = 300


def imported(name):
    """A module; the test is skipped where it is missing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name, exc_type=ImportError)


class Case:
    """A record and workloads for it. Some tasks are absent, and on `mobile` some uplinks are down."""

    def __init__(self, name):
        self.path = MODELS / name
        self.record = mrdro.Record.load(self.path)
        drawn = self.record.scenario.draw(WORKLOADS, seed=5, part="held-out")
        self.sizes_mb, self.environments = drawn.sizes_mb.copy(), drawn.environments
        self.sizes_mb[::10, 1, 2] = 0
        if self.environments is not None:
            self.environments = [changed(each, number) for number, each in enumerate(self.environments)]
        self.inputs = networks.inputs(self.record, self.sizes_mb, self.environments)

    def decided(self, logits):
        """Decisions from logits, which must be those of `Record.decide`."""
        found = networks.cheapest(self.record, logits, self.sizes_mb, self.environments)
        wanted = self.record.decide(self.sizes_mb, environment=self.environments)
        np.testing.assert_array_equal(found.places, wanted.places)
        np.testing.assert_allclose(found.cost, wanted.cost, rtol=1e-12)
        return found


def changed(environment, number):
    uplinks = [0 if (number + device) % 7 == 0 else mbps for device, mbps in enumerate(environment.uplinks_mbps)]
    return mrdro.Environment(alpha=environment.alpha, uplinks_mbps=uplinks, capacities=environment.capacities)


@pytest.fixture(scope="module", params=["paper", "paper-wan", "mobile"])
def case(request):
    return Case(request.param)


@pytest.fixture(scope="module")
def paper_case():
    return Case("paper")


def by_hand(case):
    """Logits with NumPy alone."""
    dnns = networks.Dnns.of(case.record)
    values = np.clip((case.inputs - dnns.mean) / dnns.deviation, -dnns.limit, dnns.limit).astype(np.float32)[None]
    for layer, (weight, bias) in enumerate(zip(dnns.weights, dnns.biases, strict=True)):
        values = (np.maximum(values, 0) if layer else values) @ weight + bias
    return values


def test_the_cheapest_proposal_is_what_the_record_decides(case):
    found = case.decided(by_hand(case))
    assert len(np.unique(found.places)) == 3, "all places are used"
    assert (found.places[case.sizes_mb == 0] == 0).all()
    assert (found.evaluations == 8).all()


def test_inputs_are_named_and_in_their_units(case, paper_case):
    names = networks.Dnns.of(case.record).names
    assert len(names) == case.inputs.shape[1] and names[:4] == (
        *(f"size_mb[0, {task}]" for task in range(3)),
        "size_mb[1, 0]",
    )
    np.testing.assert_array_equal(case.inputs[:, :9], case.sizes_mb.reshape(-1, 9).astype(np.float32))
    if case.environments is not None:
        uplinks = np.array([each.uplinks_mbps for each in case.environments])
        logarithms = case.inputs[:, [names.index(f"log_uplink[{device}]") for device in range(3)]]
        np.testing.assert_allclose(logarithms, np.log(np.maximum(uplinks, 0.01)), rtol=1e-6)
        shares = case.inputs[:, [names.index(f"send_share[{device}]") for device in range(3)]]
        assert (shares[uplinks == 0] == 1).all() and (shares > -1).all() and (shares[uplinks > 0] < 1).all()
    own = networks.inputs(paper_case.path, paper_case.sizes_mb[0])
    np.testing.assert_array_equal(own, paper_case.inputs[:1])


def test_one_environment_is_for_all_workloads(case):
    environment = case.record.scenario.cost_model().environment
    logits = by_hand(case)
    own = networks.cheapest(case.record, logits, case.sizes_mb)
    same = networks.cheapest(case.record, logits, case.sizes_mb, environment)
    np.testing.assert_array_equal(own.places, same.places)
    np.testing.assert_array_equal(
        networks.inputs(case.record, case.sizes_mb), networks.inputs(case.record, case.sizes_mb, environment)
    )


class StandIn:
    """What is read of a record, with a scenario and a code of one's own."""

    def __init__(self, scenario, code):
        self.scenario, self.manifest = scenario, {"codec": {"code": code}}


def two_places():
    dictionary = mrdro.Scenario.load("paper").to_dict()
    return mrdro.Scenario.from_dict({**dictionary, "servers": dictionary["servers"][:1]})


def test_logits_of_categorical_codes_are_places(paper_case):
    record = StandIn(paper_case.record.scenario, "categorical")
    wanted = np.random.default_rng(1).integers(0, 3, (2, WORKLOADS, 3, 3))
    logits = np.eye(3)[wanted].reshape(2, WORKLOADS, 27) - 2
    found = networks.proposals(record, logits, paper_case.sizes_mb)
    np.testing.assert_array_equal(found, np.where(paper_case.sizes_mb > 0, wanted, 0))
    cost = record.scenario.cost_model().cost(paper_case.sizes_mb, found)
    np.testing.assert_allclose(networks.cheapest(record, logits, paper_case.sizes_mb).cost, cost.min(0), rtol=1e-12)


def test_one_indicator_tells_two_places_apart():
    record = StandIn(two_places(), "indicators")
    logits = np.array([1, -1, 0, 1, -1, 1, -1, 1, 1], float).reshape(1, 1, 9)
    sizes_mb = np.full((3, 3), 20.0)
    assert networks.proposals(record, logits, sizes_mb).tolist() == [[[[0, 1, 1], [0, 1, 0], [1, 0, 0]]]]


def test_places_out_of_reach_are_left_to_the_next_best(paper_case):
    scenario = paper_case.record.scenario
    own = scenario.cost_model().environment
    uplinks = [0, *own.uplinks_mbps[1:]]
    cut_off = mrdro.Environment(alpha=own.alpha, uplinks_mbps=uplinks, capacities=own.capacities)
    no_edge = mrdro.Environment(alpha=own.alpha, uplinks_mbps=own.uplinks_mbps, capacities=[0, *own.capacities[1:]])
    sizes_mb = np.full((3, 3), 20.0)
    edge = {"indicators": [-1.0, 1.0], "categorical": [0.0, 2.0, 1.0]}
    for code, logits in edge.items():
        record, values = StandIn(scenario, code), np.tile(logits, 9).reshape(1, 1, -1)
        assert (networks.proposals(record, values, sizes_mb) == 1).all()
        first = networks.proposals(record, values, sizes_mb, cut_off)[0, 0]
        assert (first[0] == 0).all() and (first[1:] == 1).all(), code
        assert (networks.proposals(record, values, sizes_mb, no_edge) == 2).all(), code


def test_missed_hard_deadlines_count_before_costs():
    dictionary = mrdro.Scenario.load("paper").to_dict()
    tasks = {**dictionary["tasks"], "deadline_s": 15, "deadline_rule": "hard"}
    scenario = mrdro.Scenario.from_dict({**dictionary, "tasks": tasks})
    model, sizes_mb = scenario.cost_model(), scenario.draw(200).sizes_mb
    candidates = np.random.default_rng(1).integers(0, 3, (6, 200, 3, 3))
    logits = np.eye(3)[candidates].reshape(6, 200, 27)
    found = networks.cheapest(StandIn(scenario, "categorical"), logits, sizes_mb)
    every = model.outcome(sizes_mb, candidates.astype(np.uint8))
    least = every.missed_deadlines.min(0)
    np.testing.assert_array_equal(found.missed_deadlines, least)
    np.testing.assert_array_equal(found.cost, np.where(every.missed_deadlines == least, every.cost, np.inf).min(0))
    assert (found.cost > every.cost.min(0)).any(), "the deadlines matter"


def test_what_does_not_fit_is_said(paper_case):
    record, sizes_mb = paper_case.record, paper_case.sizes_mb
    with pytest.raises(ValueError, match=r"sizes_mb must have the shape \(3, 3\) or \(batch, 3, 3\), has \(2, 3\)"):
        networks.inputs(record, np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"logits must have the shape \(K, 300, 18\), has \(8, 300, 17\)"):
        networks.proposals(record, np.ones((8, 300, 17)), sizes_mb)
    environment = record.scenario.cost_model().environment
    with pytest.raises(ValueError, match="environment must be one or 300, one for each workload; there are 2"):
        networks.cheapest(record, np.ones((8, 300, 18)), sizes_mb, [environment] * 2)
    with pytest.raises(ValueError, match="holds networks for any fleet"):
        networks.Dnns.of(mrdro.Record.load(MODELS / "any-fleet"))


def test_torch_decides_as_the_record(case):
    torch = imported("torch")
    ensemble = importlib.import_module("mrdro.torch").Ensemble.from_record(case.path)
    with torch.no_grad():
        logits = ensemble(torch.from_numpy(case.inputs))
    assert logits.shape == (8, WORKLOADS, 18) and logits.dtype == torch.float32
    np.testing.assert_allclose(logits, by_hand(case), rtol=1e-4, atol=1e-4)
    case.decided(logits.numpy())


def test_torch_has_the_names_and_shapes_of_an_export(paper_case):
    torch = imported("torch")
    module = importlib.import_module("mrdro.torch")
    ensemble = module.Ensemble.from_record(paper_case.record)
    exported = {name: torch.tensor(values) for name, values in paper_case.record.state_dict().items()}
    assert ensemble.state_dict().keys() == exported.keys()
    other = module.Ensemble(8, [9, 120, 80, 18], mean=20, deviation=5.773502691896258)
    inputs = torch.from_numpy(paper_case.inputs)
    with torch.no_grad():
        assert not torch.equal(other(inputs), ensemble(inputs))
        other.load_state_dict(exported, strict=True)
        assert torch.equal(other(inputs), ensemble(inputs))
    with pytest.raises(RuntimeError, match="layers.0.bias"):
        other.load_state_dict({**exported, "layers.0.bias": torch.zeros(8, 120)}, strict=True)


def test_torch_takes_an_exported_file(paper_case):
    imported("torch")
    safetensors = imported("safetensors.torch")
    ensemble = importlib.import_module("mrdro.torch").Ensemble.from_record(MODELS / "paper-wan")
    assert not ensemble.load_state_dict(safetensors.load(paper_case.record.to_safetensors()), strict=True).missing_keys


@pytest.mark.parametrize("module", ["torch", "onnx"])
def test_examples_in_the_documentation_run(module):
    imported(module)
    result = doctest.testmod(importlib.import_module(f"mrdro.{module}"))
    assert result.attempted > 0 and result.failed == 0


def test_the_code_of_the_page_about_other_tools_runs(tmp_path, monkeypatch, capsys):
    for module in ("torch", "safetensors.torch", "onnx", "onnxruntime"):
        imported(module)
    monkeypatch.chdir(tmp_path)
    page = MODELS.parent / "docs" / "python" / "tools.md"
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    for block in blocks[1:]:  # the first one trains for several seconds
        exec(compile(block, str(page), "exec"), {})
    assert capsys.readouterr().out.count("<Decisions of 100 workloads") == 2


def test_torch_learns(paper_case):
    torch = imported("torch")
    module = importlib.import_module("mrdro.torch")
    torch.manual_seed(1)
    ensemble = module.Ensemble(2, [9, 16, 18], mean=20, deviation=6)
    labels = paper_case.record.decide(paper_case.sizes_mb).places.reshape(-1, 9)
    targets = torch.tensor(np.stack([labels == 0, labels == 1], 2).reshape(-1, 18), dtype=torch.float32)
    optimizer = torch.optim.Adam(ensemble.parameters(), 0.01)
    losses = []
    for _ in range(60):
        logits = ensemble(torch.from_numpy(paper_case.inputs))
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, targets.expand_as(logits))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


def onnx_logits(path, inputs):
    """Logits by onnxruntime, or by onnx's own evaluator where it is missing."""
    try:
        runtime = importlib.import_module("onnxruntime")
    except ImportError:
        reference = importlib.import_module("onnx.reference").ReferenceEvaluator(str(path))
        return reference.run(["logits"], {"inputs": inputs})[0]
    return runtime.InferenceSession(path).run(["logits"], {"inputs": inputs})[0]


def test_onnx_decides_as_the_record(case, tmp_path):
    onnx = imported("onnx")
    importlib.import_module("mrdro.onnx").export(case.path, tmp_path / "networks.onnx")
    logits = onnx_logits(tmp_path / "networks.onnx", case.inputs)
    assert logits.shape == (8, WORKLOADS, 18)
    np.testing.assert_allclose(logits, by_hand(case), rtol=1e-4, atol=1e-4)
    case.decided(logits)
    model = onnx.load(tmp_path / "networks.onnx")
    evaluated = (
        importlib.import_module("onnx.reference").ReferenceEvaluator(model).run(None, {"inputs": case.inputs})[0]
    )
    np.testing.assert_allclose(evaluated, logits, rtol=1e-4, atol=1e-4)
    case.decided(evaluated)


def test_onnx_files_describe_themselves(case):
    onnx = imported("onnx")
    model = importlib.import_module("mrdro.onnx").model_of(case.record)
    onnx.checker.check_model(model, full_check=True)
    assert model.opset_import[0].version == 17 and model.ir_version == 8
    operators = [node.op_type for node in model.graph.node]
    limits = [] if case.environments is None else ["Max", "Min"]
    layers = ["MatMul", "Add", "Relu"] * 3
    assert operators == ["Sub", "Div", *limits, "Unsqueeze", *layers[:-1]]
    ends = [end.type.tensor_type.shape.dim for end in (model.graph.input[0], model.graph.output[0])]
    shapes = [[axis.dim_param or axis.dim_value for axis in axes] for axes in ends]
    assert shapes == [["batch", case.inputs.shape[1]], [8, "batch", 18]]
    about = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(about["manifest"])["network"] == case.record.manifest["network"]
    assert json.loads(about["places"]) == case.record.scenario.places
    assert len(json.loads(about["inputs"])) == case.inputs.shape[1]
    assert about["decide"].startswith("Two logits for each task")


@pytest.mark.parametrize("module", ["torch", "onnx"])
def test_what_is_missing_is_said_with_what_to_install(module, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, f"mrdro.{module}", raising=False)
    with pytest.raises(ImportError, match=rf"pip install mrdro\[{module}\]"):
        importlib.import_module(f"mrdro.{module}")


def test_nothing_of_them_is_imported_before_it_is_used():
    unwanted = "'torch', 'onnx', 'wandb', 'mlflow', 'tensorboard', 'gymnasium', 'pandas'"
    code = f"import sys, mrdro.networks, mrdro._trackers; print(sorted({{{unwanted}}} & sys.modules.keys()))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
