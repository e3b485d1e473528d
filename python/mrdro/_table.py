"""Tables: what comparisons and trainings return."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


class Table(dict[str, list[Any]]):
    """Columns by name, all of one length.

    ``pandas.DataFrame(table)`` and ``polars.DataFrame(table)`` take it as it is, and a notebook shows it as a table.

    >>> table = Table.of_rows([{"scheme": "greedy", "q2": 0.98}, {"scheme": "exact", "q2": 1.0}])
    >>> table["scheme"]
    ['greedy', 'exact']
    >>> table.rows()[1]
    {'scheme': 'exact', 'q2': 1.0}
    """

    @classmethod
    def of_rows(cls, rows: Iterable[Mapping[str, Any]]) -> Table:
        """A table of rows; a value that a row lacks is ``None``."""
        rows = list(rows)
        names = dict.fromkeys(name for row in rows for name in row)
        return cls({name: [row.get(name) for row in rows] for name in names})

    def rows(self) -> list[dict[str, Any]]:
        """The rows, each as a dict."""
        return [dict(zip(self, values, strict=True)) for values in zip(*self.values(), strict=True)]

    def without_empty_columns(self) -> Table:
        """The table without columns that hold nothing but ``None``."""
        return Table({name: values for name, values in self.items() if any(value is not None for value in values)})

    @property
    def shape(self) -> tuple[int, int]:
        """The number of rows and of columns."""
        return len(next(iter(self.values()), [])), len(self)

    def __str__(self) -> str:
        cells = [list(self), *([_shown(value) for value in row.values()] for row in self.rows())]
        widths = [max(len(row[column]) for row in cells) for column in range(len(self))]
        numeric = [_is_numeric(values) for values in self.values()]

        def line(row: Sequence[str]) -> str:
            parts = zip(row, widths, numeric, strict=True)
            return "  ".join(cell.rjust(width) if right else cell.ljust(width) for cell, width, right in parts).rstrip()

        return "\n".join(line(row) for row in cells)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(name)}</th>" for name in self)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_shown(value))}</td>" for value in row.values()) + "</tr>"
            for row in self.rows()
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else str(value)
    return str(value)


def _is_numeric(values: Sequence[Any]) -> bool:
    return all(value is None or isinstance(value, int | float) for value in values)
