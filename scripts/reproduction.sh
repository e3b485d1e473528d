#!/usr/bin/env bash
# The figures and the tables of docs/reproduction.md, docs/task-graphs.md and the README: trains for most of an hour, or goes on where it was
# stopped, copies the pictures to docs/images, and prints the tables as Markdown.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo run -p trainer -- reproduce --out reproduction
for picture in reproduction/*.svg; do cp "$picture" "docs/images/$(basename "$picture")"; done
python3 scripts/markdown_tables.py reproduction/claims.csv reproduction/table4-*.csv reproduction/graphs-claims.csv
