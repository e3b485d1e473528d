//! The time in which the record `models/paper` decides 100,000 workloads on all threads, called from Rust. The Python package
//! compares itself with it: `python python/benchmarks/speed.py`.

use std::path::Path;
use std::time::Instant;

use data::{Part, SizeSampler, Workloads};
use model::{DeviceChoice, DnnNetworks, Policy, Record};
use sim::random;
use sim::scheme::Scheme;

const COUNT: usize = 100_000;
const REPETITIONS: usize = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let backend = DeviceChoice::Auto.open()?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/paper");
    let record = Record::load(&path, &backend.device)?;
    let networks = record.networks_of::<DnnNetworks>("DNNs", &path)?;
    let model = networks.scenario.check()?;
    let sizes = SizeSampler::new(&networks.scenario)?;
    let mut source = Workloads::new(&model, sizes, Part::Training, random::stream(1, "workloads"));
    let mut sizes_bytes = vec![0.0; COUNT * model.task_count()];
    sizes_bytes.chunks_exact_mut(model.task_count()).for_each(|row| source.fill(row));
    let codec = networks.codec(&model);
    let mut policy = Policy::new("mr-dro", &networks.ensemble, codec, networks.selection, &backend.device);
    let (mut places, mut evaluations) = (vec![0; sizes_bytes.len()], vec![0; COUNT]);
    for _ in 0..REPETITIONS {
        let start = Instant::now();
        policy.decide_batch(&model, &sizes_bytes, &mut places, &mut evaluations)?;
        println!("{}", start.elapsed().as_secs_f64());
    }
    Ok(())
}
