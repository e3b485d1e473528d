#!/usr/bin/env bash
# Runs the tests of the kernels, which draw shapes, batches and fleets at random, under valgrind's memory checker.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v valgrind >/dev/null || { echo "valgrind is not installed: apt-get install valgrind" >&2; exit 1; }
for test in kernel_training kernel_inference fleet; do
    messages=$(cargo test --quiet --workspace --test "$test" --no-run --message-format=json | grep "crates/model/tests/$test.rs")
    program=$(grep -o "\"executable\":\"[^\"]*/$test-[^\"]*\"" <<<"$messages" | cut -d'"' -f4)
    valgrind --quiet --error-exitcode=9 "$program" --test-threads=1
done
