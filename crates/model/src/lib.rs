//! The networks of MR-DRO as Burn modules, and everything between them and the offloading problem.
//!
//! Since Burn 0.22 modules and tensors carry no backend type: what computes is decided by the
//! [`Device`](burn::tensor::Device) that tensors live on, so that everything here runs on every backend that was built
//! in (features `flex`, `ndarray`, `wgpu`).
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
//! # The words
//! - A [`Dnn`] is one network; an [`Ensemble`] is K of them with stacked parameters.
//! - A [`Codec`] translates sizes to inputs and logits to decisions.
//! - [`Samples`] are what networks learn from; a [`Learner`] makes steps of training, a [`Forward`] only logits.
//! - Candidates are the decisions proposed for one workload; a [`CandidateSelector`] makes and prices them.
//! - A [`Policy`] is a trained ensemble as a scheme.
//! - A [`Record`] is a directory with trained [`Networks`] of any kind: [`DnnNetworks`] for one scenario, or those of
//!   [`fleet`] for any.
//!
//! # What it does not do
//! It decides nothing about training: that is `drl` and `meta`.

mod backend;
mod candidates;
mod codec;
#[cfg(feature = "flex")]
pub mod cpu;
mod dnn;
mod ensemble;
mod error;
mod export;
pub mod fleet;
pub mod fused;
mod learner;
#[cfg(feature = "flex")]
mod lending;
mod networks;
pub mod plain;
mod policy;
mod record;
mod samples;
mod state;

pub use backend::{Backend, DeviceChoice, DeviceKind, RemoteAddress, available};
pub use candidates::{CandidateSelector, Choice, DEFAULT_FLIPS, Exploration, Selected, Selection};
pub use codec::{Alternative, Code, Codec, DONT_CARE, EnvironmentInputs, Scaling, Standard};
pub use dnn::{Dnn, DnnNetworks, MAX_PARAMETERS, NetworkShape};
pub use ensemble::{Ensemble, LayerData, StackedLinear};
pub use error::{BackendError, CodeError, RecordError};
pub use export::{ExportFormat, ExportedFile};
pub use fused::{Adam, Head};
pub use learner::{Forward, Learner, Lesson, Session, forward, is_cpu, learner};
pub use networks::{DecisionOptions, EnvironmentParts, KINDS, Kind, Networks, OptionError, Shape};
pub use policy::Policy;
pub use record::{FORMAT_VERSION, Record, RecordText, checksum};
pub use samples::{MAX_SAMPLES, Samples};
pub use state::{LearnerState, StateError};
