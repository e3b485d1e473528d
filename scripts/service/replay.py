#!/usr/bin/env python3
"""Opens pages that replay runs over time in Chromium, plays them, and compares their last figures with the program's answers.

    python3 scripts/service/replay.py --trainer target/debug/trainer --shots FOLDER

Needs `chromium` (apt-get install chromium) and the Python package websockets. Ends with status 1 at the first thing that
is wrong: a figure, an error on the console, an exception, something that the page's content security policy refuses.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from browser import Browser, Wrong, demand

TEXT = "document.getElementById({}).textContent"


def made(trainer, folder, name, *options):
    """The answer of a run, and the address of its page."""
    page = Path(folder, f"{name}.html")
    command = [trainer, "solve", *options, "--replay", str(page)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(answer.stdout), page.resolve().as_uri()


def text(browser, name):
    return browser.run(TEXT.format(json.dumps(name)))


def time_of(browser):
    return browser.run("Number(document.documentElement.dataset.time)")


def check(browser, name, address, figures, shots):
    browser.resize(1280, 900)
    browser.open(address)
    began = time_of(browser)
    browser.press("ArrowRight", 39)
    stepped = time_of(browser)
    demand(stepped > began, f"{name}: the right arrow goes nowhere from {began}")
    browser.press("ArrowLeft", 37)
    demand(time_of(browser) == began, f"{name}: the left arrow goes to {time_of(browser)}, not back to {began}")
    browser.press(" ", 32)
    browser.wait(f"{name} plays", f"Number(document.documentElement.dataset.time) > {stepped}")
    browser.press(" ", 32)
    demand(text(browser, "play") == "Play", f"{name}: the space bar does not pause")
    browser.set("#span", "0", "change")
    browser.set("#scrub", browser.run("""(() => {
        const { min, max } = document.getElementById("scrub");
        return String(Number(min) + 0.6 * (max - min));
    })()"""), "input")
    browser.click("#overview")
    browser.press("End", 35)
    for title, value in figures.items():
        shown = float(text(browser, title).replace(",", ""))
        demand(abs(shown - value) <= 0.006 * abs(value) + 0.006, f"{name}: {title} ends at {shown}, not {value}")
    browser.run("document.getElementById('span').selectedIndex = 1")
    browser.set("#scrub", browser.run("""(() => {
        const { min, max } = document.getElementById("scrub");
        return String(Number(min) + 0.51 * (max - min));
    })()"""), "input")
    browser.set("#span", browser.run("document.getElementById('span').options[1].value"), "change")
    if shots:
        shots.mkdir(parents=True, exist_ok=True)
        for width, scheme in [(1280, "light"), (1280, "dark"), (390, "light")]:
            browser.shoot(shots / f"replay-{name}-{width}-{scheme}.png", width, scheme)
    print(f"{name}: plays, and ends with {', '.join(f'{title} {value:.4g}' for title, value in figures.items())}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trainer", type=Path, required=True)
    parser.add_argument("--shots", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Browser() as browser:
        for name, scheme in [("dispatch", "one-step"), ("commute", "threshold@2")]:
            options = ["--scenario", name, "--scheme", scheme]
            answer, address = made(arguments.trainer, folder, name, *options)
            slots = name == "commute"
            figures = {"energy": answer["mean_energy_j"] * answer["tasks"], "time": answer["mean_delay_s"]} if slots else {}
            check(browser, name, address, figures, arguments.shots)
        shown = subprocess.run([arguments.trainer, "scenario", "show", "dispatch"], check=True, capture_output=True, text=True)
        scenario = Path(folder, "short.toml")
        scenario.write_text(shown.stdout.replace("= 30000", "= 3000"))
        answer, address = made(arguments.trainer, folder, "short", "--scenario", str(scenario), "--scheme", "greedy")
        figures = {"cost": answer["cost"], "energy": answer["mean_energy_j"], "time": answer["mean_delay_s"], "waiting": 0}
        check(browser, "short", address, figures, None)


if __name__ == "__main__":
    try:
        main()
    except Wrong as wrong:
        sys.exit(f"error: {wrong}")
