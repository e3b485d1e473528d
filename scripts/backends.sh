#!/usr/bin/env bash
# Times of a training step and of a decision on every device of this machine, over K and the size of the fleet: the
# tables of docs/backends.md. Takes some minutes without a graphics card.
#   scripts/backends.sh [--format csv|json]
set -euo pipefail
cd "$(dirname "$0")/.."
trainer() { cargo run --quiet -p trainer --features ndarray,wgpu,remote -- "$@"; }
folder=$(mktemp -d)
trap 'kill "${worker:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
fleet() { # N M
    trainer scenario show paper | sed -e "s/^count = 3 /count = $1 /" -e "s/^per_device = 3 /per_device = $2 /" >"$folder/$1x$2.toml"
    echo "--scenario $folder/$1x$2.toml"
}
# shellcheck disable=SC2046 # two words each
scenarios=(--scenario paper $(fleet 10 5) $(fleet 20 10))
trainer worker --listen 127.0.0.1:3917 --device ndarray >"$folder/worker.log" 2>&1 &
worker=$!
trainer devices --measure "${scenarios[@]}" --dnns 1,8,64,256 --device flex --device ndarray --device wgpu \
    --device remote:127.0.0.1:3917 "$@" | sed "s|$folder/||"
