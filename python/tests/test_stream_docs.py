"""The examples of the page about scenarios over time run, each by itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "python" / "over-time.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_the_code_of_the_page_runs(block, tmp_path, monkeypatch):
    for tool in ("gymnasium", "matplotlib", "pandas"):
        if f"import {tool}" in block:
            pytest.importorskip(tool)
    monkeypatch.setenv("MPLBACKEND", "svg")
    monkeypatch.chdir(tmp_path)
    exec(compile(block, str(PAGE), "exec"), {})
    assert ("backlog.svg" in block) == (tmp_path / "backlog.svg").exists()


def test_the_page_has_examples():
    assert len(BLOCKS) >= 5
