//! Deadlines that decisions missed, counted over many workloads.

use sim::{Instance, Outcome};

/// The deadlines of many workloads, and how many of them were missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deadlines {
    /// The number of tasks that missed their deadlines.
    pub missed: u64,
    /// The number of tasks that have a deadline.
    pub tasks: u64,
}

impl Deadlines {
    /// The deadlines of instances whose decisions have these outcomes; `None` if no task has a deadline.
    ///
    /// ```
    /// use data::Deadlines;
    /// use sim::{Decision, Instance, Placement, Scenario, Workload};
    ///
    /// let mut scenario = Scenario::load("paper")?;
    /// scenario.tasks.deadline_s = Some(sim::scenario::PerDevice::One(600.0));
    /// let instance = Instance { model: scenario.check()?, workload: Workload::from_mb(3, &[20.0; 9]) };
    /// let local = instance.evaluate(&Decision::uniform(3, 3, Placement::Local));
    /// assert_eq!(local.missed_deadlines, 0); // 60 MB * 1000 instructions/B at 100 MHz are 600 s
    /// let deadlines = Deadlines::of([(&instance, &local)]);
    /// assert_eq!(deadlines, Some(Deadlines { missed: 0, tasks: 9 }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of<'o>(decided: impl IntoIterator<Item = (&'o Instance, &'o Outcome)>) -> Option<Self> {
        let mut sum = Self::default();
        for (instance, outcome) in decided {
            sum.missed += outcome.missed_deadlines as u64;
            sum.tasks += instance.model.tasks_with_deadline(instance.workload.sizes_bytes()) as u64;
        }
        (sum.tasks > 0).then_some(sum)
    }

    /// The share of the tasks with a deadline that missed it, of all workloads together.
    pub fn share(self) -> f64 {
        self.missed as f64 / self.tasks as f64
    }
}
