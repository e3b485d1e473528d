//! Neurosurgeon: one cut through a chain of layers, the first of which run on the device and the rest on a server.

use super::best::Best;
use super::serial::Chain;
use super::{GraphScheme, GraphSchemeError, GraphSolution, Optimality};
use crate::graph::model::{GraphModel, GraphOutcome};
use crate::graph::schedule::Schedule;

/// Tries every cut of a chain with every server, and takes the cheapest within the limits; if none is within them, the cheapest
/// of all. Whether the cost is latency, energy or both is for the model's weights to say, as in the paper (Kang et al.,
/// 2017). Times of layers are those of the model: from the rates of its machines, or predicted by regressions
/// ([`GraphModel::with_layer_times`]). Layers pinned to a place stay there.
#[derive(Debug, Clone, Default)]
pub struct Neurosurgeon;

/// A cut through a chain, with what it takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Cut {
    /// The number of layers on the device.
    pub on_device: usize,
    /// The place of all others, 1 for the first server.
    pub server: u8,
    /// What the decision takes and costs.
    pub outcome: GraphOutcome,
}

impl Neurosurgeon {
    /// All cuts with a server, from everything there to everything on the device.
    ///
    /// # Errors
    /// If the tasks do not form one chain.
    ///
    /// # Panics
    /// If there is no such server.
    pub fn cuts(model: &GraphModel, server: u8) -> Result<Vec<Cut>, GraphSchemeError> {
        assert!(server > 0 && (server as usize) < model.places(), "place {server} of {}", model.places());
        let chain = chain_of(model)?;
        let cut = |on_device: usize| {
            let outcome = model.evaluate(&decision(model, &chain, on_device, server));
            Cut { on_device, server, outcome }
        };
        Ok((0..=chain.tasks.len()).map(cut).collect())
    }
}

impl GraphScheme for Neurosurgeon {
    fn name(&self) -> &'static str {
        "neurosurgeon"
    }

    fn decide(&mut self, model: &GraphModel) -> Result<GraphSolution, GraphSchemeError> {
        let chain = chain_of(model)?;
        let mut best = Best::new(model);
        let mut schedule = Schedule::new(model);
        let mut evaluations = 0;
        let mut attempt = |places: &[u8]| {
            best.offer(schedule.cost_of(model, places), places);
            evaluations += 1;
        };
        attempt(&decision(model, &chain, chain.tasks.len(), 0));
        for server in 1..model.places() as u8 {
            for on_device in 0..chain.tasks.len() {
                attempt(&decision(model, &chain, on_device, server));
            }
        }
        Ok(GraphSolution { places: best.places, evaluations, optimality: Optimality::Unknown, order: None })
    }
}

fn chain_of(model: &GraphModel) -> Result<Chain, GraphSchemeError> {
    let chain = Chain::of(model.application());
    chain.ok_or(GraphSchemeError::NoChain { scheme: "neurosurgeon", instead: "min-cut or exact" })
}

/// The first layers on the device and all others at a server, except those pinned to another place.
fn decision(model: &GraphModel, chain: &Chain, on_device: usize, server: u8) -> Vec<u8> {
    let mut places = vec![0; chain.tasks.len()];
    for (index, &task) in chain.tasks.iter().enumerate() {
        let place = if index < on_device { 0 } else { server };
        let is_allowed = model.is_allowed(task, place as usize);
        places[task] = if is_allowed { place } else { model.allowed_places(task).next().unwrap_or(0) };
    }
    places
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{Kind, models};
    use super::super::{GraphExact, OneClimb};
    use super::*;
    use crate::graph::rules::Timing;
    use crate::graph::{GraphScenario, Network};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn no_cut_is_cheaper(
            model in models(Kind { timing: Timing::Serial, tasks: 8, servers: 2, is_chain: true }),
        ) {
            let cuts = (1..model.places() as u8).flat_map(|server| Neurosurgeon::cuts(&model, server).expect("a chain"));
            let best = cuts.map(|cut| cut.outcome.cost).fold(f64::INFINITY, f64::min);
            let found = Neurosurgeon.decide(&model).expect("a chain");
            let cost = model.evaluate(&found.places).cost;
            prop_assert!(cost.is_finite());
            prop_assert!(cost == best || model.places() == 1);
        }
    }

    #[test]
    fn networks_are_cut_at_best_and_one_climb_and_exact_are_no_worse() {
        let scenario = GraphScenario::load("layers").expect("a preset");
        for network in [Network::AlexNet, Network::Vgg16, Network::MobileNet] {
            let application = scenario.pin(network.application()).expect("tasks can be pinned");
            let model = scenario.model(application).expect("a model");
            let cost = |scheme: &mut dyn GraphScheme| {
                model.evaluate(&scheme.decide(&model).expect("the scheme decides").places).cost
            };
            let [cut, climb, exact] = [cost(&mut Neurosurgeon), cost(&mut OneClimb), cost(&mut GraphExact)];
            assert!(
                exact <= climb * (1.0 + 1e-12) && climb <= cut * (1.0 + 1e-12),
                "{network:?} {exact} {climb} {cut}"
            );
            let all = Neurosurgeon::cuts(&model, 1).expect("a chain");
            assert!(all.iter().all(|other| other.outcome.cost >= cut), "{network:?}");
        }
    }
}
