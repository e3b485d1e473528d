//! Devices that compute, selected at run time from the backends that the program was built with.
//!
//! Since Burn 0.22 tensors and modules carry no backend type; every operation is dispatched to the backend of its
//! device. Everything in this workspace is generic over backends by passing a [`Device`] explicitly.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;

/// Why a device cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// The text names no device.
    #[error("`{name}` is not a device; use auto, flex, ndarray, wgpu[:INDEX] or remote:HOST[:PORT][/INDEX]")]
    UnknownDevice {
        /// The text.
        name: String,
    },
    /// The program was built without this backend.
    #[error("this program was built without the {feature} backend")]
    NotBuiltIn {
        /// The cargo feature that builds the backend in.
        feature: &'static str,
    },
    /// The machine does not have this graphics adapter.
    #[error("there is no graphics adapter{} on this machine, which has {count}", index.map_or(String::new(), |index| format!(" {index}")))]
    NoAdapter {
        /// Index of the adapter; `None`: any.
        index: Option<usize>,
        /// Number of graphics adapters of the machine.
        count: usize,
    },
    /// No worker answers at the address of a remote device, or it speaks another version of the protocol.
    #[error("cannot connect to a worker at {address}: {reason}")]
    Unreachable {
        /// Address of the device.
        address: String,
        /// The reason that the connection gives.
        reason: String,
    },
    /// The worker expects another token.
    #[error("the worker at {address} refuses the token")]
    Refused {
        /// Address of the device.
        address: String,
    },
    /// The worker has fewer devices.
    #[error("the worker at {address} has no device {index}; it has {count}")]
    NoRemoteDevice {
        /// Address of the device.
        address: String,
        /// Index of the device among the devices of the worker.
        index: usize,
        /// Number of devices of the worker.
        count: usize,
    },
}

/// A device as a person names it: `auto`, `flex`, `ndarray`, `wgpu`, `wgpu:INDEX` or `remote:HOST[:PORT][/INDEX]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// A graphics card if this build has `wgpu` and the machine one, else the CPU.
    #[default]
    Auto,
    /// The CPU through Burn's own backend in pure Rust.
    Flex,
    /// The CPU through `ndarray`.
    NdArray,
    /// A graphics adapter through wgpu: the one with this index in the list of `trainer devices`, or the best.
    Wgpu(Option<usize>),
    /// A device of another machine, where `trainer worker` serves it.
    Remote(RemoteAddress),
}

/// The address of a remote device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteAddress {
    /// Name or address of the machine; an IPv6 address stands in brackets.
    pub host: String,
    /// TCP port of the worker.
    pub port: u16,
    /// Index of the device among the devices of the worker.
    pub index: usize,
}

impl RemoteAddress {
    /// The port of a worker where none is given.
    pub const DEFAULT_PORT: u16 = 3000;

    fn parse(text: &str) -> Option<Self> {
        let (address, index) = match text.split_once('/') {
            Some((address, index)) => (address, index.parse().ok()?),
            None => (text, 0),
        };
        let bare_ipv6 = address.ends_with(']');
        let (host, port) = match address.rsplit_once(':').filter(|_| !bare_ipv6) {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (address, Self::DEFAULT_PORT),
        };
        let ipv6 = host.strip_prefix('[').map(|rest| rest.strip_suffix(']'));
        let named =
            |host: &str| !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
        let valid = match ipv6 {
            Some(inner) => inner.is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok()),
            None => named(host),
        };
        valid.then(|| Self { host: host.to_owned(), port, index })
    }
}

impl fmt::Display for RemoteAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)?;
        if self.index > 0 { write!(f, "/{}", self.index) } else { Ok(()) }
    }
}

impl FromStr for DeviceChoice {
    type Err = BackendError;

    fn from_str(text: &str) -> Result<Self, BackendError> {
        let choice = match text.split_once(':') {
            None => match text {
                "auto" => Some(Self::Auto),
                "flex" => Some(Self::Flex),
                "ndarray" => Some(Self::NdArray),
                "wgpu" => Some(Self::Wgpu(None)),
                _ => None,
            },
            Some(("wgpu", index)) => index.parse().ok().map(|index| Self::Wgpu(Some(index))),
            Some(("remote", address)) => RemoteAddress::parse(address).map(Self::Remote),
            Some(_) => None,
        };
        choice.ok_or_else(|| BackendError::UnknownDevice { name: text.to_owned() })
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Flex => f.write_str("flex"),
            Self::NdArray => f.write_str("ndarray"),
            Self::Wgpu(None) => f.write_str("wgpu"),
            Self::Wgpu(Some(index)) => write!(f, "wgpu:{index}"),
            Self::Remote(address) => write!(f, "remote:{address}"),
        }
    }
}

/// A device of this machine or a worker, with its name.
#[derive(Debug, Clone)]
pub struct Backend {
    /// The device for tensors and modules, without autodiff; see [`Device::autodiff`].
    pub device: Device,
    /// Its name as a [`DeviceChoice`]: `flex`, `ndarray`, `wgpu:0`, `remote:gpu:3000`.
    pub name: String,
    /// The kind of device.
    pub kind: DeviceKind,
    /// Description in words, such as the name of a graphics card.
    pub description: String,
}

/// A kind of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceKind {
    /// The processor, through a backend made for it.
    Cpu,
    /// A graphics card.
    Gpu,
    /// A graphics adapter that the processor emulates, for tests; far slower than [`DeviceKind::Cpu`].
    SoftwareGpu,
    /// A device of another machine.
    Remote,
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cpu => "CPU",
            Self::Gpu => "GPU",
            Self::SoftwareGpu => "GPU in software",
            Self::Remote => "remote",
        })
    }
}

impl DeviceChoice {
    /// Finds the device, and connects to it if it is remote.
    ///
    /// # Errors
    /// If the program was built without the backend, the machine does not have the device, or the worker does not answer.
    pub fn open(&self) -> Result<Backend, BackendError> {
        self.open_with("")
    }

    /// Finds the device, and connects to it with `token` if it is remote.
    ///
    /// # Errors
    /// As [`DeviceChoice::open`].
    pub fn open_with(&self, token: &str) -> Result<Backend, BackendError> {
        match self {
            Self::Auto => available().into_iter().next().ok_or(BackendError::NotBuiltIn { feature: "flex" }),
            Self::Flex => flex().ok_or(BackendError::NotBuiltIn { feature: "flex" }),
            Self::NdArray => ndarray().ok_or(BackendError::NotBuiltIn { feature: "ndarray" }),
            Self::Wgpu(index) => pick(wgpu()?, *index),
            Self::Remote(address) => connect(address, token),
        }
    }
}

fn pick(mut adapters: Vec<Backend>, index: Option<usize>) -> Result<Backend, BackendError> {
    let position = index.unwrap_or(0);
    if position < adapters.len() {
        return Ok(adapters.swap_remove(position));
    }
    Err(BackendError::NoAdapter { index, count: adapters.len() })
}

/// All devices of this machine that the program can use, in the order in which `auto` prefers them: graphics cards, the CPU,
/// and last adapters that are only software.
pub fn available() -> Vec<Backend> {
    let adapters = wgpu().unwrap_or_default().into_iter();
    let (software, mut all): (Vec<_>, Vec<_>) = adapters.partition(|adapter| adapter.kind == DeviceKind::SoftwareGpu);
    all.extend(flex());
    all.extend(ndarray());
    all.extend(software);
    all
}

#[cfg(feature = "flex")]
#[expect(clippy::unnecessary_wraps, reason = "a build without the backend has no such device")]
fn flex() -> Option<Backend> {
    let description = "Burn's own backend in pure Rust, with fused kernels for the ensemble".to_owned();
    Some(Backend { device: Device::flex(), name: "flex".to_owned(), kind: DeviceKind::Cpu, description })
}

#[cfg(not(feature = "flex"))]
fn flex() -> Option<Backend> {
    None
}

#[cfg(feature = "ndarray")]
#[expect(clippy::unnecessary_wraps, reason = "a build without the backend has no such device")]
fn ndarray() -> Option<Backend> {
    #[expect(deprecated, reason = "asked for by name; the backend leaves Burn with 0.23")]
    let device = Device::ndarray();
    let description = "Burn over ndarray".to_owned();
    Some(Backend { device, name: "ndarray".to_owned(), kind: DeviceKind::Cpu, description })
}

#[cfg(not(feature = "ndarray"))]
fn ndarray() -> Option<Backend> {
    None
}

#[cfg(not(feature = "wgpu"))]
fn wgpu() -> Result<Vec<Backend>, BackendError> {
    Err(BackendError::NotBuiltIn { feature: "wgpu" })
}

/// Graphics adapters, cards before adapters in software.
#[cfg(feature = "wgpu")]
#[expect(clippy::unnecessary_wraps, reason = "a build without wgpu has no adapters to list")]
fn wgpu() -> Result<Vec<Backend>, BackendError> {
    // Burn panics on an adapter that cannot be opened, for instance with a driver that does not fit.
    let identity = |device: &Device| std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| device.identity())).ok();
    let described = |device: Device| {
        Some(match identity(&device)? {
            Some(identity) => {
                let kind = if identity.physical.is_some() { DeviceKind::Gpu } else { DeviceKind::SoftwareGpu };
                (device, kind, format!("{} ({})", identity.name, identity.fingerprint))
            }
            None => (device, DeviceKind::Gpu, "unnamed adapter".to_owned()),
        })
    };
    let mut adapters: Vec<_> =
        Device::enumerate(burn::tensor::DeviceType::Wgpu).into_vec().into_iter().filter_map(described).collect();
    adapters.sort_by_key(|(_, kind, _)| *kind == DeviceKind::SoftwareGpu);
    let named =
        |(index, (device, kind, description))| Backend { device, name: format!("wgpu:{index}"), kind, description };
    Ok(adapters.into_iter().enumerate().map(named).collect())
}

#[cfg(not(feature = "remote"))]
fn connect(_address: &RemoteAddress, _token: &str) -> Result<Backend, BackendError> {
    Err(BackendError::NotBuiltIn { feature: "remote" })
}

#[cfg(feature = "remote")]
fn connect(address: &RemoteAddress, token: &str) -> Result<Backend, BackendError> {
    use burn::tensor::remote::{ConnectError, RemoteHost};
    let RemoteAddress { host, port, index } = address;
    let worker = RemoteHost::websocket(&format!("ws://{host}:{port}")).with_credential(token);
    let connected = Device::remote_options(&worker).device_index(*index).init();
    let device = connected.map_err(|error| match error {
        ConnectError::Unauthorized => BackendError::Refused { address: address.to_string() },
        ConnectError::NoSuchDevice { device_count } => {
            BackendError::NoRemoteDevice { address: address.to_string(), index: *index, count: device_count }
        }
        error => BackendError::Unreachable { address: address.to_string(), reason: error.to_string() },
    })?;
    let description = format!("device {index} of the worker at {host}:{port}");
    Ok(Backend { device, name: format!("remote:{address}"), kind: DeviceKind::Remote, description })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_named_as_people_type_them() {
        let remote = ["remote:gpu-1.lan:4000", "remote:10.0.0.7:3000/2", "remote:[::1]:3000"];
        for name in ["auto", "flex", "ndarray", "wgpu", "wgpu:3"].into_iter().chain(remote) {
            assert_eq!(name.parse::<DeviceChoice>().expect("a device").to_string(), name);
        }
        for (short, name) in [("remote:gpu", "remote:gpu:3000"), ("remote:[::1]/0", "remote:[::1]:3000")] {
            assert_eq!(short.parse::<DeviceChoice>().expect("a device").to_string(), name);
        }
        let odd = [
            "remote:",
            "remote:a b",
            "remote:gpu:x",
            "remote:gpu:1/x",
            "remote:::1",
            "remote:ws://gpu",
            "remote:[gpu]",
        ];
        for name in ["", "gpu", "wgpu:", "wgpu:x", "flex:0", "WGPU"].into_iter().chain(odd) {
            assert!(matches!(name.parse::<DeviceChoice>(), Err(BackendError::UnknownDevice { .. })), "{name}");
        }
    }

    /// With or without graphics adapters: no machine has a thousand.
    #[test]
    fn an_adapter_that_is_not_there_is_an_error() {
        let error = DeviceChoice::Wgpu(Some(1000)).open().expect_err("no such adapter");
        let expected = matches!(error, BackendError::NoAdapter { index: Some(1000), .. });
        assert!(
            if cfg!(feature = "wgpu") { expected } else { matches!(error, BackendError::NotBuiltIn { .. }) },
            "{error}"
        );
    }
}
