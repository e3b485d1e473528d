//! The parts of a workflow in WfFormat 1.5 that say how large its tasks are.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use sim::limits::MAX_SIZE_MB;
use sim::units::BYTES_PER_MB;

#[derive(Deserialize)]
pub(super) struct Workflow<'a> {
    #[serde(borrow)]
    workflow: Body<'a>,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    specification: Specification<'a>,
}

#[derive(Deserialize)]
struct Specification<'a> {
    #[serde(borrow)]
    tasks: Vec<Task<'a>>,
    #[serde(borrow, default)]
    files: Vec<Input<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Task<'a> {
    #[serde(borrow, default)]
    input_files: Vec<Id<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    size_in_bytes: Option<f64>,
}

/// A name, borrowed where it has no escapes; a bare `Cow` in a list would always be copied.
#[derive(Deserialize)]
struct Id<'a>(#[serde(borrow)] Cow<'a, str>);

impl Workflow<'_> {
    /// Adds the sizes of all tasks to `sizes_mb` and returns the number of tasks without a known size.
    pub(super) fn sizes(&self, sizes_mb: &mut Vec<f64>) -> u64 {
        let Specification { tasks, files } = &self.workflow.specification;
        let bytes_of: HashMap<&str, f64> =
            files.iter().filter_map(|file| Some((&*file.id, file.size_in_bytes?))).collect();
        let mut skipped = 0;
        for task in tasks {
            let inputs =
                task.input_files.iter().map(|Id(id)| bytes_of.get(&**id).copied().filter(|bytes| *bytes >= 0.0));
            let mb = inputs.sum::<Option<f64>>().unwrap_or(0.0) / BYTES_PER_MB;
            if mb > 0.0 && mb <= MAX_SIZE_MB {
                sizes_mb.push(mb);
            } else {
                skipped += 1;
            }
        }
        skipped
    }
}
