//! What Algorithm 2 learns where more than bytes tells the cost: deadlines, latencies, instructions per byte that differ, and
//! devices with fewer tasks than others.

use data::{Part, SizeSampler, Workloads};
use drl::{Agent, Settings, TrainingData, TrainingLoop};
use model::{Code, Codec, DeviceChoice, Ensemble, NetworkShape, Selection};
use sim::scenario::{DeadlineRule, PerDevice};
use sim::scheme::{Greedy, Order, Random, Scheme};
use sim::{CostModel, Scenario, Workload, random};

const SETTINGS: Settings = Settings {
    steps: 1500,
    workloads_per_step: 1,
    buffer: 256,
    learn_from: None,
    batch: 32,
    learning_rate: 0.005,
    final_learning_rate: 0.001,
    epsilon: 1e-8,
    selection: Selection::PAPER,
    refine: false,
    report_every: 300,
};

#[derive(Debug, Default)]
struct Measures {
    /// Mean of the cost that schemes minimise.
    cost: f64,
    /// Share of missed deadlines.
    missed: f64,
}

struct Trained {
    model: CostModel,
    workloads: Vec<Workload>,
    /// What the networks decide before training, and after.
    before: Measures,
    after: Measures,
    /// Mean costs of the buffer at each report.
    buffer_costs: Vec<f64>,
}

/// Trains four networks. The workloads returned with them are not drawn in training.
fn train(scenario: &Scenario, code: Code, settings: Settings) -> Trained {
    let model = scenario.check().expect("valid");
    let device = DeviceChoice::Auto.open().expect("a device").device;
    let sampler = SizeSampler::new(scenario).expect("no file");
    let codec = Codec::new(code, &model, sampler.moments().into()).expect("fits");
    let workloads = |name| Workloads::new(&model, sampler.clone(), Part::Training, random::stream(1, name));
    let mut others = workloads("others");
    let shape = NetworkShape { inputs: codec.inputs(), hidden: vec![32, 24], outputs: codec.outputs() };
    let start = Ensemble::random(&shape, 4, 1, &device);
    let data = TrainingData { workloads: workloads("workloads"), codec };
    let mut agent = Agent::new(data, &start, settings, 1).expect("valid settings");
    let mut before = agent.policy("before", settings.selection);
    let mut buffer_costs = Vec::new();
    while !agent.is_done() {
        let report = agent.advance(settings.report_every);
        assert!(report.loss.is_none_or(f64::is_finite), "{report:?}");
        buffer_costs.push(report.buffer_mean_cost.expect("the buffer is not empty"));
    }
    let mut after = agent.policy("after", settings.selection);
    let workloads = (0..300).map(|_| others.draw().workload).collect();
    let (before_training, after_training) = (Measures::default(), Measures::default());
    let mut trained =
        Trained { model: model.clone(), workloads, before: before_training, after: after_training, buffer_costs };
    (trained.before, trained.after) = (trained.measure(&mut before), trained.measure(&mut after));
    trained
}

impl Trained {
    fn measure(&self, scheme: &mut dyn Scheme) -> Measures {
        let solutions = scheme.decide_all(&self.model, &self.workloads).expect("fits");
        let (mut cost, mut missed, mut deadlines) = (0.0, 0, 0);
        for (workload, solution) in self.workloads.iter().zip(&solutions) {
            cost += self.model.cost(workload.sizes_bytes(), solution.decision.places());
            missed += self.model.evaluate(workload, &solution.decision).missed_deadlines;
            deadlines += self.model.tasks_with_deadline(workload.sizes_bytes());
        }
        Measures { cost: cost / solutions.len() as f64, missed: missed as f64 / deadlines as f64 }
    }
}

/// Deadlines with one rule, latencies and instructions per byte that differ.
fn detailed(preset: &str, rule: DeadlineRule) -> Scenario {
    let mut scenario = Scenario::load(preset).expect("a preset");
    scenario.instructions_per_byte = PerDevice::Each(vec![1000.0, 330.0, 500.0]);
    scenario.servers.iter_mut().zip([500.0, 4000.0]).for_each(|(server, latency_ms)| server.latency_ms = latency_ms);
    scenario.tasks.deadline_s = Some(PerDevice::Each(vec![60.0, 40.0, 90.0]));
    scenario.tasks.deadline_rule = rule;
    scenario
}

/// All devices with three tasks, and some with fewer.
fn task_counts() -> [Vec<usize>; 2] {
    [Vec::new(), vec![3, 0, 2]]
}

#[test]
fn each_rule_for_deadlines_is_learned() {
    for (preset, code) in
        [("paper-wan", Code::Indicators), ("paper-wan", Code::Categorical), ("shared-edges", Code::Categorical)]
    {
        for rule in [DeadlineRule::Report, DeadlineRule::Penalty(20.0), DeadlineRule::Hard] {
            for counts in task_counts() {
                let mut scenario = detailed(preset, rule);
                scenario.tasks.counts.clone_from(&counts);
                let trained = train(&scenario, code, Settings { selection: Selection::explored(4), ..SETTINGS });
                let random = trained.measure(&mut Random::new(1));
                let (before, after) = (&trained.before, &trained.after);
                let name = format!("{preset}, {code:?}, {rule:?}, {counts:?}: {random:?}, {before:?}, {after:?}");
                assert!(after.cost < before.cost && after.cost < 0.8 * random.cost, "{name}");
                // Where deadlines are hard, decisions that keep more of them may cost more.
                let [first, .., last] = trained.buffer_costs[..] else { panic!("several reports") };
                assert!(rule == DeadlineRule::Hard || last < first, "{name}: {:?}", trained.buffer_costs);
            }
        }
    }
}

#[test]
fn networks_miss_no_more_hard_deadlines_than_greedy() {
    for code in [Code::Indicators, Code::Categorical] {
        for counts in task_counts() {
            let mut scenario = detailed("paper-wan", DeadlineRule::Hard);
            scenario.tasks.counts.clone_from(&counts);
            let trained = train(&scenario, code, Settings { selection: Selection::explored(4), ..SETTINGS });
            let (greedy, after) = (trained.measure(&mut Greedy::new(Order::LargestFirst)), &trained.after);
            assert!(
                after.missed <= greedy.missed && greedy.missed > 0.05,
                "{code:?}, {counts:?}: {after:?}, greedy {greedy:?}"
            );
        }
    }
}
