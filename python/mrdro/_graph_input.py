"""Arguments that describe a task graph, and graphs of networkx."""

from __future__ import annotations

import difflib
import json
import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mrdro._mrdro import Graph

if TYPE_CHECKING:
    import networkx

TASK_FIELDS = ("name", "megacycles", "send_mb", "result_mb", "weights_mb", "kind", "pinned")
EDGE_FIELDS = ("from", "to", "mb")
NUMBERS = {"megacycles", "send_mb", "result_mb", "weights_mb", "mb"}

TaskRow = tuple[str, float, float | None, float | None, float | None, str | None, str | None]
EdgeRow = tuple[str, str, float | None]


def arguments_of(dictionary: Any) -> tuple[Any, Any, Any, Any]:
    """The arguments of `Graph` from a dict."""
    if not isinstance(dictionary, Mapping):
        raise TypeError(f'a graph must be a dict such as {{"tasks": […], "edges": […]}}, is {dictionary!r}')
    outer: Mapping[Any, Any] = {}
    if "graph" in dictionary:
        outer, dictionary = dictionary, dictionary["graph"]
        _check_keys("the dict", outer, ("id", "graph", "order"))
        if not isinstance(dictionary, Mapping):
            raise TypeError(f'graph must be a dict such as {{"tasks": […], "edges": […]}}, is {dictionary!r}')
    _check_keys("graph" if outer else "the dict", dictionary, ("tasks", "edges", "order", "id"))
    if "tasks" not in dictionary:
        raise ValueError('a graph must have "tasks"')
    if "order" in dictionary and "order" in outer:
        raise ValueError("order stands twice, inside graph and beside it; leave one out")
    inner = {**outer, **dictionary}
    return inner["tasks"], inner.get("edges"), inner.get("order"), inner.get("id")


def rows(
    tasks: Any, edges: Any, order: Any, id: Any
) -> tuple[list[TaskRow], list[EdgeRow], list[str] | None, str | None]:
    """The arguments of `Graph` as the extension module takes them."""
    task_rows = _of_rows("tasks", tasks, TASK_FIELDS)
    names: list[str] = []
    have_names = any("name" in row for row in task_rows)
    for index, row in enumerate(task_rows):
        name = row.get("name") if have_names else str(index)
        if not isinstance(name, str):
            wanted = "is missing" if name is None else f"must be a text, is {name!r}"
            raise TypeError(f"tasks[{index}].name {wanted}")
        names.append(str(name))
    found: list[TaskRow] = []
    for index, (name, row) in enumerate(zip(names, task_rows, strict=True)):
        megacycles = row.get("megacycles")
        if megacycles is None:
            raise ValueError(
                f"tasks[{index}].megacycles is missing: the task {name} needs its work in 10^6 instructions"
            )
        pinned = row.get("pinned")
        if pinned is not None and not isinstance(pinned, str):
            raise TypeError(f"tasks[{index}].pinned must be the name of a place or None, is {pinned!r}")
        kind = row.get("kind")
        if kind is not None and not isinstance(kind, str):
            raise TypeError(f"tasks[{index}].kind must be a kind of layer or None, is {kind!r}")
        sizes = (row.get("send_mb"), row.get("result_mb"), row.get("weights_mb"))
        found.append((name, megacycles, *sizes, kind, pinned))
    return found, _edges(edges, names), _order(order, names), _id(id)


def _edges(edges: Any, names: list[str]) -> list[EdgeRow]:
    found: list[EdgeRow] = []
    for index, row in enumerate([] if edges is None else _of_rows("edges", edges, EDGE_FIELDS)):
        if missing := [field for field in ("from", "to") if row.get(field) is None]:
            raise ValueError(f"edges[{index}].{missing[0]} is missing")
        ends = [_task(f"edges[{index}].{field}", row[field], names) for field in ("from", "to")]
        found.append((ends[0], ends[1], row.get("mb")))
    return found


def _order(order: Any, names: list[str]) -> list[str] | None:
    if order is None:
        return None
    if isinstance(order, str) or not isinstance(order, Iterable):
        raise TypeError(f"order must be a list of the names or numbers of tasks, is {order!r}")
    return [_task(f"order[{index}]", task, names) for index, task in enumerate(order)]


def _id(id: Any) -> str | None:
    if id is None:
        return None
    plain = id.tolist() if hasattr(id, "tolist") else id
    if isinstance(plain, bool) or not isinstance(plain, str | int | float):
        raise TypeError(f"id must be a text or a number, is {id!r}")
    return json.dumps(plain, ensure_ascii=False, allow_nan=False)


def _task(argument: str, given: Any, names: list[str]) -> str:
    """The name of a task from its name or number."""
    if isinstance(given, str):
        return str(given)
    if isinstance(given, float | np.floating) and float(given).is_integer():
        given = int(given)  # a row of an array of floating-point numbers
    try:
        if isinstance(given, bool | np.bool_):
            raise TypeError
        number = operator.index(given)
    except TypeError:
        raise TypeError(f"{argument} must be the name or number of a task, is {given!r}") from None
    if not 0 <= number < len(names):
        raise ValueError(f"{argument} must be a task from 0 to {len(names) - 1}, is {number}")
    return names[number]


def _of_rows(argument: str, given: Any, fields: tuple[str, ...]) -> list[dict[str, Any]]:
    """Tasks or edges as dicts of the fields that are there, from rows or columns."""
    example = '{"name": "a", "megacycles": 100}' if argument == "tasks" else '("a", "b", 3.5)'
    wanted = f"{argument} must be a list such as [{example}], or a dict of columns, is {given!r:.80}"
    if isinstance(given, Mapping) or hasattr(given, "columns"):
        return _of_columns(argument, given, fields)
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise TypeError(wanted)
    found = []
    for index, row in enumerate(given):
        place = f"{argument}[{index}]"
        if isinstance(row, Mapping):
            _check_keys(place, row, fields)
            named = dict(row)
        elif argument == "edges" and isinstance(row, Sequence | np.ndarray) and not isinstance(row, str | bytes):
            if len(row) not in (2, 3):
                raise ValueError(f"{place} must be (from, to) or (from, to, mb), has {len(row)} parts")
            named = dict(zip(fields, row, strict=False))
        else:
            kind = "a dict" if argument == "tasks" else "a dict, (from, to) or (from, to, mb)"
            raise TypeError(f"{place} must be {kind}, is {row!r:.80}")
        numbers = {field: _number(f"{place}.{field}", named[field]) for field in named if field in NUMBERS}
        found.append({field: value for field, value in {**named, **numbers}.items() if value is not None})
    return found


def _of_columns(argument: str, given: Any, fields: tuple[str, ...]) -> list[dict[str, Any]]:
    columns: dict[Any, list[Any]] = {}
    keys = list(given.columns) if hasattr(given, "columns") else list(given)
    _check_keys(argument, dict.fromkeys(keys), fields)
    for field in keys:
        column = given[field]
        if isinstance(column, str | bytes) or not isinstance(column, Iterable):
            raise TypeError(
                f"{argument}.{field} must be a list with a value for each of the {argument}, is {column!r:.80}"
            )
        columns[field] = list(column)
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        found = ", ".join(f"{field} {len(column)}" for field, column in columns.items())
        raise ValueError(f"{argument} must have columns of one length, has {found}")
    rows: list[dict[str, Any]] = [{} for _ in range(max(lengths, default=0))]
    for field, column in columns.items():
        for index, value in enumerate(column):
            if _is_missing(value):
                continue
            rows[index][field] = _number(f"{argument}[{index}].{field}", value) if field in NUMBERS else value
    return rows


def _is_missing(value: Any) -> bool:
    """Whether a value of a column is not there: `None`, `nan` in arrays, `pandas.NA` in data frames."""
    try:
        return value is None or bool(value != value)
    except TypeError:
        return True
    except ValueError:
        return False


def _number(argument: str, value: Any) -> float | None:
    if value is None:
        return None
    if not isinstance(value, bool | np.bool_ | str) and hasattr(value, "__float__"):
        try:
            return float(value)
        except OverflowError:
            raise ValueError(f"{argument} is too large a number: {value!r:.80}") from None
        except (TypeError, ValueError):
            pass  # an array
    raise TypeError(f"{argument} must be a number, is {value!r:.80}")


def _check_keys(place: str, given: Mapping[Any, Any], known: tuple[str, ...]) -> None:
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise ValueError(f"{place} has the unknown key {key!r}; {hint}")


def of_networkx(graph: Any, attributes: Mapping[str, str] | None) -> dict[str, Any]:
    """The dict of a directed graph of networkx, as `Graph.from_dict` reads it."""
    if not all(hasattr(graph, name) for name in ("is_directed", "nodes", "edges", "graph")):
        raise TypeError(f"graph must be a networkx.DiGraph, is {graph!r:.80}")
    if not graph.is_directed():
        raise ValueError(
            "graph must be directed, as a networkx.DiGraph is: an edge goes from a task to one that waits for it"
        )
    fields = (*TASK_FIELDS[1:], "mb")
    if attributes is not None and not isinstance(attributes, Mapping):
        raise TypeError(f'attributes must be a dict such as {{"megacycles": "work"}}, is {attributes!r}')
    _check_keys("attributes", attributes or {}, fields)
    source = {field: field for field in fields} | dict(attributes or {})

    def known(owner: str, given: Mapping[Any, Any], own: tuple[str, ...]) -> dict[str, Any]:
        for key in given:
            if key not in source.values() and (near := difflib.get_close_matches(str(key), own, 1, 0.85)):
                raise ValueError(f"{owner} has the attribute {key!r}; did you mean {near[0]}?")
        return {field: given[source[field]] for field in own if given.get(source[field]) is not None}

    tasks = [
        {"name": str(node), **known(f"the node {node}", given, TASK_FIELDS[1:])}
        for node, given in graph.nodes(data=True)
    ]
    numbers = {node: index for index, node in enumerate(graph.nodes)}
    edges = [
        {"from": numbers[tail], "to": numbers[head], **known(f"the edge {tail} → {head}", given, ("mb",))}
        for tail, head, given in graph.edges(data=True)
    ]
    order = graph.graph.get("order")
    if order is not None and not isinstance(order, str):
        order = [numbers.get(node, node) if not isinstance(node, str) else node for node in order]
    return {"tasks": tasks, "edges": edges, "order": order, "id": graph.graph.get("id")}


def to_networkx(graph: Graph) -> networkx.DiGraph:
    """What `Graph.to_networkx` returns."""
    try:
        import networkx
    except ImportError as error:
        raise ImportError("Graph.to_networkx needs networkx: pip install networkx") from error
    dictionary = graph.to_dict()
    own = {key: dictionary[key] for key in ("id", "order") if key in dictionary}
    made = networkx.DiGraph(**own)
    for task in dictionary["graph"]["tasks"]:
        made.add_node(task.pop("name"), **task)
    for edge in dictionary["graph"]["edges"]:
        made.add_edge(edge.pop("from"), edge.pop("to"), **edge)
    return made
