"""The networks of a record as an ONNX file. Needs ``pip install mrdro[onnx]``.

>>> import mrdro.onnx
>>> model = mrdro.onnx.model_of(mrdro.Record.shipped("paper"))
>>> [node.op_type for node in model.graph.node][:5]
['Sub', 'Div', 'Unsqueeze', 'MatMul', 'Add']
>>> mrdro.onnx.export(mrdro.Record.shipped("paper"), "paper.onnx")  # doctest: +SKIP
"""

from __future__ import annotations

import json
from os import PathLike, fspath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrdro._mrdro import __version__
from mrdro.networks import Dnns, RecordLike, loaded

try:
    import onnx
    from onnx import TensorProto, helper, numpy_helper
except ImportError as _error:
    raise ImportError("mrdro.onnx needs onnx: pip install mrdro[onnx]") from _error

__all__ = ["export", "model_of"]

OPSET = 17
"""The operator set of the files."""
IR_VERSION = 8
"""The format that came with this operator set, so that programs of that time can read the files."""


def export(record: RecordLike | str | PathLike[str], path: str | PathLike[str]) -> None:
    """Write the networks of a record as an ONNX file.

    Args:
        record: An `mrdro.Record` of DNNs, or the directory of one.
        path: The file to write.

    The graph has one input ``inputs``, float ``[batch, inputs]``: the columns of `mrdro.networks.inputs`, not yet
    scaled. Its output is ``logits``, float ``[K, batch, outputs]``, which `mrdro.networks.cheapest` reads. The metadata
    hold the record's ``manifest`` as JSON, the names of the inputs and of the places as JSON, and the text ``decide``,
    which says how logits become a decision.

    Raises:
        ValueError: The record holds networks for any fleet.
    """
    onnx.save_model(model_of(record), fspath(path))


def model_of(record: RecordLike | str | PathLike[str]) -> onnx.ModelProto:
    """The ONNX model that `export` writes. Arguments and errors are those of `export`."""
    record = loaded(record)
    dnns = Dnns.of(record)
    graph = _Graph()
    value = graph.add("Sub", "inputs", graph.constant("mean", dnns.mean))
    value = graph.add("Div", value, graph.constant("deviation", dnns.deviation))
    if np.isfinite(dnns.limit).any():
        limit = np.minimum(dnns.limit, np.finfo(np.float32).max)
        value = graph.add("Max", value, graph.constant("lowest", -limit))
        value = graph.add("Min", value, graph.constant("highest", limit))
    value = graph.add("Unsqueeze", value, graph.constant("first_axis", np.array([0]), np.int64))
    for layer, (weight, bias) in enumerate(zip(dnns.weights, dnns.biases, strict=True)):
        value = graph.add("Relu", value) if layer else value
        value = graph.add("MatMul", value, graph.constant(f"layers.{layer}.weight", weight))
        value = graph.add("Add", value, graph.constant(f"layers.{layer}.bias", bias))
    graph.nodes[-1].output[0] = "logits"
    model = graph.model(len(dnns.mean), dnns.weights[-1].shape)
    helper.set_model_props(model, _metadata(record, dnns))
    onnx.checker.check_model(model, full_check=True)
    return model


class _Graph:
    """Nodes and constants of a graph; each node is named by its operator and its position."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, values: NDArray[Any], dtype: type = np.float32) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values, dtype), name))
        return name

    def add(self, operator: str, *inputs: str) -> str:
        name = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name=name))
        return name

    def model(self, inputs: int, last: tuple[int, ...]) -> onnx.ModelProto:
        networks, _, outputs = last
        given = helper.make_tensor_value_info("inputs", TensorProto.FLOAT, ["batch", inputs])
        found = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [networks, "batch", outputs])
        graph = helper.make_graph(self.nodes, "mrdro", [given], [found], self.constants)
        operators = [helper.make_opsetid("", OPSET)]
        return helper.make_model(
            graph, opset_imports=operators, ir_version=IR_VERSION, producer_name="mrdro", producer_version=__version__
        )


def _metadata(record: RecordLike, dnns: Dnns) -> dict[str, str]:
    scenario = record.scenario
    places = scenario.places if scenario is not None else []
    return {
        "manifest": json.dumps(record.manifest),
        "inputs": json.dumps(dnns.names),
        "places": json.dumps(places),
        "decide": _how_to_decide(record.manifest["codec"]["code"], places),
    }


def _how_to_decide(code: str, places: list[str]) -> str:
    if code == "categorical":
        logits = (
            f"{len(places)} logits for each task, in the order of the sizes: the task is at the place with the highest"
        )
    elif len(places) == 2:
        logits = (
            f"One logit for each task, in the order of the sizes: above 0 the task is at {places[0]}, "
            f"else at {places[1]}"
        )
    else:
        logits = (
            f"Two logits for each task, in the order of the sizes: with the first above 0 the task is at {places[0]}, "
            f"else with the second above 0 at {places[1]}, else at {places[2]}"
        )
    return f"{logits}. Each network proposes one decision; the cheapest proposal is the answer."
