"""Prints CSV files as Markdown tables: python3 scripts/markdown_tables.py FILE.csv ..."""

import csv
import sys

for path in sys.argv[1:]:
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    print(f"\n{path}\n")
    print("| " + " | ".join(rows[0]) + " |")
    print("|" + "---|" * len(rows[0]))
    for row in rows[1:]:
        print("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
