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
pub mod dnn;
mod export;
pub mod fleet;
pub mod kernels;
mod learner;
mod networks;
mod parameters;
mod record;
mod state;

pub use backend::{Backend, BackendError, DeviceChoice, DeviceKind, RemoteAddress, available};
pub use dnn::{
    Alternative, CandidateSelector, Code, CodeError, Codec, DEFAULT_FLIPS, DONT_CARE, Dnn, DnnNetworks, Ensemble,
    EnsembleLearner, EnvironmentInputs, Exploration, LayerData, MAX_SAMPLES, NetworkShape, Policy, Samples, Scaling,
    Selected, Selection, SelectionScope, StackedLinear, Standard, cross_entropy, forward, is_cpu, learner,
};
pub use export::{ExportFormat, ExportedFile};
pub use kernels::{Adam, Head};
pub use learner::{Forward, Learner, Lesson, PanelForward, Session};
pub use networks::{DecisionOptions, EnvironmentParts, KINDS, Kind, Networks, OptionError, Shape};
pub use parameters::MAX_PARAMETERS;
pub use record::{FORMAT_VERSION, Record, RecordError, RecordText, checksum};
pub use state::{LearnerState, StateError};
