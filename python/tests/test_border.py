"""The border between Python and Rust: processes, threads, interrupts, exceptions."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
import time

import mrdro
import numpy as np
import pytest
from helpers import INTERRUPTIBLE, interrupted


def cost_of(argument):
    scenario, sizes_mb = argument
    return mrdro.solve(scenario, sizes_mb).cost.sum()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # forking a process with threads, which is what is tested
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_processes_of_every_kind_compute_after_use(method, paper, sizes_mb):
    wanted = cost_of((paper, sizes_mb))  # uses the pool before the processes begin
    with multiprocessing.get_context(method).Pool(2) as pool:
        answers = pool.map_async(cost_of, [(paper, sizes_mb)] * 4).get(timeout=60)
    assert answers == [wanted] * 4


def test_many_threads_get_the_same(paper, sizes_mb):
    wanted, found = cost_of((paper, sizes_mb)), []
    threads = [threading.Thread(target=lambda: found.append(cost_of((paper, sizes_mb)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [wanted] * 8


def test_exceptions_can_be_pickled():
    for error in [
        mrdro.SchemeError("no"),
        mrdro.RecordError("no"),
        mrdro.InternalError("no"),
        mrdro.TrainingError("no", [("a", "b", 1, 2)]),
    ]:
        copied = pickle.loads(pickle.dumps(error))
        assert type(copied) is type(error) and str(copied) == "no"
    assert issubclass(mrdro.ScenarioError, ValueError) and issubclass(mrdro.InternalError, RuntimeError)
    assert not issubclass(mrdro.InternalError, ValueError)


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_ctrl_c_ends_a_long_call():
    program = (
        "import mrdro, sys\n"
        "scenario = mrdro.Scenario.load('paper')\n"
        "sizes_mb = scenario.draw(200_000).sizes_mb\n"
        "print('ready', flush=True)\n"
        "scenario.cost_model().decide(sizes_mb, 'genetic')\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE + program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        time.sleep(0.5)
        error, seconds = interrupted(process)
        assert b"KeyboardInterrupt" in error and seconds < 2


def test_the_number_of_threads_can_be_set():
    program = "import mrdro; print(mrdro.threads()); mrdro.set_threads(3); print(mrdro.threads())"
    run = lambda threads: subprocess.run(  # noqa: E731
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, "MRDRO_THREADS": threads},
    )
    assert run("1").stdout.split() == ["1", "3"]
    assert 'MRDRO_THREADS must be a number of threads from 1 to 4096, is "many"' in run("many").stderr
    with pytest.raises(ValueError, match="count must be a whole number from 1 to 4096, is 0"):
        mrdro.set_threads(0)


def test_arrays_that_are_too_large_are_refused_before_memory_is_taken(paper):
    huge = np.broadcast_to(np.float64(1), (2, 3, 4))
    with pytest.raises(ValueError, match="must have the shape"):
        paper.cost_model().cost(huge, huge)


def test_other_interpreters_of_the_process_are_refused_or_work():
    interpreters = pytest.importorskip("_xxsubinterpreters")
    assert interpreters
    program = (
        "import warnings, _xxsubinterpreters as interpreters, mrdro\n"
        "warnings.simplefilter('ignore')\n"
        "other = interpreters.create()\n"
        "use = 'import warnings; warnings.simplefilter(\"ignore\"); import mrdro; mrdro.presets()'\n"
        "try:\n"
        "    interpreters.run_string(other, use)\n"
        "except interpreters.RunFailedError as error:\n"
        "    assert 'ImportError' in str(error), error\n"
        "print(mrdro.solve('paper', [[20] * 3] * 3).cost)\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0 and float(run.stdout) > 0, run.stderr


def test_calls_within_calls_end_also_on_one_thread():
    program = (
        "import mrdro, numpy as np, threading\n"
        "model = mrdro.Scenario.load('paper').cost_model()\n"
        "sizes_mb = mrdro.Scenario.load('paper').draw(5000).sizes_mb\n"
        "places = np.zeros(sizes_mb.shape, np.uint8)\n"
        "def computes(*_):\n"
        "    model.cost(sizes_mb, places)\n"
        "    model.decide(sizes_mb[:64])\n"
        "    return np.zeros((3, 3), int)\n"
        "settings = {'drl.steps': 600, 'drl.buffer': 200, 'meta.outer_steps': 1}\n"
        "mrdro.train('paper', set=settings, callbacks=[lambda report: bool(computes().size)], progress=False)\n"
        "compare = lambda: mrdro.compare('paper', [], functions={'own': computes}, workloads=sizes_mb[:20])\n"
        "threads = [threading.Thread(target=compare) for _ in range(3)]\n"
        "[thread.start() for thread in threads]\n"
        "computes()\n"
        "[thread.join() for thread in threads]\n"
        "print('done')\n"
    )
    environment = {**os.environ, "MRDRO_THREADS": "1"}
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, env=environment)
    assert run.stdout == "done\n", run.stderr
