#!/usr/bin/env bash
# The studies behind docs/adaptation.md: trains and adapts for most of an hour, or goes on where it was stopped, copies
# the pictures to docs/images, and prints the tables as Markdown.
#
#   scripts/adaptation.sh TRACES SPLIT [OTHER]
#
# TRACES  folder of uplink recordings with the folders campus, suburban and urban (github.com/BenSliwa/DDS)
# SPLIT   CSV with the columns file and role (train or validation)
# OTHER   other recordings to test on: Dataset_1/Subway_Q_Train of github.com/NYU-METS/Main
set -euo pipefail
traces=$(realpath "$1") split=$(realpath "$2") other=${3:+$(realpath "$3")}
cd "$(dirname "$0")/.."
study() { cargo run --quiet -p trainer -- adaptation-study --traces "$traces" --split "$split" "${@:2}" --out "runs/adaptation/$1"; }
mkdir -p runs/adaptation
study validation
study urban --leave-out urban
[ -z "$other" ] || study subway --test "$other" --seeds 1-4
for folder in runs/adaptation/*/; do
    for picture in adaptation followed replay; do cp "$folder$picture.svg" "docs/images/$picture-$(basename "$folder").svg"; done
done
python3 scripts/markdown_tables.py runs/adaptation/*/{comparison,claims,costs,choices}.csv
