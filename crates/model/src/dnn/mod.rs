//! DNNs for one scenario: K multilayer perceptrons, called an ensemble, that propose decisions for its workloads.
//!
//! - A [`Dnn`] is one network with the widths of a [`NetworkShape`]; an [`Ensemble`] is K of them with stacked parameters.
//! - A [`Codec`] turns sizes and environments into inputs, and logits into decisions.
//! - A [`CandidateSelector`] makes candidates from the logits of all networks and selects the cheapest.
//! - [`PlainForward`] and [`PlainLearner`] are written in Burn operations and run on every device; `CpuForward` and
//!   `CpuLearner` use the [`kernels`](crate::kernels). [`forward()`] and [`learner()`] pick the faster one for a device.
//! - [`Samples`] are encoded workloads with the answers that networks learn.
//! - A [`Policy`] is trained networks as a scheme; [`DnnNetworks`] is the same as the contents of a record.

mod candidates;
mod description;
mod ensemble;
mod features;
mod forward;
mod learner;
mod net;
mod networks;
mod policy;
mod samples;
#[cfg(feature = "flex")]
mod tensor_slices;

pub use self::candidates::{CandidateSelector, DEFAULT_FLIPS, Exploration, Selected, Selection, SelectionScope};
pub use self::ensemble::{Ensemble, LayerData, StackedLinear};
pub use self::features::{Alternative, Code, CodeError, Codec, DONT_CARE, EnvironmentInputs, Scaling, Standard};
#[cfg(feature = "flex")]
pub use self::forward::CpuForward;
pub use self::forward::{PlainForward, forward};
#[cfg(feature = "flex")]
pub use self::learner::CpuLearner;
pub use self::learner::{EnsembleLearner, PlainLearner, cross_entropy, is_cpu, learner};
pub use self::net::{Dnn, NetworkShape};
pub use self::networks::DnnNetworks;
pub use self::policy::Policy;
pub use self::samples::{MAX_SAMPLES, Samples};
