#!/usr/bin/env bash
# Prints digests of what the program writes and answers, for comparing two builds: equal lines mean equal bytes.
#   scripts/digests.sh target/debug/trainer RECORDINGS > digests.txt
# RECORDINGS is a folder of recorded uplinks for the adaptation study; without it that part is left out.
# Left out of the digests, since they differ from run to run or from commit to commit: times, the number of threads, the
# source revision in manifests and the checksum over it.
set -euo pipefail
trainer=$(realpath "$1")
recordings=${2:+$(realpath "$2")}
models=$(realpath "$(dirname "$0")/../models")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

digest() { printf '%s  %s\n' "$(sha256sum | cut -c1-24)" "$1"; }
# Of a manifest: what does not name the commit. Of results: what is no time.
manifest() { grep -vE '^(sha256|source_revision|format_version|kind) ' "$1"; }
results() { grep -vE '"?(seconds|meta_seconds|drl_seconds|seconds_per_decision|microseconds_per_decision|threads)"?' "$1"; }
# A table as CSV without the columns of times, and without the claims about times.
without_times() {
    awk -F, '
        NR == 1 { for (c = 1; c <= NF; c++) if ($c ~ /seconds/) time[c] = 1 }
        / ms on one thread,/ { next }
        { for (c = 1; c <= NF; c++) if (!(c in time)) printf "%s,", $c; print "" }' "$1"
}
run() {
    digest "$2 metrics" < "$1/metrics.csv"
    digest "$2 weights" < "$1/record/weights.bpk"
    manifest "$1/record/manifest.toml" | digest "$2 manifest"
    digest "$2 config" < "$1/config.toml"
    results "$1/results.json" | digest "$2 results"
    digest "$2 curves" < "$1/curves.svg"
}

# Workloads of any size, the same each time.
workloads() {
    awk -v devices="$1" -v tasks="$2" -v count="$3" 'BEGIN {
        seed = 7
        for (w = 0; w < count; w++) {
            printf "{\"id\": %d, \"tasks_mb\": [", w
            for (n = 0; n < devices; n++) {
                printf "%s[", n ? ", " : ""
                for (m = 0; m < tasks; m++) { seed = (seed * 16807) % 2147483647; printf "%s%.4f", m ? ", " : "", 10 + 20 * seed / 2147483647 }
                printf "]"
            }
            print "]}"
        }
    }'
}
workloads 3 3 300 > small.jsonl

"$trainer" --out default > default.txt 2> /dev/null
run default "default run"
"$trainer" train --training paper --set drl.steps=2500 --set meta.outer_steps=200 --out paper > /dev/null 2>&1
run paper "short run of the paper's training"
"$trainer" train --scenario mobile --training environments --set drl.steps=1500 --out mobile > /dev/null 2>&1
run mobile "short run in changing environments"
"$trainer" meta --training adaptable --scenario mobile --set meta.outer_steps=100 --out meta > /dev/null 2>&1
run meta "short meta-learning"
"$trainer" train --scenario shared-edge --set drl.steps=1500 --out shared > /dev/null 2>&1
run shared "short run with a shared server"
"$trainer" fleet --set drl.steps=60 --set drl.report_every=30 --fleets 4 --out fleet > /dev/null 2>&1
run fleet "short run for any fleet"

for record in paper paper-wan mobile; do
    "$trainer" decide --record "$models/$record" small.jsonl | digest "decisions of models/$record"
    "$trainer" decide --record "$models/$record" --explore 6 small.jsonl | digest "explored decisions of models/$record"
done
for effort in "" --search-free "--budget 16"; do
    # shellcheck disable=SC2086 # no effort, or an option and its value
    "$trainer" decide --record "$models/any-fleet" --scenario shared-edges $effort small.jsonl | digest "decisions of models/any-fleet $effort"
done
for scheme in exact greedy greedy-largest-first local-search genetic random local-only edge-only local+edge annealing local-search@16 annealing@16 genetic@16; do
    "$trainer" solve --scenario shared-edge --scheme "$scheme" small.jsonl | digest "solve $scheme"
done
"$trainer" solve --scenario mobile --scheme greedy --share-out 30 small.jsonl | digest "solve with bandwidth shared out"
"$trainer" scenario list --format json | digest "scenario list"
"$trainer" scenario check shared-edges --format json | digest "scenario check"
results <("$trainer" compare --scenario paper-wan --record "$models/paper-wan" --format json 2> /dev/null) | digest "compare"

"$trainer" sweep --seeds 1-2 --vary network.dnns=1,8 --set drl.steps=2000 --set meta.outer_steps=50 --out sweep > /dev/null 2>&1
find sweep -name metrics.csv -o -name weights.bpk -o -name config.toml -o -name sweep.toml | LC_ALL=C sort | xargs sha256sum | digest "sweep"
digest "sweep summary" < sweep/summary.csv
if [ -n "$recordings" ]; then
    "$trainer" adaptation-study --traces "$recordings" --quick --out study > /dev/null 2>&1
    for table in study/*.csv; do without_times "$table"; done | digest "adaptation study"
    digest "study definition" < study/study.toml
    # Times stand in the results of each seed beside everything else.
    sed -E 's/"seconds":[0-9.e+-]+//g' study/seeds/*.json | digest "seeds of the study"
fi
