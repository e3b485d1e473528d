//! The stacked ensemble against its single networks.

use burn::tensor::{Tensor, TensorData};
use model::{DeviceChoice, Ensemble, NetworkShape};
use sim::random;

fn shape() -> NetworkShape {
    NetworkShape { inputs: 5, hidden: vec![7, 4], outputs: 6 }
}

fn inputs(rows: usize) -> TensorData {
    let mut random = random::stream(1, "inputs");
    let values: Vec<f32> = (0..rows * 5).map(|_| random::unit(&mut random) as f32 * 4.0 - 2.0).collect();
    TensorData::new(values, [rows, 5])
}

#[test]
fn stacked_networks_answer_as_each_by_itself() {
    let device = DeviceChoice::Auto.open().expect("a device").device;
    let ensemble = Ensemble::random(&shape(), 3, 1, &device);
    let batch = Tensor::<2>::from_data(inputs(4), &device);
    let together = ensemble.forward(batch.clone());
    assert_eq!(together.dims(), [3, 4, 6]);
    for network in 0..3 {
        let alone = ensemble.network(network).forward(batch.clone());
        let stacked = together.clone().narrow(0, network, 1).reshape([4, 6]);
        let difference: f32 = (alone - stacked).abs().max().into_scalar();
        assert!(difference < 1e-5, "network {network} differs by {difference}");
    }
}

#[test]
fn taking_networks_out_and_stacking_them_gives_the_ensemble_back() {
    let device = DeviceChoice::Auto.open().expect("a device").device;
    let ensemble = Ensemble::random(&shape(), 3, 1, &device);
    let networks: Vec<_> = (0..3).map(|network| ensemble.network(network)).collect();
    assert_eq!(Ensemble::stack(&networks).to_host(), ensemble.to_host());
    assert_eq!(ensemble.shape(), shape());
    assert_eq!(ensemble.networks(), 3);
}

#[test]
fn a_networks_first_parameters_do_not_depend_on_how_many_there_are() {
    let device = DeviceChoice::Auto.open().expect("a device").device;
    let two = Ensemble::random(&shape(), 2, 9, &device).to_host();
    let five = Ensemble::random(&shape(), 5, 9, &device).to_host();
    for (two, five) in two.iter().zip(&five) {
        assert_eq!(two.weight, five.weight[..two.weight.len()]);
        assert_eq!(two.bias, five.bias[..two.bias.len()]);
    }
    assert_ne!(two, Ensemble::random(&shape(), 2, 10, &device).to_host());
}

#[test]
fn first_parameters_lie_within_their_bound() {
    let device = DeviceChoice::Auto.open().expect("a device").device;
    let layers = Ensemble::random(&shape(), 4, 3, &device).to_host();
    for (layer, (inputs, _)) in layers.iter().zip(shape().layers()) {
        let bound = 1.0 / (inputs as f32).sqrt();
        assert!(layer.weight.iter().chain(&layer.bias).all(|value| value.abs() <= bound));
        let mean = layer.weight.iter().sum::<f32>() / layer.weight.len() as f32;
        assert!(mean.abs() < bound / 4.0, "mean {mean} of weights within {bound}");
    }
}
