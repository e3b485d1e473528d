//! Networks as a scheme that chooses a place for each task as it arrives.

use std::sync::Arc;

use sim::stream::dispatch::Site;
use sim::stream::dispatch::futures::FutureBase;
use sim::stream::dispatch::scheme::{DispatchScheme, View, cheapest};

use super::features::Inputs;
use super::forward::{Forward, Scratch};
use super::memory::Memory;
use super::net::Parameters;
use super::tables::SiteTables;

/// Chooses the place with the least own cost plus what its queues' work costs at the prices of K networks:
///
/// own cost + (1 − α) Σ p · ((W + x)² − W²),
///
/// summed over the queues on the way, where the work before the task is W, its own work is x, and ln p is the mean of what
/// the networks say. In closed form p is λ / (2 (1 − ρ)), see [`OneStep`](sim::stream::dispatch::scheme::OneStep).
#[derive(Debug)]
pub struct Dispatcher {
    name: String,
    forward: Arc<Forward>,
    knows_rates: bool,
    /// `None` before the first run.
    site: Option<AtSite>,
    inputs: Inputs,
    scratch: Scratch,
}

/// What a dispatcher knows of a site.
#[derive(Debug)]
struct AtSite {
    tables: Arc<SiteTables>,
    memory: Memory,
}

impl Clone for Dispatcher {
    fn clone(&self) -> Self {
        let site = self.site.as_ref();
        Self {
            name: self.name.clone(),
            forward: self.forward.clone(),
            knows_rates: self.knows_rates,
            site: site.map(|site| AtSite { tables: site.tables.clone(), memory: site.memory.clone() }),
            inputs: Inputs::default(),
            scratch: Scratch::default(),
        }
    }

    /// Futures copy a dispatcher for each place: at the same site this takes no memory of its own.
    fn clone_from(&mut self, other: &Self) {
        match (&mut self.site, &other.site) {
            (Some(site), Some(other_site)) if Arc::ptr_eq(&self.forward, &other.forward) => {
                self.knows_rates = other.knows_rates;
                site.tables.clone_from(&other_site.tables);
                site.memory.clone_from(&other_site.memory);
            }
            _ => *self = other.clone(),
        }
    }
}

impl Dispatcher {
    /// A dispatcher called `name`. With `knows_rates` it is told the mean rates of arrivals, else it knows only what it has seen.
    ///
    /// # Panics
    /// If there is no network.
    pub fn new(name: &str, networks: &[Parameters], knows_rates: bool) -> Self {
        Self {
            name: name.to_owned(),
            forward: Arc::new(Forward::new(networks)),
            knows_rates,
            site: None,
            inputs: Inputs::default(),
            scratch: Scratch::default(),
        }
    }

    /// The numbers of the site that the dispatcher is at; `None` before the first run.
    pub fn tables(&self) -> Option<&SiteTables> {
        self.site.as_ref().map(|site| &*site.tables)
    }

    /// Continues from what another dispatcher at the same site has seen.
    pub fn see_as(&mut self, other: &Self) {
        if let (Some(site), Some(other)) = (&mut self.site, &other.site) {
            site.memory.clone_from(&other.memory);
        }
    }

    /// Takes note of a task that arrives, and returns what it reads of it. [`Dispatcher::costs`] is what each place costs, and
    /// [`Dispatcher::take`] says where the task goes then.
    pub fn read(&mut self, view: &mut View<'_>) -> &Inputs {
        let AtSite { tables, memory } = at_site(&mut self.site, view.site);
        let offer = view.state.offer(view.site, view.path, view.arrival);
        self.inputs.read(tables, memory, view.arrival, &offer, self.knows_rates);
        &self.inputs
    }

    /// What each place costs for the task that was read last, in units of cost; infinite where it cannot run.
    pub fn costs(&mut self) -> &[f32] {
        self.forward.costs(&self.inputs, &mut self.scratch)
    }

    /// The task that was read last goes to a place.
    pub fn take(&mut self, view: &mut View<'_>, place: usize) {
        let AtSite { tables, memory } = at_site(&mut self.site, view.site);
        let choice = view.state.offer(view.site, view.path, view.arrival).choices[place];
        memory.place(tables, view.arrival.device as usize, place, &choice);
    }
}

fn at_site<'a>(known: &'a mut Option<AtSite>, site: &Site) -> &'a mut AtSite {
    known.get_or_insert_with(|| {
        let tables = SiteTables::new(site);
        let memory = Memory::new(&tables);
        AtSite { tables: Arc::new(tables), memory }
    })
}

impl DispatchScheme for Dispatcher {
    fn name(&self) -> &str {
        &self.name
    }

    fn start(&mut self, site: &Site, _: u64) {
        self.site = None;
        at_site(&mut self.site, site);
    }

    fn choose(&mut self, view: View<'_>) -> usize {
        // One offer for reading and taking.
        let AtSite { tables, memory } = at_site(&mut self.site, view.site);
        let offer = view.state.offer(view.site, view.path, view.arrival);
        self.inputs.read(tables, memory, view.arrival, &offer, self.knows_rates);
        let costs = self.forward.costs(&self.inputs, &mut self.scratch);
        let place = cheapest(costs.iter().map(|cost| f64::from(*cost)));
        memory.place(tables, view.arrival.device as usize, place, &offer.choices[place]);
        place
    }

    fn memory(&self) -> Vec<f64> {
        self.site.as_ref().map_or_else(Vec::new, |site| site.memory.to_numbers())
    }

    fn remember(&mut self, memory: &[f64]) -> bool {
        self.site.as_mut().is_some_and(|site| site.memory.set_numbers(memory))
    }
}

impl FutureBase for Dispatcher {
    fn note(&mut self, mut view: View<'_>, place: usize) {
        let AtSite { tables, memory } = at_site(&mut self.site, view.site);
        memory.arrive(tables, view.arrival);
        self.take(&mut view, place);
    }
}
