"""The examples in the documentation of classes and functions."""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
from pathlib import Path

import mrdro
import pytest

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
MODULES = [
    "mrdro",
    "mrdro._compare",
    "mrdro._graphs",
    "mrdro._streams",
    "mrdro._table",
    "mrdro._results",
    "mrdro.networks",
    "mrdro._trackers",
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    result = doctest.testmod(
        importlib.import_module(name), extraglobs={name: getattr(mrdro, name) for name in mrdro.__all__}
    )
    assert result.failed == 0
    assert result.attempted > 0 or name == "mrdro._results"


def test_the_examples_of_the_page_run_each_by_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    # The others take ten seconds each.
    short = [block for block in blocks if not re.search(r"mrdro\.(train|sweep)\(", block)]
    assert len(short) >= 6
    for block in short:
        exec(compile(block, str(PAGE), "exec"), {})


def test_everything_public_is_documented():
    undocumented = []
    for name in mrdro.__all__:
        thing = getattr(mrdro, name)
        if not inspect.getdoc(thing) and callable(thing):
            undocumented.append(name)
        if inspect.isclass(thing) and thing.__module__.startswith("mrdro"):
            own = [part for part, value in vars(thing).items() if not part.startswith("_") and callable(value)]
            own += [part for part, value in vars(thing).items() if inspect.isdatadescriptor(value) and part[0] != "_"]
            undocumented += [f"{name}.{part}" for part in own if not inspect.getdoc(getattr(thing, part))]
    assert not undocumented
