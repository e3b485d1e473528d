"""Training, its callbacks, resuming, adaptation and sweeps."""

from __future__ import annotations

import contextlib
import filecmp
import functools
import multiprocessing
import os
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import mrdro
import numpy as np
import pytest
from helpers import INTERRUPTIBLE, AlarmError, alarms, interrupted

SHORT = {"drl.steps": 600, "drl.buffer": 200, "meta.outer_steps": 3}
TRAINER = Path(__file__).parents[2] / "target" / "debug" / "trainer"


def train(out=None, seed=1, **others) -> mrdro.Run:
    return mrdro.train("paper", set=others.pop("set", SHORT), seed=seed, out=out, progress=False, **others)


def same_files(first: Path, second: Path, names=("config.toml", "metrics.csv", "record/weights.bpk")) -> bool:
    return all(filecmp.cmp(first / name, second / name, shallow=False) for name in names)


def test_a_run_is_a_record_with_its_progress(tmp_path):
    run = train(tmp_path / "run")
    assert run.is_finished and run.path == tmp_path / "run" and "finished" in repr(run)
    assert run.metrics["phase"] == ["meta"] * run.metrics["phase"].count("meta") + ["drl"] * 6
    assert list(run.metrics) == ["phase", "step", "loss", "q1", "q2", "buffer_mean_cost"]
    assert run.metrics["q1"][0] is None and run.metrics["step"][-1] == 600
    assert {row["scheme"] for row in run.results["evaluations"]} >= {"mr-dro", "greedy", "exact"}
    assert run.record.decide(run.record.scenario.draw(10)).cost.shape == (10,)
    assert sorted(file.name for file in run.path.iterdir()) == [
        "config.toml", "curves.svg", "metrics.csv", "record", "results.csv", "results.json",
    ]  # fmt: skip
    with pytest.raises(TypeError, match="send run.record or run.path"):
        pickle.dumps(run)
    with pytest.raises(FileExistsError, match="not empty"):
        train(tmp_path / "run")


def test_equal_seeds_give_equal_bytes_on_any_number_of_threads(tmp_path):
    for name, threads in [("one", 1), ("three", 3), ("own", None)]:
        train(tmp_path / name, threads=threads)
    assert same_files(tmp_path / "one", tmp_path / "three") and same_files(tmp_path / "one", tmp_path / "own")
    train(tmp_path / "other", seed=2)
    assert not same_files(tmp_path / "one", tmp_path / "other", ["metrics.csv"])
    with pytest.raises(ValueError, match="threads must be a whole number from 1 to 4096, is 0"):
        train(threads=0)


@pytest.mark.skipif(not TRAINER.exists(), reason="the program is not built")
def test_run_directories_are_those_of_the_program(tmp_path):
    run = train(tmp_path / "python")
    settings = [part for key, value in SHORT.items() for part in ("--set", f"{key}={value}")]
    command = [TRAINER, "train", "--scenario", "paper", *settings, "--out", tmp_path / "program"]
    subprocess.run(command, check=True, capture_output=True)
    assert same_files(run.path, tmp_path / "program", [*("config.toml", "metrics.csv", "record/weights.bpk")])
    subprocess.run([TRAINER, "plot", run.path, "--out", tmp_path / "both.svg"], check=True, capture_output=True)


def test_temporary_directories_go_with_their_runs():
    run = train()
    path = run.path
    assert path.exists()
    del run
    assert not path.exists()


def test_settings_can_be_a_dict_or_a_file(tmp_path):
    training = {"name": "mine", "network": {"dnns": 2, "hidden": [16]}, "drl": {"steps": np.int64(600), "buffer": 200}}
    run = mrdro.train("paper", training, set={"meta.outer_steps": 2}, progress=False)
    assert run.record.manifest["network"] == {**run.record.manifest["network"], "dnns": 2, "hidden": [16]}
    assert run.results["training"] == "mine"
    assert "recommended" in mrdro.trainings() and "fleet" in mrdro.trainings()
    (tmp_path / "own.toml").write_text("[drl]\nsteps = 600\nbuffer = 200\n[meta]\nouter_steps = 1\n")
    assert mrdro.train("paper", tmp_path / "own.toml", progress=False).results["training"] == "own"
    changed = mrdro.Scenario.load("paper").with_(name="changed", alpha=0.3)
    assert mrdro.train(changed, set=SHORT, progress=False).record.scenario == changed


def test_all_mistakes_of_settings_come_at_once():
    with pytest.raises(mrdro.TrainingError) as raised:
        mrdro.train("paper", set={"drl.stepz": 3, "network.dnns": 0}, progress=False)
    assert {problem.key for problem in raised.value.problems} == {"drl.stepz", "network.dnns"}
    assert "did you mean `steps`" in str(raised.value)
    with pytest.raises(mrdro.TrainingError, match="there is no training called `recomended`|recommended"):
        mrdro.train("paper", "recomended")
    with pytest.raises(mrdro.TrainingError):
        mrdro.train("paper", {"drl": {"steps": -1}})
    nested = {"drl": {"stepz": 3}, "network": {"dnns": 0}}
    with pytest.raises(mrdro.TrainingError, match="^set has 2 mistakes:\n"):
        mrdro.train("paper", set=nested, progress=False)
    with pytest.raises(TypeError, match="callbacks must hold functions of a report, holds 3"):
        mrdro.train("paper", callbacks=[3])
    with pytest.raises(
        TypeError, match=r'set\["drl.steps"\] must be a number, a text, a truth value or a list, is <object'
    ):
        mrdro.train("paper", set={"drl.steps": object()})


def test_mistakes_of_training_and_set_come_together(tmp_path):
    changes = {"drl.stepz": 3, "network": {"dnns": 0}}
    wrong = {"drl.stepz", "network.dnns", "meta.batch", "drl.steps"}
    with pytest.raises(mrdro.TrainingError) as raised:
        mrdro.train("paper", {"meta": {"batch": 0}, "drl": {"steps": -1}}, set=changes, progress=False)
    assert {problem.key for problem in raised.value.problems} == wrong
    own, more = str(raised.value).split("\nset has 2 mistakes:\n")
    assert own.startswith("training has 2 mistakes:\n") and "drl.steps: " in own and "meta.batch: " in own
    assert "drl.stepz: " in more and "network.dnns: " in more and "line" not in own + more
    with pytest.raises(mrdro.TrainingError, match="^set has 2 mistakes:\n"):
        mrdro.train("paper", {"drl": {"batch": 64}}, set=changes, progress=False)
    # A file has lines.
    (tmp_path / "own.toml").write_text("[meta]\nbatch = 0\n[drl]\nsteps = -1\n")
    with pytest.raises(mrdro.TrainingError) as raised:
        mrdro.train("paper", tmp_path / "own.toml", set=changes, progress=False)
    assert {problem.key: problem.line for problem in raised.value.problems} == {
        "meta.batch": 2, "drl.steps": 4, "drl.stepz": None, "network.dnns": None,
    }  # fmt: skip
    with pytest.raises(mrdro.TrainingError) as raised:
        mrdro.train_fleet({"network": {"nets": 0}}, set={"drl.flipz": 1}, progress=False)
    assert {problem.key for problem in raised.value.problems} == {"network.nets", "drl.flipz"}
    with pytest.raises(mrdro.TrainingError) as raised:
        mrdro.adapt("anywhere", "paper", training={"adaptation": {"batch": 0}}, set={"adaptation.batchz": 1})
    assert {problem.key for problem in raised.value.problems} == {"adaptation.batch", "adaptation.batchz"}


SEED = r"seed must be a whole number from 0 to 18446744073709551615, is "


@pytest.mark.parametrize(
    ("arguments", "error", "wanted"),
    [
        ({"seed": -1}, ValueError, SEED + "-1"),
        ({"seed": 2**64}, ValueError, SEED + "18446744073709551616"),
        ({"seed": "one"}, TypeError, SEED + "'one'"),
        ({"seed": 1.5}, TypeError, SEED + "1.5"),
        ({"seed": True}, TypeError, SEED + "True"),
        ({"progress": "off"}, ValueError, "progress must be \"auto\", True or False, is 'off'"),
        ({"progress": 3}, TypeError, 'progress must be "auto", True or False, is 3'),
        ({"set": ["drl.steps=3"]}, TypeError, r"set must be a dict of settings such as .*, is \['drl.steps=3'\]"),
        ({"set": {3: 4}}, TypeError, 'set must have paths of settings such as "drl.steps" as keys, has 3'),
        ({"set": {"drl steps": 4}}, ValueError, "as keys, has 'drl steps'"),
        ({"set": {"drl": {"steps": None}}}, TypeError, r'set\["drl"\]\["steps"\] must be .* is None'),
        ({"set": {"network.hidden": [8, None]}}, TypeError, r'set\["network.hidden"\]\[1\] must be .* is None'),
        ({"threads": -1}, ValueError, "threads must be a whole number from 1 to 4096, is -1"),
        ({"threads": "two"}, TypeError, "threads must be a whole number from 1 to 4096, is 'two'"),
        ({"out": 3}, TypeError, "out must be a path, is 3"),
        ({"start": 3}, TypeError, "start must be a Record or its directory, is 3"),
        ({"tensorboard": "yes"}, TypeError, "tensorboard must be True or False, is 'yes'"),
        (
            {"callbacks": print},
            TypeError,
            "callbacks must be a list of functions of a report, is <built-in function print>",
        ),
        ({"callbacks": [3]}, TypeError, "callbacks must hold functions of a report, holds 3"),
        ({"training": 3}, TypeError, "training must be a name, a file or a dict of settings, is 3"),
        ({"training": {"drl": {"steps": object()}}}, TypeError, r"training.drl.steps must be .* is of type object"),
        ({"scenario": 3}, TypeError, "scenario must be a Scenario, its name or its file, is 3"),
    ],
)
def test_arguments_that_do_not_fit_are_named(arguments, error, wanted, tmp_path):
    with pytest.raises(error, match=wanted):
        mrdro.train(**{"scenario": "paper", **arguments})
    fleet = {name: value for name, value in arguments.items() if name != "scenario"}
    if fleet and "set" not in fleet and "training" not in fleet:
        with pytest.raises(error, match=wanted):
            mrdro.train_fleet(**fleet)


@pytest.mark.parametrize(
    ("call", "error", "wanted"),
    [
        (
            lambda: mrdro.train_fleet(evaluated_fleets=-1),
            ValueError,
            "evaluated_fleets must be a whole number from 1 to",
        ),
        (lambda: mrdro.resume(3), TypeError, "path must be a path, is 3"),
        (lambda: mrdro.resume("nowhere", threads=0), ValueError, "threads must be a whole number from 1 to 4096, is 0"),
        (lambda: mrdro.adapt(3, "paper"), TypeError, "record must be a Record or its directory, is 3"),
        (lambda: mrdro.adapt("record", 3), TypeError, "scenario must be a Scenario, its name or its file, is 3"),
        (
            lambda: mrdro.adapt("record", "paper", steps=[-1]),
            ValueError,
            r"steps\[0\] must be a whole number .*, is -1",
        ),
        (lambda: mrdro.adapt("record", "paper", steps=3), TypeError, r"steps must be whole numbers, such as .*, is 3"),
        (lambda: mrdro.adapt("record", "paper", seed=-1), ValueError, SEED + "-1"),
        (lambda: mrdro.adapt("record", "paper", set=[3]), TypeError, "set must be a dict of settings"),
        (lambda: mrdro.adapt("record", "paper", training=3), TypeError, "training must be a name, a file or a dict"),
        (lambda: mrdro.adapt("record", recording=3), TypeError, "recording must be a path, is 3"),
        (lambda: mrdro.adapt("record", recording="r", drive=3), TypeError, "drive must be the name of a drive, is 3"),
        (lambda: mrdro.adapt("record", recording="r", at_s="x"), TypeError, "at_s must be a number of seconds, is 'x'"),
        (
            lambda: mrdro.adapt("record", recording="r", window_s=None),
            TypeError,
            "window_s must be a number of .* None",
        ),
    ],
)
def test_arguments_of_other_calls_are_named(call, error, wanted):
    with pytest.raises(error, match=wanted):
        call()


def test_callbacks_see_every_report_and_may_stop(tmp_path):
    reports, calls = [], []

    class Watcher:
        def begin(self, run):
            calls.append(("begin", run.path.name, run.configuration["training"]["drl"]["steps"]))

        def __call__(self, report):
            reports.append(report)
            assert threading.current_thread() is threading.main_thread()

        def end(self, run):
            calls.append(("end", run.is_finished))

    run = train(tmp_path / "run", callbacks=[Watcher()])
    assert calls == [("begin", "run", 600), ("end", True)]
    assert [(report.phase, report.step) for report in reports] == list(zip(run.metrics["phase"], run.metrics["step"]))
    assert [report.loss for report in reports] == run.metrics["loss"]
    assert all(first.seconds <= second.seconds for first, second in zip(reports, reports[1:]))

    stopped = train(tmp_path / "stopped", callbacks=[lambda report: report.step < 200 or report.phase == "meta"])
    assert not stopped.is_finished and stopped.metrics["step"][-1] == 200
    assert stopped.record.decide(np.full((3, 3), 20.0)).cost > 0
    resumed = mrdro.resume(tmp_path / "stopped", progress=False)
    assert resumed.is_finished and same_files(resumed.path, tmp_path / "run")
    assert not train(callbacks=[mrdro.callbacks.StopAt(q2=0.01)]).is_finished
    assert not train(callbacks=[lambda report: np.bool_(False)]).is_finished
    assert train(callbacks=[mrdro.callbacks.StopAt(q2=1.1)]).is_finished


def test_exceptions_of_callbacks_come_out_and_leave_a_checkpoint(tmp_path):
    class OwnError(Exception):
        pass

    def broken(report):
        if report.phase == "drl":
            raise OwnError("mine")

    with pytest.raises(OwnError, match="mine"):
        train(tmp_path / "run", callbacks=[broken])
    assert mrdro.resume(tmp_path / "run", progress=False).is_finished


def test_callbacks_are_told_of_failures_and_cannot_hide_them(tmp_path):
    told = []

    class Tracker:
        def __init__(self, name, begins=True):
            self.name, self.begins = name, begins

        def begin(self, run):
            if not self.begins:
                raise OSError("no disk")

        def __call__(self, report):
            raise ZeroDivisionError

        def failed(self, error):
            told.append((self.name, type(error)))
            raise RuntimeError("of its own")

    with pytest.warns(RuntimeWarning, match="of its own"), pytest.raises(ZeroDivisionError):
        train(callbacks=[Tracker("first")])
    with pytest.warns(RuntimeWarning), pytest.raises(OSError, match="no disk"):
        train(callbacks=[Tracker("second"), Tracker("third", begins=False)])
    assert told == [("first", ZeroDivisionError), ("second", OSError)]


def test_each_callback_is_told_once_how_the_training_ended(tmp_path):
    class Tracker:
        def __init__(self, answer=None, end=None):
            self.answer, self.raised, self.told = answer, end, []

        def __call__(self, report):
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

        def end(self, run):
            self.told.append(("end", run.is_finished))
            if self.raised:
                raise self.raised

        def failed(self, error):
            self.told.append(("failed", type(error)))

    def told(*trackers, error=None):
        with pytest.raises(error) if error else contextlib.nullcontext():
            train(callbacks=trackers)
        return [tracker.told for tracker in trackers]

    assert told(Tracker(), Tracker()) == [[("end", True)]] * 2
    assert told(Tracker(), Tracker(answer=False)) == [[("end", False)]] * 2
    assert told(Tracker(), Tracker(answer=KeyError()), error=KeyError) == [[("failed", KeyError)]] * 2
    # Whoever fails at the end does so alone.
    assert told(Tracker(end=KeyError()), Tracker(), error=KeyError) == [[("end", True)]] * 2
    with pytest.warns(RuntimeWarning, match="the method end of .* raised OSError"):
        assert told(Tracker(end=KeyError()), Tracker(end=OSError()), error=KeyError) == [[("end", True)]] * 2
    interrupted = Tracker()
    with alarms() as ring, pytest.raises(AlarmError):
        train(callbacks=[interrupted, lambda report: ring(0.05)], set={"drl.steps": 10**6})
    assert interrupted.told == [("failed", AlarmError)]


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
@pytest.mark.parametrize(
    ("call", "settings"),
    [
        (
            functools.partial(mrdro.train, "paper"),
            {
                **SHORT,
                "drl.steps": 2000,
                "drl.workloads_per_step": 8,
                "drl.report_every": 2000,
                "meta.outer_steps": 10,
                "meta.report_every": 10,
            },
        ),
        (
            functools.partial(mrdro.train_meta, "paper"),
            {"meta.outer_steps": 150, "meta.report_every": 50, "meta.inner_steps": 40},
        ),
        (mrdro.train_fleet, {"drl.steps": 60, "drl.report_every": 20, "drl.buffer": 4}),
    ],
    ids=["train", "train_meta", "train_fleet"],
)
def test_an_interrupted_run_has_a_checkpoint_and_goes_on_at_once_to_the_same_bytes(call, settings, tmp_path):
    call = functools.partial(call, set=settings, progress=False)
    if call.func is mrdro.train_fleet:
        call = functools.partial(call, evaluated_fleets=1)
    whole, run = call(out=tmp_path / "whole").path, tmp_path / "run"
    with alarms() as ring, pytest.raises(AlarmError):
        call(out=run, callbacks=[lambda report: ring(0.02)])
    steps = [int(state.stem.split("-")[1]) for state in (run / "checkpoints").glob("*.state")]
    assert any(step % settings.get("drl.report_every", 50) for step in steps), f"between two reports: {steps}"
    assert mrdro.resume(run, progress=False).is_finished and same_files(run, whole)


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_a_run_without_out_that_is_interrupted_is_kept_and_named():
    def broken(report):
        if report.phase == "drl":
            raise OSError("mine")

    def ends_badly(report):
        pass

    def fails(run):
        raise OSError("at the end")

    ends_badly.end = fails
    with pytest.raises(OSError, match="mine") as raised:
        train(callbacks=[broken])
    with alarms() as ring, pytest.raises(AlarmError) as interrupted:
        train(callbacks=[lambda report: ring(0.02)], set={**SHORT, "drl.steps": 5000})
    paths = []
    for error in (raised.value, interrupted.value):
        (note,) = notes(error)
        paths.append(re.fullmatch(r"the run is kept: mrdro.resume\('(.*)'\) goes on with it", note)[1])
    with pytest.raises(OSError, match="at the end") as raised:
        train(callbacks=[ends_badly])
    (note,) = notes(raised.value)
    finished = Path(note.removeprefix("the finished run is kept in "))
    assert same_files(mrdro.resume(paths[0], progress=False).path, finished)
    assert mrdro.resume(paths[1], progress=False).is_finished
    for path in [*paths, finished]:
        shutil.rmtree(path)
    before = set(Path(tempfile.gettempdir()).glob("mrdro-*"))
    with pytest.raises(FileNotFoundError) as raised:
        train(start=finished)
    assert not notes(raised.value) and set(Path(tempfile.gettempdir()).glob("mrdro-*")) <= before


def notes(error):
    return getattr(error, "__notes__", [])


def test_reports_are_written_as_csv(tmp_path):
    run = train(callbacks=[mrdro.callbacks.Csv(tmp_path / "progress.csv")])
    lines = (tmp_path / "progress.csv").read_text().splitlines()
    assert lines[0].startswith("phase,step,steps,loss") and len(lines) == 1 + run.metrics.shape[0]


def test_event_files_are_written_if_asked_for(tmp_path):
    assert not list(train(tmp_path / "without").path.glob("*tfevents*"))
    assert list(train(tmp_path / "with", tensorboard=True).path.glob("*tfevents*"))


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_ctrl_c_ends_training_within_a_second_and_can_be_resumed(tmp_path):
    program = (
        "import sys, mrdro\n"
        "mrdro.train('paper', set={'drl.steps': 400_000}, out=sys.argv[1], progress=False,\n"
        "            callbacks=[lambda report: print(report.phase, flush=True)])\n"
    )
    out = tmp_path / "run"
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE + program, out], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        while process.stdout.readline() != b"drl\n":
            pass
        error, seconds = interrupted(process)
        assert b"KeyboardInterrupt" in error and seconds < 2.5
    steps = []
    stopped = mrdro.resume(out, progress=False, callbacks=[lambda report: steps.append(report.step) or False])
    assert not stopped.is_finished and steps[0] > 100


def test_two_threads_train_at_once(tmp_path):
    runs = {}
    threads = [
        threading.Thread(target=lambda seed=seed: runs.update({seed: train(tmp_path / str(seed), seed=seed)}))
        for seed in (1, 2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert same_files(tmp_path / "1", train(tmp_path / "again").path) and runs[2].is_finished


def trained_losses(seed):
    return train(seed=seed).metrics["loss"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # forking a process with threads, which is what is tested
def test_a_forked_child_trains_after_its_parent_did():
    wanted = trained_losses(1)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply_async(trained_losses, (1,)).get(timeout=60) == wanted


def test_algorithm_one_alone_and_a_start(tmp_path):
    first = mrdro.train_meta("paper", set={"meta.outer_steps": 3}, out=tmp_path / "meta", progress=False)
    assert set(first.metrics["phase"]) == {"meta"}
    from_path = train(start=tmp_path / "meta" / "record")
    from_record = train(start=first.record)
    assert from_path.metrics == from_record.metrics and set(from_path.metrics["phase"]) == {"drl"}


def test_adaptation(tmp_path):
    record = mrdro.Record.shipped("paper")
    slow = mrdro.Scenario.load("paper").with_({"devices.uplink_mbps": 0.5})
    run = mrdro.adapt(record, slow, steps=[0, 10], out=tmp_path / "adapted")
    assert run.metrics["step"] == [0, 10] and run.metrics["q2"][1] >= run.metrics["q2"][0]
    assert run.record.scenario.to_dict()["devices"]["uplink_mbps"] == 0.5
    with pytest.raises(ValueError, match="settings of adaptation alone"):
        mrdro.adapt(record, slow, set={"drl.steps": 3})
    with pytest.raises(ValueError, match="either a scenario or a recording"):
        mrdro.adapt(record)


def test_a_sweep_is_a_table_and_goes_on(tmp_path):
    sweep = mrdro.sweep("paper", seeds=[1, 2], vary={"network.dnns": [1, 2]}, set=SHORT, out=tmp_path, progress=False)
    assert len(list((tmp_path / "runs").iterdir())) == 4
    rows = [row for row in sweep.summary.rows() if row["scheme"] == "mr-dro" and row["measure"] == "q2"]
    assert [row["network.dnns"] for row in rows] == [1, 2] and "<table>" in sweep._repr_html_()
    assert sweep.runs.shape[0] > 4
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").glob("*/record/weights.bpk")}
    more = mrdro.sweep(
        "paper", seeds=range(1, 4), vary={"network.dnns": [1, 2]}, set=SHORT, out=tmp_path, progress=False
    )
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").glob("*/record/weights.bpk")}
    assert len(after) == 6 and before.items() <= after.items()
    assert more.runs.shape[0] == sweep.runs.shape[0] * 6 // 4
    alone = mrdro.train("paper", set={**SHORT, "network.dnns": 2}, seed=2, progress=False)
    (of_sweep,) = (tmp_path / "runs").glob("*dnns=2*seed2")
    assert same_files(alone.path, of_sweep, ["metrics.csv", "record/weights.bpk"])


SLOW = {"meta.labels": "exact", "meta.metadata": 50_000, "drl.steps": 45, "drl.buffer": 20, "drl.batch": 8}
FLEET = {"drl.steps": 2, "drl.report_every": 1, "network.width": 4, "network.rounds": 1}


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
@pytest.mark.parametrize(
    ("call", "activity"),
    [
        (f"mrdro.train('shared-edge', set={SLOW}, out=path, progress=True)", b"labelling"),
        (f"mrdro.train('shared-edge', set={SLOW} | {{'meta.metadata': 50}}, out=path, progress=True)", b"evaluating"),
        (f"mrdro.train_fleet(set={FLEET}, evaluated_fleets=10_000, out=path, progress=True)", b"evaluating fleets"),
        ("mrdro.adapt(mrdro.Record.shipped('paper'), 'paper-wan', steps=[0, 100_000], out=path)", b"begins"),
    ],
    ids=["labelling", "evaluating", "evaluating fleets", "adapting"],
)
def test_ctrl_c_ends_every_activity_within_a_second_and_nothing_runs_on(call, activity, tmp_path):
    program = (
        "import sys, time, mrdro\n"
        "path = sys.argv[1]\n"
        "print('begins', file=sys.stderr, flush=True)\n"
        "try:\n"
        f"    {call}\n"
        "except KeyboardInterrupt:\n"
        "    computed_s = time.process_time()\n"
        "    time.sleep(0.5)\n"
        "    print('computes on for', time.process_time() - computed_s, 's', file=sys.stderr)\n"
        "    raise\n"
    )
    command = [sys.executable, "-c", INTERRUPTIBLE + program, tmp_path / "run"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0) as process:
        shown = b""
        while activity not in shown:
            shown += process.stderr.read(1) or pytest.fail(shown.decode())
        time.sleep(0.2)
        error, seconds = interrupted(process)
        assert b"KeyboardInterrupt" in error and seconds < 2.5
        assert float(re.search(rb"computes on for (\S+) s", error)[1]) < 0.1
    if activity != b"begins":
        assert (tmp_path / "run" / "checkpoints" / "run.toml").exists()
    states = list((tmp_path / "run").glob("checkpoints/*.state"))
    assert bool(states) == activity.startswith(b"evaluating"), "training was at its end"


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({"seeds": "1-3"}, "seeds must be whole numbers, such as range"),
        ({"vary": {"network.dnns": 3}}, "vary must map each setting to a list of values, has 3 for network.dnns"),
        ({"scenarios": [3]}, "scenarios must be names or files, holds 3"),
        ({"vary": {"network.dnnz": [3]}}, "did you mean `dnns`"),
        ({"shard": "3/2"}, 'shard must be I/N with 1 ≤ I ≤ N, such as 2/4, is "3/2"'),
    ],
)
def test_mistakes_of_a_sweep_are_named(arguments, wanted, tmp_path):
    arguments = {"scenarios": "paper", "progress": False, **arguments}
    with pytest.raises((TypeError, ValueError), match=wanted):
        mrdro.sweep(**arguments, out=tmp_path / "sweep")


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_ctrl_c_ends_a_sweep_and_keeps_what_is_done(tmp_path):
    program = (
        "import sys, mrdro\n"
        "print('ready', flush=True)\n"
        "mrdro.sweep('paper', seeds=range(1, 100), set={'drl.steps': 2000}, out=sys.argv[1], progress=False)\n"
    )
    command = [sys.executable, "-c", INTERRUPTIBLE + program, tmp_path / "sweep"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        time.sleep(2)
        error, seconds = interrupted(process)
        assert b"KeyboardInterrupt" in error and seconds < 2.5
    assert not list((tmp_path / "sweep").glob("unfinished/*"))


def test_networks_for_any_fleet(tmp_path):
    settings = {"drl.steps": 4, "drl.report_every": 2}
    run = mrdro.train_fleet(
        set=settings, evaluated_fleets=1, progress=False, callbacks=[lambda report: report.step < 2]
    )
    assert not run.is_finished and run.record.kind == "fleet" and run.metrics["phase"][0] == "fleet"
