//! Means by simulation, exact up to its randomness.

use rayon::prelude::*;

use super::formula::means;
use super::{DelayedError, DelayedLink, DelayedMeans, DelayedModel, DelayedPolicy};
use crate::random;
use crate::stream::formulas::QueueError;
use crate::stream::{ArrivalProcess, MarkovRates, RateCursor, RatePath, RateProcess};

/// The fewest files of which the load of the cellular link is judged.
const FEWEST_TO_JUDGE: usize = 1_000;

/// A file, and the number that decides about its link where files are split by chance.
struct File {
    arrival_s: f64,
    bytes: f64,
    chance: f64,
}

/// Simulates some files, of which the first tenth is left out of the means. Equal seeds have equal files and equal times of WiFi
/// under all policies.
///
/// # Errors
/// If a number makes no sense, no file is counted, or a queue grows without end. That is known beforehand but for deadlines with
/// sizes that are not exponential: there it is an error if more bytes came to the cellular link than it could send until the
/// last arrival.
pub fn simulate(
    model: &DelayedModel,
    policy: &DelayedPolicy,
    seed: u64,
    files: usize,
) -> Result<DelayedMeans, DelayedError> {
    check(model, policy, files)?;
    run(model, policy, seed, files)
}

/// [`simulate`] for each of these seeds, in parallel; the result has the order of the seeds.
///
/// # Errors
/// As [`simulate`].
pub fn simulate_seeds(
    model: &DelayedModel,
    policy: &DelayedPolicy,
    seeds: &[u64],
    files: usize,
) -> Result<Vec<DelayedMeans>, DelayedError> {
    check(model, policy, files)?;
    seeds.par_iter().map(|seed| run(model, policy, *seed, files)).collect()
}

fn check(model: &DelayedModel, policy: &DelayedPolicy, files: usize) -> Result<(), DelayedError> {
    model.check(policy)?;
    if files == 0 {
        return Err(DelayedError::Nothing("file"));
    }
    match means(model, policy) {
        Ok(_) | Err(DelayedError::SizesNotExponential | DelayedError::OutOfRange { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

fn run(model: &DelayedModel, policy: &DelayedPolicy, seed: u64, files: usize) -> Result<DelayedMeans, DelayedError> {
    let all = draw_files(model, seed, files);
    let cycle_s = model.wifi.mean_on_s + model.wifi.mean_off_s;
    // Behind the last arrival there is room for the queue to empty; what is later counts for nothing but a few files.
    let end_s = all.last().map_or(0.0, |file| 1.1 * file.arrival_s) + 100.0 * cycle_s;
    let mut links = Links::new(model, wifi_path(model, seed, end_s));
    let warm_up = files / 10;
    let (mut energy_j, mut response_s, mut cellular, mut cellular_s) = (0.0, 0.0, 0.0, 0.0);
    for (index, file) in all.iter().enumerate() {
        let deadline_s = match *policy {
            DelayedPolicy::Deadline { deadline_s } => deadline_s,
            DelayedPolicy::Split { wifi_share } if file.chance < wifi_share => f64::INFINITY,
            DelayedPolicy::Split { .. } => 0.0,
        };
        let sent = links.send(file, deadline_s);
        cellular_s += sent.cellular_bytes / model.cellular_link.bytes_per_s;
        if index >= warm_up {
            energy_j += per_byte_j(&model.wifi_link) * (file.bytes - sent.cellular_bytes)
                + per_byte_j(&model.cellular_link) * sent.cellular_bytes;
            response_s += sent.end_s - file.arrival_s;
            cellular += f64::from(sent.cellular_bytes > 0.0);
        }
    }
    // Of few files, chance may be the reason.
    let utilisation = cellular_s / all.last().map_or(f64::INFINITY, |file| file.arrival_s);
    if utilisation >= 1.0 && files >= FEWEST_TO_JUDGE {
        return Err(DelayedError::Queue { link: "the cellular link", error: QueueError::Unstable { utilisation } });
    }
    let count = (files - warm_up) as f64;
    Ok(DelayedMeans { energy_j: energy_j / count, response_s: response_s / count, cellular_share: cellular / count })
}

fn per_byte_j(link: &DelayedLink) -> f64 {
    link.power_w / link.bytes_per_s
}

fn draw_files(model: &DelayedModel, seed: u64, files: usize) -> Vec<File> {
    let mut random = random::stream(seed, "delayed/files");
    let mut all = Vec::with_capacity(files);
    ArrivalProcess::Poisson.draw(model.files_per_s, &mut random, |arrival_s, random| {
        all.push(File { arrival_s, bytes: model.sizes.draw(random), chance: random::unit(random) });
        all.len() < files
    });
    all
}

fn wifi_path(model: &DelayedModel, seed: u64, end_s: f64) -> RatePath {
    let mut random = random::stream(seed, "delayed/wifi");
    let rates = [model.wifi_link.bytes_per_s, 0.0];
    let chain = MarkovRates::new(&rates, &[model.wifi.mean_on_s, model.wifi.mean_off_s], None);
    chain.map_or_else(|_| RatePath::constant(rates[0]), |chain| RateProcess::Markov(chain).draw(end_s, &mut random))
}

/// When the last byte of a file was sent, and the bytes that went over the cellular link.
struct Sent {
    end_s: f64,
    cellular_bytes: f64,
}

/// Both queues, of files in the order of their arrival: files under one policy reach each link in that order.
struct Links {
    wifi: RatePath,
    begin: RateCursor,
    deadline: RateCursor,
    end: RateCursor,
    wifi_free_s: f64,
    cellular_free_s: f64,
    cellular_bytes_per_s: f64,
}

impl Links {
    fn new(model: &DelayedModel, wifi: RatePath) -> Self {
        Self {
            wifi,
            begin: RateCursor::default(),
            deadline: RateCursor::default(),
            end: RateCursor::default(),
            wifi_free_s: 0.0,
            cellular_free_s: 0.0,
            cellular_bytes_per_s: model.cellular_link.bytes_per_s,
        }
    }

    fn send(&mut self, file: &File, deadline_s: f64) -> Sent {
        let mut cellular_bytes = file.bytes;
        let leaves_s = file.arrival_s + deadline_s;
        if deadline_s > 0.0 {
            let begin_s = self.wifi_free_s.max(file.arrival_s);
            let before = self.wifi.bytes_until(&mut self.begin, begin_s);
            let possible = if deadline_s.is_infinite() {
                f64::INFINITY
            } else {
                self.wifi.bytes_until(&mut self.deadline, leaves_s) - before
            };
            if possible >= file.bytes {
                let end_s = self.wifi.time_of(&mut self.end, before + file.bytes).max(begin_s);
                self.wifi_free_s = end_s;
                return Sent { end_s, cellular_bytes: 0.0 };
            }
            self.wifi_free_s = leaves_s;
            cellular_bytes -= possible.max(0.0);
        }
        let begin_s = self.cellular_free_s.max(leaves_s);
        self.cellular_free_s = begin_s + cellular_bytes / self.cellular_bytes_per_s;
        Sent { end_s: self.cellular_free_s, cellular_bytes }
    }
}
