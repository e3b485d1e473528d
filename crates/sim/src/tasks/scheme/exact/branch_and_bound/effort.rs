//! The effort of a search, and its limits.

/// The most assignments that are inspected, one or two seconds of work.
const MAX_INSPECTED: u64 = 300_000_000;
/// The most nodes that are bounded.
const MAX_NODES: u64 = 2_000;
/// The most partial and complete combinations of assignments that are enumerated in all nodes together.
const MAX_ENUMERATED: u64 = 10_000_000;

/// The effort of a search so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effort {
    /// Cost evaluations, of whole decisions or of one device's part.
    pub(super) evaluations: u64,
    /// Nodes that were bounded.
    pub(super) nodes: u64,
    /// Combinations of assignments that were enumerated, parts of combinations included.
    pub(super) enumerated: u64,
    /// Assignments that were inspected, once for each corner or place that was looked at.
    pub(super) inspected: u64,
}

impl Effort {
    /// The effort of a search that has evaluated its incumbent and bounds its first node.
    pub(super) const FIRST: Self = Self { evaluations: 1, nodes: 1, enumerated: 0, inspected: 0 };

    /// Whether the search must end.
    pub(super) fn is_spent(&self) -> bool {
        self.nodes >= MAX_NODES || self.enumerated >= MAX_ENUMERATED || self.inspected >= MAX_INSPECTED
    }
}
