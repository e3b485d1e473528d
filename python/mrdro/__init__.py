"""Decide where the tasks of mobile devices run: on the device, on an edge server or in the cloud.

>>> import mrdro
>>> scenario = mrdro.Scenario.load("paper-wan")
>>> model = scenario.cost_model()
>>> sizes_mb = scenario.draw(1000).sizes_mb
>>> model.cost(sizes_mb, sizes_mb * 0 > 1).shape
(1000,)
"""

from mrdro._compare import compare, schemes, solve
from mrdro._errors import (
    DivergedError,
    Error,
    InternalError,
    Problem,
    RecordError,
    RecordingError,
    ScenarioError,
    SchemeError,
    StoppedError,
    TrainingError,
)
from mrdro._mrdro import (
    CostModel,
    Drive,
    Environment,
    Recording,
    Scenario,
    __version__,
    presets,
    set_threads,
    task_sizes,
    threads,
)
from mrdro._results import Bounds, Decisions, Outcome, SharedOut, Workloads
from mrdro._table import Table

__all__ = [
    "Bounds",
    "CostModel",
    "Decisions",
    "DivergedError",
    "Drive",
    "Environment",
    "Error",
    "InternalError",
    "Outcome",
    "Problem",
    "RecordError",
    "Recording",
    "RecordingError",
    "Scenario",
    "ScenarioError",
    "SchemeError",
    "SharedOut",
    "StoppedError",
    "Table",
    "TrainingError",
    "Workloads",
    "__version__",
    "compare",
    "presets",
    "schemes",
    "set_threads",
    "solve",
    "task_sizes",
    "threads",
]
