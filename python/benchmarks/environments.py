"""Print how many steps per second the environments take, beside CartPole of Gymnasium: the table of the documentation.

    python python/benchmarks/environments.py [--seconds 20]

Each figure is the best of several repetitions, taken in turns so that a busy machine disturbs all of them alike.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import gymnasium
import mrdro
import mrdro.gym  # noqa: F401
import numpy as np

SINGLE = [
    ("CartPole-v1", {}),
    ("mrdro/Offloading-v0", {}),
    ("mrdro/Offloading-v0", {"optimum": False}),
    ("mrdro/Offloading-v0", {"scenario": "mobile", "optimum": False}),
    ("mrdro/Offloading-v0", {"scenario": "shared-edge"}),
    ("mrdro/OffloadingTasks-v0", {}),
    ("mrdro/Dispatch-v0", {"tasks": 1000}),
]
VECTOR = [
    ("mrdro/Offloading-v0", {}),
    ("mrdro/Offloading-v0", {"optimum": True}),
    ("mrdro/Offloading-v0", {"scenario": "mobile"}),
    ("mrdro/Offloading-v0", {"scenario": "shared-edge"}),
    ("mrdro/OffloadingTasks-v0", {}),
    ("mrdro/Dispatch-v0", {"tasks": 1000}),
    ("mrdro/Dispatch-v0", {"tasks": 1000, "site_seed": 1}),
]


def single(env: gymnasium.Env, steps: int) -> Callable[[], int]:
    """A function that steps a single environment, with resets."""
    env.action_space.seed(1)
    actions = [env.action_space.sample() for _ in range(64)]
    env.reset(seed=1)

    def run() -> int:
        for index in range(steps):
            _, _, terminated, truncated, _ = env.step(actions[index % 64])
            if terminated or truncated:
                env.reset()
        return steps

    return run


def vector(env: gymnasium.vector.VectorEnv, steps: int) -> Callable[[], int]:
    """A function that steps many environments at once."""
    env.action_space.seed(1)
    actions = env.action_space.sample()
    env.reset(seed=1)

    def run() -> int:
        for _ in range(steps):
            env.step(actions)
        return steps * env.num_envs

    return run


def cases() -> list[tuple[str, str, Callable[[], int]]]:
    """The environment, its arguments and how it is stepped, and a function that steps it."""
    told = lambda arguments: ", ".join(f"{key}={value}" for key, value in arguments.items())  # noqa: E731
    found = []
    for name, arguments in SINGLE:
        env = gymnasium.make(name, **arguments)
        found.append((name, f"{told(arguments)}|one, `gymnasium.make`", single(env, 5_000)))
    bare = gymnasium.make("mrdro/Offloading-v0").unwrapped
    found.append(("mrdro/Offloading-v0", "|one, without wrappers", single(bare, 5_000)))
    for count in (8, 64, 1024):
        mode = {"num_envs": count, "vectorization_mode": "vector_entry_point"}
        steps = max(4, 20_000 // count)
        own = gymnasium.make_vec("CartPole-v1", **mode)
        found.append(("CartPole-v1", f"|{count}, NumPy, one step of all", vector(own, steps)))
        for name, arguments in VECTOR if count == 1024 else VECTOR[:1]:
            env = gymnasium.make_vec(name, **mode, **arguments)
            found.append((name, f"{told(arguments)}|{count}, Rust, {mrdro.threads()} threads", vector(env, steps)))
    return found


def of_stable_baselines3() -> list[tuple[str, str, Callable[[], int]]]:
    """The vectors that Stable-Baselines3 takes; none if it is not installed."""
    try:
        from mrdro.sb3 import VecEnv
        from stable_baselines3.common.vec_env import DummyVecEnv
    except ImportError:
        return []

    def stepper(env: VecEnv | DummyVecEnv, steps: int) -> Callable[[], int]:
        env.reset()
        actions = np.array([env.action_space.sample() for _ in range(env.num_envs)])

        def run() -> int:
            for _ in range(steps):
                env.step(actions)
            return steps * env.num_envs

        return run

    name = "mrdro/Offloading-v0"
    own = stepper(VecEnv("paper", 64, seed=1), 300)
    dummy = stepper(DummyVecEnv([lambda: gymnasium.make(name, optimum=False)] * 64), 60)
    return [(name, "|64, `mrdro.sb3.VecEnv`", own), (name, "optimum=False|64, `DummyVecEnv`", dummy)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="time for all measurements together")
    end = time.perf_counter() + parser.parse_args().seconds
    measured = cases() + of_stable_baselines3()
    best = np.zeros(len(measured))
    while time.perf_counter() < end:
        for index, (_, _, run) in enumerate(measured):
            begin = time.perf_counter()
            steps = run()
            best[index] = max(best[index], steps / (time.perf_counter() - begin))
    print("| environment | arguments | environments | steps per second |\n|---|---|---|---:|")
    for (name, text, _), rate in zip(measured, best, strict=True):
        arguments, how = text.split("|")
        print(f"| `{name}` | {arguments} | {how} | {rate:,.0f} |")


if __name__ == "__main__":
    main()
