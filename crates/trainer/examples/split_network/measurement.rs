//! Times of layers, of transfers and of whole cuts, as they are.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use burn::tensor::server::{RemoteServer, WebSocketTransport};
use burn::tensor::{Device, Tensor, TensorData};
use model::DeviceChoice;
use tokio::runtime::Runtime;

use crate::Failure;
use crate::link::{LinkBytes, ThrottledLink};
use crate::network::{BYTES_PER_NUMBER, Layer, Network};

/// Executions of a layer on the worker between two waits for it, so that waiting hardly counts.
const EXECUTIONS: usize = 4;
/// The shortest time of these executions that is believed, in seconds.
const SHORTEST_S: f64 = 1e-9;
/// Numbers in the tensor by which the time of a byte beyond that of the link is measured.
const LARGE_TENSOR: usize = 1 << 18;
/// The largest difference between results, relative to the largest number of the result.
const TOLERANCE: f32 = 1e-4;

/// A worker in this process, as `trainer worker` is one of its own. It ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Worker {
    address: SocketAddr,
    /// `None`: the server has ended.
    runtime: Option<Runtime>,
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Ends the server and with it the sessions.
            runtime.shutdown_timeout(Duration::from_secs(1));
        }
    }
}

impl Worker {
    /// Serves a device at an address of this machine that the system picks.
    pub(crate) fn start(device: Device) -> Result<Self, Failure> {
        let listener = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let serving = RemoteServer::new([device]).serve_async(WebSocketTransport::from_listener(listener));
        runtime.spawn(serving);
        Ok(Self { address, runtime: Some(runtime) })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Connects to the device of a worker.
pub(crate) fn connect(address: SocketAddr) -> Result<Device, Failure> {
    let choice: DeviceChoice = format!("remote:{address}").parse()?;
    Ok(choice.open()?.device)
}

/// The median of some times with the least and the greatest, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::struct_field_names, reason = "units stand in names")]
pub(crate) struct Timing {
    pub(crate) median_s: f64,
    pub(crate) least_s: f64,
    pub(crate) greatest_s: f64,
}

impl Timing {
    /// # Panics
    /// If there is no time.
    pub(crate) fn of(mut times_s: Vec<f64>) -> Self {
        times_s.sort_by(f64::total_cmp);
        let count = times_s.len();
        let median_s = f64::midpoint(times_s[(count - 1) / 2], times_s[count / 2]);
        Self { median_s, least_s: times_s[0], greatest_s: times_s[count - 1] }
    }
}

/// The time of something, after it was done once without being timed.
fn timed(repeats: usize, mut work: impl FnMut() -> Result<(), Failure>) -> Result<Timing, Failure> {
    work()?;
    let mut times_s = Vec::with_capacity(repeats);
    for _ in 0..repeats {
        let begin = Instant::now();
        work()?;
        times_s.push(begin.elapsed().as_secs_f64());
    }
    Ok(Timing::of(times_s))
}

/// Runs a layer as a device does that is `slowdown` times slower: that many times, of which the last counts.
fn run_slowly(layer: &Layer, input: Tensor<4>, slowdown: usize) -> Tensor<4> {
    for _ in 1..slowdown {
        layer.forward(input.clone());
    }
    layer.forward(input)
}

/// The input of each layer.
fn inputs(layers: &[Layer], image: Tensor<4>) -> Vec<Tensor<4>> {
    let mut all = vec![image];
    for layer in &layers[..layers.len() - 1] {
        let next = layer.forward(all[all.len() - 1].clone());
        all.push(next);
    }
    all
}

/// The layers of a network on one side, and the times that they took so far.
#[derive(Debug)]
pub(crate) struct LayerTimes<'d> {
    layers: Vec<Layer>,
    inputs: Vec<Tensor<4>>,
    device: &'d Device,
    times_s: Vec<Vec<f64>>,
}

impl<'d> LayerTimes<'d> {
    pub(crate) fn new(network: &Network, device: &'d Device) -> Self {
        let layers = network.on(device);
        let inputs = inputs(&layers, network.image(1, device));
        let times_s = vec![Vec::new(); layers.len()];
        Self { layers, inputs, device, times_s }
    }

    /// Times each layer once, on a device that is `slowdown` times slower.
    pub(crate) fn time_here(&mut self, slowdown: usize) -> Result<(), Failure> {
        for (index, (layer, input)) in self.layers.iter().zip(&self.inputs).enumerate() {
            let begin = Instant::now();
            run_slowly(layer, input.clone(), slowdown);
            self.device.sync()?;
            self.times_s[index].push(begin.elapsed().as_secs_f64());
        }
        Ok(())
    }

    /// Times each layer some times on a worker, without the time that it takes to wait for an idle worker.
    pub(crate) fn time_there(&mut self) -> Result<(), Failure> {
        for (index, (layer, input)) in self.layers.iter().zip(&self.inputs).enumerate() {
            let begin = Instant::now();
            self.device.sync()?;
            let wait_s = begin.elapsed().as_secs_f64();
            let begin = Instant::now();
            for _ in 0..EXECUTIONS {
                layer.forward(input.clone());
            }
            self.device.sync()?;
            let took_s = begin.elapsed().as_secs_f64() - wait_s;
            self.times_s[index].push(took_s.max(SHORTEST_S) / EXECUTIONS as f64);
        }
        Ok(())
    }

    /// Forgets all times: they were those of a machine that was not warm.
    pub(crate) fn forget(&mut self) {
        self.times_s.iter_mut().for_each(Vec::clear);
    }

    /// The median time of each layer, in seconds.
    ///
    /// # Panics
    /// If nothing was timed.
    pub(crate) fn medians_s(&self) -> Vec<f64> {
        self.times_s.iter().map(|times_s| Timing::of(times_s.clone()).median_s).collect()
    }
}

/// What the way to the worker costs beyond the bytes of tensors at the rates of the link.
#[derive(Debug, Clone)]
pub(crate) struct Overhead {
    /// The time to send a single number and read it back over the link, in seconds: two latencies, and what the protocol
    /// does for each message.
    pub(crate) round_trip_s: f64,
    /// The bytes of that on the link.
    pub(crate) round_trip_bytes: LinkBytes,
    /// The time that the protocol takes for each byte of a tensor to the worker and from it, in seconds, however fast the
    /// link is: tensors are copied and coded.
    pub(crate) up_s_per_byte: f64,
    pub(crate) down_s_per_byte: f64,
    /// The bytes by which each layer is described to the worker when it runs.
    pub(crate) layer_bytes: Vec<f64>,
}

/// Measures the overhead: times of single numbers and bytes over the link, times of bytes over the direct connection.
pub(crate) fn overhead(
    network: &Network,
    link: &ThrottledLink,
    [far, direct]: [&Device; 2],
    repeats: usize,
) -> Result<Overhead, Failure> {
    let there_and_back = |device: &Device| -> Result<(), Failure> {
        Tensor::<1>::from_data(TensorData::new(vec![1.0_f32], [1]), device).try_into_data()?;
        Ok(())
    };
    let round_trip_s = timed(repeats, || there_and_back(far))?.median_s;
    let before = link.bytes();
    there_and_back(far)?;
    let round_trip_bytes = difference(link.bytes(), before);

    let numbers = || TensorData::new(vec![1.0_f32; LARGE_TENSOR], [LARGE_TENSOR]);
    let bytes = (LARGE_TENSOR * BYTES_PER_NUMBER) as f64;
    let wait_s = timed(repeats, || Ok(direct.sync()?))?.median_s;
    let up = timed(repeats, || {
        let _tensor = Tensor::<1>::from_data(numbers(), direct);
        Ok(direct.sync()?)
    })?;
    let tensor = Tensor::<1>::from_data(numbers(), direct);
    let down = timed(repeats, || {
        tensor.clone().try_into_data()?;
        Ok(())
    })?;
    let per_byte = |timing: Timing| (timing.median_s - wait_s).max(0.0) / bytes;

    let layers = network.on(far);
    let inputs = inputs(&layers, network.image(1, far));
    let sent = |work: &dyn Fn()| -> Result<f64, Failure> {
        far.sync()?;
        let before = link.bytes();
        work();
        far.sync()?;
        Ok(difference(link.bytes(), before).up as f64)
    };
    let waiting = sent(&|| {})?;
    let mut layer_bytes = Vec::with_capacity(layers.len());
    for (layer, input) in layers.iter().zip(&inputs) {
        // Some of what is said about a layer is said the first time only.
        layer.forward(input.clone());
        layer_bytes.push((sent(&|| drop(layer.forward(input.clone())))? - waiting).max(0.0));
    }
    Ok(Overhead {
        round_trip_s,
        round_trip_bytes,
        up_s_per_byte: per_byte(up),
        down_s_per_byte: per_byte(down),
        layer_bytes,
    })
}

fn difference(after: LinkBytes, before: LinkBytes) -> LinkBytes {
    LinkBytes { up: after.up - before.up, down: after.down - before.down }
}

/// A cut as it was measured: the first layers here, the others on the worker behind the link.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MeasuredCut {
    pub(crate) timing: Timing,
    /// The bytes of one run on the link.
    pub(crate) bytes: LinkBytes,
}

/// The two sides of a cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sides<'s> {
    pub(crate) here: &'s Device,
    /// The worker behind the link.
    pub(crate) far: &'s Device,
    pub(crate) link: &'s ThrottledLink,
    pub(crate) slowdown: usize,
}

/// Every cut of a network, from no layer here to all, and the times that they took so far.
#[derive(Debug)]
pub(crate) struct Cuts<'s> {
    sides: Sides<'s>,
    near: Vec<Layer>,
    remote: Vec<Layer>,
    image: Tensor<4>,
    times_s: Vec<Vec<f64>>,
    bytes: Vec<LinkBytes>,
}

impl<'s> Cuts<'s> {
    /// Brings the weights to both sides, and runs every cut once.
    ///
    /// # Errors
    /// If the device or the worker fails, or the result of a cut is not that of the device alone.
    pub(crate) fn new(network: &Network, sides: Sides<'s>) -> Result<Self, Failure> {
        let (near, remote) = (network.on(sides.here), network.on(sides.far));
        let times_s = vec![Vec::new(); near.len() + 1];
        let image = network.image(1, sides.here);
        let mut cuts = Self { sides, near, remote, image, times_s, bytes: Vec::new() };
        let expected = cuts.run(cuts.near.len())?;
        for on_device in 0..=cuts.near.len() {
            check_result(on_device, &cuts.run(on_device)?, &expected)?;
        }
        // Once more for the bytes: some of what is said about a layer is said the first time only.
        for on_device in 0..=cuts.near.len() {
            sides.far.sync()?;
            let before = sides.link.bytes();
            cuts.run(on_device)?;
            cuts.bytes.push(difference(sides.link.bytes(), before));
        }
        Ok(cuts)
    }

    /// Times every cut once.
    pub(crate) fn time(&mut self) -> Result<(), Failure> {
        for on_device in 0..=self.near.len() {
            let begin = Instant::now();
            self.run(on_device)?;
            self.times_s[on_device].push(begin.elapsed().as_secs_f64());
        }
        Ok(())
    }

    /// All cuts with what was measured.
    ///
    /// # Panics
    /// If nothing was timed.
    pub(crate) fn measured(&self) -> Vec<MeasuredCut> {
        let cut = |(times_s, bytes): (&Vec<f64>, &LinkBytes)| MeasuredCut {
            timing: Timing::of(times_s.clone()),
            bytes: *bytes,
        };
        self.times_s.iter().zip(&self.bytes).map(cut).collect()
    }

    /// The network's answer with the first layers on the device.
    fn run(&self, on_device: usize) -> Result<Vec<f32>, Failure> {
        let mut tensor = self.image.clone();
        for layer in &self.near[..on_device] {
            tensor = run_slowly(layer, tensor, self.sides.slowdown);
        }
        if on_device < self.remote.len() {
            tensor = tensor.to_device(self.sides.far);
            for layer in &self.remote[on_device..] {
                tensor = layer.forward(tensor);
            }
        }
        Ok(tensor.try_into_data()?.try_to_vec::<f32>()?)
    }
}

fn check_result(on_device: usize, found: &[f32], expected: &[f32]) -> Result<(), Failure> {
    let largest = expected.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let differs = |(a, b): (&f32, &f32)| (a - b).abs() > TOLERANCE * largest || !a.is_finite();
    if found.len() == expected.len() && !found.iter().zip(expected).any(differs) {
        return Ok(());
    }
    Err(ResultDiffers { on_device }.into())
}

/// The two parts of a network do not compute what the whole does.
#[derive(Debug, thiserror::Error)]
#[error(
    "with {on_device} layers on the device and the others on the worker the result is not that of the device alone"
)]
pub(crate) struct ResultDiffers {
    on_device: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let timing = Timing::of(vec![3.0, 1.0, 10.0]);
        assert_eq!((timing.least_s, timing.median_s, timing.greatest_s), (1.0, 3.0, 10.0));
        assert_eq!(Timing::of(vec![4.0, 1.0, 2.0, 8.0]).median_s, 3.0);
    }

    #[test]
    fn results_that_differ_are_an_error() {
        assert!(check_result(3, &[1.0, -2.0], &[1.0, -2.000_01]).is_ok());
        for found in [&[1.0, -2.1][..], &[1.0], &[1.0, f32::NAN]] {
            let error = check_result(3, found, &[1.0, -2.0]).expect_err("it differs").to_string();
            assert!(error.starts_with("with 3 layers on the device"), "{error}");
        }
    }
}
