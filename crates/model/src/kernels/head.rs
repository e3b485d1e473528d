//! The loss, and its gradient with respect to the logits.
#![expect(clippy::inline_always, reason = "tasks must be inlined into a function compiled for the kernel")]

use super::kernel::{Simd, Task};
use super::math::{exp_of_negative, ln, ln_one_plus};
use super::panel::{Lanes, PANEL};

/// The meaning of the logits, and the loss that follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// Each output is a probability of its own. The loss is the binary cross-entropy, averaged over batch and outputs. An
    /// output with a negative target counts neither in the loss nor in the gradient; the divisor of the average stays batch
    /// times outputs.
    Sigmoid,
    /// Outputs form groups of `classes` outputs; one class is chosen from each group. The loss is the cross-entropy of
    /// each group's softmax with one-hot targets, averaged over batch and groups. A group whose first target is
    /// negative counts neither in the loss nor in the gradient.
    Softmax {
        /// Number of outputs in a group; divides the number of outputs.
        classes: usize,
    },
}

impl Head {
    /// Number of terms that the loss of one sample averages over.
    pub(super) fn terms(self, outputs: usize) -> usize {
        match self {
            Self::Sigmoid => outputs,
            Self::Softmax { classes } => outputs / classes,
        }
    }

    pub(super) fn check(self, outputs: usize) {
        if let Self::Softmax { classes } = self {
            assert!(
                classes > 0 && outputs.is_multiple_of(classes),
                "{outputs} outputs cannot be cut into groups of {classes} classes"
            );
        }
    }
}

/// Target of the lanes beyond the end of a batch, which count neither in the loss nor in the gradient.
pub(super) const PADDING_TARGET: f32 = -1.0;

/// Replaces logits by `scale` times the gradient of the summed loss, and adds the loss of each lane to `loss`.
///
/// # Shapes
///
/// `logits` and `targets` `[outputs][panel]`, `loss` `[panel]`.
pub(super) struct HeadGradient<'a> {
    pub(super) head: Head,
    pub(super) logits: &'a mut [Lanes],
    pub(super) targets: &'a [Lanes],
    pub(super) scale: f32,
    pub(super) loss: Option<&'a mut Lanes>,
}

impl Task for HeadGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, _: S) {
        match self.head {
            Head::Sigmoid => {
                for (logits, targets) in self.logits.iter_mut().zip(self.targets) {
                    sigmoid::<S>(logits, targets, self.scale, self.loss.as_deref_mut());
                }
            }
            Head::Softmax { classes } => {
                for (logits, targets) in self.logits.chunks_exact_mut(classes).zip(self.targets.chunks_exact(classes)) {
                    softmax::<S>(logits, targets, self.scale, self.loss.as_deref_mut());
                }
            }
        }
    }
}

#[inline(always)]
fn sigmoid<S: Simd>(logits: &mut Lanes, targets: &Lanes, scale: f32, loss: Option<&mut Lanes>) {
    if let Some(loss) = loss {
        for ((loss, &z), &y) in loss.values_mut().iter_mut().zip(logits.values()).zip(targets.values()) {
            // max(z, 0) - z y + ln(1 + exp(-|z|)): no exponential overflows, no logarithm of a rounded-off sum.
            let positive_part = if z < 0.0 { 0.0 } else { z };
            let term = positive_part - z * y + ln_one_plus::<S>(exp_of_negative::<S>(-z.abs()));
            *loss += if y < 0.0 { 0.0 } else { term };
        }
    }
    for (z, &y) in logits.values_mut().iter_mut().zip(targets.values()) {
        let exponential = exp_of_negative::<S>(-z.abs());
        let at_magnitude = 1.0 / (1.0 + exponential);
        let probability = if *z < 0.0 { exponential * at_magnitude } else { at_magnitude };
        let gradient = (probability - y) * scale;
        *z = if y < 0.0 { 0.0 } else { gradient };
    }
}

#[inline(always)]
fn softmax<S: Simd>(logits: &mut [Lanes], targets: &[Lanes], scale: f32, loss: Option<&mut Lanes>) {
    let mut largest = [f32::NEG_INFINITY; PANEL];
    for logits in &*logits {
        for (largest, &z) in largest.iter_mut().zip(logits.values()) {
            *largest = if z > *largest { z } else { *largest };
        }
    }
    let mut sum = [0.0; PANEL];
    let mut at_target = [0.0; PANEL];
    for (logits, targets) in logits.iter_mut().zip(targets) {
        let lanes = logits.values_mut().iter_mut().zip(targets.values());
        for (((z, &y), &largest), (sum, at_target)) in lanes.zip(&largest).zip(sum.iter_mut().zip(at_target.iter_mut()))
        {
            let below_largest = *z - largest;
            *at_target += y * below_largest;
            *z = exp_of_negative::<S>(below_largest);
            *sum += *z;
        }
    }
    let first_targets = targets[0].values();
    for (logits, targets) in logits.iter_mut().zip(targets) {
        for (((z, &y), &sum), &first) in
            logits.values_mut().iter_mut().zip(targets.values()).zip(&sum).zip(first_targets)
        {
            let gradient = (*z / sum - y) * scale;
            *z = if first < 0.0 { 0.0 } else { gradient };
        }
    }
    if let Some(loss) = loss {
        for (((loss, &sum), &at_target), &first) in
            loss.values_mut().iter_mut().zip(&sum).zip(&at_target).zip(first_targets)
        {
            let term = ln::<S>(sum) - at_target;
            *loss += if first < 0.0 { 0.0 } else { term };
        }
    }
}
