//! Vectors of AVX2 with fused multiply-add: the only file with unsafe code.
#![expect(unsafe_code, reason = "intrinsics read and write through pointers and need a processor that has them")]
#![expect(clippy::inline_always, reason = "intrinsics must end up in a function that is compiled for AVX2")]

use std::arch::x86_64::{
    __m256, _CMP_GT_OQ, _CMP_LT_OQ, _CMP_NLT_UQ, _mm256_add_ps, _mm256_and_ps, _mm256_andnot_ps, _mm256_blendv_ps,
    _mm256_cmp_ps, _mm256_div_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps,
    _mm256_permute2f128_ps, _mm256_set1_ps, _mm256_setzero_ps, _mm256_shuffle_ps, _mm256_sqrt_ps, _mm256_storeu_ps,
    _mm256_sub_ps, _mm256_unpackhi_ps, _mm256_unpacklo_ps,
};

use super::kernel::{Simd, Task, VECTOR};

/// Proof that this processor has AVX2 and FMA; only [`Kernel::detect`](super::Kernel::detect) makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx2(());

impl Avx2 {
    pub(super) fn detect() -> Option<Self> {
        // The standard library caches the answer.
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }
}

#[target_feature(enable = "avx2,fma")]
fn run_compiled_for_avx2<T: Task>(simd: Avx2, task: T) -> T::Output {
    task.run(simd)
}

impl Simd for Avx2 {
    type Vector = __m256;

    // 12 accumulators, 2 operands and 1 broadcast fill 15 of the 16 registers.
    const TILE_ROWS: usize = 6;
    const ROW_VECTORS: usize = 10;
    const FUSED: bool = true;

    #[inline]
    fn run<T: Task>(self, task: T) -> T::Output {
        // SAFETY: `self` proves that the processor has AVX2 and FMA.
        unsafe { run_compiled_for_avx2(self, task) }
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m256 {
        // SAFETY: `self` proves that the processor has AVX2 and FMA.
        unsafe { _mm256_set1_ps(value) }
    }

    #[inline(always)]
    fn load(self, values: &[f32; VECTOR]) -> __m256 {
        // SAFETY: `self` proves that the processor has AVX2 and FMA; the reference is valid for reading eight `f32`.
        unsafe { _mm256_loadu_ps(values.as_ptr()) }
    }

    #[inline(always)]
    fn store(self, vector: __m256, values: &mut [f32; VECTOR]) {
        // SAFETY: `self` proves that the processor has AVX2 and FMA; the reference is valid for writing eight `f32`.
        unsafe { _mm256_storeu_ps(values.as_mut_ptr(), vector) }
    }

    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has AVX2 and FMA.
        unsafe { _mm256_add_ps(a, b) }
    }

    #[inline(always)]
    fn subtract(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has AVX2 and FMA.
        unsafe { _mm256_sub_ps(a, b) }
    }

    #[inline(always)]
    fn multiply(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has AVX2 and FMA.
        unsafe { _mm256_mul_ps(a, b) }
    }

    #[inline(always)]
    fn divide(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has AVX2 and FMA.
        unsafe { _mm256_div_ps(a, b) }
    }

    #[inline(always)]
    fn multiply_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has AVX2 and FMA.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn max(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has AVX2 and FMA.
        unsafe { _mm256_max_ps(a, b) }
    }

    #[inline(always)]
    fn min(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has AVX2 and FMA.
        unsafe { _mm256_min_ps(a, b) }
    }

    #[inline(always)]
    fn where_less(self, a: __m256, b: __m256, then: __m256, otherwise: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has AVX2 and FMA.
        unsafe { _mm256_blendv_ps(otherwise, then, _mm256_cmp_ps::<_CMP_LT_OQ>(a, b)) }
    }

    #[inline(always)]
    fn square_root(self, a: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has AVX2 and FMA.
        unsafe { _mm256_sqrt_ps(a) }
    }

    #[inline(always)]
    fn relu(self, a: __m256) -> __m256 {
        // The instruction gives its second operand where one is NaN: a NaN stays one.
        // SAFETY: `self` proves that the processor has AVX2 and FMA.
        unsafe { _mm256_max_ps(_mm256_setzero_ps(), a) }
    }

    #[inline(always)]
    fn flush(self, a: __m256, least: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has AVX2 and FMA.
        unsafe {
            let magnitude = _mm256_andnot_ps(_mm256_set1_ps(-0.0), a);
            _mm256_and_ps(a, _mm256_cmp_ps::<_CMP_NLT_UQ>(magnitude, least))
        }
    }

    #[inline(always)]
    fn where_positive(self, a: __m256, gate: __m256) -> __m256 {
        // SAFETY: `self` proves that the processor has AVX2 and FMA.
        unsafe { _mm256_and_ps(a, _mm256_cmp_ps::<_CMP_GT_OQ>(gate, _mm256_setzero_ps())) }
    }

    #[inline(always)]
    fn transpose(self, rows: [__m256; VECTOR]) -> [__m256; VECTOR] {
        // SAFETY: `self` proves that the processor has AVX2 and FMA.
        unsafe { transpose(rows) }
    }
}

#[target_feature(enable = "avx2,fma")]
#[inline]
fn transpose(rows: [__m256; VECTOR]) -> [__m256; VECTOR] {
    // In each 128-bit half: pairs of rows interleaved, then pairs of pairs, which gives columns of four rows.
    let [a, b, c, d, e, f, g, h] = rows;
    let (ab_low, ab_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
    let (cd_low, cd_high) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
    let (ef_low, ef_high) = (_mm256_unpacklo_ps(e, f), _mm256_unpackhi_ps(e, f));
    let (gh_low, gh_high) = (_mm256_unpacklo_ps(g, h), _mm256_unpackhi_ps(g, h));
    let upper = [
        _mm256_shuffle_ps::<0x44>(ab_low, cd_low),
        _mm256_shuffle_ps::<0xEE>(ab_low, cd_low),
        _mm256_shuffle_ps::<0x44>(ab_high, cd_high),
        _mm256_shuffle_ps::<0xEE>(ab_high, cd_high),
    ];
    let lower = [
        _mm256_shuffle_ps::<0x44>(ef_low, gh_low),
        _mm256_shuffle_ps::<0xEE>(ef_low, gh_low),
        _mm256_shuffle_ps::<0x44>(ef_high, gh_high),
        _mm256_shuffle_ps::<0xEE>(ef_high, gh_high),
    ];
    // Columns 0 to 3 are in the low halves, columns 4 to 7 in the high halves.
    [
        _mm256_permute2f128_ps::<0x20>(upper[0], lower[0]),
        _mm256_permute2f128_ps::<0x20>(upper[1], lower[1]),
        _mm256_permute2f128_ps::<0x20>(upper[2], lower[2]),
        _mm256_permute2f128_ps::<0x20>(upper[3], lower[3]),
        _mm256_permute2f128_ps::<0x31>(upper[0], lower[0]),
        _mm256_permute2f128_ps::<0x31>(upper[1], lower[1]),
        _mm256_permute2f128_ps::<0x31>(upper[2], lower[2]),
        _mm256_permute2f128_ps::<0x31>(upper[3], lower[3]),
    ]
}
