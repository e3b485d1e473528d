"""Callbacks for TensorBoard, Weights & Biases and MLflow."""

from __future__ import annotations

import struct
import sys
import types
import warnings
from dataclasses import dataclass
from pathlib import Path

import mrdro
import pytest
from mrdro import _trackers
from mrdro._mrdro import EventFile


@dataclass
class Report:
    phase: str
    step: int
    loss: float | None = None
    q1: float | None = None
    q2: float | None = None
    buffer_mean_cost: float | None = None
    share_of_missed_deadlines: float | None = None
    seconds: float = 0.0
    steps: int = 100


@dataclass
class Run:
    path: Path


REPORTS = [
    Report("meta", 5, loss=0.5, q2=0.25),
    Report("drl", 10, q2=0.5, buffer_mean_cost=180.0),
    Report("drl", 20, loss=0.25, q1=0.75, q2=0.875, buffer_mean_cost=170.0, share_of_missed_deadlines=0.0),
]
CURVES = {
    "meta/loss": [(5, 0.5)],
    "meta/q2": [(5, 0.25)],
    "drl/q2": [(10, 0.5), (20, 0.875)],
    "drl/buffer_mean_cost": [(10, 180.0), (20, 170.0)],
    "drl/loss": [(20, 0.25)],
    "drl/q1": [(20, 0.75)],
    "drl/share_of_missed_deadlines": [(20, 0.0)],
}


def train(callback, run, reports=REPORTS):
    callback.begin(run)
    for report in reports:
        assert callback(report) is not False
    callback.end(run)


def frames(directory):
    """The contents of all frames of the event files in a directory, in the order of the files' names."""
    for path in sorted(directory.glob("events.out.tfevents.*.mrdro")):
        file = path.read_bytes()
        while file:
            (length,) = struct.unpack("<Q", file[:8])
            yield file[12 : 12 + length]
            file = file[16 + length :]


def steps(directory, tag):
    """The steps of the events with a tag; steps below 128 are one byte."""
    return [frame[10] for frame in frames(directory) if tag in frame]


def tensorboard(directory):
    """What TensorBoard itself reads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
        read = accumulators.EventAccumulator(str(directory), size_guidance={"scalars": 0})
        read.Reload()
    return {tag: [(event.step, event.value) for event in read.Scalars(tag)] for tag in read.Tags()["scalars"]}


def test_tensorboard_reads_every_value_of_every_report(tmp_path):
    train(_trackers.TensorBoard(tmp_path / "logs" / "first"), Run(tmp_path))
    assert tensorboard(tmp_path / "logs" / "first") == CURVES


def test_event_files_hold_the_tags_and_steps(tmp_path):
    train(_trackers.TensorBoard(), Run(tmp_path))
    assert next(frames(tmp_path)).endswith(b"brain.Event:2")
    assert steps(tmp_path, b"meta/loss") == [5] and steps(tmp_path, b"drl/q2") == [10, 20]
    assert steps(tmp_path, b"drl/loss") == [20], "None is not written"


def test_a_resumed_training_has_each_step_once(tmp_path):
    callback = _trackers.TensorBoard()
    train(callback, Run(tmp_path))
    train(callback, Run(tmp_path), [*REPORTS[2:], Report("drl", 30, q2=1.0)])
    assert steps(tmp_path, b"drl/q2") == [10, 20, 30] and steps(tmp_path, b"meta/loss") == [5]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_directory_of_logs_keeps_what_another_training_wrote(tmp_path):
    for run in ("first", "second"):
        train(_trackers.TensorBoard(tmp_path), Run(tmp_path / run))
    assert steps(tmp_path, b"drl/q2") == [10, 20, 10, 20]


def test_tensorboard_without_a_run_needs_a_directory(tmp_path):
    with pytest.raises(ValueError, match="directory must be given"):
        _trackers.TensorBoard()(REPORTS[0])
    _trackers.TensorBoard(tmp_path)(REPORTS[0])
    assert steps(tmp_path, b"meta/loss") == [5]


def test_event_files_refuse_what_they_cannot_hold(tmp_path):
    file = EventFile(tmp_path)
    assert file.path.parent == tmp_path and str(file.path) in repr(file)
    with pytest.raises(ValueError, match=r"scalars\[\"a/b\"\] must be a number, is 'high'"):
        file.add(1, {"a/b": "high"})
    with pytest.raises(ValueError, match="tags must be texts, 3 is none"):
        file.add(1, {3: 1.0})
    with pytest.raises(ValueError, match='phase must be "meta", "drl", "fleet" or "site", is "dlr"'):
        EventFile.remove_from(tmp_path, "dlr", 1)
    with pytest.raises(FileNotFoundError, match="missing"):
        EventFile.remove_from(tmp_path / "missing", "drl", 1)
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="no folder"):
        EventFile(tmp_path / "file")
    assert len(list(frames(tmp_path))) == 1, "nothing was written"


class StandIn(types.ModuleType):
    """A module that keeps the calls of its functions."""

    def __init__(self, name, active):
        super().__init__(name)
        self.run, self.calls = active, []

    def __getattr__(self, function):
        if function.startswith("__"):
            raise AttributeError(function)

        def called(*arguments, **named):
            self.calls.append((function, arguments, named))

        return called

    def active_run(self):
        return self.run


@pytest.fixture
def stand_in(monkeypatch):
    def put(name, active=None):
        module = StandIn(name, active)
        monkeypatch.setitem(sys.modules, name, module)
        return module

    return put


def test_wandb_gets_each_report_over_its_own_axis(stand_in, tmp_path):
    wandb = stand_in("wandb")
    train(_trackers.WandB("offloading", mode="offline"), Run(tmp_path))
    assert wandb.calls == [
        ("init", (), {"project": "offloading", "mode": "offline"}),
        ("define_metric", ("meta/*",), {"step_metric": "meta/step"}),
        ("log", ({"meta/step": 5, "meta/loss": 0.5, "meta/q2": 0.25},), {}),
        ("define_metric", ("drl/*",), {"step_metric": "drl/step"}),
        ("log", ({"drl/step": 10, "drl/q2": 0.5, "drl/buffer_mean_cost": 180.0},), {}),
        (
            "log",
            (
                {
                    "drl/step": 20,
                    "drl/loss": 0.25,
                    "drl/q1": 0.75,
                    "drl/q2": 0.875,
                    "drl/buffer_mean_cost": 170.0,
                    "drl/share_of_missed_deadlines": 0.0,
                },
            ),
            {},
        ),
        ("finish", (), {"exit_code": 0}),
    ]


def test_an_active_run_of_wandb_is_used_and_left_open(stand_in, tmp_path):
    wandb = stand_in("wandb", active="a run")
    train(_trackers.WandB(), Run(tmp_path), REPORTS[:1])
    assert [function for function, _, _ in wandb.calls] == ["define_metric", "log"]


def test_mlflow_gets_each_report_and_the_files(stand_in, tmp_path):
    mlflow = stand_in("mlflow")
    train(_trackers.MLflow("offloading", run_name="first", tracking_uri="http://host"), Run(tmp_path), REPORTS[:1])
    assert mlflow.calls == [
        ("set_tracking_uri", ("http://host",), {}),
        ("set_experiment", ("offloading",), {}),
        ("start_run", (), {"run_name": "first"}),
        ("log_metrics", ({"meta/loss": 0.5, "meta/q2": 0.25},), {"step": 5}),
        ("log_artifacts", (str(tmp_path),), {}),
        ("end_run", ("FINISHED",), {}),
    ]
    mlflow = stand_in("mlflow", active="a run")
    train(_trackers.MLflow(artifacts=False), Run(tmp_path), REPORTS[:1])
    assert [function for function, _, _ in mlflow.calls] == ["log_metrics"]


def test_mlflow_itself_keeps_metrics_and_files(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow = pytest.importorskip("mlflow")
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "metrics.csv").write_text("phase,step\n")
        uri = (tmp_path / "store").as_uri()
        train(_trackers.MLflow("offloading", tracking_uri=uri), Run(tmp_path / "run"))
        client = mlflow.MlflowClient(uri)
        experiment = client.get_experiment_by_name("offloading")
        (run,) = client.search_runs([experiment.experiment_id])
        found = {tag: [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, tag)] for tag in CURVES}
        artifacts = [artifact.path for artifact in client.list_artifacts(run.info.run_id)]
    assert found == CURVES and artifacts == ["metrics.csv"] and run.info.status == "FINISHED"


def short(out, *callbacks, resumes=False):
    """A training of a second, or the rest of one."""
    if resumes:
        return mrdro.resume(out, callbacks=callbacks, progress=False)
    settings = {"drl.steps": 400, "drl.buffer": 100, "drl.report_every": 100, "meta.outer_steps": 2}
    return mrdro.train("paper", set=settings, out=out, callbacks=callbacks, progress=False)


def test_trainings_write_their_reports(stand_in, tmp_path):
    wandb, mlflow = stand_in("wandb"), stand_in("mlflow")
    run = short(tmp_path / "run", _trackers.TensorBoard(), _trackers.WandB(), _trackers.MLflow())
    drl = [step for step, phase in zip(run.metrics["step"], run.metrics["phase"], strict=True) if phase == "drl"]
    assert len(drl) == 4 and len([frame for frame in frames(run.path) if b"drl/q2" in frame]) == 4
    assert [
        arguments[0]["drl/step"] for _, arguments, _ in wandb.calls if arguments and "drl/step" in arguments[0]
    ] == drl
    assert wandb.calls[0][2]["config"]["training"]["drl"]["steps"] == 400
    assert ("log_artifacts", (str(run.path),), {}) in mlflow.calls


def test_a_training_that_is_resumed_goes_on_in_tensorboard(tmp_path):
    stopped = short(
        tmp_path / "run", _trackers.TensorBoard(), lambda report: report.step < 200 or report.phase == "meta"
    )
    assert not stopped.is_finished
    # A second one, which ends without a checkpoint after its report.
    callback = _trackers.TensorBoard()
    with pytest.raises(KeyError):
        short(tmp_path / "run", callback, {}.__getitem__, resumes=True)
    run = short(tmp_path / "run", _trackers.TensorBoard(), resumes=True)
    assert run.is_finished
    curves = tensorboard(tmp_path / "run")
    points = zip(run.metrics["phase"], run.metrics["step"], run.metrics["q2"], strict=True)
    wanted = [(step, pytest.approx(q2, rel=1e-6)) for phase, step, q2 in points if phase == "drl"]
    assert curves["drl/q2"] == wanted


def test_a_training_that_fails_ends_its_runs_as_failed(stand_in, tmp_path):
    wandb, mlflow = stand_in("wandb"), stand_in("mlflow")
    with pytest.raises(KeyError):
        short(None, _trackers.TensorBoard(), _trackers.WandB(), _trackers.MLflow(), {}.__getitem__)
    assert wandb.calls[-1] == ("finish", (), {"exit_code": 1})
    assert mlflow.calls[-1] == ("end_run", ("FAILED",), {})


@pytest.mark.parametrize(("callback", "module"), [(_trackers.WandB, "wandb"), (_trackers.MLflow, "mlflow")])
def test_what_is_missing_is_said_with_what_to_install(callback, module, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=f"{callback.__name__} needs {module}: pip install {module}"):
        callback().begin(Run(tmp_path))
