//! Rates per byte that stand for a detailed model.

use std::ops::Range;

use super::rates::{Rate, TimeTerms};
use super::{Amount, CostModel, Detailed};

impl CostModel {
    /// Rates and times per byte that stand for a detailed model where only bytes can be told apart, as networks for any fleet
    /// tell them: [`CostModel::rates`] and [`CostModel::time_terms`] with the mean instructions per byte of the device's tasks
    /// (at shared servers, of all tasks), and with the latency of a place divided by the mean size of the device's tasks.
    /// Tasks without bytes count in no mean. `None` if the model is not detailed: those methods then tell the whole cost.
    ///
    /// # Shapes
    /// `sizes_bytes` is `[N * M]`, the result is `[N][places]`.
    ///
    /// # Panics
    /// If the sizes are not `[N * M]`.
    pub fn mean_rates(&self, sizes_bytes: &[f64]) -> Option<Vec<(Rate, TimeTerms)>> {
        let detailed = self.detailed()?;
        assert_eq!(sizes_bytes.len(), self.task_count(), "sizes are not [N * M]");
        let amount_of = |tasks: Range<usize>| {
            let mut sum = Amount::default();
            tasks.for_each(|task| sum.add(self.amount(task, sizes_bytes[task])));
            sum
        };
        let of_all = self.mean_instructions(&amount_of(0..self.task_count()), 0);
        let mut rates = Vec::with_capacity(self.devices() * self.places());
        for device in 0..self.devices() {
            let amount = amount_of(device * self.tasks()..(device + 1) * self.tasks());
            let own = self.mean_instructions(&amount, device * self.tasks());
            let tasks_per_byte = if amount.bytes > 0.0 { f64::from(amount.tasks) / amount.bytes } else { 0.0 };
            rates.extend((0..self.places()).map(|place| {
                let latency_s_per_byte = detailed.places[place].latency_s * tasks_per_byte;
                self.mean_rate(detailed, (device, place), [own, of_all], latency_s_per_byte)
            }));
        }
        Some(rates)
    }

    /// Instructions per byte of tasks taken together; those of the task `first` if they have no bytes.
    fn mean_instructions(&self, amount: &Amount, first: usize) -> f64 {
        if amount.bytes > 0.0 { amount.instructions / amount.bytes } else { self.instructions_per_byte(first) }
    }

    /// One pair of [`CostModel::mean_rates`], given the instructions per byte of the device's tasks and of all tasks.
    fn mean_rate(
        &self,
        detailed: &Detailed,
        (device, place): (usize, usize),
        [own_instructions, all_instructions]: [f64; 2],
        latency_s_per_byte: f64,
    ) -> (Rate, TimeTerms) {
        let (own, shared) = (&detailed.of_device(device)[place], &detailed.places[place]);
        let compute = own_instructions * own.compute_s_per_instruction + latency_s_per_byte;
        let shared_uplink = if place > 0 { detailed.uplink_s_per_byte } else { 0.0 };
        let alone_s_per_byte = own.send_s_per_byte.max(shared.link_s_per_byte).max(shared_uplink)
            + compute
            + own_instructions * shared.compute_s_per_instruction;
        let rate = Rate {
            energy_j_per_byte: own.send_j_per_byte + own_instructions * own.compute_j_per_instruction,
            time_s_per_byte: alone_s_per_byte,
        };
        if self.is_separable() {
            return (rate, TimeTerms { compute: alone_s_per_byte, ..TimeTerms::default() });
        }
        let terms = TimeTerms {
            send: own.send_s_per_byte,
            compute,
            shared_link: shared.link_s_per_byte,
            shared_uplink,
            shared_compute: all_instructions * shared.compute_s_per_instruction,
        };
        (rate, terms)
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::{DeadlineRule, PerDevice};
    use crate::{Decision, Demands, Scenario, Workload};

    const PRESETS: [&str; 4] = ["paper", "paper-wan", "shared-edge", "shared-edges"];

    fn assert_close(one: f64, other: f64) {
        assert!((one - other).abs() <= 1e-12 * other.abs(), "{one} is not {other}");
    }

    #[test]
    fn where_only_deadlines_matter_besides_bytes_means_are_the_rates() {
        for preset in PRESETS {
            let mut scenario = Scenario::load(preset).expect("a preset");
            let plain = scenario.check().expect("valid");
            assert_eq!(plain.mean_rates(&[1.0; 9]), None);
            scenario.tasks.deadline_s = Some(PerDevice::One(20.0));
            scenario.tasks.deadline_rule = DeadlineRule::Hard;
            let model = scenario.check().expect("valid");
            let means = model.mean_rates(&[2e6, 3e6, 0.0, 7e6, 1.0, 4e6, 0.0, 0.0, 0.0]).expect("detailed");
            for (index, (rate, terms)) in means.iter().enumerate() {
                let (device, place) = (index / plain.places(), index % plain.places());
                assert_close(rate.energy_j_per_byte, plain.rates(device)[place].energy_j_per_byte);
                assert_close(rate.time_s_per_byte, plain.rates(device)[place].time_s_per_byte);
                let wanted = plain.time_terms(device, place);
                assert_close(terms.send, wanted.send);
                assert_close(terms.compute, wanted.compute);
                assert_close(terms.shared_link, wanted.shared_link);
                assert_close(terms.shared_uplink, wanted.shared_uplink);
                assert_close(terms.shared_compute, wanted.shared_compute);
            }
        }
    }

    /// Sums over all tasks do not tell means from the tasks themselves.
    #[test]
    fn means_tell_the_cost_of_all_tasks_at_one_place() {
        let sizes_bytes = [10e6, 30e6, 0.0, 7e6, 1e6, 4e6, 0.0, 5e6, 0.0];
        let workload = Workload::from_bytes(3, sizes_bytes.to_vec());
        for preset in PRESETS {
            let mut scenario = Scenario::load(preset).expect("a preset");
            for (server, latency_ms) in scenario.servers.iter_mut().zip([20.0, 7000.0]) {
                server.latency_ms = latency_ms;
            }
            let instructions = (0..9).map(|task| 100.0 * f64::from(1 + task)).collect();
            let demands = Demands { instructions_per_byte: Some(instructions), ..Demands::default() };
            let model = scenario.check().expect("valid").with_demands(&demands).expect("in range");
            let means = model.mean_rates(&sizes_bytes).expect("detailed");
            let all: f64 = sizes_bytes.iter().sum();
            for place in 0..model.places() {
                let decision = Decision::from_places(3, vec![place as u8; 9]);
                let times_s = model.place_times(&workload, &decision);
                let mut energy_j = 0.0;
                for (device, own) in sizes_bytes.chunks(3).enumerate() {
                    let bytes: f64 = own.iter().sum();
                    let (rate, terms) = means[device * model.places() + place];
                    let link_s = (terms.send * bytes).max(terms.shared_link.max(terms.shared_uplink) * all);
                    assert_close(
                        link_s + terms.compute * bytes + terms.shared_compute * all,
                        times_s[device * model.places() + place],
                    );
                    energy_j += rate.energy_j_per_byte * bytes;
                }
                assert_close(energy_j, model.evaluate(&workload, &decision).energy_j);
            }
        }
    }
}
