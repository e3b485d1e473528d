//! Training for any fleet: it learns, and goes on to the same bytes wherever it was interrupted.
#![expect(clippy::expect_used, reason = "tests")]

use std::sync::atomic::{AtomicUsize, Ordering};

use burn::tensor::Device;
use data::{Part, SizeSampler, Workloads};
use drl::fleet::{FleetAgent, FleetSettings};
use drl::{AgentState, TrainingLoop};
use model::fleet::{self, Inference};
use sim::scheme::Scheme;
use sim::{Fleets, random};

fn settings(steps: usize) -> FleetSettings {
    FleetSettings {
        steps,
        fleets_per_step: 12,
        rows_per_step: 600,
        buffer: 4,
        learning_rate: 0.01,
        final_learning_rate: 0.001,
        flips: 3,
        undecided: 0.5,
        report_every: 3,
    }
}

fn agent(steps: usize, seed: u64) -> FleetAgent {
    with_networks(2, steps, seed)
}

fn with_networks(networks: usize, steps: usize, seed: u64) -> FleetAgent {
    let ensemble = fleet::Ensemble::random(fleet::Shape { width: 8, rounds: 2 }, networks, seed, &Device::flex());
    FleetAgent::new(&ensemble, Fleets::default(), settings(steps), seed).expect("valid settings")
}

fn bytes(ensemble: &fleet::Ensemble) -> Vec<u8> {
    ensemble.to_bytes().expect("on the processor")
}

/// Mean of the cost without search divided by the cost of every task on its device.
fn relative_cost(ensemble: &fleet::Ensemble) -> f64 {
    let mut random = random::stream(4, "fleets to look at");
    let mut policy = fleet::Policy::new("free", ensemble, Inference::SearchFree);
    let ratios = (0..60).map(|_| {
        let scenario = Fleets::default().draw(&mut random);
        let model = scenario.check().expect("valid");
        let sizes = random::stream_of(0, "sizes", &[random::unit(&mut random)]);
        let sampler = SizeSampler::new(&scenario).expect("drawn");
        let workload = Workloads::new(&model, sampler, Part::HeldOut, sizes).draw().workload;
        let decision = policy.decide(&model, &workload).expect("decides").decision;
        let cost = |places: &[u8]| model.cost(workload.sizes_bytes(), places);
        cost(decision.places()) / cost(&vec![0; model.task_count()])
    });
    ratios.sum::<f64>() / 60.0
}

#[test]
fn training_goes_on_to_the_same_bytes_whatever_the_number_of_threads() {
    let mut whole = agent(12, 5);
    while !whole.is_done() {
        whole.advance(3);
    }
    let mut first = agent(12, 5);
    first.advance(3);
    first.advance(3);
    let written = postcard::to_stdvec(&first.state().expect("state")).expect("written");
    let state: AgentState = postcard::from_bytes(&written).expect("read");
    assert_eq!(state.step(), 6);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().expect("threads");
    let mut second = agent(12, 5);
    second.restore(state.clone()).expect("the same training");
    pool.install(|| {
        while !second.is_done() {
            second.advance(3);
        }
    });
    assert_eq!(bytes(&second.ensemble()), bytes(&whole.ensemble()));
    assert_ne!(bytes(&agent(12, 6).ensemble()), bytes(&agent(12, 5).ensemble()));

    assert!(agent(3, 5).restore(state.clone()).is_err(), "of a longer training");
    let mut other = with_networks(1, 12, 5);
    assert!(other.restore(state.clone()).is_err(), "of another number of networks");
    assert!(second.restore(state).is_err(), "it has begun already");
}

/// Reports are means over steps that an interruption may separate.
#[test]
fn a_stopped_agent_goes_on_to_the_same_reports_and_bytes() {
    let mut whole = agent(7, 5);
    let reports: Vec<_> = std::iter::from_fn(|| whole.next_report()).collect();
    assert_eq!(reports.iter().map(|report| report.step).collect::<Vec<_>>(), [3, 6, 7]);
    for stopped_after in 1..7 {
        let asked = AtomicUsize::new(0);
        let goes_on = || asked.fetch_add(1, Ordering::Relaxed) < stopped_after;
        let mut stopped = agent(7, 5);
        let mut told: Vec<_> = std::iter::from_fn(|| stopped.next_report_while(&goes_on)).collect();
        assert_eq!(stopped.step(), stopped_after);
        let written = postcard::to_stdvec(&stopped.state().expect("state")).expect("written");
        let state: AgentState = postcard::from_bytes(&written).expect("read");
        assert!(with_networks(1, 7, 5).restore(state.clone()).is_err(), "of another number of networks");
        let mut resumed = agent(7, 5);
        resumed.restore(state).expect("the same training");
        told.extend(std::iter::from_fn(|| resumed.next_report()));
        assert_eq!(told, reports, "stopped after step {stopped_after}");
        assert_eq!(bytes(&resumed.ensemble()), bytes(&whole.ensemble()));
    }
}

#[test]
fn training_makes_decisions_without_search_cheaper() {
    let mut agent = agent(240, 1);
    let untrained = relative_cost(&agent.ensemble());
    while !agent.is_done() {
        let report = agent.advance(3);
        let gain = report.label_gain.expect("fleets are labelled");
        assert!(gain >= 1.0 - 1e-12, "labels are no dearer than proposals: {gain}");
    }
    let trained = relative_cost(&agent.ensemble());
    assert!(trained < 0.9 * untrained, "{trained} after {untrained}");
}
