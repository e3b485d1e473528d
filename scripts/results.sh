#!/usr/bin/env bash
# Every run behind docs/results.md: trains, and prints the tables.
#
#   scripts/results.sh [OUT]            runs are written below OUT [default: runs/results]
#   SEEDS="1 2 3 4 5" scripts/results.sh  other seeds than 1 2 3
#   TRAINER=target/release/trainer ...  another build of the program
#   SIZES=sizes.txt scripts/results.sh  also the scenario of recorded task sizes (see scripts/task_sizes.py)
#
# Finished runs are kept: started again, it goes on where it stopped.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-runs/results}
seeds=${SEEDS:-1 2 3}
trainer=${TRAINER:-target/debug/trainer}
[ -n "${TRAINER:-}" ] || cargo build --quiet -p trainer

train() { # NAME SEED OPTIONS...
    local directory=$out/$1-seed$2
    [ -e "$directory/results.json" ] && return
    rm -rf "$directory"
    echo "training $directory" >&2
    "$trainer" train --seed "$2" --out "$directory" "${@:3}" >/dev/null 2>"$out/last.log" || { cat "$out/last.log" >&2; exit 1; }
}

mkdir -p "$out"
for seed in $seeds; do
    for scenario in paper paper-wan paper-fitted; do
        for training in recommended paper; do
            train "$scenario-$training" "$seed" --scenario "$scenario" --training "$training"
        done
    done
    for dnns in 3 8; do
        train "ddlo-recommended-k$dnns" "$seed" --scenario ddlo --set network.dnns=$dnns
        train "ddlo-paper-random-k$dnns" "$seed" --scenario ddlo --training paper --set network.dnns=$dnns --set meta.outer_steps=0
    done
    # The trap and the way out: three starts, with and without exploration, in the printed Algorithm 2.
    printed=(--scenario paper-wan --training paper --set drl.steps=10000)
    explored=("${printed[@]}" --set drl.exploration=order-preserving --set drl.flips=6 --set drl.choice=per-device)
    train trap-random-threshold "$seed" "${printed[@]}" --set meta.outer_steps=0
    train trap-greedy-threshold "$seed" "${printed[@]}"
    train trap-search-threshold "$seed" "${printed[@]}" --set meta.labels=local-search
    train trap-random-explored "$seed" "${explored[@]}" --set meta.outer_steps=0
    train trap-greedy-explored "$seed" "${explored[@]}"
    train trap-search-explored "$seed" "${explored[@]}" --set meta.labels=local-search
    if [ -n "${SIZES:-}" ]; then
        scenario=$out/recorded.toml
        sed -e '0,/^name = .*/s//name = "recorded"/' \
            -e "s|^size_mb = .*|size_mb = { distribution = \"file\", path = \"$(realpath "$SIZES")\" }|" \
            crates/sim/scenarios/paper-wan.toml >"$scenario"
        train recorded-recommended "$seed" --scenario "$scenario"
        train recorded-paper "$seed" --scenario "$scenario" --training paper
    fi
done

picture() { # LABEL NAME ... -> arguments for `trainer plot`
    local label name seed
    while [ $# -gt 0 ]; do
        label=$1 name=$2
        shift 2
        for seed in $seeds; do echo "$label=$out/$name-seed$seed"; done
    done
}
mapfile -t runs < <(picture \
    "random start" trap-random-threshold "greedy labels" trap-greedy-threshold "local-search labels" trap-search-threshold \
    "random start, explored" trap-random-explored "greedy labels, explored" trap-greedy-explored \
    "local-search labels, explored" trap-search-explored)
"$trainer" plot --title "paper-wan: the trap of greedy labels, and the way out" --out "$out/trap.svg" "${runs[@]}"
python3 scripts/summarise.py "$out"
