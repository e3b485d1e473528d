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


def proposals(about, row):
    """The decisions that the logits of one network stand for: its own, then the least certain others."""
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
    own = np.where(reachable[np.arange(len(own)), own], own, 0)
    yield own
    for _, task, place in sorted(others)[:about["selection"]["flips"]]:
        if reachable[task, place]:
            yield np.where(np.arange(len(own)) == task, place, own)


def costs(about, sizes, decision):
    """The cost of a decision by device."""
    cost, inputs = about["cost"], about["inputs"]
    here = (decision[:, None] == np.arange(len(about["places"]))) * sizes[:, None]  # [tasks, places]
    own = here.reshape(inputs["devices"], inputs["tasks_per_device"], -1).sum(1)  # [devices, places]
    load = own.sum(0)
    energy = (own * np.array(cost["energy_j_per_byte"])).sum(1)
    links = np.maximum(np.array(cost["shared_link_s_per_byte"]) * load,
                       np.where(np.arange(len(load)) > 0, cost["shared_uplink_s_per_byte"] * load[1:].sum(), 0))
    times = np.maximum(np.array(cost["send_s_per_byte"]) * own, links)
    times = times + np.array(cost["compute_s_per_byte"]) * own + np.array(cost["shared_compute_s_per_byte"]) * load
    return cost["alpha"] * energy + (1 - cost["alpha"]) * np.where(own > 0, times, 0).max(1)


def decide(about, tensors, sizes):
    """The cheapest proposal of all networks: a place for each task. Sizes are in bytes, [devices * tasks]."""
    rows = logits(tensors, encode(about, sizes))
    candidates = [decision for row in rows for decision in proposals(about, row)]
    by_device = np.array([costs(about, sizes, decision) for decision in candidates])
    if about["selection"]["choice"] == "per-device" and about["cost"]["is_sum_over_devices"]:
        chosen = by_device.argmin(0).repeat(about["inputs"]["tasks_per_device"])
        return np.array(candidates)[chosen, np.arange(len(sizes))]
    return candidates[by_device.sum(1).argmin()]


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
    about, tensors = load(sys.argv[1])
    if about["kind"] != "dnn":
        sys.exit("only DNNs for one scenario decide here; import this file and use fleet_round for networks for any fleet")
    shape = about["inputs"]["devices"], about["inputs"]["tasks_per_device"]
    for line in sys.stdin:
        workload = json.loads(line)
        if "environment" in workload:
            sys.exit("the costs in the file hold only in its own environment")
        sizes = np.array(workload["tasks_mb"], float)
        if sizes.shape != shape:
            sys.exit(f"the networks decide for {shape[0]} devices with {shape[1]} tasks each")
        decision = decide(about, tensors, sizes.ravel() * 1e6)
        print(json.dumps({"placements": [[about["places"][place] for place in row] for row in decision.reshape(shape)]}))


if __name__ == "__main__":
    main()
