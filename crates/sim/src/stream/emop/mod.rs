//! A chain of components that run one after the other, each at one of several sites, while the channel changes.
//!
//! In the manner of EMOP (Pervasive and Mobile Computing, 2016): the channel is a Markov chain in discrete time, and the state
//! is (next component, site of the last one, state of the channel). Before each component the state of the channel is seen and
//! a site is chosen; the data moves there, the component runs, and the channel makes one step. At the end the result comes back
//! to the device. Least energy of the device under a limit on the delay:
//!
//! - [`ChainProblem::within_mean_delay`]: the mean delay is limited. Backward induction on energy + multiplier × delay, with
//!   the multiplier by intersection of lines. Exact: the optimum over all policies, random ones included, mixes two
//!   deterministic policies, which are both given.
//! - [`ChainProblem::within_hard_limit`]: every course of the channel must stay within the limit. Backward induction with the
//!   time that is left on a grid. Times are rounded up for a policy that holds the limit surely, and rounded down for a bound
//!   that no policy can go below.
//!
//! Compared with [`ChainProblem::single_site`], [`ChainProblem::greedy_within`], [`ChainProblem::look_ahead_within`] and the
//! best assignment that does not look at the channel, [`ChainProblem::fixed_within`]. [`compare`] draws problems and runs all.
//!
//! Deviations, numbered, as far as the article is known (its abstract was at hand): (1) the channel makes one step with each
//! component, however long the component takes; (2) its state is seen before each choice and holds for one transfer; (3) one rate
//! for both directions; (4) the device waits at its idle power while another site works; (5) sites have no queues.

mod generator;
mod hard_limit;
mod mean_delay;
mod policies;
mod problem;
mod study;
#[cfg(test)]
mod tests;

pub use generator::ChainGenerator;
pub use hard_limit::HardLimitOptimum;
pub use mean_delay::MeanDelayOptimum;
pub use policies::{ChainPolicy, FixedAssignment};
pub use problem::{
    Chain, ChainComponent, ChainCost, ChainDevice, ChainError, ChainProblem, ChainSites, ChannelChain, RemoteSite,
};
pub use study::{ChainFigures, compare};

/// The device; remote site j is number j + 1.
pub const DEVICE: usize = 0;
