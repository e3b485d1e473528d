//! Networks for any site in training: they get better than greedy, the same with any number of threads and after a restart.
#![expect(clippy::expect_used, reason = "tests")]

use drl::TrainingLoop;
use drl::stream::{SiteAgent, SiteSettings, held_out_sites};
use model::DeviceChoice;
use model::stream::{Dispatcher, Parameters};
use sim::stream::dispatch::Sites;

/// A training of some seconds.
fn quick() -> SiteSettings {
    SiteSettings {
        steps: 6,
        improvement_rounds: 1,
        improvement_steps: 2,
        sites_per_step: 4,
        samples_per_site: 24,
        tasks_per_site: 200,
        tasks_per_device: 10,
        futures: 3,
        horizon: 10.0,
        learning_steps: 20,
        batch: 128,
        evolution_steps: 3,
        evolution_pairs: 3,
        evolution_sites: 3,
        evolution_tasks: 300,
        report_every: 1,
        ..SiteSettings::default()
    }
}

fn agent(settings: SiteSettings) -> SiteAgent {
    agent_of(settings, 7)
}

fn agent_of(settings: SiteSettings, seed: u64) -> SiteAgent {
    let device = DeviceChoice::Flex.open().expect("built in by default").device;
    let first: Vec<Parameters> = (0..2).map(|index| Parameters::random(16, index, 7)).collect();
    SiteAgent::new(&first, Sites { devices: (2, 5) }, settings, false, seed, &device).expect("valid")
}

fn trained(mut agent: SiteAgent) -> Vec<Parameters> {
    while agent.next_report().is_some() {}
    agent.networks()
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| trained(agent(quick())))
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn a_restart_at_any_step_changes_nothing() {
    let whole = trained(agent(quick()));
    // In the first round, between the rounds, in the second one, and among the steps of evolution strategies.
    for stop in [3, 6, 7, 8, 10] {
        let mut first = agent(quick());
        while first.step() < stop {
            first.next_report().expect("steps are left");
        }
        let bytes = postcard::to_allocvec(&first.state().expect("on the CPU")).expect("plain data");
        let mut second = agent(quick());
        second.restore(postcard::from_bytes(&bytes).expect("what was written")).expect("the same training");
        assert_eq!(trained(second), whole, "stopped at {stop}");
    }
}

#[test]
fn a_state_of_another_training_is_refused() {
    let mut first = agent(quick());
    first.next_report().expect("steps are left");
    let state = first.state().expect("on the CPU");
    let device = DeviceChoice::Flex.open().expect("built in by default").device;
    let networks = [Parameters::random(8, 0, 1)];
    let mut other = SiteAgent::new(&networks, Sites::default(), quick(), false, 1, &device).expect("valid");
    assert!(other.restore(state).is_err());
}

#[test]
fn steps_that_draw_no_sample_learn_nothing() {
    let rare = SiteSettings { steps: 12, sites_per_step: 1, samples_per_site: 1, tasks_per_site: 10, ..quick() };
    let settings = SiteSettings { tasks_per_device: 0, improvement_rounds: 0, evolution_steps: 0, ..rare };
    // Nine tasks, of which one is priced on average: at every third seed or so none is.
    let first_loss = |seed| agent_of(settings.clone(), seed).next_report().expect("a step").loss;
    let losses: Vec<Option<f64>> = (0..20).map(first_loss).collect();
    assert!(losses.iter().any(Option::is_none) && losses.iter().any(Option::is_some), "{losses:?}");
}

#[test]
fn a_short_training_beats_greedy() {
    let settings = SiteSettings {
        steps: 20,
        improvement_rounds: 0,
        evolution_steps: 0,
        sites_per_step: 6,
        samples_per_site: 48,
        tasks_per_site: 400,
        batch: 512,
        horizon: 20.0,
        ..quick()
    };
    let networks = trained(agent(settings));
    let set = held_out_sites(&Sites { devices: (2, 8) }, 12, 3_000);
    let dispatcher = Dispatcher::new("networks", &networks, false);
    let ratio = set.ratio_of(|_| Box::new(dispatcher.clone()));
    assert!(ratio < 0.98, "{ratio}");
}
