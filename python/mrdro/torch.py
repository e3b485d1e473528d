"""The networks of a record as a module of PyTorch. Needs ``pip install mrdro[torch]``.

>>> import mrdro.networks, mrdro.torch, torch
>>> record = mrdro.Record.shipped("paper")
>>> ensemble = mrdro.torch.Ensemble.from_record(record)
>>> inputs = mrdro.networks.inputs(record, [[20, 20, 20]] * 3)
>>> ensemble(torch.from_numpy(inputs)).shape
torch.Size([8, 1, 18])
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike

import numpy as np
from numpy.typing import ArrayLike

from mrdro.networks import Dnns, RecordLike

try:
    import torch
    from torch import Tensor, nn
except ImportError as _error:
    raise ImportError("mrdro.torch needs PyTorch: pip install mrdro[torch]") from _error

__all__ = ["Ensemble", "Layer"]


class Layer(nn.Module):
    """One layer of K networks side by side.

    Args:
        networks: K.
        inputs: The number of inputs of each network's layer.
        outputs: The number of its outputs.
    """

    weight: Tensor
    """Weights, ``[K, inputs, outputs]``."""
    bias: Tensor
    """Biases, ``[K, 1, outputs]``."""

    def __init__(self, networks: int, inputs: int, outputs: int) -> None:
        super().__init__()
        # As nn.Linear draws its parameters.
        bound = inputs**-0.5
        self.weight = nn.Parameter(torch.empty(networks, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(networks, 1, outputs).uniform_(-bound, bound))

    def forward(self, inputs: Tensor) -> Tensor:
        """``inputs`` ``[K, batch, inputs]`` -> ``[K, batch, outputs]``."""
        return torch.baddbmm(self.bias, inputs, self.weight)


class Ensemble(nn.Module):
    """The K DNNs of a record.

    Args:
        networks: K.
        widths: The numbers of inputs, of hidden units in each layer, and of outputs.
        mean: The mean of each input, ``[inputs]``.
        deviation: The standard deviation of each input, ``[inputs]``.
        limit: The largest magnitude of each scaled input, ``[inputs]``; ``None``: no limit.

    Parameters have the names and shapes of ``trainer export``: ``layers.0.weight`` ``[K, in, out]``, ``layers.0.bias``
    ``[K, 1, out]`` and so on. The scaling of the inputs is no part of the state, so that ``load_state_dict`` takes an
    exported file as it is:

    >>> from safetensors.torch import load  # doctest: +SKIP
    >>> ensemble.load_state_dict(load(record.to_safetensors()))  # doctest: +SKIP
    <All keys matched successfully>
    """

    mean: Tensor
    deviation: Tensor
    limit: Tensor

    def __init__(
        self,
        networks: int,
        widths: Sequence[int],
        *,
        mean: ArrayLike = 0.0,
        deviation: ArrayLike = 1.0,
        limit: ArrayLike | None = None,
    ) -> None:
        super().__init__()
        pairs = zip(widths, widths[1:], strict=False)
        self.layers = nn.ModuleList(Layer(networks, inputs, outputs) for inputs, outputs in pairs)
        for name, values in (("mean", mean), ("deviation", deviation), ("limit", np.inf if limit is None else limit)):
            column = torch.tensor(np.broadcast_to(np.asarray(values, np.float32), (widths[0],)))
            self.register_buffer(name, column, persistent=False)

    @classmethod
    def from_record(cls, record: RecordLike | str | PathLike[str]) -> Ensemble:
        """The DNNs of a record.

        Args:
            record: An `mrdro.Record`, or the directory of one.

        Raises:
            ValueError: The record holds networks for any fleet.
        """
        dnns = Dnns.of(record)
        networks, inputs, _ = dnns.weights[0].shape
        widths = [inputs, *(weight.shape[2] for weight in dnns.weights)]
        ensemble = cls(networks, widths, mean=dnns.mean, deviation=dnns.deviation, limit=dnns.limit)
        state = {}
        for layer, (weight, bias) in enumerate(zip(dnns.weights, dnns.biases, strict=True)):
            state[f"layers.{layer}.weight"] = torch.tensor(weight)
            state[f"layers.{layer}.bias"] = torch.tensor(bias)
        ensemble.load_state_dict(state)
        return ensemble

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits of all networks.

        Args:
            inputs: ``[batch, inputs]``, the columns of `mrdro.networks.inputs`: sizes in MB, and what the networks read
                of the environment.

        Returns:
            ``[K, batch, outputs]``. `mrdro.networks.cheapest` reads them.
        """
        scaled = ((inputs - self.mean) / self.deviation).clamp(-self.limit, self.limit)
        first: Layer = self.layers[0]  # type: ignore[assignment]
        values = scaled.to(first.weight.dtype).expand(first.weight.shape[0], *scaled.shape)
        for number, layer in enumerate(self.layers):
            values = layer(values.relu() if number else values)
        return values
