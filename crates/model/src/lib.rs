//! The networks of MR-DRO as Burn modules, with their features, training steps, decisions and records.
//!
//! Burn's modules and tensors carry no backend type: the [`Device`](burn::tensor::Device) of a tensor decides what computes.
//! Everything here runs on every backend that the program was built with (features `flex`, `ndarray`, `wgpu`).
//!
//! ```
//! use model::{Codec, DeviceChoice, Ensemble, NetworkShape, Policy, Selection};
//! use sim::scheme::Scheme;
//!
//! let scenario = sim::Scenario::load("paper")?;
//! let cost_model = scenario.check()?;
//! let moments = data::SizeSampler::new(&scenario)?.moments();
//! let codec = Codec::new(Codec::default_code(&cost_model), &cost_model, moments.into())?;
//! let shape = NetworkShape { inputs: codec.inputs(), hidden: vec![120, 80], outputs: codec.outputs() };
//! let device = DeviceChoice::Auto.open()?.device;
//! let untrained = Ensemble::random(&shape, 8, 1, &device);
//! let mut policy = Policy::new("untrained", &untrained, codec, Selection::PAPER, &device);
//! let solution = policy.decide(&cost_model, &sim::Workload::from_mb(3, &[20.0; 9]))?;
//! assert_eq!((solution.decision.places().len(), solution.evaluations), (9, 8));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Rooms
//! - [`dnn`]: DNNs for one scenario, the networks of the paper.
//! - [`fleet`]: networks for any number of devices, tasks and servers.
//! - [`stream`]: networks that dispatch tasks as they arrive, at any site.
//! - [`kernels`]: vectors on the CPU, for all.
//! - At the root: the traits that networks of a user's own implement ([`Forward`], [`Learner`]), trained networks of any kind
//!   ([`Networks`]), their records ([`Record`]), and devices ([`Backend`]).
//!
//! # The words
//! - A [`Dnn`] is one network; an [`Ensemble`] is K of them with stacked parameters.
//! - A [`Codec`] turns sizes into inputs and logits into decisions.
//! - A [`Forward`] computes logits; a [`Learner`] also takes training steps, on [`Samples`].
//! - Candidates are the decisions proposed for one workload; a [`CandidateSelector`] makes them and selects the cheapest.
//! - A [`Policy`] is trained networks as a scheme.
//! - A [`Record`] is a directory with trained [`Networks`] of any kind.
//!
//! # What it does not do
//! It has no training loops: `meta` has Algorithm 1 and `drl` Algorithm 2.

mod backend;
pub mod dnn;
mod export;
pub mod fleet;
pub mod kernels;
mod kinds;
mod learner;
mod networks;
mod parameters;
mod record;
mod state;
pub mod stream;

pub use backend::{Backend, BackendError, DeviceChoice, DeviceKind, RemoteAddress, available};
pub use dnn::{
    Alternative, CandidateSelector, Code, CodeError, Codec, DEFAULT_FLIPS, DONT_CARE, Dnn, DnnNetworks, Ensemble,
    EnsembleLearner, EnvironmentInputs, Exploration, LayerData, MAX_SAMPLES, NetworkShape, Policy, Samples, Scaling,
    Selected, Selection, SelectionScope, StackedLinear, Standard, cross_entropy, forward, is_cpu, learner,
};
pub use export::{ExportFormat, ExportedFile};
pub use kernels::{Adam, Head};
pub use kinds::KINDS;
pub use learner::{Forward, Learner, Lesson, PanelForward, Session};
pub use networks::{DecisionOptions, EnvironmentParts, Kind, Networks, OptionError, Shape};
pub use parameters::MAX_PARAMETERS;
pub use record::{FORMAT_VERSION, Record, RecordError, RecordText, checksum};
pub use state::{LearnerState, StateError};
