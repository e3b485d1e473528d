//! How long queues get.

use crate::stream::dispatch::path::Path;
use crate::stream::dispatch::scheme::{DispatchScheme, View, cheapest};
use crate::stream::dispatch::simulator::simulate;
use crate::stream::dispatch::site::Site;

/// The tasks from which limits are found.
const TASKS: usize = 100_000;
/// The limits are this multiple of the longest queues.
const ALLOWANCE: f64 = 1.5;

/// Greedy over some of the places, which remembers the most work that each queue had before and behind a task that joined.
struct Observer<'a> {
    queues: &'a [usize],
    places: Option<&'a [usize]>,
    most_s: Vec<f64>,
}

impl DispatchScheme for Observer<'_> {
    fn name(&self) -> &'static str {
        "observed-greedy"
    }

    fn start(&mut self, _: &Site, _: u64) {}

    fn choose(&mut self, mut view: View<'_>) -> usize {
        let (site, path, device) = (view.site, view.path, view.arrival.device as usize);
        let places = self.places;
        let is_chosen = |place: usize| places.is_none_or(|places| places.contains(&place));
        let costs =
            view.offer().choices.iter().enumerate().map(|(place, choice)| {
                if choice.is_usable && is_chosen(place) { choice.own_cost } else { f64::INFINITY }
            });
        let chosen = cheapest(costs);
        let joined = site.queues_of(device, chosen);
        for (queue, most_s) in self.queues.iter().zip(&mut self.most_s) {
            let mut work_s = view.state.backlog_s(*queue, site, path);
            if joined.contains(&Some(*queue)) {
                work_s += view.arrival.bytes * site.queues()[*queue].s_per_byte;
            }
            *most_s = most_s.max(work_s);
        }
        chosen
    }
}

/// Limits of queues that are long enough for greedy, in seconds.
pub(super) fn needed_limits_s(site: &Site, queues: &[usize], places: Option<&[usize]>) -> Vec<f64> {
    let longest = |queue: &usize| {
        let crate::stream::Sizes::OneOf(sizes) = &site.parts().sizes else { return 0.0 };
        sizes.iter().copied().fold(0.0, f64::max) * site.queues()[*queue].s_per_byte
    };
    let mut observer = Observer { queues, places, most_s: queues.iter().map(|queue| 2.0 * longest(queue)).collect() };
    simulate(site, &Path::draw(site, TASKS, 1), &mut observer, 1);
    observer.most_s.iter().map(|most_s| ALLOWANCE * most_s).collect()
}
