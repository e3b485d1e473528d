//! Sites for tests.

use super::site::{Access, Machines, Site, SiteDevice, SiteLink, SiteParts, SiteServer};
use crate::random;
use crate::stream::{ArrivalProcess, MarkovRates, RateProcess, Sizes};
use crate::tasks::scenario::Tier;

/// What sites for tests differ in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) devices: usize,
    pub(crate) load: f64,
    pub(crate) is_mixed: bool,
    pub(crate) has_bursts: bool,
    pub(crate) changes: bool,
}

impl Setting {
    pub(crate) const EVEN: Self = Self { devices: 3, load: 0.8, is_mixed: false, has_bursts: false, changes: false };

    pub(crate) fn parts(self, seed: u64) -> SiteParts {
        let mut random = random::stream(seed, "test site");
        let mut factor = || if self.is_mixed { 4.0_f64.powf(random::unit(&mut random) - 0.5) } else { 1.0 };
        let link = |bytes_per_s: f64| SiteLink::free(RateProcess::Constant(bytes_per_s));
        let devices: Vec<SiteDevice> = (0..self.devices)
            .map(|_| SiteDevice {
                arrivals_per_s: factor(),
                s_per_byte: 10e-6 * factor(),
                j_per_byte: 3e-6,
                uplink: Some(link(62.5e6)),
            })
            .collect();
        let cloud_links = (0..self.devices)
            .map(|_| {
                if self.changes {
                    let chain = MarkovRates::new(&[187_500.0, 1_312_500.0], &[90.0, 90.0], None).expect("valid");
                    SiteLink::free(RateProcess::Markov(chain))
                } else {
                    link(750_000.0 * factor())
                }
            })
            .collect();
        let process = if self.has_bursts {
            ArrivalProcess::bursts(&[0.5, 2.5], &[600.0, 200.0])
        } else {
            ArrivalProcess::Poisson
        };
        let server = |name: &str, tier, s_per_byte, j_per_byte, machines, access| SiteServer {
            name: name.to_owned(),
            tier,
            s_per_byte,
            j_per_byte,
            machines,
            access,
            latency_s: 0.0,
        };
        SiteParts {
            alpha: 0.5,
            servers: vec![
                server("edge", Tier::Edge, 5e-6 / self.devices as f64, 1.5e-6, Machines::Shared, Access::Uplink),
                server("cloud", Tier::Cloud, 1e-6, 1e-6, Machines::Unlimited, Access::Own(cloud_links)),
            ],
            devices,
            process,
            sizes: if self.is_mixed {
                Sizes::LogUniform { min: 2e6, max: 60e6 }
            } else {
                Sizes::Uniform { min: 10e6, max: 30e6 }
            },
            deadline_s: f64::INFINITY,
            late_cost: 0.0,
        }
    }

    pub(crate) fn site(self, seed: u64) -> Site {
        Site::with_load(self.parts(seed), self.load).expect("a site that carries its tasks")
    }
}

/// A site of devices with a processor each, an edge that they share and links of their own to the cloud, whose service times for
/// 10, 20 and 30 MB are multiples of 10/3 s.
pub(crate) fn small_site(devices: usize, load: f64) -> Site {
    let mut parts = Setting { devices, ..Setting::EVEN }.parts(1);
    parts.sizes = Sizes::OneOf([10e6, 20e6, 30e6].into());
    parts.servers[0].s_per_byte = 5e-6 / 3.0;
    Site::with_load(parts, load).expect("a site that carries its tasks")
}
