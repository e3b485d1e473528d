#!/usr/bin/env python3
"""Runs the repository's benchmarks and draws docs/benchmarks.md's pictures.

    .venv/bin/python scripts/benchmarks.py [--peers FILE.json] [--redraw]

Needs what scripts/peers/requirements.txt names. Figures go to docs/benchmarks/results.json (median and fastest, seconds),
pictures to docs/images. `--peers` takes the figures that scripts/peers/compare.py wrote; `--redraw` measures nothing.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts" / "peers"))
from compare import BLOCK, bench, cargo

RESULTS, PEERS = ROOT / "docs/benchmarks/results.json", ROOT / "docs/benchmarks/peers.json"
IMAGES = ROOT / "docs/images"
# Colours that the colour-blind can tell apart (Okabe and Ito).
BLUE, ORANGE, GREEN, GREY, PURPLE = "#0072B2", "#D55E00", "#009E73", "#7F7F7F", "#CC79A7"
plt.rcParams.update({
    "svg.hashsalt": "benchmarks", "font.size": 11, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "grid.alpha": 0.3, "figure.constrained_layout.use": True,
})


def measure():
    executables = cargo("bench", "--no-run", "-p", "sim", "-p", "model", "-p", "drl")
    found = {}
    for name in ["schemes", "ensemble", "training"]:
        found.update(bench(executables[name]))
    RESULTS.write_text(json.dumps({key: {"fastest": low, "median": mid} for key, (low, mid) in found.items()}, indent=1)
                       + "\n")


def series(results, name):
    """Arguments and medians of one benchmark; a fleet `(N, M)` counts as N·M."""
    points = []
    for key, times in results.items():
        if key.startswith(name + "/"):
            argument = key.split("/", 1)[1].strip("()").split(", ")
            size = 1
            for part in argument:
                size *= int(part)
            points.append((size, times["median"]))
    return zip(*sorted(points))


def save(figure, name):
    figure.savefig(IMAGES / f"{name}.svg", metadata={"Date": None})
    plt.close(figure)


def line(axes, xs, ys, label, colour, marker="o"):
    axes.loglog(xs, ys, marker=marker, color=colour, label=label)


def ticks(axes, values):
    axes.set_xticks(values, [str(value) for value in values])
    axes.minorticks_off()


def linear(axes, xs, y, factors=None):
    """What growing with the work alone would give, from the first point on."""
    work = factors or [x / xs[0] for x in xs]
    axes.loglog(xs, [y * factor for factor in work], "--", color=GREY, label="in proportion to the work", zorder=0)


def draw_steps(results):
    figure, (by_k, by_fleet, by_batch) = plt.subplots(1, 3, figsize=(12, 4), sharey=True)
    xs, ys = series(results, "network_step_over_k")
    line(by_k, xs, [1e3 * y for y in ys], "network step", BLUE)
    # One network keeps one of the two threads busy: in proportion from two on.
    linear(by_k, xs[1:], 1e3 * ys[1])
    xs, ys = series(results, "training_steps_100_over_k")
    line(by_k, xs, [1e3 * y / BLOCK for y in ys], "whole training step", ORANGE, "s")
    by_k.set(xlabel="networks K", ylabel="milliseconds a step", title="3 × 3 tasks, batch 128")
    xs, ys = series(results, "network_step_over_fleet")
    line(by_fleet, xs, [1e3 * y for y in ys], "network step", BLUE)
    parameters = [120 * x + 120 * 80 + 80 * 2 * x for x in xs]
    linear(by_fleet, xs, 1e3 * ys[0], [count / parameters[0] for count in parameters])
    by_fleet.set(xlabel="tasks N·M", title="K = 8, batch 128")
    xs, ys = series(results, "network_step_over_batch")
    line(by_batch, xs, [1e3 * y for y in ys], "network step", BLUE)
    linear(by_batch, xs, 1e3 * ys[0])
    by_batch.set(xlabel="batch", title="K = 8, 3 × 3 tasks")
    for axes in (by_k, by_fleet, by_batch):
        axes.legend(frameon=False, fontsize=9)
    ticks(by_k, [1, 2, 4, 8, 16, 32, 64])
    ticks(by_fleet, [9, 30, 90, 300, 900])
    ticks(by_batch, [16, 32, 64, 128, 256, 512])
    save(figure, "benchmark-steps")


def draw_decisions(results):
    figure, (by_k, by_fleet, at_once) = plt.subplots(1, 3, figsize=(12, 4))
    xs, ys = series(results, "one_decision_over_k")
    line(by_k, xs, [1e6 * y for y in ys], "one decision", BLUE)
    linear(by_k, xs, 1e6 * ys[0])
    by_k.set(xlabel="networks K", ylabel="microseconds", title="One decision, 3 × 3 tasks")
    xs, ys = series(results, "one_decision_over_fleet")
    line(by_fleet, xs, [1e6 * y for y in ys], "one decision", BLUE)
    parameters = [120 * x + 120 * 80 + 80 * 2 * x for x in xs]
    linear(by_fleet, xs, 1e6 * ys[0], [count / parameters[0] for count in parameters])
    by_fleet.set(xlabel="tasks N·M", ylabel="microseconds", title="One decision, K = 8")
    for name, label, colour, marker in [("threshold", "8 candidates", BLUE, "o"),
                                        ("explored", "56 candidates", ORANGE, "s")]:
        xs, ys = series(results, f"decisions_at_once_{name}")
        at_once.semilogx(xs, [1e-3 * x / y for x, y in zip(xs, ys)], marker=marker, color=colour, label=label)
    at_once.set(xlabel="decisions at once", ylabel="thousand decisions a second", title="Many decisions, two threads")
    at_once.set_ylim(bottom=0)
    for axes in (by_k, by_fleet, at_once):
        axes.legend(frameon=False, fontsize=9)
    ticks(by_k, [1, 2, 4, 8, 16, 32, 64])
    ticks(by_fleet, [9, 30, 90, 300, 900])
    ticks(at_once, [16, 64, 512, 4096])
    save(figure, "benchmark-decisions")


def draw_problem(results):
    figure, (pricing, exact) = plt.subplots(1, 2, figsize=(9, 4))
    xs, ys = series(results, "price_512_decisions_of_fleet")
    line(pricing, xs, [1e9 * y / 512 for y in ys], "side by side", BLUE)
    linear(pricing, xs, 1e9 * ys[0] / 512)
    one = results["price_512_decisions_one_by_one"]["median"]
    pricing.loglog([9], [1e9 * one / 512], marker="s", color=ORANGE, linestyle="none", label="one by one")
    pricing.set(xlabel="tasks N·M", ylabel="nanoseconds a decision", title="Pricing, one thread")
    xs, ys = series(results, "exact_32_workloads_of_tasks")
    exact.semilogy(xs, [1e6 * y / 32 for y in ys], marker="o", color=BLUE, label="branch and bound")
    exact.semilogy(xs, [1e6 * ys[0] / 32 * 27 ** ((x - xs[0]) / 3) for x in xs], "--", color=GREY,
                   label="in proportion to the decisions")
    exact.set(xlabel="tasks of each of 3 devices", ylabel="microseconds a workload", title="Exact optimum, one thread",
              xticks=xs)
    for axes in (pricing, exact):
        axes.legend(frameon=False, fontsize=9)
    ticks(pricing, [9, 30, 90, 900])
    save(figure, "benchmark-problem")


def draw_peers(peers):
    measures = ["network step", "training step", "one decision", "512 decisions"]
    sides = [("ours", "here", BLUE), ("JAX", "JAX, jitted", ORANGE), ("NumPy", "NumPy", GREEN)]
    figure, axes = plt.subplots(figsize=(9, 4))
    width = 0.26
    for place, (side, label, colour) in enumerate(sides):
        values = [[1e6 * each[side][measure] for each in peers["rounds"]] for measure in measures]
        middle = [statistics.median(value) for value in values]
        reach = [[m - min(v) for m, v in zip(middle, values)], [max(v) - m for m, v in zip(middle, values)]]
        at = [index + (place - 1) * width for index in range(len(measures))]
        bars = axes.bar(at, middle, width * 0.92, yerr=reach, color=colour, label=label, capsize=3,
                        error_kw={"alpha": 0.6, "linewidth": 1})
        labels = [f"{m:.0f}" if m >= 10 else f"{m:.1f}" for m in middle]
        axes.bar_label(bars, labels, fontsize=8, padding=2)
    axes.set_yscale("log")
    axes.set(xticks=range(len(measures)), xticklabels=measures, ylabel="microseconds (log scale)",
             title="K = 8, 9-120-80-18, batch 128: medians over rounds, whiskers to the extremes")
    axes.legend(frameon=False, loc="upper right", ncols=3, fontsize=9)
    axes.set_ylim(top=axes.get_ylim()[1] * 2.5)
    axes.grid(axis="x", visible=False)
    save(figure, "benchmark-peers")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--peers", type=Path, default=PEERS)
    arguments.add_argument("--redraw", action="store_true")
    options = arguments.parse_args()
    if not options.redraw:
        measure()
    results = json.loads(RESULTS.read_text())
    draw_steps(results)
    draw_decisions(results)
    draw_problem(results)
    if options.peers.exists():
        draw_peers(json.loads(options.peers.read_text()))


if __name__ == "__main__":
    main()
