//! Settings: sites by their number of devices, their load and what changes over time, on which schemes are compared.

use super::site::{Access, Machines, Site, SiteDevice, SiteError, SiteLink, SiteParts, SiteServer};
use crate::random::{self, Stream};
use crate::stream::{ArrivalProcess, MarkovRates, RateProcess, RatesError, Sizes};
use crate::tasks::scenario::Tier;

/// What a setting is.
///
/// Devices, the edge and the cloud have the rates of the scenario `shared-edge`: a device takes 10 s and 3 J for a MB, the edge
/// 5/N s and 1.5 J, with one queue for all N devices, the cloud 1 s and 1 J, where nobody waits. Uplinks to the edge have
/// 500 Mbit/s; each device has its own link of 6 Mbit/s to the cloud. Sending takes no energy, and α is 0.5.
#[derive(Debug, Clone, PartialEq)]
pub struct DispatchSetting {
    /// The name in tables.
    pub name: String,
    /// The number of devices, N.
    pub devices: usize,
    /// The load of the bottleneck, between 0 and 1.
    pub load: f64,
    /// Whether devices differ: their speeds and arrival rates, and links whose rates do not change, by a factor from 1/2 to 2.
    pub is_mixed: bool,
    /// The sizes of tasks.
    pub sizes: Sizes,
    /// The mean lengths of calm times and bursts, in seconds; `None`: a Poisson process. In bursts 5 times as many tasks arrive
    /// as in calm times.
    pub bursts_s: Option<[f64; 2]>,
    /// The mean time for which a link to the cloud stays at 1/4 or 7/4 of its mean rate, in seconds; `None`: it never changes.
    pub link_stay_s: Option<f64>,
}

/// Sizes between 10 and 30 MB, all equally likely.
const EVEN: Sizes = Sizes::Uniform { min: 10e6, max: 30e6 };
/// Sizes between 2 and 60 MB, logarithms equally likely.
const WIDE: Sizes = Sizes::LogUniform { min: 2e6, max: 60e6 };
/// Sizes between 1 and 200 MB, logarithms equally likely.
const VERY_WIDE: Sizes = Sizes::LogUniform { min: 1e6, max: 200e6 };
/// Bursts of 200 s after calm times of 600 s.
const SHORT_BURSTS: Option<[f64; 2]> = Some([600.0, 200.0]);
/// Bursts of 600 s after calm times of 1,800 s.
const LONG_BURSTS: Option<[f64; 2]> = Some([1_800.0, 600.0]);

impl DispatchSetting {
    /// Even devices that are served with a load.
    fn even(devices: usize, load: f64) -> Self {
        let name = format!("N{devices} ρ{load} even");
        Self { name, devices, load, is_mixed: false, sizes: EVEN, bursts_s: None, link_stay_s: None }
    }

    /// Mixed devices with wide sizes.
    fn mixed(devices: usize, load: f64, what: &str) -> Self {
        let name = format!("N{devices} ρ{load} {what}");
        Self { name, is_mixed: true, sizes: WIDE, ..Self::even(devices, load) }
    }

    /// The 16 settings on which schemes are compared.
    pub fn all() -> Vec<Self> {
        let changing = |setting: Self, stay_s: f64| Self { link_stay_s: Some(stay_s), ..setting };
        let bursts = |setting: Self, bursts_s: Option<[f64; 2]>| Self { bursts_s, ..setting };
        vec![
            Self::even(3, 0.5),
            Self::even(3, 0.8),
            Self::even(3, 0.9),
            Self::even(3, 0.95),
            Self::mixed(10, 0.5, "mixed"),
            Self::mixed(10, 0.8, "mixed"),
            Self::mixed(10, 0.9, "mixed"),
            Self::mixed(30, 0.8, "mixed"),
            Self::mixed(30, 0.9, "mixed"),
            bursts(Self::mixed(10, 0.6, "bursts"), SHORT_BURSTS),
            bursts(Self::mixed(30, 0.6, "bursts"), SHORT_BURSTS),
            bursts(Self::mixed(10, 0.6, "long bursts"), LONG_BURSTS),
            changing(Self::mixed(10, 0.8, "slow links"), 90.0),
            changing(Self::mixed(10, 0.8, "fast links"), 20.0),
            Self { sizes: VERY_WIDE, ..Self::mixed(10, 0.8, "very wide sizes") },
            changing(bursts(Self::mixed(10, 0.6, "bursts, slow links"), SHORT_BURSTS), 90.0),
        ]
    }

    /// A random setting: 2 to 12 devices, loads from 0.4 to 0.95, half of them mixed, and of even or wide sizes; 4 of 10 with
    /// bursts (a load above 0.75 is lowered by 0.25 then), 6 of 10 with links that change every 90 s.
    pub fn random(random: &mut Stream) -> Self {
        let mut unit = || random::unit(random);
        let devices = 2 + (11.0 * unit()) as usize;
        let load = 0.4 + 0.55 * unit();
        let has_bursts = unit() < 0.4;
        Self {
            name: "random".to_owned(),
            devices,
            load: if has_bursts && load > 0.75 { load - 0.25 } else { load },
            is_mixed: unit() < 0.5,
            sizes: if unit() < 0.5 { EVEN } else { WIDE },
            bursts_s: if has_bursts { SHORT_BURSTS } else { None },
            link_stay_s: (unit() < 0.6).then_some(90.0),
        }
    }

    /// What a site of this setting consists of; the arrival rates of its devices have no unit yet. Mixed devices are drawn from
    /// the seed.
    ///
    /// # Errors
    /// If links would stay at a rate for no time.
    pub fn parts(&self, seed: u64) -> Result<SiteParts, RatesError> {
        let mut random = random::stream(seed, "dispatch/setting");
        let mut factor = || if self.is_mixed { 4.0_f64.powf(random::unit(&mut random) - 0.5) } else { 1.0 };
        let mut devices = Vec::with_capacity(self.devices);
        let mut cloud_links = Vec::with_capacity(self.devices);
        for _ in 0..self.devices {
            devices.push(SiteDevice {
                s_per_byte: 10e-6 * factor(),
                arrivals_per_s: factor(),
                j_per_byte: 3e-6,
                uplink: Some(SiteLink::free(RateProcess::Constant(62.5e6))),
            });
            let bytes_per_s = 750e3;
            cloud_links.push(SiteLink::free(match self.link_stay_s {
                None => RateProcess::Constant(bytes_per_s * factor()),
                Some(stay_s) => {
                    let rates = [0.25 * bytes_per_s, 1.75 * bytes_per_s];
                    RateProcess::Markov(MarkovRates::new(&rates, &[stay_s; 2], None)?)
                }
            }));
        }
        let server = |name: &str, tier, s_per_byte, j_per_byte, machines, access| SiteServer {
            name: name.to_owned(),
            tier,
            s_per_byte,
            j_per_byte,
            machines,
            access,
            latency_s: 0.0,
        };
        Ok(SiteParts {
            alpha: 0.5,
            servers: vec![
                server("edge", Tier::Edge, 5e-6 / self.devices as f64, 1.5e-6, Machines::Shared, Access::Uplink),
                server("cloud", Tier::Cloud, 1e-6, 1e-6, Machines::Unlimited, Access::Own(cloud_links)),
            ],
            devices,
            process: match self.bursts_s {
                None => ArrivalProcess::Poisson,
                Some(stays_s) => ArrivalProcess::bursts(&[0.5, 2.5], &stays_s),
            },
            sizes: self.sizes.clone(),
            deadline_s: f64::INFINITY,
            late_cost: 0.0,
        })
    }

    /// A site of this setting.
    ///
    /// # Errors
    /// If a number of the setting makes no sense.
    pub fn site(&self, seed: u64) -> Result<Site, SettingError> {
        Ok(Site::with_load(self.parts(seed)?, self.load)?)
    }
}

/// A site of one or two devices whose optimum value iteration finds. Sizes are 10, 20 and 30 MB. One device has a processor of its
/// own, a machine at the edge and a link to the cloud. Two devices share the edge and have a link each; their own processors are
/// not used.
///
/// # Panics
/// If the load is not between 0 and 1, or there is no device.
pub fn small_site(devices: usize, load: f64) -> Site {
    let free = |bytes_per_s| SiteLink::free(RateProcess::Constant(bytes_per_s));
    // What two devices do not use takes so long that no scheme takes it.
    let s_per_byte = if devices == 1 { 10e-6 } else { 1.0 };
    let server = |name: &str, tier, s_per_byte, j_per_byte, machines, access| SiteServer {
        name: name.to_owned(),
        tier,
        s_per_byte,
        j_per_byte,
        machines,
        access,
        latency_s: 0.0,
    };
    let capacity = 0.6e6 + devices as f64 * 0.75e6 + if devices == 1 { 0.1e6 } else { 0.0 };
    let device = SiteDevice {
        arrivals_per_s: load * capacity / 20e6 / devices as f64,
        s_per_byte,
        j_per_byte: 3e-6,
        uplink: Some(free(62.5e6)),
    };
    let parts = SiteParts {
        alpha: 0.5,
        devices: vec![device; devices],
        servers: vec![
            server("edge", Tier::Edge, 5e-6 / 3.0, 1.5e-6, Machines::Shared, Access::Uplink),
            server("cloud", Tier::Cloud, 1e-6, 1e-6, Machines::Unlimited, Access::Own(vec![free(0.75e6)])),
        ],
        process: ArrivalProcess::Poisson,
        sizes: Sizes::OneOf([10e6, 20e6, 30e6].into()),
        deadline_s: f64::INFINITY,
        late_cost: 0.0,
    };
    Site::new(parts).expect("a site that carries its tasks")
}

/// Why a setting makes no sense.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SettingError {
    /// The rates of its links make no sense.
    #[error(transparent)]
    Rates(#[from] RatesError),
    /// Its site makes no sense.
    #[error(transparent)]
    Site(#[from] SiteError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_settings_have_the_load_that_they_name() {
        let settings = DispatchSetting::all();
        assert_eq!(settings.len(), 16);
        for setting in settings {
            let site = setting.site(1).expect("it makes sense");
            assert!((site.load() - setting.load).abs() < 1e-9, "{setting:?}");
            assert_eq!(site.devices(), setting.devices);
            let names = setting.name.split_once(' ').expect("a name").0.to_owned();
            assert_eq!(names, format!("N{}", setting.devices));
        }
    }

    #[test]
    fn mixed_devices_are_others_for_another_seed_and_even_ones_are_not() {
        let even = DispatchSetting::even(3, 0.5);
        assert_eq!(even.parts(1), even.parts(2));
        let mixed = DispatchSetting::mixed(3, 0.5, "mixed");
        assert_eq!(mixed.parts(1), mixed.parts(1));
        assert_ne!(mixed.parts(1), mixed.parts(2));
        assert!(DispatchSetting { link_stay_s: Some(0.0), ..mixed }.site(1).is_err());
    }
}
