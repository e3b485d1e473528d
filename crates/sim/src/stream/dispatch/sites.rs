//! Sites drawn at random, for networks that dispatch at any site.

use serde::{Deserialize, Serialize};

use super::settings::DispatchSetting;
use super::site::Site;
use crate::config::RangeUpTo;
use crate::random::{self, Stream};
use crate::stream::Sizes;

/// The most devices of a drawn site.
const MOST_DEVICES: usize = 1000;

crate::settings! {
    /// A distribution of sites: a [`DispatchSetting`] with random numbers.
    ///
    /// - The logarithm of the number of devices is evenly spread.
    /// - The load is between 0.35 and 0.97, 0.3 less where more than 0.7 would meet bursts.
    /// - Six in ten sites have devices that differ.
    /// - Sizes are even between 10 and 30 MB at four in ten sites; elsewhere logarithms are, with a largest size 5 to 200 times the
    ///   smallest one, around 12 MB.
    /// - Four in ten have bursts after calm times of 300 to 2,400 s; bursts last for a third of that.
    /// - At half of the sites the links to the cloud change, every 15 to 120 s.
    /// - At half of them the edge is up to twice as fast or as slow, and at one in five α is between 0.2 and 0.8.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct Sites {
        /// Fewest and most devices.
        pub devices: (usize, usize) = (1, 24), in RangeUpTo(MOST_DEVICES);
    }
}

impl Sites {
    /// Whether the range begins above 0 and does not end before it begins.
    pub fn is_valid(&self) -> bool {
        1 <= self.devices.0 && self.devices.0 <= self.devices.1 && self.devices.1 <= MOST_DEVICES
    }

    /// Draws a site.
    ///
    /// # Panics
    /// If the range of devices is not valid.
    pub fn draw(&self, random: &mut Stream) -> Site {
        let seed = random::below(random, usize::MAX) as u64;
        let mut unit = || random::unit(random);
        let (fewest, most) = (self.devices.0 as f64, self.devices.1 as f64 + 1.0);
        let devices = (fewest * (most / fewest).powf(unit())) as usize;
        let load = 0.35 + 0.62 * unit();
        let has_bursts = unit() < 0.4;
        let calm_s = 300.0 * 8.0_f64.powf(unit());
        let is_even = unit() < 0.4;
        let ratio = 5.0 * 40.0_f64.powf(unit());
        let smallest = 12e6 / ratio.sqrt();
        let is_mixed = unit() < 0.6;
        let changes = unit() < 0.5;
        let stay_s = 15.0 * 8.0_f64.powf(unit());
        let setting = DispatchSetting {
            name: "random".to_owned(),
            devices: devices.clamp(self.devices.0, self.devices.1),
            load: if has_bursts && load > 0.7 { load - 0.3 } else { load },
            is_mixed,
            sizes: if is_even {
                Sizes::Uniform { min: 10e6, max: 30e6 }
            } else {
                Sizes::LogUniform { min: smallest, max: smallest * ratio }
            },
            bursts_s: has_bursts.then_some([calm_s, calm_s / 3.0]),
            link_stay_s: changes.then_some(stay_s),
        };
        let mut parts = setting.parts(seed).expect("links stay at their rates for a while");
        if unit() < 0.5 {
            parts.servers[0].s_per_byte *= 4.0_f64.powf(unit() - 0.5);
        }
        if unit() < 0.2 {
            parts.alpha = 0.2 + 0.6 * unit();
        }
        Site::with_load(parts, setting.load).expect("a site that can carry its tasks")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::ArrivalProcess;

    #[test]
    fn drawn_sites_are_as_described() {
        let sites = Sites { devices: (2, 9) };
        let mut random = random::stream(1, "test/sites");
        let drawn: Vec<Site> = (0..400).map(|_| sites.draw(&mut random)).collect();
        assert!(drawn.iter().all(|site| (2..=9).contains(&site.devices()) && site.load() < 0.971));
        let bursty = drawn.iter().filter(|site| site.parts().process != ArrivalProcess::Poisson).count();
        assert!((120..200).contains(&bursty), "{bursty}");
        assert!([2, 5, 9].iter().all(|count| drawn.iter().any(|site| site.devices() == *count)));
        assert!(!Sites { devices: (0, 3) }.is_valid() && !Sites { devices: (3, 2) }.is_valid());
    }
}
