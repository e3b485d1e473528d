#!/usr/bin/env python3
"""Kills a dispatching service at random moments under load, and compares the state that it continues with.

    python3 scripts/service/dispatch_kills.py --trainer target/debug/trainer [--kills 50] [--sync-every 1]

Tasks and completions are numbered in the order in which they are sent. After each kill the service tells how many of them its
state has, and a second service, which is never killed, is told exactly those: all queues and sums must be equal. Prints a Markdown
table; a deviation, or a task that is missing although it was answered long before the kill, ends with status 1.
"""

import argparse
import http.client
import json
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

JSON = {"Content-Type": "application/json"}
SUMS = ["tasks", "completed_tasks", "open_tasks", "mean_wait_s", "mean_cost", "mean_greedy_cost", "mean_delay_s", "time_s"]


class Service:
    def __init__(self, trainer, scenario, *options):
        self.command = [str(trainer), "serve", "--scenario", scenario, "--listen", "127.0.0.1:0", *map(str, options)]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if found := re.search(r"://([^:]+):(\d+)", line):
                self.connection = http.client.HTTPConnection(found[1], int(found[2]), timeout=30)
                return
        sys.exit(f"error: {' '.join(self.command)} does not serve")

    def ask(self, path, body=None):
        method = "GET" if body is None else "POST"
        self.connection.request(method, path, None if body is None else json.dumps(body), JSON if body is not None else {})
        answer = self.connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            sys.exit(f"error: {path} answers with status {answer.status}: {text}")
        return json.loads(text)

    def kill(self):
        self.connection.close()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stderr.close()


class Day:
    """Tasks that arrive and are done, without end: 10 devices, a task every 4 s."""

    def __init__(self, seed):
        self.random, self.time_s, self.tasks, self.open = random.Random(seed), 0.0, 0, []

    def next(self):
        """A request; most are tasks, some say that a task is done, earlier or later than expected."""
        if self.open and self.random.random() < 0.4:
            task, arrived_s = self.open.pop(self.random.randrange(len(self.open)))
            self.time_s = max(self.time_s, arrived_s) + self.random.expovariate(1.0)
            return "/v1/completed", {"id": task, "done_s": self.time_s}
        self.time_s += self.random.expovariate(1 / 4)
        size_mb = round(2 * 30 ** self.random.random(), 3)
        task = {"device": self.random.randrange(10), "size_mb": size_mb, "time_s": self.time_s}
        if self.random.random() < 0.05:
            task["link_mbps"] = {"cloud": round(self.random.uniform(1, 12), 2)}
        self.open.append((self.tasks, self.time_s))
        self.tasks += 1
        # What is never reported may be forgotten.
        self.open = self.open[-200:]
        return "/v1/dispatch", task


def deviation(a, b):
    """The largest difference between two states, in seconds or in units of cost."""
    queues = [abs(x["backlog_s"] - y["backlog_s"]) for x, y in zip(a["queues"], b["queues"], strict=True)]
    return max([abs(a[key] - b[key]) for key in SUMS] + queues)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trainer", type=Path, required=True)
    parser.add_argument("--scenario", default="dispatch")
    parser.add_argument("--scheme", default="static-split", help="one that draws shows whether its memory continues, too")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--sync-every", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        scheme = ["--scheme", options.scheme]
        state = ["--state", Path(folder) / "state", "--sync-every", options.sync_every]
        service = Service(options.trainer, options.scenario, *scheme, *state)
        reference = Service(options.trainer, options.scenario, *scheme)
        day, sent, told = Day(options.seed), [], 0
        largest, missing, oldest_s, restarts_s, killed = 0.0, [], 0.0, [], 0
        try:
            for killed in range(1, options.kills + 1):
                end = time.perf_counter() + draw.uniform(0.05, 2.5 * options.sync_every)
                at = len(sent)
                answered = {}
                while time.perf_counter() < end:
                    if at == len(sent):
                        sent.append(day.next())
                    service.ask(*sent[at])
                    at += 1
                    answered[at] = time.perf_counter()
                service.kill()
                dead = time.perf_counter()
                service.start()
                continued = service.ask("/v1/queues")
                restarts_s.append(time.perf_counter() - dead)
                kept = continued["tasks"] + continued["completed_tasks"]
                missing.append(at - kept)
                if kept < at:
                    oldest_s = max(oldest_s, dead - answered.get(kept + 1, dead))
                for path, body in sent[told:kept]:
                    reference.ask(path, body)
                told = kept
                largest = max(largest, deviation(continued, reference.ask("/v1/queues")))
                del sent[kept:]
                # The day goes on behind what is kept; what was missing is sent by nobody again.
                if missing[-1]:
                    day = Day(options.seed + 1000 * killed)
                    day.time_s, day.tasks = continued["time_s"], continued["tasks"]
        finally:
            service.kill()
            reference.kill()
    print("| | measured |\n|---|---:|")
    print(f"| kills under load, state written every {options.sync_every:g} s | {killed} |")
    print(f"| requests answered and kept | {told:,} |")
    print(f"| largest deviation of a queue or a sum | {largest:g} |")
    print(f"| requests missing after a kill, median and most | {sorted(missing)[len(missing) // 2]:,}, {max(missing):,} |")
    print(f"| age of the oldest missing answer | {oldest_s:.2f} s |")
    print(f"| from the kill to the first answer of the next, median | {1e3 * sorted(restarts_s)[len(restarts_s) // 2]:.0f} ms |")
    if largest > 0 or oldest_s > options.sync_every + 1:
        sys.exit("error: the state that was continued is not what was promised")


main()
