"""The training step and the decision of MR-DRO in JAX: jitted, vmap over the K networks, loops inside `lax.scan`.

    peer_jax.py          times single calls and blocks of steps
    peer_jax.py STEPS    times one run of so many steps of Algorithm 2 after compilation
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from problem import *

LAYERS = len(WIDTHS) - 1


def forward(parameters, rows):
    """Logits of one network."""
    for layer in range(LAYERS):
        weight, bias = parameters[2 * layer], parameters[2 * layer + 1]
        rows = rows @ weight + bias
        if layer + 1 < LAYERS:
            rows = jax.nn.relu(rows)
    return rows


def loss(parameters, rows, wanted):
    logits = forward(parameters, rows)
    terms = jax.nn.relu(logits) - logits * wanted + jnp.log1p(jnp.exp(-jnp.abs(logits)))
    return jnp.where(wanted < 0, 0, terms).sum() / (BATCH * WIDTHS[-1])


def network_step(state, rows, wanted):
    """One step of Adam for all networks; `rows` is `[K, batch, inputs]`."""
    parameters, first, second, count = state
    gradients = jax.vmap(jax.grad(loss))(parameters, rows, wanted)
    count = count + 1
    step_size = LEARNING_RATE / (1 - BETA1**count)
    root_factor = 1 / jnp.sqrt(1 - BETA2**count)
    first = [BETA1 * m + (1 - BETA1) * g for m, g in zip(first, gradients)]
    second = [BETA2 * v + (1 - BETA2) * g * g for v, g in zip(second, gradients)]
    moved = zip(parameters, first, second)
    parameters = [p - step_size * m / (jnp.sqrt(v) * root_factor + EPSILON) for p, m, v in moved]
    return parameters, first, second, count


TIME_RATES, ENERGY_RATES = jnp.array(TIME_S_PER_BYTE), jnp.array(ENERGY_J_PER_BYTE)


def decide(parameters, sizes):
    """The cheapest of the K proposals for each row of sizes `[rows, N * M]`, and its cost."""
    rows = (sizes - MEAN_BYTES) / DEVIATION_BYTES
    logits = jax.vmap(forward, in_axes=(0, None))(parameters, rows).reshape(K, -1, DEVICES, TASKS, 2)
    places = jnp.where(logits[..., 0] > 0, 0, jnp.where(logits[..., 1] > 0, 1, 2))
    chosen = places[..., None] == jnp.arange(PLACES)
    by_device = sizes.reshape(-1, DEVICES, TASKS)
    times = (chosen * (by_device[..., None] * TIME_RATES)).sum(-2).max(-1)
    energies = (by_device * ENERGY_RATES[places]).sum(-1)
    costs = (ALPHA * energies + (1 - ALPHA) * times).sum(-1)
    best = costs.argmin(0)
    row = jnp.arange(sizes.shape[0])
    return places[best, row], costs[best, row]


def training_step(carry, step):
    """One round of Algorithm 2: draw, decide, remember, batch, train."""
    state, inputs, targets, key = carry
    key, of_sizes, of_batches = jax.random.split(key, 3)
    sizes = jax.random.uniform(of_sizes, (1, WIDTHS[0]), minval=SMALLEST_BYTES, maxval=LARGEST_BYTES)
    places, _ = decide(state[0], sizes)
    flat = places.reshape(-1)
    target = jnp.stack([flat == 0, jnp.where(flat == 0, -1, flat == 1)], 1).reshape(-1).astype(jnp.float32)
    row = step % BUFFER
    inputs = inputs.at[row].set((sizes[0] - MEAN_BYTES) / DEVIATION_BYTES)
    targets = targets.at[row].set(target)
    batches = jax.random.randint(of_batches, (K, BATCH), 0, BUFFER)
    return (network_step(state, inputs[batches], targets[batches]), inputs, targets, key), None


@functools.partial(jax.jit, static_argnums=1, donate_argnums=0)
def train(carry, steps):
    return jax.lax.scan(training_step, carry, jnp.arange(steps))[0]


@functools.partial(jax.jit, static_argnums=3, donate_argnums=0)
def network_steps(state, rows, wanted, steps):
    return jax.lax.scan(lambda state, _: (network_step(state, rows, wanted), None), state, None, steps)[0]


random = np.random.default_rng(1)
parameters = [jnp.asarray(values) for values in first_parameters(random)]
zeros = [jnp.zeros_like(values) for values in parameters]
inputs, targets = map(jnp.asarray, memories(random))


def copies(values):
    return jax.tree.map(jnp.array, values)


def start():
    state = (copies(parameters), copies(zeros), copies(zeros), jnp.int32(0))
    return (state, jnp.array(inputs), jnp.array(targets), jax.random.key(1))


if len(sys.argv) > 1:
    steps = int(sys.argv[1])
    jax.block_until_ready(train(start(), steps))
    carry = jax.block_until_ready(start())
    report({"run": seconds_of(lambda: jax.block_until_ready(train(carry, steps)), 1, warm_up=0)})
    sys.exit()

BLOCK = 50
holder = {"state": start()[0], "carry": start()}
batches = random.integers(0, BUFFER, (K, BATCH))
rows, wanted = inputs[batches], targets[batches]
one_step = jax.jit(network_step, donate_argnums=0)


def single():
    holder["state"] = jax.block_until_ready(one_step(holder["state"], rows, wanted))


def block():
    holder["state"] = jax.block_until_ready(network_steps(holder["state"], rows, wanted, BLOCK))


def whole():
    holder["carry"] = jax.block_until_ready(train(holder["carry"], BLOCK))


def per_step(seconds):
    return [each / BLOCK for each in seconds]


decide_jitted = jax.jit(decide)
one = jnp.asarray(random.uniform(SMALLEST_BYTES, LARGEST_BYTES, (1, WIDTHS[0])))
many = jnp.asarray(random.uniform(SMALLEST_BYTES, LARGEST_BYTES, (512, WIDTHS[0])))
report({
    "network step": per_step(seconds_of(block, 20, warm_up=2)),
    "network step, one call each": seconds_of(single, 300),
    "training step": per_step(seconds_of(whole, 20, warm_up=2)),
    "one decision": seconds_of(lambda: jax.block_until_ready(decide_jitted(parameters, one)), 1000),
    "512 decisions": seconds_of(lambda: jax.block_until_ready(decide_jitted(parameters, many)), 200),
})
