#!/usr/bin/env bash
# Runs every command of the README's `sh` blocks but its tests, in order, and leaves nothing behind.
set -euo pipefail
cd "$(dirname "$0")/.."
left=(workloads.jsonl mine.toml exported exported-dnns)
for path in "${left[@]}" runs; do
    [ ! -e "$path" ] || { echo "error: $path is in the way" >&2; exit 1; }
done
trap 'rm -rf "${left[@]}" runs' EXIT
awk '/^```sh$/ { inside = 1; next } /^```$/ { inside = 0 } inside' README.md | grep -v '^cargo test' |
    while IFS= read -r command; do
        printf '$ %s\n' "$command"
        bash -euo pipefail -c "${command/cargo run /cargo run --quiet }" </dev/null >/tmp/readme.$$ 2>&1 || { cat /tmp/readme.$$; rm -f /tmp/readme.$$; exit 1; }
        rm -f /tmp/readme.$$
    done
