//! Which scenarios of task graphs make sense.

use std::collections::HashSet;

use super::{ApplicationSettings, GraphScenario, LinkPowers, Pinned, Powers, Source};
use crate::config::Mistake;
use crate::graph::generators::{Called, Generator, Growth, LayerTable, Layered, TaskCount};
use crate::graph::layers::LayerKind;
use crate::graph::system::LOCAL;
use crate::limits::{MAX_GRAPH_EDGES, MAX_INSTRUCTIONS, MAX_SERVERS, MAX_SIZE_MB, MAX_TASKS};
use crate::scenario_checks::Checks;
use crate::units::bytes_from_mb;

/// The most MB on an edge of a generated graph: with the most edges at a task they still make a valid size.
const MAX_DATA_MB: f64 = MAX_SIZE_MB / MAX_TASKS as f64;

impl GraphScenario {
    /// All values that make no sense, each named by its key path.
    pub(crate) fn mistakes(&self) -> Vec<Mistake> {
        let mut list = Checks::default();
        list.name_and_alpha(&self.name, self.alpha);
        self.device_mistakes(&mut list);
        application_mistakes(&self.application, &mut list);
        self.server_mistakes(&mut list);
        self.layer_times_mistakes(&mut list);
        list.into_list()
    }

    fn device_mistakes(&self, list: &mut Checks) {
        list.positive("devices.frequency_mhz", self.device.frequency_mhz);
        list.optional("devices.memory_mb_per_s", self.device.memory_mb_per_s, Checks::positive);
        list.not_negative("devices.uplink_mbps", self.device.uplink_mbps);
        list.not_negative("devices.downlink_mbps", self.device.downlink_mbps);
        let Powers { compute, idle, send, receive } = self.device.power_w;
        for (name, power) in [("compute", compute), ("idle", idle), ("send", send), ("receive", receive)] {
            list.not_negative(&format!("devices.power_w.{name}"), power);
        }
    }

    /// Times can only be predicted for layers, and only if they say their kinds.
    fn layer_times_mistakes(&self, list: &mut Checks) {
        let servers = self.servers.iter().enumerate();
        let of_servers = servers.map(|(index, server)| (format!("servers[{index}].layer_times"), &server.layer_times));
        let all = std::iter::once(("devices.layer_times".to_owned(), &self.device.layer_times)).chain(of_servers);
        let given: Vec<_> = all.filter_map(|(key, times)| Some((key, times.as_ref()?))).collect();
        for (key, times) in &given {
            if times.path().is_empty() {
                list.add(key, "must name a CSV file with one measured layer on each line");
            }
        }
        let Some((first, _)) = given.first() else { return };
        match &self.application.source {
            Source::Generator(Generator::Layers(table)) => {
                let kinds = LayerKind::NAMES.map(|(name, _)| format!("\"{name}\"")).join(" or ");
                for (index, _) in table.layers.iter().enumerate().filter(|(_, row)| row.kind.is_none()) {
                    let message = format!("is missing; it must be {kinds}, since {first} predicts times by kind");
                    list.add(format!("application.graph.layer[{index}].kind"), message);
                }
            }
            Source::Generator(Generator::Network(_)) | Source::File { .. } => {}
            Source::Generator(Generator::Layered(_) | Generator::Called(_)) => {
                let message = "is of use for layers of networks alone: applications must come from `layers`, [[application.graph.layer]] \
                               tables or a `file`";
                list.add(first, message);
            }
        }
    }

    fn server_mistakes(&self, list: &mut Checks) {
        if self.servers.is_empty() {
            let message = "there must be at least one [[servers]] table: without a server nothing can be offloaded";
            list.add("servers", message);
        }
        if self.servers.len() > MAX_SERVERS {
            list.add("servers", format!("must be at most {MAX_SERVERS}, are {}", self.servers.len()));
            return;
        }
        for (index, server) in self.servers.iter().enumerate() {
            let key = |name: &str| format!("servers[{index}].{name}");
            let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if server.name.is_empty() || !server.name.chars().all(is_plain) {
                list.add(key("name"), "must be a name of letters, digits, '-' and '_'");
            } else if server.name == LOCAL {
                list.add(key("name"), "\"local\" is what the device itself is called; give the server another name");
            } else if self.servers[..index].iter().any(|other| other.name == server.name) {
                list.add(key("name"), format!("\"{}\" is the name of an earlier server", server.name));
            }
            list.not_negative(&key("frequency_mhz"), server.frequency_mhz);
            list.optional(&key("memory_mb_per_s"), server.memory_mb_per_s, Checks::positive);
            list.not_negative(&key("energy_per_instruction_nj"), server.energy_per_instruction_nj);
            list.optional(&key("link_mbps"), server.link_mbps, Checks::not_negative);
            list.optional(&key("downlink_mbps"), server.downlink_mbps, Checks::not_negative);
            if let Some(LinkPowers { send, receive }) = server.power_w {
                list.not_negative(&key("power_w.send"), send);
                list.not_negative(&key("power_w.receive"), receive);
            }
            list.not_negative(&key("price_per_mb"), server.price_per_mb);
        }
    }
}

fn application_mistakes(settings: &ApplicationSettings, list: &mut Checks) {
    list.optional("application.deadline_s", settings.deadline_s, Checks::positive);
    list.optional("application.energy_limit_j", settings.energy_limit_j, Checks::positive);
    list.optional("application.price_limit", settings.price_limit, Checks::not_negative);
    match &settings.source {
        Source::File { path } if path.is_empty() => {
            list.add("application.graph.file", "must name a file with one or several applications");
        }
        Source::File { .. } => {}
        Source::Generator(generator) => {
            let before = list.len();
            generator_mistakes(generator, list);
            if list.len() == before {
                pinned_mistakes(&settings.pinned, generator, list);
            }
        }
    }
}

/// Names of pinned tasks must be those of tasks in every application.
fn pinned_mistakes(pinned: &Pinned, generator: &Generator, list: &mut Checks) {
    let Pinned::Names(names) = pinned else { return };
    let (known, described): (HashSet<String>, String) = match generator {
        Generator::Layered(Layered { tasks, .. }) | Generator::Called(Called { tasks, .. }) => {
            let fewest = tasks.limits().0;
            ((1..=fewest).map(|index| format!("t{index}")).collect(), format!("t1 to t{fewest}"))
        }
        Generator::Network(_) | Generator::Layers(_) => {
            let application = generator.draw(&mut crate::random::stream(0, "names of layers"));
            let names: Vec<String> = application.tasks().iter().map(|task| task.name.clone()).collect();
            let described = names.join(", ");
            (names.into_iter().collect(), described)
        }
    };
    for (index, name) in names.iter().enumerate().filter(|(_, name)| !known.contains(*name)) {
        let message = format!("must name a task that every application has, is \"{name}\"; they have {described}");
        list.add(format!("application.pinned[{index}]"), message);
    }
}

fn generator_mistakes(generator: &Generator, list: &mut Checks) {
    let before = list.len();
    match generator {
        Generator::Network(_) => {}
        Generator::Layers(table) => layer_mistakes(table, list),
        Generator::Layered(layered) => layered_mistakes(layered, list),
        Generator::Called(Called { growth, tasks, megacycles, data_mb }) => {
            count_mistakes(*tasks, list);
            list.values("application.graph.megacycles", megacycles, 0.0, 1e12);
            list.values("application.graph.data_mb", data_mb, 0.0, MAX_DATA_MB);
            if let Growth::CallGraph { density } = growth
                && !(0.0..=1.0).contains(density)
            {
                let message = format!("must be a probability between 0 and 1, is {density}");
                list.add("application.graph.density", message);
            }
        }
    }
    let edges = generator.most_edges();
    if list.len() == before && edges > MAX_GRAPH_EDGES as f64 {
        let message =
            format!("are too many: an application could have {edges:.0} edges, and may have {MAX_GRAPH_EDGES}");
        list.add("application.graph.tasks", message);
    }
}

fn layered_mistakes(layered: &Layered, list: &mut Checks) {
    let Layered { tasks, width, density, regularity, result_mb, ratio, instructions_per_byte } = layered;
    let before = list.len();
    count_mistakes(*tasks, list);
    list.values("application.graph.width", width, 0.0, 1.0);
    list.values("application.graph.density", density, 0.0, 1.0);
    if !(0.0..=1.0).contains(regularity) {
        list.add("application.graph.regularity", format!("must lie between 0 and 1, is {regularity}"));
    }
    list.values("application.graph.result_mb", result_mb, 0.0, MAX_SIZE_MB);
    list.values("application.graph.ratio", ratio, 1e-6, 1e6);
    list.positive("instructions_per_byte", *instructions_per_byte);
    if list.len() > before {
        return;
    }
    let most_mb = result_mb.limits().1 / ratio.limits().0;
    if most_mb > MAX_SIZE_MB || bytes_from_mb(most_mb) * instructions_per_byte > MAX_INSTRUCTIONS {
        let message = format!("divided by ratio makes tasks of {most_mb:e} MB, which are too large");
        list.add("application.graph.result_mb", message);
    }
}

fn count_mistakes(tasks: TaskCount, list: &mut Checks) {
    let (fewest, most) = tasks.limits();
    if !(1 <= fewest && fewest <= most && most <= MAX_TASKS) {
        let message = format!(
            "must be a number from 1 to {MAX_TASKS}, or two, the first no larger than the second, {}",
            if fewest == most { format!("is {most}") } else { format!("are {fewest} and {most}") }
        );
        list.add("application.graph.tasks", message);
    }
}

fn layer_mistakes(table: &LayerTable, list: &mut Checks) {
    list.not_negative("application.graph.input_kb", table.input_kb);
    if table.layers.is_empty() || table.layers.len() > MAX_TASKS - 2 {
        let message = format!("must be 1 to {} layers, are {}", MAX_TASKS - 2, table.layers.len());
        list.add("application.graph.layer", message);
    }
    let mut names = HashSet::from(["input", "output"]);
    for (index, row) in table.layers.iter().enumerate() {
        let key = |name: &str| format!("application.graph.layer[{index}].{name}");
        if row.name.trim().is_empty() {
            list.add(key("name"), "must be a name");
        } else if !names.insert(&row.name) {
            let message = format!("must be a name of its own; \"{}\" is that of another task", row.name);
            list.add(key("name"), message);
        }
        list.not_negative(&key("mflop"), row.mflop);
        list.not_negative(&key("weights_mb"), row.weights_mb);
        list.not_negative(&key("output_kb"), row.output_kb);
    }
}
