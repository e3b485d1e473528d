//! Which device computes: chosen at run time among the backends that were built in.
//!
//! Since Burn 0.22 tensors and modules carry no backend type; every operation is dispatched to the backend of its
//! device. Everything in this workspace is generic over backends by passing a [`Device`] explicitly.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;

use crate::error::BackendError;

/// A device as a person names it: `auto`, `flex`, `ndarray`, `wgpu` or `wgpu:INDEX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// The GPU if this build has `wgpu` and the machine an adapter, else the CPU.
    #[default]
    Auto,
    /// The CPU through Burn's own backend in pure Rust.
    Flex,
    /// The CPU through `ndarray`.
    NdArray,
    /// A GPU through wgpu: the given one of those that `trainer devices` lists, or the best.
    Wgpu(Option<usize>),
}

impl FromStr for DeviceChoice {
    type Err = BackendError;

    fn from_str(text: &str) -> Result<Self, BackendError> {
        let unknown = || BackendError::UnknownDevice { name: text.to_owned() };
        match text.split_once(':') {
            None => match text {
                "auto" => Ok(Self::Auto),
                "flex" => Ok(Self::Flex),
                "ndarray" => Ok(Self::NdArray),
                "wgpu" => Ok(Self::Wgpu(None)),
                _ => Err(unknown()),
            },
            Some(("wgpu", index)) => index.parse().map(|index| Self::Wgpu(Some(index))).map_err(|_| unknown()),
            Some(_) => Err(unknown()),
        }
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
        }
    }
}

/// A device that is there, and what to call it.
#[derive(Debug, Clone)]
pub struct Backend {
    /// For tensors and modules. Not in training mode; see [`Device::autodiff`].
    pub device: Device,
    /// `flex`, `ndarray` or `wgpu:0`.
    pub name: String,
    /// What it is in words, such as the name of a graphics card.
    pub description: String,
}

impl DeviceChoice {
    /// Finds the device.
    ///
    /// # Errors
    /// If this build does not have the backend, or the machine not the device.
    pub fn open(self) -> Result<Backend, BackendError> {
        match self {
            Self::Auto => automatic(),
            Self::Flex => find("flex", flex()),
            Self::NdArray => find("ndarray", ndarray()),
            Self::Wgpu(index) => {
                let mut adapters = adapters()?;
                let position = index.unwrap_or(0);
                if position < adapters.len() {
                    return Ok(adapters.swap_remove(position));
                }
                Err(BackendError::NoAdapter { index, count: adapters.len() })
            }
        }
    }
}

/// Every device that this build can use on this machine, in the order in which `auto` prefers them: graphics cards, the
/// CPU, and last adapters that are only software, which are far slower than the CPU's own backends.
pub fn available() -> Vec<Backend> {
    let adapters = adapters().unwrap_or_default();
    let (software, mut all): (Vec<_>, Vec<_>) = adapters.into_iter().partition(is_software);
    all.extend(flex());
    all.extend(ndarray());
    all.extend(software);
    all
}

/// Whether a graphics adapter is emulated on the CPU.
fn is_software(adapter: &Backend) -> bool {
    const EMULATORS: [&str; 4] = ["llvmpipe", "lavapipe", "swiftshader", "basic render"];
    let name = adapter.description.to_lowercase();
    EMULATORS.iter().any(|emulator| name.contains(emulator))
}

fn automatic() -> Result<Backend, BackendError> {
    available().into_iter().next().ok_or(BackendError::NotBuiltIn { feature: "flex" })
}

fn find(feature: &'static str, backend: Option<Backend>) -> Result<Backend, BackendError> {
    backend.ok_or(BackendError::NotBuiltIn { feature })
}

#[cfg(feature = "flex")]
#[expect(clippy::unnecessary_wraps, reason = "a build without the backend has no such device")]
fn flex() -> Option<Backend> {
    let description = "CPU: Burn's own backend in pure Rust, with fused kernels for the ensemble".to_owned();
    Some(Backend { device: Device::flex(), name: "flex".to_owned(), description })
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
    Some(Backend { device, name: "ndarray".to_owned(), description: "CPU, through ndarray".to_owned() })
}

#[cfg(not(feature = "ndarray"))]
fn ndarray() -> Option<Backend> {
    None
}

#[cfg(not(feature = "wgpu"))]
fn adapters() -> Result<Vec<Backend>, BackendError> {
    Err(BackendError::NotBuiltIn { feature: "wgpu" })
}

#[cfg(feature = "wgpu")]
#[expect(clippy::unnecessary_wraps, reason = "a build without wgpu has no adapters to list")]
fn adapters() -> Result<Vec<Backend>, BackendError> {
    use burn::tensor::{DeviceType, Devices};
    let devices: Devices = Device::enumerate(DeviceType::Wgpu);
    let backend = |(index, device): (usize, Device)| {
        let description = device.identity().map_or_else(|| "unnamed adapter".to_owned(), |identity| identity.name);
        Backend { device, name: format!("wgpu:{index}"), description }
    };
    Ok(devices.into_vec().into_iter().enumerate().map(backend).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_named_as_people_type_them() {
        for name in ["auto", "flex", "ndarray", "wgpu", "wgpu:3"] {
            assert_eq!(name.parse::<DeviceChoice>().expect("a device").to_string(), name);
        }
        for name in ["", "gpu", "wgpu:", "wgpu:x", "flex:0", "WGPU"] {
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
