//! One course of arrivals and rates, shared by all schemes that are compared.

use super::error::SlotProblemError;
use super::problem::{EnergyUnit, Load, SlotProblem};
use crate::random;
use crate::stream::{RateCursor, RatePath, RateProcess};

/// Time constant of the recent mean rate, in seconds.
const RECENT_S: f64 = 30.0;

/// A file that arrives at the beginning of a slot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FileArrival {
    /// The slot.
    pub slot: usize,
    /// The application it belongs to.
    pub application: usize,
    /// Its size.
    pub bytes: f64,
}

/// Rates of all links in all slots, the files that arrive, and the prices of the cost on this path.
#[derive(Debug, Clone, PartialEq)]
pub struct SlotPath {
    problem: SlotProblem,
    slots: usize,
    /// `[slots, links]`, in bytes per second.
    rates: Vec<f64>,
    /// `[slots, links]`: exponentially weighted mean up to and including the slot.
    recent: Vec<f64>,
    files: Vec<FileArrival>,
    loads: Vec<f64>,
    mean_rates: Vec<f64>,
    prices: SlotPrices,
}

/// What makes up the cost of a run on a path: cost = `per_joule` · energy + `per_byte_s` · ∫ backlog dt +
/// `per_late_file` · missed deadlines.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlotPrices {
    /// α over the number of files, and over the unit of energy.
    pub per_joule: f64,
    /// (1 − α) over all arrived bytes: by Little's law, the integral over arrived bytes is the mean delay of a byte.
    pub per_byte_s: f64,
    /// The price of a late file over the number of files.
    pub per_late_file: f64,
    /// The energy charged for a byte that is left at the end or dropped, in J.
    pub left_j_per_byte: f64,
}

impl SlotPath {
    /// A path of given rates (`[slots, links]`, bytes per second: means over each slot) and files in order of their
    /// slots. The mean rates of the links, and loads that are shares of them, are those of the path itself.
    ///
    /// # Errors
    /// If a rate or file makes no sense.
    pub fn new(problem: &SlotProblem, rates: Vec<f64>, files: Vec<FileArrival>) -> Result<Self, SlotProblemError> {
        let means = means(&rates, problem);
        Self::with_means(problem, rates, files, means)
    }

    fn with_means(
        problem: &SlotProblem,
        rates: Vec<f64>,
        files: Vec<FileArrival>,
        mean_rates: Vec<f64>,
    ) -> Result<Self, SlotProblemError> {
        let links = problem.links();
        let wrong = |rate: &f64| !(*rate >= 0.0 && rate.is_finite());
        if let Some(index) = rates.iter().position(wrong) {
            return Err(SlotProblemError::Rates { index, value: rates[index] });
        }
        if rates.is_empty() || !rates.len().is_multiple_of(links) {
            return Err(SlotProblemError::Rates { index: rates.len(), value: f64::NAN });
        }
        let slots = rates.len() / links;
        for (index, file) in files.iter().enumerate() {
            let FileArrival { slot, application, bytes } = *file;
            let is_early = index > 0 && files[index - 1].slot > slot;
            let is_positive = bytes > 0.0 && bytes.is_finite();
            if is_early || !is_positive || slot >= slots || application >= problem.applications() {
                return Err(SlotProblemError::File { index, slot, application, bytes });
            }
        }
        let recent = recent_means(&rates, links, problem.settings().slot_s);
        let loads = loads(problem, &mean_rates);
        let prices = prices(problem, &files, &mean_rates);
        Ok(Self { problem: problem.clone(), slots, rates, recent, files, loads, mean_rates, prices })
    }

    /// The problem.
    pub fn problem(&self) -> &SlotProblem {
        &self.problem
    }

    /// The number of slots.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// The mean rate of each link in a slot, in bytes per second.
    pub fn rates(&self, slot: usize) -> &[f64] {
        let links = self.mean_rates.len();
        &self.rates[slot * links..][..links]
    }

    /// The mean rate of each link over the last 30 s or so, the slot included, in bytes per second.
    pub fn recent_rates(&self, slot: usize) -> &[f64] {
        let links = self.mean_rates.len();
        &self.recent[slot * links..][..links]
    }

    /// The rates of all slots, `[slots, links]`, in bytes per second.
    pub fn all_rates(&self) -> &[f64] {
        &self.rates
    }

    /// The files, in order of their arrival.
    pub fn files(&self) -> &[FileArrival] {
        &self.files
    }

    /// The bytes of all files.
    pub fn arrived_bytes(&self) -> f64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// The expected bytes per second of each application.
    pub fn loads(&self) -> &[f64] {
        &self.loads
    }

    /// The expected bytes per second of all applications.
    pub fn load(&self) -> f64 {
        self.loads.iter().sum()
    }

    /// The mean rate of each link, in bytes per second: that of its process, or of its recording where the path goes
    /// over whole recordings.
    pub fn mean_rates(&self) -> &[f64] {
        &self.mean_rates
    }

    /// The prices of the cost.
    pub fn prices(&self) -> SlotPrices {
        self.prices
    }

    /// The energy in J that is worth a byte that waits a second; infinite if energy has no weight.
    pub fn delay_price_j_per_byte_s(&self) -> f64 {
        self.prices.per_byte_s / self.prices.per_joule
    }

    /// The first slot in which schemes are made to send. The forced slots are at most a quarter of the path.
    pub fn flush_from(&self) -> usize {
        self.slots - self.problem.flush_slots(self.slots)
    }
}

impl SlotProblem {
    fn whole_slots(&self, seconds: f64) -> usize {
        (seconds / self.settings().slot_s).ceil() as usize
    }

    /// Slots without arrivals at the end: at most half of the path.
    fn quiet_slots(&self, slots: usize) -> usize {
        self.whole_slots(self.settings().quiet_s).min(slots / 2)
    }

    fn flush_slots(&self, slots: usize) -> usize {
        self.whole_slots(self.settings().flush_s).min(slots / 4)
    }

    /// Path number `index` of a seed. A recorded link begins anywhere in one of its recordings.
    ///
    /// # Panics
    /// Never: what is drawn from a checked problem makes sense.
    pub fn path(&self, seed: u64, index: usize) -> SlotPath {
        let settings = self.settings();
        let length_s = settings.slots as f64 * settings.slot_s;
        let paths: Vec<RatePath> = (settings.links.iter().enumerate())
            .map(|(link, of)| {
                let mut random = random::stream_of(seed, "slots/rates", &[index as f64, link as f64]);
                of.rates.draw(length_s, &mut random)
            })
            .collect();
        let means = settings.links.iter().map(|link| link.rates.mean_bytes_per_s()).collect();
        self.drawn(&paths, means, settings.slots, seed, &[index as f64])
    }

    /// Paths over the whole of each recording, from its beginning to its end, `draws` of each: first all draws of the
    /// first recording. Recordings of several links belong together by their position.
    ///
    /// # Errors
    /// If no link is recorded, or two of them have different numbers of recordings.
    pub fn recorded_paths(&self, seed: u64, draws: usize) -> Result<Vec<SlotPath>, SlotProblemError> {
        let settings = self.settings();
        let recordings = |rates: &RateProcess| match rates {
            RateProcess::Recorded(recorded) => Some(recorded.drives().len()),
            _ => None,
        };
        let expected = settings.links.iter().find_map(|link| recordings(&link.rates)).unwrap_or(0);
        let fits = |rates: &RateProcess| recordings(rates).is_none_or(|count| count == expected);
        if let Some(link) = settings.links.iter().find(|link| expected == 0 || !fits(&link.rates)) {
            let found = recordings(&link.rates).unwrap_or(0);
            return Err(SlotProblemError::Recordings { name: link.name.clone(), found, expected });
        }
        let mut paths = Vec::with_capacity(expected * draws);
        for drive in 0..expected {
            let length_s = settings.links.iter().filter_map(|link| recorded_length_s(&link.rates, drive));
            let length_s = length_s.fold(f64::INFINITY, f64::min);
            let slots = ((length_s / settings.slot_s + 1e-9) as usize).max(1);
            for draw in 0..draws {
                let rates: Vec<RatePath> = (settings.links.iter().enumerate())
                    .map(|(link, of)| match &of.rates {
                        RateProcess::Recorded(recorded) => recorded.path(drive, 0, length_s),
                        process => {
                            let key = [drive as f64, draw as f64, link as f64];
                            process.draw(length_s, &mut random::stream_of(seed, "slots/rates", &key))
                        }
                    })
                    .collect();
                let means = rates.iter().map(|path| mean_of(path, length_s)).collect();
                paths.push(self.drawn(&rates, means, slots, seed, &[drive as f64, draw as f64]));
            }
        }
        Ok(paths)
    }

    fn drawn(&self, links: &[RatePath], means: Vec<f64>, slots: usize, seed: u64, key: &[f64]) -> SlotPath {
        let settings = self.settings();
        let mut rates = vec![0.0; slots * links.len()];
        for (link, path) in links.iter().enumerate() {
            for (slot, bytes) in path.slots(settings.slot_s, slots).into_iter().enumerate() {
                rates[slot * links.len() + link] = (bytes / settings.slot_s).max(0.0);
            }
        }
        // A recording without any rate above 0 would make the load 0.
        let positive = |(link, mean): (usize, f64)| match mean {
            mean if mean > 0.0 => mean,
            _ => settings.links[link].rates.mean_bytes_per_s(),
        };
        let means: Vec<f64> = means.into_iter().enumerate().map(positive).collect();
        let until_s = (slots - self.quiet_slots(slots)) as f64 * settings.slot_s;
        let mut files = Vec::new();
        for (application, (of, load)) in settings.applications.iter().zip(loads(self, &means)).enumerate() {
            let key: Vec<f64> = key.iter().copied().chain([application as f64]).collect();
            let mut random = random::stream_of(seed, "slots/arrivals", &key);
            of.arrivals.draw(load / of.sizes.mean(), &mut random, |time_s, random| {
                if time_s >= until_s {
                    return false;
                }
                let slot = ((time_s / settings.slot_s) as usize).min(slots - 1);
                files.push(FileArrival { slot, application, bytes: of.sizes.draw(random) });
                true
            });
        }
        files.sort_by_key(|file| file.slot);
        Self::checked(SlotPath::with_means(self, rates, files, means))
    }

    fn checked(path: Result<SlotPath, SlotProblemError>) -> SlotPath {
        path.unwrap_or_else(|error| unreachable!("a drawn path makes sense: {error}"))
    }
}

fn recorded_length_s(rates: &RateProcess, drive: usize) -> Option<f64> {
    match rates {
        RateProcess::Recorded(recorded) => Some(recorded.drives()[drive].len() as f64 * recorded.window_s()),
        _ => None,
    }
}

fn mean_of(path: &RatePath, length_s: f64) -> f64 {
    path.bytes_until(&mut RateCursor::default(), length_s) / length_s
}

fn means(rates: &[f64], problem: &SlotProblem) -> Vec<f64> {
    let links = problem.links();
    let of = |link: usize| {
        let sum: f64 = rates.iter().skip(link).step_by(links).sum();
        let mean = sum / (rates.len() / links).max(1) as f64;
        if mean > 0.0 { mean } else { problem.settings().links[link].rates.mean_bytes_per_s() }
    };
    (0..links).map(of).collect()
}

fn loads(problem: &SlotProblem, mean_rates: &[f64]) -> Vec<f64> {
    let total: f64 = mean_rates.iter().sum();
    let of = problem.settings().applications.iter().map(|application| match application.load {
        Load::FilesPerSecond(rate) => rate * application.sizes.mean(),
        Load::Share(share) => share * total,
    });
    of.collect()
}

fn prices(problem: &SlotProblem, files: &[FileArrival], mean_rates: &[f64]) -> SlotPrices {
    let settings = problem.settings();
    let energy = settings.links.iter().zip(mean_rates).map(|(link, mean)| link.power_w / mean);
    let j_per_byte = energy.fold(f64::INFINITY, f64::min);
    let count = files.len().max(1) as f64;
    let bytes: f64 = files.iter().map(|file| file.bytes).sum();
    // Without files everything costs 0, whatever the prices.
    let bytes = if bytes > 0.0 { bytes } else { 1.0 };
    let unit_j = match settings.energy_unit {
        EnergyUnit::Joules => 1.0,
        EnergyUnit::FileAtMeanRate => j_per_byte * bytes / count,
    };
    SlotPrices {
        per_joule: settings.alpha / (count * unit_j),
        per_byte_s: (1.0 - settings.alpha) / bytes,
        per_late_file: settings.late_price / count,
        left_j_per_byte: settings.left_factor * j_per_byte,
    }
}

fn recent_means(rates: &[f64], links: usize, slot_s: f64) -> Vec<f64> {
    let keep = (-slot_s / RECENT_S).exp();
    let (mut sums, mut weight) = (vec![0.0; links], 0.0);
    let mut recent = Vec::with_capacity(rates.len());
    for now in rates.chunks(links) {
        weight = weight * keep + 1.0;
        for (sum, rate) in sums.iter_mut().zip(now) {
            *sum = *sum * keep + rate;
            recent.push(*sum / weight);
        }
    }
    recent
}

#[cfg(test)]
mod tests {
    use super::super::testing::{problem, settings};
    use super::*;
    use crate::stream::RecordedRates;

    #[test]
    fn equal_seeds_draw_equal_paths_and_paths_differ() {
        let problem = problem();
        assert_eq!(problem.path(1, 3), problem.path(1, 3));
        assert_ne!(problem.path(1, 3), problem.path(1, 4));
        assert_ne!(problem.path(1, 3), problem.path(2, 3));
    }

    #[test]
    fn nothing_arrives_in_the_last_seconds_and_the_load_is_the_one_asked_for() {
        let mut settings = settings();
        settings.slots = 200_000;
        let problem = SlotProblem::new(settings).expect("valid");
        let path = problem.path(1, 0);
        let last = path.files().last().expect("files").slot;
        assert!(last < 200_000 - 300, "{last}");
        // About 12,000 files: the standard deviation of their number is 0.9 %.
        let load = path.arrived_bytes() / (200_000.0 - 300.0);
        assert!((load / path.load() - 1.0).abs() < 0.05, "{load} {}", path.load());
        assert!((path.load() - 0.3 * path.mean_rates()[0]).abs() < 1e-6);
    }

    #[test]
    fn recorded_paths_go_over_whole_recordings() {
        let mut settings = settings();
        let drives = vec![vec![1e6; 1000], vec![2e6; 400]];
        settings.links[0].rates = RateProcess::Recorded(RecordedRates::new(1.0, drives).expect("valid"));
        let problem = SlotProblem::new(settings.clone()).expect("valid");
        let paths = problem.recorded_paths(1, 2).expect("recordings");
        assert_eq!(paths.iter().map(SlotPath::slots).collect::<Vec<_>>(), [1000, 1000, 400, 400]);
        assert_eq!(paths[3].mean_rates(), [2e6]);
        assert_ne!(paths[0].files(), paths[1].files());
        settings.links.push(settings.links[0].clone());
        settings.links[1].rates = RateProcess::Recorded(RecordedRates::new(1.0, vec![vec![1.0]]).expect("valid"));
        let error = SlotProblem::new(settings).expect("valid").recorded_paths(1, 2).expect_err("one recording");
        assert!(error.to_string().contains("has 1 instead of 2"), "{error}");
        assert!(super::super::testing::problem().recorded_paths(1, 1).is_err());
    }

    #[test]
    fn paths_that_make_no_sense_are_refused() {
        let problem = problem();
        let file = |slot, bytes| FileArrival { slot, application: 0, bytes };
        assert!(SlotPath::new(&problem, vec![1.0, f64::NAN], vec![]).is_err());
        assert!(SlotPath::new(&problem, vec![], vec![]).is_err());
        assert!(SlotPath::new(&problem, vec![1.0; 3], vec![file(3, 1.0)]).is_err());
        assert!(SlotPath::new(&problem, vec![1.0; 3], vec![file(2, 1.0), file(1, 1.0)]).is_err());
        assert!(SlotPath::new(&problem, vec![1.0; 3], vec![file(2, 0.0)]).is_err());
        assert!(SlotPath::new(&problem, vec![1.0; 3], vec![file(2, 1.0)]).is_ok());
    }
}
