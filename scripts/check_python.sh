#!/usr/bin/env bash
# Builds the Python package into a virtual environment of its own and checks it: its tests, its types, the README's lines of
# Python and the notebooks. Call it when `cargo build -p trainer` has built Burn: this must not build it again.
set -euo pipefail
cd "$(dirname "$0")/.."
python3 -c 'import ensurepip, venv' 2>/dev/null || { apt-get update -qq && apt-get install -y -qq python3-venv; }
venv=target/python-venv
[[ -x $venv/bin/python ]] || python3 -m venv "$venv"
# shellcheck disable=SC1091
. "$venv/bin/activate"
pip install --quiet --disable-pip-version-check \
    'maturin>=1.9.4,<2' pytest 'numpy>=2' 'gymnasium>=1.1,<2' 'pettingzoo>=1.24' pandas polars networkx matplotlib onnx tensorboard tqdm mypy ruff nbclient ipykernel

printf 'the package\n'
log=$(mktemp)
folder=$(mktemp -d)
trap 'rm -rf "$log" "$folder"' EXIT
maturin develop 2>&1 | tee "$log" | tail -n 1
! grep -E 'Compiling (burn|gemm|cubecl)' "$log" || { echo "the Python package builds Burn again; see scripts/check_single_build.py"; exit 1; }

printf 'tests\n'
pytest --quiet python/tests

printf 'format, lints and types\n'
ruff format --check python
ruff check python
mypy
python -m mypy.stubtest mrdro._mrdro --mypy-config-file pyproject.toml | tail -n 1

printf 'the lines of Python in README.md\n'
awk '/^```python$/ { inside = 1; next } /^```$/ { inside = 0 } inside' README.md >"$folder/readme.py"
(cd "$folder" && python -W error readme.py)

printf 'the notebooks\n'
(cd "$folder" && python - "$OLDPWD"/docs/notebooks/*.ipynb <<'END'
import sys
import time

import nbformat
from nbclient import NotebookClient

for path in sys.argv[1:]:
    start = time.perf_counter()
    NotebookClient(nbformat.read(path, as_version=4), timeout=120).execute()
    print(f"{path.rsplit('/', 1)[-1]}: {time.perf_counter() - start:.0f} s")
END
)
