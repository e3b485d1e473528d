//! Lends the storage of a Burn module on `flex` to the fused kernels, so that the module stays the only owner of its
//! parameters.

use burn::backend::{BackendTypes, Flex};
use burn::module::{Param, ParamId, ParamMapper};
use burn::tensor::{Device, Tensor};

use crate::ensemble::{Ensemble, StackedLinear};
use crate::fused::{Layer, LayerView};

/// Parameters taken out of an ensemble, whose storage can be read and written. [`Open::close`] makes an ensemble of them
/// again, with the same identifiers.
#[derive(Debug)]
pub(crate) struct Open {
    layers: Vec<OpenLayer>,
}

#[derive(Debug)]
struct OpenLayer {
    weight: OpenParam,
    bias: OpenParam,
}

#[derive(Debug)]
struct OpenParam {
    id: ParamId,
    tensor: <Flex as BackendTypes>::FloatTensorPrimitive,
    mapper: ParamMapper<Tensor<3>>,
}

impl Open {
    /// Opens an ensemble that is not in training mode. Nothing is copied if it is on `flex` and lies there in order.
    pub(crate) fn of(ensemble: Ensemble) -> Self {
        let layers = ensemble.layers.into_iter().map(|StackedLinear { weight, bias }| OpenLayer {
            weight: OpenParam::of(weight),
            bias: OpenParam::of(bias),
        });
        Self { layers: layers.collect() }
    }

    /// The ensemble again.
    pub(crate) fn close(self) -> Ensemble {
        let layers = self
            .layers
            .into_iter()
            .map(|OpenLayer { weight, bias }| StackedLinear { weight: weight.close(), bias: bias.close() });
        Ensemble { layers: layers.collect() }
    }

    /// The parameters, for reading.
    pub(crate) fn views(&self) -> impl Iterator<Item = LayerView<'_>> + Clone {
        self.layers.iter().map(|layer| LayerView { weight: layer.weight.read(), bias: layer.bias.read() })
    }

    /// The parameters, for writing. What a clone of the ensemble shares is copied first, so that the clone stays as it
    /// is.
    pub(crate) fn lend(&mut self) -> impl Iterator<Item = Layer<'_>> {
        self.layers.iter_mut().map(|layer| Layer { weight: layer.weight.write(), bias: layer.bias.write() })
    }
}

impl OpenParam {
    fn of(param: Param<Tensor<3>>) -> Self {
        let (id, tensor, mapper) = param.consume();
        let tensor = match tensor.try_into_primitive::<Flex>() {
            Ok(tensor) => tensor,
            Err(error) => panic!("the fused kernels work on ensembles on flex, not in training mode: {error:?}"),
        };
        // The same storage, unless it does not lie in order.
        Self { id, tensor: tensor.to_contiguous(), mapper }
    }

    fn close(self) -> Param<Tensor<3>> {
        Param::from_mapped_value(self.id, Tensor::from_primitive::<Flex>(self.tensor), self.mapper)
    }

    fn read(&self) -> &[f32] {
        self.tensor.storage()
    }

    fn write(&mut self) -> &mut [f32] {
        self.tensor.storage_mut()
    }
}

/// An ensemble of the same shape with every parameter zero.
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

    fn addresses(open: &Open) -> Vec<*const f32> {
        open.views().flat_map(|layer| [layer.weight.as_ptr(), layer.bias.as_ptr()]).collect()
    }

    fn ids(ensemble: &Ensemble) -> Vec<ParamId> {
        ensemble.layers.iter().flat_map(|layer| [layer.weight.id, layer.bias.id]).collect()
    }

    #[test]
    fn the_module_stays_the_owner_of_what_is_written() {
        let ensemble = ensemble();
        let (ids_before, parameters) = (ids(&ensemble), ensemble.to_host());
        let mut open = Open::of(ensemble);
        let before = addresses(&open);
        for layer in open.lend() {
            layer.weight[0] += 1.0;
            layer.bias[0] += 2.0;
        }
        let again = Open::of(open.close());
        assert_eq!(addresses(&again), before, "nothing was copied");
        let closed = again.close();
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
        let mut open = Open::of(ensemble);
        assert_eq!(addresses(&open), addresses(&Open::of(clone.clone())), "reading shares the storage");
        open.lend().for_each(|layer| layer.weight.fill(7.0));
        assert_eq!(clone.to_host(), parameters);
        assert!(open.close().to_host().iter().all(|layer| layer.weight.iter().all(|&value| value == 7.0)));
    }

    #[test]
    fn parameters_that_do_not_lie_in_order_are_put_in_order() {
        let mut ensemble = ensemble();
        let parameters = ensemble.to_host();
        for layer in &mut ensemble.layers {
            // Twice transposed on the way: the same values, stored in another order.
            let (id, tensor, mapper) = layer.weight.clone().consume();
            let stored = Open::of(Ensemble {
                layers: vec![StackedLinear {
                    weight: Param::initialized(id, tensor.transpose().mul_scalar(1.0)),
                    bias: layer.bias.clone(),
                }],
            });
            let transposed = stored.close().layers.remove(0).weight.val();
            layer.weight = Param::from_mapped_value(id, transposed.transpose(), mapper);
        }
        assert_eq!(Open::of(ensemble).close().to_host(), parameters);
    }
}
