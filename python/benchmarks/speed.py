"""How fast costs, optima and decisions are from Python, beside vectorised NumPy and beside Rust.

    python python/benchmarks/speed.py

Times are the best of several repetitions. The decisions of a record are compared with the same call from Rust, which
`cargo run -p model --example decide_speed` makes.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

import mrdro
import numpy as np
from numpy.typing import NDArray


def best(call: Callable[[], object], seconds: float = 0.5) -> float:
    """The shortest time of one call, in s."""
    call()
    shortest, ends = np.inf, time.perf_counter() + seconds
    repetitions = 1
    while time.perf_counter() < ends:
        start = time.perf_counter()
        for _ in range(repetitions):
            call()
        shortest = min(shortest, (time.perf_counter() - start) / repetitions)
        repetitions = max(1, min(10_000, int(0.02 / shortest)))
    return float(shortest)


class NumPyCost:
    """The cost of a scenario with dedicated servers in vectorised NumPy: rates by place, loads by one-hot code."""

    def __init__(self, model: mrdro.CostModel) -> None:
        devices, tasks, places = model.devices, model.tasks, len(model.places)
        self.energy, self.time = np.zeros((devices, places)), np.zeros((devices, places))
        for device in range(devices):
            for place in range(places):
                sizes_mb, decisions = np.zeros((devices, tasks)), np.full((devices, tasks), place)
                sizes_mb[device, 0] = 1.0
                outcome = model.outcome(sizes_mb, decisions)
                self.energy[device, place], self.time[device, place] = outcome.energy_j, outcome.time_s
        self.alpha, self.places = model.alpha, np.arange(places, dtype=np.uint8)

    def __call__(self, sizes_mb: NDArray[np.float64], decisions: NDArray[np.uint8]) -> NDArray[np.float64]:
        loads = np.einsum("...nm,...nmp->...np", sizes_mb, decisions[..., None] == self.places)
        energy = np.einsum("...np,np->...", loads, self.energy)
        return self.alpha * energy + (1 - self.alpha) * (loads * self.time).max(axis=-1).sum(axis=-1)

    def by_where(self, sizes_mb: NDArray[np.float64], decisions: NDArray[np.uint8]) -> NDArray[np.float64]:
        """The same, place by place."""
        energy, times = 0.0, []
        for place in self.places:
            load = np.where(decisions == place, sizes_mb, 0.0).sum(axis=-1)
            energy = energy + load @ self.energy[:, place]
            times.append(load * self.time[:, place])
        return self.alpha * energy + (1 - self.alpha) * np.maximum.reduce(times).sum(axis=-1)


def training_seconds(report_every: int) -> float:
    """The time of a training of 6,000 steps with a callback at each of its reports."""
    reports = []
    start = time.perf_counter()
    settings = {"drl.steps": 6000, "drl.report_every": report_every, "meta.outer_steps": 3}
    mrdro.train("paper", set=settings, callbacks=[reports.append], progress=False)
    assert len(reports) >= 6000 // report_every
    return time.perf_counter() - start


def main() -> None:
    scenario = mrdro.Scenario.load("paper")
    model, record = scenario.cost_model(), mrdro.Record.shipped("paper")
    in_numpy = NumPyCost(model)
    all_sizes = scenario.draw(100_000).sizes_mb
    all_decisions = np.random.default_rng(1).integers(0, 3, all_sizes.shape).astype(np.uint8)
    np.testing.assert_allclose(model.cost(all_sizes, all_decisions), in_numpy(all_sizes, all_decisions))
    np.testing.assert_allclose(model.cost(all_sizes, all_decisions), in_numpy.by_where(all_sizes, all_decisions))
    rows = []
    for count in (1, 256, 4096, 100_000):
        sizes_mb, decisions = all_sizes[:count], all_decisions[:count]
        if count == 1:
            sizes_mb, decisions = sizes_mb[0], decisions[0]
        ours = best(lambda: model.cost(sizes_mb, decisions))
        numpy = min(best(lambda f=f: f(sizes_mb, decisions)) for f in (in_numpy, in_numpy.by_where))
        rows.append(
            {"call": "cost", "workloads": count, "µs": ours * 1e6, "beside": "NumPy", "times as fast": numpy / ours}
        )
    for count in (1, 512, 20_000):
        sizes_mb = all_sizes[0] if count == 1 else all_sizes[:count]
        ours = best(lambda: model.decide(sizes_mb))
        rows.append({"call": "decide (exact)", "workloads": count, "µs": ours * 1e6})
    for count in (1, 1000):
        sizes_mb = all_sizes[0] if count == 1 else all_sizes[:count]
        rows.append({"call": "Record.decide", "workloads": count, "µs": best(lambda: record.decide(sizes_mb)) * 1e6})
    build = ["cargo", "build", "--quiet", "-p", "model", "--example", "decide_speed"]
    subprocess.run(build, check=True)
    ours, rust = np.inf, np.inf
    for _ in range(8):  # in turns, so that both meet the same noise
        ours = min(ours, best(lambda: record.decide(all_sizes), 1.0))
        run = ["cargo", "run", *build[2:]]
        said = subprocess.run(run, check=True, capture_output=True, text=True)
        rust = min(rust, *map(float, said.stdout.split()))
    ratio = rust / ours
    rows.append(
        {"call": "Record.decide", "workloads": 100_000, "µs": ours * 1e6, "beside": "Rust", "times as fast": ratio}
    )
    pairs = [(training_seconds(6000), training_seconds(100)) for _ in range(6)]
    once, reported = (min(times) for times in zip(*pairs))
    rows.append(
        {
            "call": "train, a callback every 100 steps",
            "µs": reported * 1e6,
            "beside": "one report in all",
            "times as fast": once / reported,
        }
    )
    print(mrdro.Table.of_rows(rows))
    print(f"{mrdro.threads()} threads, Python {sys.version.split()[0]}, NumPy {np.__version__}")


if __name__ == "__main__":
    main()
