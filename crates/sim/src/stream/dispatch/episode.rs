//! Stepping a run from outside: one task after the other.

use std::sync::Arc;

use super::outcome::{DispatchOutcome, DoneTask};
use super::path::{Arrival, Path};
use super::simulator::{OnItsWay, Run, WARM_UP};
use super::site::{NO_QUEUE, Site};
use super::state::{Offer, SiteState};

/// The number of tasks on their way for which there is room at first.
const ROOM: usize = 64;

/// A run whose places are chosen by the caller, task by task: what [`simulate`](super::simulate) does, from outside.
///
/// ```
/// use std::sync::Arc;
/// use sim::stream::StreamScenario;
/// use sim::stream::dispatch::{DispatchEpisode, Path};
///
/// let StreamScenario::Dispatch(scenario) = StreamScenario::load("dispatch")? else { panic!("another kind") };
/// let site = Arc::new(scenario.site(1)?);
/// let path = Path::draw(&site, 100, 1);
/// let mut episode = DispatchEpisode::new(site, path);
/// let mut cost = 0.0;
/// while episode.arrival().is_some() {
///     let placed = episode.place(0).expect("every device can run its own tasks");
///     cost += placed.tail_cost + placed.finished.iter().map(|task| task.cost).sum::<f64>();
/// }
/// cost += episode.finish().iter().map(|task| task.cost).sum::<f64>();
/// assert!(cost > 0.0 && episode.outcome(None).is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct DispatchEpisode {
    site: Arc<Site>,
    path: Path,
    state: SiteState,
    run: Run,
    /// The number of tasks that have been placed.
    placed: usize,
    /// What is known of each placed task that may be on its way to a machine; empty where no task ever is.
    pending: Vec<OnItsWay>,
    finished: Vec<DoneTask>,
    is_finished: bool,
}

/// What has become known since a task was placed, up to the next arrival.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlacedTask<'a> {
    /// The tasks of which it has become known when they are done, often the placed task itself. Tasks of a shared machine are
    /// known when they come to it.
    pub finished: &'a [DoneTask],
    /// α times the energy of the radio that has stayed on since the transmission before.
    pub tail_cost: f64,
}

/// Why a task cannot be placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// There is no such place.
    #[error("there is no place {place}: places are 0 to {last}")]
    Unknown {
        /// The place.
        place: usize,
        /// The last place.
        last: usize,
    },
    /// The device of the task cannot use the place.
    #[error("device {device} cannot use place {place}: it has no link to it, or the server is down")]
    Unusable {
        /// The device.
        device: u32,
        /// The place.
        place: usize,
    },
    /// All tasks have been placed.
    #[error("all tasks of the episode have been placed")]
    Ended,
}

impl DispatchEpisode {
    /// An empty site to which the first task of a path has come.
    pub fn new(site: Arc<Site>, path: Path) -> Self {
        let tasks = path.arrivals.len();
        let run = Run::new(&site, &path, (tasks as f64 * WARM_UP) as usize);
        let state = SiteState::empty(&site, ROOM.min(tasks));
        let mut episode =
            Self { site, path, state, run, placed: 0, pending: Vec::new(), finished: Vec::new(), is_finished: false };
        episode.advance();
        episode
    }

    /// The site.
    pub fn site(&self) -> &Arc<Site> {
        &self.site
    }

    /// The number of tasks of the episode.
    pub fn tasks(&self) -> usize {
        self.path.arrivals.len()
    }

    /// The number of tasks that have been placed.
    pub fn placed(&self) -> usize {
        self.placed
    }

    /// The task that is to be placed next; `None`: all have been placed.
    pub fn arrival(&self) -> Option<&Arrival> {
        self.path.arrivals.get(self.placed)
    }

    /// What each place would do with the next task; `None`: all have been placed.
    pub fn offer(&mut self) -> Option<Offer<'_>> {
        let arrival = *self.path.arrivals.get(self.placed)?;
        Some(self.state.offer(&self.site, &self.path, &arrival))
    }

    /// What each place would do with some task of a device that came now, such as one after the last.
    ///
    /// # Panics
    /// If there is no such device.
    pub fn offer_of(&mut self, device: u32, bytes: f64) -> Offer<'_> {
        let arrival = Arrival { time_s: self.state.time_s(), bytes, device };
        self.state.offer(&self.site, &self.path, &arrival)
    }

    /// Puts the next task at a place, and lets time pass until the task after it arrives.
    ///
    /// # Errors
    /// If its device cannot use the place, or all tasks have been placed. Then nothing changes.
    pub fn place(&mut self, place: usize) -> Result<PlacedTask<'_>, PlaceError> {
        let index = self.placed;
        let arrival = *self.path.arrivals.get(index).ok_or(PlaceError::Ended)?;
        if place >= self.site.places() {
            return Err(PlaceError::Unknown { place, last: self.site.places() - 1 });
        }
        if !self.site.is_usable(arrival.device as usize, place) {
            return Err(PlaceError::Unusable { device: arrival.device, place });
        }
        self.finished.clear();
        let placed = self.state.place(&self.site, &self.path, &arrival, place, index);
        let route = self.site.route(arrival.device as usize, place);
        for (queue, service_s) in [route.link, route.machine].into_iter().zip(placed.services_s) {
            if queue != NO_QUEUE {
                self.run.busy_s[queue as usize] += service_s;
            }
        }
        self.run.add_tail(index, placed.tail_j);
        let way = OnItsWay { place: place as u8, energy_j: placed.energy_j, sent_s: placed.sent_s };
        if let Some(done_s) = placed.done_s {
            self.finished.push(self.run.done(index, &arrival, way, done_s));
        } else {
            if self.pending.is_empty() {
                self.pending.resize(self.path.arrivals.len(), OnItsWay::default());
            }
            self.pending[index] = way;
        }
        self.placed += 1;
        self.advance();
        let tail_cost = self.site.parts().alpha * placed.tail_j;
        Ok(PlacedTask { finished: &self.finished, tail_cost })
    }

    /// Lets the queues become empty once all tasks have been placed. Returns the tasks of which it was not known when they are
    /// done; none while a task is still to be placed.
    pub fn finish(&mut self) -> &[DoneTask] {
        self.finished.clear();
        if self.placed == self.tasks() && !self.is_finished {
            self.is_finished = true;
            self.advance_to(f64::INFINITY);
        }
        &self.finished
    }

    /// What came of the run, once it is [finished](Self::finish); `None` before. `evaluations`: how often places were priced;
    /// `None`: once for each task.
    pub fn outcome(&self, evaluations: Option<u64>) -> Option<DispatchOutcome> {
        let evaluations = evaluations.unwrap_or(self.tasks() as u64);
        self.is_finished.then(|| DispatchOutcome::of(&self.run, evaluations))
    }

    /// Lets everything happen until the next task arrives.
    fn advance(&mut self) {
        if let Some(next) = self.path.arrivals.get(self.placed) {
            self.advance_to(next.time_s);
        }
    }

    fn advance_to(&mut self, time_s: f64) {
        let Self { path, state, run, pending, finished, .. } = self;
        state.advance(time_s, |joined, done_s| {
            finished.push(run.done(joined, &path.arrivals[joined], pending[joined], done_s));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::scheme::{DispatchGreedy, DispatchScheme, View, cheapest};
    use super::super::site::SiteParts;
    use super::super::testing::Setting;
    use super::super::{Access, simulate_traced};
    use super::*;

    /// The next place that the device can use.
    struct InTurns;

    impl DispatchScheme for InTurns {
        fn name(&self) -> &'static str {
            "in-turns"
        }

        fn start(&mut self, _: &Site, _: u64) {}

        fn choose(&mut self, view: View<'_>) -> usize {
            view.index % view.site.places()
        }
    }

    /// Chooses the place of the next task.
    type Choose = fn(&mut DispatchEpisode) -> usize;

    fn greedy(episode: &mut DispatchEpisode) -> usize {
        let offer = episode.offer().expect("a task");
        cheapest(offer.choices.iter().map(|choice| choice.own_cost))
    }

    /// Even and mixed sites, with and without bursts, changing links, deadlines and radios that stay on.
    fn sites() -> Vec<Site> {
        let even = Setting::EVEN;
        let mixed = Setting { devices: 10, is_mixed: true, has_bursts: true, load: 0.6, changes: true };
        let with_tails = |mut parts: SiteParts| {
            (parts.deadline_s, parts.late_cost) = (200.0, 7.0);
            if let Access::Own(links) = &mut parts.servers[1].access {
                for link in links {
                    (link.send_w, link.tail_w, link.tail_s) = (0.5, 0.2, 10.0);
                }
            }
            Site::with_load(parts, 0.7).expect("a site that carries its tasks")
        };
        vec![even.site(1), mixed.site(2), with_tails(mixed.parts(3))]
    }

    #[test]
    fn an_episode_gives_what_a_simulation_gives() {
        let schemes: [(Box<dyn DispatchScheme>, Choose); 2] = [
            (Box::new(DispatchGreedy::new()), greedy),
            (Box::new(InTurns), |episode| episode.placed() % episode.site().places()),
        ];
        for (mut scheme, choose) in schemes {
            for site in sites() {
                let path = Path::draw(&site, 3_000, 5);
                let mut traced = Vec::new();
                let wanted = simulate_traced(&site, &path, scheme.as_mut(), 1, |task| traced.push(*task));
                let mut episode = DispatchEpisode::new(Arc::new(site), path);
                let (mut done, mut tail_cost) = (Vec::new(), 0.0);
                while episode.arrival().is_some() {
                    let place = choose(&mut episode);
                    let placed = episode.place(place).expect("it can be used");
                    done.extend_from_slice(placed.finished);
                    tail_cost += placed.tail_cost;
                }
                assert_eq!(episode.outcome(None), None);
                done.extend_from_slice(episode.finish());
                assert_eq!(done, traced);
                assert_eq!(episode.outcome(None), Some(wanted.clone()));
                assert!(episode.finish().is_empty());
                assert_eq!(episode.outcome(None), Some(wanted));
                assert_eq!(tail_cost > 0.0, episode.site().parts().late_cost > 0.0);
            }
        }
    }

    #[test]
    fn places_that_cannot_be_used_are_refused_and_change_nothing() {
        let mut parts = Setting::EVEN.parts(1);
        parts.servers[0].s_per_byte = f64::INFINITY;
        let site = Arc::new(Site::with_load(parts, 0.5).expect("a site that carries its tasks"));
        let mut episode = DispatchEpisode::new(site.clone(), Path::draw(&site, 20, 1));
        let device = episode.arrival().expect("a task").device;
        assert_eq!(episode.place(3), Err(PlaceError::Unknown { place: 3, last: 2 }));
        assert_eq!(episode.place(1), Err(PlaceError::Unusable { device, place: 1 }));
        assert_eq!(episode.placed(), 0);
        assert!(episode.finish().is_empty());
        for _ in 0..20 {
            episode.place(0).expect("every device can run its own tasks");
        }
        assert_eq!(episode.place(0), Err(PlaceError::Ended));
        assert!(episode.offer().is_none());
        let wait_s = |episode: &mut DispatchEpisode, bytes| episode.offer_of(device, bytes).choices[0].machine.wait_s;
        assert_eq!(wait_s(&mut episode, 1e6), wait_s(&mut episode, 2e6));
    }
}
