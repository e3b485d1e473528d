//! Minimum cost offloading partitioning (MCOP) of Wu et al.: vertices are merged in an order that resembles Stoer and Wagner's,
//! and the best of the cuts seen on the way is taken.
//!
//! The order is the paper's: from the tasks that stay on the device, the next vertex is the one with the largest *weight of
//! its edges to the vertices taken − what offloading it gains*. Stoer and Wagner's proof asks for weights that are not
//! negative. The gain acts as a negative weight, so that the answer is not always a minimum cut.
//!
//! Deviations: (1) an edge that costs more in one direction than in the other has the mean of both in the order, and what it
//! costs in the cut; (2) everything on the device is a candidate, too, so that no answer is worse than that; (3) where no task
//! is bound to the device, the first one stays there, as the paper's applications begin on it; (4) tasks bound to the server are
//! merged, too, before all others.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::serial::{Labelling, check_serial, two_sided};
use super::{GraphScheme, GraphSchemeError, GraphSolution, Optimality};
use crate::graph::model::GraphModel;
use crate::max_flow::CutEdge;

/// MCOP, between the device and one server, with serial timing. It is *not* always optimal; [`MinCut`](super::MinCut) is.
/// Limits of energy, time and money are not regarded.
#[derive(Debug, Clone, Default)]
pub struct Mcop;

impl GraphScheme for Mcop {
    fn name(&self) -> &'static str {
        "mcop"
    }

    fn decide(&mut self, model: &GraphModel) -> Result<GraphSolution, GraphSchemeError> {
        check_serial("mcop", model)?;
        if model.places() > 2 {
            let (found, instead) = (model.places() - 1, "exact");
            return Err(GraphSchemeError::Servers { scheme: "mcop", most: 1, found, instead });
        }
        if model.places() == 1 {
            return Ok(GraphSolution {
                places: vec![0; model.tasks()],
                evaluations: 1,
                optimality: Optimality::Proved,
                order: None,
            });
        }
        let (local, remote, edges) = two_sided(&Labelling::new(model), 1);
        let Partition { is_remote, cuts } = partition(&local, &remote, &edges);
        let places = is_remote.into_iter().map(u8::from).collect();
        Ok(GraphSolution { places, evaluations: cuts, optimality: Optimality::Unknown, order: None })
    }
}

/// What MCOP answers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Partition {
    /// For each task, whether it is offloaded.
    pub(crate) is_remote: Vec<bool>,
    /// The number of cuts whose cost was computed.
    pub(crate) cuts: u64,
}

/// Divides tasks that cost `local[v]` on the device and `remote[v]` on the server, with the costs of divided edges, where
/// the source's side is the device. An infinite cost binds a task to the other place.
///
/// # Panics
/// If the slices differ in length or an edge names a task that is not there.
pub(crate) fn partition(local: &[f64], remote: &[f64], edges: &[CutEdge]) -> Partition {
    assert_eq!(local.len(), remote.len(), "each task has two costs");
    if local.is_empty() {
        return Partition { is_remote: Vec::new(), cuts: 0 };
    }
    if local.iter().all(|cost| cost.is_infinite()) {
        return Partition { is_remote: vec![true; local.len()], cuts: 1 };
    }
    let mut groups = Groups::new(local, remote, edges);
    let everything_local: f64 = local.iter().sum();
    let mut best = (everything_local, Vec::new());
    let mut cuts = 1;
    while groups.alive.len() > 1 {
        let (last, before) = groups.last_two();
        let cost = groups.cut_cost(last);
        cuts += 1;
        if cost < best.0 || best.0.is_infinite() && best.1.is_empty() {
            best = (cost, groups.members[last].clone());
        }
        groups.merge(last, before);
    }
    let mut is_remote = vec![false; local.len()];
    for task in best.1 {
        is_remote[task as usize] = true;
    }
    Partition { is_remote, cuts }
}

/// An edge of a vertex, with what it costs if the vertex is on the device or on the server and the neighbour is not.
#[derive(Debug, Clone, Copy)]
struct Neighbour {
    group: u32,
    /// The vertex on the device, the neighbour on the server.
    up: f64,
    /// The vertex on the server, the neighbour on the device.
    down: f64,
}

/// Tasks merged so far.
struct Groups {
    /// Costs on the device and on the server. Finite: bound groups are known by their index.
    local: Vec<f64>,
    remote: Vec<f64>,
    members: Vec<Vec<u32>>,
    neighbours: Vec<Vec<Neighbour>>,
    /// Groups that are not part of others, in order; the group of tasks that stay on the device is the first.
    alive: Vec<usize>,
    /// The group of all tasks that are bound to the server.
    bound_to_server: Option<usize>,
    /// The cost of all tasks on the device, without those bound to the server.
    everything_local: f64,
    /// The weight of edges from each group to the groups taken.
    attached: Vec<f64>,
    is_taken: Vec<bool>,
    slot_of: Vec<usize>,
}

impl Groups {
    fn new(local: &[f64], remote: &[f64], edges: &[CutEdge]) -> Self {
        let count = local.len();
        let stays = |task: usize| remote[task].is_infinite();
        let leaves = |task: usize| local[task].is_infinite() && !stays(task);
        let start = (0..count).find(|task| stays(*task)).or_else(|| (0..count).find(|task| !leaves(*task)));
        let start = start.unwrap_or(0);
        let bound_to_server = (0..count).find(|task| leaves(*task) && *task != start);
        let group_of = |task: usize| match bound_to_server {
            _ if stays(task) => start,
            Some(server) if leaves(task) && task != start => server,
            _ => task,
        };
        let mut members = vec![Vec::new(); count];
        let mut costs = [vec![0.0; count], vec![0.0; count]];
        for task in 0..count {
            let group = group_of(task);
            members[group].push(task as u32);
            for (sum, cost) in costs.iter_mut().zip([local[task], remote[task]]) {
                sum[group] += if cost.is_finite() { cost } else { 0.0 };
            }
        }
        let mut neighbours = vec![Vec::new(); count];
        for edge in edges {
            let [from, to] = [edge.from, edge.to].map(|task| group_of(task as usize));
            if from != to {
                neighbours[from].push(Neighbour { group: to as u32, up: edge.forward, down: edge.backward });
                neighbours[to].push(Neighbour { group: from as u32, up: edge.backward, down: edge.forward });
            }
        }
        let mut alive: Vec<usize> = (0..count).filter(|group| !members[*group].is_empty()).collect();
        alive.retain(|group| *group != start);
        alive.insert(0, start);
        let [local, remote] = costs;
        Self {
            everything_local: local.iter().sum(),
            local,
            remote,
            members,
            neighbours,
            alive,
            bound_to_server,
            attached: vec![0.0; count],
            is_taken: vec![false; count],
            slot_of: vec![usize::MAX; count],
        }
    }

    /// What offloading a group gains, without its edges.
    fn gain(&self, group: usize) -> f64 {
        if self.bound_to_server == Some(group) { f64::INFINITY } else { self.local[group] - self.remote[group] }
    }

    /// One phase: takes all groups in order. Returns the last one and the one before it.
    fn last_two(&mut self) -> (usize, usize) {
        for &group in &self.alive {
            self.attached[group] = 0.0;
            self.is_taken[group] = false;
        }
        let mut candidates: BinaryHeap<Candidate> = BinaryHeap::with_capacity(2 * self.alive.len());
        candidates.extend(self.alive[1..].iter().map(|&group| Candidate { key: -self.gain(group), group }));
        let (mut last, mut before) = (self.alive[0], self.alive[0]);
        self.take(last, &mut candidates);
        while let Some(Candidate { group, key }) = candidates.pop() {
            if !self.is_taken[group] && key == self.attached[group] - self.gain(group) {
                (before, last) = (last, group);
                self.take(group, &mut candidates);
            }
        }
        (last, before)
    }

    fn take(&mut self, group: usize, candidates: &mut BinaryHeap<Candidate>) {
        self.is_taken[group] = true;
        for index in 0..self.neighbours[group].len() {
            let Neighbour { group: other, up, down } = self.neighbours[group][index];
            let other = other as usize;
            if !self.is_taken[other] {
                self.attached[other] += f64::midpoint(up, down);
                candidates.push(Candidate { key: self.attached[other] - self.gain(other), group: other });
            }
        }
    }

    /// The cost if this group alone is offloaded; infinite if tasks that are bound to the server are not among it.
    fn cut_cost(&self, group: usize) -> f64 {
        if self.bound_to_server.is_some_and(|bound| bound != group) {
            return f64::INFINITY;
        }
        let edges: f64 = self.neighbours[group].iter().map(|neighbour| neighbour.down).sum();
        self.everything_local - self.local[group] + self.remote[group] + edges
    }

    /// Makes one group part of another.
    fn merge(&mut self, group: usize, into: usize) {
        self.local[into] += self.local[group];
        self.remote[into] += self.remote[group];
        let members = std::mem::take(&mut self.members[group]);
        self.members[into].extend(members);
        if self.bound_to_server == Some(group) {
            self.bound_to_server = Some(into);
        }
        let moved = std::mem::take(&mut self.neighbours[group]);
        for neighbour in &moved {
            for back in &mut self.neighbours[neighbour.group as usize] {
                if back.group as usize == group {
                    back.group = into as u32;
                }
            }
            join_parallel(&mut self.neighbours[neighbour.group as usize], &mut self.slot_of);
        }
        self.neighbours[into].extend(moved);
        self.neighbours[into].retain(|neighbour| ![group, into].contains(&(neighbour.group as usize)));
        join_parallel(&mut self.neighbours[into], &mut self.slot_of);
        self.alive.retain(|other| *other != group);
    }
}

/// Makes one edge of those to the same neighbour. `slot_of` holds no slot before and after.
fn join_parallel(neighbours: &mut Vec<Neighbour>, slot_of: &mut [usize]) {
    let mut kept = 0;
    for index in 0..neighbours.len() {
        let neighbour = neighbours[index];
        let slot = slot_of[neighbour.group as usize];
        if slot == usize::MAX {
            slot_of[neighbour.group as usize] = kept;
            neighbours[kept] = neighbour;
            kept += 1;
        } else {
            neighbours[slot].up += neighbour.up;
            neighbours[slot].down += neighbour.down;
        }
    }
    neighbours.truncate(kept);
    for neighbour in neighbours {
        slot_of[neighbour.group as usize] = usize::MAX;
    }
}

/// A group that may be taken next: the largest key first, of equal ones the first group.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Candidate {
    key: f64,
    group: usize,
}

impl Eq for Candidate {}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.total_cmp(&other.key).then_with(|| other.group.cmp(&self.group))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::max_flow::minimum_cut;

    const FREE: f64 = f64::INFINITY;

    fn edge(from: u32, to: u32, weight: f64) -> CutEdge {
        CutEdge { from, to, forward: weight, backward: weight }
    }

    /// The example of the paper: six tasks, the first bound to the device, a server three times as fast. The paper cuts its
    /// percentages after the first decimal.
    fn example() -> ([f64; 6], [f64; 6], Vec<CutEdge>) {
        let edges = [(0, 1, 10), (1, 2, 1), (1, 3, 2), (2, 3, 1), (2, 4, 1), (3, 4, 2), (3, 5, 1), (4, 5, 1)];
        let edges = edges.map(|(from, to, weight)| edge(from, to, f64::from(weight)));
        ([0.0, 3.0, 3.0, 6.0, 6.0, 9.0], [FREE, 1.0, 1.0, 2.0, 2.0, 3.0], edges.to_vec())
    }

    fn cost(local: &[f64], remote: &[f64], edges: &[CutEdge], is_remote: &[bool]) -> f64 {
        let tasks = is_remote.iter().zip(local.iter().zip(remote));
        let tasks: f64 = tasks.map(|(is_remote, (local, remote))| if *is_remote { *remote } else { *local }).sum();
        let cut = edges.iter().map(|edge| match (is_remote[edge.from as usize], is_remote[edge.to as usize]) {
            (false, true) => edge.forward,
            (true, false) => edge.backward,
            _ => 0.0,
        });
        tasks + cut.sum::<f64>()
    }

    fn scaled(values: &[f64], factor: f64) -> Vec<f64> {
        values.iter().map(|value| value * factor).collect()
    }

    fn scaled_edges(edges: &[CutEdge], factor: f64) -> Vec<CutEdge> {
        edges
            .iter()
            .map(|edge| CutEdge { forward: edge.forward * factor, backward: edge.backward * factor, ..*edge })
            .collect()
    }

    /// Cost on the device alone and of the answer.
    fn before_and_after(local: &[f64], remote: &[f64], edges: &[CutEdge]) -> (f64, f64) {
        let found = partition(local, remote, edges).is_remote;
        assert_eq!(found, minimum_cut(local, remote, edges), "here it is a minimum cut");
        (local.iter().sum(), cost(local, remote, edges, &found))
    }

    #[test]
    fn the_example_of_the_paper_saves_48_1_percent_of_the_time() {
        let (local, remote, edges) = example();
        let (before, after) = before_and_after(&local, &remote, &edges);
        assert_eq!((before, after), (27.0, 14.0));
        assert_eq!(format!("{:.1}", 100.0 * (1.0 - after / before)), "48.1");
        assert_eq!(partition(&local, &remote, &edges).is_remote, [false, false, true, true, true, true]);
    }

    /// Powers of the paper: 0.9 W computing, 0.3 W idle, 1.3 W sending and receiving.
    #[test]
    fn the_example_of_the_paper_saves_62_9_percent_of_the_energy() {
        let (local, remote, edges) = example();
        let (local, remote, edges) = (scaled(&local, 0.9), scaled(&remote, 0.3), scaled_edges(&edges, 1.3));
        let (before, after) = before_and_after(&local, &remote, &edges);
        assert!((before - 24.3).abs() < 1e-9, "{before}");
        assert!((after - 9.0).abs() < 1e-9, "{after}"); // 62.96 %
    }

    /// Time and energy weighted equally, each as a share of what it is on the device alone.
    #[test]
    fn the_example_of_the_paper_saves_55_5_percent_of_the_weighted_cost() {
        let (local, remote, edges) = example();
        let weight = |power: f64| 0.5 / 27.0 + 0.5 * power / 24.3;
        let local = scaled(&local, weight(0.9));
        let (remote, edges) = (scaled(&remote, weight(0.3)), scaled_edges(&edges, weight(1.3)));
        let (before, after) = before_and_after(&local, &remote, &edges);
        assert!((before - 1.0).abs() < 1e-9, "{before}");
        assert!((after - 4.0 / 9.0).abs() < 1e-9, "{after}"); // 55.56 %
    }

    fn application() -> impl Strategy<Value = (Vec<(f64, f64)>, Vec<CutEdge>)> {
        (2..=9_usize).prop_flat_map(|count| {
            let task = prop_oneof![
                8 => (1.0..20.0_f64, 0.1..8.0_f64),
                1 => (1.0..20.0_f64).prop_map(|local| (local, FREE)),
                1 => (0.1..8.0_f64).prop_map(|remote| (FREE, remote)),
            ];
            let weights = (0..count as u32, 0..count as u32, 0.0..10.0_f64, 0.0..10.0_f64);
            let edge = weights.prop_map(|(from, to, forward, backward)| CutEdge { from, to, forward, backward });
            (prop::collection::vec(task, count), prop::collection::vec(edge, 0..3 * count))
        })
    }

    proptest! {
        #[test]
        fn answers_are_possible_and_never_cheaper_than_a_minimum_cut((tasks, edges) in application()) {
            let (local, remote): (Vec<_>, Vec<_>) = tasks.into_iter().unzip();
            let answer = partition(&local, &remote, &edges);
            let found = cost(&local, &remote, &edges, &answer.is_remote);
            let best = cost(&local, &remote, &edges, &minimum_cut(&local, &remote, &edges));
            prop_assert!(found.is_finite());
            prop_assert!(found >= best - 1e-9);
            prop_assert!(found <= local.iter().sum::<f64>() + 1e-9);
        }
    }

    #[test]
    fn some_answers_are_no_minimum_cuts() {
        let (local, remote) = ([0.0, 9.0, 4.0, 3.0], [FREE, 2.0, 3.0, 1.0]);
        let edges = [edge(0, 1, 1.0), edge(0, 2, 4.0), edge(0, 3, 5.0), edge(1, 2, 5.0)];
        let cut = minimum_cut(&local, &remote, &edges);
        assert_eq!(cost(&local, &remote, &edges, &partition(&local, &remote, &edges).is_remote), 15.0);
        assert_eq!((cost(&local, &remote, &edges, &cut), &cut[..]), (13.0, &[false, true, true, false][..]));
    }
}
