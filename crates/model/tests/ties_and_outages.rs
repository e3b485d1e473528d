//! Networks where only energy or only time counts, and where servers are down or devices offline.

use burn::tensor::Device;
use data::{Part, SizeSampler, Workloads};
use model::fleet::{Ensemble as FleetEnsemble, Features, INPUTS, Inference, Instance, Policy as FleetPolicy, Shape};
use model::{Code, Codec, Ensemble, EnvironmentInputs, NetworkShape, Policy, Selection, Standard};
use sim::scenario::PerDevice;
use sim::scheme::{Exact, Scheme, Solution, settle_ties};
use sim::{CostModel, Environment, Scenario, Workload, random};

/// Every way in which untrained networks decide, DNNs with each code that fits and networks for any fleet.
fn policies(scenario: &Scenario, model: &CostModel) -> Vec<Box<dyn Scheme>> {
    let device = Device::flex();
    let sampler = SizeSampler::new(scenario).expect("no file");
    let scale = Some(Standard { mean: 0.0, std_dev: 2.0 });
    let reads = EnvironmentInputs { log_uplink: scale, log_capacity: scale, alpha: scale };
    let mut policies: Vec<Box<dyn Scheme>> = Vec::new();
    for code in [Code::Indicators, Code::Categorical] {
        let Ok(codec) = Codec::new(code, model, sampler.moments().into()) else { continue };
        let codec = codec.with_environment(reads);
        let shape = NetworkShape { inputs: codec.inputs(), hidden: vec![11], outputs: codec.outputs() };
        let ensemble = Ensemble::random(&shape, 4, 5, &device);
        for selection in [Selection::PAPER, Selection::explored(4)] {
            policies.push(Box::new(Policy::new("DNNs", &ensemble, codec, selection, &device)));
        }
    }
    let fleet = FleetEnsemble::random(Shape { width: 8, rounds: 2 }, 2, 5, &device);
    for inference in [Inference::SearchFree, Inference::Passes, Inference::Search { evaluations_per_task: 60 }] {
        policies.push(Box::new(FleetPolicy::new("any fleet", &fleet, inference)));
    }
    policies
}

fn workloads(scenario: &Scenario, model: &CostModel) -> Vec<Workload> {
    let sampler = SizeSampler::new(scenario).expect("no file");
    let mut source = Workloads::new(model, sampler, Part::Training, random::stream(3, "test"));
    (0..20).map(|_| source.draw().workload).collect()
}

/// The same decisions, whether workloads come one by one or all at once.
fn decide(policy: &mut dyn Scheme, model: &CostModel, workloads: &[Workload]) -> Vec<Solution> {
    let singly: Vec<Solution> =
        workloads.iter().map(|workload| policy.decide(model, workload).expect("fits")).collect();
    assert_eq!(policy.decide_all(model, workloads).expect("fits"), singly);
    singly
}

#[test]
fn networks_never_choose_what_cannot_be_used() {
    for preset in ["paper", "paper-wan", "mobile", "shared-edges"] {
        let scenario = Scenario::load(preset).expect("a preset");
        let own = scenario.check().expect("valid");
        let workloads = workloads(&scenario, &own);
        let servers = own.places() - 1;
        for down in 0..1_usize << servers {
            let environment = Environment {
                capacities: (0..servers).map(|server| if down >> server & 1 == 1 { 0.0 } else { 1.0 }).collect(),
                uplinks_mbps: vec![20.0, 0.0, 5.0],
                ..own.environment().clone()
            };
            let model = own.at(&environment).expect("fits");
            for mut policy in policies(&scenario, &model) {
                for (solution, workload) in decide(&mut *policy, &model, &workloads).iter().zip(&workloads) {
                    for (task, place) in solution.decision.places().iter().enumerate() {
                        let can = model.is_reachable(task / 3, *place);
                        assert!(can, "{preset}, {down:b}: {} sends task {task} to {place}", policy.name());
                    }
                    assert!(model.evaluate(workload, &solution.decision).cost.is_finite());
                }
            }
            let mut inputs = vec![0.0; own.places() * 9 * INPUTS];
            let shares = vec![1.0 / own.places() as f32; own.places() * 9];
            let instance = Instance::new(&model, workloads[0].sizes_bytes());
            Features::default().write_rows(&instance, &shares, &mut inputs);
            assert!(inputs.iter().all(|input| input.is_finite()), "{preset}, {down:b}");
        }
    }
}

/// With the cloud down, tasks that networks would send there go to the edge, which is far quicker than the device.
#[test]
fn dnns_go_to_the_next_server_where_one_is_down() {
    let scenario = Scenario::load("paper").expect("a preset");
    let own = scenario.check().expect("valid");
    let down = Environment { capacities: vec![1.0, 0.0], ..own.environment().clone() };
    let down = own.at(&down).expect("fits");
    let workloads = workloads(&scenario, &own);
    for mut policy in policies(&scenario, &own) {
        if policy.name() != "DNNs" {
            continue;
        }
        for workload in &workloads {
            let places = policy.decide(&down, workload).expect("fits").decision;
            assert!(places.places().contains(&1), "{places:?}");
        }
    }
}

#[test]
fn networks_settle_ties() {
    for preset in ["paper", "paper-wan", "shared-edge", "shared-edges"] {
        let mut scenario = Scenario::load(preset).expect("a preset");
        scenario.transmit_energy_nj_per_byte = PerDevice::One(0.0);
        scenario.servers.iter_mut().for_each(|server| server.energy_per_instruction_nj = 0.0);
        for alpha in [0.0, 1.0] {
            scenario.alpha = alpha;
            let model = scenario.check().expect("valid");
            let workloads = workloads(&scenario, &model);
            for mut policy in policies(&scenario, &model) {
                for (solution, workload) in decide(&mut *policy, &model, &workloads).iter().zip(&workloads) {
                    // No move and no swap improves the decision without costing more, unless a budget was spent.
                    let mut places = solution.decision.places().to_vec();
                    settle_ties(&model, workload.sizes_bytes(), &mut places, 100_000);
                    assert_eq!(places, solution.decision.places(), "{preset}, α {alpha}, {}", policy.name());
                    let found = model.evaluate(workload, &solution.decision);
                    let exact = Exact::new().decide(&model, workload).expect("small").decision;
                    let exact = model.evaluate(workload, &exact);
                    assert!(found.cost >= exact.cost * (1.0 - 1e-12), "{found:?}, {exact:?}");
                    if alpha == 1.0 && policy.name() == "any fleet" {
                        // They read and decide the problem of the shortest time among the decisions of least energy.
                        assert!(
                            found.cost == 0.0 && found.time_s <= 2.0 * exact.time_s,
                            "{preset}: {found:?}, {exact:?}"
                        );
                    }
                }
            }
        }
    }
}
