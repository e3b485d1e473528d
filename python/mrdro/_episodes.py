"""What the environments of Gymnasium, Stable-Baselines3 and PettingZoo have in common."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from mrdro._mrdro import EpisodeRules, Recording, Scenario
from mrdro._results import Workloads
from mrdro._settings import scenario_of

Source = Scenario | str | os.PathLike[str]
"""A scenario, the name of a shipped one, or the path of a TOML file."""
Recorded = Recording | str | os.PathLike[str]
"""A recording, or the path of a file or folder with one."""
Reward = Literal["saving", "cost", "q2"]
Optimum = bool | Literal["auto"]
Part = Literal["training", "held-out"]
Kind = Literal["workload", "tasks", "drive"]

MAX_SEED = 2**63


def rules_of(
    source: Source,
    kind: Kind,
    reward: Reward,
    optimum: Optimum,
    part: Part,
    recording: Recorded | None = None,
    drive: str | None = None,
    window_s: float = 60.0,
) -> EpisodeRules:
    """What all episodes of one kind have in common."""
    if optimum not in (True, False, "auto"):
        raise ValueError(f'optimum must be "auto", True or False, is {optimum!r}')
    if recording is not None and not isinstance(recording, Recording):
        recording = Recording.open(recording)
    return EpisodeRules(
        scenario_of(source),
        kind,
        reward=reward,
        optimum=None if optimum == "auto" else bool(optimum),
        part=part,
        recording=recording,
        drive=drive,
        window_s=window_s,
    )


def box(parts: Sequence[tuple[str, int, float, float]]) -> spaces.Space[NDArray[np.float32]]:
    """The space of observations of these parts: name, number of entries, lowest and highest value."""
    counts = [count for _, count, _, _ in parts]
    low = np.repeat(np.array([low for _, _, low, _ in parts], dtype=np.float32), counts)
    high = np.repeat(np.array([high for _, _, _, high in parts], dtype=np.float32), counts)
    return cast("spaces.Space[NDArray[np.float32]]", spaces.Box(low, high, dtype=np.float32))


def slices(parts: Sequence[tuple[str, int, float, float]]) -> dict[str, slice]:
    """The position of each part in an observation."""
    found, start = {}, 0
    for name, count, _, _ in parts:
        found[name] = slice(start, start + count)
        start += count
    return found


def actions(scenario: Scenario, kind: Kind) -> spaces.Space[Any]:
    """The space of actions: a place for each task of a workload, or for one task."""
    places = len(scenario.places)
    if kind == "tasks":
        return spaces.Discrete(places)
    return spaces.MultiDiscrete([places] * (scenario.devices * scenario.tasks))


def drive_of(rules: EpisodeRules, asked: str | int) -> int:
    """The index of a drive, by its name or index."""
    names = [name for name, _ in rules.drives]
    if isinstance(asked, str):
        if asked in names:
            return names.index(asked)
    elif 0 <= int(asked) < len(names):
        return int(asked)
    known = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
    raise ValueError(f'options["drive"] must be one of the drives {known} or an index below {len(names)}, is {asked!r}')


def of_workloads(options: Mapping[str, Any] | None, kind: Kind, is_single: bool) -> dict[str, Any]:
    """Options of a reset in which `Workloads` are their sizes and environments."""
    found = dict(options or {})
    workloads = found.get("workload")
    if not isinstance(workloads, Workloads):
        return found
    if is_single and len(workloads) != 1:
        raise ValueError(f'options["workload"] must be one workload, as in workloads[:1]; there are {len(workloads)}')
    found["workload"] = workloads.sizes_mb[0] if is_single else workloads.sizes_mb
    if workloads.environments is not None and kind != "drive" and found.get("environment") is None:
        found["environment"] = workloads.environments[0] if is_single else list(workloads.environments)
    return found


def given(
    rules: EpisodeRules, kind: Kind, options: Mapping[str, Any] | None, is_single: bool = False
) -> dict[str, Any]:
    """The arguments that `options` of a reset stand for."""
    known = ("workload", "drive") if kind == "drive" else ("workload", "environment")
    found = {}
    for key, value in of_workloads(options, kind, is_single).items():
        if key not in known:
            raise ValueError(f"options take the keys {' and '.join(map(repr, known))} here, not {key!r}")
        if value is not None:
            found[key] = drive_of(rules, value) if key == "drive" else value
    return found
