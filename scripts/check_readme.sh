#!/usr/bin/env bash
# Runs every command of the README's `sh` blocks but its tests, in order, in a folder of their own.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo run --quiet -p trainer -- --version
program=$PWD/target/debug/trainer
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
ln -s "$PWD/models" "$folder/models"
mapfile -t commands < <(awk '/^```sh$/ { inside = 1; next } /^```$/ { inside = 0 } inside' README.md | grep -v '^cargo test')
cd "$folder"
for command in "${commands[@]}"; do
    printf '$ %s\n' "$command"
    command=${command/cargo run -p trainer -- /$program }
    command=${command/cargo run -p trainer/$program}
    bash -euo pipefail -c "$command" </dev/null >output 2>&1 || { cat output; exit 1; }
done
