//! Problems that tests share.

use super::problem::{Application, Link, Load, SlotProblem, SlotSettings};
use crate::stream::{ArrivalProcess, MarkovRates, RateProcess, Sizes};

/// Files of 5 MB over a link that is good a fourth of the time.
pub(super) fn settings() -> SlotSettings {
    let chain = MarkovRates::new(&[0.5e6, 4e6], &[60.0, 20.0], None).expect("valid");
    let photos = Application {
        name: "photos".to_owned(),
        load: Load::Share(0.3),
        arrivals: ArrivalProcess::Poisson,
        sizes: Sizes::OneOf([5e6].into()),
        deadline_s: None,
    };
    let cellular = Link { name: "cellular".to_owned(), rates: RateProcess::Markov(chain), power_w: 1.2, tail: None };
    SlotSettings::new(3600, vec![photos], vec![cellular])
}

pub(super) fn problem() -> SlotProblem {
    SlotProblem::new(settings()).expect("valid")
}
