//! A trained ensemble as a scheme.

use burn::tensor::Device;
use rayon::prelude::*;
use sim::scheme::{Scheme, Solution};
use sim::{CostModel, Decision, SchemeError, Workload};

use super::candidates::{CandidateSelector, PanelSelector, Selected, Selection};
use super::ensemble::Ensemble;
use super::features::Codec;
use super::forward::forward;
use crate::kernels::PANEL_ROWS;
use crate::kernels::buffers::Pool;
use crate::learner::Forward;

/// Number of workloads from which on a panel is faster than single workloads.
const PANEL_FROM: usize = 6;
/// Number of workloads that one thread decides at a time.
const JOB_ROWS: usize = 2 * PANEL_ROWS;

/// Decides with K networks: each network proposes decisions, and the cheapest proposal is the answer.
pub struct Policy {
    name: String,
    forward: Box<dyn Forward>,
    codec: Codec,
    selector: CandidateSelector,
    inputs: Vec<f32>,
    logits: Vec<f32>,
    scratch: Pool<Scratch>,
}

/// Memory of one thread that decides panels of workloads.
struct Scratch {
    inputs: Vec<f32>,
    logits: Vec<f32>,
    selector: PanelSelector,
}

impl Policy {
    /// An ensemble as a scheme called `name` that computes on `device`.
    pub fn new(name: &str, ensemble: &Ensemble, codec: Codec, selection: Selection, device: &Device) -> Self {
        Self::with_forward(name, forward(ensemble, device), codec, selection)
    }

    /// Networks of any kind as a scheme called `name`. They read the inputs and answer with the logits of `codec`.
    pub fn with_forward(name: &str, forward: Box<dyn Forward>, codec: Codec, selection: Selection) -> Self {
        Self {
            name: name.to_owned(),
            forward,
            codec,
            selector: CandidateSelector::new(selection),
            inputs: Vec::new(),
            logits: Vec::new(),
            scratch: Pool::new(),
        }
    }

    /// Decides one workload. On the CPU this runs on the calling thread and allocates nothing after the first decision, as long
    /// as all networks together have fewer than half a million parameters; larger ones are shared among threads.
    ///
    /// # Shapes
    /// `sizes_bytes` and `places` are `[N * M]`.
    ///
    /// # Errors
    /// If the networks are for another N × M than the model.
    ///
    /// # Panics
    /// If `sizes_bytes` or `places` are not `[N * M]`.
    pub fn decide_into(
        &mut self,
        model: &CostModel,
        sizes_bytes: &[f64],
        places: &mut [u8],
    ) -> Result<Selected, SchemeError> {
        self.check(model)?;
        let count = model.task_count();
        assert_eq!((sizes_bytes.len(), places.len()), (count, count), "shapes differ");
        self.inputs.resize(self.codec.inputs(), 0.0);
        self.codec.encode(model, sizes_bytes, &mut self.inputs);
        self.forward.logits(&self.inputs, &mut self.logits);
        let proposals = self.logits.chunks_exact(self.codec.outputs());
        Ok(self.selector.select(&self.codec, model, sizes_bytes, proposals, places))
    }

    fn is_faster_singly(&self, count: usize) -> bool {
        count < PANEL_FROM && self.forward.by_panel().is_some()
    }

    /// Computes `self.logits` for all workloads if the device does not compute panels.
    fn run_networks<'s>(&mut self, model: &CostModel, count: usize, sizes_of: impl Fn(usize) -> &'s [f64]) {
        if self.forward.by_panel().is_some() {
            return;
        }
        let width = self.codec.inputs();
        self.inputs.resize(count * width, 0.0);
        for (row, inputs) in self.inputs.chunks_exact_mut(width).enumerate() {
            self.codec.encode(model, sizes_of(row), inputs);
        }
        self.forward.logits(&self.inputs, &mut self.logits);
    }

    /// Decides one workload for each of `evaluations`, beginning with workload `first` of `count`.
    fn decide_job<'s>(
        &self,
        model: &CostModel,
        first: usize,
        count: usize,
        sizes_of: impl Fn(usize) -> &'s [f64],
        places: &mut [u8],
        evaluations: &mut [u64],
    ) {
        let (inputs, outputs) = (self.codec.inputs(), self.codec.outputs());
        let tasks = self.codec.task_count();
        let new = || Scratch {
            inputs: vec![0.0; PANEL_ROWS * inputs],
            logits: vec![0.0; self.forward.networks() * outputs * PANEL_ROWS],
            selector: PanelSelector::new(self.selector.selection()),
        };
        self.scratch.with(new, |scratch| {
            let panels = places.chunks_mut(PANEL_ROWS * tasks).zip(evaluations.chunks_mut(PANEL_ROWS));
            for (panel, (places, evaluations)) in panels.enumerate() {
                let rows = evaluations.len();
                let sizes = |row: usize| sizes_of(panel * PANEL_ROWS + row);
                if let Some(forward) = self.forward.by_panel() {
                    let panel_inputs = &mut scratch.inputs[..rows * inputs];
                    for (row, inputs) in panel_inputs.chunks_exact_mut(inputs).enumerate() {
                        self.codec.encode(model, sizes(row), inputs);
                    }
                    forward.panel_logits(panel_inputs, &mut scratch.logits);
                } else {
                    let first = first + panel * PANEL_ROWS;
                    for (position, lanes) in scratch.logits.chunks_exact_mut(PANEL_ROWS).enumerate() {
                        let (dnn, output) = (position / outputs, position % outputs);
                        for (row, lane) in lanes[..rows].iter_mut().enumerate() {
                            *lane = self.logits[(dnn * count + first + row) * outputs + output];
                        }
                    }
                }
                let sizes = (0..rows).map(sizes);
                scratch.selector.select(&self.codec, model, sizes, &scratch.logits, places, evaluations);
            }
        });
    }

    fn check(&self, model: &CostModel) -> Result<(), SchemeError> {
        if self.codec.fits(model) {
            return Ok(());
        }
        Err(SchemeError::Shape {
            expected: format!("workloads of {} tasks", self.codec.task_count()),
            found: format!("a scenario of {} devices with {} tasks each", model.devices(), model.tasks()),
        })
    }
}

impl Scheme for Policy {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&mut self, model: &CostModel, workload: &Workload) -> Result<Solution, SchemeError> {
        check_fit(model, workload)?;
        let mut places = vec![0; model.task_count()];
        let chosen = self.decide_into(model, workload.sizes_bytes(), &mut places)?;
        Ok(Solution { decision: Decision::from_places(model.tasks(), places), evaluations: chosen.evaluations })
    }

    fn decide_all(&mut self, model: &CostModel, workloads: &[Workload]) -> Result<Vec<Solution>, SchemeError> {
        self.check(model)?;
        workloads.iter().try_for_each(|workload| check_fit(model, workload))?;
        if self.is_faster_singly(workloads.len()) {
            return workloads.iter().map(|workload| self.decide(model, workload)).collect();
        }
        self.run_networks(model, workloads.len(), |row| workloads[row].sizes_bytes());
        let (tasks, count) = (model.task_count(), workloads.len());
        let decide = |places: &mut Vec<u8>, (job, workloads): (usize, &[Workload])| {
            let mut evaluations = [0; JOB_ROWS];
            let rows = workloads.len();
            places.resize(rows * tasks, 0);
            let size_of = |row: usize| workloads[row].sizes_bytes();
            self.decide_job(model, job * JOB_ROWS, count, size_of, places, &mut evaluations[..rows]);
            let solution = |(places, &evaluations): (&[u8], &u64)| Solution {
                decision: Decision::from_places(model.tasks(), places),
                evaluations,
            };
            places.chunks_exact(tasks).zip(&evaluations).map(solution).collect::<Vec<_>>()
        };
        let jobs = workloads.par_chunks(JOB_ROWS).enumerate().map_init(Vec::new, decide);
        Ok(jobs.collect::<Vec<_>>().into_iter().flatten().collect())
    }

    /// On the CPU it runs on all threads and allocates nothing once every thread has its memory.
    fn decide_batch(
        &mut self,
        model: &CostModel,
        sizes_bytes: &[f64],
        places: &mut [u8],
        evaluations: &mut [u64],
    ) -> Result<(), SchemeError> {
        self.check(model)?;
        let (tasks, count) = (model.task_count(), evaluations.len());
        assert_eq!((sizes_bytes.len(), places.len()), (count * tasks, count * tasks), "shapes differ");
        if self.is_faster_singly(count) {
            let rows = sizes_bytes.chunks_exact(tasks).zip(places.chunks_exact_mut(tasks)).zip(evaluations);
            for ((sizes, places), evaluations) in rows {
                *evaluations = self.decide_into(model, sizes, places)?.evaluations;
            }
            return Ok(());
        }
        self.run_networks(model, count, |row| &sizes_bytes[row * tasks..][..tasks]);
        let jobs = sizes_bytes.par_chunks(JOB_ROWS * tasks).zip(places.par_chunks_mut(JOB_ROWS * tasks));
        let jobs = jobs.zip(evaluations.par_chunks_mut(JOB_ROWS)).enumerate();
        jobs.for_each(|(job, ((sizes_bytes, places), evaluations))| {
            let size_of = |row: usize| &sizes_bytes[row * tasks..][..tasks];
            self.decide_job(model, job * JOB_ROWS, count, size_of, places, evaluations);
        });
        Ok(())
    }
}

fn check_fit(model: &CostModel, workload: &Workload) -> Result<(), SchemeError> {
    if model.fits(workload) {
        return Ok(());
    }
    let shape = |devices, tasks| format!("{devices} devices with {tasks} tasks each");
    let expected = shape(model.devices(), model.tasks());
    Err(SchemeError::Shape { expected, found: shape(workload.devices(), workload.tasks()) })
}

#[cfg(test)]
mod tests {
    use data::{Part, SizeSampler, Workloads};
    use proptest::prelude::*;
    use sim::scenario::DeadlineRule;
    use sim::{Demands, Scenario, random};

    use super::*;
    use crate::dnn::candidates::{Exploration, SelectionScope};
    use crate::dnn::features::{Code, EnvironmentInputs, Standard};
    use crate::dnn::{NetworkShape, PlainForward};

    fn any_selection() -> impl Strategy<Value = Selection> {
        let exploration = prop_oneof![
            Just(Exploration::Threshold),
            (0..30_usize).prop_map(|flips| Exploration::OrderPreserving { flips }),
        ];
        let scope = prop_oneof![Just(SelectionScope::Workload), Just(SelectionScope::PerDevice)];
        (exploration, scope).prop_map(|(exploration, scope)| Selection { exploration, scope })
    }

    /// What a scenario has beyond sizes and rates: nothing, latencies, deadlines with each rule, instructions per byte of
    /// single tasks, devices with fewer tasks, and all at once.
    #[derive(Debug, Clone, Copy)]
    struct Details {
        latency_ms: f64,
        deadline: Option<(f64, DeadlineRule)>,
        is_uneven: bool,
        has_absent: bool,
    }

    fn any_details() -> impl Strategy<Value = Details> {
        let rule = prop_oneof![
            Just(DeadlineRule::Report),
            (0.1..100.0).prop_map(DeadlineRule::Penalty),
            Just(DeadlineRule::Hard),
        ];
        let deadline = prop::option::of((1.0..200.0, rule));
        let latency_ms = prop_oneof![Just(0.0), 1.0..60_000.0];
        (latency_ms, deadline, any::<bool>(), any::<bool>()).prop_map(
            |(latency_ms, deadline, is_uneven, has_absent)| Details { latency_ms, deadline, is_uneven, has_absent },
        )
    }

    impl Details {
        fn put_into(self, scenario: &mut Scenario) {
            scenario.servers[0].latency_ms = self.latency_ms;
            if self.has_absent {
                let most = scenario.tasks.per_device;
                scenario.tasks.counts = (0..scenario.devices.count).map(|device| most.saturating_sub(device)).collect();
            }
        }

        fn of(self, model: &CostModel, seed: u64) -> CostModel {
            let mut random = random::stream(seed, "demands");
            let mut each =
                |smallest: f64| (0..model.task_count()).map(|_| smallest * (1.0 + random::unit(&mut random))).collect();
            let demands = Demands {
                instructions_per_byte: self.is_uneven.then(|| each(500.0)),
                deadlines_s: self.deadline.map(|(deadline_s, _)| each(deadline_s)),
                deadline_rule: self.deadline.map(|(_, rule)| rule),
            };
            model.with_demands(&demands).expect("in range")
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(120))]

        /// One by one is the reference; panels, threads, and logits computed in one piece must not change anything.
        #[test]
        fn every_way_to_decide_gives_the_same(
            (devices, tasks, servers, networks) in (1..4_usize, 1..5_usize, 1..4_usize, 1..5_usize),
            categorical in any::<bool>(), selection in any_selection(), count in 0..90_usize, seed in any::<u64>(),
            (cut_off, reads, shared) in any::<(bool, bool, bool)>(), details in prop::option::of(any_details()),
            alpha in prop_oneof![4 => Just(0.5), 1 => Just(0.0), 1 => Just(1.0)],
        ) {
            let mut scenario = Scenario::load("paper-wan").expect("a preset");
            scenario.devices.count = devices;
            scenario.tasks.per_device = tasks;
            let template = scenario.servers[1].clone();
            scenario.servers = (0..servers)
                .map(|index| sim::scenario::Server { name: format!("s{index}"), ..template.clone() })
                .collect();
            if shared {
                scenario.servers[0].sharing = sim::scenario::Sharing::Shared;
            }
            scenario.alpha = alpha;
            if let Some(details) = details {
                details.put_into(&mut scenario);
            }
            let mut model = scenario.check().expect("valid");
            if cut_off {
                let mut environment = scenario.own_environment();
                environment.uplinks_mbps[0] = 0.0;
                model = model.at(&environment).expect("fits");
            }
            if let Some(details) = details {
                model = details.of(&model, seed);
            }
            let sampler = SizeSampler::new(&scenario).expect("no file");
            let code = if categorical { Code::Categorical } else { Codec::default_code(&model) };
            let scale = reads.then_some(Standard { mean: 1.0, std_dev: 2.0 });
            let reads = EnvironmentInputs { log_uplink: scale, log_capacity: scale, alpha: scale };
            let codec = Codec::new(code, &model, sampler.moments().into()).expect("checked").with_environment(reads);
            let shape = NetworkShape { inputs: codec.inputs(), hidden: vec![11], outputs: codec.outputs() };
            let ensemble = Ensemble::random(&shape, networks, seed, &Device::flex());
            let mut source = Workloads::new(&model, sampler, Part::Training, random::stream(seed, "test"));
            let mut draws = random::stream(seed, "absent tasks");
            let mut workloads: Vec<Workload> = (0..count).map(|_| source.draw().workload).collect();
            if details.is_some_and(|details| details.has_absent) {
                let mut keep = |bytes: &f64| if random::below(&mut draws, 3) == 0 { 0.0 } else { *bytes };
                for workload in &mut workloads {
                    let sizes_bytes: Vec<f64> = workload.sizes_bytes().iter().map(&mut keep).collect();
                    *workload = Workload::from_bytes(tasks, sizes_bytes);
                }
            }

            let mut policy = Policy::new("fused", &ensemble, codec, selection, &Device::flex());
            let plain = Box::new(PlainForward::new(&ensemble, &Device::flex()));
            let mut in_one_piece = Policy::with_forward("plain", plain, codec, selection);
            let singly: Vec<Solution> =
                workloads.iter().map(|workload| policy.decide(&model, workload).expect("fits")).collect();
            prop_assert_eq!(&policy.decide_all(&model, &workloads).expect("fits"), &singly);
            if cut_off {
                let offloaded = singly.iter().any(|one| one.decision.places()[..tasks].iter().any(|place| *place > 0));
                prop_assert!(!offloaded, "a device that reaches nothing offloads");
            }
            for (solution, workload) in singly.iter().zip(&workloads) {
                let mut tasks = workload.sizes_bytes().iter().zip(solution.decision.places());
                prop_assert!(tasks.all(|(bytes, place)| *bytes > 0.0 || *place == 0), "an absent task is sent");
            }

            let sizes: Vec<f64> = workloads.iter().flat_map(|workload| workload.sizes_bytes().to_vec()).collect();
            let mut places = vec![0; sizes.len()];
            let mut evaluations = vec![0; count];
            policy.decide_batch(&model, &sizes, &mut places, &mut evaluations).expect("fits");
            let decided: Vec<u8> = singly.iter().flat_map(|solution| solution.decision.places().to_vec()).collect();
            prop_assert_eq!(&places, &decided);
            prop_assert_eq!(evaluations, singly.iter().map(|solution| solution.evaluations).collect::<Vec<_>>());

            let by_plain: Vec<Solution> =
                workloads.iter().map(|workload| in_one_piece.decide(&model, workload).expect("fits")).collect();
            prop_assert_eq!(&in_one_piece.decide_all(&model, &workloads).expect("fits"), &by_plain);
        }
    }
}
