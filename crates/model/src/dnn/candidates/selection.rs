//! How candidates are made and selected.

use serde::{Deserialize, Serialize};
use sim::config::{Checks, Keyword, Keywords, Rule, Section, Table};

/// Which decisions each network proposes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "exploration", rename_all = "kebab-case")]
pub enum Exploration {
    /// The decision that its logits stand for, as in the paper: K candidates.
    Threshold,
    /// That decision, and one more with each of the `flips` least certain indicators flipped: K (1 + flips) candidates.
    OrderPreserving {
        /// Indicators flipped, one at a time.
        flips: usize,
    },
}

/// The part of a decision that the cheapest candidate is selected for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SelectionScope {
    /// The whole workload, as in the paper.
    Workload,
    /// Each device by itself, where the cost is a sum over devices; else the whole workload.
    PerDevice,
}

impl Keyword for SelectionScope {
    const KEYWORDS: &'static [(&'static str, Self)] = &[("workload", Self::Workload), ("per-device", Self::PerDevice)];
}

/// Number of flipped indicators where settings ask for exploration without a number.
pub const DEFAULT_FLIPS: usize = 6;

/// How candidates are made and selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Selection {
    /// Which decisions each network proposes.
    #[serde(flatten)]
    pub exploration: Exploration,
    /// The part of a decision that the cheapest candidate is selected for.
    #[serde(rename = "choice")]
    pub scope: SelectionScope,
}

impl Default for Selection {
    fn default() -> Self {
        Self::PAPER
    }
}

impl Selection {
    /// The selection of the paper: each network proposes one decision, and the cheapest for the workload is selected.
    pub const PAPER: Self = Self { exploration: Exploration::Threshold, scope: SelectionScope::Workload };

    /// Order-preserving candidates with `flips` flips, selected for each device by itself.
    pub fn explored(flips: usize) -> Self {
        Self { exploration: Exploration::OrderPreserving { flips }, scope: SelectionScope::PerDevice }
    }
}

impl Table for Selection {
    /// Reads `exploration`, `flips` and `choice`. `flips` without `exploration` is a mistake unless candidates are explored
    /// already.
    fn read_keys(&mut self, section: &Section<'_>) {
        let explorations = [("threshold", false), ("order-preserving", true)];
        let explores = section.optional_choice("exploration", &explorations);
        let flips = section.optional_count("flips");
        let explores = explores.unwrap_or(self.exploration != Exploration::Threshold);
        self.exploration = match (explores, flips, self.exploration) {
            (true, Some(flips), _) | (true, None, Exploration::OrderPreserving { flips }) => {
                Exploration::OrderPreserving { flips }
            }
            (true, None, Exploration::Threshold) => Exploration::OrderPreserving { flips: DEFAULT_FLIPS },
            (false, None, _) => Exploration::Threshold,
            (false, Some(_), _) => {
                section.mistake("flips", "needs exploration = \"order-preserving\"");
                Exploration::Threshold
            }
        };
        Keywords.read(&mut self.scope, section, "choice");
    }

    fn check_keys(&self, _: &mut Checks) {}
}
