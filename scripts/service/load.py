#!/usr/bin/env python3
"""Measures the decision service under load, and that it answers rightly and fails nobody meanwhile.

    python3 scripts/service/load.py --trainer target/dist/trainer --record models/mobile [--quick] [--minutes 10]

Needs `wrk` (apt-get install wrk). Prints a Markdown table, figures beside their targets. Slowness is only reported;
what is answered wrongly, or not at all, ends with status 1.
"""

import argparse
import http.client
import json
import math
import os
import random
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

IDLE = 1000
BATCH = 1000
MANY = 512  # connections that ask for more than can be done
QUICK_MS = 5
JSON = {"Content-Type": "application/json"}
# Waits of `delay` ms on average between an answer and the next request of its connection, and counts how requests end.
WRK = """
wrk.method, wrk.path = "POST", "/v1/decide"
wrk.headers["Content-Type"] = "application/json"
local delay_ms, bodies, next_body = %f, { %s }, 0
local requests = {}
function init()
    math.randomseed(os.time())
    for index, body in ipairs(bodies) do requests[index] = wrk.format(nil, nil, nil, body) end
    next_body = math.random(#requests)
end
function request()
    next_body = next_body %% #requests + 1
    return requests[next_body]
end
if delay_ms > 0 then
    function delay() return math.floor(delay_ms * 2 * math.random() + math.random()) end
end
if %s then
    local threads = {}
    function setup(thread) table.insert(threads, thread) end
    good, busy, other = 0, 0, 0
    function response(status)
        if status == 200 then good = good + 1 elseif status == 503 then busy = busy + 1 else other = other + 1 end
    end
    function counts()
        local sums = { 0, 0, 0 }
        for _, thread in ipairs(threads) do
            for index, name in ipairs({ "good", "busy", "other" }) do sums[index] = sums[index] + thread:get(name) end
        end
        return sums
    end
end
function done(summary, latency)
    local errors, sums = summary.errors, counts and counts() or { 0, 0, 0 }
    io.write(string.format(
        'RESULT {"requests": %%d, "seconds": %%f, "p50_ms": %%f, "p99_ms": %%f, "broken": %%d, "timeouts": %%d, ' ..
        '"refused": %%d, "good": %%d, "busy": %%d, "other": %%d}\\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
        errors.connect + errors.read + errors.write, errors.timeout, errors.status, sums[1], sums[2], sums[3]))
end
"""


class Service:
    """A service of its own on a free port, ended with the `with` block."""

    def __init__(self, trainer, record, *options):
        self.command = [str(trainer), "serve", "--record", str(record), "--listen", "127.0.0.1:0", *map(str, options)]

    def __enter__(self):
        self.messages = tempfile.TemporaryFile("w+")
        self.started = time.perf_counter()
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=self.messages,
                                        stderr=self.messages)
        try:
            while not (place := self._place()):
                if self.process.poll() is not None or time.perf_counter() > self.started + 30:
                    sys.exit(f"error: {' '.join(self.command)} does not serve:\n{self.said()}")
                time.sleep(0.001)
            self.host, self.port = place
            self.ready_s = self._ready_s()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.messages.close()

    def said(self):
        # A seek would move the place where the service goes on writing.
        return os.pread(self.messages.fileno(), 1 << 20, 0).decode(errors="replace")

    def _place(self):
        for line in self.said().splitlines(keepends=True):
            if line.startswith("serving ") and line.endswith("\n"):
                host, port = line.split("://")[1].split(";")[0].split(",")[0].rsplit(":", 1)
                return host, int(port)
        return None

    def _ready_s(self):
        while True:
            try:
                if self.ask("GET", "/readyz").status == 200:
                    return time.perf_counter() - self.started
            except OSError:
                pass
            if time.perf_counter() > self.started + 30:
                sys.exit("error: the service is not ready after 30 s")

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"

    def connection(self):
        return http.client.HTTPConnection(self.host, self.port, timeout=30)

    def ask(self, method, path, body=None):
        """One request on a connection of its own; the answer's `body` is read."""
        connection = self.connection()
        try:
            return ask(connection, method, path, body)
        finally:
            connection.close()

    def get(self, path):
        return self._value(self.ask("GET", path), path)

    def decide(self, request):
        return self._value(self.ask("POST", "/v1/decide", request), "/v1/decide")

    def _value(self, answer, path):
        if answer.status != 200:
            sys.exit(f"error: {path} answers with status {answer.status}: {answer.text}")
        return json.loads(answer.text)

    def memory_mb(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024 / 1e6


def ask(connection, method, path, body=None):
    connection.request(method, path, None if body is None else json.dumps(body), {} if body is None else JSON)
    answer = connection.getresponse()
    answer.text = answer.read().decode()
    return answer


def plain(answer):
    """What was decided, without how long it took."""
    return {name: value for name, value in answer.items() if name not in ("scheme", "decided_in_us")}


class Wrk:
    def __init__(self, service, folder):
        self.service, self.folder = service, Path(folder)
        self.threads = max(1, (os.cpu_count() or 1) // 2)

    def start(self, bodies, connections, seconds, delay_ms=0.0, counts=False):
        script = self.folder / "requests.lua"
        texts = ", ".join(f"[=[{json.dumps(body)}]=]" for body in bodies)
        script.write_text(WRK % (delay_ms, texts, "true" if counts else "false"))
        command = ["wrk", "-t", min(self.threads, connections), "-c", connections, "-d", f"{seconds}s", "-s", script,
                   "--timeout", "10s", self.service.url]
        return subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    @staticmethod
    def result(process):
        try:
            output, _ = process.communicate()
        finally:
            process.kill()
        for line in output.splitlines():
            if line.startswith("RESULT "):
                result = json.loads(line.removeprefix("RESULT "))
                result["rate"] = result["requests"] / result["seconds"]
                return result
        sys.exit(f"error: wrk says no result:\n{output}")

    def run(self, *arguments, **options):
        return self.result(self.start(*arguments, **options))


class Sampler:
    """Asks at a steady rate over a few kept-alive connections, and compares each answer with what it must be."""

    def __init__(self, service, requests, answers, per_second, connections=4):
        self.service, self.requests, self.answers = service, requests, answers
        self.interval_s = connections / per_second
        self.wrong, self.latencies_ms = [], {200: [], 503: []}
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._work, args=(index,)) for index in range(connections)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def _work(self, index):
        connection = self.service.connection()
        due = time.perf_counter() + index * self.interval_s / len(self.threads)
        while not self.stopping.wait(max(0.0, due - time.perf_counter())):
            due = max(due + self.interval_s, time.perf_counter() - 1)
            index = (index + 1) % len(self.requests)
            begin = time.perf_counter()
            try:
                answer = ask(connection, "POST", "/v1/decide", self.requests[index])
                self._check(index, answer, (time.perf_counter() - begin) * 1e3)
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.wrong.append(f"{type(error).__name__}: {error}")
                connection.close()
        connection.close()

    def _check(self, index, answer, latency_ms):
        self.latencies_ms.setdefault(answer.status, []).append(latency_ms)
        if answer.status == 200:
            if plain(json.loads(answer.text)) != self.answers[index]:
                self.wrong.append(f"{answer.text} where {json.dumps(self.answers[index])} was answered before")
        elif answer.status != 503:
            self.wrong.append(f"status {answer.status}: {answer.text}")
        elif not answer.getheader("Retry-After"):
            self.wrong.append("a 503 without Retry-After")


class Memory:
    """Watches the memory of a service while the `with` block runs."""

    def __init__(self, service, every_s=0.2):
        self.service, self.every_s, self.samples_mb = service, every_s, []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()

    def _watch(self):
        while True:
            try:
                self.samples_mb.append(self.service.memory_mb())
            except (OSError, IndexError):
                return  # it ended, which its clients notice, too
            if self.stopping.wait(self.every_s):
                return


class Measuring:
    def __init__(self, service, wrk, options):
        self.service, self.wrk, self.options = service, wrk, options
        self.seconds = 2 if options.quick else 10
        self.rows, self.failures = [], []
        scenario = service.get("/v1/scenario")
        draw = random.Random(1)
        size = lambda: round(draw.uniform(scenario["size_mb"]["min"], scenario["size_mb"]["max"]), 3)
        sizes = lambda: [[size() for _ in range(scenario["tasks_per_device"])] for _ in range(scenario["devices"])]
        self.singles = [{"tasks_mb": sizes()} for _ in range(256)]
        self.batches = [{"workloads": [{"tasks_mb": sizes()} for _ in range(BATCH)]} for _ in range(4)]
        self.answers = [plain(service.decide(single)) for single in self.singles]

    def row(self, what, figure, target):
        self.rows.append((what, figure, target))
        print(f"{what}: {figure}", file=sys.stderr)

    def fail(self, words):
        self.failures.append(words)
        print(f"FAILED {words}", file=sys.stderr)

    def must_succeed(self, what, result):
        if result["broken"] or result["timeouts"] or result["refused"]:
            self.fail(f"{what}: of {result['requests']} requests {result['refused']} were refused, {result['broken']} broke "
                      f"off, {result['timeouts']} took longer than 10 s")

    def must_be_right(self, what, sampler):
        if sampler.wrong:
            self.fail(f"{what}: {len(sampler.wrong)} of the sampled requests went wrong, the first: {sampler.wrong[0]}")

    def same_as_decide(self):
        lines = "".join(json.dumps(single) + "\n" for single in self.singles)
        command = [str(self.options.trainer), "decide", "--record", str(self.options.record)]
        decided = subprocess.run(command, input=lines, check=True, stdout=subprocess.PIPE, text=True).stdout
        batch = self.service.decide({"workloads": self.singles})["answers"]
        equal = 0
        for single, line, one in zip(self.answers, decided.splitlines(), batch, strict=True):
            if single == json.loads(line) == one:
                equal += 1
            else:
                self.fail(f"the service answers {json.dumps(single)}, in a batch {json.dumps(one)}, `trainer decide` {line}")
        self.row("Answers equal to those of `trainer decide`", f"{equal} of {len(batch)} workloads", "all")

    def single_decisions(self):
        trials = {}
        for connections in [8, 16, 32, 64, 128]:
            trials[connections] = self.wrk.run(self.singles, connections, max(1, self.seconds // 3))
            self.must_succeed(f"single decisions over {connections} connections", trials[connections])
        quick = {count: trial for count, trial in trials.items() if trial["p99_ms"] <= QUICK_MS} or trials
        self.connections = max(quick, key=lambda count: quick[count]["rate"])
        self.rate = self.single_decisions_at_best(f"Single decisions, connections: {self.connections}")["rate"]

    def single_decisions_at_best(self, what):
        result = self.wrk.run(self.singles, self.connections, self.seconds)
        self.must_succeed(what, result)
        self.row(what, f"{result['rate']:,.0f} requests/s", "20,000 requests/s")
        self.row("… latency", f"p50 {result['p50_ms']:.2f} ms, p99 {result['p99_ms']:.2f} ms", f"p99 {QUICK_MS} ms")
        return result

    def batches_of_many(self):
        trials = []
        for connections in [1, 2, 4, 8]:
            trials.append((connections, self.wrk.run(self.batches, connections, max(1, self.seconds // 2))))
            self.must_succeed(f"batches over {connections} connections", trials[-1][1])
        connections, best = max(trials, key=lambda trial: trial[1]["rate"])
        self.row(f"Batches of {BATCH:,}, connections: {connections}", f"{best['rate'] * BATCH:,.0f} workloads/s, "
                 f"p99 {best['p99_ms']:.1f} ms", "200,000 workloads/s")

    def too_much(self):
        answers = [plain(self.service.decide(batch)) for batch in self.batches]
        for what, bodies, right in [("single decisions", self.singles, self.answers),
                                    (f"batches of {BATCH:,}", self.batches, answers)]:
            name = f"Too much: {MANY} connections, {what}"
            with Memory(self.service) as memory, Sampler(self.service, bodies, right, 20) as sampler:
                result = self.wrk.run(bodies, MANY, self.seconds, counts=True)
            recovery = self.recovery()
            asked = result["good"] + result["busy"] + result["other"]
            if result["broken"] or result["other"]:
                self.fail(f"{name}: beside {asked:,} answers, {result['other']} of another status than 200 and 503, "
                          f"{result['broken']} connections broke off without one")
            self.must_be_right(name, sampler)
            share = result["busy"] / max(1, asked)
            self.row(name, f"{asked / result['seconds']:,.0f} answers/s, {share:.1%} of them 503, p99 "
                     f"{result['p99_ms']:.0f} ms", "answers or 503s")
            for status, about in [(200, "decisions"), (503, "503s")]:
                if latencies := sampler.latencies_ms[status]:
                    self.row(f"… sampled {about}", f"{len(latencies)}, median {statistics.median(latencies):.1f} ms, "
                             f"longest {max(latencies):.1f} ms", "–")
            self.row("… memory", f"at most {max(memory.samples_mb):.0f} MB", "100 MB")
            self.row(f"… then, until ten decisions in a row take {QUICK_MS} ms at most", recovery, "1 s")

    def recovery(self):
        """How long after the load's end ten decisions in a row are quick."""
        connection, begin, in_a_row = self.service.connection(), time.perf_counter(), 0
        while in_a_row < 10 and time.perf_counter() < begin + 10:
            asked = time.perf_counter()
            answer = ask(connection, "POST", "/v1/decide", self.singles[0])
            is_quick = answer.status == 200 and (time.perf_counter() - asked) * 1e3 <= QUICK_MS
            in_a_row = in_a_row + 1 if is_quick else 0
        connection.close()
        return f"{(time.perf_counter() - begin) * 1e3:.0f} ms" if in_a_row == 10 else "more than 10 s"

    def delay_for(self, rate, connections):
        """The delay with which so many connections ask about so often in a second."""
        delay_ms = connections / rate * 1e3
        for _ in range(4):
            reached = self.wrk.run(self.singles, connections, 2, delay_ms=delay_ms)["rate"]
            delay_ms = max(0.01, delay_ms + (connections / rate - connections / reached) * 1e3)
        return delay_ms

    def steadily(self):
        # Many connections, each asking rarely: the delay counts whole milliseconds.
        connections, wanted = 128, 0.8 * self.rate
        delay_ms = self.delay_for(wanted, connections)
        seconds = max(5, math.ceil(self.options.minutes * 60))
        reloads, every_s = 0, 3 if self.options.quick else 10
        with Memory(self.service) as memory, Sampler(self.service, self.singles, self.answers, 50) as sampler:
            load = self.wrk.start(self.singles, connections, seconds, delay_ms=delay_ms)
            try:
                end = time.monotonic() + seconds
                while time.monotonic() + every_s < end and load.poll() is None:
                    time.sleep(every_s)
                    reload = self.service.ask("POST", "/v1/reload")
                    reloads += 1
                    if reload.status != 200:
                        self.fail(f"reload {reloads} answers with status {reload.status}: {reload.text}")
            finally:
                result = self.wrk.result(load)
        name = f"At {result['rate'] / self.rate:.0%} of it for {seconds / 60:.1f} minutes, {reloads} reloads"
        self.must_succeed(name, result)
        self.must_be_right(name, sampler)
        if sampler.latencies_ms[503]:
            self.fail(f"{name}: {len(sampler.latencies_ms[503])} of the sampled requests were refused with 503")
        self.row(name, f"{result['rate']:,.0f} requests/s, p99 {result['p99_ms']:.2f} ms", "80 %")
        failed = result["refused"] + result["broken"] + result["timeouts"]
        self.row("… failed requests", f"{failed} of {result['requests']:,}", "none")
        self.row("… sampled answers that differ", f"{len(sampler.wrong)} of {len(sampler.latencies_ms[200]):,}", "none")
        tenth = max(1, len(memory.samples_mb) // 10)
        first, last = (statistics.mean(part) for part in [memory.samples_mb[tenth:2 * tenth] or memory.samples_mb,
                                                          memory.samples_mb[-tenth:]])
        self.row("… memory", f"{first:.1f} MB in the second tenth, {last:.1f} MB in the last, at most "
                 f"{max(memory.samples_mb):.1f} MB", "flat, 100 MB")

    def beside_idle(self):
        idle = [self.service.connection() for _ in range(IDLE)]
        for connection in idle:
            ask(connection, "GET", "/healthz")
            # An answer over a new connection would say nothing about the old one.
            connection.auto_open = False
        self.single_decisions_at_best(f"Single decisions beside {IDLE:,} idle connections")
        self.row("… memory", f"{self.service.memory_mb():.0f} MB", "100 MB")
        lost = 0
        for connection in idle:
            try:
                lost += ask(connection, "GET", "/healthz").status != 200
            except (OSError, http.client.HTTPException):
                lost += 1
            connection.close()
        if lost:
            self.fail(f"{lost} of {IDLE} idle connections were closed within {self.seconds} s")

    def starts(self):
        times = []
        for _ in range(10):
            with Service(self.options.trainer, self.options.record) as service:
                times.append(service.ready_s * 1e3)
        self.row("Start to ready, median of 10",
                 f"{statistics.median(times):.0f} ms ({min(times):.0f} to {max(times):.0f})", "200 ms")


def machine():
    cpu = Path("/proc/cpuinfo").read_text()
    names = [line.split(":")[1].strip() for line in cpu.splitlines() if line.startswith("model name")]
    model = names[0] if names else "unknown CPU"
    return f"{model}, {os.cpu_count()} threads; wrk and Python on the same machine"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trainer", type=Path, required=True, help="the built program")
    parser.add_argument("--record", type=Path, required=True, help="the record to serve, a directory")
    parser.add_argument("--quick", action="store_true", help="short runs, to see that it works")
    parser.add_argument("--minutes", type=float, help="length of the steady run [default: 10, quick: 0.2]")
    options = parser.parse_args()
    if options.minutes is None:
        options.minutes = 0.2 if options.quick else 10.0
    if not shutil.which("wrk"):
        sys.exit("error: wrk is not installed: apt-get install wrk")
    # Ends the service on the way out, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as folder, Service(options.trainer, options.record) as service:
        measuring = Measuring(service, Wrk(service, folder), options)
        measuring.row("Memory after the start", f"{service.memory_mb():.0f} MB", "100 MB")
        measuring.same_as_decide()
        measuring.single_decisions()
        measuring.batches_of_many()
        measuring.too_much()
        measuring.steadily()
        measuring.beside_idle()
    measuring.starts()
    print(f"{machine()}\n\n    python3 {' '.join(sys.argv)}\n")
    print("| What | Measured | Target |\n|---|---:|---:|")
    for row in measuring.rows:
        print(f"| {' | '.join(row)} |")
    if measuring.failures:
        sys.exit("\n".join(["", *(f"failed: {words}" for words in measuring.failures)]))


if __name__ == "__main__":
    main()
