#!/usr/bin/env python3
"""Tables of finished runs, mean and range over seeds, as Markdown.

usage: scripts/summarise.py FOLDER

FOLDER holds run directories called NAME-seedN, as scripts/results.sh leaves them.
"""

import collections
import json
import pathlib
import re
import sys

SCHEMES = ["local-only", "edge-only", "cloud-only", "greedy", "greedy-largest-first", "local-search", "genetic", "exact"]


def number(values, digits=4):
    mean = sum(values) / len(values)
    if max(values) - min(values) < 0.5 * 10**-digits:
        return f"{mean:.{digits}f}"
    return f"{mean:.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def row(cells):
    print("| " + " | ".join(cells) + " |")


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    groups = collections.defaultdict(list)
    for file in sorted(pathlib.Path(sys.argv[1]).glob("*-seed*/results.json")):
        groups[re.sub(r"-seed\d+$", "", file.parent.name)].append(json.loads(file.read_text()))
    if not groups:
        sys.exit(f"error: {sys.argv[1]} holds no finished runs")
    row(["run", "seeds", "before DRL", "mr-dro", "mr-dro-explored", "meta s", "DRL s"])
    row(["---"] * 7)
    for name, runs in groups.items():
        q2 = lambda scheme: [e["q2"] for run in runs for e in run["evaluations"] if e["scheme"] == scheme]
        seconds = lambda key: f"{sum(run[key] for run in runs) / len(runs):.1f}"
        before = number([run["q2_start"] for run in runs])
        cells = [name, str(len(runs)), before, number(q2("mr-dro"), 5), number(q2("mr-dro-explored"), 5)]
        row(cells + [seconds("meta_seconds"), seconds("drl_seconds")])
    print()
    row(["scenario"] + SCHEMES)
    row(["---"] * (len(SCHEMES) + 1))
    shown = set()
    for runs in groups.values():
        scenario = runs[0]["scenario"]
        if scenario not in shown:
            shown.add(scenario)
            known = {e["scheme"]: e["q2"] for e in runs[0]["evaluations"]}
            row([scenario] + [f"{known[scheme]:.4f}" if scheme in known else "–" for scheme in SCHEMES])


main()
