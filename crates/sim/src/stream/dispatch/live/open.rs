//! Tasks that were placed and are not known to be done.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};

/// Between the oldest and the newest open task there are at most this many numbers for each task that may be open.
const MOST_NUMBERS: usize = 4;

/// An open task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct OpenTask {
    /// The caller's id, as JSON.
    pub(super) id: Option<Box<str>>,
    pub(super) device: u32,
    pub(super) place: u8,
    pub(super) arrived_s: f64,
    pub(super) bytes: f64,
    pub(super) energy_j: f64,
    pub(super) deadline_s: Option<f64>,
    /// What was expected when it was placed.
    pub(super) cost: f64,
    /// When it leaves the link, or joins its processor.
    pub(super) joins_s: f64,
    /// The time on the machine, queued for or not.
    pub(super) service_s: f64,
    /// When it is done, as far as is known.
    pub(super) done_s: f64,
    /// Whether it is on its way to a machine that others use, too.
    pub(super) is_on_the_way: bool,
}

/// The open tasks by their numbers, which rise.
#[derive(Debug, Clone, Default)]
pub(super) struct OpenTasks {
    first: u64,
    tasks: VecDeque<Option<OpenTask>>,
    by_id: HashMap<Box<str>, u64>,
    count: usize,
}

/// The open tasks, to be kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct KeptTasks {
    first: u64,
    tasks: Vec<Option<OpenTask>>,
}

impl OpenTasks {
    /// The number of the next task.
    pub(super) fn next(&self) -> u64 {
        self.first + self.tasks.len() as u64
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn is_open(&self, number: u64) -> bool {
        self.get(number).is_some()
    }

    pub(super) fn get(&self, number: u64) -> Option<&OpenTask> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.tasks.get(at)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut OpenTask> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.tasks.get_mut(at)?.as_mut()
    }

    /// The number of the open task with an id, as JSON: the caller's id, or the number of a task that was given none.
    pub(super) fn number_of(&self, id: &str) -> Option<u64> {
        if let Some(number) = self.by_id.get(id) {
            return Some(*number);
        }
        let number = id.parse().ok()?;
        self.get(number).filter(|task| task.id.is_none()).map(|_| number)
    }

    pub(super) fn push(&mut self, task: OpenTask) {
        if let Some(id) = &task.id {
            self.by_id.insert(id.clone(), self.next());
        }
        self.tasks.push_back(Some(task));
        self.count += 1;
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<OpenTask> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        let task = self.tasks.get_mut(at)?.take()?;
        self.count -= 1;
        if let Some(id) = &task.id {
            self.by_id.remove(id);
        }
        self.drop_gaps();
        Some(task)
    }

    fn drop_gaps(&mut self) {
        while let Some(None) = self.tasks.front() {
            self.tasks.pop_front();
            self.first += 1;
        }
    }

    /// Forgets the oldest task, if there are more than `most` or it should have been done before `done_before_s`; returns it.
    pub(super) fn forget(&mut self, most: usize, done_before_s: f64) -> Option<OpenTask> {
        let oldest = self.tasks.front()?.as_ref()?;
        let is_over = self.count > most || self.tasks.len() > MOST_NUMBERS * most || oldest.done_s < done_before_s;
        if is_over { self.remove(self.first) } else { None }
    }

    pub(super) fn kept(&self) -> KeptTasks {
        KeptTasks { first: self.first, tasks: self.tasks.iter().cloned().collect() }
    }

    pub(super) fn continued(kept: KeptTasks) -> Self {
        let KeptTasks { first, tasks } = kept;
        let by_id = (first..).zip(&tasks).filter_map(|(number, task)| Some((task.as_ref()?.id.clone()?, number)));
        let by_id = by_id.collect();
        let count = tasks.iter().flatten().count();
        let mut open = Self { first, tasks: tasks.into(), by_id, count };
        open.drop_gaps();
        open
    }
}

impl KeptTasks {
    /// Whether all places and devices are there.
    pub(super) fn fits(&self, devices: usize, places: usize) -> bool {
        let mut tasks = self.tasks.iter().flatten();
        tasks.all(|task| (task.device as usize) < devices && usize::from(task.place) < places)
    }
}
