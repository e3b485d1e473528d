//! Fleets to train on.

use data::{Part, SizeSampler, Workloads};
use model::fleet::{FREE_PASSES, PASSES};
use sim::random::{self, Stream};
use sim::{CostModel, Fleets};

use super::settings::FleetSettings;

/// The smallest number of fleets in a step, unless the settings allow fewer.
const FEWEST_FLEETS: usize = 4;

/// One fleet with the sizes of its tasks, and where the passes of the networks begin.
pub(super) struct DrawnFleet {
    pub(super) model: CostModel,
    pub(super) sizes_bytes: Vec<f64>,
    /// Whether nothing is decided before the first pass; otherwise passes start from the greedy decision.
    pub(super) is_undecided: bool,
    /// Passes of the first network before the one that is labelled.
    pub(super) passes: usize,
}

/// Draws the fleets of one step, all with the same numbers of devices, tasks and servers.
pub(super) fn fleets(limits: &Fleets, settings: &FleetSettings, random: &mut Stream) -> Vec<DrawnFleet> {
    let FleetSettings { fleets_per_step, rows_per_step, undecided, .. } = *settings;
    let first = limits.draw(random);
    let (devices, tasks, edges) = (first.devices.count, first.tasks.per_device, first.servers.len() - 1);
    let rows = devices * tasks * (edges + 2);
    let count = (rows_per_step / rows).clamp(FEWEST_FLEETS.min(fleets_per_step), fleets_per_step);
    let mut draw = || {
        let scenario = limits.draw_shaped(devices, tasks, edges, random);
        let model = scenario.check().expect("drawn fleets are valid");
        let sampler = SizeSampler::new(&scenario).expect("their sizes are drawn, not read");
        let mut sizes_bytes = vec![0.0; model.task_count()];
        let sizes = random::stream_of(0, "sizes of a fleet", &[random::unit(random)]);
        Workloads::new(&model, sampler, Part::Training, sizes).fill(&mut sizes_bytes);
        let is_undecided = random::unit(random) < undecided;
        let passes = random::below(random, if is_undecided { FREE_PASSES } else { PASSES });
        DrawnFleet { model, sizes_bytes, is_undecided, passes }
    };
    (0..count).map(|_| draw()).collect()
}
