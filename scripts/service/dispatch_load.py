#!/usr/bin/env python3
"""Measures a dispatching service under load, beside `/v1/decide` in the same minute.

    python3 scripts/service/dispatch_load.py --trainer target/debug/trainer --record models/mobile [--seconds 10]

Needs `wrk` (apt-get install wrk). Prints a Markdown table.
"""

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path

from load import BATCH, QUICK_MS, Service, Wrk


class Dispatching(Service):
    def __init__(self, trainer, scenario, *options):
        super().__init__(trainer, "", *options)
        at = self.command.index("--record")
        self.command[at:at + 2] = ["--scenario", scenario]


class Dispatch(Wrk):
    """The same load for another path."""

    def __init__(self, service, folder, path):
        super().__init__(service, folder)
        self.path = path

    def start(self, *arguments, **options):
        import load
        before, load.WRK = load.WRK, load.WRK.replace("/v1/decide", self.path)
        try:
            return super().start(*arguments, **options)
        finally:
            load.WRK = before


def singles_and_batches(devices, seed=1):
    draw = random.Random(seed)
    task = lambda: {"device": draw.randrange(devices), "size_mb": round(2 * 30 ** draw.random(), 3)}
    return [task() for _ in range(256)], [{"tasks": [task() for _ in range(BATCH)]} for _ in range(4)]


def best(wrk, bodies, seconds, connections):
    """The load with the most answers of those whose p99 is short, measured again for longer."""
    trials = {count: wrk.run(bodies, count, max(1, seconds // 3)) for count in connections}
    quick = {count: trial for count, trial in trials.items() if trial["p99_ms"] <= QUICK_MS} or trials
    count = max(quick, key=lambda count: quick[count]["rate"])
    result = wrk.run(bodies, count, seconds)
    if result["broken"] or result["timeouts"] or result["refused"]:
        sys.exit(f"error: {json.dumps(result)}")
    return {**result, "connections": count}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trainer", type=Path, required=True)
    parser.add_argument("--record", type=Path, default=Path("models/mobile"))
    parser.add_argument("--scenario", default="dispatch")
    parser.add_argument("--scheme", default="one-step-fitted")
    parser.add_argument("--state", action="store_true", help="with a file of state, written every second")
    parser.add_argument("--seconds", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        state = ["--state", Path(folder) / "state"] if options.state else []
        rows = []
        with Service(options.trainer, options.record) as decide, \
                Dispatching(options.trainer, options.scenario, "--scheme", options.scheme, *state) as dispatch:
            scenario = decide.get("/v1/scenario")
            sizes = [[20.0] * scenario["tasks_per_device"] for _ in range(scenario["devices"])]
            workload = [{"tasks_mb": sizes}]
            workloads = [{"workloads": workload * BATCH}]
            tasks, lists = singles_and_batches(10)
            by_decide, by_dispatch = Wrk(decide, folder), Dispatch(dispatch, folder, "/v1/dispatch")
            connections = [16, 32, 64, 128]
            for what, factor, few, pairs in [("single", 1, connections, (workload, tasks)), ("batches of 1,000", BATCH, [2, 4, 8], (workloads, lists))]:
                results = [best(wrk, bodies, options.seconds, few) for wrk, bodies in zip((by_decide, by_dispatch), pairs)]
                for name, result in zip(("decide", "dispatch"), results):
                    rows.append((f"`/v1/{name}`, {what}, {result['connections']} connections", factor * result["rate"], result))
            memory_mb = dispatch.memory_mb()
    print("| load | a second | p50 | p99 |\n|---|---:|---:|---:|")
    for name, rate, result in rows:
        print(f"| {name} | {rate:,.0f} | {result['p50_ms']:.2f} ms | {result['p99_ms']:.2f} ms |")
    print(f"\nMemory of the dispatching service afterwards: {memory_mb:.0f} MB")


main()
