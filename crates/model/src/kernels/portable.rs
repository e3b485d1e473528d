//! Vectors as arrays, which the compiler turns into the instructions that the crate is compiled for.
#![expect(clippy::inline_always, reason = "arrays as values are fast only when they stay in registers")]

use std::array::from_fn;

use super::kernel::{Simd, Task, VECTOR};
use super::math::{flush, multiply_add};

type Vector = [f32; VECTOR];

#[derive(Clone, Copy, Debug)]
pub(super) struct Portable;

impl Simd for Portable {
    type Vector = Vector;

    // A vector takes two 128-bit registers; x86-64 has 16 of these registers, and AArch64 has 32.
    const TILE_ROWS: usize = if cfg!(target_arch = "aarch64") { 6 } else { 2 };
    const ROW_VECTORS: usize = if cfg!(target_arch = "aarch64") { 10 } else { 6 };
    const FUSED: bool = cfg!(any(target_feature = "fma", target_arch = "aarch64"));

    #[inline]
    fn run<T: Task>(self, task: T) -> T::Output {
        task.run(self)
    }

    #[inline(always)]
    fn splat(self, value: f32) -> Vector {
        [value; VECTOR]
    }

    #[inline(always)]
    fn load(self, values: &Vector) -> Vector {
        *values
    }

    #[inline(always)]
    fn store(self, vector: Vector, values: &mut Vector) {
        *values = vector;
    }

    #[inline(always)]
    fn add(self, a: Vector, b: Vector) -> Vector {
        from_fn(|lane| a[lane] + b[lane])
    }

    #[inline(always)]
    fn subtract(self, a: Vector, b: Vector) -> Vector {
        from_fn(|lane| a[lane] - b[lane])
    }

    #[inline(always)]
    fn multiply(self, a: Vector, b: Vector) -> Vector {
        from_fn(|lane| a[lane] * b[lane])
    }

    #[inline(always)]
    fn divide(self, a: Vector, b: Vector) -> Vector {
        from_fn(|lane| a[lane] / b[lane])
    }

    #[inline(always)]
    fn multiply_add(self, a: Vector, b: Vector, c: Vector) -> Vector {
        from_fn(|lane| multiply_add::<Self>(a[lane], b[lane], c[lane]))
    }

    #[inline(always)]
    fn max(self, a: Vector, b: Vector) -> Vector {
        from_fn(|lane| if a[lane] > b[lane] { a[lane] } else { b[lane] })
    }

    #[inline(always)]
    fn min(self, a: Vector, b: Vector) -> Vector {
        from_fn(|lane| if a[lane] < b[lane] { a[lane] } else { b[lane] })
    }

    #[inline(always)]
    fn where_less(self, a: Vector, b: Vector, then: Vector, otherwise: Vector) -> Vector {
        from_fn(|lane| if a[lane] < b[lane] { then[lane] } else { otherwise[lane] })
    }

    #[inline(always)]
    fn square_root(self, a: Vector) -> Vector {
        a.map(f32::sqrt)
    }

    #[inline(always)]
    fn relu(self, a: Vector) -> Vector {
        a.map(|value| if value < 0.0 { 0.0 } else { value })
    }

    #[inline(always)]
    fn flush(self, a: Vector, least: Vector) -> Vector {
        from_fn(|lane| flush(a[lane], least[lane]))
    }

    #[inline(always)]
    fn where_positive(self, a: Vector, gate: Vector) -> Vector {
        from_fn(|lane| if gate[lane] > 0.0 { a[lane] } else { 0.0 })
    }

    #[inline(always)]
    fn transpose(self, rows: [Vector; VECTOR]) -> [Vector; VECTOR] {
        from_fn(|column| from_fn(|row| rows[row][column]))
    }
}
