"""Reads safetensors files, in which parameters are exported."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "u1"}


def header(data: bytes) -> dict[str, Any]:
    """The header: the type, shape and position of each array, and the description as ``__metadata__``."""
    length = int.from_bytes(data[:8], "little")
    parsed: dict[str, Any] = json.loads(data[8 : 8 + length])
    return parsed


def read(data: bytes) -> dict[str, NDArray[Any]]:
    """The arrays by name."""
    start = 8 + int.from_bytes(data[:8], "little")

    def array(entry: dict[str, Any]) -> NDArray[Any]:
        begin, end = entry["data_offsets"]
        values = np.frombuffer(data[start + begin : start + end], _DTYPES[entry["dtype"]])
        return values.reshape(entry["shape"]).copy()

    return {name: array(entry) for name, entry in header(data).items() if name != "__metadata__"}
