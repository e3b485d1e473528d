//! The body of a decide request: one workload or a list, checked against the scenario in force.

use data::exchange::{EnvironmentChange, Id, Object, SizeTable, TaskValues, UncheckedRequest, WorkloadRequest};
use serde::Deserialize;

use crate::Limits;
use crate::decider::{ENSEMBLE_SCHEME, EXACT_SCHEME, scheme_names};
use crate::problem_details::ProblemDetails;
use crate::request_body;
use crate::service::Snapshot;

/// The most bytes of a workload's id, as JSON.
const MAX_ID_BYTES: usize = 1024;

/// The body as JSON has it: either `tasks_mb` (one workload) or `workloads` (a list).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DecideBody {
    #[serde(default)]
    id: Option<Id>,
    #[serde(default)]
    tasks_mb: Option<SizeTable>,
    #[serde(default)]
    environment: Option<Object<EnvironmentChange>>,
    #[serde(default)]
    deadline_s: Option<TaskValues>,
    #[serde(default)]
    deadline_rule: Option<String>,
    #[serde(default)]
    deadline_penalty: Option<f64>,
    #[serde(default)]
    instructions_per_byte: Option<TaskValues>,
    #[serde(default)]
    workloads: Option<Vec<Object<UncheckedRequest>>>,
    #[serde(default)]
    scheme: Option<String>,
    #[serde(default)]
    explain: bool,
}

/// A decide request that was checked.
pub(crate) struct DecideRequest {
    pub(crate) workloads: Vec<WorkloadRequest>,
    /// Whether the request holds a list, so that the answer holds one, too.
    pub(crate) is_list: bool,
    pub(crate) scheme: String,
    /// Whether the answer shows when each task runs.
    pub(crate) explain: bool,
}

impl DecideRequest {
    pub(crate) fn read(body: &[u8], snapshot: &Snapshot, limits: &Limits) -> Result<Self, ProblemDetails> {
        let mut body: DecideBody = request_body::parse(body)?;
        let scheme = checked_scheme(body.scheme.take(), snapshot)?;
        let explain = body.explain;
        let (unchecked, is_list) = body.workloads()?;
        let tasks = if explain || scheme != ENSEMBLE_SCHEME { limits.slow_tasks } else { limits.tasks };
        let most = limits.workloads.min(limits.waiting).min(tasks / snapshot.model.task_count()).max(1);
        if unchecked.is_empty() || unchecked.len() > most {
            let wanted = if most == 1 { "1 workload".to_owned() } else { format!("1 to {most} workloads") };
            let detail = format!("there must be {wanted}, there are {}", unchecked.len());
            return Err(ProblemDetails::unprocessable("workloads", detail));
        }
        let check = |(index, request): (usize, UncheckedRequest)| {
            let checked = checked_workload(request, snapshot);
            checked.map_err(|problem| if is_list { problem.within(&format!("workloads[{index}]")) } else { problem })
        };
        let workloads = unchecked.into_iter().enumerate().map(check).collect::<Result<_, _>>()?;
        Ok(Self { workloads, is_list, scheme, explain })
    }
}

impl DecideBody {
    /// The workloads, and whether they came as a list.
    fn workloads(mut self) -> Result<(Vec<UncheckedRequest>, bool), ProblemDetails> {
        match (self.tasks_mb.take(), self.workloads.take()) {
            (Some(tasks_mb), None) => Ok((vec![self.workload(tasks_mb)], false)),
            (None, Some(_)) if self.says_more_of_one() => {
                let detail = "with a list of workloads, id, environment, deadlines and instructions_per_byte belong inside \
                              each workload";
                Err(ProblemDetails::unprocessable("workloads", detail))
            }
            (None, Some(workloads)) => Ok((workloads.into_iter().map(|Object(request)| request).collect(), true)),
            _ => {
                let detail = "the body must hold either tasks_mb (one workload) or workloads (a list)";
                Err(ProblemDetails::unprocessable("tasks_mb", detail))
            }
        }
    }

    fn workload(self, tasks_mb: SizeTable) -> UncheckedRequest {
        let Self { id, environment, deadline_s, deadline_rule, deadline_penalty, instructions_per_byte, .. } = self;
        UncheckedRequest {
            id,
            tasks_mb,
            environment,
            deadline_s,
            deadline_rule,
            deadline_penalty,
            instructions_per_byte,
        }
    }

    /// Whether the body has a field of a single workload, in addition to its tasks.
    fn says_more_of_one(&self) -> bool {
        let Self { id, environment, deadline_s, deadline_rule, deadline_penalty, instructions_per_byte, .. } = self;
        id.is_some()
            || environment.is_some()
            || deadline_s.is_some()
            || deadline_rule.is_some()
            || deadline_penalty.is_some()
            || instructions_per_byte.is_some()
    }
}

fn checked_workload(request: UncheckedRequest, snapshot: &Snapshot) -> Result<WorkloadRequest, ProblemDetails> {
    let request = WorkloadRequest::new(request, &snapshot.model)?;
    if request.id.as_ref().is_some_and(|id| id.get().len() > MAX_ID_BYTES) {
        return Err(ProblemDetails::unprocessable("id", format!("the id is longer than {MAX_ID_BYTES} bytes")));
    }
    Ok(request)
}

/// The scheme of the request; the networks of the record if it names none.
fn checked_scheme(requested: Option<String>, snapshot: &Snapshot) -> Result<String, ProblemDetails> {
    let scheme = requested.unwrap_or_else(|| ENSEMBLE_SCHEME.to_owned());
    let refuse = |detail: String| Err(ProblemDetails::unprocessable("scheme", detail));
    if scheme == EXACT_SCHEME && !snapshot.loaded.is_exact_quick {
        let tasks = snapshot.model.task_count();
        return refuse(format!("the exact optimum takes too long for the {tasks} tasks of this scenario"));
    }
    let known = scheme_names(true);
    if !known.contains(&scheme) {
        return refuse(format!("there is no such scheme; there are {ENSEMBLE_SCHEME} and {}", known[1..].join(", ")));
    }
    Ok(scheme)
}
