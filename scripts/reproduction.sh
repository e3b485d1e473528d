#!/usr/bin/env bash
# The figures and the tables of docs/reproduction.md and the README: trains for most of an hour, or goes on where it was
# stopped, copies the pictures to docs/images, and prints the tables as Markdown.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo run -p trainer -- reproduce --out reproduction
for picture in reproduction/*.svg; do cp "$picture" "docs/images/$(basename "$picture")"; done
python3 - reproduction/claims.csv reproduction/table4-*.csv <<'PYTHON'
import csv, sys

for path in sys.argv[1:]:
    rows = list(csv.reader(open(path, newline="")))
    print(f"\n{path}\n")
    print("| " + " | ".join(rows[0]) + " |")
    print("|" + "---|" * len(rows[0]))
    for row in rows[1:]:
        print("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
PYTHON
