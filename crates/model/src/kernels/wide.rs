//! Vectors with operators, so that arithmetic on them reads like arithmetic on numbers.
#![expect(clippy::inline_always, reason = "vectors must stay in registers of a function compiled for the kernel")]

use std::ops::{Add, Div, Mul, Sub};

use super::kernel::{Simd, VECTOR};

/// Eight numbers side by side.
#[derive(Clone, Copy)]
pub(crate) struct Wide<S: Simd> {
    simd: S,
    vector: S::Vector,
}

impl<S: Simd> Wide<S> {
    #[inline(always)]
    pub(crate) fn splat(simd: S, value: f32) -> Self {
        Self { simd, vector: simd.splat(value) }
    }

    #[inline(always)]
    pub(crate) fn load(simd: S, values: &[f32; VECTOR]) -> Self {
        Self { simd, vector: simd.load(values) }
    }

    #[inline(always)]
    pub(crate) fn store(self, values: &mut [f32; VECTOR]) {
        self.simd.store(self.vector, values);
    }

    #[inline(always)]
    pub(crate) fn max(self, other: Self) -> Self {
        Self { vector: self.simd.max(self.vector, other.vector), ..self }
    }

    #[inline(always)]
    pub(crate) fn min(self, other: Self) -> Self {
        Self { vector: self.simd.min(self.vector, other.vector), ..self }
    }

    #[inline(always)]
    pub(crate) fn abs(self) -> Self {
        self.max(Self::splat(self.simd, 0.0) - self)
    }

    /// `self * factor + term`.
    #[inline(always)]
    pub(crate) fn mul_add(self, factor: Self, term: Self) -> Self {
        Self { vector: self.simd.multiply_add(self.vector, factor.vector, term.vector), ..self }
    }

    /// `then` where this is less than `other`, else `otherwise`.
    #[inline(always)]
    pub(crate) fn where_less(self, other: Self, then: Self, otherwise: Self) -> Self {
        Self { vector: self.simd.where_less(self.vector, other.vector, then.vector, otherwise.vector), ..self }
    }

    /// Eight rows as eight columns, in place.
    #[inline(always)]
    pub(crate) fn transpose(simd: S, rows: &mut [Self; VECTOR]) {
        // Closures are functions of their own, which the compiler may not inline into the kernel's function.
        let mut vectors = [simd.splat(0.0); VECTOR];
        for (vector, row) in vectors.iter_mut().zip(&*rows) {
            *vector = row.vector;
        }
        for (row, vector) in rows.iter_mut().zip(simd.transpose(vectors)) {
            row.vector = vector;
        }
    }

    /// The sum of all eight.
    #[inline(always)]
    pub(crate) fn sum(self) -> f32 {
        let mut values = [0.0; VECTOR];
        self.store(&mut values);
        values.iter().sum()
    }
}

impl<S: Simd> Add for Wide<S> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self { vector: self.simd.add(self.vector, other.vector), ..self }
    }
}

impl<S: Simd> Sub for Wide<S> {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self { vector: self.simd.subtract(self.vector, other.vector), ..self }
    }
}

impl<S: Simd> Mul for Wide<S> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self { vector: self.simd.multiply(self.vector, other.vector), ..self }
    }
}

impl<S: Simd> Div for Wide<S> {
    type Output = Self;

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Self { vector: self.simd.divide(self.vector, other.vector), ..self }
    }
}
