//! Sites: devices, servers and links with their queues.

use std::sync::{Arc, OnceLock};

use super::loads;
use super::send_times::SendTimes;
use super::split::StaticSplit;
use crate::limits::MAX_SERVERS;
use crate::stream::{ArrivalProcess, RateProcess, Sizes};

/// The name of the place where a task runs on its own device.
pub const LOCAL: &str = "local";

/// The most devices of a site.
pub const MAX_SITE_DEVICES: usize = 10_000;

/// What a site consists of, in SI units. [`Site::new`] checks it.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteParts {
    /// Weight of energy against time: the cost of a task is α times its energy in J plus 1 − α times its response time in s.
    pub alpha: f64,
    /// The devices, at least one.
    pub devices: Vec<SiteDevice>,
    /// The servers.
    pub servers: Vec<SiteServer>,
    /// How arrivals are spread over time.
    pub process: ArrivalProcess,
    /// The distribution of sizes in bytes.
    pub sizes: Sizes,
    /// The time from its arrival within which a task is to be done; infinite where there is none.
    pub deadline_s: f64,
    /// What a task that is done later costs in addition.
    pub late_cost: f64,
}

/// A device: it has a processor with a queue of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteDevice {
    /// The mean number of tasks that arrive in a second.
    pub arrivals_per_s: f64,
    /// The time that its processor takes for a byte.
    pub s_per_byte: f64,
    /// The energy that its processor takes for a byte.
    pub j_per_byte: f64,
    /// The link to all servers that name none of their own; `None`: nothing can be sent there.
    pub uplink: Option<SiteLink>,
}

/// A link. Tasks wait for it in a queue, first come, first served.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteLink {
    /// Its rate in bytes per second.
    pub rates: RateProcess,
    /// The power of the device while it sends.
    pub send_w: f64,
    /// The energy to send one byte, in addition.
    pub j_per_byte: f64,
    /// The power of the radio while it stays on after a transmission.
    pub tail_w: f64,
    /// The longest time that it stays on.
    pub tail_s: f64,
}

impl SiteLink {
    /// A link that costs no energy.
    pub fn free(rates: RateProcess) -> Self {
        Self { rates, send_w: 0.0, j_per_byte: 0.0, tail_w: 0.0, tail_s: 0.0 }
    }
}

/// A server.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteServer {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub tier: crate::tasks::scenario::Tier,
    /// The time that it takes for a byte; infinite: it is down.
    pub s_per_byte: f64,
    /// The energy that it takes for a byte.
    pub j_per_byte: f64,
    /// Who waits for whom.
    pub machines: Machines,
    /// How tasks get there.
    pub access: Access,
    /// The time that every task takes in addition.
    pub latency_s: f64,
}

/// Who waits for whom at a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machines {
    /// One machine for all devices, with one queue.
    Shared,
    /// A machine for each device, each with its queue.
    Dedicated,
    /// A machine for every task: nobody waits.
    Unlimited,
}

/// How tasks get to a server.
#[derive(Debug, Clone, PartialEq)]
pub enum Access {
    /// Over each device's uplink, together with everything else that is sent there.
    Uplink,
    /// Over a link of its own for each device; one is given for all devices, or one for each.
    Own(Vec<SiteLink>),
    /// Over one link that all devices share.
    Shared(SiteLink),
}

/// Why a site makes no sense.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SiteError {
    /// There is no device, or there are too many.
    #[error("a site has 1 to {MAX_SITE_DEVICES} devices, this one {0}")]
    Devices(usize),
    /// There are too many servers.
    #[error("a site has at most {MAX_SERVERS} servers, this one {0}")]
    Servers(usize),
    /// A value makes no sense.
    #[error("{what} must be {wanted}, is {value}")]
    Value {
        /// Whose value.
        what: String,
        /// What it may be.
        wanted: &'static str,
        /// What it is.
        value: f64,
    },
    /// A server has links for another number of devices.
    #[error(
        "the server `{server}` has {links} links, but there are {devices} devices; it needs one for all of them or one for each"
    )]
    Links {
        /// The server.
        server: String,
        /// The number of its links.
        links: usize,
        /// The number of devices.
        devices: usize,
    },
    /// More work arrives than can be carried.
    #[error("the site cannot carry its tasks: however they are placed, {} is asked for {load:.3} of what it can do; queues would grow for ever above 1. Fewer tasks, smaller tasks or faster servers would be carried", bottlenecks.join(", "))]
    Overloaded {
        /// The load of the bottleneck.
        load: f64,
        /// The queues that limit the site.
        bottlenecks: Vec<String>,
    },
}

/// A checked site.
///
/// Every queue serves first come, first served. A task that is sent goes through the queue of a link and then, unless the
/// server has machines without limit, through the queue of a machine.
#[derive(Debug, Clone)]
pub struct Site {
    pub(super) parts: SiteParts,
    pub(super) queues: Vec<Queue>,
    /// `[devices, places]`.
    pub(super) routes: Vec<Route>,
    pub(super) load: f64,
    split: OnceLock<Arc<StaticSplit>>,
}

/// A queue of a site: a processor or a link.
#[derive(Debug, Clone)]
pub struct Queue {
    /// The name, such as `device 3`, `edge` or `link of device 3 to cloud`.
    pub name: String,
    /// What serves there.
    pub kind: QueueKind,
    /// The time that a byte takes; on a link whose rate changes at its mean rate.
    pub s_per_byte: f64,
    pub(super) link: Option<Arc<LinkDetails>>,
}

/// What serves in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QueueKind {
    /// The processor of a device.
    Device,
    /// A link to a server at the edge, or an uplink.
    EdgeLink,
    /// A link to the cloud.
    CloudLink,
    /// A machine at the edge.
    Edge,
    /// A machine in the cloud.
    Cloud,
}

/// A link, and where its rate changes what is expected of it.
#[derive(Debug, Clone)]
pub(super) struct LinkDetails {
    pub(super) link: SiteLink,
    /// `None`: the rate never changes.
    pub(super) times: Option<SendTimes>,
}

/// The number of no queue.
pub(super) const NO_QUEUE: u32 = u32::MAX;

/// How a task of one device gets to one place and is done there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Route {
    pub(super) is_usable: bool,
    /// The link, or [`NO_QUEUE`].
    pub(super) link: u32,
    /// The machine, or [`NO_QUEUE`].
    pub(super) machine: u32,
    /// The time per byte of the link at its mean rate; 0 without one.
    pub(super) link_s_per_byte: f64,
    pub(super) machine_s_per_byte: f64,
    pub(super) latency_s: f64,
    /// Energy per byte but for the time that sending takes.
    pub(super) j_per_byte: f64,
    pub(super) send_w: f64,
    /// Whether the machine is reached by tasks of this link alone, so that they come in the order in which they were sent.
    pub(super) is_in_order: bool,
}

impl Site {
    /// Checks a site and makes its queues.
    ///
    /// # Errors
    /// If a value makes no sense, or more work arrives than the site can carry.
    pub fn new(parts: SiteParts) -> Result<Self, SiteError> {
        let site = Self::unloaded(parts)?;
        if site.load >= 1.0 {
            return Err(SiteError::Overloaded { load: site.load, bottlenecks: loads::bottlenecks(&site) });
        }
        Ok(site)
    }

    /// As [`Site::new`], with the arrivals of all devices scaled so that the bottleneck has the given load, between 0 and 1.
    ///
    /// # Errors
    /// As [`Site::new`].
    pub fn with_load(mut parts: SiteParts, load: f64) -> Result<Self, SiteError> {
        let site = Self::unloaded(parts.clone())?;
        for device in &mut parts.devices {
            device.arrivals_per_s *= load / site.load;
        }
        Self::new(parts)
    }

    pub(super) fn unloaded(parts: SiteParts) -> Result<Self, SiteError> {
        check(&parts)?;
        let mut queues = Vec::new();
        let routes = routes(&parts, &mut queues);
        let mut site = Self { parts, queues, routes, load: 0.0, split: OnceLock::new() };
        site.load = loads::bottleneck_load(&site);
        Ok(site)
    }

    /// What the site consists of.
    pub fn parts(&self) -> &SiteParts {
        &self.parts
    }

    /// The number of devices.
    pub fn devices(&self) -> usize {
        self.parts.devices.len()
    }

    /// The number of places at which a task can run: its device and every server.
    pub fn places(&self) -> usize {
        self.parts.servers.len() + 1
    }

    /// The name of a place: 0 is the device of the task, j + 1 is server j.
    pub fn place_name(&self, place: usize) -> &str {
        if place == 0 { LOCAL } else { &self.parts.servers[place - 1].name }
    }

    /// The place of a name.
    pub fn place(&self, name: &str) -> Option<usize> {
        (0..self.places()).find(|place| self.place_name(*place) == name)
    }

    /// Whether tasks of a device can run at a place.
    pub fn is_usable(&self, device: usize, place: usize) -> bool {
        self.route(device, place).is_usable
    }

    /// All queues.
    pub fn queues(&self) -> &[Queue] {
        &self.queues
    }

    /// The queues that a task of a device waits in on its way through a place: that of a link and that of a machine.
    pub fn queues_of(&self, device: usize, place: usize) -> [Option<usize>; 2] {
        let route = self.route(device, place);
        [route.link, route.machine].map(|queue| (queue != NO_QUEUE).then_some(queue as usize))
    }

    /// The smallest utilisation that the busiest queue can have: work is placed so that no queue has a higher one than
    /// needed. Below 1 the site carries its tasks, if they are placed well.
    pub fn load(&self) -> f64 {
        self.load
    }

    /// The best static split. It is computed when it is asked for first, and then kept.
    pub fn static_split(&self) -> &StaticSplit {
        self.split.get_or_init(|| Arc::new(StaticSplit::of(self)))
    }

    /// The mean number of tasks that arrive in a second at all devices together.
    pub fn arrivals_per_s(&self) -> f64 {
        self.parts.devices.iter().map(|device| device.arrivals_per_s).sum()
    }

    /// A task of the mean size on a device of the mean speed takes this time: a unit of time that fits the site.
    pub fn time_unit_s(&self) -> f64 {
        let devices = &self.parts.devices;
        let mean = devices.iter().map(|device| device.s_per_byte).sum::<f64>() / devices.len() as f64;
        mean * self.parts.sizes.mean()
    }

    pub(super) fn route(&self, device: usize, place: usize) -> &Route {
        &self.routes[device * self.places() + place]
    }

    pub(super) fn routes_of(&self, device: usize) -> &[Route] {
        let places = self.places();
        &self.routes[device * places..][..places]
    }
}

fn check(parts: &SiteParts) -> Result<(), SiteError> {
    let devices = parts.devices.len();
    if devices == 0 || devices > MAX_SITE_DEVICES {
        return Err(SiteError::Devices(devices));
    }
    if parts.servers.len() > MAX_SERVERS {
        return Err(SiteError::Servers(parts.servers.len()));
    }
    let within = |what: &str, wanted: &'static str, value: f64, fits: bool| {
        if fits { Ok(()) } else { Err(SiteError::Value { what: what.to_owned(), wanted, value }) }
    };
    let positive =
        |what: &str, value: f64| within(what, "a number greater than 0", value, value > 0.0 && value.is_finite());
    let from_zero =
        |what: &str, value: f64| within(what, "a number not below 0", value, value >= 0.0 && value.is_finite());
    let check_link = |name: &str, link: &SiteLink| {
        positive(&format!("the mean rate of {name}"), link.rates.mean_bytes_per_s())?;
        from_zero(&format!("the sending power on {name}"), link.send_w)?;
        from_zero(&format!("the energy per byte on {name}"), link.j_per_byte)?;
        from_zero(&format!("the power after sending on {name}"), link.tail_w)?;
        from_zero(&format!("the time after sending on {name}"), link.tail_s)
    };
    within("alpha", "between 0 and 1", parts.alpha, (0.0..=1.0).contains(&parts.alpha))?;
    positive("the mean size", parts.sizes.mean())?;
    within("the deadline", "greater than 0", parts.deadline_s, parts.deadline_s > 0.0)?;
    from_zero("the cost of a late task", parts.late_cost)?;
    for (index, device) in parts.devices.iter().enumerate() {
        positive(&format!("the arrival rate of device {index}"), device.arrivals_per_s)?;
        positive(&format!("the time per byte of device {index}"), device.s_per_byte)?;
        from_zero(&format!("the energy per byte of device {index}"), device.j_per_byte)?;
        if let Some(link) = &device.uplink {
            check_link(&format!("the uplink of device {index}"), link)?;
        }
    }
    for server in &parts.servers {
        let name = &server.name;
        within(&format!("the time per byte of {name}"), "greater than 0", server.s_per_byte, server.s_per_byte > 0.0)?;
        from_zero(&format!("the energy per byte of {name}"), server.j_per_byte)?;
        from_zero(&format!("the latency of {name}"), server.latency_s)?;
        match &server.access {
            Access::Uplink => {}
            Access::Shared(link) => check_link(&format!("the link to {name}"), link)?,
            Access::Own(links) if links.len() == 1 || links.len() == devices => {
                links.iter().try_for_each(|link| check_link(&format!("the link to {name}"), link))?;
            }
            Access::Own(links) => {
                return Err(SiteError::Links { server: name.clone(), links: links.len(), devices });
            }
        }
    }
    Ok(())
}

/// Makes all queues, and the routes `[devices, places]`.
fn routes(parts: &SiteParts, queues: &mut Vec<Queue>) -> Vec<Route> {
    use crate::tasks::scenario::Tier;
    let devices = parts.devices.len();
    let places = parts.servers.len() + 1;
    let nowhere = Route {
        is_usable: false,
        link: NO_QUEUE,
        machine: NO_QUEUE,
        link_s_per_byte: 0.0,
        machine_s_per_byte: 0.0,
        latency_s: 0.0,
        j_per_byte: 0.0,
        send_w: 0.0,
        is_in_order: true,
    };
    let mut routes = vec![nowhere; devices * places];
    for (device, part) in parts.devices.iter().enumerate() {
        let machine = push(queues, format!("device {device}"), QueueKind::Device, part.s_per_byte);
        routes[device * places] = Route {
            is_usable: true,
            machine,
            machine_s_per_byte: part.s_per_byte,
            j_per_byte: part.j_per_byte,
            ..nowhere
        };
    }
    let mut details: Vec<Arc<LinkDetails>> = Vec::new();
    let mut push_link = |queues: &mut Vec<Queue>, name: String, kind: QueueKind, link: &SiteLink| {
        // Links that are alike share their table of times.
        let known = details.iter().find(|known| known.link == *link).cloned();
        let shared = known.unwrap_or_else(|| {
            let made = Arc::new(LinkDetails { link: link.clone(), times: SendTimes::of(&link.rates, &parts.sizes) });
            details.push(made.clone());
            made
        });
        let queue = push(queues, name, kind, 1.0 / link.rates.mean_bytes_per_s());
        queues[queue as usize].link = Some(shared);
        queue
    };
    let uplinks: Vec<u32> = parts
        .devices
        .iter()
        .enumerate()
        .map(|(device, part)| {
            let is_used = parts.servers.iter().any(|server| server.access == Access::Uplink);
            match &part.uplink {
                Some(link) if is_used => {
                    push_link(queues, format!("uplink of device {device}"), QueueKind::EdgeLink, link)
                }
                _ => NO_QUEUE,
            }
        })
        .collect();
    for (index, server) in parts.servers.iter().enumerate() {
        let (link_kind, machine_kind) = match server.tier {
            Tier::Edge => (QueueKind::EdgeLink, QueueKind::Edge),
            Tier::Cloud => (QueueKind::CloudLink, QueueKind::Cloud),
        };
        let name = &server.name;
        let links: Vec<u32> = match &server.access {
            Access::Uplink => uplinks.clone(),
            Access::Shared(link) => {
                vec![push_link(queues, format!("link to {name}"), link_kind, link); devices]
            }
            Access::Own(own) => (0..devices)
                .map(|device| {
                    let link = if own.len() == 1 { &own[0] } else { &own[device] };
                    push_link(queues, format!("link of device {device} to {name}"), link_kind, link)
                })
                .collect(),
        };
        let machines: Vec<u32> = match server.machines {
            Machines::Shared => vec![push(queues, name.clone(), machine_kind, server.s_per_byte); devices],
            Machines::Dedicated => (0..devices)
                .map(|device| push(queues, format!("{name} for device {device}"), machine_kind, server.s_per_byte))
                .collect(),
            Machines::Unlimited => vec![NO_QUEUE; devices],
        };
        for device in 0..devices {
            let link = links[device];
            if link == NO_QUEUE || !server.s_per_byte.is_finite() {
                continue;
            }
            let queue = &queues[link as usize];
            let part = &queue.link.as_ref().expect("a link").link;
            let shares_link = matches!(server.access, Access::Shared(_));
            // When a task gets there is not known before, and nothing may be told of it.
            let changes = queue.link.as_ref().is_some_and(|link| link.times.is_some());
            routes[device * places + index + 1] = Route {
                is_usable: true,
                link,
                machine: machines[device],
                link_s_per_byte: queue.s_per_byte,
                machine_s_per_byte: server.s_per_byte,
                latency_s: server.latency_s,
                j_per_byte: server.j_per_byte + part.j_per_byte,
                send_w: part.send_w,
                is_in_order: !changes && (server.machines != Machines::Shared || shares_link || devices == 1),
            };
        }
    }
    routes
}

fn push(queues: &mut Vec<Queue>, name: String, kind: QueueKind, s_per_byte: f64) -> u32 {
    queues.push(Queue { name, kind, s_per_byte, link: None });
    (queues.len() - 1) as u32
}
