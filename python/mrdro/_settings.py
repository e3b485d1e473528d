"""Arguments of trainings as the extension module takes them, and the files that trainings write."""

from __future__ import annotations

import csv
import json
import operator
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from mrdro._mrdro import Record, Scenario
from mrdro._table import Table

MOST_SEED = 2**64 - 1
MOST_THREADS = 4096
MOST_STEPS = 1_000_000_000

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


def settings_of(changes: Mapping[str, Any] | None, argument: str = "set") -> list[str]:
    """Changed settings as the program takes them, ``key=value``."""
    if changes is None:
        return []
    if not isinstance(changes, Mapping):
        raise TypeError(f'{argument} must be a dict of settings such as {{"drl.steps": 5000}}, is {changes!r}')
    settings = []
    for key, value in changes.items():
        path = setting_path(argument, key)
        place = f'{argument}["{path}"]'
        if isinstance(value, Mapping):
            settings += [f"{path}.{setting}" for setting in settings_of(value, place)]
        else:
            settings.append(f"{path}={toml(value, place)}")
    return settings


def setting_path(argument: str, path: Any) -> str:
    """The path of a setting, such as ``drl.steps``."""
    if not isinstance(path, str) or not re.fullmatch(r"[\w-]+(\.[\w-]+)*", path, re.ASCII):
        error = ValueError if isinstance(path, str) else TypeError
        raise error(f'{argument} must have paths of settings such as "drl.steps" as keys, has {path!r}')
    return path


def toml(value: Any, argument: str) -> str:
    """A value in TOML."""
    plain = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(plain, bool):
        return str(plain).lower()
    if isinstance(plain, str):
        return json.dumps(plain, ensure_ascii=False)
    if isinstance(plain, int | float):
        return repr(plain)
    if isinstance(plain, Sequence) and not isinstance(plain, bytes | bytearray):
        return "[" + ",".join(toml(item, f"{argument}[{index}]") for index, item in enumerate(plain)) + "]"
    raise TypeError(f"{argument} must be a number, a text, a truth value or a list, is {value!r}")


def whole_number(argument: str, value: Any, least: int, most: int) -> int:
    """A whole number in a range."""
    wanted = f"{argument} must be a whole number from {least} to {most}, is {value!r}"
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(wanted) from None
    if not least <= number <= most:
        raise ValueError(wanted)
    return number


def whole_numbers(argument: str, values: Iterable[int], least: int, most: int, example: str) -> list[int]:
    """Several whole numbers in a range."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise TypeError(f"{argument} must be whole numbers, such as {example}, is {values!r}")
    return [whole_number(f"{argument}[{index}]", value, least, most) for index, value in enumerate(values)]


def seed_of(seed: int) -> int:
    return whole_number("seed", seed, 0, MOST_SEED)


def threads_of(threads: int | None) -> int | None:
    return None if threads is None else whole_number("threads", threads, 1, MOST_THREADS)


def number_of(argument: str, value: Any, wanted: str) -> float:
    """A number of seconds and the like."""
    if isinstance(value, bool | np.bool_ | str) or not hasattr(value, "__float__"):
        raise TypeError(f"{argument} must be {wanted}, is {value!r}")
    return float(value)


def truth(argument: str, value: Any) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{argument} must be True or False, is {value!r}")
    return bool(value)


def progress_of(progress: bool | str) -> bool | None:
    """Whether a bar is shown; ``None``: where it can be seen."""
    if isinstance(progress, str) and progress == "auto":
        return None
    if not isinstance(progress, bool | np.bool_):
        error = ValueError if isinstance(progress, str) else TypeError
        raise error(f'progress must be "auto", True or False, is {progress!r}')
    return bool(progress)


def path_of(argument: str, path: StrPath) -> Path:
    if not isinstance(path, str | PathLike):
        raise TypeError(f"{argument} must be a path, is {path!r}")
    return Path(path)


def names_of(argument: str, given: StrPath | Sequence[StrPath]) -> list[str]:
    """One or several names or files."""
    all_given = [given] if isinstance(given, str | PathLike) or not isinstance(given, Iterable) else given
    if wrong := [one for one in all_given if not isinstance(one, str | PathLike)]:
        raise TypeError(f"{argument} must be names or files, holds {wrong[0]!r}")
    return [fspath(one) for one in all_given]


def training_of(training: Training) -> str | dict[str, Any]:
    if not isinstance(training, str | PathLike | dict):
        raise TypeError(f"training must be a name, a file or a dict of settings, is {training!r}")
    return training if isinstance(training, dict) else fspath(training)


def record_path(argument: str, record: StrPath | Record, stack: ExitStack) -> Path:
    """The directory of a record; one that is in memory alone is saved until the call ends."""
    if not isinstance(record, Record):
        if not isinstance(record, str | PathLike):
            raise TypeError(f"{argument} must be a Record or its directory, is {record!r}")
        return Path(record)
    path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mrdro-"))) / "record"
    record.save(path)
    return path


def check_scenario(scenario: Any) -> None:
    if not isinstance(scenario, str | PathLike | Scenario):
        raise TypeError(f"scenario must be a Scenario, its name or its file, is {scenario!r}")


def scenario_path(scenario: StrPath | Scenario, stack: ExitStack) -> str:
    """The name or file of a scenario; one that is in memory alone is saved until the call ends."""
    check_scenario(scenario)
    if not isinstance(scenario, Scenario):
        return fspath(scenario)
    path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mrdro-"))) / "scenario.toml"
    path.write_text(scenario.to_toml(), encoding="utf-8")
    return str(path)
