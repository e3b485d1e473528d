#!/usr/bin/env python3
"""Drives the service's page in Chromium, and compares every number on it with what the service itself answers.

    python3 scripts/service/browser.py --trainer target/debug/trainer --record models/mobile --shots FOLDER [--drive FILE]

Needs `chromium` (apt-get install chromium) and the Python package websockets. Ends with status 1 at the first thing that
is wrong: a number, an error on the console, an exception, something that the page's content security policy refuses.
"""

import argparse
import base64
import contextlib
import http.client
import itertools
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from load import Service
from websockets.sync.client import connect

PATIENCE_S = 15
# What the page shows, and where its sliders stand.
READING = """
(() => {
  const all = (selector, of) => [...document.querySelectorAll(selector)].map(of);
  const cells = (row) => [...row.cells].map((cell) => cell.textContent);
  const shown = ["cost", "energy", "time", "cost-greedy", "cost-exact", "decided-in"].map((id) => {
    const { dataset, textContent } = document.getElementById(id);
    return [id, { value: dataset.value, text: textContent }];
  });
  return {
    decisions: Number(document.documentElement.dataset.decisions ?? 0),
    status: document.getElementById("status").dataset.state,
    problem: document.getElementById("problem").textContent,
    scheme: document.getElementById("scheme").value,
    sliders: Object.fromEntries(all("input[type=range]", (input) => [input.id, Number(input.value)])),
    shown: Object.fromEntries(shown),
    q2: document.getElementById("cost-note").textContent,
    rows: Object.fromEntries(all("tr[id^=row-]", (row) => [row.id.slice(4), cells(row)])),
    tasks: all("#table tbody tr", cells),
    play: document.getElementById("play").textContent,
    drive: document.getElementById("drive-name").textContent,
  };
})()
"""
# The policy's refusals are not always put on the console.
TELL_REFUSALS = """
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
  console.error(`the content security policy refuses ${blockedURI || "inline content"} (${violatedDirective})`));
"""
RECORDING = [(20, 5, 3), (2, 30, 0.4), (0.5, 1, 40), (9, 9, 9)]


class Wrong(Exception):
    """Something is not as it must be."""


def demand(holds, words):
    if not holds:
        raise Wrong(words)


class Browser:
    """A Chromium with one page, ended with the `with` block; `options` are Chromium's own."""

    def __init__(self, *options):
        self.options = options

    def __enter__(self):
        program = shutil.which("chromium")
        demand(program, "chromium is not installed: apt-get install chromium")
        with contextlib.ExitStack() as stack:
            self.profile = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
            command = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                       "--no-first-run", "--disable-background-networking", "--remote-debugging-port=0",
                       f"--user-data-dir={self.profile}", *self.options, "about:blank"]
            self.log = stack.enter_context(open(self.profile / "chromium.log", "w+"))
            # A group of its own: Chromium is many processes.
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                            start_new_session=True)
            stack.callback(self._kill)
            self.socket = stack.enter_context(connect(self._address(), max_size=None, proxy=None))
            self.ids = itertools.count(1)
            for domain in ["Page", "Runtime", "Log", "DOM"]:
                self.call(f"{domain}.enable")
            self.call("Page.addScriptToEvaluateOnNewDocument", source=TELL_REFUSALS)
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def _kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _address(self):
        file = self.profile / "DevToolsActivePort"
        end = time.monotonic() + PATIENCE_S * 2
        while time.monotonic() < end and self.process.poll() is None:
            if file.exists() and len(lines := file.read_text().split()) == 2:
                connection = http.client.HTTPConnection("127.0.0.1", int(lines[0]), timeout=PATIENCE_S)
                connection.request("GET", "/json/list")
                pages = [each for each in json.load(connection.getresponse()) if each["type"] == "page"]
                connection.close()
                if pages:
                    return pages[0]["webSocketDebuggerUrl"]
            time.sleep(0.05)
        self.log.seek(0)
        raise Wrong(f"Chromium does not start:\n{self.log.read()[-3000:]}")

    def call(self, method, **parameters):
        number = next(self.ids)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        end = time.monotonic() + PATIENCE_S * 2
        while True:
            try:
                message = json.loads(self.socket.recv(timeout=max(0.01, end - time.monotonic())))
            except TimeoutError:
                raise Wrong(f"Chromium does not answer to {method}") from None
            if message.get("id") == number:
                demand("error" not in message, f"{method}: {message.get('error')}")
                return message["result"]
            self._notice(message)

    @staticmethod
    def _notice(message):
        event, about = message.get("method"), message.get("params", {})
        if event == "Runtime.exceptionThrown":
            details = about["exceptionDetails"]
            raise Wrong(f"the page throws: {details.get('exception', {}).get('description', details['text'])}")
        if event == "Runtime.consoleAPICalled" and about["type"] in ("error", "assert"):
            words = [str(each.get("value", each.get("description"))) for each in about["args"]]
            raise Wrong(f"an error on the console: {' '.join(words)}")
        entry = about.get("entry") if event == "Log.entryAdded" else None
        if entry and (entry["level"] == "error" or entry["source"] == "security"):
            where = entry.get("url", "no address")
            raise Wrong(f"an error on the console: {entry['text']} ({entry['source']}, {where})")

    def run(self, script):
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise Wrong(f"the page throws at {script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def wait(self, what, condition, seconds=PATIENCE_S):
        """Waits for a script to be true."""
        end = time.monotonic() + seconds
        while not self.run(condition):
            demand(time.monotonic() < end, f"after {seconds:.0f} s still not: {what}")
            time.sleep(0.02)

    def open(self, url):
        self.run("globalThis.isOld = true")
        self.call("Page.navigate", url=url)
        self.wait("the page is ready", "!globalThis.isOld && document.documentElement?.dataset.ready === 'true'")

    def press(self, key, code):
        for kind in ["rawKeyDown", "keyUp"]:
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def click(self, selector):
        """With the mouse, as people do."""
        spot = self.run(f"""(() => {{
            const target = document.querySelector({json.dumps(selector)});
            target.scrollIntoView({{ block: "center" }});
            const {{ x, y, width, height }} = target.getBoundingClientRect();
            return {{ x: x + width / 2, y: y + height / 2 }};
        }})()""")
        for kind in ["mousePressed", "mouseReleased"]:
            self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **spot)

    def set(self, selector, value, event):
        self.run(f"""(() => {{
            const target = document.querySelector({json.dumps(selector)});
            target.value = {json.dumps(value)};
            target.dispatchEvent(new Event({json.dumps(event)}, {{ bubbles: true }}));
        }})()""")

    def choose_file(self, selector, path):
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def resize(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 600)
        # What is drawn for a width is drawn one frame later, and what glides takes a moment.
        self.run("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 500)))")

    def shoot(self, path, width, scheme):
        """A picture of the whole page."""
        self.call("Emulation.setScrollbarsHidden", hidden=True)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.resize(width, 900)
        wide, tall = self.run("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
        demand(wide <= width, f"at {width} px the page is {wide} px wide and scrolls sideways")
        self.run("scrollTo(0, 0)")
        self.resize(width, tall)
        image = self.call("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(image))


def power(position, own):
    """What a slider of decimal logarithms stands for; one that nobody moved, for the scenario's own value between steps."""
    return own if abs(position - math.log10(own)) < 0.0051 else float(f"{10 ** position:.3g}")


def figure(value):
    """As the page writes a number."""
    digits = 0 if value == 0 else 1 if abs(value) >= 1000 else 2 if abs(value) >= 10 else 3
    return f"{Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP):,}"


def percent(share):
    return f"{math.floor(share * 1e4 + 1e-5) / 100:.2f} %"


def missed(answer):
    """The cell of missed deadlines, where there are deadlines."""
    return [f"{answer['missed_deadlines']} of {answer['tasks_with_deadline']}"] if "missed_deadlines" in answer else []


def deadline(task):
    """The cell of a task's deadline, where it has one."""
    if "deadline_s" not in task:
        return []
    return [figure(task["deadline_s"]) + (", missed" if task["missed_deadline"] else "")]


class Page:
    """The page and the service behind it, side by side."""

    def __init__(self, browser, service):
        self.browser, self.service = browser, service
        self.scenario = service.get("/v1/scenario")

    def read(self):
        return self.browser.run(READING)

    def asked(self, sliders, uplinks):
        """What the page must ask for, with the replay's uplinks if they are given."""
        own = self.scenario["own_environment"]
        devices, servers = range(self.scenario["devices"]), range(len(self.scenario["servers"]))
        counts = self.scenario.get("tasks_of_devices") or [self.scenario["tasks_per_device"]] * len(devices)
        deadlines = self.scenario.get("deadlines", {}).get("deadline_s")
        return {
            "tasks_mb": [[sliders[f"size-{device}-{task}"] for task in range(counts[device])] for device in devices],
            **({"deadline_s": [seconds and power(sliders[f"deadline-{device}"], seconds)
                               for device, seconds in enumerate(deadlines)]} if deadlines else {}),
            "environment": {
                "uplink_mbps": uplinks or [power(sliders[f"uplink-{device}"], own["uplink_mbps"][device]) for device in devices],
                "capacity": [power(sliders[f"capacity-{server}"], own["capacity"][server]) for server in servers],
                "alpha": sliders["alpha"],
            },
        }

    def expected(self, request, scheme):
        """The page's numbers as the service answers: by name, the exact value or the text."""
        answers = {role: self.service.decide({**request, "scheme": name, "explain": True})
                   for role, name in [("chosen", scheme), ("greedy", "greedy"), ("exact", "exact")]}
        chosen, optimum = answers["chosen"], answers["exact"]["cost"]
        numbers = {"cost": chosen["cost"], "energy": chosen["energy_j"], "time": chosen["time_s"],
                   "cost-greedy": answers["greedy"]["cost"], "cost-exact": optimum}
        rows = {role: [figure(answer["cost"]), figure(answer["energy_j"]), figure(answer["time_s"]),
                       percent(self.q2(answer, answers["exact"])), *missed(answer)] for role, answer in answers.items()}
        tasks = [[task["place"], f"{task['mb']:.3g}", *map(figure, [task["start_s"], task["end_s"], task["energy_j"]]),
                  *deadline(task)] for device in chosen["devices"] for task in device["tasks"] if task]
        return {**numbers, **{f"{name}, as text": figure(value) for name, value in numbers.items()},
                "Q2": f"Q2 {rows['chosen'][3]}", "scheme's name": scheme, "tasks": tasks,
                **{f"row {role}": row for role, row in rows.items()}}

    def q2(self, answer, best):
        """The share of the optimum's cost; 0 for a decision that misses more hard deadlines."""
        is_hard = self.scenario.get("deadlines", {}).get("deadline_rule") == "hard"
        is_worse = is_hard and answer["missed_deadlines"] > best["missed_deadlines"]
        return 0.0 if is_worse else best["cost"] / answer["cost"]

    def shows(self, reading):
        """The same as read from the page, without which tasks moved."""
        numbers = {name: shown for name, shown in reading["shown"].items() if name != "decided-in"}
        tasks = [[*cells[2:7], *cells[8:]] for cells in reading["tasks"]]
        return {**{name: float(shown["value"] or "nan") for name, shown in numbers.items()},
                **{f"{name}, as text": shown["text"] for name, shown in numbers.items()},
                "Q2": reading["q2"], "scheme's name": reading["rows"]["chosen"][0], "tasks": tasks,
                **{f"row {role}": row[1:] for role, row in reading["rows"].items()}}

    def agrees(self, what, uplinks=None):
        """Waits until every number is the service's own for what the sliders say, and returns what the page shows."""
        end = time.monotonic() + PATIENCE_S
        request = expected = None
        while True:
            reading = self.read()
            asked = (self.asked(reading["sliders"], uplinks), reading["scheme"])
            if asked != request:
                request, expected = asked, self.expected(*asked)
            shows = self.shows(reading)
            different = [name for name in expected if shows[name] != expected[name]]
            if not different:
                break
            if time.monotonic() > end:
                name = different[0]
                raise Wrong(f"{what}: the page says {name} {shows[name]}, the service {expected[name]}, asked for "
                            f"{json.dumps(request)}; the page's problem: {reading['problem'] or 'none'}")
            time.sleep(0.02)
        demand(not reading["problem"], f"{what}: the page shows a problem: {reading['problem']}")
        demand(reading["status"] == "connected", f"{what}: the page's status is {reading['status']}")
        demand(float(reading["shown"]["decided-in"]["value"]) > 0, f"{what}: decided in no time")
        print(f"{what}: {reading['scheme']} costs {shows['cost, as text']}, {reading['q2']}")
        return reading

    def moves(self, what, act, seen, uplinks=None):
        """Acts, and sees other numbers than before, which agree."""
        before = self.read()
        act()
        self.browser.wait(f"{what}: a new decision",
                          f"Number(document.documentElement.dataset.decisions) > {before['decisions']}")
        after = self.agrees(what, uplinks)
        demand(seen(after) != seen(before), f"{what}: nothing changed from {seen(before)}")
        return after


def costs(reading):
    return [reading["shown"][name]["value"] for name in ["cost", "cost-greedy", "cost-exact"]]


def named(reading):
    return reading["rows"]["chosen"][0]


def places(reading):
    return [cells[2] for cells in reading["tasks"]]


def other_size(page):
    """A size of the first task with which the service sends some task elsewhere."""
    request = page.asked(page.read()["sliders"], None)
    before = page.service.decide(request)["placements"]
    low, high, step = page.browser.run(
        "(({ min, max, step }) => [min, max, step].map(Number))(document.getElementById('size-0-0'))")
    for index in range(math.floor((high - low) / step + 1e-9) + 1):
        value = round(low + index * step, 9)
        request["tasks_mb"][0][0] = value
        if page.service.decide(request)["placements"] != before:
            return value
    raise Wrong("no size of the first task changes a decision; take another record")


def check_controls(page):
    browser, scenario = page.browser, page.scenario
    start = page.agrees("at the start")
    size = other_size(page)
    page.moves(f"the first task has {size:g} MB", lambda: browser.set("#size-0-0", size, "input"), places)

    browser.run("document.getElementById('size-0-1').focus()")
    position = page.read()["sliders"]["size-0-1"]
    for presses in range(1, 4):
        after = page.moves(f"right arrow pressed, {presses}", lambda: browser.press("ArrowRight", 39), costs)
        demand(after["sliders"]["size-0-1"] > position, "the right arrow makes a task no larger")
        position = after["sliders"]["size-0-1"]

    for name, value, what in [("alpha", 0.85, "α is 0.85"), ("uplink-0", -0.3, "the first uplink is slow"),
                              ("capacity-0", 0.5, "the first server is quick"), ("alpha", 0.1, "α is 0.1")]:
        page.moves(what, lambda: browser.set(f"#{name}", value, "input"), costs)
    for scheme in [*(name for name in scenario["schemes"] if name != "ensemble"), "ensemble"]:
        page.moves("another scheme", lambda: browser.set("#scheme", scheme, "change"), named)
    page.moves("random sizes", lambda: browser.click("#random"), costs)
    many = 40
    browser.run(f"""(() => {{
        const target = document.getElementById("size-0-0");
        for (let step = 0; step <= {many}; step++) {{
            target.value = Number(target.min) + (target.max - target.min) * step / {many};
            target.dispatchEvent(new Event("input", {{ bubbles: true }}));
        }}
    }})()""")
    page.agrees("a slider drawn quickly")


def check_adoption(page):
    browser = page.browser
    wanted = page.asked(page.read()["sliders"], None)["environment"]
    browser.click("#adopt")
    browser.wait("the page asks back", "!document.getElementById('adopt-confirm').hidden")
    browser.click("#adopt-yes")
    browser.wait("the environment is the service's",
                 "document.getElementById('adopt-answer').textContent.includes('environment has changed')")
    now = page.service.get("/v1/scenario")["environment"]
    demand(now == wanted, f"the page made {wanted} the service's environment, which is {now}")
    page.agrees("the service's environment changed")
    page.moves("reset", lambda: browser.click("#reset"), costs)
    own = page.asked(page.read()["sliders"], None)["environment"]
    demand(own == page.scenario["own_environment"], f"reset makes the environment {own}")


def check_replay(page, name, windows, window_s):
    """Steps through the first windows and plays all of them."""
    browser = page.browser
    for index, window in enumerate(windows[:5]):
        page.moves(f"{name}, window {index + 1}", lambda: browser.click("#step"), costs, window["uplink_mbps"])
    browser.set("#speed", "300", "change")
    browser.set("#scrub", 0, "input")
    before = page.agrees(f"{name}, back at the start", windows[0]["uplink_mbps"])
    browser.click("#play")
    demand(page.read()["play"] == "Pause", f"{name}: Play does not play")
    browser.wait(f"{name} is at its end", "document.getElementById('play').textContent === 'Play'",
                 len(windows) * (window_s / 300 + 1) + PATIENCE_S)
    after = page.agrees(f"{name}, played", windows[-1]["uplink_mbps"])
    decided = after["decisions"] - before["decisions"]
    demand(decided >= len(windows) - 1, f"{name}: {decided} decisions in {len(windows)} windows")
    pieces = browser.run("document.querySelector('#cost-chart .trace.chosen').getAttribute('d').match(/[ML]/g).length")
    demand(pieces == len(windows), f"{name}: costs of {pieces} of {len(windows)} windows are drawn")


def recording(path, devices):
    """A small recording, and its windows of 60 s."""
    rows = [[row[device % len(row)] for device in range(devices)] for row in RECORDING]
    lines = [f"{60 * window + second},device {device:03},{rate}" for window, row in enumerate(rows)
             for second in (0, 30) for device, rate in enumerate(row)]
    path.write_text("\n".join(["t_s,device,mbps", *lines, ""]))
    return [{"uplink_mbps": row} for row in rows]


def check_file(page, folder):
    browser = page.browser
    bad = folder / "bad.csv"
    bad.write_text("t_s,device,mbps\n0,a,<b>fast</b>\n")
    browser.choose_file("#file", bad)
    browser.wait("the page says what is wrong with a recording",
                 "document.getElementById('file-problem').textContent.includes('Line 2: “<b>fast</b>” is no rate')")
    good = folder / "mine.csv"
    windows = recording(good, page.scenario["devices"])
    browser.choose_file("#file", good)
    browser.wait("the page reads a recording",
                 "document.getElementById('drive-name').textContent.startsWith('mine.csv')")
    demand(browser.run("document.getElementById('file-problem').hidden"), "a good recording leaves the bad one's problem")
    check_replay(page, "a file's recording", windows, 60)


def check(options, folder):
    drive = options.drive
    if drive is None:
        drive = folder / "drive.csv"
        recording(drive, 3)
    with Service(options.trainer, options.record, "--drive", drive) as service, Browser() as browser:
        browser.open(service.url)
        page = Page(browser, service)
        check_controls(page)
        check_adoption(page)
        found = service.get("/v1/drive")
        demand(page.read()["drive"].startswith(found["name"]), "the page does not name the recorded drive")
        check_replay(page, "the recorded drive", found["windows"], found["window_s"])
        for name, width, scheme in [("light", 1280, "light"), ("dark", 1280, "dark"), ("narrow", 360, "light")]:
            browser.shoot(options.shots / f"{name}.png", width, scheme)
        grounds = {}
        for scheme in ["light", "dark"]:
            browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
            grounds[scheme] = browser.run("getComputedStyle(document.body).backgroundColor")
        demand(grounds["light"] != grounds["dark"], f"light and dark are both {grounds['light']}")
        browser.call("Emulation.clearDeviceMetricsOverride")
        check_file(page, folder)
        browser.open(service.url)
        page.agrees("opened again")
    check_deadlines(options.trainer, options.record.parent / "any-fleet")


def check_deadlines(trainer, record):
    """A scenario with deadlines, latencies and devices with fewer tasks."""
    with Service(trainer, record, "--scenario", "deadlines") as service, Browser() as browser:
        browser.open(service.url)
        page = Page(browser, service)
        page.agrees("with deadlines")
        late = [name for name in page.read()["sliders"] if name.startswith("deadline-")]
        demand(late, "no deadline has a slider")
        for name in late:
            position = browser.run(f"Number(document.getElementById('{name}').min)")
            page.moves(f"{name} is short", lambda: browser.set(f"#{name}", position, "input"),
                       lambda reading: reading["rows"]["greedy"])
        drawn = browser.run("document.querySelectorAll('#picture .bar.late').length")
        answer = service.decide(page.asked(page.read()["sliders"], None))
        demand(drawn == answer["missed_deadlines"], f"{drawn} of {answer['missed_deadlines']} late tasks are marked")
        page.moves("reset", lambda: browser.click("#reset"), lambda reading: reading["rows"]["greedy"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trainer", type=Path, required=True, help="the built program")
    parser.add_argument("--record", type=Path, required=True, help="the record to serve, a directory")
    parser.add_argument("--shots", type=Path, required=True, help="folder for the screenshots")
    parser.add_argument("--drive", type=Path, help="a recording to replay [default: a small one of its own]")
    options = parser.parse_args()
    options.shots.mkdir(parents=True, exist_ok=True)
    # Ends the service and the browser on the way out, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory() as folder:
        try:
            check(options, Path(folder))
        except Wrong as wrong:
            sys.exit(f"error: {wrong}")


if __name__ == "__main__":
    main()
