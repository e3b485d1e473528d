"""Decide where the tasks of mobile devices run: on the device, on an edge server or in the cloud.

>>> import mrdro
>>> record = mrdro.Record.shipped("paper")
>>> workloads = record.scenario.draw(1000)
>>> decisions = record.decide(workloads)
>>> decisions.places.shape
(1000, 3, 3)
>>> optimal = mrdro.solve("paper", workloads)
>>> bool((optimal.cost / decisions.cost).mean() > 0.999)
True
"""

from mrdro import callbacks
from mrdro._adaptation import adapt
from mrdro._compare import compare, schemes, solve
from mrdro._errors import (
    DivergedError,
    Error,
    GraphError,
    InternalError,
    Problem,
    RecordError,
    RecordingError,
    ScenarioError,
    SchemeError,
    StoppedError,
    TrainingError,
)
from mrdro._graphs import GraphDecision, GraphDecisions, GraphOutcome
from mrdro._mrdro import (
    CostModel,
    Drive,
    Environment,
    Graph,
    GraphModel,
    GraphScenario,
    Offer,
    Record,
    Recording,
    Scenario,
    StreamScenario,
    __version__,
    presets,
    read_graphs,
    set_threads,
    task_sizes,
    threads,
    trainings,
)
from mrdro._results import Bounds, Decisions, Outcome, SharedOut, Workloads
from mrdro._stream_compare import StreamTable
from mrdro._streams import SlotColumns, StreamRun, TaskColumns
from mrdro._sweep import Sweep, sweep
from mrdro._table import Table
from mrdro._training import Report, Run, resume, train, train_fleet, train_meta

__all__ = [
    "Bounds",
    "CostModel",
    "Decisions",
    "DivergedError",
    "Drive",
    "Environment",
    "Error",
    "Graph",
    "GraphDecision",
    "GraphDecisions",
    "GraphError",
    "GraphModel",
    "GraphOutcome",
    "GraphScenario",
    "InternalError",
    "Offer",
    "Outcome",
    "Problem",
    "Record",
    "RecordError",
    "Recording",
    "RecordingError",
    "Report",
    "Run",
    "Scenario",
    "ScenarioError",
    "SchemeError",
    "SharedOut",
    "SlotColumns",
    "StoppedError",
    "StreamRun",
    "StreamTable",
    "StreamScenario",
    "Sweep",
    "Table",
    "TaskColumns",
    "TrainingError",
    "Workloads",
    "__version__",
    "adapt",
    "callbacks",
    "compare",
    "presets",
    "read_graphs",
    "resume",
    "schemes",
    "set_threads",
    "solve",
    "sweep",
    "task_sizes",
    "threads",
    "train",
    "train_fleet",
    "train_meta",
    "trainings",
]
