//! Labels: the decisions that the networks learn in Algorithm 1, and the schemes that make them.

use serde::Serialize;
use sim::config::Keyword;
use sim::scheme::{Exact, Greedy, LocalSearch, Order, Scheme};

/// The scheme that labels the metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Labels {
    /// The paper's greedy algorithm, tasks in the given order.
    Greedy,
    /// Local search: near-optimal, and needs no optimum.
    LocalSearch,
    /// The exact optimum, as an upper bound for the other labels.
    Exact,
}

impl Keyword for Labels {
    const KEYWORDS: &'static [(&'static str, Self)] =
        &[("greedy", Self::Greedy), ("local-search", Self::LocalSearch), ("exact", Self::Exact)];
}

impl Labels {
    /// The scheme.
    pub(crate) fn scheme(self) -> Box<dyn Scheme> {
        match self {
            Self::Greedy => Box::new(Greedy::new(Order::Given)),
            Self::LocalSearch => Box::new(LocalSearch::new()),
            Self::Exact => Box::new(Exact::new()),
        }
    }
}
