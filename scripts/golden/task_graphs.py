"""Golden numbers for task graphs, computed by others: minimum cuts by networkx, integer programs by HiGHS, schedules by SAGA.

    python3 -m venv target/golden
    target/golden/bin/pip install networkx==3.6.1 highspy==1.16.0 anrg-saga==2.0.2
    target/golden/bin/python scripts/golden/task_graphs.py

Draws small applications, computes what they cost from the definitions in docs/task-graphs.md, and writes applications
and results to crates/sim/tests/golden/task_graphs.json, the same bytes each time. crates/sim/tests/graphs/golden.rs reads
them.
"""

import json
import pathlib
import random

import highspy
import networkx
from saga import Network, TaskGraph
from saga.schedulers import HeftScheduler

FILE = pathlib.Path(__file__).parents[2] / "crates/sim/tests/golden/task_graphs.json"


def draw(rng, servers, tasks, shape):
    """An application and a system. Numbers are short, so that the file is."""
    number = lambda low, high: round(rng.uniform(low, high), 3)
    edges = []
    for to in range(1, tasks):
        if shape == "chain":
            before = [to - 1]
        elif shape == "tree":
            before = [rng.randrange(to)]
        else:
            before = sorted(rng.sample(range(to), min(to, rng.choice([1, 1, 2, 3]))))
        edges += [[one, to, number(0.1, 6)] for one in before]
    return {
        "device": {"instructions_per_s": 1.0, "compute_w": 0.9, "idle_w": 0.3},
        "servers": [
            {
                "instructions_per_s": number(3, 12),
                "energy_per_instruction_j": number(0, 0.2),
                "up_bytes_per_s": number(1, 5),
                "down_bytes_per_s": number(1, 5),
                "send_w": number(1, 2),
                "receive_w": number(0.5, 1.5),
                "price_per_byte": [0.0, number(0.1, 1)][server % 2],
            }
            for server in range(servers)
        ],
        "tasks": [{"instructions": number(0.5, 10), "is_local": task == 0} for task in range(tasks)],
        "edges": edges,
    }


def task_amounts(instance, task, place):
    """Energy, time and money of a task at a place, one thing at a time."""
    instructions = instance["tasks"][task]["instructions"]
    device = instance["device"]
    if place == 0:
        time_s = instructions / device["instructions_per_s"]
        return [device["compute_w"] * time_s, time_s, 0.0]
    server = instance["servers"][place - 1]
    time_s = instructions / server["instructions_per_s"]
    return [server["energy_per_instruction_j"] * instructions + device["idle_w"] * time_s, time_s, 0.0]


def byte_amounts(instance, start, end):
    """Energy, time and money of moving a byte; between servers it passes through the device."""
    energy_j = time_s = price = 0.0
    if start == end:
        return [energy_j, time_s, price]
    if start > 0:
        server = instance["servers"][start - 1]
        time_s += 1 / server["down_bytes_per_s"]
        energy_j += server["receive_w"] / server["down_bytes_per_s"]
        price += server["price_per_byte"]
    if end > 0:
        server = instance["servers"][end - 1]
        time_s += 1 / server["up_bytes_per_s"]
        energy_j += server["send_w"] / server["up_bytes_per_s"]
        price += server["price_per_byte"]
    return [energy_j, time_s, price]


def weigh(weights, amounts):
    return sum(weight * amount for weight, amount in zip(weights, amounts))


def totals(instance, places):
    """Energy, time and money of a decision."""
    parts = [task_amounts(instance, task, place) for task, place in enumerate(places)]
    for start, end, size in instance["edges"]:
        parts.append([size * amount for amount in byte_amounts(instance, places[start], places[end])])
    return [sum(amounts) for amounts in zip(*parts)]


def minimum_cut(instance):
    """The least cost between the device and one server: the device is the source's side."""
    graph = networkx.DiGraph()
    weights = instance["weights"]
    capacities = {}

    def add(start, end, capacity):
        capacities[start, end] = capacities.get((start, end), 0.0) + capacity

    for task, one in enumerate(instance["tasks"]):
        add("device", task, float("inf") if one["is_local"] else weigh(weights, task_amounts(instance, task, 1)))
        add(task, "server", weigh(weights, task_amounts(instance, task, 0)))
    for start, end, size in instance["edges"]:
        add(start, end, size * weigh(weights, byte_amounts(instance, 0, 1)))
        add(end, start, size * weigh(weights, byte_amounts(instance, 1, 0)))
    for (start, end), capacity in capacities.items():
        if capacity == float("inf"):
            graph.add_edge(start, end)  # networkx takes an edge without a capacity as unlimited
        else:
            graph.add_edge(start, end, capacity=capacity)
    return networkx.minimum_cut_value(graph, "device", "server")


def program(instance, weights, limits, is_whole=True):
    """The least cost within limits, and the decision, as an integer program; or its linear relaxation. None if there is none."""
    solver = highspy.Highs()
    solver.silent()
    for option in ["mip_rel_gap", "mip_abs_gap"]:
        solver.setOptionValue(option, 0.0)
    for option in ["primal_feasibility_tolerance", "dual_feasibility_tolerance", "mip_feasibility_tolerance"]:
        solver.setOptionValue(option, 1e-9)
    places = range(len(instance["servers"]) + 1)
    add = solver.addBinary if is_whole else lambda: solver.addVariable(lb=0, ub=1)
    at = []
    amounts = [[], [], []]

    def count(variable, values):
        for terms, value in zip(amounts, values):
            if value != 0.0:
                terms.append(value * variable)

    for task, one in enumerate(instance["tasks"]):
        at.append([add() for _ in places])
        solver.addConstr(sum(at[task]) == 1)
        if one["is_local"]:
            solver.addConstr(at[task][0] == 1)
        for place in places:
            count(at[task][place], task_amounts(instance, task, place))
    for start, end, size in instance["edges"]:
        way = [[solver.addVariable(lb=0, ub=1) for _ in places] for _ in places]
        for one in places:
            solver.addConstr(sum(way[one]) == at[start][one])
            solver.addConstr(sum(way[other][one] for other in places) == at[end][one])
            for other in places:
                count(way[one][other], [size * value for value in byte_amounts(instance, one, other)])
    sums = [sum(terms) if terms else 0.0 for terms in amounts]
    for total, limit in zip(sums, limits):
        if limit is not None:
            solver.addConstr(total <= limit)
    solver.minimize(sum(weight * total for weight, total in zip(weights, sums) if weight != 0.0))
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    cost = solver.getInfo().objective_function_value
    values = [[solver.variableValue(variable) for variable in row] for row in at]
    return cost, [max(places, key=lambda place: row[place]) for row in values]


def with_limits(rng, instance):
    """Limits between the least possible and what the cheapest decision takes, so that some decision keeps them."""
    none = [None, None, None]
    cheapest = totals(instance, program(instance, instance["weights"], none)[1])
    chosen = rng.choice([[1], [0, 1], [1, 2], [0, 1, 2]])
    for share in [0.3, 0.5, 0.7, 0.9, 1.0]:
        limits = list(none)
        for index in chosen:
            weights = [float(index == other) for other in range(3)]
            least = totals(instance, program(instance, weights, none)[1])[index]
            # Rounded up, so that rounding rules no decision out.
            limits[index] = round(least + share * (cheapest[index] - least) + 5e-4, 3)
        found = program(instance, instance["weights"], limits)
        if found is not None:
            return limits, found
    raise AssertionError("the cheapest decision keeps its own limits")


def cuts(rng):
    for _ in range(12):
        instance = draw(rng, 1, rng.randint(5, 30), rng.choice(["chain", "tree", "graph", "graph"]))
        instance["weights"] = rng.choice([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.5, 0.0], [0.3, 0.7, 0.2]])
        instance["least_cost"] = minimum_cut(instance)
        # Two programs of others must agree before ours is compared.
        cost, _ = program(instance, instance["weights"], [None] * 3)
        assert abs(cost - instance["least_cost"]) <= 1e-6 * cost, (cost, instance["least_cost"])
        yield instance


def programs(rng):
    for index in range(24):
        shape = ["chain", "tree", "graph"][index % 3]
        instance = draw(rng, 2, rng.randint(6, 14), shape)
        instance["weights"] = rng.choice([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.3, 0.7, 0.2], [0.1, 0.1, 1.0]])
        cost, _ = program(instance, instance["weights"], [None] * 3)
        instance["least_cost_without_limits"] = cost
        instance["limits"], (_, places) = with_limits(rng, instance)
        instance["places"] = places
        instance["least_cost"] = weigh(instance["weights"], totals(instance, places))
        instance["bound"], _ = program(instance, instance["weights"], instance["limits"], is_whole=False)
        yield instance


def schedules(rng):
    """SAGA has one rate between any two nodes, and data never wait: links go through the device here, so that the rate
    between two servers is that of both ways, one after the other. Servers are about as fast as the device, so that tasks are
    spread over all places."""
    for index in range(24):
        instance = draw(rng, 1 + index % 2, rng.randint(8, 16), ["tree", "graph"][index // 12])
        for server in instance["servers"]:
            server["instructions_per_s"] = round(rng.uniform(0.7, 2.0), 3)
            server["down_bytes_per_s"] = server["up_bytes_per_s"]
        for task in instance["tasks"]:
            task["is_local"] = False
        # Small data, which hardly ever wait for each other, and larger ones.
        scale = [0.02, 0.5][index // 2 % 2]
        instance["edges"] = [[start, end, round(scale * size, 4)] for start, end, size in instance["edges"]]
        rates = [server["up_bytes_per_s"] for server in instance["servers"]]
        names = [f"place{place}" for place in range(len(rates) + 1)]
        speeds = [1.0] + [server["instructions_per_s"] for server in instance["servers"]]
        links = [(names[0], names[1 + index], rate) for index, rate in enumerate(rates)]
        if len(rates) == 2:
            links.append((names[1], names[2], 1 / (1 / rates[0] + 1 / rates[1])))
        tasks = [(f"task{task}", one["instructions"]) for task, one in enumerate(instance["tasks"])]
        edges = [(f"task{start}", f"task{end}", size) for start, end, size in instance["edges"]]
        network = Network.create(list(zip(names, speeds)), links)
        schedule = HeftScheduler().schedule(network, TaskGraph.create(tasks, edges))
        places = [0] * len(tasks)
        for name, run in schedule.items():
            for task in run:
                if task.name.startswith("task"):
                    places[int(task.name[4:])] = names.index(name)
        instance["places"] = places
        instance["makespan_s"] = schedule.makespan
        yield instance


def main():
    golden = {
        "made_by": "scripts/golden/task_graphs.py",
        "cuts": list(cuts(random.Random(1))),
        "programs": list(programs(random.Random(2))),
        "schedules": list(schedules(random.Random(3))),
    }
    lines = []
    for name, value in golden.items():
        if isinstance(value, str):
            lines.append(f'  "{name}": {json.dumps(value)}')
        else:
            rows = ",\n".join("    " + json.dumps(row) for row in value)
            lines.append(f'  "{name}": [\n{rows}\n  ]')
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
