//! Schemes that stop deciding when they are told to.

use super::{Scheme, SchemeError, Solution};
use crate::tasks::cost::CostModel;
use crate::tasks::workload::Workload;

/// Whether long work goes on. It is asked often and from several threads, so that it should only look at a flag.
pub type GoesOn<'a> = dyn Fn() -> bool + Sync + 'a;

/// The workloads that are decided between two questions whether to go on.
const WORKLOADS_AT_A_TIME: usize = 64;

/// A scheme that decides as another one does, as long as `goes_on`.
///
/// ```
/// use sim::scheme::{Greedy, Interruptible, Order, Scheme};
/// use sim::{Scenario, SchemeError, Workload};
///
/// let model = Scenario::load("paper")?.check()?;
/// let workload = Workload::from_mb(3, &[20.0; 9]);
/// let mut greedy = Greedy::new(Order::Given);
/// let stopped = Interruptible::new(&mut greedy, &|| false).decide(&model, &workload);
/// assert!(matches!(stopped, Err(SchemeError::Interrupted)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Interruptible<'a> {
    scheme: &'a mut (dyn Scheme + 'a),
    goes_on: &'a GoesOn<'a>,
}

impl<'a> Interruptible<'a> {
    /// Makes a scheme interruptible. Decisions that have begun are finished all the same.
    pub fn new(scheme: &'a mut (dyn Scheme + 'a), goes_on: &'a GoesOn<'a>) -> Self {
        Self { scheme, goes_on }
    }
}

impl Scheme for Interruptible<'_> {
    fn name(&self) -> &str {
        self.scheme.name()
    }

    fn decide(&mut self, model: &CostModel, workload: &Workload) -> Result<Solution, SchemeError> {
        if (self.goes_on)() { self.scheme.decide(model, workload) } else { Err(SchemeError::Interrupted) }
    }

    /// Some workloads at a time, which the scheme may decide in parallel.
    fn decide_all(&mut self, model: &CostModel, workloads: &[Workload]) -> Result<Vec<Solution>, SchemeError> {
        let mut solutions = Vec::with_capacity(workloads.len());
        for part in workloads.chunks(WORKLOADS_AT_A_TIME) {
            if !(self.goes_on)() {
                return Err(SchemeError::Interrupted);
            }
            solutions.extend(self.scheme.decide_all(model, part)?);
        }
        Ok(solutions)
    }
}
