//! The instruction sets, and the operations on vectors that all arithmetic is written in.

#[cfg(target_arch = "x86_64")]
use super::avx2::Avx2;
use super::portable::Portable;

/// Number of `f32` in a vector of [`Simd`].
pub(crate) const VECTOR: usize = 8;

/// The instruction set that the arithmetic runs on.
///
/// Results of different kernels differ by rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kernel {
    /// The instruction set that the crate was compiled for; runs everywhere.
    Portable,
    /// AVX2 with fused multiply-add; only [`Kernel::detect`] gives it.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
}

impl Kernel {
    /// The fastest kernel that this processor runs.
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = Avx2::detect() {
            return Self::Avx2(avx2);
        }
        Self::Portable
    }

    /// Runs a task on this kernel.
    pub(crate) fn run<T: Task>(self, task: T) -> T::Output {
        match self {
            Self::Portable => Portable.run(task),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.run(task),
        }
    }
}

/// Arithmetic that is compiled once for each kernel.
///
/// `run` and every function below it that computes must be `#[inline(always)]`, since only code inlined into
/// [`Simd::run`] is compiled for the kernel's instruction set.
pub(crate) trait Task {
    type Output;

    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// Vectors of eight `f32` and their operations.
pub(crate) trait Simd: Copy {
    type Vector: Copy;

    /// Largest number of rows of a register tile two vectors wide, 1 to 6.
    const TILE_ROWS: usize;
    /// Largest number of accumulators when one row is multiplied with a matrix, 1 to 10.
    const ROW_VECTORS: usize;
    /// Whether multiplication and addition round once.
    const FUSED: bool;

    /// Calls `task.run(self)` in a function compiled for this instruction set.
    fn run<T: Task>(self, task: T) -> T::Output;

    fn splat(self, value: f32) -> Self::Vector;
    fn load(self, values: &[f32; VECTOR]) -> Self::Vector;
    fn store(self, vector: Self::Vector, values: &mut [f32; VECTOR]);
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn subtract(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn multiply(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn divide(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a * b + c`.
    fn multiply_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// The larger value of each lane; no lane may be NaN.
    fn max(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The smaller value of each lane; no lane may be NaN.
    fn min(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `then` where `a < b`, else `otherwise`.
    fn where_less(self, a: Self::Vector, b: Self::Vector, then: Self::Vector, otherwise: Self::Vector) -> Self::Vector;
    fn square_root(self, a: Self::Vector) -> Self::Vector;
    /// `max(a, 0)`.
    fn relu(self, a: Self::Vector) -> Self::Vector;
    /// `a` where its magnitude is at least `least`, else 0; NaN stays NaN.
    fn flush(self, a: Self::Vector, least: Self::Vector) -> Self::Vector;
    /// `a` where `gate > 0`, else 0.
    fn where_positive(self, a: Self::Vector, gate: Self::Vector) -> Self::Vector;
    /// Rows to columns.
    fn transpose(self, rows: [Self::Vector; VECTOR]) -> [Self::Vector; VECTOR];
}
