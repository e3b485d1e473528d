//! A total bandwidth shared out among the uplinks, as `--share-out` asks for.

use std::path::Path;
use std::str::FromStr;

use model::Record;
use sim::allocation::{self, Joint};
use sim::scheme::Scheme;
use sim::{AllocationError, CostModel, SchemeError, Workload};

use crate::error::AppError;
use crate::report;

/// How much is shared out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Total {
    /// As much as the uplinks of the workload's environment add up to.
    Sum,
    Mbps(f64),
}

impl FromStr for Total {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "sum" {
            return Ok(Self::Sum);
        }
        let usage = "write Mbit/s, as in `--share-out 300`, or `--share-out sum` for what the uplinks add up to";
        let total_mbps = text.parse().map_err(|_| format!("it is no number; {usage}"))?;
        allocation::check_total(total_mbps).map_err(|error| format!("{error}; {usage}"))?;
        Ok(Self::Mbps(total_mbps))
    }
}

impl Total {
    /// What is shared out in the model's environment, in Mbit/s.
    pub(crate) fn in_mbps(self, model: &CostModel) -> f64 {
        match self {
            Self::Sum => model.environment().uplinks_mbps.iter().sum(),
            Self::Mbps(total_mbps) => total_mbps,
        }
    }

    /// Decides and shares out in turn. A sum that is too little for a link, or for all who send, is no mistake, but a moment
    /// without a network: then the scheme decides as ever.
    pub(crate) fn share_out(
        self,
        scheme: &mut dyn Scheme,
        model: &CostModel,
        workload: &Workload,
    ) -> Result<Joint, AllocationError> {
        let total_mbps = self.in_mbps(model);
        if self == Self::Sum && total_mbps < allocation::LEAST_TOTAL_MBPS {
            return Ok(without_sharing(scheme, model, workload)?);
        }
        match allocation::alternate(scheme, model, workload, total_mbps) {
            Err(AllocationError::TooLittle { .. }) if self == Self::Sum => {
                Ok(without_sharing(scheme, model, workload)?)
            }
            joint => joint,
        }
    }
}

fn without_sharing(scheme: &mut dyn Scheme, model: &CostModel, workload: &Workload) -> Result<Joint, SchemeError> {
    let solution = scheme.decide(model, workload)?;
    let outcome = model.evaluate(workload, &solution.decision);
    Ok(Joint {
        environment: model.environment().clone(),
        decision: solution.decision,
        outcome,
        in_proportion: outcome,
        rounds: 1,
        evaluations: solution.evaluations,
    })
}

/// Says what a user would not guess: networks that do not read uplinks propose alike whatever these are.
pub(crate) fn note_blind(path: &Path, record: &Record) {
    if record.reads.log_uplink.is_none() {
        let path = path.display();
        report::note(&format!(
            "the networks of {path} do not read uplinks: they propose the same however these are shared out"
        ));
    }
}

/// The error of a workload, which stands at `place`.
pub(crate) fn failed(place: impl FnOnce() -> String, error: AllocationError) -> AppError {
    match error {
        AllocationError::Scheme(error) => error.into(),
        source => AppError::ShareOut { place: place(), source },
    }
}
