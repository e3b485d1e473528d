"""The training step and the decision of MR-DRO in NumPy, networks stacked."""

import numpy as np

from problem import *

random = np.random.default_rng(1)
parameters = first_parameters(random)
first_moments = [np.zeros_like(values) for values in parameters]
second_moments = [np.zeros_like(values) for values in parameters]
inputs, targets = memories(random)
steps = 0


def forward(rows):
    activations = [rows]
    for layer in range(0, len(parameters), 2):
        sums = activations[-1] @ parameters[layer] + parameters[layer + 1]
        activations.append(np.maximum(sums, 0) if layer + 2 < len(parameters) else sums)
    return activations


def network_step(batches):
    """One step of Adam for all networks; `batches` is `[K, batch]`."""
    global steps
    steps += 1
    activations = forward(inputs[batches])
    wanted = targets[batches]
    gradient = (1 / (1 + np.exp(-activations[-1])) - wanted) * (wanted >= 0) / np.float32(BATCH * WIDTHS[-1])
    gradients = [None] * len(parameters)
    for layer in range(len(parameters) - 2, -1, -2):
        below = activations[layer // 2]
        gradients[layer] = below.swapaxes(1, 2) @ gradient
        gradients[layer + 1] = gradient.sum(1, keepdims=True)
        if layer:
            gradient = (gradient @ parameters[layer].swapaxes(1, 2)) * (below > 0)
    step_size = LEARNING_RATE / (1 - BETA1**steps)
    root_factor = (1 - BETA2**steps) ** -0.5
    for value, first, second, gradient in zip(parameters, first_moments, second_moments, gradients):
        first *= BETA1
        first += (1 - BETA1) * gradient
        second *= BETA2
        second += (1 - BETA2) * gradient * gradient
        value -= step_size * first / (np.sqrt(second) * root_factor + EPSILON)


time_rates, energy_rates = np.array(TIME_S_PER_BYTE), np.array(ENERGY_J_PER_BYTE)


def decide(sizes):
    """The cheapest of the K proposals for each row of sizes `[rows, N * M]`, and its cost."""
    rows = ((sizes - MEAN_BYTES) / DEVIATION_BYTES).astype(np.float32)
    logits = forward(rows)[-1].reshape(K, len(sizes), DEVICES, TASKS, 2)
    places = np.where(logits[..., 0] > 0, 0, np.where(logits[..., 1] > 0, 1, 2))
    chosen = places[..., None] == np.arange(PLACES)
    by_device = sizes.reshape(len(sizes), DEVICES, TASKS)
    times = (chosen * (by_device[..., None] * time_rates)).sum(-2).max(-1)
    energies = (by_device * energy_rates[places]).sum(-1)
    costs = (ALPHA * energies + (1 - ALPHA) * times).sum(-1)
    best = costs.argmin(0)
    row = np.arange(len(sizes))
    return places[best, row], costs[best, row]


def training_step(state={"oldest": 0}):
    """One round of Algorithm 2: draw, decide, remember, batch, train."""
    sizes = random.uniform(SMALLEST_BYTES, LARGEST_BYTES, (1, WIDTHS[0]))
    places, _ = decide(sizes)
    row = state["oldest"]
    state["oldest"] = (row + 1) % BUFFER
    inputs[row] = (sizes[0] - MEAN_BYTES) / DEVIATION_BYTES
    flat = places[0].reshape(-1)
    targets[row] = np.stack([flat == 0, np.where(flat == 0, -1, flat == 1)], 1).reshape(-1)
    network_step(random.integers(0, BUFFER, (K, BATCH)))


batches = random.integers(0, BUFFER, (K, BATCH))
one = random.uniform(SMALLEST_BYTES, LARGEST_BYTES, (1, WIDTHS[0]))
many = random.uniform(SMALLEST_BYTES, LARGEST_BYTES, (512, WIDTHS[0]))
report({
    "network step": seconds_of(lambda: network_step(batches), 200),
    "training step": seconds_of(training_step, 200),
    "one decision": seconds_of(lambda: decide(one), 1000),
    "512 decisions": seconds_of(lambda: decide(many), 200),
})
