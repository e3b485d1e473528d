"""What every peer works on: scenario `paper`, K = 8 networks 9-120-80-18, batch 128, Adam.

The same scenario, shapes and settings as `crates/drl/benches/training.rs`.
"""

import json
import sys
import time

K, DEVICES, TASKS, PLACES = 8, 3, 3, 3
WIDTHS = (DEVICES * TASKS, 120, 80, DEVICES * TASKS * 2)
BATCH, BUFFER = 128, 1400
LEARNING_RATE, BETA1, BETA2, EPSILON = 0.003, 0.9, 0.999, 1e-8
ALPHA = 0.5
SMALLEST_BYTES, LARGEST_BYTES = 10e6, 30e6
MEAN_BYTES, DEVIATION_BYTES = 20e6, 20e6 / 12**0.5

# Table III: local, edge, cloud, in instructions a second, joules an instruction, bits a second.
INSTRUCTIONS_PER_BYTE, UPLINK_BITS_PER_SECOND, TRANSMIT_J_PER_BYTE = 1000, 500e6, 1e-10
FREQUENCY_HZ = (100e6, 600e6, 1000e6)
J_PER_INSTRUCTION = (3e-9, 1.5e-9, 1e-9)
TIME_S_PER_BYTE = tuple(
    INSTRUCTIONS_PER_BYTE / hz + (8 / UPLINK_BITS_PER_SECOND if place else 0) for place, hz in enumerate(FREQUENCY_HZ)
)
ENERGY_J_PER_BYTE = tuple(
    INSTRUCTIONS_PER_BYTE * joules + (TRANSMIT_J_PER_BYTE if place else 0)
    for place, joules in enumerate(J_PER_INSTRUCTION)
)


def first_parameters(random):
    """Weights `[K, in, out]` and biases `[K, 1, out]` of each layer, uniform within ±1/√in."""
    layers = []
    for inputs, outputs in zip(WIDTHS, WIDTHS[1:]):
        bound = inputs**-0.5
        layers.append(random.uniform(-bound, bound, (K, inputs, outputs)).astype("float32"))
        layers.append(random.uniform(-bound, bound, (K, 1, outputs)).astype("float32"))
    return layers


def memories(random):
    """Inputs and targets (0, 1, or -1 for don't care) of a full buffer."""
    inputs = random.uniform(-1.7, 1.7, (BUFFER, WIDTHS[0])).astype("float32")
    targets = random.integers(-1, 2, (BUFFER, WIDTHS[-1])).astype("float32")
    return inputs, targets


def seconds_of(call, count, warm_up=20):
    """Seconds that each of `count` calls takes, after some that do not count."""
    for _ in range(warm_up):
        call()
    seconds = []
    for _ in range(count):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return seconds


def report(measured):
    """Prints the lists of seconds, one for each measure, for `compare.py`."""
    json.dump(measured, sys.stdout)
