"""What the tests share."""

from __future__ import annotations

import mrdro
import numpy as np
import pytest
from numpy.typing import NDArray


@pytest.fixture(scope="session")
def paper() -> mrdro.Scenario:
    """The paper's scenario: 3 devices with 3 tasks each."""
    return mrdro.Scenario.load("paper")


@pytest.fixture(scope="session")
def sizes_mb(paper: mrdro.Scenario) -> NDArray[np.float64]:
    """300 workloads of it."""
    return paper.draw(300, seed=7).sizes_mb
