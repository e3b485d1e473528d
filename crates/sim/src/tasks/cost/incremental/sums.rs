//! Sums over devices, vectors of them at a time.

use pulp::{Simd, WithSimd};

use super::parts::Waits;

/// The number of terms of sums over devices that are computed side by side. It does not depend on the processor's vectors,
/// so that all processors give the same result.
pub(super) const LANES: usize = 8;

/// Finds T_n of all devices and their sum, block by block of devices.
pub(super) struct LongestTimes<'a, const WIDTH: usize, const LINKS: bool> {
    pub(super) alone_s: &'a [f64],
    pub(super) compute_s: &'a [f64],
    pub(super) waits: &'a Waits<WIDTH>,
    pub(super) longest_s: &'a mut [f64],
}

/// Sums up T_n if devices waited as long as `waits` says at one of `places`, from T_n as it is.
pub(super) struct RaisedTimes<'a, const WIDTH: usize, const LINKS: bool> {
    pub(super) alone_s: &'a [f64],
    pub(super) compute_s: &'a [f64],
    pub(super) waits: &'a Waits<WIDTH>,
    pub(super) longest_s: &'a [f64],
    pub(super) places: &'a [u8],
    pub(super) sums_s: &'a mut [f64; WIDTH],
}

/// The times at which the devices of one vector are done at a place.
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

impl<const WIDTH: usize, const LINKS: bool> WithSimd for LongestTimes<'_, WIDTH, LINKS> {
    type Output = f64;

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let links = self.waits.links_s.map(|time| simd.splat_f64s(time));
        let shared = self.waits.shared_s.map(|time| simd.splat_f64s(time));
        let found = S::as_mut_simd_f64s(self.longest_s).0;
        let mut alone: [&[S::f64s]; WIDTH] = [&[]; WIDTH];
        let mut compute: [&[S::f64s]; WIDTH] = [&[]; WIDTH];
        for place in 0..WIDTH {
            alone[place] = row::<S>(self.alone_s, place, found.len());
            compute[place] = row::<S>(self.compute_s, place, found.len());
        }
        let mut sums = [simd.splat_f64s(0.0); LANES];
        let columns = LANES / S::F64_LANES;
        for (block, found) in found.chunks_exact_mut(columns).enumerate() {
            for column in 0..columns {
                let index = block * columns + column;
                let mut longest = simd.splat_f64s(0.0);
                for place in 0..WIDTH {
                    let (alone, compute) = (alone[place][index], compute[place][index]);
                    let done = done::<S, LINKS>(simd, alone, compute, links[place], shared[place]);
                    longest = simd.max_f64s(longest, done);
                }
                found[column] = longest;
                sums[column] = simd.add_f64s(sums[column], longest);
            }
        }
        add_up::<S>(sums)
    }
}

impl<const WIDTH: usize, const LINKS: bool> WithSimd for RaisedTimes<'_, WIDTH, LINKS> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
    fn with_simd<S: Simd>(self, simd: S) {
        let columns = LANES / S::F64_LANES;
        let longest = S::as_simd_f64s(self.longest_s).0;
        for &place in self.places {
            let place = usize::from(place);
            let links = simd.splat_f64s(self.waits.links_s[place]);
            let shared = simd.splat_f64s(self.waits.shared_s[place]);
            let alone = row::<S>(self.alone_s, place, longest.len());
            let compute = row::<S>(self.compute_s, place, longest.len());
            let mut sums = [simd.splat_f64s(0.0); LANES];
            let own = alone.chunks_exact(columns).zip(compute.chunks_exact(columns));
            for ((alone, compute), longest) in own.zip(longest.chunks_exact(columns)) {
                for column in 0..columns {
                    let done = done::<S, LINKS>(simd, alone[column], compute[column], links, shared);
                    sums[column] = simd.add_f64s(sums[column], simd.max_f64s(longest[column], done));
                }
            }
            self.sums_s[place] = add_up::<S>(sums);
        }
    }
}

/// The row of vectors of one place.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must end up in the function that is compiled for the vectors")]
fn row<S: Simd>(times_s: &[f64], place: usize, length: usize) -> &[S::f64s] {
    &S::as_simd_f64s(times_s).0[place * length..][..length]
}

/// The sum of [`LANES`] columns, in the same order on all processors.
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
