"""Print how good PPO of Stable-Baselines3 becomes, beside other ways to decide: the table of the documentation.

    OMP_NUM_THREADS=1 python python/benchmarks/ppo.py [--scenario paper] [--steps 40000 200000] [--seeds 3]

Every method decides the 512 workloads of the scenario's standard set. Needs torch and stable-baselines3.
"""

from __future__ import annotations

import argparse
import time

import gymnasium
import mrdro
import mrdro.gym  # noqa: F401
import numpy as np
from mrdro.sb3 import VecEnv
from numpy.typing import NDArray
from stable_baselines3 import PPO


def q2_of(model: PPO, scenario: mrdro.Scenario, tasks: bool) -> float:
    """Q2 of a policy's decisions of the standard set: the mean ratio of the optimal to the obtained cost."""
    workloads = scenario.standard_set()
    env = gymnasium.make_vec(
        "mrdro/OffloadingTasks-v0" if tasks else "mrdro/Offloading-v0",
        num_envs=len(workloads),
        vectorization_mode="vector_entry_point",
        scenario=scenario,
        optimum=True,
    )
    options = {"workload": workloads.sizes_mb, "environment": workloads.environments}
    observations, _ = env.reset(seed=0, options=options)
    while True:
        actions, _ = model.predict(observations, deterministic=True)
        observations, *_, infos = env.step(actions)
        if "final_info" in infos:
            return float(np.mean(infos["final_info"]["q2"]))


def train(scenario: mrdro.Scenario, tasks: bool, steps: list[int], seed: int) -> list[tuple[float, float]]:
    """Q2 and seconds of training after each number of steps."""
    model = PPO("MlpPolicy", VecEnv(scenario, 64, tasks=tasks), n_steps=32, batch_size=256, seed=seed, device="cpu")
    found, seconds, done = [], 0.0, 0
    for count in steps:
        begin = time.perf_counter()
        model.learn(count - done, reset_num_timesteps=done == 0)
        seconds += time.perf_counter() - begin
        done = count
        found.append((q2_of(model, scenario, tasks), seconds))
    return found


def classic(scenario: mrdro.Scenario, scheme: str) -> float:
    """Q2 of a scheme's decisions of the standard set."""
    workloads = scenario.standard_set()
    decided: NDArray[np.float64] = (
        scenario.cost_model().decide(workloads.sizes_mb, scheme, environment=workloads.environments).cost
    )
    return float(np.mean(workloads.optimal / decided))


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", default="paper")
    parser.add_argument("--steps", type=int, nargs="+", default=[40_000, 200_000])
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    scenario = mrdro.Scenario.load(arguments.scenario)
    print("| method | steps | Q2 | training |\n|---|---:|---:|---:|")
    for scheme in ("random", "cloud", "greedy", "exact"):
        if scheme in scenario.cost_model().schemes():
            print(f"| {scheme} | | {classic(scenario, scheme):.5f} | |", flush=True)
    if arguments.scenario in ("paper", "paper-wan"):
        workloads = scenario.standard_set()
        decided = mrdro.Record.shipped(arguments.scenario).decide(workloads).cost
        print(f"| MR-DRO, shipped record | | {np.mean(workloads.optimal / decided):.5f} | |", flush=True)
    for tasks in (False, True):
        runs = [train(scenario, tasks, arguments.steps, seed) for seed in range(1, arguments.seeds + 1)]
        for steps, results in zip(arguments.steps, zip(*runs, strict=True), strict=True):
            q2 = ", ".join(f"{q2:.3f}" for q2, _ in results)
            seconds = min(seconds for _, seconds in results)
            name = "PPO, task by task" if tasks else "PPO, whole workloads"
            print(f"| {name} | {steps:,} | {q2} | {seconds:.0f} s |", flush=True)


if __name__ == "__main__":
    main()
