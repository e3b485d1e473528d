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

/// The time of each layer on the device, in seconds. Each repeat goes over all layers, so that a busy moment of the machine
/// hits few times of one layer.
pub(crate) fn layers_here(
    network: &Network,
    slowdown: usize,
    repeats: usize,
    here: &Device,
) -> Result<Vec<f64>, Failure> {
    let layers = network.on(here);
    let inputs = inputs(&layers, network.image(1, here));
    let mut times_s = vec![Vec::with_capacity(repeats); layers.len()];
    for repeat in 0..=repeats {
        for (index, (layer, input)) in layers.iter().zip(&inputs).enumerate() {
            let begin = Instant::now();
            run_slowly(layer, input.clone(), slowdown);
            here.sync()?;
            // The first round warms up.
            if repeat > 0 {
                times_s[index].push(begin.elapsed().as_secs_f64());
            }
        }
    }
    Ok(times_s.into_iter().map(|times_s| Timing::of(times_s).median_s).collect())
}

/// The time of each layer on the worker, in seconds, over a connection that is as fast as it can be.
pub(crate) fn layers_there(network: &Network, repeats: usize, worker: &Device) -> Result<Vec<f64>, Failure> {
    let layers = network.on(worker);
    let inputs = inputs(&layers, network.image(1, worker));
    let wait_s = timed(repeats, || Ok(worker.sync()?))?.median_s;
    let mut times_s = vec![Vec::with_capacity(repeats); layers.len()];
    for repeat in 0..=repeats {
        for (index, (layer, input)) in layers.iter().zip(&inputs).enumerate() {
            let begin = Instant::now();
            for _ in 0..EXECUTIONS {
                layer.forward(input.clone());
            }
            worker.sync()?;
            if repeat > 0 {
                times_s[index].push((begin.elapsed().as_secs_f64() - wait_s).max(1e-9) / EXECUTIONS as f64);
            }
        }
    }
    Ok(times_s.into_iter().map(|times_s| Timing::of(times_s).median_s).collect())
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
#[derive(Debug)]
pub(crate) struct Sides<'s> {
    pub(crate) here: &'s Device,
    /// The worker behind the link.
    pub(crate) far: &'s Device,
    pub(crate) slowdown: usize,
}

/// Measures every cut, from no layer here to all. Each repeat goes over all cuts. The weights are at the worker before.
///
/// # Errors
/// If the device or the worker fails, or the result of a cut is not that of the device alone.
pub(crate) fn cuts(
    network: &Network,
    link: &ThrottledLink,
    sides: &Sides<'_>,
    repeats: usize,
) -> Result<Vec<MeasuredCut>, Failure> {
    let Sides { here, far, slowdown } = *sides;
    let (near, remote) = (network.on(here), network.on(far));
    far.sync()?;
    let image = network.image(1, here);
    let run = |on_device: usize| -> Result<Vec<f32>, Failure> {
        let mut tensor = image.clone();
        for layer in &near[..on_device] {
            tensor = run_slowly(layer, tensor, slowdown);
        }
        if on_device < remote.len() {
            tensor = tensor.to_device(far);
            for layer in &remote[on_device..] {
                tensor = layer.forward(tensor);
            }
        }
        Ok(tensor.try_into_data()?.try_to_vec::<f32>()?)
    };
    let expected = run(near.len())?;
    let mut times_s = vec![Vec::with_capacity(repeats); near.len() + 1];
    let mut bytes = Vec::new();
    for repeat in 0..=repeats {
        for (on_device, times_s) in times_s.iter_mut().enumerate() {
            let before = link.bytes();
            let begin = Instant::now();
            let found = run(on_device)?;
            let took_s = begin.elapsed().as_secs_f64();
            if repeat == 0 {
                check_result(on_device, &found, &expected)?;
                far.sync()?;
                continue;
            }
            times_s.push(took_s);
            if repeat == 1 {
                bytes.push(difference(link.bytes(), before));
            }
        }
    }
    let cuts = times_s.into_iter().zip(bytes);
    Ok(cuts.map(|(times_s, bytes)| MeasuredCut { timing: Timing::of(times_s), bytes }).collect())
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
