//! What can be wrong with a slotted problem, and with schemes for it.

use crate::suggestion::lines_of;

/// Why the settings of a problem make no sense.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SlotProblemError {
    /// A number that must be above 0 is not.
    #[error("{what} must be greater than 0, is {value}")]
    NotPositive {
        /// The number in words, with its unit.
        what: String,
        /// Its value.
        value: f64,
    },
    /// A number that must not be below 0 is, or is no number.
    #[error("{what} must not be below 0, is {value}")]
    Negative {
        /// The number in words, with its unit.
        what: String,
        /// Its value.
        value: f64,
    },
    /// The horizon is empty.
    #[error("a horizon of 0 slots has no slot in which data could be sent")]
    NoSlots,
    /// There are no links or applications, or too many of them.
    #[error("a problem has from 1 to {most} {what}, has {count}")]
    Count {
        /// Links or applications.
        what: &'static str,
        /// Their number.
        count: usize,
        /// The most that there may be.
        most: usize,
    },
    /// The weight of energy is no share.
    #[error("alpha must lie between 0 and 1, is {value}")]
    Alpha {
        /// The weight.
        value: f64,
    },
    /// More arrives than can be sent.
    #[error(
        "the loads of all applications add up to {share} of the mean rate of all links; from 1 on the queue would grow \
         without end"
    )]
    Overload {
        /// The sum of loads.
        share: f64,
    },
    /// A radio would take more in its tail than while it sends.
    #[error(
        "the power of {name} in its tail, {tail_w} W, must not be greater than its power while sending, {power_w} W"
    )]
    TailPower {
        /// The link.
        name: String,
        /// The power in the tail.
        tail_w: f64,
        /// The power while sending.
        power_w: f64,
    },
    /// Rates of a path make no sense.
    #[error("a path has one rate from 0 for each slot and link, in bytes per second; number {index} is {value}")]
    Rates {
        /// Its index.
        index: usize,
        /// The rate; not a number if it is missing.
        value: f64,
    },
    /// A file of a path makes no sense.
    #[error(
        "file {index} has {bytes} bytes, arrives in slot {slot} and belongs to application {application}: files have more than \
         0 bytes, arrive in order, in a slot of the path, and belong to an application of the problem"
    )]
    File {
        /// Its index.
        index: usize,
        /// Its slot.
        slot: usize,
        /// Its application.
        application: usize,
        /// Its size.
        bytes: f64,
    },
    /// Whole recordings were asked for, and the links do not have them.
    #[error(
        "paths over whole recordings need recorded links, all with the same number of recordings; {name} has {found} \
         instead of {expected}"
    )]
    Recordings {
        /// The first link that does not fit.
        name: String,
        /// Its recordings.
        found: usize,
        /// The recordings of the first recorded link.
        expected: usize,
    },
}

/// Why a scheme cannot decide.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SlotSchemeError {
    /// No scheme has this name.
    #[error(
        "there is no scheme called `{name}` for slots{}{}\n  numbers may follow a name, as in threshold-or-age@4,60",
        suggestion.as_ref().map_or_else(String::new, |near| format!("; did you mean `{near}`?")),
        lines_of("there are", known)
    )]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// The names that there are.
        known: Vec<&'static str>,
        /// The name that was probably meant.
        suggestion: Option<String>,
    },
    /// The scheme is one for dispatching.
    #[error(
        "`{name}` is a scheme for scenarios that dispatch tasks, such as `dispatch`; this one sends data in slots{}",
        lines_of("its schemes are", known)
    )]
    ForDispatch {
        /// The name that was asked for.
        name: String,
        /// The names of schemes for slots.
        known: Vec<&'static str>,
    },
    /// Numbers behind the name make no sense.
    #[error("{name} takes these numbers behind its @: {takes}; `{given}` does not fit")]
    Parameters {
        /// The scheme.
        name: &'static str,
        /// What it takes: names and ranges.
        takes: String,
        /// What was given.
        given: String,
    },
    /// The scheme is made for one link, or for several.
    #[error("{scheme} decides problems with {needs}; this one has {links} links and {applications} applications")]
    Shape {
        /// The scheme.
        scheme: &'static str,
        /// What it needs.
        needs: &'static str,
        /// The links of the problem.
        links: usize,
        /// The applications of the problem.
        applications: usize,
    },
    /// The scheme has to be fitted to paths first.
    #[error("{scheme} learns from training paths; give at least one path with at least two slots")]
    NoTraining {
        /// The scheme.
        scheme: &'static str,
    },
}
