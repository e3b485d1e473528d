//! Branch and bound in the order of the model.

use super::bound::{Bound, Partial};
use super::multipliers::Multipliers;
use super::tables::Tables;
use crate::graph::model::GraphModel;
use crate::graph::rules::Weights;
use crate::graph::schedule::Schedule;

/// What a search found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// The best decision within the limits, with its cost.
    pub(super) best: Option<(f64, Vec<u8>)>,
    /// No decision within the limits costs less.
    pub(super) bound: f64,
    /// Whether the whole tree was searched.
    pub(super) is_complete: bool,
    /// The number of schedules bounded.
    pub(super) evaluations: u64,
}

/// Searches for a decision within the limits that costs less than `best`, depth first: of each task, the place first whose
/// bound is lowest. It ends after an amount of work; then the bound is that of what was left out. `multipliers` join the
/// bounds if there are any.
pub(super) fn search<'a>(
    tables: &'a Tables<'a>,
    multipliers: Option<Multipliers<'a>>,
    best: Option<(f64, Vec<u8>)>,
    max_work: u64,
) -> Found {
    let model = tables.model;
    let limits = model.rules().limits;
    let weighted = |energy, price| model.with_weights(Weights { energy, time: 0.0, price });
    let energy = limits.energy_j.is_finite().then(|| weighted(1.0, 0.0)).and_then(Result::ok);
    let price = limits.price.is_finite().then(|| weighted(0.0, 1.0)).and_then(Result::ok);
    let budgets = [(&energy, limits.energy_j), (&price, limits.price)].into_iter();
    let budgets = budgets.filter_map(|(amounts, most)| amounts.as_ref().map(|amounts| Budget::new(amounts, most)));
    let mut search = Search {
        model,
        bound: Bound::new(tables),
        multipliers,
        schedule: Schedule::new(model),
        has_limits: model.has_limits(),
        budgets: budgets.collect(),
        best,
        left_out: f64::INFINITY,
        evaluations: 0,
        work: 0,
        max_work,
        children: vec![Child::default(); tables.tasks * tables.places],
    };
    let root = Partial { placed: 0, fixed: 0.0, time_s: 0.0 };
    let of_multipliers = search.multipliers.as_ref().map_or(f64::NEG_INFINITY, Multipliers::root_bound);
    let root_bound = search.bound.of(&search.schedule, root, f64::INFINITY).max(of_multipliers);
    if root_bound < search.limit() {
        search.descend(root, root_bound);
    }
    let is_complete = search.left_out >= search.limit();
    let bound = search.left_out.min(search.best.as_ref().map_or(f64::INFINITY, |(cost, _)| *cost));
    Found { best: search.best, bound: bound.max(root_bound), is_complete, evaluations: search.evaluations }
}

/// What all decisions cost at least.
pub(super) fn root_bound(tables: &Tables<'_>) -> f64 {
    let root = Partial { placed: 0, fixed: 0.0, time_s: 0.0 };
    Bound::new(tables).of(&Schedule::new(tables.model), root, f64::INFINITY)
}

/// A place of the next task.
#[derive(Debug, Clone, Copy, Default)]
struct Child {
    bound: f64,
    place: u8,
    fixed: f64,
    time_s: f64,
}

/// A limit of energy or money. The energy of idling, which a schedule without its end does not say, is left out.
struct Budget<'a> {
    amounts: Tables<'a>,
    most: f64,
    /// `[placed tasks]`: what they have taken.
    spent: Vec<f64>,
}

impl<'a> Budget<'a> {
    fn new(amounts: &'a GraphModel, most: f64) -> Self {
        let spent = vec![0.0; amounts.tasks() + 1];
        Self { amounts: Tables::new(amounts, false), most: most * (1.0 + 1e-12), spent }
    }

    /// Whether some decision that places the next task of a schedule here may keep the limit.
    fn allows(&self, schedule: &Schedule, place: usize) -> bool {
        let ahead = self.amounts.least_fixed[schedule.len() + 1];
        self.spent[schedule.len()] + self.amounts.added_fixed(schedule, place) + ahead <= self.most
    }

    /// Notes where the next task of a schedule goes.
    fn spend(&mut self, schedule: &Schedule, place: usize) {
        let added = self.amounts.added_fixed(schedule, place);
        self.spent[schedule.len() + 1] = self.spent[schedule.len()] + added;
    }
}

struct Search<'a> {
    model: &'a GraphModel,
    bound: Bound<'a>,
    multipliers: Option<Multipliers<'a>>,
    schedule: Schedule,
    has_limits: bool,
    budgets: Vec<Budget<'a>>,
    best: Option<(f64, Vec<u8>)>,
    /// The lowest bound of nodes that were left out for lack of time.
    left_out: f64,
    evaluations: u64,
    work: u64,
    max_work: u64,
    /// `[position][place]`.
    children: Vec<Child>,
}

impl Search<'_> {
    /// Decisions that do not cost less than this are of no use.
    #[inline]
    fn limit(&self) -> f64 {
        self.best.as_ref().map_or(f64::INFINITY, |(cost, _)| cost - 1e-9 * cost.abs())
    }

    /// Searches all continuations of the schedule, which cost at least `least`.
    fn descend(&mut self, at: Partial, least: f64) {
        let tables = self.bound.tables;
        let (position, places) = (at.placed, tables.places);
        if position == tables.tasks {
            self.finish();
            return;
        }
        let row = position * places;
        let mut count = 0;
        for place in tables.allowed(position) {
            if !self.budgets.iter().all(|budget| budget.allows(&self.schedule, place)) {
                continue;
            }
            let fixed = at.fixed + tables.added_fixed(&self.schedule, place);
            self.schedule.push(self.model, place as u8);
            self.bound.note(&self.schedule, place);
            let task = self.model.order()[position] as usize;
            let end_s = self.schedule.done_s(task) + tables.tail_s[row + place];
            let time_s = at.time_s.max(self.schedule.time_s()).max(end_s);
            let partial = Partial { placed: position + 1, fixed, time_s };
            let limit = self.limit();
            let mut bound = least;
            if let Some(multipliers) = &self.multipliers {
                bound = bound.max(multipliers.of(&self.schedule, position, fixed));
                self.work += 1;
            }
            if bound < limit {
                bound = bound.max(self.bound.of(&self.schedule, partial, limit));
                self.work += (tables.tasks - position) as u64;
            }
            self.evaluations += 1;
            self.schedule.truncate(position);
            if bound < limit {
                // Insertion keeps the lowest bound first.
                let mut slot = row + count;
                while slot > row && self.children[slot - 1].bound > bound {
                    self.children[slot] = self.children[slot - 1];
                    slot -= 1;
                }
                self.children[slot] = Child { bound, place: place as u8, fixed, time_s };
                count += 1;
            }
        }
        for index in row..row + count {
            let Child { bound, place, fixed, time_s } = self.children[index];
            if bound >= self.limit() {
                break;
            }
            if self.work > self.max_work {
                self.left_out = self.left_out.min(bound);
                break;
            }
            for budget in &mut self.budgets {
                budget.spend(&self.schedule, place as usize);
            }
            self.schedule.push(self.model, place);
            self.bound.note(&self.schedule, place as usize);
            if let Some(multipliers) = &mut self.multipliers {
                multipliers.place(&self.schedule, position);
            }
            self.descend(Partial { placed: position + 1, fixed, time_s }, bound);
            self.schedule.truncate(position);
            if let Some(multipliers) = &mut self.multipliers {
                multipliers.truncate(position);
            }
        }
    }

    /// Takes a whole decision if it is the best so far.
    fn finish(&mut self) {
        let cost = self.schedule.cost(self.model);
        if self.best.as_ref().is_some_and(|(best, _)| cost >= *best) {
            return;
        }
        if self.has_limits && self.schedule.outcome(self.model).exceeds_limits {
            return;
        }
        self.best = Some((cost, self.schedule.places()));
    }
}
