#!/usr/bin/env python3
"""Compares scripts/read_export.py with the program; scripts/check_export.sh calls it:

    python scripts/check_export.py TRAINER RECORD EXPORTED.safetensors
    python scripts/check_export.py --rounds ROUNDS.json EXPORTED.safetensors
"""
import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np

from read_export import decide, fleet_round, load, placements, sizes_of

WORKLOADS = 400


def check_decisions(trainer, record, path):
    about, tensors = load(path)
    draw = random.Random(1)
    inputs = about["inputs"]
    counts = about.get("details", {}).get("tasks_of_device", [inputs["tasks_per_device"]] * inputs["devices"])
    # Now and then there is no task.
    size = lambda: draw.uniform(1, 40) if draw.random() > 0.03 else None
    workloads = [[[size() for _ in range(count)] for count in counts] for _ in range(WORKLOADS)]
    lines = "".join(json.dumps({"tasks_mb": sizes}) + "\n" for sizes in workloads)
    run = subprocess.run([trainer, "decide", "--record", record], input=lines, stdout=subprocess.PIPE, text=True, check=True)
    wanted = [json.loads(line)["placements"] for line in run.stdout.splitlines()]
    assert len(wanted) == WORKLOADS, f"{len(wanted)} answers"
    used = set()
    for tasks_mb, answer in zip(workloads, wanted):
        sizes = sizes_of(about, tasks_mb)
        found = placements(about, sizes, decide(about, tensors, sizes))
        used.update(place for row in found for place in row if place)
        assert found == answer, f"{record}: {tasks_mb} gives {found} in place of {answer}"
    name = Path(record).parent.name if Path(record).name == "record" else record
    print(f"{name}: {WORKLOADS} decisions are the same; places used: {', '.join(sorted(used))}")


def check_rounds(rounds, path):
    about, tensors = load(path)
    case = json.loads(Path(rounds).read_text())
    hidden, farthest = None, 0.0
    for index, part in enumerate(case["rounds"]):
        x = np.array(part["inputs"], np.float32).reshape(*case["shape"], about["layers"]["inputs"])
        scores, hidden = fleet_round(tensors, f"nets.{case['network']}.rounds.{index}.", x, hidden)
        wanted = np.array(part["scores"], np.float32).reshape(case["shape"])
        assert wanted.std() > 0.01, "scores that are all the same show nothing"
        farthest = max(farthest, float(abs(scores - wanted).max() / wanted.std()))
    assert farthest < 1e-4, f"scores differ by {farthest} standard deviations"
    print(f"any fleet: the scores of {len(case['rounds'])} rounds differ by at most {farthest:.1e} standard deviations")


if __name__ == "__main__":
    if sys.argv[1] == "--rounds":
        check_rounds(*sys.argv[2:])
    else:
        check_decisions(*sys.argv[1:])
