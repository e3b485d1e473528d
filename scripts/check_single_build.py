#!/usr/bin/env python3
"""Checks that the commands of the README share one build of Burn, which takes minutes.

Cargo builds a crate a second time when two commands ask for other features of it or of what it depends on. This asks cargo
for the files that each command takes, without building what is built already, and fails if two commands take different
files of a crate of Burn (or of gemm, its matrix product).

    scripts/check_single_build.py
"""

import json
import subprocess
import sys

COMMANDS = [
    ["build", "-p", "trainer"],
    ["test", "--workspace", "--no-run"],
    ["test", "-p", "model", "--no-run"],
    ["test", "-p", "drl", "--no-run"],
    ["test", "-p", "acceptance", "--no-run"],
    ["build", "-p", "mrdro", "--examples"],
    ["rustc", "-p", "python", "--lib"],
]
HELP = "ask for the features that one command lacks in crates/shared-features/Cargo.toml"


def libraries(command):
    """The library files that a command takes, by crate."""
    run = subprocess.run(
        ["cargo", *command, "--message-format=json-render-diagnostics"], check=True, stdout=subprocess.PIPE, text=True
    )
    found = {}
    for line in run.stdout.splitlines():
        message = json.loads(line)
        if message.get("reason") != "compiler-artifact" or "lib" not in message["target"]["kind"]:
            continue
        name = message["target"]["name"]
        if name.startswith(("burn", "gemm")):
            found.setdefault(name, set()).update(file for file in message["filenames"] if file.endswith(".rlib"))
    return found


def main():
    taken = {}
    for command in COMMANDS:
        for name, files in libraries(command).items():
            for file in files:
                taken.setdefault(name, {}).setdefault(file, []).append("cargo " + " ".join(command))
    twice = {name: files for name, files in taken.items() if len(files) > 1}
    for name, files in sorted(twice.items()):
        print(f"{name} is built {len(files)} times:")
        for file, commands in files.items():
            print(f"  {file}\n    for {', '.join(commands)}")
    if twice:
        sys.exit(f"help: {HELP}")
    if not taken:
        sys.exit("cargo named no crate of Burn: the output that this script reads has changed")
    print(f"{len(taken)} crates of Burn and gemm are built once")


if __name__ == "__main__":
    main()
