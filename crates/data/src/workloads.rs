//! An endless row of random workloads, each in its environment.

use sim::random::Stream;
use sim::{CostModel, Environment, Instance, Workload};

use crate::environments::EnvironmentSampler;
use crate::part::Part;
use crate::sizes::SizeSampler;

/// An endless row of random workloads, each in its environment.
///
/// ```
/// use data::{EnvironmentSampler, Part, SizeSampler, Workloads};
/// use sim::{Scenario, random};
///
/// let scenario = Scenario::load("mobile")?;
/// let sizes = SizeSampler::new(&scenario)?;
/// let mut workloads = Workloads::new(&scenario.check()?, sizes, Part::Training, random::stream(1, "workloads"))
///     .with_environments(EnvironmentSampler::new(&scenario)?, random::stream(1, "environments"));
/// let mut instance = workloads.draw();
/// for _ in 0..100 {
///     workloads.draw_into(&mut instance); // allocates nothing
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Workloads {
    model: CostModel,
    sizes: SizeSampler,
    part: Part,
    random: Stream,
    environments: Option<Environments>,
}

#[derive(Debug, Clone)]
struct Environments {
    sampler: EnvironmentSampler,
    random: Stream,
    /// The environment that was drawn last.
    drawn: Environment,
}

impl Workloads {
    /// Workloads of the model's N and M in the model's environment, with sizes from one part of the sampler.
    pub fn new(model: &CostModel, sizes: SizeSampler, part: Part, random: Stream) -> Self {
        Self { model: model.clone(), sizes, part, random, environments: None }
    }

    /// Puts each workload into its own environment, drawn from the stream `random`; with `None` all workloads stay in
    /// the model's environment.
    ///
    /// # Panics
    /// If the sampler is for another number of devices or servers than the model.
    pub fn with_environments(mut self, sampler: Option<EnvironmentSampler>, random: Stream) -> Self {
        self.environments = sampler.map(|sampler| {
            let drawn = sampler.own().clone();
            self.model.at(&drawn).expect("sampler and model are of one scenario");
            Environments { sampler, random, drawn }
        });
        self
    }

    /// The cost model in the scenario's own environment.
    pub fn model(&self) -> &CostModel {
        &self.model
    }

    /// Whether the environment changes from workload to workload.
    pub fn changes_environment(&self) -> bool {
        self.environments.is_some()
    }

    /// Draws a workload in its environment.
    ///
    /// # Panics
    /// If the environments of the sampler are none for the model's scenario.
    pub fn draw(&mut self) -> Instance {
        let sizes = vec![0.0; self.model.task_count()];
        let mut instance =
            Instance { model: self.model.clone(), workload: Workload::from_bytes(self.model.tasks(), sizes) };
        self.draw_into(&mut instance);
        instance
    }

    /// Draws a workload in its environment into an instance that came from [`Workloads::draw`]. Allocates nothing unless
    /// the instance's model has clones.
    ///
    /// # Panics
    /// If the instance has another number of tasks.
    pub fn draw_into(&mut self, instance: &mut Instance) {
        assert!(self.model.fits(&instance.workload), "the instance is of another shape");
        match &mut self.environments {
            None => instance.model.clone_from(&self.model),
            Some(Environments { sampler, random, drawn }) => {
                sampler.draw(self.part, random, drawn);
                self.model.at_into(drawn, &mut instance.model).expect("sampler and model are of one scenario");
            }
        }
        if !self.model.has_absent_tasks() {
            instance.workload.refill(|| self.sizes.draw(self.part, &mut self.random));
            return;
        }
        let mut tasks = 0..;
        instance.workload.refill(|| {
            let is_there = tasks.next().is_some_and(|task| self.model.has_task(task));
            if is_there { self.sizes.draw(self.part, &mut self.random) } else { 0.0 }
        });
    }

    /// Draws the sizes of a workload and leaves the stream of environments where it is.
    pub fn draw_sizes(&mut self) -> Workload {
        let mut sizes = vec![0.0; self.model.task_count()];
        self.fill(&mut sizes);
        Workload::from_bytes(self.model.tasks(), sizes)
    }

    /// Draws sizes in bytes, `[N * M]`, and leaves the stream of environments where it is. The size of a task that its device
    /// does not have is 0 ([`CostModel::has_task`]).
    pub fn fill(&mut self, sizes_bytes: &mut [f64]) {
        let all_there = !self.model.has_absent_tasks();
        for (task, size) in sizes_bytes.iter_mut().enumerate() {
            let is_there = all_there || self.model.has_task(task);
            *size = if is_there { self.sizes.draw(self.part, &mut self.random) } else { 0.0 };
        }
    }

    /// Draws an environment, if it changes, and leaves the stream of sizes where it is.
    pub fn next_environment(&mut self, environment: &mut Environment) {
        if let Some(Environments { sampler, random, .. }) = &mut self.environments {
            sampler.draw(self.part, random, environment);
        }
    }

    /// The positions of the random streams of sizes and environments, for [`Workloads::seek`].
    pub fn position(&self) -> (u128, Option<u128>) {
        let environments = self.environments.as_ref().map(|environments| environments.random.get_word_pos());
        (self.random.get_word_pos(), environments)
    }

    /// Goes on from the positions that another row of the same seed had.
    pub fn seek(&mut self, (sizes, environments): (u128, Option<u128>)) {
        self.random.set_word_pos(sizes);
        if let (Some(own), Some(position)) = (&mut self.environments, environments) {
            own.random.set_word_pos(position);
        }
    }
}
