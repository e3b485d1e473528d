//! K networks for any fleet.

use burn::module::Module;
use burn::tensor::Device;

use super::net::{Network, Shape};
use crate::parameters::{self, Ids};
use crate::state::StateError;

/// K networks for any fleet, all of one shape.
#[derive(Module, Debug)]
pub struct Ensemble {
    /// The networks. Records contain the name of this field.
    pub nets: Vec<Network>,
}

impl Ensemble {
    /// `networks` networks with random parameters, each from a stream of its own, so that its parameters do not depend on
    /// the number of the others.
    ///
    /// # Panics
    /// If there are no networks, no rounds or no hidden units.
    pub fn random(shape: Shape, networks: usize, seed: u64, device: &Device) -> Self {
        assert!(
            networks > 0 && shape.width > 0 && shape.rounds > 0,
            "an ensemble needs networks, rounds and hidden units"
        );
        Self { nets: (0..networks).map(|network| Network::random(shape, network, seed, device)).collect() }
    }

    /// Numbers of hidden units and rounds of each network.
    pub fn shape(&self) -> Shape {
        self.nets[0].shape()
    }

    /// The device that the parameters are on.
    ///
    /// # Panics
    /// If there are no networks.
    pub fn device(&self) -> Device {
        self.devices().swap_remove(0)
    }

    /// The first network with a parameter that is not a finite number, if there is one.
    pub fn first_not_finite(&self) -> Option<usize> {
        let is_finite =
            |network: &Network| parameters::values(network).iter().all(|values| parameters::are_finite(values));
        self.nets.iter().position(|network| !is_finite(network))
    }

    /// The parameters as Burn writes them.
    ///
    /// # Errors
    /// If they cannot be read back from the device.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StateError> {
        parameters::to_bytes(self)
    }

    /// Parameters that [`Ensemble::to_bytes`] wrote.
    ///
    /// # Errors
    /// If they are damaged, or of networks of another shape or number.
    pub fn from_bytes(bytes: Vec<u8>, shape: Shape, networks: usize, device: &Device) -> Result<Self, StateError> {
        let mut ids = Ids::default();
        let zeros = Self { nets: (0..networks).map(|_| Network::with(shape, device, &mut ids, |_| 0.0)).collect() };
        parameters::from_bytes(zeros, bytes)
    }
}
