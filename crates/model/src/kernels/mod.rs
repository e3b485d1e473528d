//! Vectors on the CPU: training steps and inference of an ensemble of small multilayer perceptrons, and the arithmetic that
//! other networks are written in. Nothing here knows a problem.
//!
//! # Vocabulary
//!
//! - **Net**: one multilayer perceptron: dense layers, ReLU between them, plain logits at the end.
//! - **Ensemble**: `K` independent nets of one [`Shape`]. Their parameters are stacked: each layer has a weight
//!   `[K, in, out]` and a bias `[K, 1, out]`, row-major, which is how Burn stores them, so that they are borrowed as slices
//!   and never copied ([`Layer`], [`LayerView`]).
//! - **Panel**: sixteen samples side by side. Activations are laid out `[unit][sample of the panel]`: vectors run over
//!   samples, so odd layer widths need no padding and weights are read where they lie, one broadcast each.
//! - **Kernel**: the instruction set the arithmetic is compiled for, picked at run time ([`Kernel::detect`]).
//!
//! # Overview
//!
//! [`Trainer::step`] takes one step of Adam with every net, each on its own batch, nets in parallel over rayon.
//! [`NetTrainer::step`] takes one step with one net on the calling thread. [`Inference::forward`] computes the logits of all
//! nets on the same inputs. None of them allocates once its buffers have grown to the sizes in use.
//!
//! A net's results depend on the kernel, but never on the number of threads: a net's step runs on one thread, and the
//! logits of a row do not depend on other rows.
//!
//! ```
//! use model::kernels::{Adam, Ensemble, Head, Kernel, Layer, Samples, Shape, Trainer};
//!
//! let shape = Shape::new(2, &[3, 1]);
//! let (mut weight, mut bias) = (vec![0.1; 2 * 3], vec![0.0; 2]);
//! let mut moments = vec![0.0; 2 * (2 * 3 + 2)];
//! let (first, second) = moments.split_at_mut(8);
//! let (first_weight, first_bias) = first.split_at_mut(6);
//! let (second_weight, second_bias) = second.split_at_mut(6);
//! let mut ensemble = Ensemble::new(
//!     &shape,
//!     [Layer { weight: &mut weight, bias: &mut bias }],
//!     [Layer { weight: first_weight, bias: first_bias }],
//!     [Layer { weight: second_weight, bias: second_bias }],
//! );
//! let samples = Samples { inputs: &[1.0, 0.0, 0.0, 0.0, 1.0, 1.0], targets: &[1.0, 0.0] };
//! let indices = [0, 1, 1, 0, 1, 1]; // three samples for each net
//! let trainer = Trainer::new(shape, Head::Sigmoid, Kernel::detect());
//! let mut losses = [0.0; 2];
//! trainer.step(&mut ensemble, samples, &indices, &Adam::default(), 1, Some(&mut losses));
//! assert!(losses.iter().all(|&loss| loss > 0.0));
//! ```
//!
//! # Two systems of vectors
//!
//! `sim` adds up columns of `f64` with the crate `pulp`, at the vector width of the processor. These kernels need
//! vectors of exactly eight `f32`, register tiles that fit the number of registers, a transposition, and, where the
//! processor has it, a multiply-add that rounds once. One file of intrinsics and its portable twin provide all of
//! these. With them a network step takes 0.11 of the time of the same step in plain Burn, whose products use the crates
//! `gemm` and `macerator` (`docs/benchmarks.md`, "our network step / plain Burn's").
//!
//! # What it does not do
//!
//! It has no other activations, losses or optimisers, no weight decay and no gradient clipping, and it owns no parameters.
//!
//! # Unsafe code
//!
//! All unsafe code of the crate is in `avx2.rs`; `scripts/check_memory.sh` runs its tests under a memory checker.

mod adam;
#[cfg(target_arch = "x86_64")]
mod avx2;
pub(crate) mod buffers;
#[cfg(feature = "flex")]
pub(crate) mod crew;
pub(crate) mod dense;
mod gradient;
mod head;
mod inference;
pub(crate) mod kernel;
pub(crate) mod math;
pub(crate) mod panel;
mod parameters;
mod portable;
mod profile;
mod row;
mod shape;
mod trainer;
pub(crate) mod wide;

pub use adam::Adam;
#[cfg(target_arch = "x86_64")]
pub use avx2::Avx2;
pub use head::Head;
pub use inference::{Inference, PANEL_ROWS};
pub use kernel::Kernel;
pub use parameters::{Ensemble, Layer, LayerView, Net};
pub use profile::{Phase, Profile};
pub use shape::Shape;
#[cfg(feature = "flex")]
pub(crate) use trainer::batch_size;
pub use trainer::{NetTrainer, Samples, Trainer};
