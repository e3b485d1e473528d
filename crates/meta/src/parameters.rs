//! Arithmetic on all parameters of a module at once.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;

/// `start + step_size * (end - start)` for every parameter: the update (21) of Reptile.
///
/// The result has the parameter identifiers of `start`. Both modules must live on one device, not in training mode.
///
/// # Panics
/// If the modules differ in shape.
pub fn interpolate<M: Module>(start: &M, end: &M, step_size: f64) -> M {
    let mut collected = Collector::default();
    end.visit(&mut collected);
    let mut parameters = collected.parameters.into_iter();
    start.clone().map(&mut Interpolator { end: &mut parameters, step_size })
}

/// Takes the tensors of a module in the order of traversal, which is the same for every module of one shape.
#[derive(Default)]
struct Collector {
    parameters: Vec<AnyTensor>,
}

/// A tensor whose rank is known only at the point of use.
struct AnyTensor(Box<dyn std::any::Any>);

impl ModuleVisitor for Collector {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.parameters.push(AnyTensor(Box::new(param.val())));
    }
}

struct Interpolator<'e> {
    end: &'e mut dyn Iterator<Item = AnyTensor>,
    step_size: f64,
}

impl ModuleMapper for Interpolator<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let end = self.end.next().and_then(|end| end.0.downcast::<Tensor<D>>().ok());
        let end = *end.expect("both modules have the same parameters");
        param.map(|start| {
            let towards = (end - start.clone()).mul_scalar(self.step_size);
            start + towards
        })
    }
}
