#!/usr/bin/env python3
"""Decides workloads with exported networks. Needs only NumPy and a file that `trainer export` wrote:

    trainer export --record models/paper --out exported
    python scripts/read_export.py exported/ensemble.safetensors < workloads.jsonl

A line of workloads looks like {"tasks_mb": [[12, 25.5, 18], [10, 20, 30], [11, 12, 13]]}; the answers are those of
`trainer decide`. With networks for any fleet, `fleet_round` computes one round of a network from its inputs, which the entry
`inputs` of the file describes. Everything here follows from the descriptions in the file.
"""
import json
import sys

import numpy as np


def from_json(text):
    """What a text in JSON means; other texts as they are."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def load(path):
    """The description and the tensors of a safetensors file: a length, a header in JSON, and little-endian numbers."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    about = {name: from_json(text) for name, text in header.pop("__metadata__").items()}
    values = {name: data[slice(*entry["data_offsets"])] for name, entry in header.items()}
    return about, {name: np.frombuffer(values[name], "<f4").reshape(header[name]["shape"]) for name in header}


def sizes_of(about, tasks_mb):
    """Sizes in bytes, [devices * tasks]. Tasks are absent, and 0, where a size or a row is null, or a row ends early."""
    devices, tasks = about["inputs"]["devices"], about["inputs"]["tasks_per_device"]
    counts = about.get("details", {}).get("tasks_of_device", [tasks] * devices)
    rows = [row or [] for row in tasks_mb]
    if len(rows) != devices or any(mb is not None for row, count in zip(rows, counts) for mb in row[count:]):
        sys.exit(f"the networks decide for {devices} devices with {', '.join(map(str, counts))} tasks")
    if not all(mb is None or 0 < mb <= 1e12 for row in rows for mb in row):
        sys.exit("every task must have a size above 0 MB and at most 1e12 MB")
    sizes = [[mb or 0 for mb in row[:count]] + [0] * (tasks - len(row[:count])) for row, count in zip(rows, counts)]
    return np.array(sizes, float).ravel() * 1e6


def placements(about, sizes, decision):
    """The names of the places of all tasks, None for absent ones."""
    names = [about["places"][place] if size > 0 else None for size, place in zip(sizes, decision)]
    return np.array(names, object).reshape(about["inputs"]["devices"], -1).tolist()


def encode(about, sizes):
    """Inputs of the networks: sizes in bytes, and the environment in which the costs of the file hold."""
    inputs, cost = about["inputs"], about["cost"]
    values = list((sizes - inputs["mean_bytes"]) / inputs["deviation_bytes"])
    for part in inputs["environment"]:
        scaled = lambda value: float(np.clip((value - part["mean"]) / part["deviation"], -4, 4))
        if part["name"] == "log_uplink":
            for mbps, local in zip(cost["environment"]["uplink_mbps"], np.array(cost["compute_s_per_byte"])[:, 0]):
                share = 1 / (1 + local * mbps / 8e-6)
                values += [scaled(np.log(max(mbps, 0.01))), 2 * share - 1]
        elif part["name"] == "log_capacity":
            values += [scaled(np.log(capacity)) for capacity in cost["environment"]["capacity"]]
        else:
            values.append(scaled(cost["alpha"]))
    return np.array(values, np.float32)


def logits(tensors, x):
    """Logits of every network, [networks, outputs]."""
    x = x[None, :]
    for layer in range(len(tensors) // 2):
        x = np.maximum(x, 0) if layer else x
        x = x @ tensors[f"layers.{layer}.weight"] + tensors[f"layers.{layer}.bias"]
    return x.reshape(-1, x.shape[-1])


def proposals(about, sizes, row):
    """The decisions that the logits of one network stand for: its own, then the least certain others. Absent tasks, of size 0,
    are at place 0."""
    places, inputs = len(about["places"]), about["inputs"]
    row = row.reshape(inputs["devices"] * inputs["tasks_per_device"], -1)
    others = []  # (certainty, task, place)
    if about["code"]["name"] == "indicators":
        server = np.where(row[:, 1] > 0, 1, 2) if places == 3 else np.ones(len(row), int)
        own = np.where(row[:, 0] > 0, 0, server)
        for task, place in enumerate(own):
            others.append((abs(row[task, 0]), task, 0 if place else server[task]))
            if place and places == 3:
                others.append((abs(row[task, 1]), task, 3 - place))
    else:
        own = row.argmax(1)
        others = [(row[task, own[task]] - row[task, place], task, place)
                  for task in range(len(row)) for place in range(places) if place != own[task]]
    reachable = np.repeat(np.array(about["cost"]["reachable"]), inputs["tasks_per_device"], 0)
    own = np.where(reachable[np.arange(len(own)), own] & (sizes > 0), own, 0)
    yield own
    for _, task, place in sorted(other for other in others if sizes[other[1]] > 0)[:about["selection"]["flips"]]:
        if reachable[task, place]:
            yield np.where(np.arange(len(own)) == task, place, own)


def costs(about, sizes, decision):
    """The cost of a decision with its penalties, and its missed deadlines, both by device."""
    cost, inputs, details = about["cost"], about["inputs"], about.get("details", {})
    devices, tasks, places = inputs["devices"], inputs["tasks_per_device"], len(about["places"])
    here = (decision[:, None] == np.arange(places)) * sizes[:, None]  # [devices * tasks, places]
    own = here.reshape(devices, tasks, places).sum(1)  # [devices, places]
    load = own.sum(0)
    energy = (own * np.array(cost["energy_j_per_byte"])).sum(1)
    links = np.maximum(np.array(cost["shared_link_s_per_byte"]) * load,
                       np.where(np.arange(places) > 0, cost["shared_uplink_s_per_byte"] * load[1:].sum(), 0))
    times = np.maximum(np.array(cost["send_s_per_byte"]) * own, links) + np.array(cost["compute_s_per_byte"]) * own
    if "instructions_per_byte" in details:
        work = np.array(details["instructions_per_byte"]) @ own
        times = times + np.array(details["shared_compute_s_per_instruction"]) * work
    else:
        times = times + np.array(cost["shared_compute_s_per_byte"]) * load
    count = (here > 0).reshape(devices, tasks, places).sum(1)
    times = np.where(own > 0, times + np.array(details.get("latency_s", [0] * places)) * count, 0)
    done = np.where(here > 0, times.repeat(tasks, 0), 0).max(1).reshape(devices, tasks)
    missed = (done > np.array(details.get("deadline_s", [np.inf] * devices), float)[:, None] * (1 + 1e-12)).sum(1)
    weighted = max(cost["alpha"], 1e-9) * energy + max(1 - cost["alpha"], 1e-9) * times.max(1)
    return weighted + details.get("deadline_penalty", 0) * missed, missed


def best(about, cost, missed):
    """The first of the best candidates, given by their costs and missed deadlines."""
    is_hard = about.get("details", {}).get("deadline_rule") == "hard"
    return np.lexsort((cost, missed))[0] if is_hard else cost.argmin()


def decide(about, tensors, sizes):
    """The best proposal of all networks: a place for each task. Sizes are in bytes, [devices * tasks]."""
    rows = logits(tensors, encode(about, sizes))
    candidates = [decision for row in rows for decision in proposals(about, sizes, row)]
    cost, missed = np.array([costs(about, sizes, decision) for decision in candidates]).swapaxes(0, 1)
    if about["selection"]["choice"] == "per-device" and about["cost"]["is_sum_over_devices"]:
        chosen = [best(about, *device) for device in zip(cost.T, missed.T)]
        return np.array(candidates)[np.repeat(chosen, about["inputs"]["tasks_per_device"]), np.arange(len(sizes))]
    return candidates[best(about, cost.sum(1), missed.sum(1))]


def fleet_round(tensors, prefix, x, h=None):
    """Scores and hidden units of one round of a network for any fleet. `prefix` is such as `nets.0.rounds.1.`, `x` are the
    inputs [places, devices, tasks, 30], `h` the hidden units of the round before."""
    of = lambda name: tensors[prefix + name]
    hidden = x @ of("input") + of("bias")
    if h is not None:
        hidden = hidden + h @ of("known.own") + h.mean(2, keepdims=True) @ of("known.by_device")
        hidden = hidden + h.mean((1, 2), keepdims=True) @ of("known.by_place") + h.mean(0) @ of("known.by_task")
    hidden = np.maximum(hidden, 0)
    return (hidden @ of("score") + x @ of("direct"))[..., 0], hidden


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    about, tensors = load(sys.argv[1])
    if about["kind"] != "dnn":
        sys.exit("only DNNs for one scenario decide here; import this file and use fleet_round for networks for any fleet")
    for line in sys.stdin:
        workload = json.loads(line)
        if "environment" in workload:
            sys.exit("the costs in the file hold only in its own environment")
        if unknown := workload.keys() - {"id", "tasks_mb"}:
            sys.exit(f"this reader decides from tasks_mb alone, not from {', '.join(sorted(unknown))}")
        sizes = sizes_of(about, workload["tasks_mb"])
        print(json.dumps({"placements": placements(about, sizes, decide(about, tensors, sizes))}))


if __name__ == "__main__":
    main()
