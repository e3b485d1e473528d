//! The minimum cut of a graph with two terminals, by maximum flow: push–relabel with the highest label first, exact labels
//! from time to time, and gaps (Goldberg and Tarjan, 1988; Cherkassky and Goldberg, 1997).
//!
//! Capacities are `f64`. Every push that saturates an arc leaves exactly 0 in it, and a push of all excess leaves exactly 0
//! at its vertex, so that rounding neither prolongs the search nor leaves arcs open that are full.

/// An edge between two vertices, with what it costs to cut it in each direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct CutEdge {
    /// One end.
    pub(crate) from: u32,
    /// The other end.
    pub(crate) to: u32,
    /// The cost if `from` is on the source's side and `to` is on the sink's, at least 0.
    pub(crate) forward: f64,
    /// The cost if `to` is on the source's side and `from` is on the sink's, at least 0.
    pub(crate) backward: f64,
}

/// The cheapest division of vertices into two sides. Vertex v costs `at_source[v]` on the source's side and `at_sink[v]`
/// on the sink's (an infinite cost excludes a side; one of both must be finite), and every divided edge costs what it says.
/// Returns for each vertex whether it is on the sink's side; of divisions that cost the same, the one with the fewest vertices
/// there, except for rounding.
///
/// # Panics
/// If the slices differ in length or an edge names a vertex that is not there.
pub(crate) fn minimum_cut(at_source: &[f64], at_sink: &[f64], edges: &[CutEdge]) -> Vec<bool> {
    assert_eq!(at_source.len(), at_sink.len(), "each vertex has two costs");
    let mut network = Network::new(at_source, at_sink, edges);
    network.saturate();
    let mut is_at_sink = network.reaches_sink();
    for (vertex, is_at_sink) in is_at_sink.iter_mut().enumerate() {
        if at_source[vertex].is_infinite() || at_sink[vertex].is_infinite() {
            *is_at_sink = at_source[vertex].is_infinite();
        }
    }
    is_at_sink
}

/// One direction of an edge.
#[derive(Debug, Clone, Copy)]
struct Arc {
    head: u32,
    /// The index of the other direction.
    mate: u32,
    residual: f64,
}

const NONE: u32 = u32::MAX;

/// The residual network. The terminals are no vertices of it: `excess` is what the source has sent to a vertex, `drain` is what
/// a vertex may still send to the sink.
struct Network {
    /// The arcs of vertex v are `first[v]..first[v + 1]`.
    first: Vec<u32>,
    arcs: Vec<Arc>,
    excess: Vec<f64>,
    drain: Vec<f64>,
    /// A lower bound of the number of arcs to the sink; the number of vertices + 1 where the sink cannot be reached.
    label: Vec<u32>,
    /// The arc of each vertex at which its next push begins.
    current: Vec<u32>,
    /// Vertices with excess by label, as stacks.
    active: Vec<Vec<u32>>,
    /// No vertex with excess has a higher label than this.
    highest: usize,
    layers: Layers,
    queue: Vec<u32>,
    /// Arcs looked at in relabelling since the last exact labels.
    work: usize,
}

impl Network {
    /// Vertices with one infinite cost belong to a terminal: their edges become costs of their neighbours.
    fn new(at_source: &[f64], at_sink: &[f64], edges: &[CutEdge]) -> Self {
        let count = at_source.len();
        let is_free = |vertex: u32| at_source[vertex as usize].is_finite() && at_sink[vertex as usize].is_finite();
        let mut balance: Vec<f64> = at_sink.iter().zip(at_source).map(|(sink, source)| sink - source).collect();
        let mut first = vec![0_u32; count + 1];
        for edge in edges {
            match (is_free(edge.from), is_free(edge.to)) {
                (true, true) if edge.from != edge.to => {
                    first[edge.from as usize] += 1;
                    first[edge.to as usize] += 1;
                }
                (true, false) => {
                    let to_is_source = at_sink[edge.to as usize].is_infinite();
                    balance[edge.from as usize] += if to_is_source { edge.backward } else { -edge.forward };
                }
                (false, true) => {
                    let from_is_source = at_sink[edge.from as usize].is_infinite();
                    balance[edge.to as usize] += if from_is_source { edge.forward } else { -edge.backward };
                }
                _ => {}
            }
        }
        let mut sum = 0;
        for end in &mut first {
            sum += *end;
            *end = sum;
        }
        let mut arcs = vec![Arc { head: 0, mate: 0, residual: 0.0 }; sum as usize];
        for edge in edges.iter().filter(|edge| edge.from != edge.to && is_free(edge.from) && is_free(edge.to)) {
            let [there, back] = [edge.from, edge.to].map(|vertex| {
                first[vertex as usize] -= 1;
                first[vertex as usize]
            });
            arcs[there as usize] = Arc { head: edge.to, mate: back, residual: edge.forward };
            arcs[back as usize] = Arc { head: edge.from, mate: there, residual: edge.backward };
        }
        for (vertex, balance) in balance.iter_mut().enumerate() {
            if !is_free(vertex as u32) {
                *balance = 0.0;
            }
        }
        Self {
            current: first[..count].to_vec(),
            first,
            arcs,
            excess: balance.iter().map(|balance| balance.max(0.0)).collect(),
            drain: balance.iter().map(|balance| (-balance).max(0.0)).collect(),
            label: vec![0; count],
            active: vec![Vec::new(); count + 2],
            highest: 0,
            layers: Layers::new(count),
            queue: Vec::with_capacity(count),
            work: 0,
        }
    }

    /// Pushes excess until none of it can reach the sink.
    fn saturate(&mut self) {
        let interval = 6 * self.label.len() + self.arcs.len() / 2;
        self.label_exactly();
        loop {
            while self.highest > 0 && self.active[self.highest].is_empty() {
                self.highest -= 1;
            }
            let Some(vertex) = self.active[self.highest].pop() else { break };
            // Its label may have risen, by a gap, since it was put here.
            if self.label[vertex as usize] as usize != self.highest || self.excess[vertex as usize] <= 0.0 {
                continue;
            }
            self.discharge(vertex);
            if self.work > interval {
                self.label_exactly();
            }
        }
    }

    /// The label of vertices from which the sink cannot be reached.
    fn unreachable(&self) -> u32 {
        self.label.len() as u32 + 1
    }

    /// Distances to the sink, breadth first, and from them everything that depends on labels.
    fn label_exactly(&mut self) {
        self.work = 0;
        let unreachable = self.unreachable();
        self.label.fill(unreachable);
        self.current.copy_from_slice(&self.first[..self.label.len()]);
        for stack in &mut self.active {
            stack.clear();
        }
        self.highest = 0;
        self.layers.clear();
        self.queue.clear();
        for (vertex, drain) in self.drain.iter().enumerate() {
            if *drain > 0.0 {
                self.label[vertex] = 1;
                self.queue.push(vertex as u32);
            }
        }
        let mut next = 0;
        while let Some(&vertex) = self.queue.get(next) {
            next += 1;
            let label = self.label[vertex as usize];
            self.layers.insert(vertex, label);
            if self.excess[vertex as usize] > 0.0 {
                self.active[label as usize].push(vertex);
                self.highest = self.highest.max(label as usize);
            }
            let arcs = self.first[vertex as usize] as usize..self.first[vertex as usize + 1] as usize;
            for arc in &self.arcs[arcs] {
                if self.label[arc.head as usize] == unreachable && self.arcs[arc.mate as usize].residual > 0.0 {
                    self.label[arc.head as usize] = label + 1;
                    self.queue.push(arc.head);
                }
            }
        }
    }

    /// Pushes the excess of a vertex towards the sink, and raises its label where it must, until nothing is left of it or the
    /// sink is out of reach.
    fn discharge(&mut self, vertex: u32) {
        let index = vertex as usize;
        loop {
            if self.drain[index] > 0.0 {
                let amount = self.excess[index].min(self.drain[index]);
                self.drain[index] -= amount;
                self.excess[index] -= amount;
                if self.excess[index] <= 0.0 {
                    return;
                }
            }
            let end = self.first[index + 1];
            while self.current[index] < end {
                let arc = self.arcs[self.current[index] as usize];
                if arc.residual > 0.0 && self.label[arc.head as usize] + 1 == self.label[index] {
                    self.push(index, arc);
                    if self.excess[index] <= 0.0 {
                        return;
                    }
                }
                self.current[index] += 1;
            }
            if !self.relabel(vertex) {
                return;
            }
        }
    }

    fn push(&mut self, index: usize, arc: Arc) {
        let amount = self.excess[index].min(arc.residual);
        self.arcs[self.current[index] as usize].residual -= amount;
        self.arcs[arc.mate as usize].residual += amount;
        self.excess[index] -= amount;
        let head = arc.head as usize;
        if self.excess[head] <= 0.0 {
            self.active[self.label[head] as usize].push(arc.head);
        }
        self.excess[head] += amount;
    }

    /// Raises the label of a vertex that cannot push. Returns whether it can now.
    fn relabel(&mut self, vertex: u32) -> bool {
        let index = vertex as usize;
        let (begin, end) = (self.first[index], self.first[index + 1]);
        self.work += 12 + (end - begin) as usize;
        let (mut lowest, mut at) = (self.unreachable(), begin);
        for position in begin..end {
            let arc = self.arcs[position as usize];
            if arc.residual > 0.0 && self.label[arc.head as usize] + 1 < lowest {
                (lowest, at) = (self.label[arc.head as usize] + 1, position);
            }
        }
        let old = self.label[index];
        self.layers.remove(vertex, old);
        if self.layers.is_empty(old) {
            // Nothing at the old label: whatever lies above cannot reach the sink.
            self.label[index] = self.unreachable();
            self.abandon_above(old);
            return false;
        }
        self.label[index] = lowest;
        self.current[index] = at;
        if lowest >= self.unreachable() {
            return false;
        }
        self.layers.insert(vertex, lowest);
        self.highest = self.highest.max(lowest as usize);
        true
    }

    fn abandon_above(&mut self, label: u32) {
        for above in label + 1..self.unreachable() {
            if self.layers.is_empty(above) {
                break;
            }
            while let Some(vertex) = self.layers.pop(above) {
                self.label[vertex as usize] = self.unreachable();
            }
        }
    }

    /// The vertices from which the sink can still be reached.
    fn reaches_sink(&mut self) -> Vec<bool> {
        self.label_exactly();
        let unreachable = self.unreachable();
        self.label.iter().map(|label| *label != unreachable).collect()
    }
}

/// The vertices of each label, as doubly linked lists.
struct Layers {
    first: Vec<u32>,
    next: Vec<u32>,
    previous: Vec<u32>,
}

impl Layers {
    fn new(count: usize) -> Self {
        Self { first: vec![NONE; count + 2], next: vec![NONE; count], previous: vec![NONE; count] }
    }

    fn clear(&mut self) {
        self.first.fill(NONE);
    }

    fn is_empty(&self, label: u32) -> bool {
        self.first[label as usize] == NONE
    }

    fn insert(&mut self, vertex: u32, label: u32) {
        let next = std::mem::replace(&mut self.first[label as usize], vertex);
        self.next[vertex as usize] = next;
        self.previous[vertex as usize] = NONE;
        if next != NONE {
            self.previous[next as usize] = vertex;
        }
    }

    fn remove(&mut self, vertex: u32, label: u32) {
        let (previous, next) = (self.previous[vertex as usize], self.next[vertex as usize]);
        if previous == NONE {
            self.first[label as usize] = next;
        } else {
            self.next[previous as usize] = next;
        }
        if next != NONE {
            self.previous[next as usize] = previous;
        }
    }

    fn pop(&mut self, label: u32) -> Option<u32> {
        let vertex = self.first[label as usize];
        (vertex != NONE).then(|| {
            self.remove(vertex, label);
            vertex
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cost(at_source: &[f64], at_sink: &[f64], edges: &[CutEdge], is_at_sink: &[bool]) -> f64 {
        let vertices = is_at_sink.iter().enumerate();
        let costs = vertices.map(|(vertex, at)| if *at { at_sink[vertex] } else { at_source[vertex] });
        let cut = edges.iter().map(|edge| match (is_at_sink[edge.from as usize], is_at_sink[edge.to as usize]) {
            (false, true) => edge.forward,
            (true, false) => edge.backward,
            _ => 0.0,
        });
        costs.sum::<f64>() + cut.sum::<f64>()
    }

    fn enumerated(at_source: &[f64], at_sink: &[f64], edges: &[CutEdge]) -> f64 {
        let count = at_source.len();
        let sides = |bits: u32| (0..count).map(|vertex| bits >> vertex & 1 == 1).collect::<Vec<_>>();
        (0..1_u32 << count).map(|bits| cost(at_source, at_sink, edges, &sides(bits))).fold(f64::INFINITY, f64::min)
    }

    /// Costs of a vertex: mostly two numbers, whole ones among them for ties, sometimes one side excluded.
    fn vertex() -> impl Strategy<Value = (f64, f64)> {
        prop_oneof![
            6 => (0.0..10.0_f64, 0.0..10.0_f64),
            3 => (0..5_u8, 0..5_u8).prop_map(|(a, b)| (f64::from(a), f64::from(b))),
            1 => (0.0..10.0_f64).prop_map(|a| (a, f64::INFINITY)),
            1 => (0.0..10.0_f64).prop_map(|a| (f64::INFINITY, a)),
        ]
    }

    fn graph(most: usize) -> impl Strategy<Value = (Vec<(f64, f64)>, Vec<CutEdge>)> {
        (1..=most).prop_flat_map(|count| {
            let cost = || prop_oneof![0.0..6.0_f64, (0..4_u8).prop_map(f64::from)];
            let edge = (0..count as u32, 0..count as u32, cost(), cost());
            let edge = edge.prop_map(|(from, to, forward, backward)| CutEdge { from, to, forward, backward });
            (prop::collection::vec(vertex(), count), prop::collection::vec(edge, 0..4 * count))
        })
    }

    proptest! {
        #[test]
        fn no_division_is_cheaper((vertices, edges) in graph(12)) {
            let (at_source, at_sink): (Vec<_>, Vec<_>) = vertices.into_iter().unzip();
            let found = cost(&at_source, &at_sink, &edges, &minimum_cut(&at_source, &at_sink, &edges));
            let best = enumerated(&at_source, &at_sink, &edges);
            prop_assert!((found - best).abs() <= 1e-9 * best.max(1.0), "{found} is not {best}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn no_division_of_16_vertices_is_cheaper((vertices, edges) in graph(16)) {
            let (at_source, at_sink): (Vec<_>, Vec<_>) = vertices.into_iter().unzip();
            let found = cost(&at_source, &at_sink, &edges, &minimum_cut(&at_source, &at_sink, &edges));
            let best = enumerated(&at_source, &at_sink, &edges);
            prop_assert!((found - best).abs() <= 1e-9 * best.max(1.0), "{found} is not {best}");
        }
    }

    #[test]
    fn of_equal_divisions_the_fewest_vertices_are_at_the_sink() {
        assert_eq!(minimum_cut(&[2.0, 2.0], &[2.0, 1.0], &[]), [false, true]);
        assert!(minimum_cut(&[], &[], &[]).is_empty());
    }
}
