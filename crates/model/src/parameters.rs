//! Parameters of Burn modules: numbered, copied to the host, written as bytes and read back.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::store::ModuleRecord;
use burn::tensor::{Bytes, Tensor};

use crate::state::StateError;

/// The most parameters of all networks of an ensemble together: 512 MiB of them.
pub const MAX_PARAMETERS: usize = 1 << 27;

/// Parameters of `networks` networks together; `None` if there is no network, or they have more than [`MAX_PARAMETERS`].
pub(crate) fn total(networks: usize, parameters_per_network: usize) -> Option<usize> {
    let total = networks.saturating_mul(parameters_per_network);
    (1..=MAX_PARAMETERS).contains(&total).then_some(total)
}

/// Numbers parameters from 1. Burn draws their identifiers at random and writes them into records, where equal runs must
/// write equal ones.
#[derive(Default)]
pub(crate) struct Ids {
    last: u64,
}

impl Ids {
    /// A parameter with this value and the next number.
    pub(crate) fn param<const D: usize>(&mut self, tensor: Tensor<D>) -> Param<Tensor<D>> {
        self.last += 1;
        let (_, tensor, mapper) = Param::from_tensor(tensor).consume();
        Param::from_mapped_value(ParamId::from(self.last), tensor, mapper)
    }
}

/// The parameters of a module as Burn writes them.
///
/// # Errors
/// If they cannot be read back from the device.
pub(crate) fn to_bytes<M: Module>(module: &M) -> Result<Vec<u8>, StateError> {
    let bytes = module.clone().into_record().into_bytes();
    Ok(bytes.map_err(|error| StateError::new(error.to_string()))?.to_vec())
}

/// `module` with the parameters that [`to_bytes`] wrote, on the devices of its own parameters.
///
/// # Errors
/// If the bytes are damaged, or of a module of another shape.
pub(crate) fn from_bytes<M: Module>(module: M, bytes: Vec<u8>) -> Result<M, StateError> {
    let record = ModuleRecord::from_bytes(Bytes::from_bytes_vec(bytes));
    let record = record.map_err(|error| StateError::new(error.to_string()))?;
    let loaded = module.try_load_record(record.cast_to_module_dtype());
    loaded.map_err(|_| StateError::new("it holds networks of another shape or number"))
}

/// The values of all parameters of a module, copied to the host.
pub(crate) fn values<M: Module>(module: &M) -> Vec<Vec<f32>> {
    struct Values(Vec<Vec<f32>>);

    impl ModuleVisitor for Values {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.push(to_vec(param.val()));
        }
    }

    let mut values = Values(Vec::new());
    module.visit(&mut values);
    values.0
}

/// Whether every value is a finite number.
pub(crate) fn are_finite(values: &[f32]) -> bool {
    values.iter().all(|value| value.is_finite())
}

/// All values of a tensor, copied to the host.
///
/// # Panics
/// If the device is lost.
pub(crate) fn to_vec<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let data = tensor.try_into_data().unwrap_or_else(|error| panic!("{error}"));
    data.convert::<f32>().try_into_vec().expect("converted to f32 just above")
}
