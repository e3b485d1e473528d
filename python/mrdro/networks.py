"""Decide with the networks of a record outside mrdro: inputs of the DNNs, and decisions from their logits.

`mrdro.torch` and `mrdro.onnx` compute logits from inputs; this module makes the inputs and reads the logits. It needs
NumPy alone, and works for records of DNNs for one scenario:

>>> import mrdro.networks, mrdro.torch, torch  # doctest: +SKIP
>>> record = mrdro.Record.shipped("paper")  # doctest: +SKIP
>>> sizes_mb = record.scenario.draw(100).sizes_mb  # doctest: +SKIP
>>> inputs = mrdro.networks.inputs(record, sizes_mb)  # doctest: +SKIP
>>> logits = mrdro.torch.Ensemble.from_record(record)(torch.from_numpy(inputs)).detach()  # doctest: +SKIP
>>> mrdro.networks.cheapest(record, logits, sizes_mb)  # doctest: +SKIP
<Decisions of 100 workloads, 3 × 3 tasks>
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mrdro._mrdro import CostModel, Environment, Scenario
from mrdro._results import Decisions, Outcome

Environments = Environment | Sequence[Environment] | None
"""One environment for all workloads, or one for each; ``None``: the scenario's own."""

FARTHEST = 4.0
"""Scaled inputs of the environment are cut off at this distance from their mean."""
SLOWEST_MBPS = 0.01
"""A slower uplink is read as this one."""
LEAST_CAPACITY = 1e-6
"""A smaller capacity is read as this one."""


class RecordLike(Protocol):
    """What is read of an `mrdro.Record`."""

    @property
    def manifest(self) -> dict[str, Any]: ...
    @property
    def scenario(self) -> Scenario | None: ...
    def state_dict(self) -> dict[str, NDArray[np.float32]]: ...


@dataclass(frozen=True, eq=False)
class Dnns:
    """The K DNNs of a record: ``y = x W + b`` in each layer, with a ReLU between layers.

    Attributes:
        weights: The weights of each layer, ``(K, in, out)``.
        biases: The biases of each layer, ``(K, 1, out)``.
        mean: The mean of each input, ``(inputs,)``.
        deviation: The standard deviation of each input, ``(inputs,)``.
        limit: The largest magnitude of each input once it is scaled, ``(inputs,)``; infinite for sizes.
        names: The name of each input, such as ``size_mb[0, 2]`` and ``log_uplink[1]``.
    """

    weights: tuple[NDArray[np.float32], ...]
    biases: tuple[NDArray[np.float32], ...]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    limit: NDArray[np.float64]
    names: tuple[str, ...]

    @classmethod
    def of(cls, record: RecordLike | str | PathLike[str]) -> Dnns:
        """The DNNs of a record, or of the record in a directory.

        Raises:
            ValueError: The record holds networks for any fleet, which are no DNNs of fixed inputs.
        """
        record = loaded(record)
        tensors = record.state_dict()
        weights, biases = (
            tuple(np.asarray(tensors[f"layers.{layer}.{part}"], np.float32) for layer in range(len(tensors) // 2))
            for part in ("weight", "bias")
        )
        codec, scenario = record.manifest["codec"], cast(Scenario, record.scenario)
        mean_mb, deviation_mb = codec["mean_bytes"] / 1e6, codec["deviation_bytes"] / 1e6
        tasks = [f"size_mb[{device}, {task}]" for device in range(scenario.devices) for task in range(scenario.tasks)]
        rows = [(name, mean_mb, deviation_mb, np.inf) for name in tasks] + _environment_rows(codec, scenario)
        names, mean, deviation, limit = zip(*rows, strict=True)
        return cls(weights, biases, np.array(mean), np.array(deviation), np.array(limit), names)


def _environment_rows(codec: dict[str, Any], scenario: Scenario) -> list[tuple[str, float, float, float]]:
    """Name, mean, deviation and limit of the inputs that follow the sizes."""
    scales: dict[str, dict[str, float]] = codec.get("environment", {})
    rows: list[tuple[str, float, float, float]] = []

    def add(name: str, part: str) -> None:
        rows.append((name, scales[part]["mean"], scales[part]["deviation"], FARTHEST))

    if "log_uplink" in scales:
        for device in range(scenario.devices):
            add(f"log_uplink[{device}]", "log_uplink")
            rows.append((f"send_share[{device}]", 0.0, 1.0, np.inf))
    if "log_capacity" in scales:
        for server in range(len(scenario.places) - 1):
            add(f"log_capacity[{server}]", "log_capacity")
    if "alpha" in scales:
        add("alpha", "alpha")
    return rows


def loaded(record: RecordLike | str | PathLike[str]) -> RecordLike:
    """A record of DNNs, or the one in a directory."""
    if isinstance(record, (str, PathLike)):
        import mrdro

        record = cast(RecordLike, mrdro.Record.load(record))
    if "codec" not in record.manifest:
        raise ValueError("record must hold DNNs for one scenario, and holds networks for any fleet")
    return record


def inputs(
    record: RecordLike | str | PathLike[str], sizes_mb: ArrayLike, environment: Environments = None
) -> NDArray[np.float32]:
    """The inputs of the DNNs before they are scaled, ``(batch, inputs)``.

    Args:
        record: A record of DNNs, or its directory.
        sizes_mb: Task sizes in MB, ``(N, M)`` or ``(batch, N, M)``. 0 is a task that its device does not have.
        environment: One for all workloads, or one for each; ``None``: the scenario's own. Only records that read the
            environment use it here.

    The columns are the sizes in MB, row by row. In records that read the environment there follow for each device the
    natural logarithm of its uplink in Mbit/s and ``2 s / (s + l) - 1`` with the seconds s to send a byte and l to
    compute it on the device; for each server the logarithm of its capacity; and alpha, as far as the record reads them.

    >>> import mrdro
    >>> inputs(mrdro.Record.shipped("paper"), [[20, 30, 10]] * 3)
    array([[20., 30., 10., 20., 30., 10., 20., 30., 10.]], dtype=float32)
    """
    record = loaded(record)
    model = cast(Scenario, record.scenario).cost_model()
    sizes = _sizes(sizes_mb, model)
    columns = [sizes.reshape(len(sizes), -1)]
    scales = record.manifest["codec"].get("environment", {})
    if scales:
        local = _local_s_per_byte(model)
        rows = [_environment_values(scales, each, local) for each in _models(model, environment, len(sizes))]
        columns.append(np.array(rows) if len(rows) == len(sizes) else np.repeat(rows, len(sizes), 0))
    return np.concatenate(columns, 1).astype(np.float32)


def _local_s_per_byte(model: CostModel) -> NDArray[np.float64]:
    """Seconds that each device takes for a byte, ``(N,)``."""
    sizes = model.has_task.astype(float)
    times = model.place_times(sizes, np.zeros(sizes.shape, np.uint8))
    return np.asarray(times[:, 0] / (sizes.sum(1) * 1e6))


def _environment_values(scales: dict[str, Any], model: CostModel, local: NDArray[np.float64]) -> list[float]:
    environment, values = model.environment, []
    if "log_uplink" in scales:
        for mbps, local_s in zip(environment.uplinks_mbps, local, strict=True):
            share = 1 / (1 + local_s * mbps / 8e-6)
            values += [float(np.log(max(mbps, SLOWEST_MBPS))), 2 * share - 1]
    if "log_capacity" in scales:
        values += [float(np.log(max(capacity, LEAST_CAPACITY))) for capacity in environment.capacities]
    if "alpha" in scales:
        values.append(environment.alpha)
    return values


def proposals(
    record: RecordLike | str | PathLike[str], logits: ArrayLike, sizes_mb: ArrayLike, environment: Environments = None
) -> NDArray[np.uint8]:
    """The decision that the logits of each network stand for, ``(K, batch, N, M)``.

    Args:
        record: A record of DNNs, or its directory.
        logits: ``(K, batch, outputs)``.
        sizes_mb: Task sizes in MB, ``(N, M)`` or ``(batch, N, M)``, from which the logits were computed.
        environment: As in `inputs`. It tells which places the devices can reach.

    A task whose place is out of its device's reach goes to the best other place in the network's eyes, and an absent
    task is at its device.
    """
    record = loaded(record)
    model = cast(Scenario, record.scenario).cost_model()
    sizes = _sizes(sizes_mb, model)
    values = np.asarray(logits, np.float32)
    places, is_indicators = len(model.places), record.manifest["codec"]["code"] == "indicators"
    wanted = (model.devices * model.tasks) * (places - 1 if is_indicators else places)
    if values.ndim != 3 or values.shape[1:] != (len(sizes), wanted):
        raise ValueError(f"logits must have the shape (K, {len(sizes)}, {wanted}), has {values.shape}")
    values = values.reshape(*values.shape[:2], model.devices, model.tasks, -1)
    reachable = np.stack([each.reachable for each in _models(model, environment, len(sizes))])[:, :, None, :]
    chosen = _of_indicators(values, reachable) if is_indicators else np.where(reachable, values, -np.inf).argmax(-1)
    return np.where(sizes > 0, chosen, 0).astype(np.uint8)


def _of_indicators(logits: NDArray[np.float32], reachable: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Places from indicators: the device where the first logit is above 0, else server 1 where the second is."""
    first = logits[..., 0] > 0
    if logits.shape[-1] == 1:
        return np.where(first | ~reachable[..., 1], 0, 1)
    server = np.where(logits[..., 1] > 0, 1, 2)
    usable = [np.broadcast_to(reachable[..., place], server.shape) for place in (1, 2)]
    can_use = np.where(server == 1, usable[0], usable[1])
    can_use_other = np.where(server == 1, usable[1], usable[0])
    return np.where(first, 0, np.where(can_use, server, np.where(can_use_other, 3 - server, 0)))


def cheapest(
    record: RecordLike | str | PathLike[str], logits: ArrayLike, sizes_mb: ArrayLike, environment: Environments = None
) -> Decisions:
    """The cheapest of the networks' proposals for each workload.

    Args:
        record: A record of DNNs, or its directory.
        logits: ``(K, batch, outputs)``.
        sizes_mb: Task sizes in MB, ``(N, M)`` or ``(batch, N, M)``, from which the logits were computed.
        environment: As in `inputs`, and in which the proposals are evaluated.

    These are the decisions of `Record.decide` for the shipped records. It looks at more candidates where the manifest
    has ``selection.flips`` above 0 or the choice ``per-device``, and improves the decision further where alpha is 0
    or 1.
    """
    record = loaded(record)
    model = cast(Scenario, record.scenario).cost_model()
    sizes = _sizes(sizes_mb, model)
    candidates = proposals(record, logits, sizes, environment)
    models = _models(model, environment, len(sizes))
    if len(models) == 1:
        outcome = models[0].outcome(sizes, candidates)
    else:
        parts = [each.outcome(sizes[index], candidates[:, index]) for index, each in enumerate(models)]
        outcome = Outcome(*(np.stack(values, 1) for values in zip(*parts, strict=True)))
    costs = np.asarray(outcome.cost)
    rank = np.lexsort((costs, np.asarray(outcome.missed_deadlines)), axis=0)[0] if _is_hard(record) else costs.argmin(0)
    each = np.arange(len(sizes))
    best = Outcome(*(np.asarray(values)[rank, each] for values in outcome))
    evaluations = np.full(len(sizes), len(candidates))
    return Decisions(candidates[rank, each], best, evaluations, tuple(model.places))


def _is_hard(record: RecordLike) -> bool:
    tasks = cast(Scenario, record.scenario).to_dict().get("tasks", {})
    return bool(tasks.get("deadline_rule") == "hard")


def _sizes(sizes_mb: ArrayLike, model: CostModel) -> NDArray[np.float64]:
    sizes = np.asarray(sizes_mb, float)
    shape = (model.devices, model.tasks)
    if sizes.ndim not in (2, 3) or sizes.shape[-2:] != shape:
        raise ValueError(f"sizes_mb must have the shape {shape} or (batch, {shape[0]}, {shape[1]}), has {sizes.shape}")
    return sizes.reshape(-1, *shape)


def _models(model: CostModel, environment: Environments, count: int) -> list[CostModel]:
    """One cost model for all workloads, or one for each."""
    if environment is None:
        return [model]
    if isinstance(environment, Environment):
        return [model.at(environment)]
    if len(environment) != count:
        raise ValueError(f"environment must be one or {count}, one for each workload; there are {len(environment)}")
    return [model.at(each) for each in environment]
