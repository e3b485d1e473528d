#!/usr/bin/env bash
# Installs Stable-Baselines3 and a torch for the processor alone into a virtual environment of its own, and checks the
# environments with both: the check of Stable-Baselines3, short trainings, and the tests that otherwise run with a stand-in.
#
#     scripts/check_sb3.sh [FOLDER]       # FOLDER: the virtual environment, by default target/sb3
#
# Not a part of CI: where only the package index is reached, torch comes with CUDA, 3 GB to fetch. TORCH_INDEX names another index.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-target/sb3}
index=${TORCH_INDEX:-https://download.pytorch.org/whl/cpu}

[ -x "$folder/bin/python" ] || python3 -m venv "$folder"
pip() { "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }
"$folder/bin/python" -c 'import torch' 2>/dev/null || pip --index-url "$index" torch || pip torch
pip 'gymnasium>=1.1,<2' pettingzoo pytest stable-baselines3 sb3-contrib maturin
VIRTUAL_ENV=$(cd "$folder" && pwd) "$folder/bin/maturin" develop --quiet

export OMP_NUM_THREADS=1
"$folder/bin/python" - <<'PYTHON'
import warnings

import gymnasium
from sb3_contrib import MaskablePPO
from stable_baselines3 import PPO
from stable_baselines3.common.env_checker import check_env
from stable_baselines3.common.vec_env import VecMonitor

import mrdro.gym
from mrdro.sb3 import VecEnv

warnings.simplefilter("error")
for scenario in ("paper", "paper-wan", "shared-edge", "shared-edges", "mobile", "deadlines"):
    for name in ("Offloading", "OffloadingTasks"):
        check_env(gymnasium.make(f"mrdro/{name}-v0", scenario=scenario))
warnings.simplefilter("default")
for tasks in (False, True):
    PPO("MlpPolicy", VecMonitor(VecEnv("paper", 16, tasks=tasks)), n_steps=32, device="cpu").learn(2_000)
    MaskablePPO("MlpPolicy", VecEnv("deadlines", 16, tasks=tasks), n_steps=32, device="cpu").learn(2_000)
print("Stable-Baselines3 accepts and trains on every environment")
PYTHON
"$folder/bin/python" -m pytest -q python/tests/test_sb3.py
