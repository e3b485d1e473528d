//! `devices`: the devices that this build and this machine offer, and their speed.

use std::hint::black_box;
use std::time::Instant;

use data::{Part, Workloads};
use model::{Adam, Backend, Codec, DeviceChoice, DeviceKind, Ensemble, NetworkShape, Samples};
use mrdro::training::Training;
use mrdro::{Error, Problem, device_failure};
use serde::Serialize;
use sim::random;

use crate::cli::{DevicesArgs, Format};
use crate::device;
use crate::error::CliError;
use crate::output::{note, print, table};

/// Samples in the buffer from which batches are drawn.
const BUFFER: usize = 1400;
/// The number of timed stretches; the result is their median.
const STRETCHES: usize = 5;
/// The intended length of a stretch, in seconds.
const STRETCH_SECONDS: f64 = 0.2;
/// The most steps in one stretch.
const MAX_STEPS: usize = 500;

#[derive(Serialize)]
struct Row {
    device: String,
    kind: DeviceKind,
    description: String,
}

pub(crate) fn run(args: &DevicesArgs) -> Result<(), CliError> {
    if args.measure {
        return measure(args);
    }
    let row = |Backend { name, kind, description, .. }| Row { device: name, kind, description };
    let rows: Vec<Row> = model::available().into_iter().map(row).collect();
    print(args.format.format, &rows, || {
        let cells = |row: &Row| vec![row.device.clone(), row.kind.to_string(), row.description.clone()];
        table(&["--device", "kind", "description"], rows.iter().map(cells).collect())
    })
}

#[derive(Serialize)]
struct Measurement {
    device: String,
    scenario: String,
    tasks: usize,
    dnns: usize,
    batch: usize,
    step_seconds: f64,
    decision_seconds: f64,
}

fn measure(args: &DevicesArgs) -> Result<(), CliError> {
    device::start_threads(&args.threads)?;
    let devices = measured_devices(args)?;
    let hidden = Training::preset("recommended")?.network.hidden;
    let batch = args.batch as usize;
    let mut measurements = Vec::new();
    for scenario in &args.scenario {
        let networks = TimedNetworks::new(&Problem::load(scenario)?, hidden.clone())?;
        for dnns in args.dnns.iter().map(|&dnns| usize::from(dnns)) {
            for backend in &devices {
                let times = device_failure::catch(backend, || Ok::<_, Error>(networks.times(backend, dnns, batch)));
                let (step_seconds, decision_seconds) = match times {
                    Ok(times) => times,
                    Err(error @ Error::DeviceFailed { .. }) => {
                        note(&format!("K = {dnns} is left out: {error}"));
                        continue;
                    }
                    Err(error) => return Err(error.into()),
                };
                let (device, scenario, tasks) = (backend.name.clone(), scenario.clone(), networks.shape.inputs);
                measurements.push(Measurement { device, scenario, tasks, dnns, batch, step_seconds, decision_seconds });
            }
        }
    }
    print_measurements(args.format.format, &measurements)
}

/// The devices that the command line names, else all that are available.
fn measured_devices(args: &DevicesArgs) -> Result<Vec<Backend>, CliError> {
    if args.device.is_empty() {
        return Ok(model::available());
    }
    let open = |name: &String| -> Result<Backend, CliError> {
        let choice: DeviceChoice = name.parse()?;
        let is_remote = matches!(choice, DeviceChoice::Remote(_));
        let token = if is_remote { device::token(None)? } else { String::new() };
        Ok(choice.open_with(&token)?)
    };
    args.device.iter().map(open).collect()
}

fn print_measurements(format: Format, measurements: &[Measurement]) -> Result<(), CliError> {
    print(format, measurements, || {
        let cells = |row: &Measurement| {
            vec![
                row.scenario.clone(),
                row.tasks.to_string(),
                row.dnns.to_string(),
                row.batch.to_string(),
                row.device.clone(),
                format!("{:.3}", 1e3 * row.step_seconds),
                format!("{:.3}", 1e3 * row.decision_seconds),
            ]
        };
        let header = ["scenario", "tasks", "K", "batch", "--device", "step ms", "decision ms"];
        table(&header, measurements.iter().map(cells).collect())
    })
}

/// The shape of networks and a full buffer, with which training steps and decisions are timed.
struct TimedNetworks {
    codec: Codec,
    shape: NetworkShape,
    samples: Samples,
}

impl TimedNetworks {
    fn new(problem: &Problem, hidden: Vec<usize>) -> Result<Self, CliError> {
        let sampler = problem.sampler()?;
        let codec = Codec::new(Codec::default_code(&problem.model), &problem.model, sampler.moments().into())?;
        let shape = NetworkShape { inputs: codec.inputs(), hidden, outputs: codec.outputs() };
        let mut workloads = Workloads::new(&problem.model, sampler, Part::Training, random::stream(1, "measure"));
        let mut places = random::stream(1, "measured places");
        let mut samples = Samples::with_capacity(shape.inputs, shape.outputs, BUFFER);
        let (mut sizes, mut inputs) = (vec![0.0; shape.inputs], vec![0.0; shape.inputs]);
        let mut targets = vec![0.0; shape.outputs];
        for _ in 0..BUFFER {
            workloads.fill(&mut sizes);
            codec.encode(&problem.model, &sizes, &mut inputs);
            let decision: Vec<u8> =
                (0..shape.inputs).map(|_| random::below(&mut places, problem.model.places()) as u8).collect();
            codec.targets(&sizes, &decision, &mut targets);
            samples.push(&inputs, &targets);
        }
        Ok(Self { codec, shape, samples })
    }

    /// The median times of a training step and of the logits for one workload, in seconds.
    fn times(&self, backend: &Backend, dnns: usize, batch: usize) -> (f64, f64) {
        let ensemble = Ensemble::random(&self.shape, dnns, 1, &backend.device);
        let mut learner = model::learner(&ensemble, self.codec.head(), Adam::default(), &backend.device);
        let mut stream = random::stream(1, "measured batches");
        let indices: Vec<u32> = (0..dnns * batch).map(|_| random::below(&mut stream, BUFFER) as u32).collect();
        let (mut losses, mut logits) = (Vec::new(), Vec::new());
        let row = &self.samples.inputs()[..self.shape.inputs];
        // A device may compute asynchronously; reading the losses of the last step waits for all steps.
        let step = median_seconds(|steps| {
            (1..steps).for_each(|_| learner.step(&self.samples, &indices, None));
            learner.step(&self.samples, &indices, Some(&mut losses));
        });
        let decision = median_seconds(|times| {
            for _ in 0..times {
                learner.logits(row, &mut logits);
                black_box(&logits);
            }
        });
        (step, decision)
    }
}

/// The median time of one repetition, in seconds. `work` repeats something the number of times that its argument says.
fn median_seconds(mut work: impl FnMut(usize)) -> f64 {
    let mut timed = |times: usize| {
        let start = Instant::now();
        work(times);
        start.elapsed().as_secs_f64() / times as f64
    };
    timed(2); // a warm-up: kernels are compiled at their first use
    let one = timed(2);
    let times = ((STRETCH_SECONDS / one) as usize).clamp(1, MAX_STEPS);
    let mut seconds: Vec<f64> = (0..STRETCHES).map(|_| timed(times)).collect();
    seconds.sort_by(f64::total_cmp);
    seconds[STRETCHES / 2]
}
