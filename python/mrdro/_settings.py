"""Arguments of trainings as the extension module takes them, and the files that trainings write."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from mrdro._mrdro import Record, Scenario
from mrdro._table import Table

StrPath = str | PathLike[str]
Training = StrPath | dict[str, Any]


def read_csv(path: StrPath) -> Table:
    """A CSV file as a table. Numbers become numbers, empty cells ``None``."""
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        rows = list(reader)
    return Table({name: [number(row[index]) for row in rows] for index, name in enumerate(header)})


def number(text: str, is_text: bool = False) -> Any:
    if is_text:
        return text
    if text == "":
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def settings_of(changes: Mapping[str, Any] | None) -> list[str]:
    """Changed settings as the program takes them, ``key=value``."""
    settings = []
    for key, value in (changes or {}).items():
        if isinstance(value, Mapping):
            settings += [f"{key}.{setting}" for setting in settings_of(value)]
        else:
            settings.append(f"{key}={toml(value)}")
    return settings


def toml(value: Any) -> str:
    """A value in TOML."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Sequence):
        return "[" + ",".join(map(toml, value)) + "]"
    raise TypeError(f"a setting must be a number, a text, a truth value or a list, is of type {type(value).__name__}")


def names_of(argument: str, given: StrPath | Sequence[StrPath]) -> list[str]:
    """One or several names or files."""
    all_given = [given] if isinstance(given, str | PathLike) or not isinstance(given, Iterable) else given
    if wrong := [one for one in all_given if not isinstance(one, str | PathLike)]:
        raise TypeError(f"{argument} must be names or files, holds {wrong[0]!r}")
    return [fspath(one) for one in all_given]


def training_of(training: Training) -> str | dict[str, Any]:
    return training if isinstance(training, dict) else fspath(training)


def record_path(record: StrPath | Record, stack: ExitStack) -> Path:
    """The directory of a record; one that is in memory alone is saved until the call ends."""
    if not isinstance(record, Record):
        return Path(record)
    path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mrdro-"))) / "record"
    record.save(path)
    return path


def scenario_path(scenario: StrPath | Scenario, stack: ExitStack) -> str:
    """The name or file of a scenario; one that is in memory alone is saved until the call ends."""
    if not isinstance(scenario, Scenario):
        return fspath(scenario)
    path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mrdro-"))) / "scenario.toml"
    path.write_text(scenario.to_toml(), encoding="utf-8")
    return str(path)
