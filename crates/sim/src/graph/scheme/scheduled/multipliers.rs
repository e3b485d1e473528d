//! Bounds by multipliers: a weighted mean of what queues have to do and of what paths take, together with fixed costs.
//!
//! An application takes at least as long as each queue works, and at least as long as each path of tasks that wait for each
//! other. It therefore takes at least any weighted mean of these. For fixed weights this mean and the fixed costs are a
//! sum of one cost for each task at its place and of one for each edge between two places: a labelling problem, which is
//! bounded by moving costs between tasks and edges until the least costs of all, one by one, add up to as much as possible
//! (sequential reweighted message passing, Kolmogorov, 2015). Costs that have been moved once bound every part of a
//! decision at the price of a few additions.

use super::bound::{later, lesser};
use super::loads::Uses;
use super::tables::Tables;
use crate::graph::rules::Transfer;
use crate::graph::schedule::Schedule;

/// The weights of the mean; those of queues and of the beginnings of paths add up to 1.
#[derive(Debug, Clone)]
struct Weights {
    /// `[queue]`.
    queues: Vec<f64>,
    /// `[position]`: the weight of all paths through a task.
    tasks: Vec<f64>,
    /// `[edge]`: the weight of all paths along an edge.
    edges: Vec<f64>,
}

impl Weights {
    fn zero(problem: &Problem<'_>) -> Self {
        let (queues, tasks) = (problem.uses.count, problem.tables.tasks);
        Self { queues: vec![0.0; queues], tasks: vec![0.0; tasks], edges: vec![0.0; problem.edges.len()] }
    }

    fn all(&self) -> impl Iterator<Item = &f64> {
        self.queues.iter().chain(&self.tasks).chain(&self.edges)
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut f64> {
        self.queues.iter_mut().chain(&mut self.tasks).chain(&mut self.edges)
    }

    /// The sum of the differences of all weights.
    fn distance(&self, other: &Self) -> f64 {
        self.all().zip(other.all()).map(|(one, other)| (one - other).abs()).sum()
    }
}

/// An edge between two positions.
#[derive(Debug, Clone, Copy)]
struct Edge {
    from: usize,
    to: usize,
    bytes: f64,
}

/// A scheduled model as tasks, edges and queues.
struct Problem<'a> {
    tables: &'a Tables<'a>,
    uses: &'a Uses,
    edges: Vec<Edge>,
    /// `[position]`: the edges that begin there.
    outgoing: Vec<Vec<usize>>,
    /// `[position]`: the edges that end there.
    incoming: Vec<Vec<usize>>,
    /// `[position]`: the places where the task may run.
    allowed: Vec<Vec<usize>>,
}

impl<'a> Problem<'a> {
    fn new(tables: &'a Tables<'a>, uses: &'a Uses) -> Self {
        let mut edges = Vec::new();
        let (mut outgoing, mut incoming) = (vec![Vec::new(); tables.tasks], vec![Vec::new(); tables.tasks]);
        for (to, incoming) in incoming.iter_mut().enumerate() {
            for before in tables.incoming(to) {
                let from = before.position as usize;
                outgoing[from].push(edges.len());
                incoming.push(edges.len());
                edges.push(Edge { from, to, bytes: before.bytes });
            }
        }
        let allowed = (0..tables.tasks).map(|position| tables.allowed(position).collect()).collect();
        Self { tables, uses, edges, outgoing, incoming, allowed }
    }

    /// The time from when the task at the beginning of an edge has run to when the one at its end can run, at least.
    fn way_s(&self, edge: Edge, from: usize, to: usize) -> f64 {
        let tables = self.tables;
        if from == to {
            return 0.0;
        }
        match tables.model.rules().transfer {
            Transfer::Task => {
                tables.return_s[edge.from * tables.places + from] + tables.send_s[edge.to * tables.places + to]
            }
            Transfer::Edge => edge.bytes * tables.model.transfer_s_per_byte(from, to),
        }
    }
}

impl Problem<'_> {
    /// Calls a function with each queue that works on an edge between two places, and how long.
    fn queues_of_edge(&self, edge: Edge, from: usize, to: usize, mut visit: impl FnMut(usize, f64)) {
        let model = self.tables.model;
        if from == to || model.rules().transfer == Transfer::Task {
            return;
        }
        if to > 0 {
            visit(self.uses.uplink[to], edge.bytes * model.up_s_per_byte[to]);
        }
        if let Some(&downlink) = self.uses.downlink.get(from).filter(|_| from > 0) {
            visit(downlink, edge.bytes * model.down_s_per_byte[from]);
        }
    }

    fn cell(&self, position: usize, place: usize) -> usize {
        position * self.tables.places + place
    }

    fn pair(&self, edge: usize, from: usize, to: usize) -> usize {
        (edge * self.tables.places + from) * self.tables.places + to
    }

    /// The weights of paths that begin at a task, and of those that end there.
    fn ends(&self, weights: &Weights, position: usize) -> (f64, f64) {
        let sum = |edges: &[usize]| edges.iter().map(|edge| weights.edges[*edge]).sum::<f64>();
        let through = weights.tasks[position];
        ((through - sum(&self.incoming[position])).max(0.0), (through - sum(&self.outgoing[position])).max(0.0))
    }
}

/// The costs of a labelling problem after costs have been moved between tasks and edges.
#[derive(Debug, Clone)]
struct Moved {
    /// `[position][place]`.
    tasks: Vec<f64>,
    /// `[edge][from][to]`.
    edges: Vec<f64>,
    /// `[edge][from]` and `[edge][to]`: what has been moved from an edge to the task at its beginning, and at its end.
    to_begin: Vec<f64>,
    to_end: Vec<f64>,
}

impl Moved {
    fn new(problem: &Problem<'_>) -> Self {
        let (places, edges) = (problem.tables.places, problem.edges.len());
        Self {
            tasks: vec![0.0; problem.tables.tasks * places],
            edges: vec![0.0; edges * places * places],
            to_begin: vec![0.0; edges * places],
            to_end: vec![0.0; edges * places],
        }
    }

    /// Replaces the costs by those under some weights; what has been moved stays moved.
    fn weigh(&mut self, problem: &Problem<'_>, weights: &Weights) {
        let Problem { tables, uses, .. } = problem;
        let places = tables.places;
        for position in 0..tables.tasks {
            let (begins, ends) = problem.ends(weights, position);
            for &place in &problem.allowed[position] {
                let cell = problem.cell(position, place);
                let mut time_s = weights.tasks[position] * tables.run_s[cell]
                    + begins * tables.send_s[cell]
                    + ends * tables.return_s[cell];
                uses.of_task(tables, position, place, |queue, use_s, _| time_s += weights.queues[queue] * use_s);
                self.tasks[cell] = tables.fixed[cell] + tables.second * time_s;
            }
        }
        for (index, &edge) in problem.edges.iter().enumerate() {
            for &from in &problem.allowed[edge.from] {
                for &to in &problem.allowed[edge.to] {
                    let mut time_s = weights.edges[index] * problem.way_s(edge, from, to);
                    problem.queues_of_edge(edge, from, to, |queue, use_s| time_s += weights.queues[queue] * use_s);
                    let fixed = edge.bytes * tables.byte_fixed[from * places + to];
                    let moved = self.to_begin[index * places + from] + self.to_end[index * places + to];
                    self.edges[problem.pair(index, from, to)] = fixed + tables.second * time_s - moved;
                }
            }
            for &from in &problem.allowed[edge.from] {
                self.tasks[problem.cell(edge.from, from)] += self.to_begin[index * places + from];
            }
            for &to in &problem.allowed[edge.to] {
                self.tasks[problem.cell(edge.to, to)] += self.to_end[index * places + to];
            }
        }
    }

    /// Moves the least costs of an edge to the task at its beginning, or its end.
    fn collect(&mut self, problem: &Problem<'_>, index: usize, is_at_end: bool) {
        let (edge, places) = (problem.edges[index], problem.tables.places);
        let (own, other) = if is_at_end { (edge.to, edge.from) } else { (edge.from, edge.to) };
        for &place in &problem.allowed[own] {
            let pair = |there: usize| {
                if is_at_end { problem.pair(index, there, place) } else { problem.pair(index, place, there) }
            };
            let least =
                problem.allowed[other].iter().map(|there| self.edges[pair(*there)]).fold(f64::INFINITY, f64::min);
            for &there in &problem.allowed[other] {
                self.edges[pair(there)] -= least;
            }
            let moved = if is_at_end { &mut self.to_end } else { &mut self.to_begin };
            moved[index * places + place] += least;
            self.tasks[problem.cell(own, place)] += least;
        }
    }

    /// Moves a share of what a task costs more at a place than at its cheapest one to an edge.
    fn distribute(&mut self, problem: &Problem<'_>, index: usize, is_at_end: bool, excess: &[f64]) {
        let (edge, places) = (problem.edges[index], problem.tables.places);
        let (own, other) = if is_at_end { (edge.to, edge.from) } else { (edge.from, edge.to) };
        for (&place, &amount) in problem.allowed[own].iter().zip(excess) {
            for &there in &problem.allowed[other] {
                let pair =
                    if is_at_end { problem.pair(index, there, place) } else { problem.pair(index, place, there) };
                self.edges[pair] += amount;
            }
            let moved = if is_at_end { &mut self.to_end } else { &mut self.to_begin };
            moved[index * places + place] -= amount;
            self.tasks[problem.cell(own, place)] -= amount;
        }
    }

    /// Moves costs along all edges, to later tasks and then back to earlier ones. The sum of least costs never falls.
    fn pass(&mut self, problem: &Problem<'_>) {
        let tasks = problem.tables.tasks;
        for position in 0..tasks {
            self.pass_task(problem, position, true);
        }
        for position in (0..tasks).rev() {
            self.pass_task(problem, position, false);
        }
    }

    fn pass_task(&mut self, problem: &Problem<'_>, position: usize, is_forward: bool) {
        let (incoming, outgoing) = (&problem.incoming[position], &problem.outgoing[position]);
        let (from, to) = if is_forward { (incoming, outgoing) } else { (outgoing, incoming) };
        for &edge in from {
            self.collect(problem, edge, is_forward);
        }
        if to.is_empty() {
            return;
        }
        let share = 1.0 / incoming.len().max(outgoing.len()) as f64;
        let costs = problem.allowed[position].iter().map(|place| self.tasks[problem.cell(position, *place)]);
        let least = costs.clone().fold(f64::INFINITY, f64::min);
        let excess: Vec<f64> = costs.map(|cost| share * (cost - least)).collect();
        for &edge in to {
            self.distribute(problem, edge, !is_forward, &excess);
        }
    }

    /// What the tasks from a position on and the edges between them cost at least under the weights.
    fn bound(&self, problem: &Problem<'_>, first: usize) -> f64 {
        let tasks = (first..problem.tables.tasks).map(|position| {
            let costs = problem.allowed[position].iter().map(|place| self.tasks[problem.cell(position, *place)]);
            costs.fold(f64::INFINITY, f64::min)
        });
        let edges = problem.edges.iter().enumerate().filter(|(_, edge)| edge.from >= first).map(|(index, edge)| {
            let pairs = problem.allowed[edge.from]
                .iter()
                .flat_map(|from| problem.allowed[edge.to].iter().map(|to| self.edges[problem.pair(index, *from, *to)]));
            pairs.fold(f64::INFINITY, f64::min)
        });
        tasks.sum::<f64>() + edges.sum::<f64>()
    }

    /// A decision that costs little under the weights, by positions: each task where it costs least after those before it.
    fn decision(&self, problem: &Problem<'_>) -> Vec<usize> {
        let mut places: Vec<usize> = Vec::with_capacity(problem.tables.tasks);
        for position in 0..problem.tables.tasks {
            let cost = |place: usize| {
                let edges = problem.incoming[position].iter();
                let edges = edges.map(|edge| self.edges[problem.pair(*edge, places[problem.edges[*edge].from], place)]);
                self.tasks[problem.cell(position, place)] + edges.sum::<f64>()
            };
            let allowed = problem.allowed[position].iter().copied();
            places.push(allowed.min_by(|one, other| cost(*one).total_cmp(&cost(*other))).unwrap_or(0));
        }
        places
    }
}

/// How long queues work and paths take, on average over some decisions.
#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "the unit stands in each name")]
struct Times {
    queues_s: Vec<f64>,
    run_s: Vec<f64>,
    send_s: Vec<f64>,
    return_s: Vec<f64>,
    ways_s: Vec<f64>,
}

impl Times {
    fn zero(problem: &Problem<'_>) -> Self {
        let tasks = || vec![0.0; problem.tables.tasks];
        let (queues_s, ways_s) = (vec![0.0; problem.uses.count], vec![0.0; problem.edges.len()]);
        Self { queues_s, run_s: tasks(), send_s: tasks(), return_s: tasks(), ways_s }
    }

    /// Adds a decision: the average moves towards its times by a share. Tasks before the position `first` count as if
    /// they took no time.
    fn add(&mut self, problem: &Problem<'_>, places: &[usize], (first, share): (usize, f64)) {
        let Self { queues_s, run_s, send_s, return_s, ways_s } = self;
        let lists = [&mut *queues_s, &mut *run_s, &mut *send_s, &mut *return_s, &mut *ways_s];
        for value in lists.into_iter().flatten() {
            *value *= 1.0 - share;
        }
        for (position, &place) in places.iter().enumerate().skip(first) {
            let cell = problem.cell(position, place);
            run_s[position] += share * problem.tables.run_s[cell];
            send_s[position] += share * problem.tables.send_s[cell];
            return_s[position] += share * problem.tables.return_s[cell];
            problem.uses.of_task(problem.tables, position, place, |queue, use_s, _| queues_s[queue] += share * use_s);
        }
        for (index, &edge) in problem.edges.iter().enumerate().filter(|(_, edge)| edge.from >= first) {
            let (from, to) = (places[edge.from], places[edge.to]);
            ways_s[index] += share * problem.way_s(edge, from, to);
            problem.queues_of_edge(edge, from, to, |queue, use_s| queues_s[queue] += share * use_s);
        }
    }

    /// All weight on the queue or the path that takes longest.
    fn longest(&self, problem: &Problem<'_>) -> Weights {
        let mut weights = Weights::zero(problem);
        let tasks = problem.tables.tasks;
        // The latest time at which each task has run, and the edge by which it was waited for.
        let mut done_s = vec![0.0; tasks];
        let mut last = vec![None; tasks];
        let mut end = (f64::NEG_INFINITY, 0);
        for position in 0..tasks {
            let mut start_s = self.send_s[position];
            for &edge in &problem.incoming[position] {
                let ready_s = done_s[problem.edges[edge].from] + self.ways_s[edge];
                if ready_s > start_s {
                    (start_s, last[position]) = (ready_s, Some(edge));
                }
            }
            done_s[position] = start_s + self.run_s[position];
            let end_s = done_s[position] + self.return_s[position];
            if end_s > end.0 {
                end = (end_s, position);
            }
        }
        let busiest =
            (0..self.queues_s.len()).max_by(|one, other| self.queues_s[*one].total_cmp(&self.queues_s[*other]));
        if let Some(queue) = busiest.filter(|queue| self.queues_s[*queue] >= end.0) {
            weights.queues[queue] = 1.0;
            return weights;
        }
        let mut at = Some(end.1);
        while let Some(position) = at {
            weights.tasks[position] = 1.0;
            at = last[position].map(|edge: usize| {
                weights.edges[edge] = 1.0;
                problem.edges[edge].from
            });
        }
        weights
    }
}

/// Steps towards the best weights.
const STEPS: usize = 30;

/// Weights that differ less than this are the same.
const SAME: f64 = 2e-3;

/// What all decisions cost at least that continue a schedule, by multipliers.
pub(super) struct Multipliers<'a> {
    tables: &'a Tables<'a>,
    edges: Vec<Edge>,
    outgoing: Vec<Vec<usize>>,
    incoming: Vec<Vec<usize>>,
    sums: Vec<Sum>,
    /// Decisions that cost little, by positions.
    decisions: Vec<Vec<usize>>,
}

/// The costs under some weights, and their sum over the tasks that have not been placed.
struct Sum {
    weights: Weights,
    /// `[position]`: the weight of all paths that end at a task.
    ends: Vec<f64>,
    /// `[position][place]` and `[edge][from][to]`: the costs before any has been moved.
    unmoved: Moved,
    /// `[edge][from][to]`, none below 0.
    edges: Vec<f64>,
    /// `[position][place]`: the cost of a task with its edges from tasks that have been placed; infinite where it must
    /// not run.
    tasks: Vec<f64>,
    /// `[position]`: the least of these.
    least: Vec<f64>,
    /// The sum of the least costs of all tasks that have not been placed, and of what has been moved to those that have
    /// been, after each number of placed tasks.
    ahead: Vec<f64>,
    /// The weighted times up to which paths have come, after each number of placed tasks, in seconds.
    paths_s: Vec<f64>,
    /// Costs of tasks before they were changed, with the tasks, to take placed tasks back.
    changes: Vec<(usize, f64)>,
    /// The number of these changes after each number of placed tasks.
    change_counts: Vec<usize>,
}

/// The most pairs of places, over all edges: with more, finding weights takes longer than the search.
const MOST_PAIRS: usize = 500_000;

impl<'a> Multipliers<'a> {
    /// Whether the weights of a model are found in less time than a search takes.
    pub(super) fn are_affordable(tables: &Tables<'_>) -> bool {
        tables.model.application().edges().len() * tables.places * tables.places <= MOST_PAIRS
    }

    /// Finds weights under which all decisions cost most, and such for the last two thirds and the last third of the tasks.
    pub(super) fn new(tables: &'a Tables<'a>) -> Self {
        let uses = Uses::of(tables.model);
        let problem = Problem::new(tables, &uses);
        let (mut sums, mut decisions) = (Vec::<Sum>::new(), Vec::new());
        for first in [0, tables.tasks / 3, 2 * tables.tasks / 3] {
            let (weights, moved) = best_weights(&problem, first, &mut decisions);
            let is_new = |sum: &Sum| sum.weights.distance(&weights) >= SAME;
            if sums.iter().all(is_new) {
                sums.push(Sum::new(&problem, weights, moved));
            }
        }
        let Problem { edges, outgoing, incoming, .. } = problem;
        Self { tables, edges, outgoing, incoming, sums, decisions }
    }

    /// What all decisions cost at least.
    pub(super) fn root_bound(&self) -> f64 {
        self.sums.iter().map(|sum| sum.ahead[0]).fold(f64::NEG_INFINITY, later)
    }

    /// Decisions that cost little, by the numbers of tasks.
    pub(super) fn decisions(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        self.decisions.iter().map(|places| {
            let mut decision = vec![0; places.len()];
            for (&task, &place) in self.tables.model.order().iter().zip(places) {
                decision[task as usize] = place as u8;
            }
            decision
        })
    }

    /// What all decisions cost at least that continue a schedule, whose last task is at `position` in the order of the model
    /// and whose fixed costs are `fixed`. The tasks before the last one have been [placed](Self::place).
    #[inline]
    pub(super) fn of(&self, schedule: &Schedule, position: usize, fixed: f64) -> f64 {
        let mut best = f64::NEG_INFINITY;
        for sum in &self.sums {
            let paths_s = sum.paths_s(self, schedule, position);
            let queues = sum.weights.queues.iter().zip(schedule.queues_s());
            let time_s: f64 = queues.map(|(weight, free_s)| weight * free_s).sum::<f64>() + paths_s;
            let ahead = sum.ahead_after(self, schedule, position);
            best = later(best, fixed + self.tables.second * time_s + ahead);
        }
        best
    }

    /// Takes note of the last task of a schedule, which is at `position` in the order of the model.
    pub(super) fn place(&mut self, schedule: &Schedule, position: usize) {
        let mut sums = std::mem::take(&mut self.sums);
        for sum in &mut sums {
            sum.place(self, schedule, position);
        }
        self.sums = sums;
    }

    /// Takes back all but the first `placed` tasks.
    pub(super) fn truncate(&mut self, placed: usize) {
        let places = self.tables.places;
        self.sums.iter_mut().for_each(|sum| sum.truncate(placed, places));
    }
}

impl Sum {
    fn new(problem: &Problem<'_>, weights: Weights, moved: Moved) -> Self {
        let (tasks, places) = (problem.tables.tasks, problem.tables.places);
        let mut costs = vec![f64::INFINITY; tasks * places];
        for (position, allowed) in problem.allowed.iter().enumerate() {
            for &place in allowed {
                costs[problem.cell(position, place)] = moved.tasks[problem.cell(position, place)];
            }
        }
        let least: Vec<f64> = costs.chunks_exact(places).map(least_of).collect();
        let ends = (0..tasks).map(|position| problem.ends(&weights, position).1).collect();
        let (mut ahead, mut paths_s) = (vec![0.0; tasks + 1], vec![0.0; tasks + 1]);
        (ahead[0], paths_s[0]) = (least.iter().sum(), 0.0);
        let change_counts = vec![0; tasks + 1];
        let mut unmoved = Moved::new(problem);
        unmoved.weigh(problem, &weights);
        Self {
            weights,
            ends,
            unmoved,
            edges: moved.edges,
            tasks: costs,
            least,
            ahead,
            paths_s,
            changes: Vec::new(),
            change_counts,
        }
    }

    /// How far paths have come in a schedule, whose last task is at `position`.
    #[inline]
    fn paths_s(&self, of: &Multipliers<'_>, schedule: &Schedule, position: usize) -> f64 {
        let placed = schedule.len() - 1;
        if self.weights.tasks[position] <= 0.0 {
            return self.paths_s[placed];
        }
        let order = of.tables.model.order();
        let task = order[position] as usize;
        let done_s = |edge: &usize| schedule.done_s(order[of.edges[*edge].from] as usize);
        let left_s = of.incoming[position].iter().map(|edge| self.weights.edges[*edge] * done_s(edge)).sum::<f64>();
        let gone = self.weights.tasks[position] - self.ends[position];
        self.paths_s[placed] - left_s + gone * schedule.done_s(task) + self.ends[position] * schedule.result_s(task)
    }

    /// What is ahead after one more task is placed.
    #[inline]
    fn ahead_after(&self, of: &Multipliers<'_>, schedule: &Schedule, position: usize) -> f64 {
        let places = of.tables.places;
        let order = of.tables.model.order();
        let place_of = |position: usize| schedule.place(order[position] as usize) as usize;
        let place = place_of(position);
        let cell = position * places + place;
        let mut ahead =
            self.ahead[schedule.len() - 1] - self.least[position] + self.tasks[cell] - self.unmoved.tasks[cell];
        for &edge in &of.incoming[position] {
            let from = place_of(of.edges[edge].from);
            ahead -= self.unmoved.edges[(edge * places + from) * places + place];
        }
        for &edge in &of.outgoing[position] {
            let to = of.edges[edge].to;
            let added = &self.edges[(edge * places + place) * places..][..places];
            let costs = self.tasks[to * places..][..places].iter().zip(added);
            ahead += costs.fold(f64::INFINITY, |least, (cost, added)| lesser(least, cost + added)) - self.least[to];
        }
        ahead
    }

    fn place(&mut self, of: &Multipliers<'_>, schedule: &Schedule, position: usize) {
        let places = of.tables.places;
        let placed = schedule.len() - 1;
        let place = schedule.place(of.tables.model.order()[position] as usize) as usize;
        self.ahead[placed + 1] = self.ahead_after(of, schedule, position);
        self.paths_s[placed + 1] = self.paths_s(of, schedule, position);
        self.changes.truncate(self.change_counts[placed]);
        for &edge in &of.outgoing[position] {
            let to = of.edges[edge].to;
            let added = &self.edges[(edge * places + place) * places..][..places];
            for (other, added) in added.iter().enumerate() {
                let cell = to * places + other;
                self.changes.push((cell, self.tasks[cell]));
                self.tasks[cell] += added;
            }
            self.least[to] = least_of(&self.tasks[to * places..][..places]);
        }
        self.change_counts[placed + 1] = self.changes.len();
    }

    fn truncate(&mut self, placed: usize, places: usize) {
        while self.changes.len() > self.change_counts[placed] {
            let Some((cell, cost)) = self.changes.pop() else { break };
            self.tasks[cell] = cost;
            if cell % places == 0 {
                self.least[cell / places] = least_of(&self.tasks[cell..][..places]);
            }
        }
    }
}

/// Weights under which decisions cost most, as far as the tasks from position `first` on tell, with the costs under them.
///
/// The weights and the decision that is cheapest under them play against each other: each step moves the weights towards
/// the queue or the path that takes longest in the mean of all decisions so far (fictitious play).
fn best_weights(problem: &Problem<'_>, first: usize, decisions: &mut Vec<Vec<usize>>) -> (Weights, Moved) {
    let mut moved = Moved::new(problem);
    let mut weights = Weights::zero(problem);
    let mut times = Times::zero(problem);
    let mut best = (f64::NEG_INFINITY, weights.clone(), moved.clone());
    for step in 0..STEPS {
        moved.weigh(problem, &weights);
        moved.pass(problem);
        let bound = moved.bound(problem, first);
        if bound > best.0 {
            best = (bound, weights.clone(), moved.clone());
        }
        let decision = moved.decision(problem);
        let share = 2.0 / (step as f64 + 2.0);
        times.add(problem, &decision, (first, share));
        if !decisions.contains(&decision) {
            decisions.push(decision);
        }
        let longest = times.longest(problem);
        for (weight, goal) in weights.all_mut().zip(longest.all()) {
            *weight += share * (goal - *weight);
        }
    }
    (best.1, best.2)
}

fn least_of(costs: &[f64]) -> f64 {
    costs.iter().copied().fold(f64::INFINITY, lesser)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::testing::{Kind, models};
    use super::*;
    use crate::graph::rules::Timing;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]
        #[test]
        fn no_decision_that_continues_a_schedule_costs_less(
            model in models(Kind { timing: Timing::Scheduled, tasks: 7, servers: 2, is_chain: false }),
            draws in prop::collection::vec(any::<u8>(), 7),
        ) {
            let places: Vec<u8> = (0..model.tasks())
                .map(|task| {
                    let allowed: Vec<u8> = model.allowed_places(task).collect();
                    allowed[draws[task] as usize % allowed.len()]
                })
                .collect();
            let cost = model.evaluate(&places).cost;
            for counts_idling in [false, true] {
                let tables = Tables::new(&model, counts_idling);
                let mut multipliers = Multipliers::new(&tables);
                // Twice, to see that what is taken back leaves nothing behind.
                for _ in 0..2 {
                    let mut schedule = Schedule::new(&model);
                    let mut fixed = 0.0;
                    for position in 0..model.tasks() {
                        let place = places[model.order()[position] as usize];
                        fixed += tables.added_fixed(&schedule, place as usize);
                        schedule.push(&model, place);
                        let bound = multipliers.of(&schedule, position, fixed);
                        prop_assert!(bound <= cost + 1e-9 * cost.max(1.0), "{bound} {cost} at {position}");
                        multipliers.place(&schedule, position);
                    }
                    multipliers.truncate(0);
                }
            }
        }
    }
}
