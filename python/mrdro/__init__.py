"""Decide where the tasks of mobile devices run: on the device, on an edge server or in the cloud.

>>> import mrdro
>>> scenario = mrdro.Scenario.load("paper-wan")
>>> model = scenario.cost_model()
>>> sizes_mb = scenario.draw(1000).sizes_mb
>>> model.cost(sizes_mb, sizes_mb * 0 > 1).shape
(1000,)
"""

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
from mrdro._mrdro import CostModel, Environment, Scenario, __version__, presets, set_threads, threads
from mrdro._results import Bounds, Decisions, Outcome, Workloads

__all__ = [
    "Bounds",
    "CostModel",
    "Decisions",
    "DivergedError",
    "Environment",
    "Error",
    "InternalError",
    "Outcome",
    "Problem",
    "RecordError",
    "RecordingError",
    "Scenario",
    "ScenarioError",
    "SchemeError",
    "StoppedError",
    "TrainingError",
    "Workloads",
    "__version__",
    "presets",
    "set_threads",
    "threads",
]
