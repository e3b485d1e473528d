//! Runs over time: `cargo bench -p sim --bench streams`. Counted are tasks, and slots.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use sim::stream::dispatch::scheme::by_name;
use sim::stream::dispatch::settings::DispatchSetting;
use sim::stream::dispatch::{self, Path, Site};
use sim::stream::slots::scheme::SlotSchemeKind;
use sim::stream::slots::{self, Application, Link, Load, SlotPath, SlotProblem, SlotSettings};
use sim::stream::{ArrivalProcess, MarkovRates, RateProcess, Sizes};

fn main() {
    divan::main();
}

const TASKS: usize = 30_000;

/// A setting by its place in the list, with one path.
fn course(setting: usize) -> (Site, Path) {
    let site = DispatchSetting::all()[setting].site(1).expect("a setting");
    let path = Path::draw(&site, TASKS, 1);
    (site, path)
}

/// Three and thirty devices with constant links, and ten with links that change.
const SETTINGS: [usize; 3] = [1, 7, 12];

#[divan::bench(args = SETTINGS)]
fn dispatch_greedy(bencher: Bencher<'_, '_>, setting: usize) {
    dispatch_with(bencher, "greedy", setting);
}

#[divan::bench(args = SETTINGS)]
fn dispatch_one_step(bencher: Bencher<'_, '_>, setting: usize) {
    dispatch_with(bencher, "one-step", setting);
}

#[divan::bench(args = SETTINGS)]
fn dispatch_priced(bencher: Bencher<'_, '_>, setting: usize) {
    dispatch_with(bencher, "priced", setting);
}

fn dispatch_with(bencher: Bencher<'_, '_>, name: &str, setting: usize) {
    let (site, path) = course(setting);
    let mut scheme = by_name(name, &site).expect("a name");
    bencher
        .counter(ItemsCount::new(TASKS))
        .bench_local(|| dispatch::simulate(black_box(&site), &path, scheme.as_mut(), 1).mean_cost);
}

#[divan::bench]
fn draw_a_path(bencher: Bencher<'_, '_>) {
    let (site, _) = course(1);
    bencher.counter(ItemsCount::new(TASKS)).bench_local(|| Path::draw(black_box(&site), TASKS, 1));
}

const SLOTS: usize = 100_000;

fn slots() -> SlotPath {
    let photos = Application {
        name: "photos".to_owned(),
        load: Load::Share(0.3),
        arrivals: ArrivalProcess::Poisson,
        sizes: Sizes::OneOf([5e6].into()),
        deadline_s: None,
    };
    let chain = MarkovRates::new(&[0.25e6, 1e6, 3.75e6], &[40.0, 30.0, 20.0], None).expect("valid");
    let link = Link { name: "cellular".to_owned(), rates: RateProcess::Markov(chain), power_w: 1.2, tail: None };
    let settings = SlotSettings::new(SLOTS, vec![photos], vec![link]);
    SlotProblem::new(settings).expect("valid").path(1, 0)
}

#[divan::bench(args = ["at-once", "threshold", "lyapunov-scaled", "power-rule"])]
fn slots_with(bencher: Bencher<'_, '_>, name: &str) {
    let path = slots();
    let kind: SlotSchemeKind = name.parse().expect("a name");
    let mut scheme = kind.build(None).expect("it needs no model");
    bencher
        .counter(ItemsCount::new(SLOTS))
        .bench_local(|| slots::simulate(black_box(&path), scheme.as_mut(), None).expect("it decides").cost);
}

#[divan::bench]
fn hindsight_of_slots(bencher: Bencher<'_, '_>) {
    let path = slots();
    bencher.counter(ItemsCount::new(SLOTS)).bench_local(|| slots::hindsight(black_box(&path)).cost);
}
