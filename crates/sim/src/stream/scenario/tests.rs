use super::*;
use crate::stream::dispatch::scheme::DispatchGreedy;
use crate::stream::dispatch::{Path, simulate};

fn dispatch() -> DispatchScenario {
    of_dispatch(StreamScenario::load("dispatch").expect("a preset"))
}

fn of_dispatch(scenario: StreamScenario) -> DispatchScenario {
    let StreamScenario::Dispatch(scenario) = scenario else { panic!("not a scenario of dispatching") };
    scenario
}

fn mistakes(changes: &[(&str, &str)]) -> String {
    let mut text = StreamScenario::preset_text("dispatch").expect("a preset").to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    StreamScenario::from_toml("test.toml", &text).expect_err("mistakes").to_string()
}

#[test]
fn every_preset_is_written_and_read_back() {
    for name in StreamScenario::presets() {
        let scenario = StreamScenario::load(name).expect("a preset");
        assert_eq!(scenario.name(), name);
        let text = scenario.to_toml();
        assert_eq!(StreamScenario::from_toml("written", &text), Ok(scenario), "{text}");
    }
}

#[test]
fn all_mistakes_come_at_once_with_their_places() {
    let text = mistakes(&[
        ("load = 0.8", "load = 1.2"),
        ("mean_stay_s = [90, 90]", "mean_stay_s = [0, 90]"),
        ("name = \"edge\"", "name = \"local\""),
        ("count = 10", "count = 0"),
    ]);
    assert!(text.contains("has 3 mistakes"), "{text}");
    assert!(text.contains("devices.count: must lie between 1 and 10000, is 0"), "{text}");
    let text = mistakes(&[
        ("load = 0.8", "load = 1.2"),
        ("mean_stay_s = [90, 90]", "mean_stay_s = [0, 90]"),
        ("name = \"edge\"", "name = \"local\""),
    ]);
    for part in [
        "arrivals.load: must lie above 0 and below 1, is 1.2: from 1 on queues grow for ever",
        "the mean stay in state 0 must be greater than 0 s, is 0",
        "servers[0].name: \"local\" is what the device itself is called",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn rates_and_sizes_may_be_written_in_every_form() {
    let forms = [
        ("size_mb = { distribution = \"log-uniform\", min = 2, max = 60 }", "size_mb = 5"),
        ("size_mb = { distribution = \"log-uniform\", min = 2, max = 60 }", "size_mb = { values = [10, 20, 30] }"),
        (
            "size_mb = { distribution = \"log-uniform\", min = 2, max = 60 }",
            "size_mb = { distribution = \"exponential\", mean = 4 }",
        ),
        ("uplink_mbps = 500", "uplink_mbps = { states = [0, 20, 50], mean_stay_s = [120, 60, 10] }"),
        ("uplink_mbps = 500", "uplink_mbps = { distribution = \"uniform\", min = 100, max = 200 }"),
        ("uplink_mbps = 500", "uplink_mbps = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]"),
        ("load = 0.8", "per_minute = 0.5"),
    ];
    for (from, to) in forms {
        let mut text = StreamScenario::preset_text("dispatch").expect("a preset").to_owned();
        assert!(text.contains(from), "{from}");
        if to.contains("per_minute") {
            text = text.replace("\nweight = ", "\n# ");
        }
        let scenario = StreamScenario::from_toml("test.toml", &text.replace(from, to)).expect(to);
        assert_eq!(StreamScenario::from_toml("written", &scenario.to_toml()).as_ref(), Ok(&scenario), "{to}");
        let scenario = of_dispatch(scenario);
        let site = scenario.site(1).expect(to);
        assert!(simulate(&site, &Path::draw(&site, 500, 1), &mut DispatchGreedy::new(), 1).mean_cost > 0.0);
    }
    let unread = "uplink_mbps = { traces = \"recordings\", window_s = 1 }";
    let text = StreamScenario::preset_text("dispatch").expect("a preset").replace("uplink_mbps = 500", unread);
    let mut scenario = StreamScenario::from_toml("test.toml", &text).expect("valid");
    assert_eq!(StreamScenario::from_toml("written", &scenario.to_toml()).as_ref(), Ok(&scenario));
    let recordings = scenario.recordings_mut();
    assert_eq!((recordings[0].0.as_str(), recordings[0].1.path.as_str()), ("devices.uplink_mbps", "recordings"));
    let scenario = of_dispatch(scenario);
    assert!(scenario.site(1).expect_err("not read").to_string().contains("have not been read"));
}

#[test]
fn sources_that_are_on_and_off_carry_their_load() {
    let bursts = "process = \"bursts\"\nfactors = [0, 1]\nmean_stay_s = [300, 100]";
    let text = StreamScenario::preset_text("dispatch").expect("a preset").replace("process = \"poisson\"", bursts);
    let scenario = of_dispatch(StreamScenario::from_toml("test.toml", &text).expect("valid"));
    let site = scenario.site(1).expect("valid");
    assert!((site.load() - 0.8).abs() < 1e-9, "{}", site.load());
    let path = Path::draw(&site, 200_000, 1);
    let per_s = 200_000.0 / path.arrivals().last().expect("tasks").time_s;
    assert!((per_s / site.arrivals_per_s() - 1.0).abs() < 0.08, "{per_s} {}", site.arrivals_per_s());
    let without = mistakes(&[("process = \"poisson\"", &bursts.replace("[0, 1]", "[0, 0]"))]);
    assert!(without.contains("devices.arrivals.factors: must have one above 0"), "{without}");
    let negative = mistakes(&[("process = \"poisson\"", &bursts.replace("[0, 1]", "[-1, 1]"))]);
    assert!(negative.contains("factors[0]: must be a number not below 0"), "{negative}");
}

#[test]
fn chains_may_be_written_row_by_row() {
    let read = |jumps: &str| {
        let chain = format!("{{ states = [1, 5, 9], mean_stay_s = [90, 60, 30], jumps = {jumps} }}");
        let text = StreamScenario::preset_text("commute").expect("a preset");
        let text = text.replace("{ states = [2, 8, 30], mean_stay_s = [40, 30, 20] }", &chain);
        assert!(text.contains("jumps"));
        StreamScenario::from_toml("test.toml", &text)
    };
    let flat = read("[0, 1, 0, 0.5, 0, 0.5, 0, 1, 0]").expect("valid");
    assert_eq!(read("[[0, 1, 0], [0.5, 0, 0.5], [0, 1, 0]]"), Ok(flat));
    let error = |jumps: &str| read(jumps).expect_err("wrong").to_string();
    let short = error("[[0, 1, 0], [0.5, 0.5], [0, 1, 0]]");
    assert!(short.contains("links[0].mbps.jumps[1]: must be a row of 3 numbers, one for each row"), "{short}");
    let word = error("[[0, 1, 0], [0.5, 0, \"x\"], [0, 1, 0]]");
    assert!(word.contains("jumps[1]: must be a row of 3 numbers"), "{word}");
    assert!(error("[0, 1]").contains("needs as many mean stays"), "{}", error("[0, 1]"));
}

#[test]
fn keys_of_the_other_kind_that_say_the_same_are_read() {
    let read = |preset: &str, changes: &[(&str, &str)]| {
        let mut text = StreamScenario::preset_text(preset).expect("a preset").to_owned();
        for (from, to) in changes {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        StreamScenario::from_toml("test.toml", &text)
    };
    let deadline = ("# deadline_s = 120", "deadline_s = 120\n#");
    let own = read("dispatch", &[("# deadline_s = 120", "deadline_s = 120\ndeadline_penalty = 3\n#")]).expect("valid");
    let top = ("alpha = 0.5", "deadline_penalty = 3\nalpha = 0.5");
    assert_eq!(read("dispatch", &[deadline, top]), Ok(own));
    let both = read("dispatch", &[("# deadline_s = 120", "deadline_s = 120\ndeadline_penalty = 3\n#"), top]);
    let both = both.expect_err("twice").to_string();
    assert!(both.contains("deadline_penalty: cannot stand beside tasks.deadline_penalty"), "{both}");
    let link = "sharing = \"unlimited\" ";
    let server = |text: &'static str| (link, text);
    let own =
        read("dispatch", &[server("power_w = { send = 1.5, tail = 0.5 }\nsharing = \"unlimited\" ")]).expect("valid");
    assert_eq!(read("dispatch", &[server("power_w = 1.5\ntail_w = 0.5\nsharing = \"unlimited\" ")]), Ok(own));
    let alone =
        read("dispatch", &[server("tail_w = 0.5\nsharing = \"unlimited\" ")]).expect_err("no power").to_string();
    assert!(alone.contains("servers[1].tail_w: needs power_w"), "{alone}");

    let tail = ("# tail_s = 10", "tail_s = 10");
    let own = read("commute", &[tail, ("power_w = 1.2", "power_w = 1.2\ntail_w = 0.7")]).expect("valid");
    assert_eq!(read("commute", &[tail, ("power_w = 1.2", "power_w = { send = 1.2, tail = 0.7 }")]), Ok(own));
    let twice = [tail, ("power_w = 1.2", "power_w = { send = 1.2, tail = 0.7 }\ntail_w = 0.7")];
    let twice = read("commute", &twice).expect_err("twice").to_string();
    assert!(twice.contains("links[0].tail_w: cannot stand beside power_w.tail"), "{twice}");
    let late = ("# deadline_s = 600", "deadline_s = 600\n#");
    let own = read("commute", &[late, ("slot_s = 1", "slot_s = 1\ndeadline_penalty = 3")]).expect("valid");
    let tables = ("[[links]]\nname = \"cellular\"", "[tasks]\ndeadline_penalty = 3\n\n[[links]]\nname = \"cellular\"");
    assert_eq!(read("commute", &[late, tables]), Ok(own));
}

#[test]
fn a_site_that_cannot_carry_its_tasks_names_its_bottleneck() {
    let mut scenario = dispatch();
    scenario.devices.arrivals.rate = Some(ArrivalRate::PerMinute { per_minute: Spread::one(60.0) });
    let error = scenario.site(1).expect_err("too many tasks").to_string();
    assert!(error.contains("cannot carry its tasks") && error.contains("edge"), "{error}");
}

#[test]
fn a_site_is_the_same_for_the_same_seed() {
    let scenario = dispatch();
    let parts = |seed| scenario.site(seed).expect("valid").parts().clone();
    assert_eq!(parts(3), parts(3));
    assert_ne!(parts(3), parts(4));
}

#[test]
fn a_scenario_in_slots_makes_a_problem() {
    let StreamScenario::Slots(scenario) = StreamScenario::load("commute").expect("a preset") else { panic!("slots") };
    let problem = scenario.problem().expect("valid");
    assert_eq!((problem.applications(), problem.links()), (1, 1));
    let text = StreamScenario::preset_text("commute").expect("a preset");
    let error =
        StreamScenario::from_toml("test.toml", &text.replace("per_minute = 6", "load = 1.5")).expect_err("overload");
    assert!(error.to_string().contains("arrivals[0].load: must lie above 0 and below 1, is 1.5"), "{error}");
    let error =
        StreamScenario::from_toml("test.toml", &text.replace("power_w = 1.2", "power_w = 0")).expect_err("no power");
    assert!(error.to_string().contains("links[0].power_w: must be a number greater than 0"), "{error}");
}
