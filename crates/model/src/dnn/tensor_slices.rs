//! The storage of a Burn module on `flex` as slices, which the kernels read and write in place: the module stays the only
//! owner of its parameters.

use burn::backend::{BackendTypes, Flex};
use burn::module::{Param, ParamId, ParamMapper};
use burn::tensor::{Device, Tensor};

use super::ensemble::{Ensemble, StackedLinear};
use crate::kernels::{Layer, LayerView};

/// Parameters taken out of an ensemble, whose storage can be read and written. [`TensorSlices::into_ensemble`] makes an
/// ensemble of them again, with the same identifiers.
#[derive(Debug)]
pub(crate) struct TensorSlices {
    layers: Vec<LayerTensors>,
}

#[derive(Debug)]
struct LayerTensors {
    weight: ParameterTensor,
    bias: ParameterTensor,
}

#[derive(Debug)]
struct ParameterTensor {
    id: ParamId,
    tensor: <Flex as BackendTypes>::FloatTensorPrimitive,
    mapper: ParamMapper<Tensor<3>>,
}

impl TensorSlices {
    /// Takes the parameters out of an ensemble that is not in training mode. Nothing is copied if the ensemble is on `flex`
    /// and its tensors are contiguous.
    pub(crate) fn of(ensemble: Ensemble) -> Self {
        let layers = ensemble.layers.into_iter().map(|StackedLinear { weight, bias }| LayerTensors {
            weight: ParameterTensor::of(weight),
            bias: ParameterTensor::of(bias),
        });
        Self { layers: layers.collect() }
    }

    /// Puts the parameters back into an ensemble.
    pub(crate) fn into_ensemble(self) -> Ensemble {
        let layers = self.layers.into_iter().map(|LayerTensors { weight, bias }| StackedLinear {
            weight: weight.into_param(),
            bias: bias.into_param(),
        });
        Ensemble { layers: layers.collect() }
    }

    /// The parameters, for reading.
    pub(crate) fn slices(&self) -> impl Iterator<Item = LayerView<'_>> + Clone {
        self.layers.iter().map(|layer| LayerView { weight: layer.weight.read(), bias: layer.bias.read() })
    }

    /// The parameters, for writing. Storage that a clone of the ensemble shares is copied first, so that the clone keeps its
    /// values.
    pub(crate) fn slices_mut(&mut self) -> impl Iterator<Item = Layer<'_>> {
        self.layers.iter_mut().map(|layer| Layer { weight: layer.weight.write(), bias: layer.bias.write() })
    }
}

impl ParameterTensor {
    fn of(param: Param<Tensor<3>>) -> Self {
        let (id, tensor, mapper) = param.consume();
        let tensor = match tensor.try_into_primitive::<Flex>() {
            Ok(tensor) => tensor,
            Err(error) => panic!("the kernels work on ensembles on flex, not in training mode: {error:?}"),
        };
        // Shares the storage of a contiguous tensor.
        Self { id, tensor: tensor.to_contiguous(), mapper }
    }

    fn into_param(self) -> Param<Tensor<3>> {
        Param::from_mapped_value(self.id, Tensor::from_primitive::<Flex>(self.tensor), self.mapper)
    }

    fn read(&self) -> &[f32] {
        self.tensor.storage()
    }

    fn write(&mut self) -> &mut [f32] {
        self.tensor.storage_mut()
    }
}

/// An ensemble of the same shape with all parameters 0.
pub(crate) fn zeros(like: &Ensemble) -> Ensemble {
    let zeros = |param: &Param<Tensor<3>>| Param::initialized(param.id, Tensor::zeros(param.dims(), &Device::flex()));
    let layers =
        like.layers.iter().map(|layer| StackedLinear { weight: zeros(&layer.weight), bias: zeros(&layer.bias) });
    Ensemble { layers: layers.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dnn::NetworkShape;

    fn ensemble() -> Ensemble {
        let shape = NetworkShape { inputs: 3, hidden: vec![5, 4], outputs: 2 };
        Ensemble::random(&shape, 2, 1, &Device::flex())
    }

    fn addresses(slices: &TensorSlices) -> Vec<*const f32> {
        slices.slices().flat_map(|layer| [layer.weight.as_ptr(), layer.bias.as_ptr()]).collect()
    }

    fn ids(ensemble: &Ensemble) -> Vec<ParamId> {
        ensemble.layers.iter().flat_map(|layer| [layer.weight.id, layer.bias.id]).collect()
    }

    #[test]
    fn the_module_stays_the_owner_of_what_is_written() {
        let ensemble = ensemble();
        let (ids_before, parameters) = (ids(&ensemble), ensemble.to_host());
        let mut slices = TensorSlices::of(ensemble);
        let before = addresses(&slices);
        for layer in slices.slices_mut() {
            layer.weight[0] += 1.0;
            layer.bias[0] += 2.0;
        }
        let again = TensorSlices::of(slices.into_ensemble());
        assert_eq!(addresses(&again), before, "nothing was copied");
        let closed = again.into_ensemble();
        assert_eq!(ids(&closed), ids_before);
        for (now, then) in closed.to_host().iter().zip(&parameters) {
            assert_eq!((now.weight[0], now.bias[0]), (then.weight[0] + 1.0, then.bias[0] + 2.0));
            assert_eq!(now.weight[1..], then.weight[1..]);
        }
    }

    #[test]
    fn a_clone_stays_as_it_is() {
        let ensemble = ensemble();
        let (clone, parameters) = (ensemble.clone(), ensemble.to_host());
        let mut slices = TensorSlices::of(ensemble);
        assert_eq!(addresses(&slices), addresses(&TensorSlices::of(clone.clone())), "reading shares the storage");
        slices.slices_mut().for_each(|layer| layer.weight.fill(7.0));
        assert_eq!(clone.to_host(), parameters);
        assert!(slices.into_ensemble().to_host().iter().all(|layer| layer.weight.iter().all(|&value| value == 7.0)));
    }

    #[test]
    fn parameters_that_do_not_lie_in_order_are_put_in_order() {
        let mut ensemble = ensemble();
        let parameters = ensemble.to_host();
        for layer in &mut ensemble.layers {
            // Twice transposed on the way: the same values, stored in another order.
            let (id, tensor, mapper) = layer.weight.clone().consume();
            let stored = TensorSlices::of(Ensemble {
                layers: vec![StackedLinear {
                    weight: Param::initialized(id, tensor.transpose().mul_scalar(1.0)),
                    bias: layer.bias.clone(),
                }],
            });
            let transposed = stored.into_ensemble().layers.remove(0).weight.val();
            layer.weight = Param::from_mapped_value(id, transposed.transpose(), mapper);
        }
        assert_eq!(TensorSlices::of(ensemble).into_ensemble().to_host(), parameters);
    }
}
