//! Meta-learning of first parameters for MR-DRO, Algorithm 1 of the paper.
//!
//! ```
//! use data::{Part, SizeSampler, Workloads};
//! use meta::{Reptile, Settings};
//! use model::{Codec, DeviceChoice, Ensemble, NetworkShape};
//!
//! let scenario = sim::Scenario::load("paper")?;
//! let (cost_model, sizes) = (scenario.check()?, SizeSampler::new(&scenario)?);
//! let codec = Codec::new(Codec::default_code(&cost_model), &cost_model, sizes.moments().into())?;
//! let mut workloads = Workloads::new(&cost_model, sizes, Part::Training, sim::random::stream(1, "metadata"));
//!
//! let settings = Settings { metadata: 200, outer_steps: 20, ..Settings::default() };
//! let metadata = meta::label(&settings, &mut workloads, &codec)?;
//! let shape = NetworkShape { inputs: codec.inputs(), hidden: vec![24, 16], outputs: codec.outputs() };
//! let start = Ensemble::random(&shape, 4, 1, &DeviceChoice::Auto.open()?.device);
//! let mut reptile = Reptile::new(&start, &metadata, settings, 1)?;
//! while let Some(report) = reptile.advance() {
//!     println!("outer step {}: loss {}", report.step, report.loss);
//! }
//! let first_parameters = reptile.ensemble();
//! # assert_eq!(first_parameters.networks(), 4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The words
//! - [`Metadata`] are workloads labelled by a scheme ([`Labels`]); [`label`] makes them.
//! - An inner training is a few training steps from the meta parameters β*; an outer step moves β* a little towards its
//!   result. [`Reptile`] takes outer steps for K networks at once.
//! - One inner training sees all metadata, as the paper has it, or the workloads of one environment ([`Tasks`]).
//!   Training on one environment at a time makes a β* that adapts to any environment in a few steps.
//! - [`parameters`] is arithmetic on all parameters of a Burn module at once.
//!
//! # What it does not do
//! It imitates labels; anything that these cannot teach is left to `drl`, which starts from the result.

mod labels;
mod metadata;
pub mod parameters;
mod reptile;
mod settings;

pub use labels::Labels;
pub use metadata::{Metadata, draw, label, label_while};
pub use reptile::{MetaReport, Reptile, ReptileState};
pub use settings::{Settings, Tasks};
