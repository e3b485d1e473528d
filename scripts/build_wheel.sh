#!/usr/bin/env bash
# Builds the wheel to hand out, for every Linux on x86_64 from 2014 on: in the profile `wheel`, linked by zig against an old C
# library (manylinux2014). Takes some minutes. The wheel is in the folder `dist`.
set -euo pipefail
cd "$(dirname "$0")/.."
python3 -c 'import ensurepip, venv' 2>/dev/null || { apt-get update -qq && apt-get install -y -qq python3-venv; }
venv=target/wheel-venv
[[ -x $venv/bin/python ]] || python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check 'maturin>=1.9.4,<2' ziglang
PATH=$PWD/$venv/bin:$PATH maturin build --zig --compatibility manylinux2014 --profile wheel --out dist "$@"
ls -l dist/*.whl
