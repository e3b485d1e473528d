#!/usr/bin/env bash
# Checks that scripts/read_export.py, which knows nothing but an exported file, decides as `trainer decide` does: with the
# shipped records for one scenario and with small trained ones whose networks differ in every way that a file can describe.
# Of networks for any fleet it checks the scores of every round from given inputs.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --quiet -p trainer
trainer=${CARGO_TARGET_DIR:-$PWD/target}/debug/trainer
python3 -c 'import ensurepip, venv' 2>/dev/null || { apt-get update -qq && apt-get install -y -qq python3-venv; }
venv=target/export-venv
[[ -x $venv/bin/python ]] || python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

small=(--set drl.steps=60 --set drl.buffer=20 --set drl.batch=8 --set drl.report_every=20 --set meta.outer_steps=5
    --set meta.metadata=50 --set 'network.hidden=[8]')
train() {
    "$trainer" train "${small[@]}" --out "$folder/$1" "${@:2}" >/dev/null 2>&1
    printf '%s\n' "$folder/$1/record"
}
# The file of a scenario with latencies and uneven instructions per byte: its name, its lines of tasks, how the edge is shared.
detailed() {
    cat >"$folder/$1.toml" <<EOF
name = "$1"
alpha = 0.5
instructions_per_byte = [1000, 330, 500]
transmit_energy_nj_per_byte = 0.1
devices = { count = 3, frequency_mhz = 100, energy_per_instruction_nj = 3, uplink_mbps = [500, 20, 50] }
[tasks]
size_mb = { distribution = "uniform", min = 10, max = 30 }
$2
[[servers]]
name = "edge"
tier = "edge"
frequency_mhz = 600
energy_per_instruction_nj = 1.5
sharing = "$3"
latency_ms = 500
[[servers]]
name = "cloud"
tier = "cloud"
frequency_mhz = 1000
energy_per_instruction_nj = 1
latency_ms = 4000
EOF
    printf '%s\n' "$folder/$1.toml"
}
hard=$(detailed hard $'per_device = 3\ndeadline_s = 60\ndeadline_rule = "hard"' dedicated)
penalty=$(detailed penalty $'per_device = 3\ndeadline_s = [60, 40, 90]\ndeadline_rule = "penalty"\ndeadline_penalty = 30' shared)
absent=$(detailed absent $'per_device = [3, 0, 2]\ndeadline_s = 60\ndeadline_rule = "hard"' dedicated)
records=(models/paper models/paper-wan models/mobile
    "$(train categorical --set 'network.code="categorical"')"
    "$(train explored --set 'decision.exploration="order-preserving"' --set decision.flips=4)"
    "$(train shared --scenario shared-edges --set 'decision.exploration="order-preserving"')"
    "$(train by-device --scenario paper-wan --set 'decision.choice="per-device"')"
    "$(train hard --scenario "$hard" --set 'decision.exploration="order-preserving"')"
    "$(train penalty --scenario "$penalty" --set 'network.code="categorical"')"
    "$(train absent --scenario "$absent" --set 'decision.choice="per-device"' --set 'decision.exploration="order-preserving"')")
for record in "${records[@]}"; do
    out=$(mktemp -d -p "$folder")
    "$trainer" export --record "$record" --out "$out/exported" 2>/dev/null
    "$venv/bin/python" scripts/check_export.py "$trainer" "$record" "$out/exported/ensemble.safetensors"
done
"$trainer" export --record models/any-fleet --out "$folder/any-fleet" 2>/dev/null
cargo run --quiet -p model --example fleet_rounds >"$folder/rounds.json"
"$venv/bin/python" scripts/check_export.py --rounds "$folder/rounds.json" "$folder/any-fleet/ensemble.safetensors"
