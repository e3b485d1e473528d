//! Algorithm 2 of the paper: K networks propose, the cheapest proposal is remembered, every network learns from a batch
//! of remembered samples.
//!
//! [`Agent`]'s `advance` is the loop, from top to bottom as the paper prints it; numbers in its comments are the paper's lines.
//! Lines 18 to 23, the decision of a trained agent, are [`Policy`].

use data::Workloads;
use model::{
    Adam, CandidateSelector, Codec, Ensemble, EnsembleLearner, Learner, Lesson, Policy, Selected, Selection, StateError,
};
use sim::config::{Mistakes, Table};
use sim::scheme::{GoesOn, LocalSearch};
use sim::{CostModel, Instance, keep_absent, metrics};

use crate::memory::{Memory, ReplayBuffer, Sample};
use crate::observer::StepReport;
use crate::proposals::Proposals;
use crate::schedule::Schedule;
use crate::settings::Settings;
use crate::state::{AgentState, DnnState, KindState};
use crate::step_workloads::StepWorkloads;
use crate::training_loop::TrainingLoop;

/// What an [`Agent`] learns from: workloads, and how networks read and decide them.
#[derive(Debug, Clone)]
pub struct TrainingData {
    /// Random workloads, each in its environment.
    pub workloads: Workloads,
    /// How sizes and environments become inputs, and logits decisions.
    pub codec: Codec,
}

/// K networks in training, with everything that they share. `L` trains the networks: the ensemble of DNNs if nothing else is
/// said, or a network of the user's own ([`Agent::with_learner`]).
pub struct Agent<L: Learner + ?Sized = dyn EnsembleLearner> {
    learner: Box<L>,
    settings: Settings,
    codec: Codec,
    workloads: StepWorkloads,
    selector: CandidateSelector,
    memory: Memory,
    schedule: Schedule,
    /// Steps done.
    step: usize,
    /// Evaluations of the cost model for the selection among candidates.
    evaluations: u64,
}

impl Agent {
    /// An agent that starts from these networks, on the device that they are on, with an empty memory (line 1). `seed` gives
    /// the random streams that batches are drawn from; the workloads bring their own.
    ///
    /// # Errors
    /// All mistakes of the settings.
    pub fn new(data: TrainingData, ensemble: &Ensemble, settings: Settings, seed: u64) -> Result<Self, Mistakes> {
        let adam = Adam { epsilon: settings.epsilon as f32, ..Adam::with_learning_rate(settings.learning_rate as f32) };
        let learner = model::learner(ensemble, data.codec.head(), adam, &ensemble.device());
        Self::with_learner(data, learner, settings, seed)
    }

    /// The networks as they are now.
    pub fn ensemble(&self) -> Ensemble {
        self.learner.ensemble()
    }

    /// The networks as they are now, as a scheme.
    pub fn policy(&self, name: &str, selection: Selection) -> Policy {
        let ensemble = self.ensemble();
        Policy::new(name, &ensemble, self.codec, selection, &ensemble.device())
    }
}

impl<L: Learner + ?Sized> Agent<L> {
    /// An agent that trains the networks of this learner from where they are, with an empty memory (line 1). The
    /// networks must read the inputs of the codec in `data` and give its logits. `seed` means the same as in
    /// [`Agent::new`]. The learner keeps its own settings of Adam except for the step size.
    ///
    /// # Errors
    /// All mistakes of the settings.
    pub fn with_learner(data: TrainingData, learner: Box<L>, settings: Settings, seed: u64) -> Result<Self, Mistakes> {
        settings.check("the settings of Algorithm 2")?;
        let TrainingData { workloads, codec } = data;
        Ok(Self {
            memory: Memory::new(&settings, codec, learner.networks(), seed),
            learner,
            workloads: StepWorkloads::new(workloads, codec, settings.workloads_per_step),
            selector: CandidateSelector::new(settings.selection),
            schedule: settings.schedule(),
            codec,
            settings,
            step: 0,
            evaluations: 0,
        })
    }

    /// The networks in training.
    pub fn learner(&self) -> &L {
        &self.learner
    }

    /// The networks as they are now; ends training.
    pub fn into_learner(self) -> Box<L> {
        self.learner
    }
}

impl<L: Learner + ?Sized> TrainingLoop for Agent<L> {
    fn step(&self) -> usize {
        self.step
    }

    fn steps(&self) -> usize {
        self.settings.steps
    }

    fn report_every(&self) -> usize {
        self.settings.report_every
    }

    fn advance_while(&mut self, steps: usize, goes_on: &GoesOn<'_>) -> Option<StepReport> {
        assert!(steps > 0 && !self.is_done(), "there is nothing to train");
        let end = (self.step + steps).min(self.settings.steps);
        let Self { learner, settings, codec, workloads, selector, memory, schedule, step, evaluations } = self;
        let (mut logits, mut places) = (Vec::new(), vec![0; codec.task_count()]);
        let mut learning_rate = None;
        learner.session(&mut |networks| {
            // 2: for j = 1, 2, 3, …, N do
            while *step < end && goes_on() {
                // 3: randomly generate a group of task information W.
                workloads.draw();
                // 4 to 7: every network reads W and generates a candidate X. In the same pass over its parameters it first
                // learns from the batch of the step before, line 15.
                let lesson = learning_rate.map(|learning_rate| memory.lesson(learning_rate));
                networks.learn_and_decide(lesson, workloads.inputs(), &mut logits);
                let proposals = Proposals::new(&logits, workloads.len(), codec.outputs());
                for (row, (Instance { model, workload }, inputs)) in workloads.iter().enumerate() {
                    // 8 and 9: select the decision X* with the smallest cost S(W, X); S* is its cost.
                    let sizes_bytes = workload.sizes_bytes();
                    let mut selected = selector.select(codec, model, sizes_bytes, proposals.of(row), &mut places);
                    if settings.refine {
                        refine(model, sizes_bytes, &mut places, &mut selected);
                    }
                    *evaluations += selected.evaluations;
                    // 10 to 13: store (W, X*, S*) in the memory, in place of the oldest sample if it is full.
                    let environment = workloads.changes_environment().then(|| model.environment());
                    memory.push(Sample { sizes_bytes, places: &places, cost: selected.cost, environment }, inputs);
                }
                *step += 1;
                learning_rate = schedule.at(*step).map(|rate| rate as f32);
                if learning_rate.is_some() {
                    // 14: randomly choose K batches of samples from the memory.
                    memory.draw_batches();
                }
                // 15: train each network with its batch: together with lines 4 to 7 of the next step.
            }
        });
        if self.step < end {
            self.learn(learning_rate, None);
            return None;
        }
        Some(self.learn_and_report(learning_rate))
    }
}

impl<L: Learner + ?Sized> Agent<L> {
    /// Line 15 of the last step, which has no next step to be taken with.
    fn learn(&mut self, learning_rate: Option<f32>, losses: Option<&mut Vec<f32>>) {
        if let Some(learning_rate) = learning_rate {
            let Lesson { samples, indices, .. } = self.memory.lesson(learning_rate);
            self.learner.set_learning_rate(learning_rate);
            self.learner.step(samples, indices, losses);
        }
    }

    /// Line 15 of the step that is reported, which needs the losses.
    fn learn_and_report(&mut self, learning_rate: Option<f32>) -> StepReport {
        let q1 = learning_rate.map(|_| self.q1());
        let mut losses = Vec::new();
        self.learn(learning_rate, Some(&mut losses));
        let buffer_mean_cost = Some(self.memory.buffer().mean_cost());
        StepReport { q1, buffer_mean_cost, ..StepReport::new(self.step, losses) }
    }

    /// The batch that a network learned from in the last step; empty while the buffer fills.
    ///
    /// # Panics
    /// If there is no such network.
    pub fn batch(&self, network: usize) -> impl Iterator<Item = Sample<'_>> {
        self.memory.batch(network).iter().map(|&row| self.buffer().sample(row as usize))
    }

    /// All samples that are remembered.
    pub fn buffer(&self) -> &ReplayBuffer {
        self.memory.buffer()
    }

    /// Evaluations of the cost model so far for the selection among candidates.
    pub fn evaluations(&self) -> u64 {
        self.evaluations
    }

    /// Q1 (24) over the first network's batch: the recorded costs against the costs that all networks together would obtain now.
    fn q1(&mut self) -> f64 {
        let Self { learner, codec, workloads, memory, .. } = self;
        let (buffer, batch) = (memory.buffer(), memory.batch(0));
        let (inputs, _) = buffer.encoded().gather(batch);
        let mut logits = Vec::new();
        learner.logits(&inputs, &mut logits);
        let proposals = Proposals::new(&logits, batch.len(), codec.outputs());
        let mut selector = CandidateSelector::new(Selection::PAPER);
        let mut places = vec![0; codec.task_count()];
        let mut model = workloads.model().clone();
        let (mut recorded, mut obtained) = (Vec::with_capacity(batch.len()), Vec::with_capacity(batch.len()));
        for (row, &index) in batch.iter().enumerate() {
            let Sample { sizes_bytes, cost, environment, .. } = buffer.sample(index as usize);
            if let Some(environment) = environment {
                workloads.model().at_into(environment, &mut model).expect("drawn by the scenario's own distribution");
            }
            recorded.push(cost);
            obtained.push(selector.select(codec, &model, sizes_bytes, proposals.of(row), &mut places).cost);
        }
        metrics::q1(&recorded, &obtained)
    }

    /// The whole state between two calls of [`TrainingLoop::advance`].
    ///
    /// # Errors
    /// If the parameters cannot be read back from the device.
    pub fn state(&self) -> Result<AgentState, StateError> {
        let state = DnnState {
            learner: self.learner.state()?,
            evaluations: self.evaluations,
            workloads_per_step: self.settings.workloads_per_step,
            workloads: self.workloads.position(),
            buffer: self.memory.buffer().contents(),
        };
        Ok(AgentState { step: self.step, batches: self.memory.positions(), kind: KindState::Dnns(state) })
    }

    /// Continues, as a new agent, from the state of another agent with the same arguments, to the same bytes.
    ///
    /// # Errors
    /// If the state is damaged, or of an agent with other arguments. Then this agent cannot be used any more.
    pub fn restore(&mut self, state: AgentState) -> Result<(), StateError> {
        let other = || StateError::new("it is of another training");
        let AgentState { step, batches, kind: KindState::Dnns(state) } = state else { return Err(other()) };
        let Settings { steps, workloads_per_step, buffer, .. } = self.settings;
        let same = self.step == 0
            && step <= steps
            && state.workloads_per_step == workloads_per_step
            && state.buffer.len() == step.saturating_mul(workloads_per_step).min(buffer)
            && state.workloads.1.is_some() == self.workloads.changes_environment()
            && state.buffer.has_environments() == (step > 0 && self.workloads.changes_environment())
            && state.evaluations <= u64::MAX >> 1;
        if !same {
            return Err(other());
        }
        let Self { memory, workloads, codec, .. } = self;
        let mut model = workloads.model().clone();
        let restored = memory.restore(&state.buffer, &batches, |sizes_bytes, environment, inputs| {
            let changed = environment.map(|environment| workloads.model().at_into(environment, &mut model));
            changed.transpose().ok()?;
            codec.encode(&model, sizes_bytes, inputs);
            Some(())
        });
        restored.ok_or_else(other)?;
        self.learner.restore(&state.learner)?;
        self.workloads.seek(state.workloads);
        (self.step, self.evaluations) = (step, state.evaluations);
        Ok(())
    }
}

/// Improves a selected decision by local search.
fn refine(model: &CostModel, sizes_bytes: &[f64], places: &mut [u8], selected: &mut Selected) {
    selected.evaluations += LocalSearch::new().improve(model, sizes_bytes, places) + 1;
    keep_absent(sizes_bytes, places);
    selected.cost = model.reported_cost(sizes_bytes, places);
}
