"""The exceptions of mrdro. All of them can be pickled, so that they cross processes as they are."""

from __future__ import annotations

from typing import NamedTuple


class Problem(NamedTuple):
    """One mistake in a scenario or in the settings of a training.

    Attributes:
        key: The path of the key, such as ``servers[1].link_mbps``; empty if the text is no TOML.
        message: What is wrong, and what would be right.
        line: The line in the text, from 1; ``None`` if there is no text.
        column: The column in the text, from 1; ``None`` if there is no text.
    """

    key: str
    message: str
    line: int | None
    column: int | None


class Error(Exception):
    """Every exception of mrdro, except `ValueError`, `TypeError` and `OSError`."""


class _WithProblems(Error, ValueError):
    def __init__(self, message: str, problems: list[tuple[str, str, int | None, int | None]] | None = None) -> None:
        super().__init__(message)
        self.problems = [Problem(*problem) for problem in problems or []]

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.args[0], [tuple(problem) for problem in self.problems])


class ScenarioError(_WithProblems):
    """A scenario does not exist, or has mistakes; ``problems`` lists all of them, each a `mrdro.Problem`."""


class TrainingError(_WithProblems):
    """Settings of a training do not exist, or have mistakes; ``problems`` lists all of them, each a `mrdro.Problem`."""


class SchemeError(Error, ValueError):
    """There is no such scheme, or it cannot decide this scenario."""


class GraphError(Error, ValueError):
    """Tasks and edges make no task graph, or it does not fit the scenario; or a file of graphs or layers fails."""


class RecordError(Error, ValueError):
    """A record cannot be loaded or saved, or is for another scenario."""


class RecordingError(Error, ValueError):
    """A recording of a network or of task sizes cannot be used."""


class StoppedError(Error):
    """A training was stopped. `mrdro.train` and `mrdro.resume` return the stopped `mrdro.Run` in its place."""


class DivergedError(Error, ArithmeticError):
    """In training a loss, a parameter or a cost was no longer a finite number."""


class InternalError(Error, RuntimeError):
    """A fault of mrdro itself. Please report it."""
