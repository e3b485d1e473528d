//! Algorithm 2 over fleets: networks that decide for any of them, trained on many.

use std::collections::VecDeque;

use burn::tensor::Device;
use model::fleet::{FleetCase, FleetForward, FleetLearner, FleetNet, FleetScratch, FleetShape, Instance, undecided, whole};
use rayon::prelude::*;
use sim::random::{self, Stream};
use sim::scheme::{Greedy, Order, Scheme};
use sim::{CostModel, Fleets, IncrementalCost, Part, SizeSampler, Workloads};

/// Settings.
#[derive(Debug, Clone)]
pub struct FleetSettings {
    pub nets: usize,
    pub shape: FleetShape,
    pub steps: usize,
    pub rows: usize,
    pub most_cases: usize,
    pub buffer: usize,
    pub learning_rate: f64,
    pub final_learning_rate: f64,
    pub flips: usize,
    pub sweeps: usize,
    pub fleets: Fleets,
}

/// An instance that is remembered.
struct Memory {
    instance: Instance,
    start: Vec<f32>,
    label: Vec<u8>,
}

pub struct FleetAgent {
    settings: FleetSettings,
    learners: Vec<FleetLearner>,
    forwards: Vec<FleetForward>,
    buffer: VecDeque<Vec<Memory>>,
    fleets: Stream,
    batches: Vec<Stream>,
    step: usize,
    pub mean_gain: f64,
}

const FREE_PASSES: usize = 4;
const PASSES: usize = 2;

impl FleetAgent {
    pub fn new(settings: FleetSettings, seed: u64, device: &Device) -> Self {
        let nets: Vec<FleetNet> =
            (0..settings.nets).map(|net| FleetNet::random(settings.shape, net, seed, device)).collect();
        Self {
            learners: nets.iter().map(|net| FleetLearner::new(net, device)).collect(),
            forwards: nets.iter().map(FleetForward::new).collect(),
            buffer: VecDeque::new(),
            fleets: random::stream(seed, "fleets"),
            batches: (0..settings.nets).map(|net| random::stream(seed, &format!("fleet batches/{net}"))).collect(),
            settings,
            step: 0,
            mean_gain: 0.0,
        }
    }

    pub fn nets(&self) -> Vec<FleetNet> {
        self.learners.iter().map(FleetLearner::net).collect()
    }

    pub fn forwards(&self) -> &[FleetForward] {
        &self.forwards
    }

    fn draw(&mut self) -> Vec<(CostModel, Vec<f64>, bool, usize)> {
        let random = &mut self.fleets;
        let first = self.settings.fleets.draw(random);
        let (devices, tasks, edges) = (first.devices.count, first.tasks.per_device, first.servers.len() - 1);
        let rows = devices * tasks * (edges + 2);
        let cases = (self.settings.rows / rows).clamp(4, self.settings.most_cases);
        (0..cases)
            .map(|_| {
                let scenario = self.settings.fleets.draw_shaped(devices, tasks, edges, random);
                let model = scenario.check().expect("drawn fleets are valid");
                let sampler = SizeSampler::new(&scenario).expect("sizes are drawn");
                let sizes = random::stream(u64::from(rand_u32(random)), "sizes");
                let mut source = Workloads::new(&scenario, sampler, Part::Training, sizes);
                let mut bytes = vec![0.0; model.task_count()];
                source.fill(&mut bytes);
                let free = random::unit(random) < 0.5;
                let passes = random::below(random, if free { FREE_PASSES } else { PASSES });
                (model, bytes, free, passes)
            })
            .collect()
    }

    pub fn advance(&mut self) -> f32 {
        let drawn = self.draw();
        let (forwards, flips, sweeps) = (&self.forwards, self.settings.flips, self.settings.sweeps);
        let block: Vec<(Memory, f64)> = drawn
            .into_par_iter()
            .map_init(FleetScratch::default, |scratch, (model, bytes, free, passes)| {
                remember(&model, &bytes, (free, passes), forwards, flips, sweeps, scratch)
            })
            .collect();
        self.mean_gain = block.iter().map(|(_, gain)| gain).sum::<f64>() / block.len() as f64;
        self.buffer.push_back(block.into_iter().map(|(memory, _)| memory).collect());
        if self.buffer.len() > self.settings.buffer {
            self.buffer.pop_front();
        }
        let progress = self.step as f64 / self.settings.steps as f64;
        let (first, last) = (self.settings.learning_rate, self.settings.final_learning_rate);
        let learning_rate = first + (last - first) * progress;
        let buffer = &self.buffer;
        let losses: Vec<f32> = self
            .learners
            .par_iter_mut()
            .zip(&mut self.forwards)
            .zip(&mut self.batches)
            .map(|((learner, forward), random)| {
                let block = &buffer[random::below(random, buffer.len())];
                let cases: Vec<FleetCase<'_>> = block
                    .iter()
                    .map(|memory| FleetCase {
                        instance: &memory.instance,
                        start: &memory.start,
                        label: &memory.label,
                    })
                    .collect();
                let loss = learner.step(&cases, learning_rate);
                *forward = FleetForward::new(&learner.net());
                loss
            })
            .collect();
        self.step += 1;
        losses.iter().sum::<f32>() / losses.len() as f32
    }
}

fn rand_u32(random: &mut Stream) -> u32 {
    random::below(random, 1 << 32) as u32
}

fn remember(
    model: &CostModel,
    bytes: &[f64],
    (free, passes): (bool, usize),
    forwards: &[FleetForward],
    flips: usize,
    sweeps: usize,
    scratch: &mut FleetScratch,
) -> (Memory, f64) {
    let instance = Instance::new(model, bytes);
    let workload = sim::Workload::from_bytes(model.tasks(), bytes.to_vec());
    let count = bytes.len();
    let mut start = Vec::new();
    if free {
        undecided(&instance, &mut start);
    } else {
        let greedy = Greedy::new(Order::LargestFirst).decide(model, &workload).expect("greedy decides");
        whole(&instance, greedy.decision.places(), &mut start);
    }
    let pass = |forward: &FleetForward, scratch: &mut FleetScratch, start: &Vec<f32>| {
        let mut decision = vec![0; count];
        scratch.shares_mut().clone_from(start);
        forward.pass_from_shares(&instance, scratch, &mut decision);
        decision
    };
    for _ in 0..passes {
        // The first network leads; the others follow from where it is.
        let decision = pass(&forwards[0], scratch, &start);
        whole(&instance, &decision, &mut start);
    }
    let mut best = (f64::INFINITY, Vec::new());
    let mut priced = IncrementalCost::new(model);
    for forward in forwards {
        let decision = pass(forward, scratch, &start);
        // The least certain tasks, each at its second best place.
        let scores = scratch.scores();
        let mut margins: Vec<(f32, usize, u8)> = (0..count)
            .filter_map(|task| {
                let here = usize::from(decision[task]);
                let score = |place: usize| scores[place * count + task];
                let others = (0..model.places()).filter(|&place| place != here);
                let second = others.max_by(|&a, &b| score(a).total_cmp(&score(b)))?;
                Some((score(here) - score(second), task, second as u8))
            })
            .collect();
        margins.sort_by(|a, b| a.0.total_cmp(&b.0));
        priced.set(bytes, &decision);
        let mut cost = priced.cost();
        for &(_, task, place) in margins.iter().take(flips) {
            if priced.move_cost(task, place) < cost {
                priced.place(task, place);
                cost = priced.cost();
            }
        }
        if cost < best.0 {
            best = (cost, priced.places().to_vec());
        }
    }
    // One sweep of single moves.
    priced.set(bytes, &best.1);
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| bytes[b].total_cmp(&bytes[a]));
    let mut costs = vec![0.0; model.places()];
    let mut cost = priced.cost();
    for _ in 0..1 {
        for &task in &order {
            priced.move_costs(task, &mut costs);
            let least = (1..costs.len()).fold(0, |best, place| if costs[place] < costs[best] { place } else { best });
            if costs[least] < cost * (1.0 - 1e-9) {
                priced.place(task, least as u8);
                cost = priced.cost();
            }
        }
    }
    let mut label = priced.places().to_vec();
    if sweeps > 1 {
        sim::scheme::improve_within(model, bytes, &mut label, (sweeps * count) as u64);
    }
    (Memory { instance, start, label }, best.0 / cost)
}
