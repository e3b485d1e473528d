#!/usr/bin/env python3
"""The same training step and decision here, in JAX and in NumPy, side by side, and the ratios.

    python3 -m venv .venv && .venv/bin/pip install -r scripts/peers/requirements.txt
    .venv/bin/python scripts/peers/compare.py [--rounds 5] [--runs 1] [--out FILE.json]

Machines are noisy, so every round measures everything once, one after the other; a ratio is taken within a round, and the
median over the rounds is printed with the smallest and the largest. `--runs` rounds more compare whole runs: ours of
`--training paper` (2,000 outer steps, 20,000 DRL steps, evaluation) with 20,000 DRL steps of JAX alone.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
UNITS = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}
BLOCK = 100  # steps in one measurement of crates/drl/benches/training.rs
NETWORK_FLOP = 72.25e6  # forward and backward of K = 8, 9-120-80-18, batch 128, silent units counted
GEMM_FLOP = 2 * 512**3


def cargo(*arguments):
    """Runs cargo and returns the executables it made, by name."""
    command = ["cargo", *arguments, "--message-format=json"]
    made = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    messages = (json.loads(line) for line in made.splitlines() if line.startswith("{"))
    return {message["target"]["name"]: message["executable"] for message in messages if message.get("executable")}


def bench(executable, *filters):
    """Seconds of each benchmark that the filters name: `(fastest, median)` by name, an argument after a slash."""
    command = [executable, "--bench", *filters]
    text = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    found, parent = {}, ""
    for line in text.splitlines():
        match = re.match(r"^(│  |   )?[├╰]─ (.+?)  +(.*)$", line)
        if not match:
            continue
        nested, name, rest = match.groups()
        times = re.findall(r"([\d.]+) (ns|µs|ms|s)\b", rest)
        if not nested:
            parent = name
        if len(times) >= 4:
            seconds = [float(value) * UNITS[unit] for value, unit in times]
            found[f"{parent}/{name}" if nested else name] = (seconds[0], seconds[2])
    return found


def peer(name, *arguments):
    """Median seconds of each measure of a peer."""
    command = [sys.executable, HERE / f"peer_{name}.py", *arguments]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return {measure: statistics.median(seconds) for measure, seconds in json.loads(output).items()}


def one_round(benches):
    median = {}
    for name, filters in [("training", ["training_steps_100_threshold"]),
                          ("ensemble", ["network_step_fused", "network_step_plain_burn", "gemm_512",
                                        "one_decision_threshold", "decisions_at_once_threshold"])]:
        median.update({key: times[1] for key, times in bench(benches[name], *filters).items()})
    jax, numpy = peer("jax"), peer("numpy")
    return {
        "ours": {
            "network step": median["network_step_fused"],
            "training step": median["training_steps_100_threshold"] / BLOCK,
            "one decision": median["one_decision_threshold"],
            "512 decisions": median["decisions_at_once_threshold/512"],
        },
        "plain Burn": {"network step": median["network_step_plain_burn"]},
        # The faster of its two ways: steps inside `lax.scan`, or one jitted call each.
        "JAX": {**jax, "network step": min(jax["network step"], jax["network step, one call each"])},
        "NumPy": numpy,
        "GEMM 512": {"product": median["gemm_512"]},
    }


def one_run(trainer):
    folder = Path(tempfile.mkdtemp())
    start = time.perf_counter()
    subprocess.run([trainer, "train", "--training", "paper", "--out", folder / "run"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ours = time.perf_counter() - start
    shutil.rmtree(folder)
    return {"ours": ours, "JAX": peer("jax", "20000")["run"]}


def spread(values):
    return statistics.median(values), min(values), max(values)


def ratio_line(label, ratios, target):
    middle, least, most = spread(ratios)
    print(f"{label:<62} {middle:6.3f}  [{least:.3f}, {most:.3f}]  target {target}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--runs", type=int, default=1)
    arguments.add_argument("--out", type=Path)
    options = arguments.parse_args()
    benches = cargo("bench", "--no-run", "-p", "drl", "-p", "model")
    trainer = cargo("build", "--release", "-p", "trainer")["trainer"]
    rounds, runs = [], []
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        rounds.append(one_round(benches))
    for number in range(options.runs):
        print(f"run {number + 1} of {options.runs}", file=sys.stderr)
        runs.append(one_run(trainer))
    results = {"threads": os.cpu_count(), "rounds": rounds, "runs": runs}
    if options.out:
        options.out.write_text(json.dumps(results, indent=1) + "\n")

    for measure, unit, scale in [("network step", "µs", 1e6), ("training step", "µs", 1e6),
                                 ("one decision", "µs", 1e6), ("512 decisions", "µs", 1e6)]:
        for who in rounds[0]:
            if measure in rounds[0][who]:
                middle, least, most = spread([each[who][measure] * scale for each in rounds])
                print(f"{measure:<15} {who:<11} {middle:9.1f} {unit}  [{least:.1f}, {most:.1f}]")
    print()
    ratio_line("our whole training step / JAX's network step",
               [each["ours"]["training step"] / each["JAX"]["network step"] for each in rounds], "<= 0.35")
    ratio_line("our whole training step / JAX's whole training step",
               [each["ours"]["training step"] / each["JAX"]["training step"] for each in rounds], "-")
    ratio_line("our network step / JAX's network step",
               [each["ours"]["network step"] / each["JAX"]["network step"] for each in rounds], "-")
    ratio_line("our network step / NumPy's network step",
               [each["ours"]["network step"] / each["NumPy"]["network step"] for each in rounds], "-")
    ratio_line("our network step / plain Burn's network step",
               [each["ours"]["network step"] / each["plain Burn"]["network step"] for each in rounds], "-")
    ratio_line("rate of our network step / rate of the product of 512^3",
               [NETWORK_FLOP / each["ours"]["network step"] / (GEMM_FLOP / each["GEMM 512"]["product"])
                for each in rounds], ">= 0.75")
    ratio_line("our decision / JAX's decision",
               [each["ours"]["one decision"] / each["JAX"]["one decision"] for each in rounds], "-")
    ratio_line("our 512 decisions / JAX's 512 decisions",
               [each["ours"]["512 decisions"] / each["JAX"]["512 decisions"] for each in rounds], "-")
    if runs:
        ratio_line("our whole run / JAX's 20,000 steps", [each["ours"] / each["JAX"] for each in runs], "<= 0.40")
        print("runs, ours and JAX:", ", ".join(f"{each['ours']:.1f} s and {each['JAX']:.1f} s" for each in runs))


if __name__ == "__main__":
    main()
