//! The cross-entropy (23) in Burn operations, and its gradient.

use burn::tensor::{Tensor, activation};

use crate::kernels::Head;

/// Each network's mean cross-entropy (23), in Burn operations that can be differentiated. Outputs whose target is
/// [`DONT_CARE`](crate::DONT_CARE) count 0; with [`Head::Softmax`] these are always all outputs of a task.
///
/// # Shapes
/// `logits` and `targets` are `[K, batch, outputs]`, the result is `[K]`.
///
/// # Panics
/// If the shapes differ, or the head does not fit the number of outputs.
pub fn cross_entropy(head: Head, logits: Tensor<3>, targets: Tensor<3>) -> Tensor<1> {
    let [networks, batch, outputs] = logits.dims();
    let (sum, terms) = match head {
        Head::Sigmoid => {
            let indifferent = targets.clone().lower_elem(0.0);
            let softplus = logits.clone().abs().neg().exp().log1p();
            let terms = activation::relu(logits.clone()) - logits * targets + softplus;
            (terms.mask_fill(indifferent, 0.0), batch * outputs)
        }
        Head::Softmax { classes } => {
            let groups = [networks, batch, outputs / classes, classes];
            let logarithms = activation::log_softmax(logits.reshape(groups), 3).reshape([networks, batch, outputs]);
            // Nothing is learned of a task whose targets are all 0.
            ((logarithms * targets.clamp_min(0.0)).neg(), batch * outputs / classes)
        }
    };
    sum.reshape([networks, batch * outputs]).sum_dim(1).reshape([networks]) / terms as f32
}

/// Derivative of each network's mean cross-entropy by its logits, `[K, batch, outputs]`.
pub(super) fn gradient(head: Head, logits: Tensor<3>, targets: Tensor<3>) -> Tensor<3> {
    let [networks, batch, outputs] = logits.dims();
    match head {
        Head::Sigmoid => {
            let indifferent = targets.clone().lower_elem(0.0);
            let error = activation::sigmoid(logits) - targets;
            error.mask_fill(indifferent, 0.0) / (batch * outputs) as f32
        }
        Head::Softmax { classes } => {
            let groups = [networks, batch, outputs / classes, classes];
            let indifferent = targets.clone().lower_elem(0.0);
            let probabilities = activation::softmax(logits.reshape(groups), 3);
            let error = probabilities.reshape([networks, batch, outputs]) - targets;
            error.mask_fill(indifferent, 0.0) / (batch * outputs / classes) as f32
        }
    }
}
