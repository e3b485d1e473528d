//! Sums over devices, vectors of them at a time.

use pulp::{Simd, WithSimd};

use super::parts::Waits;

/// Sums over devices have so many terms side by side, whatever the processor's vectors, so that all give the same.
pub(super) const LANES: usize = 8;

/// Sums up T_n, block by block of devices.
pub(super) struct Times<'a, const WIDTH: usize, const LINKS: bool> {
    pub(super) alone_s: &'a [f64],
    pub(super) compute_s: &'a [f64],
    pub(super) waits: &'a Waits<WIDTH>,
}

/// Sums up T_n and, for each server, what T_n would be if it kept everyone waiting for more.
pub(super) struct RaisedTimes<'a, const WIDTH: usize, const LINKS: bool> {
    pub(super) alone_s: &'a [f64],
    pub(super) compute_s: &'a [f64],
    pub(super) waits: &'a Waits<WIDTH>,
    pub(super) raised: &'a Waits<WIDTH>,
}

/// When the devices of one vector are done at a place.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
fn done<S: Simd, const LINKS: bool>(
    simd: S,
    alone: S::f64s,
    compute: S::f64s,
    links: S::f64s,
    shared: S::f64s,
) -> S::f64s {
    let done = if LINKS { simd.max_f64s(alone, simd.add_f64s(compute, links)) } else { alone };
    simd.add_f64s(done, shared)
}

impl<const WIDTH: usize, const LINKS: bool> WithSimd for Times<'_, WIDTH, LINKS> {
    type Output = f64;

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let columns = LANES / S::F64_LANES;
        let links = self.waits.links_s.map(|time| simd.splat_f64s(time));
        let shared = self.waits.shared_s.map(|time| simd.splat_f64s(time));
        let mut sums = [simd.splat_f64s(0.0); LANES];
        let blocks = S::as_simd_f64s(self.alone_s).0.chunks_exact(WIDTH * columns);
        for (alone, compute) in blocks.zip(S::as_simd_f64s(self.compute_s).0.chunks_exact(WIDTH * columns)) {
            for (column, sum) in sums.iter_mut().enumerate().take(columns) {
                let mut longest = simd.splat_f64s(0.0);
                for place in 0..WIDTH {
                    let index = place * columns + column;
                    let done = done::<S, LINKS>(simd, alone[index], compute[index], links[place], shared[place]);
                    longest = simd.max_f64s(longest, done);
                }
                *sum = simd.add_f64s(*sum, longest);
            }
        }
        add_up::<S>(sums)
    }
}

impl<const WIDTH: usize, const LINKS: bool> WithSimd for RaisedTimes<'_, WIDTH, LINKS> {
    type Output = [f64; WIDTH];

    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "several arrays have that index")]
    #[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
    fn with_simd<S: Simd>(self, simd: S) -> [f64; WIDTH] {
        let columns = LANES / S::F64_LANES;
        let links = self.waits.links_s.map(|time| simd.splat_f64s(time));
        let shared = self.waits.shared_s.map(|time| simd.splat_f64s(time));
        let raised_links = self.raised.links_s.map(|time| simd.splat_f64s(time));
        let raised_shared = self.raised.shared_s.map(|time| simd.splat_f64s(time));
        let mut sums = [[simd.splat_f64s(0.0); LANES]; WIDTH];
        let blocks = S::as_simd_f64s(self.alone_s).0.chunks_exact(WIDTH * columns);
        for (alone, compute) in blocks.zip(S::as_simd_f64s(self.compute_s).0.chunks_exact(WIDTH * columns)) {
            for column in 0..columns {
                let mut longest = simd.splat_f64s(0.0);
                for place in 0..WIDTH {
                    let index = place * columns + column;
                    let done = done::<S, LINKS>(simd, alone[index], compute[index], links[place], shared[place]);
                    longest = simd.max_f64s(longest, done);
                }
                sums[0][column] = simd.add_f64s(sums[0][column], longest);
                for place in 1..WIDTH {
                    let index = place * columns + column;
                    let (links, shared) = (raised_links[place], raised_shared[place]);
                    let done = done::<S, LINKS>(simd, alone[index], compute[index], links, shared);
                    sums[place][column] = simd.add_f64s(sums[place][column], simd.max_f64s(longest, done));
                }
            }
        }
        sums.map(|sums| add_up::<S>(sums))
    }
}

/// The sum of [`LANES`] columns, in the same order whatever the vectors.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
fn add_up<S: Simd>(sums: [S::f64s; LANES]) -> f64 {
    let mut lanes = [0.0; LANES];
    for (lanes, sum) in S::as_mut_simd_f64s(&mut lanes).0.iter_mut().zip(sums) {
        *lanes = sum;
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}
