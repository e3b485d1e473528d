//! Elementary functions without branches or calls, which the compiler vectorises over the samples of a panel.
#![expect(clippy::inline_always, reason = "loops over these functions vectorise only when they are inlined")]

use super::kernel::Simd;

/// `a * b + c`, rounded once where the kernel has an instruction for it.
#[inline(always)]
pub(super) fn multiply_add<S: Simd>(a: f32, b: f32, c: f32) -> f32 {
    if S::FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// `a` where its magnitude is at least `least`, else 0; NaN stays NaN.
#[inline(always)]
pub(super) fn flush(a: f32, least: f32) -> f32 {
    if a.abs() < least { 0.0 } else { a }
}

/// Horner's rule; coefficients from the highest power down.
#[inline(always)]
fn polynomial<S: Simd, const N: usize>(x: f32, coefficients: [f32; N]) -> f32 {
    let mut sum = coefficients[0];
    for &coefficient in &coefficients[1..] {
        sum = multiply_add::<S>(sum, x, coefficient);
    }
    sum
}

/// `exp(x)` for `x <= 0`, with a relative error below 3e-7. Results below `exp(-50)` are rounded up to it, so that products
/// with them stay normal numbers: some processors take a hundred times as long for subnormal ones.
///
/// `exp(x) = 2^n exp(r)` with `n` the integer nearest to `x / ln 2`; polynomial from Cephes' `expf`.
#[inline(always)]
pub(crate) fn exp_of_negative<S: Simd>(x: f32) -> f32 {
    /// Adding 1.5 * 2^23 leaves the nearest integer in the lowest bits of the sum.
    const ROUND: f32 = 12_582_912.0;
    /// `ln 2` in two parts, the first with so few bits that its multiples by `n` are exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    const LN_SMALLEST: f32 = -50.0;

    let x = if x < LN_SMALLEST { LN_SMALLEST } else { x };
    let shifted = multiply_add::<S>(x, std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = multiply_add::<S>(n, -LN_2_LOW, multiply_add::<S>(n, -LN_2_HIGH, x));
    let tail = polynomial::<S, 6>(r, [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5]);
    let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    multiply_add::<S>(tail, r * r, r + 1.0) * power
}

/// `ln(1 + x)` for `0 <= x <= 1`, with a relative error below 5e-7.
#[inline(always)]
pub(super) fn ln_one_plus<S: Simd>(x: f32) -> f32 {
    twice_inverse_tanh::<S>(x / (2.0 + x))
}

/// `ln(x)` for normal `x >= 1`, with a relative error below 5e-7.
#[inline(always)]
pub(super) fn ln<S: Simd>(x: f32) -> f32 {
    const SQUARE_ROOT_OF_HALF: u32 = 0x3F35_04F3;
    let exponent = x.to_bits().wrapping_sub(SQUARE_ROOT_OF_HALF).cast_signed() >> 23;
    let mantissa = f32::from_bits(x.to_bits().wrapping_sub((exponent << 23).cast_unsigned()));
    let ln_of_mantissa = twice_inverse_tanh::<S>((mantissa - 1.0) / (mantissa + 1.0));
    multiply_add::<S>(exponent as f32, std::f32::consts::LN_2, ln_of_mantissa)
}

/// `2 artanh(s) = ln((1 + s) / (1 - s))` for `|s| <= 1/3` by its Taylor series.
#[inline(always)]
fn twice_inverse_tanh<S: Simd>(s: f32) -> f32 {
    let square = s * s;
    let series = polynomial::<S, 8>(
        square,
        [2.0 / 15.0, 2.0 / 13.0, 2.0 / 11.0, 2.0 / 9.0, 2.0 / 7.0, 2.0 / 5.0, 2.0 / 3.0, 2.0],
    );
    s * series
}

#[cfg(test)]
mod tests {
    use super::super::portable::Portable;
    use super::*;

    fn largest_relative_error(range: (f64, f64), computed: fn(f32) -> f32, exact: fn(f64) -> f64) -> f64 {
        (0..=200_000)
            .map(|i| (range.0 + (range.1 - range.0) * f64::from(i) / 200_000.0) as f32)
            .filter(|&x| exact(f64::from(x)) != 0.0)
            .map(|x| (f64::from(computed(x)) / exact(f64::from(x)) - 1.0).abs())
            .fold(0.0, f64::max)
    }

    #[test]
    fn elementary_functions_are_accurate() {
        assert!(largest_relative_error((-50.0, 0.0), exp_of_negative::<Portable>, f64::exp) < 3e-7);
        assert!(largest_relative_error((0.0, 1.0), ln_one_plus::<Portable>, f64::ln_1p) < 5e-7);
        assert!(largest_relative_error((1.0, 50.0), ln::<Portable>, f64::ln) < 5e-7);
    }

    #[test]
    fn exponential_of_large_negative_numbers_is_tiny_and_of_nan_is_nan() {
        assert!(exp_of_negative::<Portable>(f32::NEG_INFINITY) < 2e-22);
        assert!(exp_of_negative::<Portable>(f32::NAN).is_nan());
    }
}
