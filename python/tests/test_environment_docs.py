"""The examples of the page about environments run, each by itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("gymnasium")
pytest.importorskip("pettingzoo")

PAGE = Path(__file__).parents[2] / "docs" / "python" / "environments.md"


def test_the_code_of_the_page_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) >= 4
    for block in blocks:
        if "stable_baselines3" not in block:
            exec(compile(block, str(PAGE), "exec"), {})
    q2 = float(capsys.readouterr().out.split()[-1])
    assert 0 < q2 < 1
