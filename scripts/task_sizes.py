#!/usr/bin/env python3
"""Task sizes in MB (10^6 bytes), one a line, from recorded workflows in WfFormat 1.5.

usage: scripts/task_sizes.py FOLDER > sizes.txt

The size of a task is the sum of its input files. Tasks below 1 MB or above 50 MB are left out; how many is said on
standard error. A scenario draws from the file with
    size_mb = { distribution = "file", path = "sizes.txt" }
"""

import json
import pathlib
import sys


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    files = sorted(pathlib.Path(sys.argv[1]).glob("*.json"))
    if not files:
        sys.exit(f"error: {sys.argv[1]} holds no *.json files")
    kept = total = 0
    for file in files:
        workflow = json.loads(file.read_text())["workflow"]["specification"]
        sizes = {item["id"]: item["sizeInBytes"] for item in workflow["files"]}
        print(f"# {file.name}")
        for task in workflow["tasks"]:
            megabytes = sum(sizes.get(name, 0) for name in task.get("inputFiles", [])) / 1e6
            total += 1
            if 1 <= megabytes <= 50:
                kept += 1
                print(megabytes)
    print(f"{kept} of {total} tasks are between 1 and 50 MB", file=sys.stderr)


main()
